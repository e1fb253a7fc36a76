//! The client layer over a network that lives in memory.

mod hidden;
mod hostile;
mod keys;
mod losses;
mod resources;
mod round_trips;
mod sites;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use crypto::{BlockKey, BlockKind, InsertUri, Uri, VerifiedBlock};

use super::*;

/// A network of one map, which can lose blocks, be slow, or be overloaded, and counts what is asked of it.
pub(super) struct MemoryNetwork {
    blocks: Mutex<BTreeMap<BlockKey, VerifiedBlock>>,
    lost: Mutex<BTreeSet<BlockKey>>,
    last_fetched: Mutex<Option<BlockKey>>,
    inserted: tokio::sync::Notify,
    delay: Duration,
    /// So many of the next inserts are refused.
    refusals: AtomicUsize,
    /// Inserts get no answer.
    holds_inserts: AtomicBool,
    /// So many of the next fetches get no answer.
    timeouts: AtomicUsize,
    fetches: AtomicUsize,
    inserts: AtomicUsize,
    under_way: AtomicUsize,
    under_way_max: AtomicUsize,
    /// How each request was to leave the node.
    ways: Mutex<Vec<(BlockKey, Anonymity)>>,
    subscriptions: AtomicUsize,
}

impl MemoryNetwork {
    pub(super) fn new() -> Arc<Self> {
        Self::slow(Duration::ZERO)
    }

    /// Each answer takes so long.
    pub(super) fn slow(delay: Duration) -> Arc<Self> {
        Arc::new(Self {
            blocks: Mutex::default(),
            lost: Mutex::default(),
            last_fetched: Mutex::default(),
            inserted: tokio::sync::Notify::new(),
            delay,
            refusals: AtomicUsize::new(0),
            holds_inserts: AtomicBool::new(false),
            timeouts: AtomicUsize::new(0),
            fetches: AtomicUsize::new(0),
            inserts: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            under_way_max: AtomicUsize::new(0),
            ways: Mutex::default(),
            subscriptions: AtomicUsize::new(0),
        })
    }

    pub(super) fn client(self: &Arc<Self>) -> Arc<Client> {
        Client::new(
            Arc::clone(self) as Arc<dyn BlockNetwork>,
            ClientConfig {
                hiding: Arc::new(UsualHiding::new(Hiding::Off)),
                ..ClientConfig::new(std::env::temp_dir())
            },
        )
    }

    pub(super) fn keys(&self) -> Vec<BlockKey> {
        lock(&self.blocks).keys().copied().collect()
    }

    pub(super) fn last_fetched(&self) -> BlockKey {
        lock(&self.last_fetched).expect("something was fetched")
    }

    pub(super) fn lose(&self, key: BlockKey) {
        lock(&self.lost).insert(key);
    }

    /// Nobody has the block any more, until somebody inserts it.
    pub(super) fn forget(&self, key: BlockKey) {
        lock(&self.blocks).remove(&key);
    }

    /// Waits until a block is there again. Fails if it does not come.
    pub(super) async fn is_back(&self, key: BlockKey) {
        let back = tokio::time::timeout(Duration::from_secs(60), self.appeared(key));
        back.await.expect("the block is inserted again");
    }

    pub(super) fn find_again(&self) {
        lock(&self.lost).clear();
    }

    pub(super) fn refuse_next(&self, inserts: usize) {
        self.refusals.store(inserts, Ordering::Relaxed);
    }

    /// From now on no insert ends.
    pub(super) fn hold_inserts(&self) {
        self.holds_inserts.store(true, Ordering::Relaxed);
    }

    /// The keys of all requests since the last call, in their order.
    pub(super) fn asked(&self) -> Vec<BlockKey> {
        let ways = std::mem::take(&mut *lock(&self.ways));
        ways.into_iter().map(|(key, _)| key).collect()
    }

    pub(super) fn time_out_next(&self, fetches: usize) {
        self.timeouts.store(fetches, Ordering::Relaxed);
    }

    pub(super) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }

    pub(super) fn inserts(&self) -> usize {
        self.inserts.load(Ordering::Relaxed)
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    pub(super) fn under_way_max(&self) -> usize {
        self.under_way_max.load(Ordering::Relaxed)
    }

    fn enter(&self) -> UnderWay<'_> {
        let now = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.under_way_max.fetch_max(now, Ordering::Relaxed);
        UnderWay(&self.under_way)
    }

    async fn answer(&self) {
        if self.delay.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(self.delay).await;
        }
    }

    fn find(&self, key: BlockKey) -> Result<VerifiedBlock, BlockFetchError> {
        let lost = lock(&self.lost).contains(&key);
        let block = lock(&self.blocks).get(&key).cloned();
        block.filter(|_| !lost).ok_or(BlockFetchError::NotFound)
    }
}

