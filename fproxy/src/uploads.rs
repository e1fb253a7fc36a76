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

impl Entry {
    /// A task that panicked leaves no outcome, but closes the channel.
    fn is_running(&self) -> bool {
        self.outcome.borrow().is_none() && self.outcome.has_changed().is_ok()
    }
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
        has_room(&self.table())
    }

    /// Begins to insert and returns a name, which cannot be guessed, to ask for it.
    pub(crate) fn begin(&self, title: String, upload: Upload) -> Result<String, InsertFailure> {
        let mut table = self.table();
        if !has_room(&table) {
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
        while table.len() >= KEPT_MAX {
            let done = table.iter().filter(|(_, entry)| !entry.is_running());
            let oldest = done
                .min_by_key(|(_, entry)| entry.started)
                .map(|(id, _)| id.clone());
            let Some(oldest) = oldest else {
                break;
            };
            table.remove(&oldest);
        }
        table.insert(id.clone(), entry);
        Ok(id)
    }

    /// Looks at an upload.
    pub(crate) fn state(&self, id: &str) -> Option<UploadState> {
        let table = self.table();
        let entry = table.get(id)?;
        let gone = !entry.is_running();
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

fn has_room(table: &BTreeMap<String, Entry>) -> bool {
    table.values().filter(|entry| entry.is_running()).count() < RUNNING_MAX
}

fn random_id() -> String {
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    BASE64URL_NOPAD.encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{
        BoxFuture, FetchFailure, Found, NodeStatus, OpenOptions, SettingFailure, Source, Target,
    };

    struct Broken;

    impl Network for Broken {
        fn open(
            &self,
            _uri: Uri,
            _options: OpenOptions,
            _progress: watch::Sender<Progress>,
        ) -> BoxFuture<'_, Result<Found, FetchFailure>> {
            unreachable!("nothing is fetched")
        }

        fn insert(
            &self,
            _upload: Upload,
            _progress: watch::Sender<Progress>,
        ) -> BoxFuture<'_, Result<Uri, InsertFailure>> {
            panic!("an insert with a defect")
        }

        fn status(&self) -> BoxFuture<'_, NodeStatus> {
            unreachable!("nobody asks for it")
        }

        fn set_hops(&self, _hops: u8) -> BoxFuture<'_, Result<(), SettingFailure>> {
            unreachable!("nobody changes it")
        }
    }

    #[tokio::test]
    async fn uploads_that_broke_off_make_room_for_others() {
        let uploads = Uploads::new(Arc::new(Broken));
        for _ in 0..2 * KEPT_MAX {
            let source = Source::Site {
                files: Vec::new(),
                default_document: None,
            };
            let target = Target::Private;
            let id = uploads
                .begin("x".to_owned(), Upload { target, source })
                .expect("those that broke off take no place");
            while uploads.state(&id).unwrap().outcome.is_none() {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(uploads.table().len(), KEPT_MAX);
    }
}
