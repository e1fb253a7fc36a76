//! The port: what the client layer asks of a node. It knows blocks only.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crypto::{BlockKey, VerifiedBlock};
pub use routing::{Anonymity, Class, Effort};

/// A future that [`BlockNetwork`] returns. Dropping it gives the request up.
pub type BlockFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A node as the client layer sees it: blocks by their keys.
///
/// The client layer bounds how many calls are open at once, repeats what is worth repeating, and drops futures it does
/// not need any longer; the node should then stop working on them.
pub trait BlockNetwork: Send + Sync + 'static {
    /// Finds a block: in the node's own store, or by asking other nodes.
    fn fetch(
        &self,
        key: BlockKey,
        class: Class,
        effort: Effort,
        anonymity: Anonymity,
    ) -> BlockFuture<'_, Result<VerifiedBlock, BlockFetchError>>;

    /// Looks a block up in the node's own store; nobody else is asked. [`BlockFetchError::NotFound`] if it is not there.
    fn fetch_stored(
        &self,
        key: BlockKey,
    ) -> BlockFuture<'_, Result<VerifiedBlock, BlockFetchError>>;

    /// Hands a block to the nodes that should keep it. Done once they have stored it.
    fn insert(
        &self,
        block: VerifiedBlock,
        class: Class,
        anonymity: Anonymity,
    ) -> BlockFuture<'_, Result<(), BlockInsertError>>;

    /// Ends when a block that was not there has come, as another node says; it can be fetched then. May never end, so who
    /// waits asks from time to time all the same. Other nodes learn who waits: not for what is to be hidden.
    fn appeared(&self, key: BlockKey) -> BlockFuture<'_, ()>;
}

/// What to say when a request that is to be hidden cannot leave the node.
pub(crate) const NO_CIRCUIT: &str = "this node has no circuit to hide the request in, and does not send it openly; it needs peers that \
     have other peers: add some, or wait until they are connected. (At anonymity level 0 the nodes next to this one see what you ask for.)";

/// Why a block could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockFetchError {
    /// The network was searched as far as the request may go.
    #[error("the network was searched and nobody had the block")]
    NotFound,
    /// There is no other node to ask, or all refused.
    #[error("no other node could be asked for the block")]
    RouteNotFound,
    /// There was no circuit to ask through, and it was not to be asked for openly.
    #[error("{NO_CIRCUIT}")]
    NoCircuit,
    /// It was searched for a moment ago; asking again before `retry_after` is of no use.
    #[error("the block was searched for a moment ago and not found")]
    RecentlyFailed {
        /// Time after which a new search makes sense.
        retry_after: Duration,
    },
    /// The node or its peers have too much to do.
    #[error("the node or its peers are overloaded")]
    Overloaded,
    /// No answer came in time.
    #[error("the search for the block ended without an answer")]
    TimedOut,
    /// The request was taken back.
    #[error("the search for the block was cancelled")]
    Cancelled,
    /// The node is going down.
    #[error("the node is shutting down")]
    ShuttingDown,
}

/// Why a block could not be stored in the network.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BlockInsertError {
    /// The key is taken by another signed block, which is returned.
    #[error("another block is stored under the same key")]
    Collision(VerifiedBlock),
    /// There is no other node to give it to, or all refused.
    #[error("no other node could be asked to store the block")]
    RouteNotFound,
    /// There was no circuit to send it through, and it was not to be sent openly.
    #[error("{NO_CIRCUIT}")]
    NoCircuit,
    /// The node or its peers have too much to do.
    #[error("the node or its peers are overloaded")]
    Overloaded,
    /// Nobody confirmed in time.
    #[error("nobody confirmed in time that the block is stored")]
    TimedOut,
    /// The request was taken back.
    #[error("the insert of the block was cancelled")]
    Cancelled,
    /// The nodes that took it could not write it.
    #[error("the nodes that should keep the block could not write it")]
    StoreFailed,
    /// The node is going down.
    #[error("the node is shutting down")]
    ShuttingDown,
}
