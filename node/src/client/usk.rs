//! The newest edition of a site: found by asking for several editions ahead at once, and for hints beside them, and moving
//! on with every hit.

mod date;
mod editions;
mod hint;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crypto::{SignedKey, SubspaceKey};
use routing::Role;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::error::FetchError;
use super::fetcher::{Fetcher, Patience};
use super::network::{BlockFetchError, Class};
use super::request::Reach;
use super::root::keep_signed;
use editions::site_id;

pub(crate) use date::Date;
pub(crate) use editions::Editions;
pub(crate) use hint::store as store_hints;

/// How hard to look for newer editions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// A few editions ahead, and no long wait once one is found: somebody waits for a page.
    Quick,
    /// More editions ahead, and backwards if there are none.
    Thorough,
    /// As quick, for an insert that needs a free edition: it will find out if a search missed something. If there is
    /// nothing from the first edition on, the newest one below it is looked for.
    Free,
}

impl Effort {
    /// Editions asked for beyond the newest that is known. A publisher may have skipped some, and blocks get lost.
    pub(crate) const fn ahead(self) -> u64 {
        match self {
            Self::Quick | Self::Free => 3,
            Self::Thorough => 8,
        }
    }

    /// How long to wait for more once it is known whether the first edition exists, and after every hit.
    const fn wait(self) -> Duration {
        match self {
            Self::Quick | Self::Free => Duration::from_secs(3),
            Self::Thorough => Duration::from_secs(10),
        }
    }

    /// How much the answer for the edition that was asked for matters.
    const fn patience(self) -> Patience {
        match self {
            Self::Quick | Self::Thorough => Patience::Needed,
            Self::Free => Patience::Probe,
        }
    }
}

/// Editions asked for at most, and links between them; 200 editions in a row are found within this.
const PROBES_MAX: usize = 256;
/// When nothing was found: so many editions one by one ...
const WIDE_CLOSE: u64 = 8;
/// ... and then at twice the distance each time, up to this one.
const WIDE_FAR: u64 = 8192;

/// Finds the newest edition of `site` from `from` on, or before it if the effort allows that and there is none.
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
    let mut search = Search::new(fetcher, subspace, site, from, effort);
    search.begin(editions.highest(&id));
    let found = search.run().await;
    if remember && let Ok(edition) = found {
        editions.found(id, edition);
    }
    found
}

/// A search for the newest edition. Given up when dropped.
struct Search<'a> {
    fetcher: &'a Arc<Fetcher>,
    subspace: &'a SubspaceKey,
    site: &'a str,
    from: u64,
    effort: Effort,
    tasks: JoinSet<Answer>,
    /// Editions asked for.
    asked: BTreeSet<u64>,
    /// Editions whose links to the next one were asked for.
    linked: BTreeSet<u64>,
    /// The highest edition below `from` that somebody said exists.
    hinted_below: Option<u64>,
    newest: Option<u64>,
    /// Why `from` could not be had.
    reason: BlockFetchError,
    /// When the search ends at the latest. None as long as nothing is known about `from`.
    end: Option<Instant>,
    /// Whether the second, wide search has begun.
    wide: bool,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Edition(u64, Result<(), BlockFetchError>),
    Hint(Option<u64>),
}

impl<'a> Search<'a> {
    fn new(
        fetcher: &'a Arc<Fetcher>,
        subspace: &'a SubspaceKey,
        site: &'a str,
        from: u64,
        effort: Effort,
    ) -> Self {
        Self {
            fetcher,
            subspace,
            site,
            from,
            effort,
            tasks: JoinSet::new(),
            asked: BTreeSet::new(),
            linked: BTreeSet::new(),
            hinted_below: None,
            newest: None,
            reason: BlockFetchError::NotFound,
            end: None,
            wide: false,
        }
    }

    /// Asks for the first editions, for `known`, and for the hints of these days.
    fn begin(&mut self, known: Option<u64>) {
        self.ask_onwards(self.from);
        if let Some(known) = known {
            self.hint(known);
        }
        let today = (self.fetcher.shared.today)();
        for key in hint::keys(self.subspace, self.site, today) {
            self.ask_hint(key);
        }
    }

    async fn run(mut self) -> Result<u64, FetchError> {
        loop {
            match self.answer().await {
                Some(answer) => self.take(answer),
                None => {
                    if let ControlFlow::Break(result) = self.exhausted() {
                        return result;
                    }
                }
            }
        }
    }

