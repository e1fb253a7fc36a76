//! The store over RocksDB.

mod listing;

use super::Place;
use super::change::{Beginnings, Change, LEDGER_KEY, column};
use super::family::{Family, FamilyLimits, Salt, SaltedKey};
use super::ledger::Ledger;
use super::options::{INDEX, SharedResources, unchecked_reads};
use super::recent_use::RecentUse;
use super::{BlockStore, FamilyStats, PutOutcome, StoreError, StoreStats};
use crate::config::{StoreSettings, SyncPolicy};
use bytes::Bytes;
use crypto::{BlockKey, VerifiedBlock};
use rocksdb::{DB, ErrorKind, FlushOptions, ReadOptions, WriteBatch, WriteOptions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a store needs to know beside its folder.
#[derive(Debug, Clone, Copy)]
pub struct StoreConfig {
    /// The most bytes per family.
    pub limits: FamilyLimits,
    /// When writes are forced to the disk. Periodic syncing is up to the caller of [`BlockStore::sync`]:
    /// [`StoreHandle`](super::StoreHandle) does it.
    pub sync: SyncPolicy,
}

/// Blocks in a RocksDB database.
///
/// Reading takes no lock. Writing takes one, for the blocks of a call in groups, each group one atomic batch.
pub struct RocksStore {
    db: DB,
    salt: Salt,
    config: StoreConfig,
    reads: ReadOptions,
    writes: WriteOptions,
    writer: Mutex<Writer>,
    recent: RecentUse,
    counters: Counters,
}

/// What only the thread that writes may touch.
struct Writer {
    ledger: Ledger,
    beginnings: [Beginnings; 4],
}

#[derive(Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    damaged: AtomicU64,
    evicted: AtomicU64,
}

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
pub enum StoreOpenError {
    /// RocksDB cannot open the folder.
    #[error("cannot open the store in {}: {source}", .path.display())]
    Database {
        /// The folder.
        path: PathBuf,
        /// What RocksDB said.
        source: rocksdb::Error,
    },
    /// The layout on disk is of another version.
    #[error("the store in {} was written by another version of Warren; move the folder away to start with an empty store", .path.display())]
    Version {
        /// The folder.
        path: PathBuf,
    },
    /// The keys were salted with another secret, so that no block would ever be found.
    #[error(
        "the store in {} belongs to another node secret; restore that node.secret, or move the folder away to start \
         with an empty store",
        .path.display()
    )]
    OtherSecret {
        /// The folder.
        path: PathBuf,
    },
    /// The account of what is stored cannot be read.
    #[error("the store in {} is damaged (its ledger is unreadable); move the folder away to start with an empty store", .path.display())]
    Ledger {
        /// The folder.
        path: PathBuf,
    },
}

/// Keys in the index.
const FORMAT_KEY: &[u8] = b"format";
const SALT_KEY: &[u8] = b"salt";
/// Version of the layout on disk.
const FORMAT: &[u8] = b"warren-store-1";

/// Blocks written in one batch: 2 MiB of content, little against the smallest limit of a family and enough for the
/// fixed cost of a batch not to matter.
const BATCH_MAX: usize = 64;

impl StoreConfig {
    /// The limits and the policy that the owner set.
    pub fn new(settings: &StoreSettings) -> Self {
        Self {
            limits: FamilyLimits::new(settings.size, settings.cache),
            sync: settings.sync,
        }
    }
}

