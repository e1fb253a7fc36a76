//! Where a block lives in the network.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base64::{self, InvalidBase64};
use crate::derivation::fraction;

/// The 32 bytes by which a block is found: a hash of its ciphertext (CHK) or of its blinded public key (SSK).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoutingKey([u8; 32]);

impl RoutingKey {
    /// Wraps 32 bytes; every value is a possible routing key.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Position on the ring in [0, 1): the key's head as a fraction (big endian, 53 bits kept).
    #[must_use]
    pub fn location(&self) -> f64 {
        fraction(&self.0)
    }
}

impl fmt::Display for RoutingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        base64::display(&self.0).fmt(f)
    }
}

impl fmt::Debug for RoutingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoutingKey({self})")
    }
}

impl FromStr for RoutingKey {
    type Err = InvalidBase64;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        base64::decode(text).map(Self)
    }
}

/// As text (43 characters) in formats for people, as 32 bytes elsewhere.
impl Serialize for RoutingKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for RoutingKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?
                .parse()
                .map_err(serde::de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}

/// The two kinds of block that the network carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BlockKind {
    /// CHK: up to 32 KiB, found by the hash of its ciphertext.
    Content,
    /// SSK: up to 1 KiB, signed by a blinded key.
    Signed,
}

impl fmt::Display for BlockKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Content => "CHK",
            Self::Signed => "SSK",
        })
    }
}

/// What the network is asked for: a kind of block and its routing key. It does not allow reading the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlockKey {
    /// Content or signed block.
    pub kind: BlockKind,
    /// Where it lives.
    pub routing_key: RoutingKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_cover_the_ring_and_never_reach_one() {
        assert_eq!(RoutingKey([0; 32]).location().to_bits(), 0.0_f64.to_bits());
        let mut half = [0; 32];
        half[0] = 0x80;
        assert_eq!(RoutingKey(half).location().to_bits(), 0.5_f64.to_bits());
        assert!(RoutingKey([0xff; 32]).location() < 1.0);
    }

    #[test]
    fn text_and_json_give_the_same_key_back() {
        let key = BlockKey {
            kind: BlockKind::Signed,
            routing_key: RoutingKey([0xa5; 32]),
        };
        assert_eq!(key.routing_key.to_string().parse(), Ok(key.routing_key));
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<BlockKey>(&json).unwrap(), key);
        assert!(serde_json::from_str::<RoutingKey>("\"short\"").is_err());
    }

    #[test]
    fn the_binary_form_is_the_kind_and_32_bytes() {
        let key = BlockKey {
            kind: BlockKind::Signed,
            routing_key: RoutingKey([0xa5; 32]),
        };
        let bytes = postcard::to_allocvec(&key).unwrap();
        assert_eq!(bytes, [[1].as_slice(), &[0xa5; 32]].concat());
        assert_eq!(postcard::from_bytes(&bytes), Ok(key));
    }
}
