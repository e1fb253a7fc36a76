//! The folder that holds everything a node keeps: identity, secrets, peers, configuration and store.
//!
//! Opening it locks it, so that two nodes never share one. What must not be seen by others is readable by the owner
//! only, and files are replaced whole, so that no crash leaves half of one.

mod atomic_file;
mod run_file;
mod secret_file;

pub(crate) use atomic_file::{read_text_bounded, replace_file, write_new_file};
pub use run_file::{RunFile, RunFileError, RunningGuard, find_running};
pub use secret_file::SecretFileError;

use crypto::Identity;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// An existing data folder that no other node uses. The lock ends with the value, or with the process.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Keys derived from the node's own secret, each for one purpose. They wipe themselves and print `[redacted]`.
pub struct NodeSecrets {
    /// Salts the keys of the store, so that a key on the disk is not a routing key.
    pub store_salt: Zeroizing<[u8; 32]>,
    /// Keys the labels of the sites' origins in fproxy, so that a label tells nothing about the site.
    pub fproxy_labels: Zeroizing<[u8; 32]>,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// The folder or a file in it cannot be created, read or written.
    #[error("cannot use the data folder {}: {source}", .path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another node has it open.
    #[error("{} is in use by another node{}; stop that node or choose another --data-dir", .path.display(), with_pid(*.pid))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process that holds it, if it could be told.
        pid: Option<u32>,
    },
    /// The identity or the secret cannot be read or made.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
}

impl DataDir {
    /// Opens the folder, which is created with access for the owner only if it is missing, and locks it.
    ///
    /// # Errors
    /// [`DataDirError::InUse`] while another process has it open; [`DataDirError::Io`] from the file system.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let io = |source| DataDirError::Io {
            path: path.to_owned(),
            source,
        };
        create_private_dir(path).map_err(io)?;
        let path = path.canonicalize().map_err(io)?;
        let lock = lock(&path)?;
        Ok(Self { path, _lock: lock })
    }

    /// The node's identity; made on the first call and never replaced.
    ///
    /// # Errors
    /// [`DataDirError::Secret`] if the file is damaged or cannot be read or written.
    pub fn identity(&self) -> Result<Identity, DataDirError> {
        let seed =
            secret_file::read_or_create(&self.path.join("identity.key"), "warren-identity-1")?;
        Ok(Identity::from_seed(&seed))
    }

    /// The keys derived from the node's secret; made on the first call and never replaced.
    ///
    /// # Errors
    /// As [`DataDir::identity`].
    pub fn secrets(&self) -> Result<NodeSecrets, DataDirError> {
        let secret =
            secret_file::read_or_create(&self.path.join("node.secret"), "warren-secret-1")?;
        Ok(NodeSecrets {
            store_salt: Zeroizing::new(blake3::derive_key("Warren 2026 store salt", &*secret)),
            fproxy_labels: Zeroizing::new(blake3::derive_key(
                "Warren 2026 fproxy origin labels",
                &*secret,
            )),
        })
    }

    /// Writes the file by which the programs find this node while it runs; dropping the guard removes it.
    ///
    /// # Errors
    /// [`DataDirError::Io`] from the file system.
    pub fn announce_running(&self, run: &RunFile) -> Result<RunningGuard, DataDirError> {
        run_file::write(&self.path, run).map_err(|source| DataDirError::Io {
            path: self.path.clone(),
            source,
        })
    }

    /// A folder of the node's own inside the data folder, created with access for the owner only if it is missing.
    ///
    /// # Errors
    /// [`DataDirError::Io`] from the file system.
    pub fn subfolder(&self, name: &str) -> Result<PathBuf, DataDirError> {
        let path = self.path.join(name);
        create_private_dir(&path).map_err(|source| DataDirError::Io {
            path: path.clone(),
            source,
        })?;
        Ok(path)
    }

    /// The absolute path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Debug for NodeSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NodeSecrets([redacted])")
    }
}

/// Locks `node.lock` in the folder and leaves this process's id in it for the error message of the next comer.
fn lock(folder: &Path) -> Result<File, DataDirError> {
    let path = folder.join("node.lock");
    let io = |source| DataDirError::Io {
        path: path.clone(),
        source,
    };
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // The id is a courtesy: without it the message still says what is wrong.
            let pid = (&mut file)
                .take(16)
                .read_to_string(&mut text)
                .ok()
                .and_then(|_| text.trim().parse().ok());
            return Err(DataDirError::InUse {
                path: folder.to_owned(),
                pid,
            });
        }
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(io)?;
    Ok(file)
}

fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn with_pid(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

#[cfg(test)]
mod tests;
