//! Inserts single blocks for one request: within the window, with patience, and counted.

use std::sync::Arc;

use crypto::{FileKey, VerifiedBlock};
use tokio::sync::Semaphore;

use routing::Role;

use super::Shared;
use super::error::InsertError;
use super::fetcher::pause;
use super::hiding::Way;
use super::network::BlockInsertError;
use super::progress::Meter;
use super::request::{InsertOptions, KeyChoice};
use super::window::Slot;

/// What all parts of one insert have in common.
pub(crate) struct Inserter {
    pub(crate) shared: Arc<Shared>,
    pub(crate) options: InsertOptions,
    pub(crate) meter: Arc<Meter>,
    /// Places for blocks that wait for an answer or for another attempt.
    pub(crate) room: Arc<Semaphore>,
    pub(crate) way: Way,
}

/// Blocks of one insert that wait for an answer, or for another attempt, at once: 12 MiB. More than a window has,
/// so that a few blocks that wait for another attempt do not hold up the rest.
const BLOCKS_UNDER_WAY_MAX: usize = 384;

/// What became of a block that had no failure.
#[derive(Debug)]
pub(crate) enum Placed {
    /// It is stored.
    Stored,
    /// Another signed block is under its key.
    Collision(VerifiedBlock),
}

impl Inserter {
    pub(crate) fn new(shared: Arc<Shared>, options: InsertOptions, meter: Meter) -> Arc<Self> {
        let hiding = options.hiding.unwrap_or_else(|| shared.config.hiding.get());
        let way = Way::new(hiding, None);
        Arc::new(Self {
            way,
            shared,
            options,
            meter: Arc::new(meter),
            room: Arc::new(Semaphore::new(BLOCKS_UNDER_WAY_MAX)),
        })
    }

    /// The key for content with this BLAKE3 hash.
    pub(crate) fn file_key(&self, blake3: &[u8; 32]) -> FileKey {
        match &self.options.key_choice {
            KeyChoice::Convergent => FileKey::convergent(blake3),
            KeyChoice::Random => FileKey::random(&mut rand::rng()),
            KeyChoice::Given(key) => key.clone(),
        }
    }

    /// Waits for a place in the window. With only the address wanted there is no window.
    pub(crate) async fn slot(&self) -> Option<Slot> {
        if self.options.address_only {
            return None;
        }
        Some(self.shared.windows.insert(self.options.class).slot().await)
    }

    /// Counts blocks that are going to be inserted.
    pub(crate) fn expect(&self, blocks: u64) {
        self.meter.update(|progress| {
            progress.total += blocks;
            progress.required += blocks;
        });
    }

    /// Inserts a block on which everything depends, alone.
    pub(crate) async fn top_block(&self, block: VerifiedBlock) -> Result<Placed, InsertError> {
        self.expect(1);
        let slot = self.slot().await;
        self.block(block, slot, Role::Top).await
    }

    /// Inserts a block, with as many attempts as make sense. `slot` is its place for the first one.
    pub(crate) async fn block(
        &self,
        block: VerifiedBlock,
        slot: Option<Slot>,
        role: Role,
    ) -> Result<Placed, InsertError> {
        let mut slot = slot;
        let mut attempts = Attempts::default();
        loop {
            let Some(place) = slot.take() else {
                self.meter.succeeded();
                return Ok(Placed::Stored);
            };
            self.meter.started();
            let result = self
                .shared
                .network
                .insert(block.clone(), self.options.class, self.way.of(role))
                .await;
            let error = match result {
                Ok(()) => {
                    self.meter.succeeded();
                    return Ok(Placed::Stored);
                }
                Err(BlockInsertError::Collision(existing)) => {
                    return Ok(Placed::Collision(existing));
                }
                Err(error) => error,
            };
            drop(place);
            let Some(wait) = attempts.pause_after(&error) else {
                self.meter.failed();
                return Err(InsertError::from_block(&error, attempts.made));
            };
            tokio::time::sleep(wait).await;
            slot = self.slot().await;
        }
    }
}

/// Attempts at one block, by what they ended in.
#[derive(Debug, Default)]
struct Attempts {
    made: u32,
    overloaded: u32,
    timed_out: u32,
    no_route: u32,
    no_circuit: u32,
    not_stored: u32,
}

impl Attempts {
    /// How long to wait before the next attempt; none if there should not be one.
    fn pause_after(&mut self, error: &BlockInsertError) -> Option<std::time::Duration> {
        self.made += 1;
        match error {
            BlockInsertError::Overloaded => pause(&mut self.overloaded, 20),
            BlockInsertError::TimedOut => pause(&mut self.timed_out, 5),
            BlockInsertError::RouteNotFound => pause(&mut self.no_route, 5),
            BlockInsertError::NoCircuit => pause(&mut self.no_circuit, 1),
            BlockInsertError::StoreFailed => pause(&mut self.not_stored, 3),
            BlockInsertError::Collision(_)
            | BlockInsertError::Cancelled
            | BlockInsertError::ShuttingDown => None,
        }
    }
}
