//! `peers.toml`: the references of the node's friends.
//!
//! Each entry holds a reference and how far the owner trusts the friend; name and identity beside it are for people who
//! look into the file and are written anew with each change.

use crate::data_dir::{read_text_bounded, replace_file};
use crate::reference::{Reference, ReferenceError};
use crate::trust::{trust_name, trust_of};
use crypto::NodeId;
use routing::Trust;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// Friends of one node at most: more links than any node keeps up.
pub const PEERS_MAX: usize = 256;

/// Name of the file in the data folder.
pub(crate) const PEERS_FILE_NAME: &str = "peers.toml";
/// [`PEERS_MAX`] entries of less than 1 KiB, with room for comments.
const FILE_LEN_MAX: u64 = 1 << 20;
/// Letters of an identity that are enough to name a peer.
const PREFIX_LEN_MIN: usize = 6;

/// The friends of a node, and the file they are kept in. Every change is on the disk when the call returns.
#[derive(Debug)]
pub struct PeersFile {
    path: PathBuf,
    own: NodeId,
    peers: Vec<Friend>,
}

/// One of the friends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Friend {
    /// Who it is and how to reach it.
    pub reference: Reference,
    /// How far the owner trusts it.
    pub trust: Trust,
}

/// What adding a reference did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerAdded {
    /// The peer is new.
    New,
    /// The reference took the place of an older one of the same node.
    Renewed,
    /// The reference was there; it is trusted differently from now on.
    Trusted,
}

/// Why the file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PeersFileError {
    /// From the file system.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not TOML, or not of this shape.
    #[error("{} is damaged: {message}; correct it or move it away", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// One of the references in it is wrong.
    #[error("{}, peer {number}: {source}", .path.display())]
    Reference {
        /// The file.
        path: PathBuf,
        /// Which entry, counted from 1.
        number: usize,
        /// What is wrong with it.
        source: ReferenceError,
    },
}

/// Why a peer is not added.
#[derive(Debug, thiserror::Error)]
pub enum PeerAddError {
    /// The reference is this node's.
    #[error(
        "this is your own reference; give it to your friend, and add the one your friend gives you"
    )]
    Own,
    /// This very reference is there.
    #[error("{name} is already among the peers, with this reference")]
    AlreadyKnown {
        /// The peer's name.
        name: String,
    },
    /// A newer one is there.
    #[error("{name} is already among the peers, with a newer reference; nothing was changed")]
    Older {
        /// The peer's name.
        name: String,
    },
    /// [`PEERS_MAX`] are there.
    #[error("there are {PEERS_MAX} peers already; remove one first (`warren peer rm`)")]
    TooMany,
    /// From the file system; nothing was changed.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Why a peer is not removed.
#[derive(Debug, thiserror::Error)]
pub enum PeerRemoveError {
    /// No peer goes by this.
    #[error("no peer has the name or identity `{0}`; `warren peer ls` lists them")]
    Unknown(String),
    /// Several do.
    #[error("several peers go by `{0}`; give the identity (`warren peer ls` lists them)")]
    Ambiguous(String),
    /// From the file system; nothing was changed.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    peer: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    name: String,
    #[serde(default)]
    identity: String,
    reference: String,
    /// Missing in files of earlier versions.
    #[serde(default)]
    trust: String,
}

impl PeersFile {
    /// Reads the peers of the node `own` from its data folder. A missing file is an empty one.
    ///
    /// # Errors
    /// [`PeersFileError`] names the file and, if one entry is wrong, which.
    pub fn open(data_dir: &Path, own: NodeId) -> Result<Self, PeersFileError> {
        let path = data_dir.join(PEERS_FILE_NAME);
        let text = match read_text_bounded(&path, FILE_LEN_MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            other => other.map_err(|source| PeersFileError::Read {
                path: path.clone(),
                source,
            })?,
        };
        let malformed = |message| PeersFileError::Malformed {
            path: path.clone(),
            message,
        };
        let document: Document =
            toml::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if document.peer.len() > PEERS_MAX {
            return Err(malformed(format!("it has more than {PEERS_MAX} peers")));
        }
        let mut peers: Vec<Friend> = Vec::new();
        for (index, entry) in document.peer.iter().enumerate() {
            let reference: Reference =
                entry
                    .reference
                    .parse()
                    .map_err(|source| PeersFileError::Reference {
                        path: path.clone(),
                        number: index + 1,
                        source,
                    })?;
            let is_same = |peer: &Friend| peer.reference.id() == reference.id();
            let number = index + 1;
            if reference.id() == own || peers.iter().any(is_same) {
                return Err(malformed(format!(
                    "peer {number} is this node itself or stands there twice"
                )));
            }
            let trust = trusted(&entry.trust).ok_or_else(|| {
                malformed(format!(
                    "the trust in peer {number} is not low, normal or high"
                ))
            })?;
            peers.push(Friend { reference, trust });
        }
        Ok(Self { path, own, peers })
    }

