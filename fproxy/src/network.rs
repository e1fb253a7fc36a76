//! The port: what the gateway asks of a node.
//!
//! The gateway knows HTTP, pages and the content filter; it does not know how a document is found. A node plugs in
//! here by implementing [`Network`]. Every call may take minutes; dropping the returned future (or the receiver of a
//! read) gives the work up, and the node must then stop spending the network's resources on it.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use crypto::{InsertUri, Uri};
use tempfile::TempPath;
use tokio::sync::{mpsc, watch};

/// A future that the trait objects of this module return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A node as the gateway sees it.
pub trait Network: Send + Sync + 'static {
    /// Finds what `uri` names. Fetches metadata only: the content comes through [`Content::read`].
    ///
    /// `progress` is fed from here on, through this call and every later read of the same document.
    fn open(
        &self,
        uri: Uri,
        options: OpenOptions,
        progress: watch::Sender<Progress>,
    ) -> BoxFuture<'_, Result<Found, FetchFailure>>;

    /// Publishes what the user gave and returns the address under which everyone can read it.
    fn insert(
        &self,
        upload: Upload,
        progress: watch::Sender<Progress>,
    ) -> BoxFuture<'_, Result<Uri, InsertFailure>>;

    /// Takes a snapshot of the node for its status page. Must answer at once, from memory.
    fn status(&self) -> BoxFuture<'_, NodeStatus>;

    /// Hides the user's requests over so many other nodes from now on, and after a restart: one of [`HOPS`].
    fn set_hops(&self, hops: u8) -> BoxFuture<'_, Result<(), SettingFailure>>;
}

/// Over how many other nodes requests can travel sealed; 0: the peers see what is asked for.
pub const HOPS: [u8; 5] = [8, 6, 4, 2, 0];

/// Why a setting was not changed, or not for good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingFailure {
    /// There is no such choice.
    #[error("there is no such choice")]
    Unknown,
    /// It holds until the node stops, and could not be written down.
    #[error(
        "it holds from now on, but not after a restart: it could not be written to the disk ({0})"
    )]
    NotKept(String),
}

/// How a document is to be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// Whether a person waits for it.
    pub urgency: Urgency,
    /// Where it may be looked for.
    pub reach: Reach,
}

/// How soon an answer is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Someone looks at a page: low latency.
    RealTime,
    /// A large download: throughput.
    Bulk,
}

/// How far a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Other nodes may be asked.
    Network,
    /// Only the node's own store answers; no packet leaves the node.
    StoreOnly,
}

/// What an address led to.
pub enum Found {
    /// A document.
    Document(Document),
    /// The document has another address, which the client should use from now on.
    Elsewhere {
        /// The address to go to, complete with its path.
        uri: Uri,
        /// Why the address differs from the one that was asked for.
        reason: ElsewhereReason,
    },
    /// A folder of a site that has no default document.
    Listing(Vec<ListingEntry>),
}

/// Why a document is reached under another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElsewhereReason {
    /// The path names a folder and lacks the slash at its end, without which relative links would lead astray.
    Folder,
    /// A newer edition of the site exists.
    NewerEdition,
    /// The publisher put a redirect there.
    Redirect,
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingEntry {
    /// The name within the folder, without slashes.
    pub name: String,
    /// File or folder.
    pub kind: EntryKind,
}

/// What an entry of a folder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder within the folder.
    Folder,
    /// A file.
    File {
        /// Bytes of the file, where the site's metadata says so.
        size: Option<u64>,
        /// Type the publisher declared.
        content_type: Option<String>,
    },
}

/// A document that was found and can be read.
pub struct Document {
    /// The complete address of this very version: the edition of a `USK@` resolved, the default document not added.
    pub uri: Uri,
    /// Type that the publisher declared, as found in the metadata and not to be believed.
    pub content_type: Option<String>,
    /// Bytes of the whole content.
    pub size: u64,
    /// A hash over the whole content where the metadata carries one. Only compared, never checked.
    pub content_hash: Option<[u8; 32]>,
    /// The way to the bytes.
    pub content: Box<dyn Content>,
}

