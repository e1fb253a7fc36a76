//! How many blocks may be under way at once, so that they do not take more than so much memory. How fast the network takes
//! them is for the node below to find out: it lets those wait that are too many.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// 8 MiB of blocks. Four windows of this size are as many requests as a router takes of its user.
const BLOCKS_MAX: usize = 256;

/// Room for blocks of one kind of request and one class.
#[derive(Debug)]
pub(crate) struct Window(Arc<Semaphore>);

/// The right to have one block under way. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
}

impl Window {
    pub(crate) fn new() -> Self {
        Self::of(BLOCKS_MAX)
    }

    /// Room for so many.
    pub(crate) fn of(blocks: usize) -> Self {
        Self(Arc::new(Semaphore::new(blocks)))
    }

    /// A place, if one is free.
    pub(crate) fn try_slot(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.0).try_acquire_owned().ok()?;
        Some(Slot { _permit: permit })
    }

    /// Waits for a free place. First come, first served.
    pub(crate) async fn slot(&self) -> Slot {
        let permit = Arc::clone(&self.0).acquire_owned().await;
        Slot {
            _permit: permit.expect("the semaphore is never closed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn fill(window: &Window) -> Vec<Slot> {
        let mut slots = Vec::new();
        while let Ok(slot) = tokio::time::timeout(Duration::ZERO, window.slot()).await {
            slots.push(slot);
        }
        slots
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_are_under_way_and_a_dropped_slot_is_free_again() {
        let window = Window::new();
        let slots = fill(&window).await;
        assert_eq!(slots.len(), BLOCKS_MAX);
        drop(slots);
        assert_eq!(fill(&window).await.len(), BLOCKS_MAX);
    }
}