impl RocksStore {
    /// Opens the store in the folder `path`, or makes an empty one there. `salt` must be the same at every opening.
    ///
    /// # Errors
    /// [`StoreOpenError`] says which file to restore or move away.
    pub fn open(
        path: &Path,
        salt: &[u8; 32],
        config: StoreConfig,
        shared: &SharedResources,
    ) -> Result<Self, StoreOpenError> {
        let database = |source| StoreOpenError::Database {
            path: path.to_owned(),
            source,
        };
        let db = DB::open_cf_descriptors(&shared.database(), path, shared.column_families())
            .map_err(database)?;
        let salt = Salt::new(salt);
        identify(&db, path, &salt)?;
        let ledger = match db
            .get_cf(column(&db, INDEX), LEDGER_KEY)
            .map_err(database)?
        {
            None => Ledger::default(),
            Some(bytes) => Ledger::decode(&bytes).ok_or_else(|| StoreOpenError::Ledger {
                path: path.to_owned(),
            })?,
        };
        let mut writes = WriteOptions::default();
        writes.set_sync(config.sync == SyncPolicy::Always);
        Ok(Self {
            db,
            salt,
            config,
            reads: unchecked_reads(),
            writes,
            writer: Mutex::new(Writer {
                ledger,
                beginnings: [Beginnings::default(); 4],
            }),
            recent: RecentUse::default(),
            counters: Counters::default(),
        })
    }

    /// Writes a group of blocks in one batch.
    fn put_group(&self, blocks: &[(Place, VerifiedBlock)]) -> Result<Vec<PutOutcome>, StoreError> {
        let mut writer = self.lock_writer();
        self.write_recent_use(&mut writer)?;
        let mut held = Vec::with_capacity(blocks.len());
        for (_, block) in blocks {
            held.push(self.held(&mut writer, &block.key())?);
        }
        // What was found counts as used now, before anything makes room.
        self.write_recent_use(&mut writer)?;
        let mut change = Change::new(&self.db, writer.ledger);
        let mut in_batch: BTreeMap<BlockKey, Held> = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(blocks.len());
        for ((place, block), on_disk) in blocks.iter().zip(held) {
            let held = in_batch.entry(block.key()).or_insert(on_disk);
            let outcome = held.outcome(*place, block);
            if outcome == PutOutcome::Stored {
                let key = self.salt.key(&block.key());
                change.add(Family::of(*place, block.key().kind), &key, block.bytes());
                held.0.push((*place, block.clone()));
            }
            outcomes.push(outcome);
        }
        let mut evicted = 0;
        for family in Family::ALL {
            let beginnings = &mut writer.beginnings[family.index()];
            evicted += change
                .make_room(family, self.config.limits.bytes_max(family), beginnings)
                .map_err(|error| StoreError::new("make room", &error))?;
        }
        self.commit(&mut writer, change)?;
        self.counters.evicted.fetch_add(evicted, Ordering::Relaxed);
        Ok(outcomes)
    }

    /// The block under a key, from the store or the cache, and where it is.
    fn find(&self, key: &BlockKey) -> Result<Option<(Family, VerifiedBlock)>, StoreError> {
        let salted = self.salt.key(key);
        for place in PLACES {
            let family = Family::of(place, key.kind);
            match self.read(family, &salted, key)? {
                Reading::Absent => {}
                Reading::Block(block) => {
                    self.counters.hits.fetch_add(1, Ordering::Relaxed);
                    return Ok(Some((family, block)));
                }
                Reading::Damaged => {
                    let mut writer = self.lock_writer();
                    // Another thread may have removed it, and even written it anew, since it was read.
                    if matches!(self.read(family, &salted, key)?, Reading::Damaged) {
                        self.remove_damaged(&mut writer, family, &salted)?;
                    }
                }
            }
        }
        self.counters.misses.fetch_add(1, Ordering::Relaxed);
        Ok(None)
    }

    /// Evicts so much that one more block fits into a family.
    fn make_room_for_one(&self, writer: &mut Writer, family: Family) -> Result<(), StoreError> {
        let mut change = Change::new(&self.db, writer.ledger);
        let limit = self.config.limits.bytes_max(family);
        let evicted = change
            .make_room(
                family,
                limit.saturating_sub(family.block_len()),
                &mut writer.beginnings[family.index()],
            )
            .map_err(|error| StoreError::new("make room", &error))?;
        self.commit(writer, change)?;
        self.counters.evicted.fetch_add(evicted, Ordering::Relaxed);
        Ok(())
    }

