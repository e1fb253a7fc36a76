//! Metadata and containers that were read a moment ago, so that a page with fifty images reads its container once.
//!
//! Several requests for the same thing at the same time share one fetch. Only what never changes is kept.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use crypto::SignedKey;
use tokio::sync::OnceCell;

use super::error::FetchError;
use super::metadata::Metadata;

/// Identifies what is kept.
pub(crate) type CacheKey = [u8; 32];

/// Something that is kept.
#[derive(Clone)]
pub(crate) enum Cached {
    /// What a block at the root of an address holds, or what it points to.
    Root(Root),
    /// The unpacked bytes of a container.
    Container(Bytes),
    /// The key that belongs to a phrase.
    Keyword(Box<SignedKey>),
}

/// What the root of an address holds.
#[derive(Clone)]
pub(crate) enum Root {
    /// A document without metadata.
    Raw(Bytes),
    /// Metadata, never [`Metadata::Outer`].
    Metadata(Arc<Metadata>),
}

/// Keeps things up to a number of bytes; the one that was not used for the longest time goes first.
pub(crate) struct Cache {
    bytes_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: HashMap<CacheKey, Slot>,
    bytes: usize,
    /// Counts uses.
    clock: u64,
}

struct Slot {
    cell: Cell,
    /// Bytes it is worth; none until it is filled.
    bytes: usize,
    used: u64,
}

type Cell = Arc<OnceCell<Result<Cached, FetchError>>>;

impl Cache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            state: Mutex::default(),
        }
    }

    /// What is kept under `key`, or what `load` finds, together with its size in memory. All who ask for the same at
    /// the same time get the same answer; a failure is not kept.
    pub(crate) async fn get_or_load<F>(
        &self,
        key: CacheKey,
        load: impl FnOnce() -> F,
    ) -> Result<Cached, FetchError>
    where
        F: Future<Output = Result<(Cached, usize), FetchError>>,
    {
        let cell = self.cell(key);
        let _abandoned = RemoveIfAbandoned {
            cache: self,
            key,
            cell: &cell,
        };
        let mut size = None;
        let load = async || {
            let (cached, bytes) = load().await?;
            size = Some(bytes);
            Ok(cached)
        };
        let result = cell.get_or_init(load).await.clone();
        match (&result, size) {
            (Ok(_), Some(bytes)) => self.filled(key, &cell, bytes),
            (Ok(_), None) => {}
            (Err(_), _) => self.remove(key, &cell),
        }
        result
    }

    /// What is kept under `key`.
    pub(crate) fn get(&self, key: CacheKey) -> Option<Cached> {
        let mut state = self.lock();
        state.clock += 1;
        let used = state.clock;
        let slot = state.slots.get_mut(&key)?;
        slot.used = used;
        slot.cell.get()?.clone().ok()
    }

    /// Keeps `cached` unless something is under `key` already.
    pub(crate) fn put(&self, key: CacheKey, cached: Cached, bytes: usize) {
        let cell = self.cell(key);
        if cell.set(Ok(cached)).is_ok() {
            self.filled(key, &cell, bytes);
        }
    }

    fn cell(&self, key: CacheKey) -> Cell {
        let mut state = self.lock();
        state.clock += 1;
        let used = state.clock;
        let slot = state.slots.entry(key).or_insert_with(|| Slot {
            cell: Cell::default(),
            bytes: 0,
            used,
        });
        slot.used = used;
        Arc::clone(&slot.cell)
    }

    /// Counts what was loaded, and makes room.
    fn filled(&self, key: CacheKey, cell: &Cell, bytes: usize) {
        let mut state = self.lock();
        let bytes = bytes + SLOT_BYTES;
        if let Some(slot) = state
            .slots
            .get_mut(&key)
            .filter(|slot| Arc::ptr_eq(&slot.cell, cell))
        {
            let before = std::mem::replace(&mut slot.bytes, bytes);
            state.bytes = state.bytes + bytes - before;
        }
        while state.bytes > self.bytes_max {
            let oldest = state
                .slots
                .iter()
                .filter(|(_, slot)| slot.bytes > 0)
                .min_by_key(|(_, slot)| slot.used);
            let Some(oldest) = oldest.map(|(key, _)| *key) else {
                return;
            };
            state.forget(oldest);
        }
    }

    fn remove(&self, key: CacheKey, cell: &Cell) {
        let mut state = self.lock();
        if state
            .slots
            .get(&key)
            .is_some_and(|slot| Arc::ptr_eq(&slot.cell, cell))
        {
            state.forget(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self, key: CacheKey) {
        if let Some(slot) = self.slots.remove(&key) {
            self.bytes -= slot.bytes;
        }
    }
}

/// Removes a slot when the last one who waited for it gave up.
struct RemoveIfAbandoned<'a> {
    cache: &'a Cache,
    key: CacheKey,
    cell: &'a Cell,
}

impl Drop for RemoveIfAbandoned<'_> {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        // Held by the table and by this request only.
        let alone = Arc::strong_count(self.cell) == 2;
        if alone
            && !self.cell.initialized()
            && state
                .slots
                .get(&self.key)
                .is_some_and(|slot| Arc::ptr_eq(&slot.cell, self.cell))
        {
            state.forget(self.key);
        }
    }
}

/// Bytes that a slot costs besides its content.
const SLOT_BYTES: usize = 200;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn container(len: usize) -> (Cached, usize) {
        (Cached::Container(Bytes::from(vec![0; len])), len)
    }

    #[tokio::test]
    async fn requests_at_the_same_time_share_one_load() {
        let cache = Cache::new(1000);
        let loads = AtomicUsize::new(0);
        let load = async || {
            loads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(container(10))
        };
        let (one, two) = tokio::join!(
            cache.get_or_load([1; 32], load),
            cache.get_or_load([1; 32], load)
        );
        assert!(one.is_ok() && two.is_ok());
        assert_eq!(loads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_failure_reaches_all_who_wait_and_is_not_kept() {
        let cache = Cache::new(1000);
        let fail = async || {
            tokio::task::yield_now().await;
            Err(FetchError::DataNotFound)
        };
        let (one, two) = tokio::join!(
            cache.get_or_load([1; 32], fail),
            cache.get_or_load([1; 32], fail)
        );
        assert!(one.is_err() && two.is_err());
        assert!(
            cache
                .get_or_load([1; 32], async || Ok(container(10)))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn the_least_recently_used_goes_first() {
        let cache = Cache::new(3 * (100 + SLOT_BYTES));
        for key in 0..3 {
            cache
                .get_or_load([key; 32], async || Ok(container(100)))
                .await
                .unwrap();
        }
        assert!(cache.get([0; 32]).is_some());
        cache.put([3; 32], container(100).0, 100);
        let kept = [0, 1, 2, 3].map(|key| cache.get([key; 32]).is_some());
        assert_eq!(kept, [true, false, true, true]);
    }

    #[tokio::test]
    async fn a_load_that_is_given_up_leaves_nothing_behind() {
        let cache = Cache::new(1000);
        {
            let load = cache.get_or_load([1; 32], std::future::pending);
            tokio::select! {
                biased;
                _ = load => unreachable!("it never ends"),
                () = std::future::ready(()) => {}
            }
        }
        assert!(cache.lock().slots.is_empty());
    }
}
