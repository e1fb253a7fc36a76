//! Threads and bounded queues in front of a [`BlockStore`], for a caller that must not wait for the disk.
//!
//! One thread writes: it takes everything that waits, writes it as one batch and answers each caller. So the more is
//! asked of it at once, the less each block costs. Other threads read, side by side.

use super::queue::{Queue, Refused, Taken};
use super::{BlockStore, Place, PutOutcome, StoreError};
use crypto::{BlockKey, VerifiedBlock};
use routing::{Existing, Origin};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How many threads and how much waiting work a [`StoreHandle`] has.
#[derive(Debug, Clone, Copy)]
pub struct DriverConfig {
    /// Lookups that wait at most. A lookup is some 100 bytes.
    pub lookups_max: usize,
    /// Blocks that wait to be written at most, of up to 32 KiB each.
    pub puts_max: usize,
    /// Threads that read.
    pub readers: usize,
    /// Longest time that acknowledged blocks stay without being forced to the disk.
    pub sync_interval: Duration,
}

impl Default for DriverConfig {
    fn default() -> Self {
        Self {
            // A guess: a quarter of a second of lookups at full speed; beyond that the network had better be told.
            lookups_max: 4096,
            // 8 MiB, about what the disk writes in the time a batch takes.
            puts_max: 256,
            // Two keep a disk busy; more only helps if much is read past the system's cache.
            readers: 2,
            // A compromise between what a loss of power takes and keeping a disk awake.
            sync_interval: Duration::from_secs(1),
        }
    }
}

/// The answer to a lookup.
pub type GetResult = Result<Option<VerifiedBlock>, StoreError>;

/// The answer to a put.
pub type PutResult = Result<PutOutcome, StoreError>;

/// The key that comes next in the store.
pub type ListResult = Result<Option<BlockKey>, StoreError>;

/// A job was not taken in; its callback will not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreBusy {
    /// The queue is full: the disk does not keep up.
    #[error("the store has too much waiting work")]
    Full,
    /// The store is closing.
    #[error("the store is closed")]
    Closed,
}

/// A store that answers by callback. Callbacks run on the store's threads and must be short and not block.
///
/// Every job that was taken in is answered, also when the handle closes. A lookup sees every put that was answered
/// before it was made.
pub struct StoreHandle {
    store: Arc<dyn BlockStore>,
    lookups: Arc<Queue<Read>>,
    puts: Arc<Queue<Put>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

enum Read {
    Lookup {
        key: BlockKey,
        origin: Origin,
        done: Box<dyn FnOnce(GetResult) + Send>,
    },
    Next {
        after: Option<BlockKey>,
        done: Box<dyn FnOnce(ListResult) + Send>,
    },
}

struct Put {
    place: Place,
    block: VerifiedBlock,
    existing: Existing,
    done: Box<dyn FnOnce(PutResult) + Send>,
}

/// Blocks taken from the queue for one batch.
const PUTS_PER_BATCH: usize = 64;

impl StoreHandle {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the system gives no threads.
    pub fn start(store: Arc<dyn BlockStore>, config: DriverConfig) -> std::io::Result<Self> {
        let handle = Self {
            store,
            lookups: Arc::new(Queue::new(config.lookups_max)),
            puts: Arc::new(Queue::new(config.puts_max)),
            threads: Mutex::new(Vec::new()),
        };
        for _ in 0..config.readers.max(1) {
            let (store, lookups) = (Arc::clone(&handle.store), Arc::clone(&handle.lookups));
            handle.spawn("store-read", move || read(&*store, &lookups))?;
        }
        let (store, puts) = (Arc::clone(&handle.store), Arc::clone(&handle.puts));
        handle.spawn("store-write", move || {
            write(&*store, &puts, config.sync_interval);
        })?;
        Ok(handle)
    }

    /// Looks a block up; `done` gets it, or `None` if it is not here. That the disk failed is logged. Only what peers look
    /// for counts as used.
    ///
    /// # Errors
    /// [`StoreBusy`]; `done` is not called then.
    pub fn lookup(
        &self,
        key: BlockKey,
        origin: Origin,
        done: impl FnOnce(GetResult) + Send + 'static,
    ) -> Result<(), StoreBusy> {
        Ok(self.lookups.add(Read::Lookup {
            key,
            origin,
            done: Box::new(done),
        })?)
    }

    /// Tells `done` which key comes after `after` in the store ([`BlockStore::next_stored`]). That the disk failed is logged.
    ///
    /// # Errors
    /// [`StoreBusy`]; `done` is not called then.
    pub fn next_stored(
        &self,
        after: Option<BlockKey>,
        done: impl FnOnce(ListResult) + Send + 'static,
    ) -> Result<(), StoreBusy> {
        Ok(self.lookups.add(Read::Next {
            after,
            done: Box::new(done),
        })?)
    }