    /// Adds a friend, renews the reference of one, or changes how far one is trusted. Without a `trust` a new friend gets
    /// [`Trust::Normal`] and a known one keeps its own.
    ///
    /// # Errors
    /// [`PeerAddError`]; nothing is changed then.
    pub fn add(
        &mut self,
        reference: Reference,
        trust: Option<Trust>,
    ) -> Result<PeerAdded, PeerAddError> {
        if reference.id() == self.own {
            return Err(PeerAddError::Own);
        }
        let mut peers = self.peers.clone();
        let is_full = peers.len() >= PEERS_MAX;
        let name = || reference.name().to_owned();
        let known = peers
            .iter_mut()
            .find(|peer| peer.reference.id() == reference.id());
        let added = match known {
            Some(known) if known.reference == reference => match trust {
                Some(trust) if trust != known.trust => {
                    known.trust = trust;
                    PeerAdded::Trusted
                }
                Some(_) | None => return Err(PeerAddError::AlreadyKnown { name: name() }),
            },
            Some(known) if known.reference.serial() >= reference.serial() => {
                return Err(PeerAddError::Older { name: name() });
            }
            Some(known) => {
                known.reference = reference;
                known.trust = trust.unwrap_or(known.trust);
                PeerAdded::Renewed
            }
            None if is_full => return Err(PeerAddError::TooMany),
            None => {
                let trust = trust.unwrap_or_default();
                peers.push(Friend { reference, trust });
                PeerAdded::New
            }
        };
        self.replace(peers).map_err(|source| PeerAddError::Write {
            path: self.path.clone(),
            source,
        })?;
        Ok(added)
    }

    /// Removes the peer with this identity, start of an identity (6 letters or more) or name, and returns it.
    ///
    /// # Errors
    /// [`PeerRemoveError`]; nothing is changed then.
    pub fn remove(&mut self, which: &str) -> Result<Reference, PeerRemoveError> {
        let matches = |peer: &Reference| {
            let id = peer.id().to_string();
            peer.name() == which || (which.len() >= PREFIX_LEN_MIN && id.starts_with(which))
        };
        let mut found = self
            .peers
            .iter()
            .enumerate()
            .filter(|(_, peer)| matches(&peer.reference))
            .map(|(index, _)| index);
        let index = found
            .next()
            .ok_or_else(|| PeerRemoveError::Unknown(which.to_owned()))?;
        if found.next().is_some() {
            return Err(PeerRemoveError::Ambiguous(which.to_owned()));
        }
        let mut peers = self.peers.clone();
        let removed = peers.remove(index);
        self.replace(peers)
            .map_err(|source| PeerRemoveError::Write {
                path: self.path.clone(),
                source,
            })?;
        Ok(removed.reference)
    }

    /// The peers in the order in which they were added.
    pub fn peers(&self) -> &[Friend] {
        &self.peers
    }

    fn replace(&mut self, peers: Vec<Friend>) -> io::Result<()> {
        let entry = |Friend { reference, trust }: &Friend| Entry {
            name: reference.name().to_owned(),
            identity: reference.id().to_string(),
            reference: reference.to_string(),
            trust: trust_name(*trust).to_owned(),
        };
        let document = Document {
            peer: peers.iter().map(entry).collect(),
        };
        let text = toml::to_string(&document).map_err(io::Error::other)?;
        replace_file(&self.path, text.as_bytes(), 0o600)?;
        self.peers = peers;
        Ok(())
    }
}

/// The level that an entry of the file names.
fn trusted(name: &str) -> Option<Trust> {
    if name.is_empty() {
        return Some(Trust::default());
    }
    trust_of(name)
}

#[cfg(test)]
mod tests;
