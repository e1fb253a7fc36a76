//! A server on a network double, and a connection that shows exactly what is on the wire.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crypto::{BlockKey, Identity, NodeId, VerifiedBlock};
use routing::{PeerCredit, PeerMerit, Trust};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::client::{
    Anonymity, BlockFetchError, BlockFuture, BlockInsertError, BlockNetwork, Class, Client,
    ClientConfig, Effort,
};
use crate::fcp::limits::Budget;
use crate::fcp::message::{Message, Terminator};
use crate::fcp::node_info::{
    AddPeerError, BoxFuture, CircuitFacts, NodeControl, NodeFacts, Outcomes, PeerFacts,
    PeerStanding, RemovePeerError, RequestFacts, StoreFacts,
};
use crate::fcp::reader::{LineLimits, Position, read_message};
use crate::fcp::{FcpDependencies, FcpServer};

/// Longest wait for anything in a test.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the network double answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As a network should.
    Working,
    /// It never answers.
    Silent,
    /// Nobody is connected.
    NoRoute,
    /// Everybody is busy.
    Busy,
}

/// All blocks of a network in one table.
pub(crate) struct TableNetwork {
    blocks: Mutex<HashMap<BlockKey, VerifiedBlock>>,
    mood: Mutex<Mood>,
    /// Requests that a silent network holds.
    pub(crate) waiting: AtomicUsize,
    pub(crate) waiting_changed: Notify,
}

/// Counts a request that waits for ever, until it is given up.
struct Waiting<'a>(&'a TableNetwork);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
        self.0.waiting_changed.notify_waiters();
    }
}

impl TableNetwork {
    pub(crate) fn set_mood(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(crate) fn blocks(&self) -> usize {
        self.blocks.lock().unwrap().len()
    }

    /// Forgets every block that `keep` does not want.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&BlockKey) -> bool) {
        self.blocks.lock().unwrap().retain(|key, _| keep(key));
    }

    /// Waits until so many requests wait for an answer that never comes.
    pub(crate) async fn until_waiting(&self, count: usize) {
        let all = async {
            loop {
                let changed = self.waiting_changed.notified();
                if self.waiting.load(Ordering::SeqCst) == count {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(PATIENCE, all)
            .await
            .expect("the number of waiting requests");
    }

    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    async fn never<T>(&self) -> T {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.waiting_changed.notify_waiters();
        let _waiting = Waiting(self);
        std::future::pending().await
    }
}

impl BlockNetwork for TableNetwork {
    fn fetch(
        &self,
        key: BlockKey,
        _: Class,
        _: Effort,
        _: Anonymity,
    ) -> BlockFuture<'_, Result<VerifiedBlock, BlockFetchError>> {
        Box::pin(async move {
            match self.mood() {
                Mood::Silent => self.never().await,
                Mood::NoRoute => Err(BlockFetchError::RouteNotFound),
                Mood::Busy => Err(BlockFetchError::Overloaded),
                Mood::Working => {
                    let found = self.blocks.lock().unwrap().get(&key).cloned();
                    found.ok_or(BlockFetchError::NotFound)
                }
            }
        })
    }

    fn fetch_stored(&self, _: BlockKey) -> BlockFuture<'_, Result<VerifiedBlock, BlockFetchError>> {
        Box::pin(async { Err(BlockFetchError::NotFound) })
    }

    fn insert(
        &self,
        block: VerifiedBlock,
        _: Class,
        _: Anonymity,
    ) -> BlockFuture<'_, Result<(), BlockInsertError>> {
        Box::pin(async move {
            match self.mood() {
                Mood::Silent => self.never().await,
                Mood::NoRoute => Err(BlockInsertError::RouteNotFound),
                Mood::Busy => Err(BlockInsertError::Overloaded),
                Mood::Working => {
                    let mut blocks = self.blocks.lock().unwrap();
                    let there = blocks.entry(block.key()).or_insert_with(|| block.clone());
                    if there.bytes() == block.bytes() {
                        Ok(())
                    } else {
                        Err(BlockInsertError::Collision(there.clone()))
                    }
                }
            }
        })
    }

