//! Why a node does not start.

use std::net::SocketAddr;

use crate::data_dir::DataDirError;
use crate::link::BindError;
use crate::peers_file::PeersFileError;
use crate::reference::ReferenceMakeError;
use crate::store::StoreOpenError;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The list of friends cannot be read.
    #[error(transparent)]
    Peers(#[from] PeersFileError),
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] StoreOpenError),
    /// The port for links cannot be had.
    #[error(transparent)]
    Link(#[from] BindError),
    /// A port for clients cannot be had.
    #[error(
        "{what} cannot listen on {address}: {source}; stop what uses the port, or choose another with {option}"
    )]
    Listen {
        /// FCP or the web interface.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
        /// The option of `warren run` that chooses another.
        option: &'static str,
    },
    /// What strangers are to be told of the node cannot be said.
    #[error("the node cannot take part in the opennet: {0}")]
    Opennet(#[from] ReferenceMakeError),
    /// The system gave no threads.
    #[error("cannot start the threads of the store: {0}")]
    Threads(std::io::Error),
}
