//! What the protocol asks of the node besides documents: facts about it and its peers.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use crypto::NodeId;
use routing::{PeerCredit, PeerMerit, Trust};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Facts about the node and control of its peers; the node itself implements it.
pub trait NodeControl: Send + Sync + 'static {
    /// Facts about the node at this moment.
    fn facts(&self) -> BoxFuture<'_, NodeFacts>;

    /// Every peer the node knows, connected or not, in the order of their ids.
    fn peers(&self) -> BoxFuture<'_, Vec<PeerFacts>>;

    /// Adds a peer by its reference text and starts to connect to it.
    /// Without a `trust` a new friend gets the usual.
    fn add_peer(
        &self,
        reference: String,
        trust: Option<Trust>,
    ) -> BoxFuture<'_, Result<PeerFacts, AddPeerError>>;

    /// Forgets a peer and closes the link to it.
    fn remove_peer(&self, id: NodeId) -> BoxFuture<'_, Result<(), RemovePeerError>>;

    /// Asks the node to stop; returns at once.
    fn request_shutdown(&self);
}

/// What a client may know of the node.
#[derive(Clone, Debug)]
pub struct NodeFacts {
    /// The node's identity.
    pub id: NodeId,
    /// Where it is on the ring, 0 to 1.
    pub location: f64,
    /// The node's own reference, one line: identity and addresses, signed.
    pub reference: String,
    /// The name its owner gave it; not unique.
    pub name: String,
    /// Time since the node started.
    pub uptime: Duration,
    /// Addresses at which it listens for other nodes.
    pub addresses: Vec<SocketAddr>,
    /// Whether it links with strangers.
    pub opennet: bool,
    /// What its block store holds.
    pub store: StoreFacts,
    /// How requests have ended since it started.
    pub requests: RequestFacts,
    /// How the user's requests are hidden.
    pub circuits: CircuitFacts,
}

/// How the user's requests are hidden. Says nothing of what they ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CircuitFacts {
    /// Hops that the configuration promises; 0: requests leave openly.
    pub hops_promised: u8,
    /// Hops that circuits should have, given how many peers the node has.
    pub hops_wished: u8,
    /// Hops of the shortest circuit that is ready; none as long as there is none.
    pub hops_least: Option<u8>,
    /// Circuits that are ready.
    pub ready: usize,
    /// Circuits that are being built.
    pub building: usize,
    /// Circuits of others that lead through this node.
    pub relayed: usize,
}

/// How requests have ended since the node started; cancelled ones are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RequestFacts {
    /// Fetches of the node's own user.
    pub own_fetches: Outcomes,
    /// Inserts of the node's own user.
    pub own_inserts: Outcomes,
    /// Fetches of peers.
    pub peer_fetches: Outcomes,
    /// Inserts of peers.
    pub peer_inserts: Outcomes,
    /// Requests of peers that were refused because there was too much to do.
    pub refused_overloaded: u64,
    /// Requests of peers in progress.
    pub peer_running: usize,
    /// Requests of the node's own user in progress.
    pub own_running: usize,
}

/// How many requests of one kind ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcomes {
    /// Well.
    pub succeeded: u64,
    /// Not.
    pub failed: u64,
    /// The last ones, of which there are some hundred at most.
    pub recent: u64,
    /// Of these, how many ended well.
    pub recent_succeeded: u64,
    /// Of those that ended well: milliseconds that own requests took, or hops that those of peers had come before, on the
    /// average.
    pub recent_mean: Option<f64>,
}

/// What a block store holds and may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreFacts {
    /// Blocks that the node keeps because they belong to its part of the key space.
    pub stored_blocks: u64,
    /// Blocks that passed and are kept while there is room.
    pub cached_blocks: u64,
    /// Bytes used by both.
    pub used_bytes: u64,
    /// Bytes that both may use.
    pub limit_bytes: u64,
}

/// What a client may know of one peer.
#[derive(Clone, Debug)]
pub struct PeerFacts {
    /// The peer's identity.
    pub id: NodeId,
    /// The name it gave itself, empty when unknown.
    pub name: String,
    /// The peer's reference, one line, when the node has it.
    pub reference: Option<String>,
    /// The addresses its reference names.
    pub addresses: Vec<SocketAddr>,
    /// What sort of peer it is.
    pub standing: PeerStanding,
    /// Where it is on the ring, 0 to 1.
    pub location: f64,
    /// Its requests in progress at this node.
    pub requests: usize,
    /// How well it did what it was asked.
    pub merit: PeerMerit,
    /// How much it may be asked for.
    pub credit: PeerCredit,
    /// The link to it, when there is one.
    pub link: Option<LinkFacts>,
    /// Bytes received from it since the node started.
    pub received_bytes: u64,
    /// Bytes sent to it since the node started.
    pub sent_bytes: u64,
}

/// What sort of peer a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerStanding {
    /// The owner chose it.
    Friend {
        /// How far the owner trusts it.
        trust: Trust,
    },
    /// A node of the opennet.
    Stranger {
        /// Whether the link carries requests: both nodes have agreed to it.
        adopted: bool,
    },
}

/// A link that is up.
#[derive(Clone, Copy, Debug)]
pub struct LinkFacts {
    /// Where the peer is now.
    pub address: SocketAddr,
    /// How long the link has been up.
    pub connected_for: Duration,
    /// The measured time of a message there and back.
    pub round_trip: Option<Duration>,
}

/// Why a peer could not be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddPeerError {
    /// The text is not a reference.
    #[error("this is not a node reference: {0}")]
    Malformed(String),
    /// The reference was changed after it was signed.
    #[error("the signature of this reference does not match; ask for it again")]
    BadSignature,
    /// It is the node's own reference.
    #[error("this is the node's own reference; add the one of another node")]
    OwnReference,
    /// The peer is there already.
    #[error("this peer is known already")]
    Duplicate,
    /// The list of peers could not be written, or is full.
    #[error("the list of peers could not be changed: {0}")]
    NotSaved(String),
}

/// Why a peer could not be removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemovePeerError {
    /// No peer has this identity.
    #[error("no peer has this identity")]
    Unknown,
    /// The list of peers could not be written.
    #[error("the list of peers could not be changed: {0}")]
    NotSaved(String),
}
