use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;
use tokio::task::{spawn_blocking, yield_now};

use super::*;
use crate::network::{
    BoxFuture, Content, Found, InsertFailure, NodeStatus, OpenOptions, SettingFailure, Upload,
};

/// A network in which every address leads to one page.
struct OnePage {
    page: Bytes,
    bytes_read: Arc<AtomicU64>,
}

impl OnePage {
    fn new(page: impl Into<Bytes>) -> Self {
        Self {
            page: page.into(),
            bytes_read: Arc::default(),
        }
    }

    fn document(&self, uri: Uri) -> Document {
        Document {
            uri,
            content_type: Some("text/html".to_owned()),
            size: self.page.len() as u64,
            content_hash: Some(*blake3::hash(&self.page).as_bytes()),
            content: Box::new(InMemory(self.page.clone(), Arc::clone(&self.bytes_read))),
        }
    }
}

struct InMemory(Bytes, Arc<AtomicU64>);

impl Content for InMemory {
    fn read(&self, range: Range<u64>) -> mpsc::Receiver<Result<Bytes, FetchFailure>> {
        self.1.fetch_add(range.end - range.start, Ordering::SeqCst);
        let place = |offset: u64| usize::try_from(offset).unwrap();
        let (pieces, receiver) = mpsc::channel(1);
        let piece = self.0.slice(place(range.start)..place(range.end));
        pieces.try_send(Ok(piece)).unwrap();
        receiver
    }
}

impl Network for OnePage {
    fn open(
        &self,
        uri: Uri,
        _options: OpenOptions,
        _progress: watch::Sender<Progress>,
    ) -> BoxFuture<'_, Result<Found, FetchFailure>> {
        Box::pin(async { Ok(Found::Document(self.document(uri))) })
    }

    fn insert(
        &self,
        _upload: Upload,
        _progress: watch::Sender<Progress>,
    ) -> BoxFuture<'_, Result<Uri, InsertFailure>> {
        unreachable!("nothing is published")
    }

    fn status(&self) -> BoxFuture<'_, NodeStatus> {
        unreachable!("nobody asks for it")
    }

    fn set_hops(&self, _hops: u8) -> BoxFuture<'_, Result<(), SettingFailure>> {
        unreachable!("nobody changes it")
    }
}

/// A document without content at a phrase.
pub(super) fn document(phrase: &str) -> Document {
    OnePage::new("").document(format!("KSK@{phrase}").parse().unwrap())
}

fn shared(network: OnePage) -> Arc<Shared> {
    let hour = Duration::from_secs(3600);
    Fetches::new(Arc::new(network), hour, hour).shared
}

async fn prepared(shared: &Shared) -> Ready {
    let uri: Uri = "KSK@page.html".parse().unwrap();
    let key = Key::new(&uri, Preparation::Shown, Reach::Network, Purpose::Any);
    let progress = watch::Sender::default();
    shared.prepare(&uri, &key, progress).await.unwrap()
}

#[tokio::test]
async fn what_was_refused_once_is_neither_read_nor_filtered_again() {
    let network = OnePage::new("<div>".repeat(10_000));
    let bytes_read = Arc::clone(&network.bytes_read);
    let shared = shared(network);
    let mut read = Vec::new();
    for _ in 0..2 {
        let Ready::Document(Prepared {
            form: Form::Download { reason, .. },
            ..
        }) = prepared(&shared).await
        else {
            panic!("such a page is only offered as a download");
        };
        assert!(reason.contains("nested"), "{reason}");
        read.push(bytes_read.swap(0, Ordering::SeqCst));
    }
    assert_eq!(read, [4096 + 50_000, 4096]);
}

#[test]
fn a_filter_that_works_on_keeps_its_place_when_nobody_waits_any_more() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        // The only thread for blocking work is busy, so the filter cannot come to its end.
        let (let_go, busy) = std::sync::mpsc::channel();
        let blocker = spawn_blocking(move || busy.recv());
        let shared = shared(OnePage::new("<p>x"));
        let fetch = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move { prepared(&shared).await }
        });
        while shared.filters.available_permits() == FILTERS_MAX {
            yield_now().await;
        }
        fetch.abort();
        assert!(fetch.await.unwrap_err().is_cancelled());
        assert_eq!(shared.filters.available_permits(), FILTERS_MAX - 1);
        let_go.send(()).unwrap();
        blocker.await.unwrap().unwrap();
        // The place comes back with the end of the filter.
        let all = u32::try_from(FILTERS_MAX).unwrap();
        drop(shared.filters.acquire_many(all).await.unwrap());
    });
}