/// Takes one from `count`. False if there is none left.
fn one_less(count: &AtomicUsize) -> bool {
    let less = |left: usize| left.checked_sub(1);
    count
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        .is_ok()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl BlockNetwork for MemoryNetwork {
    fn fetch(
        &self,
        key: BlockKey,
        _: Class,
        _: Effort,
        anonymity: Anonymity,
    ) -> BlockFuture<'_, Result<VerifiedBlock, BlockFetchError>> {
        Box::pin(async move {
            let _under_way = self.enter();
            self.fetches.fetch_add(1, Ordering::Relaxed);
            lock(&self.ways).push((key, anonymity));
            *lock(&self.last_fetched) = Some(key);
            self.answer().await;
            if one_less(&self.timeouts) {
                return Err(BlockFetchError::TimedOut);
            }
            self.find(key)
        })
    }

    fn fetch_stored(
        &self,
        key: BlockKey,
    ) -> BlockFuture<'_, Result<VerifiedBlock, BlockFetchError>> {
        Box::pin(async move { self.find(key) })
    }

    fn insert(
        &self,
        block: VerifiedBlock,
        _: Class,
        anonymity: Anonymity,
    ) -> BlockFuture<'_, Result<(), BlockInsertError>> {
        Box::pin(async move {
            let _under_way = self.enter();
            self.inserts.fetch_add(1, Ordering::Relaxed);
            lock(&self.ways).push((block.key(), anonymity));
            self.answer().await;
            if self.holds_inserts.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            if one_less(&self.refusals) {
                return Err(BlockInsertError::Overloaded);
            }
            let mut blocks = lock(&self.blocks);
            match blocks.get(&block.key()) {
                Some(there)
                    if there.bytes() != block.bytes() && block.key().kind == BlockKind::Signed =>
                {
                    Err(BlockInsertError::Collision(there.clone()))
                }
                _ => {
                    blocks.insert(block.key(), block);
                    self.inserted.notify_waiters();
                    Ok(())
                }
            }
        })
    }

    fn appeared(&self, key: BlockKey) -> BlockFuture<'_, ()> {
        self.subscriptions.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            while self.find(key).is_err() {
                self.inserted.notified().await;
            }
        })
    }
}

/// Bytes that do not compress, the same for the same arguments.
pub(super) fn noise(len: usize, seed: u64) -> Bytes {
    let mut bytes = vec![0; len];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    Bytes::from(bytes)
}

/// Bytes that compress well.
pub(super) fn prose(len: usize) -> Bytes {
    let line =
        |number: usize| format!("line {number} of a text that says the same again and again\n");
    let mut text: Vec<u8> = (0..len / 40 + 1)
        .flat_map(|number| line(number).into_bytes())
        .collect();
    text.truncate(len);
    Bytes::from(text)
}

pub(super) fn request(target: &str, content: Bytes, content_type: Option<&str>) -> InsertRequest {
    InsertRequest {
        target: InsertUri::parse(target).unwrap(),
        source: Source::Bytes(content),
        content_type: content_type.map(str::to_owned),
        file_name: None,
        options: InsertOptions::default(),
    }
}

pub(super) async fn put(client: &Client, request: InsertRequest) -> Uri {
    client
        .insert(request, EventSink::ignore())
        .await
        .unwrap()
        .uri
}

pub(super) async fn open(client: &Client, uri: &Uri) -> Result<Document, FetchError> {
    client
        .open(uri, FetchOptions::default(), EventSink::ignore())
        .await
}

pub(super) async fn get(client: &Client, uri: &Uri) -> Result<Bytes, FetchError> {
    open(client, uri).await?.read_all().await
}

/// `uri` with `path` behind it.
pub(super) fn at(uri: &Uri, path: &str) -> Uri {
    let mut parts = uri.path().to_vec();
    parts.extend(path.split('/').map(str::to_owned));
    uri.clone().with_path(parts)
}

/// A fresh subspace, as the beginning of an insert address without its type: `@…/`.
pub(super) fn subspace(seed: u8) -> String {
    let secret = SubspaceSecret::from_parts(&[seed; 32], &[seed; 32]);
    secret
        .insert_uri_string()
        .strip_prefix("SSK")
        .unwrap()
        .to_owned()
}
