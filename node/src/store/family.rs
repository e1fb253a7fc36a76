//! The four families of blocks, and how the keys of the database are made.

use super::Place;
use crate::config::ByteSize;
use crypto::{BlockKey, BlockKind};
use zeroize::Zeroizing;

/// Blocks of one kind in one place: what has its own column family, size limit and order of eviction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Content blocks whose place in the network is near this node.
    ChkStore,
    /// Content blocks that passed through.
    ChkCache,
    /// Signed blocks whose place in the network is near this node.
    SskStore,
    /// Signed blocks that passed through.
    SskCache,
}

/// The most bytes of blocks in each family, in the order of [`Family::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FamilyLimits([u64; 4]);

/// Signed blocks get this part of a place. They have 1 KiB where content blocks have 32 and there are fewer of them,
/// so that this part holds twice as many signed blocks as the rest holds content blocks.
const SSK_PART: u64 = 16;

impl Family {
    /// All families; the position of each is its number on disk.
    pub const ALL: [Self; 4] = [
        Self::ChkStore,
        Self::ChkCache,
        Self::SskStore,
        Self::SskCache,
    ];

    /// The family for blocks of this kind in this place.
    pub const fn of(place: Place, kind: BlockKind) -> Self {
        match (place, kind) {
            (Place::Store, BlockKind::Content) => Self::ChkStore,
            (Place::Cache, BlockKind::Content) => Self::ChkCache,
            (Place::Store, BlockKind::Signed) => Self::SskStore,
            (Place::Cache, BlockKind::Signed) => Self::SskCache,
        }
    }

    /// Store or cache.
    pub const fn place(self) -> Place {
        match self {
            Self::ChkStore | Self::SskStore => Place::Store,
            Self::ChkCache | Self::SskCache => Place::Cache,
        }
    }

    /// Content or signed.
    pub const fn kind(self) -> BlockKind {
        match self {
            Self::ChkStore | Self::ChkCache => BlockKind::Content,
            Self::SskStore | Self::SskCache => BlockKind::Signed,
        }
    }

    /// Name of the column family that holds the values.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChkStore => "chk_store",
            Self::ChkCache => "chk_cache",
            Self::SskStore => "ssk_store",
            Self::SskCache => "ssk_cache",
        }
    }

    /// Position in [`Family::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }

    /// The number that stands for the family in keys.
    pub(super) const fn number(self) -> u8 {
        self as u8
    }
}

impl FamilyLimits {
    /// Divides the sizes of store and cache between content and signed blocks.
    pub fn new(store: ByteSize, cache: ByteSize) -> Self {
        let signed = |size: ByteSize| size.as_bytes() / SSK_PART;
        let content = |size: ByteSize| size.as_bytes() - signed(size);
        Self([content(store), content(cache), signed(store), signed(cache)])
    }

    /// The limit of one family, in bytes of blocks.
    pub const fn bytes_max(&self, family: Family) -> u64 {
        self.0[family.index()]
    }
}

/// Length of a [`SaltedKey`].
pub(super) const SALTED_LEN: usize = 32;

/// What stands on disk for a routing key: its keyed hash under the node's secret. Who has the disk and not the secret
/// cannot ask whether a given block is on it, and finds no two nodes with a key in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SaltedKey(pub(super) [u8; SALTED_LEN]);

/// Makes [`SaltedKey`]s. Wipes the salt when dropped.
pub(super) struct Salt(Zeroizing<[u8; 32]>);

impl Salt {
    pub(super) fn new(salt: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*salt))
    }

    pub(super) fn key(&self, key: &BlockKey) -> SaltedKey {
        SaltedKey(*blake3::keyed_hash(&self.0, key.routing_key.as_bytes()).as_bytes())
    }

    /// Tells whether a store was written with this salt, without saying anything about it.
    pub(super) fn fingerprint(&self) -> [u8; 16] {
        let hash = blake3::derive_key("Warren 2026 store salt fingerprint", &*self.0);
        *hash.first_chunk().expect("a hash has 32 bytes")
    }
}

/// Key in the family `use`: which family, and which block.
pub(super) fn use_key(family: Family, key: &SaltedKey) -> [u8; 1 + SALTED_LEN] {
    let mut bytes = [family.number(); 1 + SALTED_LEN];
    bytes[1..].copy_from_slice(&key.0);
    bytes
}

/// Key in the family `order`: which family, and when the block was last used, so that iteration meets the least
/// recently used first.
pub(super) fn order_key(family: Family, last_use: u64) -> [u8; 9] {
    let mut bytes = [family.number(); 9];
    bytes[1..].copy_from_slice(&last_use.to_be_bytes());
    bytes
}

/// The family and the time of use of a key in `order`; `None` if it is not such a key.
pub(super) fn parse_order_key(bytes: &[u8]) -> Option<(u8, u64)> {
    let (number, last_use) = bytes.split_first()?;
    Some((*number, u64::from_be_bytes(last_use.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_on_disk_stay_what_they_are() {
        let on_disk = Family::ALL.map(|family| (family.number(), family.name()));
        assert_eq!(
            on_disk,
            [
                (0, "chk_store"),
                (1, "chk_cache"),
                (2, "ssk_store"),
                (3, "ssk_cache")
            ]
        );
        for family in Family::ALL {
            assert_eq!(Family::of(family.place(), family.kind()), family);
            assert_eq!(Family::ALL[family.index()], family);
        }
    }

    #[test]
    fn limits_add_up_to_the_configured_sizes() {
        let limits = FamilyLimits::new(ByteSize::bytes(1_000_003), ByteSize::mebibytes(16));
        let sum = |a, b| limits.bytes_max(a) + limits.bytes_max(b);
        assert_eq!(sum(Family::ChkStore, Family::SskStore), 1_000_003);
        assert_eq!(sum(Family::ChkCache, Family::SskCache), 16 << 20);
    }

    #[test]
    fn order_keys_sort_by_family_and_then_by_time_of_use() {
        let keys = [
            (Family::ChkStore, 0),
            (Family::ChkStore, 255),
            (Family::ChkStore, 256),
            (Family::ChkCache, 1),
        ]
        .map(|(family, last_use)| order_key(family, last_use));
        assert!(keys.is_sorted());
        assert_eq!(parse_order_key(&keys[2]), Some((0, 256)));
        assert_eq!(parse_order_key(&[]), None);
        assert_eq!(parse_order_key(&[0; 10]), None);
    }
}
