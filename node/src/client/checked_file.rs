//! A file somebody was allowed to read: that very file, whatever its path leads to later.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// A regular file that was looked at, and is read later if it is still the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedFile {
    path: PathBuf,
    id: FileId,
}

impl CheckedFile {
    /// The file that is open in `file` and was opened at `path`.
    ///
    /// # Errors
    /// When the system does not tell about it, or it is no regular file.
    pub fn new(path: PathBuf, file: &File) -> io::Result<Self> {
        let metadata = regular(file)?;
        Ok(Self {
            path,
            id: FileId::of(&metadata),
        })
    }

    /// Where it was.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it. Blocks on the disk.
    ///
    /// # Errors
    /// When it cannot be opened, or another file has taken its place.
    pub fn open(&self) -> io::Result<File> {
        let file = open_regular(&self.path)?;
        if FileId::of(&file.metadata()?) == self.id {
            Ok(file)
        } else {
            Err(io::Error::other(
                "another file took its place after it was checked; try again",
            ))
        }
    }
}

/// What tells files apart: device and number within it. Nothing does where the system has no such numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(metadata.dev(), metadata.ino())
    }

    #[cfg(not(unix))]
    pub(crate) fn of(_metadata: &Metadata) -> Self {
        Self(0, 0)
    }
}

/// Opens a regular file for reading, and nothing else: no link at the end of the path, which may lead anywhere, and no
/// pipe, which may keep whoever opens it waiting for ever. Blocks on the disk.
///
/// # Errors
/// When it cannot be opened, or is something else.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let file = open_at_once(path)?;
    regular(&file)?;
    Ok(file)
}

#[cfg(unix)]
fn open_at_once(path: &Path) -> io::Result<File> {
    let file = rustix::fs::open(path, read_flags(), rustix::fs::Mode::empty())?;
    Ok(file.into())
}

#[cfg(not(unix))]
fn open_at_once(path: &Path) -> io::Result<File> {
    if path.symlink_metadata()?.is_file() {
        File::open(path)
    } else {
        Err(not_regular())
    }
}

/// How a file is opened that somebody else may put something in the place of.
#[cfg(unix)]
pub(crate) const fn read_flags() -> rustix::fs::OFlags {
    use rustix::fs::OFlags;
    OFlags::RDONLY
        .union(OFlags::NOFOLLOW)
        .union(OFlags::NONBLOCK)
        .union(OFlags::CLOEXEC)
}

/// What the system knows of a regular file.
fn regular(file: &File) -> io::Result<Metadata> {
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok(metadata)
    } else {
        Err(not_regular())
    }
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::io::Read;

    use super::*;

    #[test]
    fn a_file_that_was_replaced_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let (path, secret) = (folder.path().join("file"), folder.path().join("secret"));
        fs::write(&path, "mine").unwrap();
        fs::write(&secret, "secret").unwrap();
        let checked = CheckedFile::new(path.clone(), &open_regular(&path).unwrap()).unwrap();
        let mut content = String::new();
        checked
            .open()
            .unwrap()
            .read_to_string(&mut content)
            .unwrap();
        assert_eq!(content, "mine");

        fs::rename(&path, folder.path().join("away")).unwrap();
        std::os::unix::fs::symlink(&secret, &path).unwrap();
        assert!(checked.open().is_err(), "a link");
        fs::remove_file(&path).unwrap();
        fs::hard_link(&secret, &path).unwrap();
        assert!(checked.open().is_err(), "another file");
        fs::remove_file(&path).unwrap();
        fs::rename(folder.path().join("away"), &path).unwrap();
        assert!(checked.open().is_ok());
    }

    #[test]
    fn a_pipe_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        make_pipe(&pipe);
        assert!(open_regular(&pipe).is_err());
        assert!(open_regular(folder.path()).is_err());
    }

    fn make_pipe(path: &Path) {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }
}