    /// What is on disk under a key, in both places. Damaged values are removed on the way.
    fn held(&self, writer: &mut Writer, key: &BlockKey) -> Result<Held, StoreError> {
        let salted = self.salt.key(key);
        let mut held = Held(Vec::new());
        for place in PLACES {
            let family = Family::of(place, key.kind);
            match self.read(family, &salted, key)? {
                Reading::Absent => {}
                Reading::Damaged => self.remove_damaged(writer, family, &salted)?,
                Reading::Block(block) => {
                    self.recent.remember(family, salted);
                    held.0.push((place, block));
                }
            }
        }
        Ok(held)
    }

    fn read(
        &self,
        family: Family,
        salted: &SaltedKey,
        key: &BlockKey,
    ) -> Result<Reading, StoreError> {
        let value =
            match self
                .db
                .get_pinned_cf_opt(column(&self.db, family.name()), salted.0, &self.reads)
            {
                Ok(Some(value)) => value,
                Ok(None) => return Ok(Reading::Absent),
                Err(error) if error.kind() == ErrorKind::Corruption => return Ok(Reading::Damaged),
                Err(error) => return Err(StoreError::new("read", &error)),
            };
        let block = VerifiedBlock::verify(*key, Bytes::copy_from_slice(&value));
        Ok(block.map_or(Reading::Damaged, Reading::Block))
    }

    fn remove_damaged(
        &self,
        writer: &mut Writer,
        family: Family,
        key: &SaltedKey,
    ) -> Result<(), StoreError> {
        tracing::warn!(
            family = family.name(),
            "a stored block was damaged and is removed; is the disk failing?"
        );
        self.counters.damaged.fetch_add(1, Ordering::Relaxed);
        let mut change = Change::new(&self.db, writer.ledger);
        change
            .remove(family, key)
            .map_err(|error| StoreError::new("remove a damaged block", &error))?;
        self.commit(writer, change)
    }

    /// Moves the blocks that were read since the last write to the young end of their order.
    fn write_recent_use(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let mut change = Change::new(&self.db, writer.ledger);
        for (family, key) in self.recent.take() {
            change
                .touch(family, &key)
                .map_err(|error| StoreError::new("note the use of a block", &error))?;
        }
        self.commit(writer, change)
    }

    fn commit(&self, writer: &mut Writer, change: Change<'_>) -> Result<(), StoreError> {
        if change.is_empty() {
            return Ok(());
        }
        let (batch, ledger) = change.finish();
        self.db
            .write_opt(batch, &self.writes)
            .map_err(|error| StoreError::new("write", &error))?;
        writer.ledger = ledger;
        Ok(())
    }

    fn close(&self) -> Result<(), StoreError> {
        self.write_recent_use(&mut self.lock_writer())?;
        let families = Family::ALL.map(Family::name).into_iter().chain([INDEX]);
        let columns: Vec<_> = families.map(|name| column(&self.db, name)).collect();
        let flushed = self.db.flush_cfs_opt(&columns, &FlushOptions::default());
        flushed.map_err(|error| StoreError::new("write its buffers out", &error))
    }

    fn lock_writer(&self) -> MutexGuard<'_, Writer> {
        // The ledger changes only after its batch is written, so it is whole even if a thread died.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RocksStore {
    /// Notes what was read lately, and writes the buffers out, so that the next opening need not read the log of writes.
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the store could not write its buffers out; its log of writes has everything");
        }
    }
}

impl BlockStore for RocksStore {
    fn get(&self, key: &BlockKey) -> Result<Option<VerifiedBlock>, StoreError> {
        Ok(self.find(key)?.map(|(family, block)| {
            self.recent.remember(family, self.salt.key(key));
            block
        }))
    }

    fn peek(&self, key: &BlockKey) -> Result<Option<VerifiedBlock>, StoreError> {
        Ok(self.find(key)?.map(|(_, block)| block))
    }

    fn put_many(&self, blocks: &[(Place, VerifiedBlock)]) -> Result<Vec<PutOutcome>, StoreError> {
        let mut outcomes = Vec::with_capacity(blocks.len());
        for group in blocks.chunks(BATCH_MAX) {
            outcomes.extend(self.put_group(group)?);
        }
        Ok(outcomes)
    }

