//! `run.toml`: how the programs find the node that runs on a data folder.
//!
//! The node holds a lock on the file for as long as it lives, taken before the file appears under its name. So a
//! reader can tell a running node from a file that a killed one left behind, and never stands in a starting node's way.

use super::atomic_file::replace_file_held;
use super::read_text_bounded;
use crypto::NodeId;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

const RUN_FILE_NAME: &str = "run.toml";
/// A handful of addresses; a real one has about 200 bytes.
const FILE_LEN_MAX: u64 = 4096;

/// What a running node tells the programs of its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// Process id.
    pub pid: u32,
    /// The node's identity, in text.
    pub identity: NodeId,
    /// The bound UDP address of the link.
    pub link: SocketAddr,
    /// The bound address of FCP, if it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fcp: Option<SocketAddr>,
    /// The bound address of fproxy, if it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fproxy: Option<SocketAddr>,
}

/// Why no running node was found.
#[derive(Debug, thiserror::Error)]
pub enum RunFileError {
    /// No node runs on this data folder.
    #[error("no node is running on {}; start one with `warren run --data-dir {}`", .0.display(), .0.display())]
    NotRunning(PathBuf),
    /// A node runs, and its file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The run file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A node runs, and its file makes no sense: it is from another version, or damaged.
    #[error("{} is not readable ({message}); restart the node", .path.display())]
    Malformed {
        /// The run file.
        path: PathBuf,
        /// The first thing wrong with it.
        message: String,
    },
}

/// Says that a node runs for as long as it lives; dropping it removes the file.
#[derive(Debug)]
pub struct RunningGuard {
    path: PathBuf,
    _locked: File,
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "could not remove the run file; the next start replaces it");
        }
    }
}

/// Finds the node that runs on this data folder.
///
/// # Errors
/// [`RunFileError::NotRunning`] if there is none, whether or not a killed one left its file behind.
pub fn find_running(data_dir: &Path) -> Result<RunFile, RunFileError> {
    let path = data_dir.join(RUN_FILE_NAME);
    let not_running = || RunFileError::NotRunning(data_dir.to_owned());
    let read = |source: io::Error| {
        if source.kind() == io::ErrorKind::NotFound {
            not_running()
        } else {
            RunFileError::Read {
                path: path.clone(),
                source,
            }
        }
    };
    match File::open(&path).map_err(read)?.try_lock_shared() {
        Ok(()) => return Err(not_running()),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(source)) => return Err(read(source)),
    }
    let text = read_text_bounded(&path, FILE_LEN_MAX).map_err(read)?;
    toml::from_str(&text).map_err(|error| RunFileError::Malformed {
        path: path.clone(),
        message: error.message().to_owned(),
    })
}

pub(super) fn write(folder: &Path, run: &RunFile) -> io::Result<RunningGuard> {
    let path = folder.join(RUN_FILE_NAME);
    let text = toml::to_string(run).map_err(io::Error::other)?;
    let hold = |file: &File| file.try_lock().map_err(io::Error::from);
    let locked = replace_file_held(&path, text.as_bytes(), 0o600, hold)?;
    Ok(RunningGuard {
        path,
        _locked: locked,
    })
}
