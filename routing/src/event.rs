//! What the driver tells the router, and what the router asks of the driver.

use std::time::Duration;

use crypto::{BlockKey, NodeId, VerifiedBlock};

use crate::contact::{Contact, PeerKind};
use crate::location::Location;
use crate::message::Message;
use crate::onion::anonymity::{Anonymity, Level};
use crate::onion::memory::OnionMemory;

/// One thing that happened outside.
#[derive(Clone, Debug)]
pub enum Event<B = VerifiedBlock> {
    /// A link to a peer is ready. Replaces what was known under the same handle.
    PeerUp {
        /// The driver's handle for this connection.
        peer: PeerId,
        /// Where the peer is on the ring.
        location: Location,
        /// What sort of peer it is.
        kind: PeerKind,
    },
    /// Who a friend is. To be told right after [`Event::PeerUp`], so that a friend that is a guard is known again; who a
    /// stranger is, its contact says.
    KnownAs {
        /// The handle given when it came up.
        peer: PeerId,
        /// Who it is.
        node: NodeId,
    },
    /// Circuits of this level stand by from now on, and of no other; without one, none. At the beginning they are of
    /// [`OnionConfig::level`](crate::OnionConfig::level).
    StandBy {
        /// The level.
        level: Option<Level>,
    },
    /// What [`Action::Remember`] gave last, in an earlier start. To be told before the first [`Event::PeerUp`].
    Recall {
        /// As it was given.
        memory: OnionMemory,
        /// How long ago.
        elapsed: Duration,
    },
    /// An [`Action::Dial`] led to no link.
    DialFailed {
        /// Whose.
        node: NodeId,
    },
    /// How this node can be reached from now on. Without it the node is not found by strangers.
    OwnContact {
        /// Of this node.
        contact: Contact,
    },
    /// The node is to find its place in the opennet and keep it. Until then it waits for others to come, as the first seed
    /// of a network does.
    Join {
        /// Former peers ([`Router::remembered`](crate::Router::remembered)). They are asked first.
        remembered: Vec<Contact>,
        /// Nodes through which it may announce itself.
        seeds: Vec<Contact>,
    },
    /// A link is gone; nothing more can be sent over it. Unknown handles are ignored.
    PeerDown {
        /// The handle given when it came up.
        peer: PeerId,
    },
    /// A peer said something.
    Message {
        /// Who said it. Messages of unknown handles are ignored.
        from: PeerId,
        /// What it said.
        message: Message,
    },
    /// The node's own user wants a block. Ends with [`Action::FetchDone`].
    Fetch {
        /// Repeated in the answer.
        id: LocalId,
        /// What is wanted.
        key: BlockKey,
        /// How urgently.
        class: Class,
        /// How thoroughly.
        effort: Effort,
        /// How hidden. What is to go through circuits never goes any other way.
        anonymity: Anonymity,
    },
    /// The node's own user publishes a block. Ends with [`Action::InsertDone`].
    Insert {
        /// Repeated in the answer.
        id: LocalId,
        /// What to publish.
        block: B,
        /// How urgently.
        class: Class,
        /// How hidden. What is to go through circuits never goes any other way.
        anonymity: Anonymity,
    },
    /// The node's own user wants an earlier [`Event::Fetch`] or [`Event::Insert`] no more; it is answered at once with
    /// `Cancelled` unless it had ended.
    Cancel {
        /// Which one.
        id: LocalId,
    },
    /// The user wants to know when a block comes that is not there yet. The peers learn of it, whatever
    /// [`Anonymity`] the user wishes elsewhere. Ends with [`Action::Appeared`] or
    /// [`Event::Unsubscribe`]. More than [`Config::subscriptions_max`](crate::Config::subscriptions_max) at a time are
    /// ignored, so a driver asks again after long enough all the same.
    Subscribe {
        /// Of the block.
        key: BlockKey,
    },
    /// The user does not want to know any longer.
    Unsubscribe {
        /// Of the block.
        key: BlockKey,
    },
    /// The answer to [`Action::NextStored`].
    NextStored {
        /// The next key; none at the end of the store.
        key: Option<BlockKey>,
    },
    /// The answer to [`Action::Lookup`].
    LookupDone {
        /// As in the question.
        ticket: StoreTicket,
        /// What the store has.
        result: LookupResult<B>,
    },
    /// The answer to [`Action::Store`], once the block would survive the process being killed.
    StoreDone {
        /// As in the question.
        ticket: StoreTicket,
        /// How it ended.
        result: StoreResult,
    },
}

