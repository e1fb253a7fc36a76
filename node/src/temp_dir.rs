//! The folder where documents wait on their way through the node: one of its own, empty at every start.
//!
//! They lie there as they are, unencrypted. What a killed node left behind is removed before the next one uses the
//! folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crypto::NodeId;

use crate::data_dir::{DataDir, DataDirError};

/// How the names of payloads over FCP begin.
pub(crate) const FCP_PAYLOAD_PREFIX: &str = "fcp-payload-";
/// How the names of all files begin that this program makes in the folder: payloads over FCP, uploads to the web
/// interface, and those without a name, which have one for a moment where the system knows no files without.
const PREFIXES: [&str; 3] = [FCP_PAYLOAD_PREFIX, "upload-", ".tmp"];
/// Letters of the node's identity that tell its folder from those of other nodes: 60 bits.
const ID_LETTERS: usize = 10;

/// The folder for this node's temporary files, made if it is missing and free of what an earlier run left there. That
/// is `temp` in the data folder, or a folder with the node's name in `upload_dir`, which nodes may share.
///
/// # Errors
/// [`DataDirError`] if it cannot be made, or others may look into it and that cannot be changed.
pub(crate) fn prepare(
    data_dir: &DataDir,
    upload_dir: Option<&Path>,
    node: &NodeId,
) -> Result<PathBuf, DataDirError> {
    let folder = match upload_dir {
        None => data_dir.subfolder("temp")?,
        Some(shared) => {
            let id: String = node.to_string().chars().take(ID_LETTERS).collect();
            let folder = shared.join(format!("warren-{id}"));
            private_folder(&folder).map_err(|source| DataDirError::Io {
                path: folder.clone(),
                source,
            })?;
            folder
        }
    };
    remove_left_over(&folder);
    Ok(folder)
}

/// Makes a folder for the owner only. One that is there already must be a folder, not a link that leads elsewhere,
/// and must belong to the owner.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    if !folder.symlink_metadata()?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

/// Removes the files of a node that was killed. No other node uses this folder.
fn remove_left_over(folder: &Path) {
    // Without the folder nothing was left over; writing will tell of the fault.
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::warn!(%error, "a temporary file of an earlier run could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use crypto::Identity;

    use super::*;

    fn node(seed: u8) -> NodeId {
        Identity::from_seed(&[seed; 32]).id()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_node_left_behind_is_removed_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(root.path()).unwrap();
        let folder = prepare(&data_dir, None, &node(1)).unwrap();
        for name in ["fcp-payload-Ab3", "upload-x9", ".tmpQ1w2", "other"] {
            fs::write(folder.join(name), "secret").unwrap();
        }
        assert_eq!(prepare(&data_dir, None, &node(1)).unwrap(), folder);
        assert_eq!(names(&folder), ["other"]);
    }

    #[test]
    fn nodes_that_share_a_folder_leave_each_others_files_alone() {
        let (root, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let data_dir = DataDir::open(root.path()).unwrap();
        let prepare = |seed| prepare(&data_dir, Some(shared.path()), &node(seed)).unwrap();
        let first = prepare(1);
        fs::write(first.join("upload-1"), "mine").unwrap();
        let second = prepare(2);
        assert_ne!(first, second);
        assert_eq!(names(&first), ["upload-1"]);
        assert_eq!(prepare(1), first);
        assert!(names(&first).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_is_the_nodes_own() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let (root, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let data_dir = DataDir::open(root.path()).unwrap();
        let folder = prepare(&data_dir, Some(shared.path()), &node(1)).unwrap();
        let open_to_all = fs::Permissions::from_mode(0o777);
        fs::set_permissions(&folder, open_to_all).unwrap();
        prepare(&data_dir, Some(shared.path()), &node(1)).unwrap();
        assert_eq!(
            folder.metadata().unwrap().permissions().mode() & 0o777,
            0o700
        );

        fs::remove_dir(&folder).unwrap();
        symlink(root.path(), &folder).unwrap();
        assert!(prepare(&data_dir, Some(shared.path()), &node(1)).is_err());
    }
}
