//! The blocks that this node keeps for the network, on disk.
//!
//! [`BlockStore`] is what the node asks of a store; [`RocksStore`] is it over RocksDB, and [`StoreHandle`] puts threads
//! and bounded queues in front of one, for a caller that must not wait. `docs/STORE.md` draws the layout on disk and
//! says what survives which accident.

pub mod bench;
mod change;
mod driver;
mod family;
mod ledger;
mod options;
mod queue;
mod recent_use;
mod rocks;

pub use driver::{DriverConfig, GetResult, ListResult, PutResult, StoreBusy, StoreHandle};
pub use family::{Family, FamilyLimits};
pub use options::SharedResources;
pub use rocks::{RocksStore, StoreConfig, StoreOpenError};

pub use routing::Place;

use crypto::{BlockKey, VerifiedBlock};

/// A place to keep blocks. All calls block the thread; all may be made from several threads at once.
pub trait BlockStore: Send + Sync {
    /// The block under this key, from the store or the cache, verified again after reading. It counts as used. A value
    /// that does not verify any more is removed and reported as absent.
    ///
    /// # Errors
    /// [`StoreError`] if the disk cannot be read.
    fn get(&self, key: &BlockKey) -> Result<Option<VerifiedBlock>, StoreError>;

    /// As [`BlockStore::get`], without counting as use: for the node's own user, of whose reading the store must show
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError`] if the disk cannot be read.
    fn peek(&self, key: &BlockKey) -> Result<Option<VerifiedBlock>, StoreError>;

    /// Keeps these blocks; the answers stand in the order of the blocks. When the call returns, a killed process
    /// does not lose them.
    ///
    /// # Errors
    /// [`StoreError`] if the disk cannot be written; then none or some of the blocks are kept, and no store is damaged.
    fn put_many(&self, blocks: &[(Place, VerifiedBlock)]) -> Result<Vec<PutOutcome>, StoreError>;

    /// Keeps a signed block in the place of whatever else is kept under its key, in either place: it is known to be the
    /// older of the two. A killed process has the one or the other.
    ///
    /// # Errors
    /// [`StoreError`] if the disk cannot be written; then what was there stays.
    fn replace(&self, place: Place, block: &VerifiedBlock) -> Result<(), StoreError>;

    /// The key that comes after `after` (the first, without one) in an order that stays the same, of blocks in
    /// [`Place::Store`]; none at the end. `after` may be gone meanwhile. It is no use of a block. Damaged values on the way
    /// are removed.
    ///
    /// # Errors
    /// [`StoreError`] if the disk cannot be read.
    fn next_stored(&self, after: Option<&BlockKey>) -> Result<Option<BlockKey>, StoreError>;

    /// Forces everything acknowledged so far to the disk, so that a loss of power does not take it.
    ///
    /// # Errors
    /// [`StoreError`] if the disk cannot be written.
    fn sync(&self) -> Result<(), StoreError>;

    /// What is kept, and how reading went since the store was opened.
    fn stats(&self) -> StoreStats;

    /// Keeps one block; see [`BlockStore::put_many`].
    ///
    /// # Errors
    /// As [`BlockStore::put_many`].
    fn put(&self, place: Place, block: &VerifiedBlock) -> Result<PutOutcome, StoreError> {
        let mut outcomes = self.put_many(&[(place, block.clone())])?;
        Ok(outcomes.pop().expect("one block has one answer"))
    }
}

/// What became of a block that was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutOutcome {
    /// It is new here, and kept.
    Stored,
    /// It was here before, in this place or in the store. It counts as used.
    AlreadyThere,
    /// Another valid block is kept under the same key, and stays. Only signed blocks can meet this.
    Collision(VerifiedBlock),
}

/// The disk did not do as asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the store cannot {action}: {reason}; check the disk's health and its free space")]
pub struct StoreError {
    /// What was tried.
    action: &'static str,
    /// What RocksDB said.
    reason: String,
}

impl StoreError {
    fn new(action: &'static str, error: &rocksdb::Error) -> Self {
        Self {
            action,
            reason: error.to_string(),
        }
    }
}

/// Figures of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStats {
    /// One entry for each of the four families.
    pub families: [FamilyStats; 4],
    /// Reads that found a block.
    pub hits: u64,
    /// Reads that found none.
    pub misses: u64,
    /// Values found damaged and removed.
    pub damaged: u64,
    /// Blocks removed to make room.
    pub evicted: u64,
}

/// Figures of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FamilyStats {
    /// Which family.
    pub family: Family,
    /// Blocks kept.
    pub blocks: u64,
    /// Their bytes, without the overhead of the database.
    pub bytes: u64,
    /// The most bytes that are kept.
    pub bytes_max: u64,
}

impl StoreStats {
    /// Blocks kept in a place, of both kinds.
    pub fn blocks(&self, place: Place) -> u64 {
        self.of(place).map(|family| family.blocks).sum()
    }

    /// Bytes kept in a place, of both kinds.
    pub fn bytes(&self, place: Place) -> u64 {
        self.of(place).map(|family| family.bytes).sum()
    }

    /// The most bytes kept in a place, of both kinds.
    pub fn bytes_max(&self, place: Place) -> u64 {
        self.of(place).map(|family| family.bytes_max).sum()
    }

    fn of(&self, place: Place) -> impl Iterator<Item = &FamilyStats> {
        self.families
            .iter()
            .filter(move |figures| figures.family.place() == place)
    }
}

#[cfg(test)]
mod kill_tests;
