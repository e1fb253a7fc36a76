//! What the rest of the node asks of the event loop.

use bytes::Bytes;
use crypto::{BlockKey, NodeId, VerifiedBlock};
use routing::{
    Anonymity, Class, Contact, Effort, FetchFailure, InsertFailure, InsertSuccess, Level, LocalId,
    Trust,
};
use tokio::sync::oneshot;

use super::survey::Survey;

/// Where the result of a fetch goes.
pub(super) type FetchAnswer = oneshot::Sender<Result<VerifiedBlock, FetchFailure>>;
/// Where the result of an insert goes.
pub(super) type InsertAnswer = oneshot::Sender<Result<InsertSuccess, InsertFailure>>;

/// One request to the event loop. An answer that is dropped unsent means that the node is stopping.
pub(super) enum Command {
    /// Find a block for the node's own user.
    Fetch {
        /// Names the request in a later [`Command::Cancel`].
        id: LocalId,
        /// What to find.
        key: BlockKey,
        /// Who goes first when both wait.
        class: Class,
        /// How thoroughly to search.
        effort: Effort,
        /// How it leaves the node.
        anonymity: Anonymity,
        /// Where the result goes.
        answer: FetchAnswer,
    },
    /// Place a block of the node's own user.
    Insert {
        /// Names the request in a later [`Command::Cancel`].
        id: LocalId,
        /// What to place.
        block: VerifiedBlock,
        /// Who goes first when both wait.
        class: Class,
        /// How it leaves the node.
        anonymity: Anonymity,
        /// Where the result goes.
        answer: InsertAnswer,
    },
    /// Nobody waits for this request any longer.
    Cancel {
        /// Which.
        id: LocalId,
    },
    /// Tell when this block comes, which is not there yet.
    Subscribe {
        /// Of the block.
        key: BlockKey,
        /// Where that is told. Dropped unsent if it will not be.
        appeared: oneshot::Sender<()>,
    },
    /// Somebody does not wait for this block any longer, and has dropped its end.
    Unsubscribe {
        /// Of the block.
        key: BlockKey,
    },
    /// How are the router and its peers?
    Survey {
        /// Where the answer goes.
        answer: oneshot::Sender<Survey>,
    },
    /// Which strangers are to be linked with after a restart?
    Remembered {
        /// Where their records go.
        answer: oneshot::Sender<Vec<Bytes>>,
    },
    /// This friend is trusted so far from now on.
    Trust {
        /// Which.
        peer: NodeId,
        /// How far.
        trust: Trust,
    },
    /// Circuits of this level stand by from now on.
    StandBy {
        /// None: no circuits do.
        level: Option<Level>,
    },
    /// Strangers can reach this node so from now on.
    Readdress {
        /// What they are told.
        own: Contact,
    },
    /// Route nothing through this peer from now on.
    Forget {
        /// Which.
        peer: NodeId,
    },
}
