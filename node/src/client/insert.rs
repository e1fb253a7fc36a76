//! Inserts one file or a redirect: content first, then metadata, and the block that makes it all reachable last.

use std::sync::Arc;

use bytes::Bytes;
use crypto::{InsertUri, Uri};

use super::error::InsertError;
use super::frames::Compressor;
use super::geometry::SHARD_LEN;
use super::inserter::Inserter;
use super::manifest::{Container, Entry, Item, Manifest, Member, check_name};
use super::metadata::{Direct, File, KEYS_INLINE_MAX, Metadata, Packed, check_content_type};
use super::request::{InsertRequest, Inserted, Source};
use super::source::{Body, Preparation, Prepared, prepare};
use super::storing::store;
use super::target::Target;

/// Content up to this size is carried in its metadata where the metadata has a whole content block to itself.
const DIRECT_MAX: u64 = SHARD_LEN - 2048;
/// The same where it has a signed block of 1 KiB.
const DIRECT_SIGNED_MAX: u64 = 768;
/// Most keys in metadata that is to fit a signed block, or that shares its block with the metadata of other files.
pub(crate) const KEYS_FEW: usize = 16;

/// Inserts what `request` describes.
pub(crate) async fn insert(
    inserter: &Arc<Inserter>,
    request: InsertRequest,
) -> Result<Inserted, InsertError> {
    let InsertRequest {
        target,
        source,
        content_type,
        file_name,
        options: _,
    } = request;
    check_content_type(content_type.as_deref())
        .map_err(|why| InsertError::InvalidUri(why.to_owned()))?;
    let name = name_behind(&target, file_name)?;
    let target = Target::new(inserter, target).await?;
    let content_type = content_type.or_else(|| name.as_deref().and_then(guessed_type));

    let item = match source {
        Source::Redirect(uri) => Whole::Redirect(uri),
        source => content(inserter, source, content_type, &target, name.is_none()).await?,
    };
    let metadata = match (item, name) {
        (Whole::Raw(bytes), _) => return target.put_raw(inserter, &bytes).await,
        (item, Some(name)) => Metadata::Manifest(item.named(name)?),
        (Whole::Small(direct), None) => Metadata::Direct(direct),
        (Whole::File(file), None) => Metadata::File(file),
        (Whole::Redirect(uri), None) => Metadata::Redirect((&uri).into()),
    };
    target.put(inserter, metadata).await
}

/// One document, not yet in any metadata.
enum Whole {
    /// To be stored as it is, without metadata.
    Raw(Bytes),
    Small(Direct),
    File(File),
    Redirect(Uri),
}

/// The name that the file gets behind a key that has none.
fn name_behind(
    target: &InsertUri,
    file_name: Option<String>,
) -> Result<Option<String>, InsertError> {
    let name = match target {
        InsertUri::Content { path } | InsertUri::RandomSigned { path } => match path.as_slice() {
            [] => file_name.filter(|name| !name.is_empty()),
            [name] => Some(
                file_name
                    .filter(|name| !name.is_empty())
                    .unwrap_or_else(|| name.clone()),
            ),
            _ => return Err(InsertError::PathNotSupported),
        },
        InsertUri::Signed { path, .. }
        | InsertUri::Updatable { path, .. }
        | InsertUri::Keyword { path, .. } => {
            if !path.is_empty() {
                return Err(InsertError::PathNotSupported);
            }
            None
        }
    };
    if let Some(name) = &name {
        check_name(name).map_err(|why| InsertError::InvalidUri(why.to_owned()))?;
    }
    Ok(name)
}

/// The type that a name suggests.
pub(crate) fn guessed_type(name: &str) -> Option<String> {
    mime_guess::from_path(name).first_raw().map(str::to_owned)
}

/// Stores the content of a file, unless it is small enough to be carried in its metadata.
async fn content(
    inserter: &Arc<Inserter>,
    source: Source,
    content_type: Option<String>,
    target: &Target,
    alone: bool,
) -> Result<Whole, InsertError> {
    let preparation = inserter.preparation(content_type.clone());
    let prepared = prepare(source, preparation, Arc::clone(&inserter.meter)).await?;
    inserter
        .meter
        .tell(super::Event::ExpectedHashes(prepared.hashes));
    let direct_max = if target.is_signed() {
        DIRECT_SIGNED_MAX
    } else {
        DIRECT_MAX
    };
    if content_type.is_none() && alone && !target.is_signed() && prepared.size <= SHARD_LEN {
        return prepared.into_bytes().await.map(Whole::Raw);
    }
    if prepared.size <= direct_max {
        let data = prepared.into_bytes().await?.to_vec();
        return Ok(Whole::Small(Direct { content_type, data }));
    }
    let keys_max = if target.is_signed() {
        KEYS_FEW
    } else {
        KEYS_INLINE_MAX
    };
    file(inserter, prepared, content_type, keys_max)
        .await
        .map(Whole::File)
}

