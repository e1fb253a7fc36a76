//! Which key comes next in the store: for the walk that sees to the copies of what is kept.
//!
//! The order is that of the salted keys, content first. What a routing key was cannot be told from its salted form, but
//! from the value: a block names the only key that it can belong to.

use super::{RocksStore, Writer};
use crate::store::StoreError;
use crate::store::change::column;
use crate::store::family::{Family, SALTED_LEN, SaltedKey};
use crypto::{BlockKey, VerifiedBlock};
use rocksdb::ReadOptions;

/// The families whose blocks are listed, in their order: what is kept for long.
const LISTED: [Family; 2] = [Family::ChkStore, Family::SskStore];

/// Damaged values passed by in one call: of 32 KiB each, 2 MiB are read at most.
const DAMAGED_MAX: usize = 64;

/// What stands next in a family.
enum Next {
    Key(BlockKey),
    Damaged(SaltedKey),
    End,
}

impl RocksStore {
    /// The key of the store after `after`, or the first one.
    pub(super) fn list_next(
        &self,
        after: Option<&BlockKey>,
    ) -> Result<Option<BlockKey>, StoreError> {
        let begun = after.map(|key| {
            (
                Family::of(super::Place::Store, key.kind),
                self.salt.key(key),
            )
        });
        let mut damaged = 0;
        for family in LISTED {
            let mut cursor = match begun {
                Some((at, _)) if at > family => continue,
                Some((at, key)) if at == family => Some(key),
                Some(_) | None => None,
            };
            loop {
                match self.next_in(family, cursor)? {
                    Next::Key(key) => return Ok(Some(key)),
                    Next::End => break,
                    Next::Damaged(_) if damaged == DAMAGED_MAX => return Ok(None),
                    Next::Damaged(key) => {
                        damaged += 1;
                        let mut writer = self.lock_writer();
                        self.remove_if_damaged(&mut writer, family, &key)?;
                        cursor = Some(key);
                    }
                }
            }
        }
        Ok(None)
    }

    fn next_in(&self, family: Family, after: Option<SaltedKey>) -> Result<Next, StoreError> {
        let mut options = ReadOptions::default();
        // The value is checked against its key
        options.set_verify_checksums(false);
        // A walk through everything must not drive out of memory what is in use
        options.fill_cache(false);
        let mut entries = self
            .db
            .raw_iterator_cf_opt(column(&self.db, family.name()), options);
        match after {
            None => entries.seek_to_first(),
            Some(after) => {
                entries.seek(after.0);
                if entries.key() == Some(&after.0[..]) {
                    entries.next();
                }
            }
        }
        let Some((key, value)) = entries.item() else {
            let ended = entries.status().map(|()| Next::End);
            return ended.map_err(|error| StoreError::new("list its keys", &error));
        };
        let Ok(salted) = <[u8; SALTED_LEN]>::try_from(key).map(SaltedKey) else {
            return Ok(Next::End);
        };
        let named = VerifiedBlock::named_key(family.kind(), value);
        let named = named.filter(|named| self.salt.key(named) == salted);
        Ok(named.map_or(Next::Damaged(salted), Next::Key))
    }

    /// Another thread may have removed it, and even written it anew, since it was read.
    fn remove_if_damaged(
        &self,
        writer: &mut Writer,
        family: Family,
        key: &SaltedKey,
    ) -> Result<(), StoreError> {
        let column = column(&self.db, family.name());
        let value = self
            .db
            .get_pinned_cf_opt(column, key.0, &self.reads)
            .map_err(|error| StoreError::new("read", &error))?;
        let is_damaged = value.is_some_and(|value| {
            let named = VerifiedBlock::named_key(family.kind(), &value);
            named.is_none_or(|named| self.salt.key(&named) != *key)
        });
        if is_damaged {
            self.remove_damaged(writer, family, key)?;
        }
        Ok(())
    }
}
