//! A file somebody was allowed to read: that very file, whatever its path leads to later.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// A regular file that was looked at, and is read later if it is still the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedFile {
    path: PathBuf,
    id: FileId,
    /// Whether everybody might read it. A file that not everybody may read can get the number of one that was removed.
    public: bool,
    /// When it was changed last, if it must not change any more.
    changed: Option<Changed>,
}

/// Seconds and nanoseconds by the system's clock; nobody but the system can set it.
type Changed = (i64, i64);

impl CheckedFile {
    /// The file that is open in `file` and was opened at `path`. What is in it may change.
    ///
    /// # Errors
    /// When the system does not tell about it, or it is no regular file.
    pub fn new(path: PathBuf, file: &File) -> io::Result<Self> {
        let metadata = regular(file)?;
        Ok(Self {
            path,
            id: FileId::of(&metadata),
            public: is_public(&metadata),
            changed: None,
        })
    }

    /// As [`CheckedFile::new`], for a file of which only what is in it now may be read.
    ///
    /// # Errors
    /// As [`CheckedFile::new`].
    pub fn unchanging(path: PathBuf, file: &File) -> io::Result<Self> {
        let changed = Some(changed(&regular(file)?));
        Ok(Self {
            changed,
            ..Self::new(path, file)?
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
        let metadata = file.metadata()?;
        if FileId::of(&metadata) != self.id || (self.public && !is_public(&metadata)) {
            return Err(io::Error::other(
                "another file took its place after it was checked; try again",
            ));
        }
        if self.changed.is_some_and(|when| when != changed(&metadata)) {
            return Err(io::Error::other(
                "it was changed after it was checked; try again",
            ));
        }
        Ok(file)
    }
}

/// What tells files and folders apart: device, number within it, and owner, since the number of one that was removed is
/// given to another. Nothing does where the system has no such numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    number: u64,
    owner: u32,
}

#[cfg(unix)]
impl FileId {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            device: metadata.dev(),
            number: metadata.ino(),
            owner: metadata.uid(),
        }
    }
}

#[cfg(unix)]
fn is_public(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.mode() & 0o004 != 0
}

#[cfg(unix)]
fn changed(metadata: &Metadata) -> Changed {
    use std::os::unix::fs::MetadataExt;
    (metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
impl FileId {
    pub(crate) fn of(_metadata: &Metadata) -> Self {
        Self {
            device: 0,
            number: 0,
            owner: 0,
        }
    }
}

#[cfg(not(unix))]
fn is_public(_metadata: &Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn changed(metadata: &Metadata) -> Changed {
    let since = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .unwrap_or_default();
    (since.as_secs().cast_signed(), since.subsec_nanos().into())
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
    fn a_file_that_became_private_is_not_opened() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "for all").unwrap();
        let allow = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        allow(0o644);
        let checked = CheckedFile::new(path.clone(), &open_regular(&path).unwrap()).unwrap();
        assert!(checked.open().is_ok());
        allow(0o600);
        assert!(checked.open().is_err());
    }

    #[test]
    fn what_must_not_change_is_not_opened_after_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "known").unwrap();
        let file = open_regular(&path).unwrap();
        let free = CheckedFile::new(path.clone(), &file).unwrap();
        let bound = CheckedFile::unchanging(path.clone(), &file).unwrap();
        assert!(bound.open().is_ok());
        // The system's clock of changes has a few milliseconds: write until it has moved on
        let before = changed(&file.metadata().unwrap());
        while changed(&file.metadata().unwrap()) == before {
            fs::write(&path, "secret").unwrap();
        }
        assert!(bound.open().is_err());
        assert!(free.open().is_ok());
    }

    #[test]
    fn a_pipe_keeps_nobody_waiting() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert!(open_regular(&pipe).is_err());
        assert!(open_regular(folder.path()).is_err());
    }
}