    /// The next answer. None if there is none left, or none came in time.
    async fn answer(&mut self) -> Option<Answer> {
        loop {
            let next = self.tasks.join_next();
            let next = match self.end {
                Some(end) => tokio::time::timeout_at(end, next).await.ok()??,
                None => next.await?,
            };
            // A search that broke down has found nothing.
            if let Ok(answer) = next {
                return Some(answer);
            }
        }
    }

    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Edition(edition, Ok(())) => {
                self.newest = self.newest.max(Some(edition));
                self.ask_onwards(edition);
                self.wait_on();
            }
            Answer::Edition(edition, Err(error)) if edition == self.from => {
                self.reason = error;
                self.wait_on();
            }
            Answer::Edition(_, Err(_)) | Answer::Hint(None) => {}
            Answer::Hint(Some(edition)) => self.hint(edition),
        }
    }

    /// Looks whether a higher edition exists that somebody says does. That it is there is all that is asked at first: if
    /// it is not, this was one request.
    fn hint(&mut self, edition: u64) {
        if edition < self.from {
            if Some(edition) > self.hinted_below {
                self.hinted_below = Some(edition);
                self.follow_below();
            }
        } else if Some(edition) > self.newest
            && self.ask(edition, Patience::Probe)
            && self.end.is_some()
        {
            self.wait_on();
        }
    }

    /// If there is nothing from `from` on, an edition below may lead there.
    fn follow_below(&mut self) {
        let (true, Some(below)) = (self.wide, self.hinted_below) else {
            return;
        };
        if self.effort == Effort::Quick {
            self.ask_link(below);
        } else {
            self.ask_onwards(below);
        }
        self.wait_on();
    }

    fn wait_on(&mut self) {
        self.end = Some(Instant::now() + self.effort.wait());
    }

    /// No answer is left, or it is too late: there is a result, or one more attempt.
    fn exhausted(&mut self) -> ControlFlow<Result<u64, FetchError>> {
        if let Some(newest) = self.newest {
            return ControlFlow::Break(Ok(newest));
        }
        let missing = matches!(
            self.reason,
            BlockFetchError::NotFound | BlockFetchError::RecentlyFailed { .. }
        );
        if self.wide || !missing {
            return ControlFlow::Break(Err(self.reason.into()));
        }
        self.wide = true;
        for distance in distances() {
            self.ask(self.from.saturating_add(distance), Patience::Probe);
            if self.effort == Effort::Thorough {
                self.ask(self.from.saturating_sub(distance), Patience::Probe);
            }
        }
        if self.effort == Effort::Thorough {
            self.ask(0, Patience::Probe);
        }
        self.follow_below();
        self.wait_on();
        ControlFlow::Continue(())
    }

    /// Asks for `first`, for some editions behind it, and for a link across a wider gap.
    fn ask_onwards(&mut self, first: u64) {
        for edition in first..=first.saturating_add(self.effort.ahead()) {
            let patience = if edition == self.from {
                self.effort.patience()
            } else {
                Patience::Probe
            };
            self.ask(edition, patience);
        }
        self.ask_link(first);
    }

    /// Asks for an edition, once. Whether it did.
    fn ask(&mut self, edition: u64, patience: Patience) -> bool {
        // An address has no place for larger editions.
        let possible = i64::try_from(edition).is_ok();
        if !possible || self.asked.len() >= PROBES_MAX || !self.asked.insert(edition) {
            return false;
        }
        let fetcher = Arc::clone(self.fetcher);
        let key = self.subspace.edition(self.site, edition);
        self.tasks
            .spawn(async move { Answer::Edition(edition, exists(&fetcher, &key, patience).await) });
        true
    }

    /// Asks for the link from an edition to the next one, once.
    fn ask_link(&mut self, edition: u64) {
        if self.linked.len() < PROBES_MAX && self.linked.insert(edition) {
            self.ask_hint(hint::link_key(self.subspace, self.site, edition));
        }
    }

    fn ask_hint(&mut self, key: SignedKey) {
        let fetcher = Arc::clone(self.fetcher);
        self.tasks.spawn(async move {
            let block = fetcher
                .block(key.block_key(), Patience::Probe, Role::Top)
                .await;
            Answer::Hint(block.ok().and_then(|block| hint::edition(&key, &block)))
        });
    }
}

/// Distances from the edition that was asked for at which a wide search looks.
fn distances() -> impl Iterator<Item = u64> {
    let far = std::iter::successors(Some(WIDE_CLOSE * 2), |distance| Some(distance * 2));
    (1..=WIDE_CLOSE).chain(far.take_while(|distance| *distance <= WIDE_FAR))
}

/// Whether the document exists and opens. What was found is kept for the fetch that follows.
async fn exists(
    fetcher: &Arc<Fetcher>,
    key: &SignedKey,
    patience: Patience,
) -> Result<(), BlockFetchError> {
    let block = fetcher.block(key.block_key(), patience, Role::Top).await?;
    keep_signed(fetcher, key, &block).map_err(|_| BlockFetchError::NotFound)
}
