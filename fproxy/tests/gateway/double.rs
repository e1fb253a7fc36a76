//! A network in memory, which counts what is asked of it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use crypto::{ContentExtra, ContentKey, FileKey, SubspaceSecret, Uri};
use fproxy::network::{
    AnonymityStatus, BoxFuture, Content, Document, ElsewhereReason, FetchFailure, Found,
    InsertFailure, LinkStatus, ListingEntry, Network, NodeStatus, OpenOptions, PeerStatus, Phase,
    Progress, Reach, SettingFailure, Source, StoreStatus, Target, Upload,
};
use tokio::sync::{mpsc, watch};

/// Bytes of one piece of a stream.
const PIECE_LEN: usize = 10_000;

/// What an address leads to.
#[derive(Clone)]
pub(crate) enum Entry {
    /// A document.
    Document {
        content_type: Option<&'static str>,
        bytes: Bytes,
    },
    /// A document of which only this many bytes come.
    Torn { size: u64, bytes: Bytes },
    /// A document of which nothing comes after its first bytes, and no end either.
    Stuck,
    /// Another address.
    Elsewhere(Box<Uri>, ElsewhereReason),
    /// A folder.
    Listing(Vec<ListingEntry>),
    /// A failure.
    Failure(FetchFailure),
    /// The other entry, after [`Double::release`].
    Slow(Box<Self>),
}

/// The network.
pub(crate) struct Double {
    entries: Mutex<BTreeMap<String, Entry>>,
    released: watch::Sender<bool>,
    opens: AtomicUsize,
    bytes_read: Arc<AtomicUsize>,
    /// What was published, in words, with the bytes of all files.
    pub(crate) inserted: Mutex<Vec<(String, Vec<u8>)>>,
    /// How inserts end, if not well.
    pub(crate) insert_failure: Mutex<Option<InsertFailure>>,
    /// Fetches that the gateway gave up while they waited.
    given_up: watch::Sender<usize>,
    /// The level of anonymity.
    pub(crate) hops: Mutex<u8>,
    /// Options of the last call.
    pub(crate) last_reach: Mutex<Option<Reach>>,
}

