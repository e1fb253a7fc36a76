//! Blocks that were read and not yet moved to the young end of their family's order.

use super::family::{Family, SaltedKey};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Reads remembered at most between two writes; more are forgotten, which costs those blocks only a place in the order.
const REMEMBERED_MAX: usize = 4096;

/// A bounded set of blocks that were read. Readers only add to it; the next write moves them all in one batch, so that
/// reading never waits for the disk to write.
#[derive(Default)]
pub(super) struct RecentUse(Mutex<BTreeSet<(Family, SaltedKey)>>);

impl RecentUse {
    pub(super) fn remember(&self, family: Family, key: SaltedKey) {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if blocks.len() < REMEMBERED_MAX {
            blocks.insert((family, key));
        }
    }

    pub(super) fn take(&self) -> BTreeSet<(Family, SaltedKey)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_reads_is_remembered_up_to_the_bound() {
        let recent = RecentUse::default();
        for i in 0..2 * REMEMBERED_MAX as u64 {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&i.to_le_bytes());
            recent.remember(Family::ChkStore, SaltedKey(key));
            recent.remember(Family::ChkStore, SaltedKey(key));
        }
        assert_eq!(recent.take().len(), REMEMBERED_MAX);
        assert!(recent.take().is_empty());
    }
}
