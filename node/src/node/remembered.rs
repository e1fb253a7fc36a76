//! `opennet.peers`: the strangers to link with first after a restart, so that a node comes back without a seed.
//!
//! One reference a line, as people know them. What is damaged is left out: the file is a help, not a truth.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use crypto::NodeId;
use routing::Contact;

use crate::data_dir::{read_text_bounded, replace_file};
use crate::reference::Reference;

/// Nodes in the file at most; more than a router remembers.
const REMEMBERED_MAX: usize = 256;

/// That many references of 700 letters, twice.
const FILE_LEN_MAX: u64 = 512 << 10;

/// Name of the file in the data folder.
pub(crate) const FILE_NAME: &str = "opennet.peers";

const HEAD: &str =
    "# Nodes of the opennet that this node was linked with. Written by the node; may be deleted.\n";

/// The file of one node.
#[derive(Clone, Debug)]
pub(super) struct RememberedFile {
    path: PathBuf,
    own: NodeId,
}

impl RememberedFile {
    /// The file in a data folder of the node `own`.
    pub(super) fn new(data_dir: &Path, own: NodeId) -> Self {
        let path = data_dir.join(FILE_NAME);
        Self { path, own }
    }

    /// What is in it, as far as it can be read; nothing if it is missing.
    pub(super) fn read(&self) -> Vec<Contact> {
        let text = match read_text_bounded(&self.path, FILE_LEN_MAX) {
            Ok(text) => text,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "the opennet's peers cannot be read; the node starts from its seeds");
                }
                return Vec::new();
            }
        };
        let references = text.lines().filter(|line| !line.starts_with('#'));
        let mut contacts: Vec<Contact> = Vec::new();
        for reference in references.filter_map(|line| line.parse::<Reference>().ok()) {
            let node = reference.id();
            if node != self.own && contacts.iter().all(|known| known.node != node) {
                let record = reference.to_record();
                contacts.push(Contact { node, record });
            }
        }
        contacts.truncate(REMEMBERED_MAX);
        contacts
    }

    /// Replaces what is in it, in one step.
    ///
    /// # Errors
    /// What the file system says; the old file is then untouched.
    pub(super) fn write(&self, records: &[Bytes]) -> io::Result<()> {
        let mut text = String::from(HEAD);
        let references = records.iter().take(REMEMBERED_MAX);
        for reference in references.filter_map(|record| Reference::from_record(record).ok()) {
            text.push_str(&reference.to_string());
            text.push('\n');
        }
        replace_file(&self.path, text.as_bytes(), 0o600).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::Identity;

    fn reference(seed: u8) -> Reference {
        let address = "192.0.2.1:9".parse().unwrap();
        Reference::sign(&Identity::from_seed(&[seed; 32]), "node", &[address], 1).unwrap()
    }

    #[test]
    fn what_was_written_is_read_and_damage_costs_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = RememberedFile::new(folder.path(), reference(9).id());
        assert!(file.read().is_empty());
        let records: Vec<Bytes> = [1, 2, 9].map(|seed| reference(seed).to_record()).into();
        file.write(&records).unwrap();
        let nodes = |contacts: Vec<Contact>| -> Vec<NodeId> {
            contacts.iter().map(|contact| contact.node).collect()
        };
        assert_eq!(nodes(file.read()), [1, 2].map(|seed| reference(seed).id()));
        assert_eq!(file.read()[0].record, records[0]);
        let text = std::fs::read_to_string(&file.path).unwrap();
        let damaged = text.replacen("warren:", "warren:x", 1) + &reference(2).to_string();
        std::fs::write(&file.path, damaged).unwrap();
        assert_eq!(nodes(file.read()), [reference(2).id()]);
    }

    #[test]
    fn the_file_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let file = RememberedFile::new(folder.path(), reference(9).id());
        let record = reference(1).to_record();
        file.write(&vec![record; 2 * REMEMBERED_MAX]).unwrap();
        let lines = std::fs::read_to_string(&file.path).unwrap().lines().count();
        assert_eq!(lines, REMEMBERED_MAX + 1);
    }
}