impl fmt::Debug for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Document")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// The bytes of a found document. They may be read many times, in parts, and at the same time.
pub trait Content: Send + Sync + 'static {
    /// Streams `range` (within `0..size`, never empty) in order, in pieces of any length.
    ///
    /// The stream ends after the last byte, or after the first error. A receiver that falls behind holds the sender
    /// back; a dropped receiver ends the read.
    fn read(&self, range: Range<u64>) -> mpsc::Receiver<Result<Bytes, FetchFailure>>;
}

/// How far a fetch or an insert has come, counted in blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Blocks that were fetched (or, for an insert, stored by the network).
    pub done: u64,
    /// Blocks that suffice. Zero while it is not known.
    pub needed: u64,
    /// Blocks that exist, with the redundant ones. Zero while it is not known.
    pub total: u64,
    /// Blocks given up.
    pub failed: u64,
    /// What happens at the moment.
    pub phase: Phase,
}

/// The stage of a fetch or an insert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Waiting to begin.
    #[default]
    Waiting,
    /// Looking for the metadata, or for newer editions.
    Searching,
    /// Fetching blocks.
    Fetching,
    /// Compressing, hashing, encoding.
    Preparing,
    /// Handing blocks to other nodes.
    Storing,
    /// All is done.
    Done,
}

/// Why a document could not be had. The texts are for the reader of a page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    /// The network was searched in full.
    #[error("the network was searched and nobody had it")]
    NotFound,
    /// A part of a site that the site's metadata does not list.
    #[error("the site exists, but it has nothing called \"{name}\"")]
    NotInSite {
        /// The part of the path that is missing.
        name: String,
    },
    /// There is nobody to ask.
    #[error("this node is not connected to any other node")]
    NoPeers,
    /// There is no circuit to hide the request in, and it is not sent openly.
    #[error("this node has no circuit to hide the request in, and does not send it openly")]
    NoCircuit,
    /// The node or its peers have too much to do.
    #[error("this node or its neighbours are too busy")]
    Overloaded,
    /// Nobody answered in time.
    #[error("the other nodes did not answer in time")]
    TimedOut,
    /// Too few blocks are left to restore the content.
    #[error("only {found} of the {needed} blocks that are needed could still be found")]
    Damaged {
        /// Blocks found.
        found: u64,
        /// Blocks needed.
        needed: u64,
    },
    /// Larger than this node is willing to fetch.
    #[error("it is too large ({size} bytes)")]
    TooBig {
        /// Bytes of the content.
        size: u64,
    },
    /// The publisher's metadata makes no sense, or is of a kind this version does not know.
    #[error("its description cannot be read: {0}")]
    BadMetadata(String),
    /// More redirects than are followed.
    #[error("it redirects to itself or too often")]
    TooManyRedirects,
    /// Not in the own store, and the network was not to be asked.
    #[error("it is not in this node's own store")]
    NotStored,
    /// The node is going down.
    #[error("this node is shutting down")]
    ShuttingDown,
    /// A defect of the node, with a description for its log and page.
    #[error("something went wrong in this node: {0}")]
    Internal(String),
}

/// Why something could not be published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsertFailure {
    /// There is nobody to give it to.
    #[error("this node is not connected to any other node")]
    NoPeers,
    /// There is no circuit to hide the request in, and it is not sent openly.
    #[error("this node has no circuit to hide the request in, and does not send it openly")]
    NoCircuit,
    /// The node or its peers have too much to do.
    #[error("this node or its neighbours are too busy")]
    Overloaded,
    /// Nobody confirmed in time.
    #[error("the other nodes did not confirm in time")]
    TimedOut,
    /// Something else is already published under the key.
    #[error("something else is already published under this key")]
    Collision {
        /// The address of what is there, if it can be told.
        existing: Option<Box<Uri>>,
    },
    /// The key cannot be used for this upload.
    #[error("this key cannot be used: {0}")]
    BadKey(String),
    /// The uploaded file could not be read back, or the disk is full.
    #[error("the upload could not be read: {0}")]
    Io(String),
    /// The node is going down.
    #[error("this node is shutting down")]
    ShuttingDown,
    /// A defect of the node, with a description for its log and page.
    #[error("something went wrong in this node: {0}")]
    Internal(String),
}