/// One thing for the driver to do.
#[derive(Clone, Debug)]
pub enum Action<B = VerifiedBlock> {
    /// Send a message over a peer's link. What cannot be sent may be dropped: the router's timers notice.
    Send {
        /// To whom.
        to: PeerId,
        /// What.
        message: Message,
        /// Decides the priority of messages that carry a block ([`Message::carries_block`]); the others are small and
        /// go first.
        class: Class,
    },
    /// Look a block up in the node's store and cache.
    Lookup {
        /// To be repeated in [`Event::LookupDone`].
        ticket: StoreTicket,
        /// What to look for.
        key: BlockKey,
        /// Who wants to know. A lookup for the user must not count as a use of the block: whoever sees the store must not
        /// see what its owner reads.
        origin: Origin,
    },
    /// Keep a block. Those of one key are to be done in the order given.
    Store {
        /// To be repeated in [`Event::StoreDone`].
        ticket: StoreTicket,
        /// What to keep.
        block: B,
        /// In which part of the store.
        place: Place,
        /// What becomes of another block that the store has under the key.
        existing: Existing,
    },
    /// Say which key comes next in the node's store (its cache does not count), in any order that stays the same. Asked
    /// only if [`Config::repair_interval`](crate::Config::repair_interval) is set, and once at a time.
    NextStored {
        /// The key before it; none for the first.
        after: Option<BlockKey>,
    },
    /// A fetch of the node's own user ended.
    FetchDone {
        /// Which one.
        id: LocalId,
        /// The block, or why there is none.
        result: Result<B, FetchFailure>,
    },
    /// An insert of the node's own user ended.
    InsertDone {
        /// Which one.
        id: LocalId,
        /// That the block is stored, or why not.
        result: Result<InsertSuccess, InsertFailure<B>>,
    },
    /// The node is at another place of the ring from now on (darknet). The driver should keep it for the next start. Blocks
    /// stay where they are: whoever looks for them finds the copies that others have.
    Moved {
        /// The place.
        location: Location,
    },
    /// A block that the user subscribed to has come, as a peer says, and can be fetched. The subscription is over.
    Appeared {
        /// Of the block.
        key: BlockKey,
    },
    /// The node's onion keys or guards have changed: keep this for [`Event::Recall`] at the next start, where only the owner
    /// can read it.
    Remember {
        /// What to keep, in the place of what was kept before.
        memory: OnionMemory,
    },
    /// Link with a node of the opennet. Ends with [`Event::PeerUp`] as a stranger, or with [`Event::DialFailed`].
    Dial {
        /// Whom.
        contact: Contact,
    },
    /// Close a peer's link in good order, after what was sent over it. The router has forgotten the peer already.
    HangUp {
        /// Whose.
        peer: PeerId,
    },
    /// Close a peer's link: it broke the protocol. The router has forgotten the peer already.
    Disconnect {
        /// Whose.
        peer: PeerId,
        /// What it did.
        reason: Misbehaviour,
    },
}

/// The driver's handle for a connected peer: one for each live link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u32);

/// The driver's name for a request of its own user. The driver must not use one again while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalId(pub u64);

/// Links a question to the store with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreTicket(pub(crate) u64);

/// How urgent a request is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Class {
    /// Somebody waits: a page in a browser. Few at a time, short time-outs.
    RealTime,
    /// Throughput matters: a file. Many at a time, patient.
    Bulk,
}

/// Who began what a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The node's own user: the node behaves towards its peers as any other, and its store shows nothing of it.
    User,
    /// A peer.
    Peer,
}

