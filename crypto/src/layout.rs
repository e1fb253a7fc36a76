//! What the key of a content block depends on besides the file key.

use crate::content_key::ContentExtra;
use crate::derivation;

/// How a file was cut, compressed and protected before its blocks were sealed, as a digest of its canonical description.
///
/// A change of anything in it gives other block keys, so that one file key can serve several layouts of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout([u8; 32]);

impl Layout {
    /// A block that stands alone and is described by its URI's extra bytes.
    #[must_use]
    pub fn single(extra: ContentExtra) -> Self {
        Self(derivation::derive(
            derivation::LAYOUT,
            &[&[TAG_SINGLE], &extra.to_bytes()],
        ))
    }

    /// A block of a file that is spread over many. `descriptor` is the canonical form of everything that decides which
    /// bytes the blocks hold: compression, segment sizes, numbers of data and check blocks.
    #[must_use]
    pub fn splitfile(descriptor: &[u8]) -> Self {
        Self(derivation::derive(
            derivation::LAYOUT,
            &[&[TAG_SPLITFILE, ALGORITHM], descriptor],
        ))
    }

    /// The digest of the canonical description.
    pub(crate) const fn digest(&self) -> &[u8; 32] {
        &self.0
    }
}

/// How a payload was compressed before it was sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Not compressed: -1, as in Freenet.
    #[default]
    None,
    /// Zstandard: 16. Freenet's numbers 0 to 3 name other methods.
    Zstd,
}

impl Codec {
    /// The number in the extra bytes of a URI.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::None => -1,
            Self::Zstd => 16,
        }
    }

    /// The codec with this number, if it is one of ours.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        match number {
            -1 => Some(Self::None),
            16 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Extra bytes of a URI that this version does not understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExtra {
    /// The number is one of Hyphanet's (1 to 3).
    #[error("algorithm {0} is Hyphanet's")]
    HyphanetAlgorithm(u8),
    /// The number is not known.
    #[error("algorithm {0} is not known to this version of Warren")]
    UnknownAlgorithm(u8),
    /// The compression method is not known.
    #[error("compression method {0} is not known to this version of Warren")]
    UnknownCodec(i16),
    /// A byte that must have a fixed value has another.
    #[error("the last part of the key has a value that no version of Warren writes")]
    Malformed,
}

/// Checks the algorithm number of extra bytes.
pub(crate) const fn check_algorithm(number: u8) -> Result<(), InvalidExtra> {
    match number {
        ALGORITHM => Ok(()),
        1..=3 => Err(InvalidExtra::HyphanetAlgorithm(number)),
        _ => Err(InvalidExtra::UnknownAlgorithm(number)),
    }
}

/// The number of this crate's cryptography in extra bytes. Hyphanet uses 1 to 3.
pub(crate) const ALGORITHM: u8 = 16;

const TAG_SINGLE: u8 = 0;
const TAG_SPLITFILE: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_in_the_description_gives_another_layout() {
        let layouts = [
            Layout::single(ContentExtra {
                is_metadata: false,
                codec: Codec::None,
            }),
            Layout::single(ContentExtra {
                is_metadata: true,
                codec: Codec::None,
            }),
            Layout::single(ContentExtra {
                is_metadata: false,
                codec: Codec::Zstd,
            }),
            Layout::splitfile(b""),
            Layout::splitfile(b"a"),
            Layout::splitfile(&ContentExtra::default().to_bytes()),
        ];
        for (i, one) in layouts.iter().enumerate() {
            assert!(layouts.iter().skip(i + 1).all(|other| other != one));
        }
    }
}
