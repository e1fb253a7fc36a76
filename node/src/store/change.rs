//! One atomic change of the database: blocks that come, go or are used, and the ledger that counts them.

use super::family::{Family, SALTED_LEN, SaltedKey, Timeline, use_key};
use super::ledger::Ledger;
use super::options::INDEX;
use crypto::BlockKind;
use rocksdb::{ColumnFamily, DB, Direction, IteratorMode, WriteBatch};

/// The key of the ledger in the index.
pub(super) const LEDGER_KEY: &[u8] = b"ledger";

/// Blocks evicted at most in one change; a limit that was lowered by the owner takes several.
const EVICTED_MAX: u64 = 4096;

/// Values rescued at most in one change, which bounds the time it takes: 2 MiB. As many as blocks come in one change,
/// so that rescuing keeps up as long as no more than half of what is kept is in constant use.
const RESCUED_MAX: u64 = 64;

/// A change under way. Nothing is written before the batch of [`Change::finish`] is.
///
/// `touch`, `remove` and `make_room` look at what the database holds without this change, so that only one of the three
/// may stand in a change. A block may be removed and then added.
pub(super) struct Change<'a> {
    db: &'a DB,
    batch: WriteBatch,
    ledger: Ledger,
}

/// Where the timelines of a family begin, so that the deleted keys before are not stepped over again each time. Zeros
/// are always right.
#[derive(Clone, Copy, Default)]
pub(super) struct Beginnings {
    /// No block of the family was last used before.
    used: u64,
    /// No value that is still to be rescued was written before.
    written: u64,
}

/// What the index says of a block: the times of its last use and of the writing of its value, and its length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Use {
    used: u64,
    written: u64,
    len: u32,
}

impl<'a> Change<'a> {
    pub(super) fn new(db: &'a DB, ledger: Ledger) -> Self {
        Self {
            db,
            batch: WriteBatch::default(),
            ledger,
        }
    }

    /// Adds a block that is not there. Replacing the value of one that is there would count it twice.
    pub(super) fn add(&mut self, family: Family, key: &SaltedKey, value: &[u8]) {
        let now = self.ledger.tick();
        let len = u32::try_from(value.len()).expect("a block has a few tens of KiB");
        self.batch
            .put_cf(column(self.db, family.name()), key.0, value);
        self.ledger.add(family, len);
        self.note(
            family,
            key,
            Use {
                used: now,
                written: now,
                len,
            },
        );
    }

    /// Moves a block to the young end of its family's order, unless it is there already or gone.
    pub(super) fn touch(&mut self, family: Family, key: &SaltedKey) -> Result<(), rocksdb::Error> {
        let Some(old) = self.look_up(family, key)? else {
            return Ok(());
        };
        // Within the youngest eighth the exact place does not matter: the block is far from eviction.
        if self.ledger.age(old.used) <= self.ledger.account(family).blocks / 8 {
            return Ok(());
        }
        let used = self.ledger.tick();
        self.delete(Timeline::Use.key(family, old.used));
        self.note(family, key, Use { used, ..old });
        Ok(())
    }

    /// Removes a block if it is there.
    pub(super) fn remove(&mut self, family: Family, key: &SaltedKey) -> Result<(), rocksdb::Error> {
        if let Some(old) = self.look_up(family, key)? {
            self.forget(family, key, old);
        }
        Ok(())
    }

    /// Removes the least recently used blocks until the family is within its limit, and returns how many. Meets only
    /// blocks that were there before this change.
    pub(super) fn make_room(
        &mut self,
        family: Family,
        bytes_max: u64,
        beginnings: &mut Beginnings,
    ) -> Result<u64, rocksdb::Error> {
        let excess = self.ledger.account(family).bytes.saturating_sub(bytes_max);
        let blocks = excess.div_ceil(family.block_len()).min(EVICTED_MAX);
        for (used, key) in self.oldest(Timeline::Use, family, beginnings.used, blocks)? {
            if let Some(old) = self.look_up(family, &key)? {
                self.forget(family, &key, old);
            }
            beginnings.used = used + 1;
        }
        if blocks > 0 && family.kind() == BlockKind::Content {
            self.rescue(family, beginnings)?;
        }
        Ok(blocks)
    }