    fn appeared(&self, _: BlockKey) -> BlockFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// A node with a list of peers.
pub(crate) struct TestNode {
    id: NodeId,
    peers: Mutex<Vec<PeerFacts>>,
    pub(crate) stopped: Notify,
}

pub(crate) fn node_id(seed: u8) -> NodeId {
    Identity::from_seed(&[seed; 32]).id()
}

fn peer(id: NodeId) -> PeerFacts {
    PeerFacts {
        id,
        name: "bob".to_owned(),
        reference: None,
        addresses: vec!["127.0.0.1:4000".parse().unwrap()],
        standing: PeerStanding::Friend { trust: Trust::High },
        location: 0.25,
        requests: 3,
        merit: PeerMerit {
            asked: 9,
            found: 4,
            late: 1,
        },
        credit: PeerCredit {
            real_time_asked: 1,
            real_time_allowed: 32,
            bulk_asked: 2,
            bulk_allowed: 128,
        },
        link: None,
        received_bytes: 10,
        sent_bytes: 20,
    }
}

impl NodeControl for TestNode {
    fn facts(&self) -> BoxFuture<'_, NodeFacts> {
        Box::pin(async {
            NodeFacts {
                id: self.id,
                location: 0.75,
                reference: "warren:reference".to_owned(),
                name: "alice".to_owned(),
                uptime: Duration::from_secs(61),
                addresses: vec!["127.0.0.1:5000".parse().unwrap()],
                opennet: true,
                requests: RequestFacts {
                    own_fetches: Outcomes {
                        succeeded: 5,
                        failed: 1,
                        recent: 4,
                        recent_succeeded: 3,
                        recent_mean: Some(12.25),
                    },
                    ..RequestFacts::default()
                },
                circuits: CircuitFacts {
                    hops_promised: 6,
                    hops_wished: 10,
                    hops_least: Some(4),
                    ready: 5,
                    building: 1,
                    relayed: 17,
                },
                store: StoreFacts {
                    stored_blocks: 7,
                    ..StoreFacts::default()
                },
            }
        })
    }

    fn peers(&self) -> BoxFuture<'_, Vec<PeerFacts>> {
        Box::pin(async { self.peers.lock().unwrap().clone() })
    }

    /// A reference here is nothing but the id.
    fn add_peer(
        &self,
        reference: String,
        trust: Option<Trust>,
    ) -> BoxFuture<'_, Result<PeerFacts, AddPeerError>> {
        Box::pin(async move {
            let id: NodeId = reference
                .parse()
                .map_err(|_| AddPeerError::Malformed("no id".to_owned()))?;
            if id == self.id {
                return Err(AddPeerError::OwnReference);
            }
            let mut peers = self.peers.lock().unwrap();
            if peers.iter().any(|peer| peer.id == id) {
                return Err(AddPeerError::Duplicate);
            }
            let trust = trust.unwrap_or_default();
            let added = PeerFacts {
                standing: PeerStanding::Friend { trust },
                ..peer(id)
            };
            peers.push(added.clone());
            Ok(added)
        })
    }

    fn remove_peer(&self, id: NodeId) -> BoxFuture<'_, Result<(), RemovePeerError>> {
        Box::pin(async move {
            self.peers.lock().unwrap().retain(|peer| peer.id != id);
            Ok(())
        })
    }

    fn request_shutdown(&self) {
        self.stopped.notify_one();
    }
}

