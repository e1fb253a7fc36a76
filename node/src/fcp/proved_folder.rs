//! A folder by its handle: what is opened through it lies in it, whatever somebody does to the path meanwhile.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::client::{CheckedFile, FileId};

/// An open folder.
#[derive(Debug)]
pub(super) struct ProvedFolder {
    path: PathBuf,
    #[cfg(unix)]
    handle: File,
}

#[cfg(unix)]
impl ProvedFolder {
    /// Opens the folder at `path`, which must be canonical. Blocks on the disk.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        use rustix::fs::{CWD, Mode, openat};
        let handle = openat(CWD, path, folder_flags(), Mode::empty())?;
        Ok(Self {
            path: path.to_owned(),
            handle: handle.into(),
        })
    }

    /// What tells it apart from other folders.
    pub(super) fn id(&self) -> io::Result<FileId> {
        Ok(FileId::of(&self.handle.metadata()?))
    }

    /// Opens the regular file `name`, parts separated by `/`, following no link. Blocks on the disk.
    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        use rustix::fs::{Mode, openat};
        let (folders, name) = match name.rsplit_once('/') {
            Some((folders, name)) => (Some(folders), name),
            None => (None, name),
        };
        let mut below = None;
        for part in folders.into_iter().flat_map(|folders| folders.split('/')) {
            let above = below.as_ref().unwrap_or(&self.handle);
            let next = openat(above, plain(part)?, folder_flags(), Mode::empty())?;
            below = Some(File::from(next));
        }
        let folder = below.as_ref().unwrap_or(&self.handle);
        let flags = crate::client::read_flags();
        let file = File::from(openat(folder, plain(name)?, flags, Mode::empty())?);
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::ErrorKind::InvalidInput.into())
        }
    }

    /// A path that leads to this very folder as long as it is open, where the system has such paths.
    pub(super) fn path_by_handle(&self) -> PathBuf {
        use std::os::fd::AsRawFd;
        if cfg!(target_os = "linux") {
            PathBuf::from(format!("/proc/self/fd/{}", self.handle.as_raw_fd()))
        } else {
            self.path.clone()
        }
    }

    /// Makes the new file `name`. Blocks on the disk.
    pub(super) fn create_file(&self, name: &str) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags, openat};
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        // Less the user's umask, as for any file that a program makes.
        let mode = Mode::from_raw_mode(0o666);
        Ok(openat(&self.handle, plain(name)?, flags, mode)?.into())
    }

    /// Whether permission to read the folder says anything about `file`, which lies in or below it: it belongs to the
    /// folder's owner, or everybody may read it.
    fn covers(&self, file: &File) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let (folder, file) = (self.handle.metadata()?, file.metadata()?);
        Ok(file.uid() == folder.uid() || file.mode() & 0o004 != 0)
    }
}

#[cfg(unix)]
const fn folder_flags() -> rustix::fs::OFlags {
    crate::client::read_flags().union(rustix::fs::OFlags::DIRECTORY)
}

/// Systems without handles of folders: everything goes by the path.
#[cfg(not(unix))]
impl ProvedFolder {
    /// The folder at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// What tells it apart from other folders.
    pub(super) fn id(&self) -> io::Result<FileId> {
        Ok(FileId::of(&self.path.metadata()?))
    }

    /// Opens the regular file `name`, parts separated by `/`. Blocks on the disk.
    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        crate::client::open_regular(&self.path.join(name))
    }

    /// The folder's own path: there is none by a handle.
    pub(super) fn path_by_handle(&self) -> PathBuf {
        self.path.clone()
    }

    /// Makes the new file `name`. Blocks on the disk.
    pub(super) fn create_file(&self, name: &str) -> io::Result<File> {
        File::create_new(self.path.join(plain(name)?))
    }

    /// Without owners and modes to go by, permission to read the folder covers all its files.
    fn covers(&self, _file: &File) -> io::Result<bool> {
        Ok(true)
    }
}

impl ProvedFolder {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file `name`, to be read later; none if the permission to read the folder does not cover it. Blocks on the
    /// disk.
    pub(super) fn check_file(&self, name: &str) -> io::Result<Option<CheckedFile>> {
        let file = self.open_file(name)?;
        if self.covers(&file)? {
            CheckedFile::new(self.path.join(name), &file).map(Some)
        } else {
            Ok(None)
        }
    }
}

/// A name that leads nowhere else.
fn plain(name: &str) -> io::Result<&str> {
    if matches!(name, "" | "." | "..") || name.contains('/') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(name)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_folder_that_is_swapped_for_a_link_leads_nowhere_else() {
        let root = tempfile::tempdir().unwrap();
        let (mine, secret) = (root.path().join("mine"), root.path().join("secret"));
        for folder in [&mine, &secret] {
            fs::create_dir_all(folder.join("sub")).unwrap();
            fs::write(folder.join("sub/file"), folder.to_str().unwrap()).unwrap();
        }
        let folder = ProvedFolder::open(&mine).unwrap();
        assert!(folder.check_file("sub/file").unwrap().is_some());

        fs::rename(mine.join("sub"), root.path().join("sub")).unwrap();
        symlink(secret.join("sub"), mine.join("sub")).unwrap();
        assert!(folder.check_file("sub/file").is_err(), "a link within");

        let checked = folder.check_file("sub").map(|_| ());
        assert!(checked.is_err(), "a link at the end");
        fs::rename(&mine, root.path().join("moved")).unwrap();
        symlink(&secret, &mine).unwrap();
        assert!(ProvedFolder::open(&mine).is_err());
        assert!(folder.open_file("../secret/sub/file").is_err());
    }

    #[test]
    fn a_file_read_later_is_the_one_that_was_checked() {
        let root = tempfile::tempdir().unwrap();
        let (mine, secret) = (root.path().join("mine"), root.path().join("secret"));
        for folder in [&mine, &secret] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("file"), "text").unwrap();
        }
        let folder = ProvedFolder::open(&mine).unwrap();
        let checked = folder.check_file("file").unwrap().unwrap();
        assert!(checked.open().is_ok());
        fs::rename(&mine, root.path().join("moved")).unwrap();
        symlink(&secret, &mine).unwrap();
        assert!(checked.open().is_err());
    }
}
