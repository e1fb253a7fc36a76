//! The four families of blocks, and how the keys of the database are made.

use super::Place;
use crate::config::ByteSize;
use crypto::{BlockKey, BlockKind, CONTENT_BLOCK_LEN, SIGNED_BLOCK_LEN};
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

    /// Bytes of every block of this kind.
    pub(super) const fn block_len(self) -> u64 {
        match self.kind() {
            BlockKind::Content => CONTENT_BLOCK_LEN as u64,
            BlockKind::Signed => SIGNED_BLOCK_LEN as u64,
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

    /// A limit for each family, in bytes of blocks.
    pub fn of(bytes_max: impl Fn(Family) -> u64) -> Self {
        Self(Family::ALL.map(bytes_max))
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// Key in the index under which stands when a block was last used: `u`, the family and the block.
pub(super) fn use_key(family: Family, key: &SaltedKey) -> [u8; 2 + SALTED_LEN] {
    let mut bytes = [b'u'; 2 + SALTED_LEN];
    bytes[1] = family.number();
    bytes[2..].copy_from_slice(&key.0);
    bytes
}

/// Keys in the index that are numbered by times, so that iteration meets the oldest of a family first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timeline {
    /// Which block was last used then: for eviction. Has every block.
    Use,
    /// Which block's value was written then: to find values that outlived their neighbours. Has the blocks that were
    /// used after they were written.
    Write,
}

impl Timeline {
    /// The letter of the timeline, the family and the time.
    pub(super) fn key(self, family: Family, time: u64) -> [u8; 10] {
        let mut bytes = [self.letter(); 10];
        bytes[1] = family.number();
        bytes[2..].copy_from_slice(&time.to_be_bytes());
        bytes
    }

    /// The time in a key of this timeline and family; `None` if it is another key.
    pub(super) fn time(self, family: Family, key: &[u8]) -> Option<u64> {
        let time = key.strip_prefix(&[self.letter(), family.number()])?;
        Some(u64::from_be_bytes(time.try_into().ok()?))
    }

    const fn letter(self) -> u8 {
        match self {
            Self::Use => b'o',
            Self::Write => b'w',
        }
    }
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
    fn keys_of_a_timeline_sort_by_family_and_then_by_time() {
        let key = |family, time| Timeline::Use.key(family, time);
        let keys = [
            key(Family::ChkStore, 0),
            key(Family::ChkStore, 255),
            key(Family::ChkStore, 256),
            key(Family::ChkCache, 1),
        ];
        assert!(keys.is_sorted());
        assert_eq!(Timeline::Use.time(Family::ChkStore, &keys[2]), Some(256));
        assert_eq!(Timeline::Use.time(Family::ChkStore, &keys[3]), None);
        assert_eq!(Timeline::Write.time(Family::ChkStore, &keys[2]), None);
        assert_eq!(Timeline::Use.time(Family::ChkStore, b""), None);
        assert_eq!(Timeline::Use.time(Family::ChkStore, b"o\0short"), None);
    }
}