/// A server with what it stands on.
pub(crate) struct TestServer {
    pub(crate) server: FcpServer,
    pub(crate) network: Arc<TableNetwork>,
    pub(crate) node: Arc<TestNode>,
    /// Temporary files of server and client layer; removed at the end.
    pub(crate) folder: tempfile::TempDir,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with_temporary_files(1 << 40).await
    }

    /// One whose temporary files have at most so many bytes together.
    pub(crate) async fn with_temporary_files(spool_max: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let network = Arc::new(TableNetwork {
            blocks: Mutex::default(),
            mood: Mutex::new(Mood::Working),
            waiting: AtomicUsize::new(0),
            waiting_changed: Notify::new(),
        });
        let node = Arc::new(TestNode {
            id: node_id(1),
            peers: Mutex::new(vec![peer(node_id(2))]),
            stopped: Notify::new(),
        });
        let blocks: Arc<dyn BlockNetwork> = Arc::<TableNetwork>::clone(&network);
        let client = Client::new(blocks, ClientConfig::new(folder.path().to_owned()));
        let dependencies = FcpDependencies {
            client,
            node: Arc::<TestNode>::clone(&node),
            spool_folder: folder.path().to_owned(),
            spool_max,
        };
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = FcpServer::bind(any_port, dependencies).await.unwrap();
        Self {
            server,
            network,
            node,
            folder,
        }
    }

    /// A connection on which nothing was said.
    pub(crate) async fn connect(&self) -> Wire {
        let stream = TcpStream::connect(self.server.local_addr()).await.unwrap();
        Wire {
            stream: BufReader::new(stream),
        }
    }

    /// A connection after the greeting.
    pub(crate) async fn greeted(&self) -> Wire {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let mut wire = self.connect().await;
        let name = NUMBER.fetch_add(1, Ordering::Relaxed);
        wire.say(&format!(
            "ClientHello\nName=test{name}\nExpectedVersion=2.0\nEndMessage\n"
        ))
        .await;
        assert_eq!(wire.hear().await.name(), "NodeHello");
        wire
    }
}

/// One connection to the server.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
}

impl Wire {
    pub(crate) async fn say(&mut self, text: &str) {
        self.say_bytes(text.as_bytes()).await;
    }

    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.unwrap();
    }

    /// The next message; the payload, if there is one, is appended as the field `payload`.
    pub(crate) async fn hear(&mut self) -> Message {
        self.try_hear()
            .await
            .expect("a message, not the end of the connection")
    }

    /// The next message, or `None` at the end of the connection.
    pub(crate) async fn try_hear(&mut self) -> Option<Message> {
        let budget = Budget::new(8 << 20);
        let reading = read_message(
            &mut self.stream,
            LineLimits::CLIENT,
            Position::Later,
            &budget,
        );
        let incoming = tokio::time::timeout(PATIENCE, reading)
            .await
            .expect("an answer in time");
        // The server may close while we still write: that is an end as well.
        let incoming = incoming.ok().flatten()?;
        let mut message = incoming.message.clone();
        if incoming.terminator == Terminator::Data {
            let length = incoming.announced_payload(1 << 30).unwrap();
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload).await.unwrap();
            message.set("payload", data_encoding::HEXLOWER.encode(&payload));
        }
        Some(message)
    }

    /// The next message that is no progress; it must be a protocol error of this code.
    pub(crate) async fn hear_error(&mut self, code: u32) -> Message {
        let message = self.hear().await;
        assert_eq!(
            (message.name(), message.field("Code")),
            ("ProtocolError", Some(code.to_string().as_str())),
            "{:?}",
            message.fields().collect::<Vec<_>>()
        );
        message
    }

    /// Shows that the connection is alive and nothing else waits in it.
    pub(crate) async fn expect_quiet(&mut self) {
        self.say("GenerateSSK\nIdentifier=quiet\nEndMessage\n")
            .await;
        let message = self.hear().await;
        assert_eq!(
            (message.name(), message.identifier()),
            ("SSKKeypair", Some("quiet"))
        );
    }

    /// What is on the wire, byte by byte, up to the end of the line that begins with `End`.
    pub(crate) async fn raw_message(&mut self) -> String {
        let mut text = Vec::new();
        while !text.ends_with(b"EndMessage\n") {
            text.push(self.stream.read_u8().await.unwrap());
        }
        String::from_utf8(text).unwrap()
    }

    pub(crate) async fn close(mut self) {
        self.stream.get_mut().shutdown().await.unwrap();
    }
}

/// The payload of a message that [`Wire::hear`] read.
pub(crate) fn payload(message: &Message) -> Vec<u8> {
    data_encoding::HEXLOWER
        .decode(message.field("payload").unwrap().as_bytes())
        .unwrap()
}
