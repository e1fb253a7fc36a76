//! The files of a folder that becomes a site.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Most files of one site.
pub const FILES_MAX: usize = 10_000;
/// Most folders within each other.
const DEPTH_MAX: usize = 64;

/// A file to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderFile {
    /// Its name within the site, with `/` between folders.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes.
    pub length: u64,
}

/// What was found in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderContent {
    /// The files to publish, in the order of their names.
    pub files: Vec<FolderFile>,
    /// Hidden files and folders that were left out.
    pub hidden_left_out: usize,
    /// Names that were left out because they are links or no regular files.
    pub special_left_out: Vec<PathBuf>,
}

/// Which names of a folder to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// Leave names with a leading dot out.
    LeaveOut,
    /// Publish them.
    Publish,
}

/// Why a folder cannot become a site.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A folder in it cannot be read.
    #[error("the folder {folder} cannot be read: {error}", folder = folder.display())]
    Unreadable {
        /// The folder in question.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A name in it is not text.
    #[error("the name of {path} is not UTF-8; rename it", path = path.display())]
    NameNotText {
        /// The file in question.
        path: PathBuf,
    },
    /// It has more files than one site holds.
    #[error("the folder has more than {FILES_MAX} files; publish it in parts")]
    TooManyFiles,
    /// There is no file in it.
    #[error("there is nothing to publish in the folder")]
    Empty,
}

/// Lists all files below `root`. Symbolic links are left out: they may lead anywhere. Blocks on the disk.
///
/// # Errors
/// When a folder cannot be read or there are no files or too many.
pub fn list_folder(root: &Path, hidden: Hidden) -> Result<FolderContent, FolderError> {
    let mut content = FolderContent::default();
    let mut folders = vec![(root.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        let unreadable = |error| FolderError::Unreadable {
            folder: folder.clone(),
            error,
        };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                return Err(FolderError::NameNotText { path });
            };
            if name.starts_with('.') && hidden == Hidden::LeaveOut {
                content.hidden_left_out += 1;
                continue;
            }
            let kind = entry.file_type().map_err(unreadable)?;
            let name = format!("{prefix}{name}");
            if kind.is_dir() && depth < DEPTH_MAX {
                folders.push((path, format!("{name}/"), depth + 1));
            } else if kind.is_file() {
                let length = entry.metadata().map_err(unreadable)?.len();
                content.files.push(FolderFile { name, path, length });
            } else {
                content.special_left_out.push(path);
            }
            if content.files.len() > FILES_MAX {
                return Err(FolderError::TooManyFiles);
            }
        }
    }
    if content.files.is_empty() {
        return Err(FolderError::Empty);
    }
    content.files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_all_folders_are_listed_and_hidden_ones_left_out() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("img/deep")).unwrap();
        fs::create_dir(root.path().join(".git")).unwrap();
        for (name, text) in [
            ("index.html", "a"),
            ("img/a.png", "bc"),
            ("img/deep/b.png", ""),
            (".git/config", "x"),
            (".x", "y"),
        ] {
            fs::write(root.path().join(name), text).unwrap();
        }
        let content = list_folder(root.path(), Hidden::LeaveOut).unwrap();
        let names: Vec<_> = content
            .files
            .iter()
            .map(|file| (file.name.as_str(), file.length))
            .collect();
        assert_eq!(
            names,
            [("img/a.png", 2), ("img/deep/b.png", 0), ("index.html", 1)]
        );
        assert_eq!(content.hidden_left_out, 2);
        assert_eq!(
            list_folder(root.path(), Hidden::Publish)
                .unwrap()
                .files
                .len(),
            5
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_are_left_out_and_named() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "a").unwrap();
        std::os::unix::fs::symlink("/etc", root.path().join("link")).unwrap();
        let content = list_folder(root.path(), Hidden::LeaveOut).unwrap();
        assert_eq!(content.files.len(), 1);
        assert_eq!(content.special_left_out, [root.path().join("link")]);
    }

    #[test]
    fn an_empty_folder_is_a_mistake() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(
            list_folder(root.path(), Hidden::LeaveOut),
            Err(FolderError::Empty)
        ));
    }
}
