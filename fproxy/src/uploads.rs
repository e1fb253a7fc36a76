//! What is being published.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crypto::Uri;
use data_encoding::BASE64URL_NOPAD;
use rand::Rng as _;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::network::{InsertFailure, Network, Progress, Upload};

/// Uploads that are inserted at the same time.
const RUNNING_MAX: usize = 8;

/// Uploads that are remembered, with those that are done.
const KEPT_MAX: usize = 64;

/// All uploads of a gateway, until it stops.
pub(crate) struct Uploads {
    network: Arc<dyn Network>,
    table: Mutex<BTreeMap<String, Entry>>,
}

struct Entry {
    title: String,
    started: Instant,
    progress: watch::Receiver<Progress>,
    outcome: watch::Receiver<Option<Result<Uri, InsertFailure>>>,
    task: AbortHandle,
}

/// A look at an upload.
pub(crate) struct UploadState {
    /// What the user sent, in a few words.
    pub(crate) title: String,
    /// When it began.
    pub(crate) started: Instant,
    /// How far it has come.
    pub(crate) progress: Progress,
    /// Where it can be read, or why not; nothing while it is under way.
    pub(crate) outcome: Option<Result<Uri, InsertFailure>>,
}

impl Uploads {
    pub(crate) fn new(network: Arc<dyn Network>) -> Self {
        Self {
            network,
            table: Mutex::default(),
        }
    }

    /// Whether another upload would be accepted.
    pub(crate) fn has_room(&self) -> bool {
        let running = |entry: &&Entry| entry.outcome.borrow().is_none();
        self.table().values().filter(running).count() < RUNNING_MAX
    }

    /// Begins to insert and returns a name, which cannot be guessed, to ask for it.
    pub(crate) fn begin(&self, title: String, upload: Upload) -> Result<String, InsertFailure> {
        if !self.has_room() {
            return Err(InsertFailure::Overloaded);
        }
        let (progress_out, progress) = watch::channel(Progress::default());
        let (outcome_out, outcome) = watch::channel(None);
        let network = Arc::clone(&self.network);
        let task = tokio::spawn(async move {
            let result = network.insert(upload, progress_out).await;
            outcome_out.send_replace(Some(result));
        });
        let entry = Entry {
            title,
            started: Instant::now(),
            progress,
            outcome,
            task: task.abort_handle(),
        };
        let id = random_id();
        let mut table = self.table();
        while table.len() >= KEPT_MAX {
            let done = table
                .iter()
                .filter(|(_, entry)| entry.outcome.borrow().is_some());
            let oldest = done
                .min_by_key(|(_, entry)| entry.started)
                .map(|(id, _)| id.clone());
            oldest.and_then(|id| table.remove(&id));
        }
        table.insert(id.clone(), entry);
        Ok(id)
    }

    /// Looks at an upload.
    pub(crate) fn state(&self, id: &str) -> Option<UploadState> {
        let table = self.table();
        let entry = table.get(id)?;
        let gone = entry.outcome.has_changed().is_err();
        let outcome = entry.outcome.borrow().clone();
        Some(UploadState {
            title: entry.title.clone(),
            started: entry.started,
            progress: *entry.progress.borrow(),
            outcome: match outcome {
                None if gone => Some(Err(InsertFailure::Internal(
                    "the upload broke off".to_owned(),
                ))),
                outcome => outcome,
            },
        })
    }

    /// Gives up everything.
    pub(crate) fn stop(&self) {
        for entry in std::mem::take(&mut *self.table()).into_values() {
            entry.task.abort();
        }
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        // Every change of the table is a single step, so it is sound even after a panic.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random_id() -> String {
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    BASE64URL_NOPAD.encode(&bytes)
}
