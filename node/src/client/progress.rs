//! The count of blocks of one request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::event::{Event, EventSink, Progress};

/// Counts the blocks of one request and tells its listener.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    events: EventSink,
    progress: Mutex<Progress>,
    started: AtomicBool,
}

impl Meter {
    pub(crate) fn new(events: EventSink) -> Self {
        Self {
            events,
            ..Self::default()
        }
    }

    /// Passes an event on.
    pub(crate) fn tell(&self, event: Event) {
        self.events.send(event);
    }

    /// The first block is about to be asked of, or given to, the network.
    pub(crate) fn started(&self) {
        if !self.started.swap(true, Ordering::Relaxed) {
            self.events.send(Event::SendingToNetwork);
        }
    }

    /// Changes the count.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Progress)) {
        let progress = {
            let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut progress);
            *progress
        };
        self.events.send(Event::Progress(progress));
    }

    /// One more block that is needed.
    pub(crate) fn expect_one(&self) {
        self.update(|progress| {
            progress.total += 1;
            progress.required += 1;
        });
    }

    /// One more block done.
    pub(crate) fn succeeded(&self) {
        self.update(|progress| progress.succeeded += 1);
    }

    /// One more block given up for the moment.
    pub(crate) fn failed(&self) {
        self.update(|progress| progress.failed += 1);
    }

    /// One more block that is damaged beyond hope.
    pub(crate) fn fatally_failed(&self) {
        self.update(|progress| progress.fatally_failed += 1);
    }
}
