//! The key of a content block: where it is, what opens it and how to read it (`CHK@R,K,E`).

use serde::{Deserialize, Serialize};

use crate::block::VerifiedBlock;
use crate::file_key::FileKey;
use crate::layout::{ALGORITHM, Codec, InvalidExtra, Layout, check_algorithm};
use crate::routing_key::{BlockKey, BlockKind, RoutingKey};
use crate::seal::{OpenError, PayloadTooLong, open_content, seal_content};

/// What is needed to find, open and read one content block.
///
/// Its serialised forms hold the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentKey {
    /// R: where the block is.
    pub routing_key: RoutingKey,
    /// K: what opens it.
    pub file_key: FileKey,
    /// E: how to read it.
    pub extra: ContentExtra,
}

/// Bytes of a content key in binary form: routing key, file key, extra.
pub const CONTENT_KEY_LEN: usize = 32 + 32 + 5;

/// The five extra bytes of a CHK, in Freenet's layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ContentExtra {
    /// Whether the payload describes a document rather than being one.
    pub is_metadata: bool,
    /// How the payload was compressed.
    pub codec: Codec,
}

impl ContentKey {
    /// Seals `payload` as a block that stands alone.
    ///
    /// # Errors
    /// When the payload is longer than [`CONTENT_PAYLOAD_MAX`](crate::CONTENT_PAYLOAD_MAX).
    pub fn seal(
        file_key: FileKey,
        extra: ContentExtra,
        payload: &[u8],
    ) -> Result<(Self, VerifiedBlock), PayloadTooLong> {
        let block = seal_content(&file_key, &Layout::single(extra), 0, payload)?;
        let key = Self {
            routing_key: block.key().routing_key,
            file_key,
            extra,
        };
        Ok((key, block))
    }

    /// The payload of a block that stands alone.
    ///
    /// # Errors
    /// When the block is another one, or was sealed with another key or description.
    pub fn open(&self, block: &VerifiedBlock) -> Result<Vec<u8>, OpenError> {
        if block.key() != self.block_key() {
            return Err(OpenError::OtherBlock);
        }
        open_content(&self.file_key, &Layout::single(self.extra), 0, block)
    }

    /// What to ask the network for.
    #[must_use]
    pub const fn block_key(&self) -> BlockKey {
        BlockKey {
            kind: BlockKind::Content,
            routing_key: self.routing_key,
        }
    }

    /// Routing key, file key and extra bytes. Secret, as the file key is.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; CONTENT_KEY_LEN] {
        let mut bytes = [0; CONTENT_KEY_LEN];
        let (routing_key, rest) = bytes.split_at_mut(32);
        let (file_key, extra) = rest.split_at_mut(32);
        routing_key.copy_from_slice(self.routing_key.as_bytes());
        file_key.copy_from_slice(self.file_key.as_bytes());
        extra.copy_from_slice(&self.extra.to_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// When the extra bytes are not understood.
    pub fn from_bytes(bytes: &[u8; CONTENT_KEY_LEN]) -> Result<Self, InvalidExtra> {
        let (routing_key, rest) = bytes
            .split_first_chunk::<32>()
            .ok_or(InvalidExtra::Malformed)?;
        let (file_key, extra) = rest
            .split_first_chunk::<32>()
            .ok_or(InvalidExtra::Malformed)?;
        let extra = extra.first_chunk::<5>().ok_or(InvalidExtra::Malformed)?;
        Ok(Self {
            routing_key: RoutingKey::from_bytes(*routing_key),
            file_key: FileKey::from_bytes(*file_key),
            extra: ContentExtra::from_bytes(*extra)?,
        })
    }
}

impl ContentExtra {
    /// 0, algorithm, 2 for metadata, codec (big endian).
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 5] {
        let [codec_high, codec_low] = self.codec.number().to_be_bytes();
        [
            0,
            ALGORITHM,
            if self.is_metadata { IS_METADATA } else { 0 },
            codec_high,
            codec_low,
        ]
    }

    /// Reads the extra bytes of a CHK.
    ///
    /// # Errors
    /// When the algorithm or the codec is not known, or a byte has a value that is never written.
    pub fn from_bytes(bytes: [u8; 5]) -> Result<Self, InvalidExtra> {
        let [zero, algorithm, control, codec_high, codec_low] = bytes;
        check_algorithm(algorithm)?;
        let is_metadata = match (zero, control) {
            (0, 0) => false,
            (0, IS_METADATA) => true,
            _ => return Err(InvalidExtra::Malformed),
        };
        let number = i16::from_be_bytes([codec_high, codec_low]);
        let codec = Codec::from_number(number).ok_or(InvalidExtra::UnknownCodec(number))?;
        Ok(Self { is_metadata, codec })
    }
}

/// Freenet's mark of a "control document".
const IS_METADATA: u8 = 2;

impl Serialize for ContentKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = (
            self.routing_key,
            self.file_key.as_bytes(),
            self.extra.to_bytes(),
        );
        parts.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ContentKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (routing_key, file_key, extra) =
            <(RoutingKey, [u8; 32], [u8; 5])>::deserialize(deserializer)?;
        let extra = ContentExtra::from_bytes(extra).map_err(serde::de::Error::custom)?;
        Ok(Self {
            routing_key,
            file_key: FileKey::from_bytes(file_key),
            extra,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_bytes_have_freenets_layout() {
        let extra = ContentExtra {
            is_metadata: true,
            codec: Codec::None,
        };
        assert_eq!(extra.to_bytes(), [0, 16, 2, 0xff, 0xff]);
        assert_eq!(
            ContentExtra {
                is_metadata: false,
                codec: Codec::Zstd
            }
            .to_bytes(),
            [0, 16, 0, 0, 16]
        );
    }

    #[test]
    fn extra_bytes_of_others_are_refused_with_their_reason() {
        assert_eq!(
            ContentExtra::from_bytes([0, 3, 2, 255, 255]),
            Err(InvalidExtra::HyphanetAlgorithm(3))
        );
        assert_eq!(
            ContentExtra::from_bytes([0, 17, 0, 255, 255]),
            Err(InvalidExtra::UnknownAlgorithm(17))
        );
        assert_eq!(
            ContentExtra::from_bytes([0, 16, 0, 0, 1]),
            Err(InvalidExtra::UnknownCodec(1))
        );
        assert_eq!(
            ContentExtra::from_bytes([1, 16, 0, 255, 255]),
            Err(InvalidExtra::Malformed)
        );
        assert_eq!(
            ContentExtra::from_bytes([0, 16, 1, 255, 255]),
            Err(InvalidExtra::Malformed)
        );
    }

    proptest::proptest! {
        #[test]
        fn any_extra_bytes_are_refused_or_the_only_form_of_their_meaning(bytes: [u8; 5]) {
            if let Ok(extra) = ContentExtra::from_bytes(bytes) {
                proptest::prop_assert_eq!(extra.to_bytes(), bytes);
            }
        }

        #[test]
        fn a_key_survives_its_bytes_and_json(routing_key: [u8; 32], file_key: [u8; 32], is_metadata: bool) {
            let extra = ContentExtra { is_metadata, codec: Codec::Zstd };
            let routing_key = RoutingKey::from_bytes(routing_key);
            let key = ContentKey { routing_key, file_key: FileKey::from_bytes(file_key), extra };
            proptest::prop_assert_eq!(&ContentKey::from_bytes(&key.to_bytes()).unwrap(), &key);
            let json = serde_json::to_string(&key).unwrap();
            proptest::prop_assert_eq!(&serde_json::from_str::<ContentKey>(&json).unwrap(), &key);
        }
    }
}