/// Something to publish.
#[derive(Debug)]
pub struct Upload {
    /// Under which key.
    pub target: Target,
    /// What.
    pub source: Source,
}

/// The key under which an upload is published.
#[derive(Debug)]
pub enum Target {
    /// A `CHK@` with a random file key: who has a copy of the file cannot find it in the network.
    Private,
    /// A `CHK@` computed from the content: the same file always gets the same key.
    Convergent,
    /// A key that the user holds.
    Key(Box<InsertUri>),
}

/// The content of an upload. Files vanish from the disk when this is dropped.
#[derive(Debug)]
pub enum Source {
    /// One file.
    File(UploadedFile),
    /// A site: files with their paths.
    Site {
        /// The files; no two have the same path.
        files: Vec<UploadedFile>,
        /// The file that the bare address of the site shows.
        default_document: Option<String>,
    },
}

/// A file that the browser sent and that lies in the gateway's folder for temporary files.
#[derive(Debug)]
pub struct UploadedFile {
    /// Name, or path within the site: parts without slashes, never empty, `.` or `..`.
    pub path: Vec<String>,
    /// Type to declare.
    pub content_type: Option<String>,
    /// Bytes.
    pub size: u64,
    /// The bytes on disk.
    pub file: TempPath,
}

/// A snapshot of the node for its status page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeStatus {
    /// The node's identity in its printed form.
    pub id: String,
    /// The name that the owner gave it. May be empty.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// Time since the start.
    pub uptime: Duration,
    /// Peers it is linked to or tries to reach.
    pub peers: Vec<PeerStatus>,
    /// Parts of the store, as content/signed × store/cache or however the node divides it.
    pub stores: Vec<StoreStatus>,
    /// How the user's requests are hidden.
    pub anonymity: AnonymityStatus,
}

/// How the user's requests are hidden, for the status page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnonymityStatus {
    /// Nodes over which requests travel sealed, as the owner chose; 0: the peers see what is asked for.
    pub hops_promised: u8,
    /// The same as the node's configuration has it, which holds if nothing else was chosen.
    pub hops_configured: u8,
    /// How many they should be, given how many peers the node has.
    pub hops_wished: u8,
    /// How many they are at the moment at least; none if there is no circuit.
    pub hops_least: Option<u8>,
    /// Circuits that are ready for use.
    pub circuits_ready: usize,
}

impl NodeStatus {
    /// Counts the peers that are connected.
    #[must_use]
    pub fn peers_connected(&self) -> usize {
        let connected = |peer: &&PeerStatus| matches!(peer.link, LinkStatus::Connected { .. });
        self.peers.iter().filter(connected).count()
    }
}

/// A peer, for the status page.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerStatus {
    /// Its identity in printed form.
    pub id: String,
    /// What the owner calls it. May be empty.
    pub name: String,
    /// Place on the ring, in [0, 1).
    pub location: f64,
    /// Whether it is linked.
    pub link: LinkStatus,
}

/// The state of the link to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkStatus {
    /// Linked.
    Connected {
        /// For how long.
        since: Duration,
        /// Time of a packet there and back, where measured.
        round_trip: Option<Duration>,
    },
    /// Being tried.
    Unreachable,
}

/// One part of the store, for the status page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreStatus {
    /// What it holds, for example "Store: content blocks".
    pub name: String,
    /// Blocks in it.
    pub blocks: u64,
    /// Bytes of disk it takes.
    pub bytes: u64,
    /// Bytes it may take.
    pub bytes_max: u64,
}
