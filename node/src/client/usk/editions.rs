//! The editions of sites that this node has seen or made.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crypto::SubspaceKey;
use tokio::time::Instant;

/// Newest editions: found a moment ago, so that the fifty files of a page do not cause fifty searches, and inserted
/// or found at any time, so that the next search begins there.
#[derive(Debug, Default)]
pub(crate) struct Editions {
    known: Mutex<HashMap<SiteId, Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    /// The result of the last search or insert.
    last: u64,
    when: Instant,
    /// The highest of all.
    highest: u64,
}

/// A site, as a hash of its key and name.
pub(super) type SiteId = [u8; 32];

/// How long a search is not repeated.
const RECENT: Duration = Duration::from_secs(10);
/// Sites remembered: less than half a megabyte. Those that were not met for longest are forgotten first.
const SITES_MAX: usize = 4096;

impl Editions {
    /// What a search found a moment ago.
    pub(super) fn recent(&self, id: &SiteId) -> Option<u64> {
        let known = *self.lock().get(id)?;
        (known.when.elapsed() < RECENT).then_some(known.last)
    }

    /// The highest edition ever met. It may have been lost since.
    pub(super) fn highest(&self, id: &SiteId) -> Option<u64> {
        self.lock().get(id).map(|known| known.highest)
    }

    pub(super) fn found(&self, id: SiteId, edition: u64) {
        let mut known = self.lock();
        if known.len() >= SITES_MAX && !known.contains_key(&id) {
            let oldest = known.iter().min_by_key(|(_, known)| known.when);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                known.remove(&oldest);
            }
        }
        let highest = known.get(&id).map_or(0, |known| known.highest).max(edition);
        let met = Known {
            last: edition,
            when: Instant::now(),
            highest,
        };
        known.insert(id, met);
    }

    /// An edition was inserted by this node.
    pub(crate) fn inserted(&self, subspace: &SubspaceKey, site: &str, edition: u64) {
        self.found(site_id(subspace, site), edition);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SiteId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn site_id(subspace: &SubspaceKey, site: &str) -> SiteId {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(subspace.public())
        .update(subspace.crypto_key())
        .update(site.as_bytes());
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> SiteId {
        *blake3::hash(&number.to_le_bytes()).as_bytes()
    }

    #[tokio::test(start_paused = true)]
    async fn an_edition_is_believed_for_a_moment_and_remembered_for_long() {
        let editions = Editions::default();
        editions.found(id(1), 7);
        editions.found(id(1), 5);
        assert_eq!(editions.recent(&id(1)), Some(5));
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(editions.recent(&id(1)), None);
        assert_eq!(editions.highest(&id(1)), Some(7));
        assert_eq!(editions.highest(&id(2)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_site_that_was_not_met_for_longest_is_forgotten_first() {
        let editions = Editions::default();
        for number in 0..SITES_MAX {
            editions.found(id(number), 1);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        editions.found(id(0), 2);
        editions.found(id(SITES_MAX), 1);
        assert_eq!(editions.highest(&id(0)), Some(2));
        assert_eq!(editions.highest(&id(1)), None);
        assert_eq!(editions.highest(&id(SITES_MAX)), Some(1));
    }
}
