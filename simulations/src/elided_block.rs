//! Blocks without payloads, so that a million of them fit into memory.

use bytes::Bytes;
use crypto::{BlockKey, BlockKind, CONTENT_BLOCK_LEN, RoutingKey, SIGNED_BLOCK_LEN, VerifiedBlock};
use routing::{Block, Message, encoded_len};

use crate::random::seed_for;

/// A block that a simulated network can route.
pub trait SimBlock: Block {
    /// How many bytes a real node sends for `bytes`. Not less than there are.
    fn sent_len(bytes: &Bytes) -> usize;
}

impl SimBlock for VerifiedBlock {
    fn sent_len(bytes: &Bytes) -> usize {
        bytes.len()
    }
}

/// A stand-in for a block: its bytes are its key and an edition of a few bytes.
///
/// It verifies against the key that its bytes name and no other, so that a hostile node can send wrong blocks here as
/// well; and blocks of one signed key may differ by edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElidedBlock {
    bytes: Bytes,
}

impl ElidedBlock {
    /// A content block that `number` decides, at a random place.
    #[must_use]
    pub fn content(number: u64) -> Self {
        let routing_key = RoutingKey::from_bytes(seed_for(number, "elided block"));
        Self::under(
            BlockKey {
                kind: BlockKind::Content,
                routing_key,
            },
            &[],
        )
    }

    /// A signed block with an `edition` under a key that `number` decides: blocks of one number have one key.
    #[must_use]
    pub fn signed(number: u64, edition: u8) -> Self {
        let routing_key = RoutingKey::from_bytes(seed_for(number, "elided signed block"));
        Self::under(
            BlockKey {
                kind: BlockKind::Signed,
                routing_key,
            },
            &[edition],
        )
    }

    /// The block that belongs to `key`, any one.
    #[must_use]
    pub fn of_key(key: BlockKey) -> Self {
        Self::under(key, &[])
    }

    fn under(key: BlockKey, edition: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(KEY_LEN + edition.len());
        bytes.push(kind_number(key.kind));
        bytes.extend_from_slice(key.routing_key.as_bytes());
        bytes.extend_from_slice(edition);
        Self {
            bytes: bytes.into(),
        }
    }
}

impl Block for ElidedBlock {
    fn verify(key: BlockKey, bytes: Bytes) -> Option<Self> {
        (named_key(&bytes) == Some(key)).then_some(Self { bytes })
    }

    fn key(&self) -> BlockKey {
        named_key(&self.bytes).expect("every constructor writes the key in front")
    }

    fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl SimBlock for ElidedBlock {
    fn sent_len(bytes: &Bytes) -> usize {
        match named_key(bytes).map(|key| key.kind) {
            Some(BlockKind::Signed) => SIGNED_BLOCK_LEN,
            Some(BlockKind::Content) | None => CONTENT_BLOCK_LEN.max(bytes.len()),
        }
    }
}

/// The length of a message as real nodes send it: with the payload, elided or not, and with the padding.
pub(crate) fn sent_len<B: SimBlock>(message: &Message) -> usize {
    let elided = message
        .block()
        .map_or(0, |block| B::sent_len(&block.0) - block.0.len());
    let with_marker = encoded_len(message) + elided + 1;
    let padded = PADDED_LENS.into_iter().find(|&len| with_marker <= len);
    padded.unwrap_or_else(|| with_marker.next_multiple_of(LONGEST_PADDED))
}

/// The lengths to which links pad messages (docs/TRANSPORT.md, "Messages"). Longer ones are multiples of the last.
const PADDED_LENS: [usize; 4] = [256, 2_304, 8_192, LONGEST_PADDED];
const LONGEST_PADDED: usize = 33_792;

/// The key in front of an elided block.
fn named_key(bytes: &[u8]) -> Option<BlockKey> {
    let (&[kind, ref routing_key @ ..], _) = bytes.split_first_chunk::<KEY_LEN>()?;
    let kind = [BlockKind::Content, BlockKind::Signed]
        .into_iter()
        .find(|&known| kind_number(known) == kind)?;
    Some(BlockKey {
        kind,
        routing_key: RoutingKey::from_bytes(*routing_key),
    })
}

const fn kind_number(kind: BlockKind) -> u8 {
    match kind {
        BlockKind::Content => 0,
        BlockKind::Signed => 1,
    }
}

/// The kind and the routing key.
const KEY_LEN: usize = 33;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_verifies_against_its_own_key_only() {
        let (one, other) = (ElidedBlock::content(1), ElidedBlock::content(2));
        assert_eq!(
            ElidedBlock::verify(one.key(), one.bytes().clone()),
            Some(one.clone())
        );
        assert_eq!(
            ElidedBlock::verify(one.key(), other.bytes().clone()),
            None,
            "a wrong block is noticed"
        );
        let mut key = one.key();
        key.kind = BlockKind::Signed;
        assert_eq!(ElidedBlock::verify(key, one.bytes().clone()), None);
        assert_eq!(ElidedBlock::verify(one.key(), Bytes::new()), None);
    }

    #[test]
    fn messages_count_as_long_as_links_make_them() {
        let id = routing::RequestId(1);
        let accepted = Message::Accepted { id };
        assert_eq!(sent_len::<ElidedBlock>(&accepted), 256);
        let with = |block: ElidedBlock| Message::Block {
            id,
            block: routing::BlockBytes(block.bytes().clone()),
        };
        let lens = [ElidedBlock::content(1), ElidedBlock::signed(1, 1)]
            .map(|block| sent_len::<ElidedBlock>(&with(block)));
        assert_eq!(lens, [33_792, 2_304]);
    }

    #[test]
    fn editions_of_one_signed_key_differ() {
        let [first, second] = [1, 2].map(|edition| ElidedBlock::signed(7, edition));
        assert_eq!(first.key(), second.key());
        assert_ne!(first, second);
    }
}
