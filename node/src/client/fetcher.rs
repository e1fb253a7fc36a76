//! Fetches single blocks for one request: within the window, with patience, and counted.

use std::sync::Arc;
use std::time::Duration;

use crypto::{BlockKey, VerifiedBlock};
use rand::RngExt;

use routing::Role;

use super::Shared;
use super::healer::Healing;
use super::hiding::Way;
use super::network::{BlockFetchError, BlockFuture, Effort};
use super::progress::Meter;
use super::request::{FetchOptions, Reach};

/// What all parts of one fetch have in common.
#[derive(Debug)]
pub(crate) struct Fetcher {
    pub(crate) shared: Arc<Shared>,
    pub(crate) options: FetchOptions,
    pub(crate) meter: Meter,
    way: Way,
}

/// How much effort a block is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Everything depends on it.
    Needed,
    /// Others can take its place.
    Spare,
    /// It is probably not there: one search is enough.
    Probe,
}

impl Patience {
    /// How thoroughly the node is to search.
    const fn effort(self) -> Effort {
        match self {
            Self::Needed | Self::Spare => Effort::Thorough,
            Self::Probe => Effort::Probe,
        }
    }
}

impl Fetcher {
    pub(crate) fn new(shared: Arc<Shared>, options: FetchOptions, meter: Meter) -> Arc<Self> {
        let hiding = options.hiding.unwrap_or_else(|| shared.config.hiding.get());
        let way = Way::new(hiding, options.group);
        Arc::new(Self {
            shared,
            options,
            meter,
            way,
        })
    }

    /// Fetches a block on which everything depends, as often as the options say.
    pub(crate) async fn needed(&self, key: BlockKey) -> Result<VerifiedBlock, BlockFetchError> {
        self.meter.expect_one();
        let mut rounds = Rounds::new(self.options.retries);
        let mut appeared: Option<BlockFuture<'_, ()>> = None;
        loop {
            let error = match self.block(key, Patience::Needed, Role::Top).await {
                Ok(block) => {
                    self.meter.succeeded();
                    return Ok(block);
                }
                Err(error) => error,
            };
            let news = async {
                // Who subscribes tells its neighbours the key
                if self.options.reach == Reach::StoreOnly || !self.way.is_open() {
                    return std::future::pending().await;
                }
                // Kept from one round to the next: what comes during a search is heard of after it
                let waiting = appeared.get_or_insert_with(|| self.shared.network.appeared(key));
                waiting.await;
                appeared = None;
            };
            let retry = error != BlockFetchError::ShuttingDown && rounds.another(news).await;
            if !retry {
                self.meter.failed();
                return Err(error);
            }
        }
    }

    /// Fetches a block, with a few attempts where that makes sense.
    pub(crate) async fn block(
        &self,
        key: BlockKey,
        patience: Patience,
        role: Role,
    ) -> Result<VerifiedBlock, BlockFetchError> {
        let mut attempts = Attempts::default();
        loop {
            let error = match self.ask(key, patience.effort(), role).await {
                Ok(block) if block.key() == key => return Ok(block),
                // The network broke its promise. Another answer may come from elsewhere.
                Ok(_) => BlockFetchError::NotFound,
                Err(error) => error,
            };
            let Some(pause) = attempts.pause_after(error, patience) else {
                return Err(error);
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// The right to give back a block that was missing and could be rebuilt. Who only looks into the own store gives none.
    pub(crate) fn healing(&self) -> Option<Healing> {
        (self.options.reach != Reach::StoreOnly)
            .then(|| Healing::begin(&self.shared, self.way))
            .flatten()
    }

    async fn ask(
        &self,
        key: BlockKey,
        effort: Effort,
        role: Role,
    ) -> Result<VerifiedBlock, BlockFetchError> {
        let network = &self.shared.network;
        if self.options.reach == Reach::StoreOnly {
            return network.fetch_stored(key).await;
        }
        let _slot = self.shared.windows.fetch(self.options.class).slot().await;
        self.meter.started();
        let anonymity = self.way.of(role);
        network
            .fetch(key, self.options.class, effort, anonymity)
            .await
    }
}

/// Attempts at one block, by what they ended in.
#[derive(Debug, Default)]
struct Attempts {
    overloaded: u32,
    timed_out: u32,
    no_route: u32,
    no_circuit: u32,
    recently_failed: u32,
}

impl Attempts {
    /// How long to wait before the next attempt; none if there should not be one.
    fn pause_after(&mut self, error: BlockFetchError, patience: Patience) -> Option<Duration> {
        let needed = patience == Patience::Needed;
        match error {
            BlockFetchError::Overloaded => pause(&mut self.overloaded, if needed { 10 } else { 6 }),
            BlockFetchError::TimedOut if needed => pause(&mut self.timed_out, 2),
            // This says nothing about the block: links may be about to come back.
            BlockFetchError::RouteNotFound => pause(&mut self.no_route, if needed { 5 } else { 4 }),
            // The node has waited for one, for long
            BlockFetchError::NoCircuit => pause(&mut self.no_circuit, 1),
            BlockFetchError::RecentlyFailed { retry_after }
                if needed && self.recently_failed == 0 =>
            {
                self.recently_failed = 1;
                Some(retry_after.min(RECENTLY_FAILED_WAIT_MAX))
            }
            _ => None,
        }
    }
}

/// The longest pause after which a search that failed a moment ago is worth another attempt.
const RECENTLY_FAILED_WAIT_MAX: Duration = Duration::from_secs(20);

/// The pause before attempt `*count + 1` of `attempts_max`: growing, and never the same for two blocks, so that those
/// refused together do not come back together.
pub(crate) fn pause(count: &mut u32, attempts_max: u32) -> Option<Duration> {
    if *count >= attempts_max {
        return None;
    }
    let longest = PAUSE_MIN
        .saturating_mul(1 << (*count).min(10))
        .min(PAUSE_MAX);
    *count += 1;
    Some(longest.mul_f64(rand::rng().random_range(0.5..1.0)))
}

const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Repetitions of a search that found nothing.
#[derive(Debug)]
pub(crate) struct Rounds {
    left: u32,
    done: u32,
}

impl Rounds {
    /// As many as `retries`; `u32::MAX` never ends.
    pub(crate) const fn new(retries: u32) -> Self {
        Self {
            left: retries,
            done: 0,
        }
    }

    /// Waits until it makes sense to search again: for a while, or until there are `news`. False if there should be no other
    /// search; then it does not wait.
    pub(crate) async fn another(&mut self, news: impl Future<Output = ()>) -> bool {
        if self.left == 0 {
            return false;
        }
        if self.left != u32::MAX {
            self.left -= 1;
        }
        let wait = ROUND_WAIT_MIN
            .saturating_mul(1 << self.done.min(10))
            .min(ROUND_WAIT_MAX);
        self.done = self.done.saturating_add(1);
        // Whichever comes first
        let _ = tokio::time::timeout(wait, news).await;
        true
    }
}

const ROUND_WAIT_MIN: Duration = Duration::from_secs(1);
/// A block that was never there may be inserted any time; asking more often is a burden for everybody.
const ROUND_WAIT_MAX: Duration = Duration::from_secs(120);