    fn replace(&self, place: Place, block: &VerifiedBlock) -> Result<(), StoreError> {
        let key = block.key();
        let salted = self.salt.key(&key);
        let mut writer = self.lock_writer();
        let held = self.held(&mut writer, &key)?;
        let (same, others): (Vec<_>, Vec<_>) =
            held.0.into_iter().partition(|(_, held)| held == block);
        if others.is_empty() {
            drop(writer);
            return self.put(place, block).map(drop);
        }
        let adds = Held(same).outcome(place, block) == PutOutcome::Stored;
        if adds && others.iter().all(|(held_in, _)| *held_in != place) {
            self.make_room_for_one(&mut writer, Family::of(place, key.kind))?;
        }
        let mut change = Change::new(&self.db, writer.ledger);
        for (held_in, _) in others {
            change
                .remove(Family::of(held_in, key.kind), &salted)
                .map_err(|error| StoreError::new("replace a block", &error))?;
        }
        if adds {
            change.add(Family::of(place, key.kind), &salted, block.bytes());
        }
        self.commit(&mut writer, change)
    }

    fn next_stored(&self, after: Option<&BlockKey>) -> Result<Option<BlockKey>, StoreError> {
        self.list_next(after)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.write_recent_use(&mut self.lock_writer())?;
        self.db
            .flush_wal(true)
            .map_err(|error| StoreError::new("sync", &error))
    }

    fn stats(&self) -> StoreStats {
        let ledger = self.lock_writer().ledger;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StoreStats {
            families: Family::ALL.map(|family| FamilyStats {
                family,
                blocks: ledger.account(family).blocks,
                bytes: ledger.account(family).bytes,
                bytes_max: self.config.limits.bytes_max(family),
            }),
            hits: count(&self.counters.hits),
            misses: count(&self.counters.misses),
            damaged: count(&self.counters.damaged),
            evicted: count(&self.counters.evicted),
        }
    }
}

/// The order in which places are looked into.
const PLACES: [Place; 2] = [Place::Store, Place::Cache];

/// What a look at the disk found.
enum Reading {
    Absent,
    Damaged,
    Block(VerifiedBlock),
}

/// The blocks kept under one key, at most one in each place.
struct Held(Vec<(Place, VerifiedBlock)>);

impl Held {
    /// What putting a block where these are kept comes to. A block in the store need not be in the cache as well; one
    /// in the cache can still go to the store, where it lasts longer.
    fn outcome(&self, place: Place, block: &VerifiedBlock) -> PutOutcome {
        if let Some((_, other)) = self.0.iter().find(|(_, held)| held != block) {
            return PutOutcome::Collision(other.clone());
        }
        if self
            .0
            .iter()
            .any(|(held_in, _)| *held_in == place || *held_in == Place::Store)
        {
            return PutOutcome::AlreadyThere;
        }
        PutOutcome::Stored
    }
}

/// Checks that the database is a store of ours with this salt; marks a new one as such.
fn identify(db: &DB, path: &Path, salt: &Salt) -> Result<(), StoreOpenError> {
    let database = |source| StoreOpenError::Database {
        path: path.to_owned(),
        source,
    };
    let meta = column(db, INDEX);
    let Some(format) = db.get_cf(meta, FORMAT_KEY).map_err(database)? else {
        let mut batch = WriteBatch::default();
        batch.put_cf(meta, FORMAT_KEY, FORMAT);
        batch.put_cf(meta, SALT_KEY, salt.fingerprint());
        return db.write(batch).map_err(database);
    };
    if format != FORMAT {
        return Err(StoreOpenError::Version {
            path: path.to_owned(),
        });
    }
    if db.get_cf(meta, SALT_KEY).map_err(database)?.as_deref() != Some(&salt.fingerprint()) {
        return Err(StoreOpenError::OtherSecret {
            path: path.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