    /// Writes the values anew that are older than the last use of every block in the family.
    ///
    /// Values lie in blob files in about the order of writing, and blocks go in the order of use. So all neighbours of
    /// such a value are gone, and it alone keeps a file of 16 MiB on the disk. Written anew it lets the file go. A block
    /// is rescued once in the time in which the whole family is replaced, and only if it was used in that time.
    fn rescue(
        &mut self,
        family: Family,
        beginnings: &mut Beginnings,
    ) -> Result<(), rocksdb::Error> {
        for (written, key) in
            self.oldest(Timeline::Write, family, beginnings.written, RESCUED_MAX)?
        {
            if written >= beginnings.used {
                break;
            }
            beginnings.written = written + 1;
            // A block that was used before all others is evicted by this very change.
            let Some(old) = self
                .look_up(family, &key)?
                .filter(|old| old.used >= beginnings.used)
            else {
                continue;
            };
            let column = column(self.db, family.name());
            if let Some(value) = self.db.get_pinned_cf(column, key.0)? {
                self.batch.put_cf(column, key.0, &value);
            }
            let now = self.ledger.tick();
            self.delete(Timeline::Write.key(family, old.written));
            self.note(
                family,
                &key,
                Use {
                    written: now,
                    ..old
                },
            );
        }
        Ok(())
    }

    /// The batch with the ledger in it, and the ledger as it is once the batch is written.
    pub(super) fn finish(mut self) -> (WriteBatch, Ledger) {
        self.batch
            .put_cf(column(self.db, INDEX), LEDGER_KEY, self.ledger.encode());
        (self.batch, self.ledger)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Writes what the index says of a block.
    fn note(&mut self, family: Family, key: &SaltedKey, new: Use) {
        let index = column(self.db, INDEX);
        self.batch.put_cf(index, use_key(family, key), new.encode());
        self.batch
            .put_cf(index, Timeline::Use.key(family, new.used), key.0);
        if new.written != new.used {
            self.batch
                .put_cf(index, Timeline::Write.key(family, new.written), key.0);
        }
    }

    fn forget(&mut self, family: Family, key: &SaltedKey, old: Use) {
        self.batch.delete_cf(column(self.db, family.name()), key.0);
        self.delete(use_key(family, key));
        self.delete(Timeline::Use.key(family, old.used));
        if old.written != old.used {
            self.delete(Timeline::Write.key(family, old.written));
        }
        self.ledger.remove(family, old.len);
    }

    fn delete(&mut self, index_key: impl AsRef<[u8]>) {
        self.batch.delete_cf(column(self.db, INDEX), index_key);
    }

    fn look_up(&self, family: Family, key: &SaltedKey) -> Result<Option<Use>, rocksdb::Error> {
        let value = self
            .db
            .get_pinned_cf(column(self.db, INDEX), use_key(family, key))?;
        Ok(value.and_then(|value| Use::decode(&value)))
    }

    /// The first entries of a timeline, from a time on.
    fn oldest(
        &self,
        timeline: Timeline,
        family: Family,
        from: u64,
        most: u64,
    ) -> Result<Vec<(u64, SaltedKey)>, rocksdb::Error> {
        let start = timeline.key(family, from);
        let mode = IteratorMode::From(&start, Direction::Forward);
        let mut entries = Vec::new();
        let mut iterator = self.db.iterator_cf(column(self.db, INDEX), mode);
        for _ in 0..most {
            let Some(entry) = iterator.next() else {
                break;
            };
            let (key, value) = entry?;
            let (Some(time), Ok(block)) = (
                timeline.time(family, &key),
                <[u8; SALTED_LEN]>::try_from(&*value),
            ) else {
                break;
            };
            entries.push((time, SaltedKey(block)));
        }
        Ok(entries)
    }
}

impl Use {
    fn encode(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.used.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.written.to_le_bytes());
        bytes[16..].copy_from_slice(&self.len.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (used, rest) = bytes.split_first_chunk()?;
        let (written, len) = rest.split_first_chunk()?;
        Some(Self {
            used: u64::from_le_bytes(*used),
            written: u64::from_le_bytes(*written),
            len: u32::from_le_bytes(len.try_into().ok()?),
        })
    }
}

/// A column family by name.
pub(super) fn column<'a>(db: &'a DB, name: &str) -> &'a ColumnFamily {
    db.cf_handle(name)
        .expect("the store is opened with all its families")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_index_says_reads_back() {
        let written = Use {
            used: u64::MAX - 1,
            written: 7,
            len: 32_828,
        };
        assert_eq!(Use::decode(&written.encode()), Some(written));
        assert_eq!(Use::decode(&written.encode()[1..]), None);
    }
}
