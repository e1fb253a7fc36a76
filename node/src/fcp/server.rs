//! Accepts the connections of programs on this machine.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::client::Client;

use super::connection;
use super::disk_share::{DISK_LEFT_FREE, DiskBudget};
use super::hello::ClientNames;
use super::limits::{
    Budget, CONNECTIONS_MAX, REQUESTS_MAX, REQUESTS_RUNNING_MAX, SHARED_MEMORY_MAX,
};
use super::node_info::NodeControl;
use super::spool::Spool;

/// How long closing connections may take to write what is queued before they are cut.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// Pause after accepting failed, which means that the system has no more file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the server needs of the node.
#[derive(Clone)]
pub struct FcpDependencies {
    /// Gets and puts documents.
    pub client: Arc<Client>,
    /// Facts about the node and its peers.
    pub node: Arc<dyn NodeControl>,
    /// An existing folder for temporary files, best on the disk of the node's data.
    pub spool_folder: PathBuf,
    /// The most bytes that all temporary files may have together.
    pub spool_max: u64,
}

/// A running FCP server; dropping it stops it at once.
#[derive(Debug)]
pub struct FcpServer {
    local_addr: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

/// What all connections share.
pub(super) struct Shared {
    pub(super) client: Arc<Client>,
    pub(super) node: Arc<dyn NodeControl>,
    pub(super) spool: Spool,
    pub(super) budget: Budget,
    pub(super) names: ClientNames,
    /// One permit for each request, running or waiting.
    pub(super) requests: Arc<Semaphore>,
    /// One permit for each running request.
    pub(super) running: Semaphore,
}

impl FcpServer {
    /// Listens at `addr`. Whoever can connect has full control of the node, so it should be a loopback address.
    ///
    /// # Errors
    /// When the address is in use or not ours.
    pub async fn bind(addr: SocketAddr, dependencies: FcpDependencies) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let local_addr = listener.local_addr()?;
        let budget = Budget::new(SHARED_MEMORY_MAX);
        let shared = Arc::new(Shared {
            client: dependencies.client,
            node: dependencies.node,
            spool: Spool::new(
                &dependencies.spool_folder,
                budget.clone(),
                DiskBudget::new(dependencies.spool_max, DISK_LEFT_FREE),
            ),
            budget,
            names: ClientNames::default(),
            requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
            running: Semaphore::new(REQUESTS_RUNNING_MAX),
        });
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept_all(listener, shared, stopped));
        Ok(Self {
            local_addr,
            stop,
            accepting,
        })
    }

    /// Where it listens, with the port the system chose if 0 was asked for.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Stops accepting, cancels the requests of all connections and closes them; ends within a few seconds.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // A failure means that the task was cut off with the runtime: it has stopped as well.
        drop((&mut self.accepting).await);
    }
}

impl Drop for FcpServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept_all(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok(_) if connections.len() >= CONNECTIONS_MAX => {
                tracing::warn!(
                    CONNECTIONS_MAX,
                    "an FCP connection was refused: too many are open"
                );
            }
            Ok((stream, _)) => {
                number += 1;
                connections.spawn(connection::serve(
                    stream,
                    Arc::clone(&shared),
                    stopped.clone(),
                    number,
                ));
            }
            Err(error) => {
                tracing::warn!(%error, "an FCP connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let all_closed = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN_GRACE, all_closed)
        .await
        .is_err()
    {
        tracing::debug!("FCP connections were cut before everything was written");
    }
}
