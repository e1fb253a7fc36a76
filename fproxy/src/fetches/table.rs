//! The bounded table of fetches.

use std::collections::BTreeMap;

use crypto::Uri;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::{Form, Outcome, Prepared, Ready};
use crate::etag::Preparation;
use crate::network::{Progress, Reach};
use crate::visitor::Purpose;

/// Fetches under way at the same time. A page with many pictures has some dozens.
const RUNNING_MAX: usize = 128;

/// Fetches and results together.
const ENTRIES_MAX: usize = 256;

/// Bytes of filtered pages that are kept.
const PAGES_LEN_MAX: usize = 64 * 1024 * 1024;

/// What makes two requests want the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    uri: String,
    pub(super) preparation: Preparation,
    pub(super) reach: Reach,
    pub(super) purpose: Purpose,
}

impl Key {
    pub(super) fn new(uri: &Uri, preparation: Preparation, reach: Reach, purpose: Purpose) -> Self {
        Self {
            uri: uri.to_string(),
            preparation,
            reach,
            purpose: match preparation {
                Preparation::Shown => purpose,
                Preparation::Raw => Purpose::Any,
            },
        }
    }
}

pub(super) struct Entry {
    pub(super) outcome: watch::Receiver<Option<Outcome>>,
    pub(super) progress: watch::Receiver<Progress>,
    pub(super) waiters: watch::Sender<usize>,
    pub(super) started: Instant,
    pub(super) task: AbortHandle,
}

impl Entry {
    fn is_running(&self) -> bool {
        self.outcome.borrow().is_none()
    }

    fn page_len(&self) -> usize {
        match self.outcome.borrow().as_ref() {
            Some(Ok(ready)) => match &**ready {
                Ready::Document(Prepared {
                    form: Form::Filtered { bytes, .. },
                    ..
                }) => bytes.len(),
                Ready::Document(_) | Ready::Elsewhere(..) | Ready::Listing(_) => 0,
            },
            Some(Err(_)) | None => 0,
        }
    }
}

/// There is no room for another fetch.
#[derive(Debug)]
pub(super) struct Full;

#[derive(Default)]
pub(super) struct Table {
    entries: BTreeMap<Key, Entry>,
}

impl Table {
    pub(super) fn entry(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Makes room for one more fetch, at the cost of results that nobody waits for.
    pub(super) fn make_room(&mut self) -> Result<(), Full> {
        let running = self
            .entries
            .values()
            .filter(|entry| entry.is_running())
            .count();
        if running >= RUNNING_MAX {
            return Err(Full);
        }
        while self.entries.len() >= ENTRIES_MAX || self.pages_len() > PAGES_LEN_MAX {
            let idle = |entry: &Entry| !entry.is_running() && *entry.waiters.borrow() == 0;
            let oldest = self
                .entries
                .iter()
                .filter(|(_, entry)| idle(entry))
                .min_by_key(|(_, entry)| entry.started)
                .map(|(key, _)| key.clone());
            let Some(entry) = oldest.and_then(|key| self.entries.remove(&key)) else {
                return Err(Full);
            };
            entry.task.abort();
        }
        Ok(())
    }

    pub(super) fn insert(&mut self, key: Key, entry: Entry) {
        self.entries.insert(key, entry);
    }

    /// Forgets a fetch, unless another one has taken its place.
    pub(super) fn remove(&mut self, key: &Key, outcome: &watch::Receiver<Option<Outcome>>) {
        if self
            .entry(key)
            .is_some_and(|entry| entry.outcome.same_channel(outcome))
        {
            self.entries.remove(key);
        }
    }

    pub(super) fn clear(&mut self) {
        for entry in std::mem::take(&mut self.entries).into_values() {
            entry.task.abort();
        }
    }

    fn pages_len(&self) -> usize {
        self.entries.values().map(Entry::page_len).sum()
    }
}