/// Stores prepared content as a file of its own.
pub(crate) async fn file(
    inserter: &Arc<Inserter>,
    prepared: Prepared,
    content_type: Option<String>,
    keys_max: usize,
) -> Result<File, InsertError> {
    let sha256 = prepared.hashes.sha256;
    let packed = store(inserter, prepared, keys_max).await?;
    Ok(File {
        content_type,
        sha256,
        packed,
    })
}

/// Stores bytes that are in memory, compressed if that helps.
pub(crate) async fn pack(
    inserter: &Arc<Inserter>,
    bytes: Bytes,
    keys_max: usize,
) -> Result<Packed, InsertError> {
    let quiet = Arc::new(super::progress::Meter::default());
    let prepared = prepare(Source::Bytes(bytes), inserter.preparation(None), quiet).await?;
    store(inserter, prepared, keys_max).await
}

impl Inserter {
    /// How content is prepared.
    pub(crate) fn preparation(&self, content_type: Option<String>) -> Preparation {
        Preparation {
            compress: self.options.compress,
            content_type,
            temp_dir: self.shared.config.temp_dir.clone(),
        }
    }
}

impl Prepared {
    /// The content itself, which must be small.
    pub(crate) async fn into_bytes(self) -> Result<Bytes, InsertError> {
        let (size, expected) = (self.size, self.hashes.blake3);
        let read = move || match self.body {
            Body::Memory(bytes) => Ok(bytes.into_inner()),
            mut body => {
                let mut stored = Vec::new();
                std::io::Read::read_to_end(&mut body, &mut stored)?;
                Ok(Bytes::from(stored))
            }
        };
        let read = tokio::task::spawn_blocking(read).await;
        let stored: Result<Bytes, InsertError> =
            read.map_err(|_| InsertError::Internal("reading a small file failed unexpectedly"))?;
        let stored = stored?;
        let content = match (self.codec, usize::try_from(size)) {
            (super::metadata::Codec::None, _) => stored,
            (super::metadata::Codec::Zstd, Ok(size)) => Bytes::from(
                super::frames::decompress(&stored, size)
                    .map_err(|_| InsertError::Internal("what was compressed does not unpack"))?,
            ),
            (super::metadata::Codec::Zstd, Err(_)) => {
                return Err(InsertError::Internal("a small file is huge"));
            }
        };
        if *blake3::hash(&content).as_bytes() != expected {
            return Err(InsertError::SourceChanged);
        }
        Ok(content)
    }
}

impl Whole {
    /// A site with this one document, which its root shows as well.
    fn named(self, name: String) -> Result<Manifest, InsertError> {
        let mut containers = Vec::new();
        let item = match self {
            Self::File(file) => Item::File(file),
            Self::Redirect(uri) => Item::Redirect((&uri).into()),
            Self::Small(Direct { content_type, data }) => {
                containers.push(inline_container(&data)?);
                let size = u32::try_from(data.len())
                    .map_err(|_| InsertError::Internal("a small file is huge"))?;
                Item::Member(Member {
                    content_type,
                    container: 0,
                    offset: 0,
                    size,
                })
            }
            Self::Raw(_) => {
                return Err(InsertError::Internal(
                    "a file with a name lost its metadata",
                ));
            }
        };
        let default_name = Some(name.clone());
        Ok(Manifest {
            default_name,
            containers,
            entries: vec![Entry { name, item }],
        })
    }
}

/// A container within the manifest.
pub(crate) fn inline_container(content: &[u8]) -> Result<Container, InsertError> {
    let size = u32::try_from(content.len())
        .map_err(|_| InsertError::Internal("a container is too large"))?;
    let mut buffer = Vec::new();
    let frame = Compressor::new()?.frame(content, &mut buffer)?.to_vec();
    Ok(Container::Inline { size, frame })
}
