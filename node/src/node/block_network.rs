//! The client layer's way to the event loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crypto::{BlockKey, VerifiedBlock};
use routing::{FetchFailure, InsertFailure, LocalId, Origin};
use tokio::sync::{mpsc, oneshot};

use super::command::Command;
use crate::client::{
    Anonymity, BlockFetchError, BlockFuture, BlockInsertError, BlockNetwork, Class, Effort,
};
use crate::store::StoreHandle;

/// Hands requests to the event loop and cancels those that nobody waits for.
pub(super) struct NodeNetwork {
    commands: mpsc::Sender<Command>,
    store: Arc<StoreHandle>,
    ids: AtomicU64,
}

impl NodeNetwork {
    pub(super) fn new(commands: mpsc::Sender<Command>, store: Arc<StoreHandle>) -> Self {
        let ids = AtomicU64::new(0);
        Self {
            commands,
            store,
            ids,
        }
    }

    fn guard(&self) -> CancelOnDrop<'_> {
        CancelOnDrop {
            id: LocalId(self.ids.fetch_add(1, Ordering::Relaxed)),
            commands: &self.commands,
            done: false,
        }
    }

    async fn fetch_routed(
        &self,
        key: BlockKey,
        class: Class,
        effort: Effort,
        anonymity: Anonymity,
    ) -> Result<VerifiedBlock, BlockFetchError> {
        let mut guard = self.guard();
        let (answer, result) = oneshot::channel();
        let id = guard.id;
        let command = Command::Fetch {
            id,
            key,
            class,
            effort,
            anonymity,
            answer,
        };
        let stopped = |_| BlockFetchError::ShuttingDown;
        self.commands
            .send(command)
            .await
            .map_err(|_| BlockFetchError::ShuttingDown)?;
        let result = result.await.map_err(stopped)?;
        guard.done = true;
        result.map_err(fetch_error)
    }

    async fn insert_routed(
        &self,
        block: VerifiedBlock,
        class: Class,
        anonymity: Anonymity,
    ) -> Result<(), BlockInsertError> {
        let mut guard = self.guard();
        let (answer, result) = oneshot::channel();
        let id = guard.id;
        let command = Command::Insert {
            id,
            block,
            class,
            anonymity,
            answer,
        };
        self.commands
            .send(command)
            .await
            .map_err(|_| BlockInsertError::ShuttingDown)?;
        let result = result.await.map_err(|_| BlockInsertError::ShuttingDown)?;
        guard.done = true;
        result.map(drop).map_err(insert_error)
    }

    async fn wait_for(&self, key: BlockKey) {
        // Dropped after the receiver, so that the loop finds that nobody waits.
        let _unsubscribe = UnsubscribeOnDrop {
            key,
            commands: &self.commands,
        };
        let (appeared, waits) = oneshot::channel();
        let command = Command::Subscribe { key, appeared };
        if self.commands.send(command).await.is_err() || waits.await.is_err() {
            // Nothing will be told: the node is stopping, or too much is waited for.
            std::future::pending::<()>().await;
        }
    }

    async fn fetch_local(&self, key: BlockKey) -> Result<VerifiedBlock, BlockFetchError> {
        let (answer, result) = oneshot::channel();
        // The asker may have gone meanwhile.
        let reply = move |result| drop(answer.send(result));
        self.store
            .lookup(key, Origin::User, reply)
            .map_err(|_| BlockFetchError::Overloaded)?;
        let result = result.await.map_err(|_| BlockFetchError::ShuttingDown)?;
        // Why a disk failed is in the log
        result.ok().flatten().ok_or(BlockFetchError::NotFound)
    }
}

impl BlockNetwork for NodeNetwork {
    fn fetch(
        &self,
        key: BlockKey,
        class: Class,
        effort: Effort,
        anonymity: Anonymity,
    ) -> BlockFuture<'_, Result<VerifiedBlock, BlockFetchError>> {
        Box::pin(self.fetch_routed(key, class, effort, anonymity))
    }

    fn fetch_stored(
        &self,
        key: BlockKey,
    ) -> BlockFuture<'_, Result<VerifiedBlock, BlockFetchError>> {
        Box::pin(self.fetch_local(key))
    }

    fn insert(
        &self,
        block: VerifiedBlock,
        class: Class,
        anonymity: Anonymity,
    ) -> BlockFuture<'_, Result<(), BlockInsertError>> {
        Box::pin(self.insert_routed(block, class, anonymity))
    }

    fn appeared(&self, key: BlockKey) -> BlockFuture<'_, ()> {
        Box::pin(self.wait_for(key))
    }
}

/// Tells the event loop when a future that waits for a block is dropped.
struct UnsubscribeOnDrop<'a> {
    key: BlockKey,
    commands: &'a mpsc::Sender<Command>,
}

impl Drop for UnsubscribeOnDrop<'_> {
    fn drop(&mut self) {
        // With a full queue the router's subscription ends when the next one of the key does, or with the block.
        let _ = self
            .commands
            .try_send(Command::Unsubscribe { key: self.key });
    }
}

/// Tells the event loop when the future that waits for a request is dropped.
struct CancelOnDrop<'a> {
    id: LocalId,
    commands: &'a mpsc::Sender<Command>,
    done: bool,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if !self.done {
            // With a full queue the request runs to its own end, which is bounded.
            let _ = self.commands.try_send(Command::Cancel { id: self.id });
        }
    }
}

fn fetch_error(failure: FetchFailure) -> BlockFetchError {
    match failure {
        FetchFailure::NotFound => BlockFetchError::NotFound,
        FetchFailure::RouteNotFound => BlockFetchError::RouteNotFound,
        FetchFailure::NoCircuit => BlockFetchError::NoCircuit,
        FetchFailure::RecentlyFailed { retry_after } => {
            BlockFetchError::RecentlyFailed { retry_after }
        }
        FetchFailure::Overloaded => BlockFetchError::Overloaded,
        FetchFailure::TimedOut => BlockFetchError::TimedOut,
        FetchFailure::Cancelled => BlockFetchError::Cancelled,
    }
}

fn insert_error(failure: InsertFailure) -> BlockInsertError {
    match failure {
        InsertFailure::Collision(block) => BlockInsertError::Collision(block),
        InsertFailure::RouteNotFound => BlockInsertError::RouteNotFound,
        InsertFailure::NoCircuit => BlockInsertError::NoCircuit,
        InsertFailure::Overloaded => BlockInsertError::Overloaded,
        InsertFailure::TimedOut => BlockInsertError::TimedOut,
        InsertFailure::Cancelled => BlockInsertError::Cancelled,
        InsertFailure::StoreFailed => BlockInsertError::StoreFailed,
    }
}