    /// Keeps a block unless another one has its key; `done` gets the answer once a killed process would not lose it.
    ///
    /// # Errors
    /// [`StoreBusy`]; `done` is not called then.
    pub fn put(
        &self,
        place: Place,
        block: VerifiedBlock,
        done: impl FnOnce(PutResult) + Send + 'static,
    ) -> Result<(), StoreBusy> {
        self.keep(place, block, Existing::Keep, done)
    }

    /// Keeps a block, with a choice of what becomes of another one under its key. Jobs of one key are done in the order
    /// in which they are made; `done` gets the answer once a killed process would not lose the block.
    ///
    /// # Errors
    /// [`StoreBusy`]; `done` is not called then.
    pub fn keep(
        &self,
        place: Place,
        block: VerifiedBlock,
        existing: Existing,
        done: impl FnOnce(PutResult) + Send + 'static,
    ) -> Result<(), StoreBusy> {
        Ok(self.puts.add(Put {
            place,
            block,
            existing,
            done: Box::new(done),
        })?)
    }

    /// Refuses further jobs, answers those that wait, forces everything to the disk and ends the threads. Blocks until
    /// all is done; a second call finds nothing left to do.
    pub fn close(&self) {
        self.lookups.close();
        self.puts.close();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }

    /// The store behind the queues, for its figures and for callers that may block.
    pub fn store(&self) -> &Arc<dyn BlockStore> {
        &self.store
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK_LEN)
            .spawn(run);
        // An error drops the handle, and that ends the threads started before.
        self.threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(thread?);
        Ok(())
    }
}

/// The threads only call into RocksDB and run callbacks.
const STACK_LEN: usize = 1 << 20;

impl Drop for StoreHandle {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for StoreHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreHandle").finish_non_exhaustive()
    }
}

impl From<Refused> for StoreBusy {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::Full,
            Refused::Closed => Self::Closed,
        }
    }
}

fn read(store: &dyn BlockStore, lookups: &Queue<Read>) {
    // One at a time: several readers share what waits.
    while let Taken::Jobs(jobs) = lookups.take(1, None) {
        for job in jobs {
            match job {
                Read::Lookup { key, origin, done } => {
                    let result = match origin {
                        Origin::Peer => store.get(&key),
                        Origin::User => store.peek(&key),
                    };
                    warn_of(result.as_ref().err());
                    done(result);
                }
                Read::Next { after, done } => {
                    let result = store.next_stored(after.as_ref());
                    warn_of(result.as_ref().err());
                    done(result);
                }
            }
        }
    }
}

fn warn_of(failure: Option<&StoreError>) {
    if let Some(error) = failure {
        tracing::warn!(%error, "a lookup failed");
    }
}

fn write(store: &dyn BlockStore, puts: &Queue<Put>, sync_interval: Duration) {
    let mut unsynced_since: Option<Instant> = None;
    loop {
        let patience = unsynced_since.map(|since| sync_interval.saturating_sub(since.elapsed()));
        match puts.take(PUTS_PER_BATCH, patience) {
            Taken::Jobs(jobs) => {
                write_batch(store, jobs);
                unsynced_since.get_or_insert_with(Instant::now);
            }
            Taken::Nothing => {}
            Taken::Closed => break,
        }
        if unsynced_since.is_some_and(|since| since.elapsed() >= sync_interval) {
            sync(store);
            unsynced_since = None;
        }
    }
    sync(store);
}

/// Does jobs in their order: as one batch, except where a block replaces another.
fn write_batch(store: &dyn BlockStore, jobs: Vec<Put>) {
    let mut blocks = Vec::with_capacity(jobs.len());
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        match job.existing {
            Existing::Keep => {
                blocks.push((job.place, job.block));
                answers.push(job.done);
            }
            Existing::Replace => {
                put_many(store, &blocks, std::mem::take(&mut answers));
                blocks.clear();
                let result = store.replace(job.place, &job.block);
                if let Err(error) = &result {
                    tracing::warn!(%error, "a block could not be replaced");
                }
                (job.done)(result.map(|()| PutOutcome::Stored));
            }
        }
    }
    put_many(store, &blocks, answers);
}

fn put_many(
    store: &dyn BlockStore,
    blocks: &[(Place, VerifiedBlock)],
    answers: Vec<Box<dyn FnOnce(PutResult) + Send>>,
) {
    if blocks.is_empty() {
        return;
    }
    match store.put_many(blocks) {
        Ok(outcomes) => {
            for (done, outcome) in answers.into_iter().zip(outcomes) {
                done(Ok(outcome));
            }
        }
        Err(error) => {
            tracing::warn!(%error, "blocks could not be written");
            for done in answers {
                done(Err(error.clone()));
            }
        }
    }
}

fn sync(store: &dyn BlockStore) {
    if let Err(error) = store.sync() {
        tracing::warn!(%error, "blocks could not be forced to the disk");
    }
}

#[cfg(test)]
mod tests;
