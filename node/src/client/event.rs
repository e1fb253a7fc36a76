//! What a running fetch or insert tells about itself.
//!
//! Events wait in a small queue until the listener takes them; nothing ever waits for the listener. Progress is a
//! state and not a happening, so only the newest one is kept; all other events are few and none is lost.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::Uri;
use tokio::sync::Notify;

use super::Hashes;

/// Most events kept for a listener that does not listen; the oldest give way. A request makes a dozen.
const EVENTS_MAX: usize = 64;

/// Something a fetch or an insert has to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The first block was asked of, or given to, the network.
    SendingToNetwork,
    /// The content type that the publisher declared.
    ExpectedMime(String),
    /// The size of the content in bytes.
    ExpectedSize(u64),
    /// The hashes of the whole content.
    ExpectedHashes(Hashes),
    /// Blocks done so far.
    Progress(Progress),
    /// Compression was found worth it and begins.
    StartedCompression,
    /// Compression ended.
    FinishedCompression {
        /// Bytes before.
        original: u64,
        /// Bytes after.
        compressed: u64,
    },
    /// The address of what is being inserted is known; it cannot be fetched yet.
    UriGenerated(Uri),
    /// What was inserted can be fetched under this address.
    PutFetchable(Uri),
}

/// Blocks of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Blocks known to belong to it, with the redundant ones.
    pub total: u64,
    /// Blocks that suffice.
    pub required: u64,
    /// Blocks fetched or stored.
    pub succeeded: u64,
    /// Blocks that were not found or not stored, and may be tried again or made up for by others.
    pub failed: u64,
    /// Blocks that are damaged beyond hope.
    pub fatally_failed: u64,
    /// Whether `total` and `required` are final.
    pub finalized: bool,
}

/// Makes a sink for a request and the stream that listens to it.
#[must_use]
pub fn event_channel() -> (EventSink, EventStream) {
    let shared = Arc::new(Shared::default());
    let sink = EventSink {
        shared: Some(Arc::new(Sender(Arc::clone(&shared)))),
    };
    (sink, EventStream { shared })
}

/// Where a request puts its events. Cheap to clone; never blocks.
#[derive(Clone, Default)]
pub struct EventSink {
    shared: Option<Arc<Sender>>,
}

impl EventSink {
    /// A sink that nobody listens to.
    #[must_use]
    pub fn ignore() -> Self {
        Self::default()
    }

    /// Puts `event` into the queue. A progress replaces the one that still waits.
    pub(crate) fn send(&self, event: Event) {
        let Some(sender) = &self.shared else { return };
        let shared = &sender.0;
        {
            let mut queue = shared.lock();
            if let Event::Progress(progress) = event {
                queue.progress = Some(progress);
            } else {
                if queue.events.len() == EVENTS_MAX {
                    queue.events.pop_front();
                }
                queue.events.push_back(event);
            }
        }
        shared.changed.notify_one();
    }
}

impl std::fmt::Debug for EventSink {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EventSink").finish_non_exhaustive()
    }
}

/// The listener's side of [`event_channel`].
#[derive(Debug)]
pub struct EventStream {
    shared: Arc<Shared>,
}

impl EventStream {
    /// Waits for the next event. `None` once the request has ended, its documents are dropped, and all was told.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let changed = self.shared.changed.notified();
            {
                let mut queue = self.shared.lock();
                if let Some(event) = queue.events.pop_front() {
                    return Some(event);
                }
                if let Some(progress) = queue.progress.take() {
                    return Some(Event::Progress(progress));
                }
                if queue.closed {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Takes the next event if one waits.
    #[must_use]
    pub fn try_next(&mut self) -> Option<Event> {
        let mut queue = self.shared.lock();
        let event = queue.events.pop_front();
        event.or_else(|| queue.progress.take().map(Event::Progress))
    }
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Event>,
    progress: Option<Progress>,
    closed: bool,
}

/// Closes the queue when the last clone of the sink is dropped.
struct Sender(Arc<Shared>);

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_newest_progress_waits_and_no_other_event_is_lost() {
        let (sink, mut stream) = event_channel();
        for succeeded in 0..1000 {
            sink.send(Event::Progress(Progress {
                succeeded,
                ..Progress::default()
            }));
        }
        sink.send(Event::SendingToNetwork);
        sink.send(Event::ExpectedSize(7));
        drop(sink);
        assert_eq!(stream.next().await, Some(Event::SendingToNetwork));
        assert_eq!(stream.next().await, Some(Event::ExpectedSize(7)));
        let Some(Event::Progress(progress)) = stream.next().await else {
            panic!("the progress is missing");
        };
        assert_eq!(progress.succeeded, 999);
        assert_eq!(stream.next().await, None);
    }

    #[tokio::test]
    async fn a_listener_wakes_up_when_an_event_comes() {
        let (sink, mut stream) = event_channel();
        let listener = tokio::spawn(async move { (stream.next().await, stream.next().await) });
        tokio::task::yield_now().await;
        sink.send(Event::SendingToNetwork);
        tokio::task::yield_now().await;
        drop(sink);
        let heard = listener.await.unwrap();
        assert_eq!(heard, (Some(Event::SendingToNetwork), None));
    }
}
