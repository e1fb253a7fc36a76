//! The newest edition of a site: found by asking for several editions ahead at once, and moving on with every hit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crypto::{SignedKey, SubspaceKey};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::error::FetchError;
use super::fetcher::{Fetcher, Patience};
use super::network::{BlockFetchError, Class};
use super::request::Reach;
use super::root::keep_signed;

/// How hard to look for newer editions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// A few editions ahead, and no long wait once one is found: somebody waits for a page.
    Quick,
    /// More editions ahead, each until its search has ended.
    Thorough,
}

impl Effort {
    /// Editions asked for beyond the newest that is known. A publisher may have skipped some, and blocks get lost.
    const fn ahead(self) -> u64 {
        match self {
            Self::Quick => 3,
            Self::Thorough => 8,
        }
    }
}

/// Editions asked for at most; 200 editions in a row are found within this.
const PROBES_MAX: u64 = 256;
/// How long a quick search goes on after the last hit.
const QUICK_WAIT: Duration = Duration::from_secs(3);
/// Editions below a thorough search's first that are tried when nothing newer exists.
const BACKWARDS_MAX: u64 = 8;

/// Finds the newest edition of `site` from `from` on.
///
/// # Errors
/// Why edition `from` could not be fetched, if no newer one was found either.
pub(crate) async fn newest(
    fetcher: &Arc<Fetcher>,
    subspace: &SubspaceKey,
    site: &str,
    from: u64,
    effort: Effort,
) -> Result<u64, FetchError> {
    let id = site_id(subspace, site);
    let editions = &fetcher.shared.editions;
    let remember = fetcher.options.reach == Reach::Network;
    // The files of a page come within seconds of each other; whoever fetches a file wants to know.
    let believe = remember && effort == Effort::Quick && fetcher.options.class == Class::RealTime;
    if believe && let Some(known) = editions.recent(&id).filter(|known| *known >= from) {
        return Ok(known);
    }
    let mut found = probe(fetcher, subspace, site, from, effort).await;
    if effort == Effort::Thorough && matches!(found, Err(FetchError::DataNotFound)) {
        found = backwards(fetcher, subspace, site, from)
            .await
            .ok_or(FetchError::DataNotFound);
    }
    if remember && let Ok(edition) = found {
        editions.found(id, edition);
    }
    found
}

async fn probe(
    fetcher: &Arc<Fetcher>,
    subspace: &SubspaceKey,
    site: &str,
    from: u64,
    effort: Effort,
) -> Result<u64, FetchError> {
    let mut probes = Probes::new(fetcher, subspace, site);
    let mut newest = None;
    let mut reason = BlockFetchError::NotFound;
    let mut next = from;
    let mut end = from.saturating_add(effort.ahead());
    loop {
        while next <= end && next - from < PROBES_MAX {
            probes.ask(
                next,
                if next == from {
                    Patience::Needed
                } else {
                    Patience::Spare
                },
            );
            next += 1;
        }
        let patient = effort == Effort::Thorough || newest.is_none();
        let answer = if patient {
            probes.answer().await
        } else {
            tokio::time::timeout(QUICK_WAIT, probes.answer())
                .await
                .unwrap_or_default()
        };
        match answer {
            Some((edition, Ok(()))) => {
                newest = newest.max(Some(edition));
                end = end.max(edition.saturating_add(effort.ahead()));
            }
            Some((edition, Err(error))) if edition == from => reason = error,
            Some((_, Err(_))) => {}
            None => return newest.ok_or_else(|| reason.into()),
        }
    }
}

async fn backwards(
    fetcher: &Arc<Fetcher>,
    subspace: &SubspaceKey,
    site: &str,
    from: u64,
) -> Option<u64> {
    let mut probes = Probes::new(fetcher, subspace, site);
    for edition in from.saturating_sub(BACKWARDS_MAX)..from {
        probes.ask(edition, Patience::Spare);
    }
    let mut newest = None;
    while let Some((edition, result)) = probes.answer().await {
        if result.is_ok() {
            newest = newest.max(Some(edition));
        }
    }
    newest
}

/// Searches for editions, all at the same time. Given up when dropped.
struct Probes<'a> {
    fetcher: &'a Arc<Fetcher>,
    subspace: &'a SubspaceKey,
    site: &'a str,
    tasks: JoinSet<(u64, Result<(), BlockFetchError>)>,
}

impl<'a> Probes<'a> {
    fn new(fetcher: &'a Arc<Fetcher>, subspace: &'a SubspaceKey, site: &'a str) -> Self {
        Self {
            fetcher,
            subspace,
            site,
            tasks: JoinSet::new(),
        }
    }

    fn ask(&mut self, edition: u64, patience: Patience) {
        let fetcher = Arc::clone(self.fetcher);
        let key = self.subspace.edition(self.site, edition);
        self.tasks
            .spawn(async move { (edition, exists(&fetcher, &key, patience).await) });
    }

    async fn answer(&mut self) -> Option<(u64, Result<(), BlockFetchError>)> {
        loop {
            // A search that broke down has found nothing.
            if let Ok(answer) = self.tasks.join_next().await? {
                return Some(answer);
            }
        }
    }
}

/// Whether the document exists and opens. What was found is kept for the fetch that follows.
async fn exists(
    fetcher: &Arc<Fetcher>,
    key: &SignedKey,
    patience: Patience,
) -> Result<(), BlockFetchError> {
    let block = fetcher.block(key.block_key(), patience).await?;
    keep_signed(fetcher, key, &block).map_err(|_| BlockFetchError::NotFound)
}

/// Editions found a moment ago, so that the fifty files of a page do not cause fifty searches.
#[derive(Debug, Default)]
pub(crate) struct Editions {
    known: Mutex<HashMap<SiteId, (u64, Instant)>>,
}

type SiteId = [u8; 32];

/// How long a search is not repeated.
const RECENT: Duration = Duration::from_secs(10);
/// Sites remembered.
const SITES_MAX: usize = 256;

impl Editions {
    fn recent(&self, id: &SiteId) -> Option<u64> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (edition, found) = known.get(id)?;
        (found.elapsed() < RECENT).then_some(*edition)
    }

    fn found(&self, id: SiteId, edition: u64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SITES_MAX {
            known.retain(|_, (_, found)| found.elapsed() < RECENT);
        }
        if known.len() < SITES_MAX {
            known.insert(id, (edition, Instant::now()));
        }
    }

    /// An edition was inserted by this node.
    pub(crate) fn inserted(&self, subspace: &SubspaceKey, site: &str, edition: u64) {
        self.found(site_id(subspace, site), edition);
    }
}

fn site_id(subspace: &SubspaceKey, site: &str) -> SiteId {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(subspace.public())
        .update(subspace.crypto_key())
        .update(site.as_bytes());
    *hasher.finalize().as_bytes()
}