impl Double {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            entries: Mutex::default(),
            released: watch::Sender::new(false),
            opens: AtomicUsize::new(0),
            bytes_read: Arc::default(),
            inserted: Mutex::default(),
            insert_failure: Mutex::default(),
            given_up: watch::Sender::new(0),
            hops: Mutex::new(6),
            last_reach: Mutex::default(),
        })
    }

    /// Puts something under an address.
    pub(crate) fn put(&self, uri: &str, entry: Entry) {
        let uri: Uri = uri.parse().expect("tests use valid keys");
        self.entries
            .lock()
            .expect("no test panics here")
            .insert(uri.to_string(), entry);
    }

    /// Puts a document under an address.
    pub(crate) fn put_document(
        &self,
        uri: &str,
        content_type: &'static str,
        bytes: impl Into<Bytes>,
    ) {
        let bytes = bytes.into();
        self.put(
            uri,
            Entry::Document {
                content_type: Some(content_type),
                bytes,
            },
        );
    }

    /// Lets all slow entries through.
    pub(crate) fn release(&self) {
        self.released.send_replace(true);
    }

    /// Waits until the gateway has given up a slow entry.
    pub(crate) async fn gives_up(&self) {
        let mut given_up = self.given_up.subscribe();
        let gone = given_up.wait_for(|given_up| *given_up > 0).await;
        assert!(gone.is_ok());
    }

    /// Calls of `open` so far.
    pub(crate) fn opens(&self) -> usize {
        self.opens.load(Ordering::SeqCst)
    }

    /// Bytes that were read so far.
    pub(crate) fn bytes_read(&self) -> usize {
        self.bytes_read.load(Ordering::SeqCst)
    }

    async fn find(
        &self,
        uri: Uri,
        options: OpenOptions,
        progress: watch::Sender<Progress>,
    ) -> Result<Found, FetchFailure> {
        self.opens.fetch_add(1, Ordering::SeqCst);
        *self.last_reach.lock().expect("no test panics here") = Some(options.reach);
        let found = self
            .entries
            .lock()
            .expect("no test panics here")
            .get(&uri.to_string())
            .cloned();
        let mut entry = found.ok_or(match options.reach {
            Reach::Network => FetchFailure::NotFound,
            Reach::StoreOnly => FetchFailure::NotStored,
        })?;
        if let Entry::Slow(later) = entry {
            progress.send_replace(Progress {
                done: 312,
                needed: 1024,
                total: 1280,
                failed: 3,
                phase: Phase::Fetching,
            });
            let waiting = Waiting(Some(&self.given_up));
            let mut released = self.released.subscribe();
            _ = released.wait_for(|released| *released).await;
            waiting.done();
            entry = *later;
        }
        let (content_type, size, bytes) = match entry {
            Entry::Document {
                content_type,
                bytes,
            } => (content_type, bytes.len() as u64, bytes),
            Entry::Torn { size, bytes } => (None, size, bytes),
            Entry::Stuck => {
                return Ok(Found::Document(Document {
                    uri,
                    content_type: Some("text/plain".to_owned()),
                    size: 1_000_000,
                    content_hash: None,
                    content: Box::new(Silent),
                }));
            }
            Entry::Elsewhere(uri, reason) => return Ok(Found::Elsewhere { uri: *uri, reason }),
            Entry::Listing(entries) => return Ok(Found::Listing(entries)),
            Entry::Failure(failure) => return Err(failure),
            Entry::Slow(_) => return Err(FetchFailure::Internal("slow twice".to_owned())),
        };
        Ok(Found::Document(Document {
            uri,
            content_type: content_type.map(str::to_owned),
            size,
            content_hash: Some(*blake3::hash(&bytes).as_bytes()),
            content: Box::new(InMemory {
                bytes,
                bytes_read: Arc::clone(&self.bytes_read),
            }),
        }))
    }

    async fn publish(
        &self,
        upload: Upload,
        progress: watch::Sender<Progress>,
    ) -> Result<Uri, InsertFailure> {
        progress.send_replace(Progress {
            done: 40,
            needed: 96,
            total: 96,
            failed: 0,
            phase: Phase::Storing,
        });
        _ = self
            .released
            .subscribe()
            .wait_for(|released| *released)
            .await;
        if let Some(failure) = self
            .insert_failure
            .lock()
            .expect("no test panics here")
            .clone()
        {
            return Err(failure);
        }
        let target = match upload.target {
            Target::Private => "private".to_owned(),
            Target::Convergent => "convergent".to_owned(),
            Target::Key(key) => format!("key {}", key.request_uri().expect("tests use KSKs")),
        };
        let files = match upload.source {
            Source::File(file) => vec![file],
            Source::Site { files, .. } => files,
        };
        let mut words = target;
        let mut content = Vec::new();
        for file in files {
            let kind = file.content_type.unwrap_or_default();
            words.push_str(&format!("; {} {kind} {}", file.path.join("/"), file.size));
            content.extend(
                std::fs::read(&file.file).map_err(|error| InsertFailure::Io(error.to_string()))?,
            );
        }
        self.inserted
            .lock()
            .expect("no test panics here")
            .push((words, content));
        Ok("KSK@published".parse().expect("the key is valid"))
    }
}

/// Notices when the one who waits goes away.
struct Waiting<'a>(Option<&'a watch::Sender<usize>>);

impl Waiting<'_> {
    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(given_up) = self.0 {
            given_up.send_modify(|given_up| *given_up += 1);
        }
    }
}

impl Network for Double {
    fn open(
        &self,
        uri: Uri,
        options: OpenOptions,
        progress: watch::Sender<Progress>,
    ) -> BoxFuture<'_, Result<Found, FetchFailure>> {
        Box::pin(self.find(uri, options, progress))
    }

    fn insert(
        &self,
        upload: Upload,
        progress: watch::Sender<Progress>,
    ) -> BoxFuture<'_, Result<Uri, InsertFailure>> {
        Box::pin(self.publish(upload, progress))
    }

    fn status(&self) -> BoxFuture<'_, NodeStatus> {
        Box::pin(async { status(*self.hops.lock().expect("no test panics here")) })
    }

    fn set_hops(&self, hops: u8) -> BoxFuture<'_, Result<(), SettingFailure>> {
        *self.hops.lock().expect("no test panics here") = hops;
        Box::pin(async { Ok(()) })
    }
}

