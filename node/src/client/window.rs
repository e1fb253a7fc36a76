//! How many blocks may be under way at once: additive increase while all goes well, halving when the network says that
//! it has too much to do.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Blocks under way at the beginning.
const LIMIT_START: u32 = 32;
/// Never fewer, or a lost answer would stop everything.
const LIMIT_MIN: u32 = 4;
/// Never more: peers take at most 192 bulk requests of one neighbour, and beyond that blocks go to nodes farther from
/// their keys. 128 blocks are 4 MiB of memory, and at 100 ms a block 40 MiB/s.
const LIMIT_MAX: u32 = 128;
/// One overload shows in many answers at once: only one halving within this time.
const HALVING_PAUSE: Duration = Duration::from_millis(500);

/// A window that adapts to what the network can take.
#[derive(Debug)]
pub(crate) struct Window {
    permits: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: u32,
    /// Successes since the limit last grew.
    successes: u32,
    /// Until the first overload the limit grows with every success.
    overloaded_once: bool,
    /// Permits to withdraw as they come back.
    debt: u32,
    halved_at: Option<Instant>,
}

/// How a request for a block went, as far as the window is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was answered.
    Answered,
    /// The network had too much to do, or did not answer.
    Congested,
    /// Nothing was learned.
    Unknown,
}

/// The right to have one block under way. Dropping it counts as [`Outcome::Unknown`].
#[derive(Debug)]
pub(crate) struct Slot {
    window: Arc<Window>,
    permit: Option<OwnedSemaphorePermit>,
    outcome: Outcome,
}

impl Window {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(LIMIT_START as usize)),
            state: Mutex::new(State {
                limit: LIMIT_START,
                successes: 0,
                overloaded_once: false,
                debt: 0,
                halved_at: None,
            }),
        })
    }

    /// Waits for a free place. First come, first served.
    pub(crate) async fn slot(self: &Arc<Self>) -> Slot {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await;
        Slot {
            window: Arc::clone(self),
            permit: Some(permit.expect("the semaphore is never closed")),
            outcome: Outcome::Unknown,
        }
    }

    /// Blocks that may be under way at present.
    #[cfg(test)]
    fn limit(&self) -> u32 {
        self.lock().limit
    }

    fn finish(&self, permit: OwnedSemaphorePermit, outcome: Outcome) {
        let mut state = self.lock();
        match outcome {
            Outcome::Answered => self.grow(&mut state),
            Outcome::Congested => state.halve(),
            Outcome::Unknown => {}
        }
        drop(permit);
        if state.debt > 0 {
            let withdrawn = self.permits.forget_permits(state.debt as usize);
            state.debt -= u32::try_from(withdrawn).unwrap_or(state.debt);
        }
    }

    fn grow(&self, state: &mut State) {
        state.successes += 1;
        let needed = if state.overloaded_once {
            state.limit
        } else {
            1
        };
        if state.limit < LIMIT_MAX && state.successes >= needed {
            state.successes = 0;
            state.limit += 1;
            if state.debt > 0 {
                state.debt -= 1;
            } else {
                self.permits.add_permits(1);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn halve(&mut self) {
        let now = Instant::now();
        if self
            .halved_at
            .is_some_and(|then| now - then < HALVING_PAUSE)
        {
            return;
        }
        self.halved_at = Some(now);
        self.overloaded_once = true;
        self.successes = 0;
        let limit = (self.limit / 2).max(LIMIT_MIN);
        self.debt += self.limit - limit;
        self.limit = limit;
    }
}

impl Slot {
    /// Gives the place back and tells how it went.
    pub(crate) fn finish(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.window.finish(permit, self.outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fill(window: &Arc<Window>) -> Vec<Slot> {
        let mut slots = Vec::new();
        while let Ok(slot) = tokio::time::timeout(Duration::ZERO, window.slot()).await {
            slots.push(slot);
        }
        slots
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_grows_to_its_maximum_while_all_goes_well() {
        let window = Window::new();
        assert_eq!(fill(&window).await.len(), 32);
        for _ in 0..1000 {
            window.slot().await.finish(Outcome::Answered);
        }
        assert_eq!(fill(&window).await.len(), 128);
    }

    #[tokio::test(start_paused = true)]
    async fn one_overload_seen_in_many_answers_halves_once() {
        let window = Window::new();
        for slot in fill(&window).await {
            slot.finish(Outcome::Congested);
        }
        assert_eq!(window.limit(), 16);
        assert_eq!(fill(&window).await.len(), 16);
    }

    #[tokio::test(start_paused = true)]
    async fn it_never_closes_and_recovers_slowly() {
        let window = Window::new();
        for _ in 0..20 {
            tokio::time::advance(HALVING_PAUSE).await;
            window.slot().await.finish(Outcome::Congested);
        }
        assert_eq!(window.limit(), LIMIT_MIN);
        for _ in 0..LIMIT_MIN {
            window.slot().await.finish(Outcome::Answered);
        }
        assert_eq!(window.limit(), LIMIT_MIN + 1);
        assert_eq!(fill(&window).await.len(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_slot_is_free_again() {
        let window = Window::new();
        drop(fill(&window).await);
        assert_eq!(fill(&window).await.len(), 32);
    }
}
