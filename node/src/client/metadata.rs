//! What describes a document: where its content lies, or where to look instead.
//!
//! ```text
//! magic 0x57 | version 1 | postcard( kind … )
//! ```
//! It is the payload of a content block whose key says "metadata", of a signed block, or, when it fits neither, content
//! of its own that a smaller metadata points to. Reading is total: any bytes give metadata that keeps all its promises
//! (sizes in bounds, names in order, tables of the right length), or an error.

mod fields;
mod packed;
mod redirect;

use serde::{Deserialize, Serialize};

use super::error::FetchError;
use super::manifest::Manifest;

pub(crate) use fields::bounded;
pub(crate) use fields::check_content_type;
pub(crate) use packed::{Codec, KEYS_INLINE_MAX, Packed, Stored, layout};
pub(crate) use redirect::RedirectTarget;

/// First byte of all metadata: W for Warren. Tells a metadata block from a data block that was mistaken for one.
const MAGIC: u8 = 0x57;
/// The version written, and the only one read.
const VERSION: u8 = 1;

/// Most bytes of metadata: that of a site of 100 000 files with ordinary names.
pub(crate) const METADATA_LEN_MAX: u64 = 16 << 20;

/// What a document is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Metadata {
    /// A document so small that it is carried here.
    Direct(Direct),
    /// A document that lies elsewhere.
    File(File),
    /// Another address to look at.
    Redirect(RedirectTarget),
    /// A folder of documents.
    Manifest(Manifest),
    /// Metadata that did not fit here.
    Outer(Packed),
}

/// A document in its own metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Direct {
    /// Declared type.
    pub(crate) content_type: Option<String>,
    /// The whole content.
    pub(crate) data: Vec<u8>,
}

/// A document whose content is stored in blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct File {
    /// Declared type.
    pub(crate) content_type: Option<String>,
    /// SHA-256 of the content. Its BLAKE3 is with the blocks.
    pub(crate) sha256: [u8; 32],
    /// Where the content lies.
    pub(crate) packed: Packed,
}

impl Metadata {
    /// As bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let bytes = vec![MAGIC, VERSION];
        postcard::to_extend(self, bytes).expect("writing these types to memory cannot fail")
    }

    /// Reads what [`encode`](Self::encode) wrote, and checks everything that the types do not.
    ///
    /// # Errors
    /// [`FetchError::UnknownMetadataVersion`], [`FetchError::MetadataTooBig`] or [`FetchError::InvalidMetadata`].
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, FetchError> {
        if bytes.len() as u64 > METADATA_LEN_MAX {
            return Err(FetchError::MetadataTooBig(bytes.len() as u64));
        }
        let body = match bytes {
            [MAGIC, VERSION, body @ ..] => body,
            [MAGIC, version, ..] => return Err(FetchError::UnknownMetadataVersion(*version)),
            _ => {
                return Err(FetchError::InvalidMetadata(
                    "it does not begin as metadata does",
                ));
            }
        };
        let (metadata, rest) = postcard::take_from_bytes::<Self>(body)
            .map_err(|_| FetchError::InvalidMetadata("it is cut off or malformed"))?;
        if !rest.is_empty() {
            return Err(FetchError::InvalidMetadata("something follows its end"));
        }
        metadata.check().map_err(FetchError::InvalidMetadata)?;
        Ok(metadata)
    }

    /// A guess at the bytes it takes in memory.
    pub(crate) fn memory(&self) -> usize {
        let keys = |packed: &Packed| packed.stored.keys.len() * 32;
        size_of::<Self>()
            + match self {
                Self::Direct(direct) => direct.data.len(),
                Self::File(file) => keys(&file.packed),
                Self::Redirect(target) => target.memory(),
                Self::Manifest(manifest) => manifest.memory(),
                Self::Outer(packed) => keys(packed),
            }
    }

    fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::Direct(direct) => check_content_type(direct.content_type.as_deref()),
            Self::File(file) => file.check(),
            Self::Redirect(_) => Ok(()),
            Self::Manifest(manifest) => manifest.check(),
            Self::Outer(packed) if packed.size > METADATA_LEN_MAX => {
                Err("the metadata it points to is too large")
            }
            Self::Outer(packed) => packed.check(),
        }
    }
}

impl File {
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        check_content_type(self.content_type.as_deref())?;
        self.packed.check()
    }
}

#[cfg(test)]
pub(crate) mod tests;
