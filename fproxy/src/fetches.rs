//! The fetches under way, shared by everyone who asks for the same address.
//!
//! A fetch belongs to no request: a browser that shows the progress page comes back for the result, and several pictures of
//! one page may ask for the same thing. A fetch that nobody has waited for or looked at for a while is given up; a result
//! stays for a minute, so that a player that jumps within a film does not start from the metadata each time.

mod prepare;
mod refused;
mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use crypto::Uri;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::etag::Preparation;
use crate::filter::Media;
use crate::network::{
    Document, ElsewhereReason, FetchFailure, ListingEntry, Network, Progress, Reach,
};
use crate::visitor::Purpose;
use refused::Refused;
use table::{Entry, Key, Table};

/// Pages that are filtered at the same time; each may take ten times its size in memory.
const FILTERS_MAX: usize = 2;

/// What a fetch came to.
pub(crate) type Outcome = Result<Arc<Ready>, FetchFailure>;

/// The result of a fetch, ready to be sent.
#[derive(Debug)]
pub(crate) enum Ready {
    /// A document.
    Document(Prepared),
    /// It is to be asked for elsewhere.
    Elsewhere(Uri, ElsewhereReason),
    /// A folder.
    Listing(Vec<ListingEntry>),
}

/// A document and what may be done with it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) document: Document,
    pub(crate) form: Form,
}

/// In which form a document is sent.
#[derive(Debug)]
pub(crate) enum Form {
    /// As the filter wrote it.
    Filtered {
        media_type: &'static str,
        bytes: Bytes,
    },
    /// As it is, under a harmless type.
    Harmless(Media),
    /// As a download only.
    Download { media_type: String, reason: String },
    /// As it is, to be saved.
    Raw,
    /// Not at all: it cannot be what it was asked for as.
    Unfit,
}

/// All fetches of a gateway.
pub(crate) struct Fetches {
    shared: Arc<Shared>,
}

struct Shared {
    network: Arc<dyn Network>,
    filters: Arc<Semaphore>,
    refused: Mutex<Refused>,
    time_max: Duration,
    kept_for: Duration,
    table: Mutex<Table>,
}

impl Fetches {
    pub(crate) fn new(network: Arc<dyn Network>, time_max: Duration, kept_for: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                network,
                filters: Arc::new(Semaphore::new(FILTERS_MAX)),
                refused: Mutex::default(),
                time_max,
                kept_for,
                table: Mutex::default(),
            }),
        }
    }

    /// Joins the fetch of an address or starts one.
    pub(crate) fn begin(
        &self,
        uri: &Uri,
        preparation: Preparation,
        reach: Reach,
        purpose: Purpose,
    ) -> Result<Fetch, FetchFailure> {
        let key = Key::new(uri, preparation, reach, purpose);
        let mut table = self.shared.table();
        if table.entry(&key).is_none() {
            table
                .make_room()
                .map_err(|table::Full| FetchFailure::Overloaded)?;
            let (outcome_out, outcome) = watch::channel(None);
            let (progress_out, progress) = watch::channel(Progress::default());
            let waiters = watch::Sender::new(0_usize);
            let job = Job {
                shared: Arc::clone(&self.shared),
                key: key.clone(),
                uri: uri.clone(),
                waiters: waiters.clone(),
                outcome: outcome_out,
            };
            let task = tokio::spawn(job.run(progress_out));
            table.insert(
                key.clone(),
                Entry {
                    outcome,
                    progress,
                    waiters,
                    started: Instant::now(),
                    task: task.abort_handle(),
                },
            );
        }
        let entry = table
            .entry(&key)
            .expect("it was there or was just inserted");
        entry.waiters.send_modify(|waiters| *waiters += 1);
        Ok(Fetch {
            shared: Arc::clone(&self.shared),
            key,
            outcome: entry.outcome.clone(),
            progress: entry.progress.clone(),
            waiters: entry.waiters.clone(),
            started: entry.started,
        })
    }

    /// Gives up everything.
    pub(crate) fn stop(&self) {
        self.shared.table().clear();
    }
}

impl Shared {
    fn refused(&self) -> MutexGuard<'_, Refused> {
        // At worst a panic leaves one document too many or too few in it.
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Every change of the table is a single step, so it is sound even after a panic.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits for a fetch.
pub(crate) struct Fetch {
    shared: Arc<Shared>,
    key: Key,
    outcome: watch::Receiver<Option<Outcome>>,
    progress: watch::Receiver<Progress>,
    waiters: watch::Sender<usize>,
    started: Instant,
}

impl Fetch {
    /// Waits for the result.
    pub(crate) async fn outcome(&mut self) -> Outcome {
        let outcome = match self.outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_gone) => None,
        };
        let outcome = outcome.unwrap_or(Err(FetchFailure::ShuttingDown));
        if outcome.is_err() {
            // A failure is told once; who asks again wants another try.
            self.shared.table().remove(&self.key, &self.outcome);
        }
        outcome
    }

    /// How far it has come.
    pub(crate) fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// How long it has been going on.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.waiters.send_modify(|waiters| *waiters -= 1);
    }
}

struct Job {
    shared: Arc<Shared>,
    key: Key,
    uri: Uri,
    waiters: watch::Sender<usize>,
    outcome: watch::Sender<Option<Outcome>>,
}

impl Job {
    async fn run(self, progress: watch::Sender<Progress>) {
        let work = self.shared.prepare(&self.uri, &self.key, progress);
        let work = timeout(self.shared.time_max, work);
        tokio::select! {
            done = work => {
                let outcome = done.unwrap_or(Err(FetchFailure::TimedOut));
                self.outcome.send_replace(Some(outcome.map(Arc::new)));
            }
            () = self.abandoned() => return,
        }
        self.abandoned().await;
    }

    /// Ends when nobody has waited for a while; the entry is gone then.
    async fn abandoned(&self) {
        let mut waiters = self.waiters.subscribe();
        loop {
            _ = waiters.wait_for(|waiters| *waiters == 0).await;
            let deadline = Instant::now() + self.shared.kept_for;
            tokio::select! {
                () = sleep_until(deadline) => {}
                _ = waiters.changed() => continue,
            }
            let mut table = self.shared.table();
            // Whoever joins does so under the lock.
            if *self.waiters.borrow() == 0 {
                table.remove(&self.key, &self.outcome.subscribe());
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