/// How thoroughly the user's fetch searches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    /// Once, with an ordinary budget, and without waiting where all peers search for the key already, or did a moment ago
    /// ([`FetchFailure::RecentlyFailed`]): for what is probably not there.
    Probe,
    /// Once, with an ordinary budget.
    Once,
    /// What is not found is searched for once more, other ways first and with the largest budget.
    #[default]
    Thorough,
}

/// Which part of the node's store a block belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// For long: this node is where the block is looked for.
    Store,
    /// As long as there is room: the block passed by.
    Cache,
}

/// What becomes of another block under the key of one that is to be kept. Only signed blocks can meet another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Existing {
    /// It stays, and the new one is not kept: [`StoreResult::Failed`].
    Keep,
    /// It goes, wherever in the store it is: the new one is known to be older.
    Replace,
}

/// What a look into the store found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupResult<B = VerifiedBlock> {
    /// The block.
    Found(B),
    /// No block under this key.
    Missing,
    /// Nothing is known: too much waits for the store, or the disk failed. Peers are told that this node is overloaded;
    /// a fetch of the user goes on without the store.
    Unavailable,
}

/// How a block was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreResult {
    /// It is durable.
    Kept,
    /// It is not kept: no room, another block has its key, or the disk failed.
    Failed,
}

/// Why a fetch gave no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    /// Nodes looked and do not have it.
    #[error(
        "the network was searched and does not have this block; it may be inserted later or again"
    )]
    NotFound,
    /// Nobody could be asked: no peers, or all of them are busy with this very key.
    #[error(
        "no peer could be asked for this block; check that the node is connected, then try again"
    )]
    RouteNotFound,
    /// Peers searched for it moments ago without success and would not do it again yet.
    #[error("this block was searched for moments ago and not found; try again in {} s", retry_after.as_secs().max(1))]
    RecentlyFailed {
        /// When asking again makes sense.
        retry_after: Duration,
    },
    /// This node or all of its peers have too much to do.
    #[error("too many requests are running; try again with fewer at a time")]
    Overloaded,
    /// Peers took the request and did not answer in time.
    #[error("the network did not answer in time; try again")]
    TimedOut,
    /// No circuit could be built, and without one the request would have shown who asks.
    #[error(
        "no circuit to other nodes could be built, so nobody was asked; wait until the node has a few peers that relay, or choose fewer hops"
    )]
    NoCircuit,
    /// By [`Event::Cancel`].
    #[error("the request was cancelled")]
    Cancelled,
}

/// What an insert achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InsertSuccess {
    /// How many nodes say that they stored the block: at least one, and at most 255 are counted.
    pub copies: u8,
}

/// Why an insert did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsertFailure<B = VerifiedBlock> {
    /// The network holds a different block under this (signed) key; it was kept, and is returned.
    #[error(
        "another document is published under this key already; choose another name or the next edition"
    )]
    Collision(B),
    /// Nobody could be asked: no peers, or all of them are busy with this very key.
    #[error("no peer could take this block; check that the node is connected, then try again")]
    RouteNotFound,
    /// This node or all of its peers have too much to do.
    #[error("too many requests are running; try again with fewer at a time")]
    Overloaded,
    /// Peers took the block and did not confirm in time.
    #[error("the network did not confirm the insert in time; try again")]
    TimedOut,
    /// No circuit could be built, and without one the insert would have shown who publishes.
    #[error(
        "no circuit to other nodes could be built, so nothing was published; wait until the node has a few peers that relay, or choose fewer hops"
    )]
    NoCircuit,
    /// By [`Event::Cancel`].
    #[error("the insert was cancelled")]
    Cancelled,
    /// The nodes that should keep it could not store it.
    #[error("the nodes responsible for this block could not store it; try again later")]
    StoreFailed,
}

/// How a peer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misbehaviour {
    /// It sent bytes that do not belong to the key they were sent for.
    #[error("the peer sent a block that does not belong to its key")]
    InvalidBlock,
    /// It used the id of a request that is still running.
    #[error("the peer used one request id twice")]
    DuplicateRequest,
}
