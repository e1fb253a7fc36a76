//! One atomic change of the database: blocks that come, go or are used, and the ledger that counts them.

use super::family::{Family, SALTED_LEN, SaltedKey, order_key, parse_order_key, use_key};
use super::ledger::Ledger;
use super::options::{META, ORDER, USE};
use rocksdb::{ColumnFamily, DB, Direction, IteratorMode, WriteBatch};

/// The key of the ledger in the family `META`.
pub(super) const LEDGER_KEY: &[u8] = b"ledger";

/// Blocks evicted at most in one change; a limit that was lowered by the owner takes several.
const EVICTED_MAX: usize = 4096;

/// A change under way. Nothing is written before the batch of [`Change::finish`] is.
pub(super) struct Change<'a> {
    db: &'a DB,
    batch: WriteBatch,
    ledger: Ledger,
}

/// The value in `use`: time of last use and length of the block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Use {
    last_use: u64,
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
        let len =
            u32::try_from(value.len()).expect("a verified block has at most a few tens of KiB");
        self.batch
            .put_cf(column(self.db, family.name()), key.0, value);
        self.ledger.add(family, len);
        self.use_now(family, key, len);
    }

    /// Moves a block to the young end of its family's order, unless it is there already or gone.
    pub(super) fn touch(&mut self, family: Family, key: &SaltedKey) -> Result<(), rocksdb::Error> {
        let Some(Use { last_use, len }) = self.last_use(family, key)? else {
            return Ok(());
        };
        // Within the youngest eighth the exact place does not matter: the block is far from eviction.
        if self.ledger.age(last_use) <= self.ledger.account(family).blocks / 8 {
            return Ok(());
        }
        self.batch
            .delete_cf(column(self.db, ORDER), order_key(family, last_use));
        self.use_now(family, key, len);
        Ok(())
    }

    /// Removes a block if it is there. At most one of `touch`, `remove` and `make_room` may meet the same block in one
    /// change, since each looks at what the database holds before it.
    pub(super) fn remove(&mut self, family: Family, key: &SaltedKey) -> Result<(), rocksdb::Error> {
        if let Some(Use { last_use, len }) = self.last_use(family, key)? {
            self.forget(family, key, Use { last_use, len });
        }
        Ok(())
    }

    /// Removes the least recently used blocks until the family is within its limit, and returns how many.
    ///
    /// Meets only blocks that were there before this change. `cursor` is a time of use below which there is none; it
    /// is moved on, so that the deleted keys behind it are not stepped over again each time.
    pub(super) fn make_room(
        &mut self,
        family: Family,
        bytes_max: u64,
        cursor: &mut u64,
    ) -> Result<u64, rocksdb::Error> {
        if self.ledger.account(family).bytes <= bytes_max {
            return Ok(0);
        }
        let start = order_key(family, *cursor);
        let mode = IteratorMode::From(&start, Direction::Forward);
        let mut evicted = 0;
        for entry in self
            .db
            .iterator_cf(column(self.db, ORDER), mode)
            .take(EVICTED_MAX)
        {
            let (order, value) = entry?;
            let (Some((number, last_use)), Some((key, len))) =
                (parse_order_key(&order), parse_order_value(&value))
            else {
                continue;
            };
            if number != family.number() || self.ledger.account(family).bytes <= bytes_max {
                break;
            }
            self.forget(family, &key, Use { last_use, len });
            *cursor = last_use + 1;
            evicted += 1;
        }
        Ok(evicted)
    }

    /// The batch with the ledger in it, and the ledger as it is once the batch is written.
    pub(super) fn finish(mut self) -> (WriteBatch, Ledger) {
        self.batch
            .put_cf(column(self.db, META), LEDGER_KEY, self.ledger.encode());
        (self.batch, self.ledger)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    fn use_now(&mut self, family: Family, key: &SaltedKey, len: u32) {
        let last_use = self.ledger.tick();
        let used = Use { last_use, len }.encode();
        self.batch
            .put_cf(column(self.db, USE), use_key(family, key), used);
        self.batch.put_cf(
            column(self.db, ORDER),
            order_key(family, last_use),
            order_value(key, len),
        );
    }

    fn forget(&mut self, family: Family, key: &SaltedKey, used: Use) {
        self.batch.delete_cf(column(self.db, family.name()), key.0);
        self.batch
            .delete_cf(column(self.db, USE), use_key(family, key));
        self.batch
            .delete_cf(column(self.db, ORDER), order_key(family, used.last_use));
        self.ledger.remove(family, used.len);
    }

    fn last_use(&self, family: Family, key: &SaltedKey) -> Result<Option<Use>, rocksdb::Error> {
        let value = self
            .db
            .get_pinned_cf(column(self.db, USE), use_key(family, key))?;
        Ok(value.and_then(|value| Use::decode(&value)))
    }
}

impl Use {
    fn encode(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&self.last_use.to_le_bytes());
        bytes[8..].copy_from_slice(&self.len.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (last_use, len) = bytes.split_first_chunk::<8>()?;
        Some(Self {
            last_use: u64::from_le_bytes(*last_use),
            len: u32::from_le_bytes(len.try_into().ok()?),
        })
    }
}

/// A column family by name.
pub(super) fn column<'a>(db: &'a DB, name: &str) -> &'a ColumnFamily {
    db.cf_handle(name)
        .expect("the store is opened with all its families")
}

fn order_value(key: &SaltedKey, len: u32) -> [u8; SALTED_LEN + 4] {
    let mut bytes = [0; SALTED_LEN + 4];
    bytes[..SALTED_LEN].copy_from_slice(&key.0);
    bytes[SALTED_LEN..].copy_from_slice(&len.to_le_bytes());
    bytes
}

fn parse_order_value(bytes: &[u8]) -> Option<(SaltedKey, u32)> {
    let (key, len) = bytes.split_first_chunk::<SALTED_LEN>()?;
    Some((SaltedKey(*key), u32::from_le_bytes(len.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_order_read_back() {
        let used = Use {
            last_use: u64::MAX - 1,
            len: 32_804,
        };
        assert_eq!(Use::decode(&used.encode()), Some(used));
        assert_eq!(Use::decode(&used.encode()[1..]), None);
        let key = SaltedKey([7; 32]);
        assert_eq!(parse_order_value(&order_value(&key, 99)), Some((key, 99)));
        assert_eq!(parse_order_value(&[]), None);
    }
}