struct Silent;

impl Content for Silent {
    fn read(&self, range: Range<u64>) -> mpsc::Receiver<Result<Bytes, FetchFailure>> {
        let (sender, receiver) = mpsc::channel(2);
        if range.start == 0 {
            let head = Bytes::from(vec![b'x'; 4096]);
            sender.try_send(Ok(head)).expect("the channel is new");
        }
        // The sender is kept until the receiver goes away.
        tokio::spawn(async move { sender.closed().await });
        receiver
    }
}

struct InMemory {
    bytes: Bytes,
    bytes_read: Arc<AtomicUsize>,
}

impl Content for InMemory {
    fn read(&self, range: Range<u64>) -> mpsc::Receiver<Result<Bytes, FetchFailure>> {
        let place = |offset: u64| {
            usize::try_from(offset)
                .expect("tests use small documents")
                .min(self.bytes.len())
        };
        let bytes = self.bytes.slice(place(range.start)..place(range.end));
        let missing = range.end - range.start > bytes.len() as u64;
        let bytes_read = Arc::clone(&self.bytes_read);
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for piece in bytes.chunks(PIECE_LEN) {
                let piece = bytes.slice_ref(piece);
                bytes_read.fetch_add(piece.len(), Ordering::SeqCst);
                if sender.send(Ok(piece)).await.is_err() {
                    return;
                }
            }
            if missing {
                let damaged = FetchFailure::Damaged {
                    found: 3,
                    needed: 5,
                };
                // Whoever reads may be gone by now.
                _ = sender.send(Err(damaged)).await;
            }
        });
        receiver
    }
}

/// The address of a `CHK@` made from a word.
pub(crate) fn chk(word: &str) -> String {
    let key = FileKey::convergent(blake3::hash(word.as_bytes()).as_bytes());
    let sealed = ContentKey::seal(key, ContentExtra::default(), word.as_bytes());
    let (key, _block) = sealed.expect("the word is short");
    Uri::Content {
        key,
        path: Vec::new(),
    }
    .to_string()
}

/// The address of edition `edition` of a `USK@` site.
pub(crate) fn usk(edition: i64) -> String {
    let uri = Uri::Updatable {
        subspace: SubspaceSecret::from_parts(&[1; 32], &[2; 32])
            .public()
            .clone(),
        site: "site".to_owned(),
        edition,
        path: Vec::new(),
    };
    uri.to_string()
}

/// A node with three peers.
fn status(hops: u8) -> NodeStatus {
    let peer = |name: &str, link| PeerStatus {
        id: "q2Y0N7ZkR8b1vXw3mE5tLhJ6cA9sPfUdGiOoKxWlT4M".to_owned(),
        name: name.to_owned(),
        location: 0.3712,
        link,
    };
    let connected = |since_s, round_trip_ms| LinkStatus::Connected {
        since: Duration::from_secs(since_s),
        round_trip: Some(Duration::from_millis(round_trip_ms)),
    };
    let store = |name: &str, blocks, bytes| StoreStatus {
        name: name.to_owned(),
        blocks,
        bytes,
        bytes_max: 5 << 30,
    };
    NodeStatus {
        id: "3kX0N7ZkR8b1vXw3mE5tLhJ6cA9sPfUdGiOoKxWlT4M".to_owned(),
        name: "burrow <3".to_owned(),
        version: "0.1.0".to_owned(),
        uptime: Duration::from_secs(93_784),
        peers: vec![
            peer("Alice", connected(7_200, 42)),
            peer("", connected(61, 118)),
            peer("Bob", LinkStatus::Unreachable),
        ],
        anonymity: AnonymityStatus {
            hops_promised: hops,
            hops_configured: 6,
            hops_wished: 6,
            hops_least: Some(6),
            circuits_ready: 5,
        },
        stores: vec![
            store("Store: content", 41_234, 1_400_000_000),
            store("Store: signed", 812, 1_900_000),
            store("Cache: content", 120_021, 4_100_000_000),
        ],
    }
}
