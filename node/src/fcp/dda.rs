//! Direct disk access: a client proves that it may read or write a folder itself before the node does it on
//! its behalf.
//!
//! The node often runs as another user than the client. Without the proof any local program could have the
//! node publish files that only the node's user may read, or write where only that user may write.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rand::RngExt;

use crate::client::{CheckedFile, FileId};

use super::message::{Flag, Message};
use super::protocol_error::{ErrorCode, ProtocolError};
use super::proved_folder::ProvedFolder;

/// Tests that one connection may have begun and not finished.
const TESTS_PENDING_MAX: usize = 16;
/// Folders that one connection may have tested.
const FOLDERS_MAX: usize = 1024;

/// What a connection has proved so far. Dropping it removes the files of unfinished tests.
#[derive(Debug, Default)]
pub(super) struct DirectDiskAccess {
    /// Keyed by the folder as the client writes it.
    pending: BTreeMap<String, PendingTest>,
    /// Keyed by the folder's canonical path.
    allowed: BTreeMap<PathBuf, Proof>,
}

/// What was proved, and of which folder: another one may take its place.
#[derive(Debug)]
struct Proof {
    folder: FileId,
    access: Access,
}

/// What a client may have the node do in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Access {
    read: bool,
    write: bool,
}

#[derive(Debug)]
struct PendingTest {
    folder: ProvedFolder,
    /// The file we made, and what is in it.
    read: Option<(TestFile, String)>,
    /// The file the client is to make, and what is to be in it.
    write: Option<(String, String)>,
}

/// A file that is removed when the test ends in any way.
#[derive(Debug)]
struct TestFile(PathBuf);

impl Drop for TestFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::debug!(%error, "a test file of direct disk access could not be removed");
        }
    }
}

impl DirectDiskAccess {
    /// `TestDDARequest`: makes the file to read and names the file to write. Blocks on the disk.
    pub(super) fn begin(&mut self, request: &Message) -> Result<Message, ProtocolError> {
        let directory = request.required("Directory")?.to_owned();
        // The folder takes the place of the identifier; clients recognise errors of the test by it.
        let refuse = |code, why: String| ProtocolError::new(code, why).about(Some(&directory));
        let want = Access {
            read: request.flag("WantReadDirectory", Flag::DefaultOff),
            write: request.flag("WantWriteDirectory", Flag::DefaultOff),
        };
        if want == Access::default() {
            let why = "neither WantReadDirectory nor WantWriteDirectory is true".to_owned();
            return Err(refuse(ErrorCode::UnknownMessage, why));
        }
        let folder = match fs::canonicalize(&directory) {
            Ok(folder) if folder.is_dir() => folder,
            Ok(_) | Err(_) => {
                return Err(refuse(
                    ErrorCode::InvalidField,
                    "Directory is not a folder that the node can see".to_owned(),
                ));
            }
        };
        if self.pending.contains_key(&directory) {
            return Err(refuse(
                ErrorCode::InvalidField,
                "a test of this folder is running already".to_owned(),
            ));
        }
        if self.pending.len() >= TESTS_PENDING_MAX {
            return Err(refuse(
                ErrorCode::NotSupported,
                format!("at most {TESTS_PENDING_MAX} folders are tested at once"),
            ));
        }
        let test = PendingTest::begin(&folder, want)
            // Some clients take any other answer than an error for a permission.
            .map_err(|error| {
                refuse(
                    ErrorCode::DdaDenied,
                    format!("the node cannot write a test file there: {error}"),
                )
            })?;
        let reply = test.reply(&directory);
        self.pending.insert(directory, test);
        Ok(reply)
    }

    /// `TestDDAResponse`: compares what the client read and wrote. Blocks on the disk.
    pub(super) fn finish(&mut self, response: &Message) -> Result<Message, ProtocolError> {
        let directory = response.required("Directory")?;
        let Some(test) = self.pending.remove(directory) else {
            let why = "no test of this folder is running; send TestDDARequest first";
            return Err(ProtocolError::new(ErrorCode::InvalidField, why).about(Some(directory)));
        };
        let read = test
            .read
            .as_ref()
            .map(|(_, content)| response.field("ReadContent").map(str::trim) == Some(content));
        let write = test
            .write
            .as_ref()
            .map(|(name, content)| holds(&test.folder, name, content));
        self.remember(&test.folder, read, write);
        Ok(Message::new("TestDDAComplete")
            .with("Directory", directory)
            .with_some("ReadDirectoryAllowed", read)
            .with_some("WriteDirectoryAllowed", write))
    }

    /// Keeps what a test of `folder` has shown.
    fn remember(&mut self, folder: &ProvedFolder, read: Option<bool>, write: Option<bool>) {
        let Ok(id) = folder.id() else {
            return;
        };
        if self.allowed.len() >= FOLDERS_MAX && !self.allowed.contains_key(folder.path()) {
            return;
        }
        let new = || Proof {
            folder: id,
            access: Access::default(),
        };
        let path = folder.path().to_owned();
        let proof = self.allowed.entry(path).or_insert_with(new);
        if proof.folder != id {
            *proof = new();
        }
        proof.access.read = read.unwrap_or(proof.access.read);
        proof.access.write = write.unwrap_or(proof.access.write);
    }

    /// Whether the client proved that it can read this file. Returns the file to read.
    ///
    /// The folder of the file must have been tested, symbolic links resolved. A file that belongs to somebody
    /// else than its folder and that not everybody may read is not covered: in a folder like `/tmp` the test
    /// proves nothing about it. Blocks on the disk.
    pub(super) fn readable_file(&self, file: &Path) -> Result<CheckedFile, Denied> {
        let named_in = file
            .parent()
            .and_then(|folder| fs::canonicalize(folder).ok())
            .ok_or(Denied::NotProved)?;
        if !self.may_read(&named_in) {
            return Err(Denied::NotProved);
        }
        let file = fs::canonicalize(file).map_err(|_| Denied::NoSuchFile)?;
        // A link may have led elsewhere.
        let folder = file.parent().ok_or(Denied::NotProved)?;
        let name = file.file_name().and_then(OsStr::to_str);
        let name = name.ok_or(Denied::Unreadable)?;
        self.opened(folder)?
            .check_file(name)
            .map_err(|_| Denied::Unreadable)?
            .ok_or(Denied::NotProved)
    }

    /// Whether the client proved that it can read this folder, whose sub-folders are then open to it as well.
    /// Returns the folder; each file below it must pass [`ProvedFolder::check_file`]. Blocks on the disk.
    pub(super) fn readable_folder(&self, folder: &Path) -> Result<ProvedFolder, Denied> {
        let folder = fs::canonicalize(folder).map_err(|_| Denied::NotProved)?;
        self.opened(&folder)
    }

    /// Opens a folder that the client may read, if it is still the one that was tested.
    fn opened(&self, path: &Path) -> Result<ProvedFolder, Denied> {
        let proof = self.allowed.get(path).filter(|proof| proof.access.read);
        let proof = proof.ok_or(Denied::NotProved)?;
        let folder = ProvedFolder::open(path).map_err(|_| Denied::NotProved)?;
        let id = folder.id().map_err(|_| Denied::NotProved)?;
        if id == proof.folder {
            Ok(folder)
        } else {
            Err(Denied::NotProved)
        }
    }

    /// Whether the client proved that it can write this file, which need not exist. Blocks on the disk.
    pub(super) fn writable_file(&self, file: &Path) -> Result<NewFile, Denied> {
        let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
            return Err(Denied::NotProved);
        };
        let folder = fs::canonicalize(folder).map_err(|_| Denied::NotProved)?;
        let proof = self.allowed.get(&folder).filter(|proof| proof.access.write);
        let file = NewFile {
            folder_id: proof.ok_or(Denied::NotProved)?.folder,
            folder,
            name: name.to_owned(),
        };
        file.open_folder().map_err(|_| Denied::NotProved)?;
        Ok(file)
    }

    fn may_read(&self, folder: &Path) -> bool {
        self.allowed
            .get(folder)
            .is_some_and(|proof| proof.access.read)
    }
}

/// A file to be made in a folder that the client may write. The folder is not kept open, since many requests may wait.
#[derive(Debug)]
pub(super) struct NewFile {
    folder: PathBuf,
    folder_id: FileId,
    name: OsString,
}

impl NewFile {
    /// Whether something has its name already. Blocks on the disk.
    pub(super) fn exists(&self) -> bool {
        self.folder.join(&self.name).symlink_metadata().is_ok()
    }

    /// The folder, and the path of the file by way of it: good as long as the folder is held. Blocks on the disk.
    ///
    /// # Errors
    /// When the folder is not the one any more that was tested.
    pub(super) fn open(&self) -> io::Result<(ProvedFolder, PathBuf)> {
        let folder = self.open_folder()?;
        let path = folder.path_by_handle().join(&self.name);
        Ok((folder, path))
    }

    fn open_folder(&self) -> io::Result<ProvedFolder> {
        let folder = ProvedFolder::open(&self.folder)?;
        if folder.id()? == self.folder_id {
            Ok(folder)
        } else {
            Err(io::Error::other(
                "another folder took the place of the one that was tested; test it again",
            ))
        }
    }
}

/// Why a path may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// No test of direct disk access covers it.
    NotProved,
    /// The folder is open to the client, and the file is not there.
    NoSuchFile,
    /// The folder is open to the client, and the node cannot read the file.
    Unreadable,
}

impl Denied {
    /// The answer to the message that named the path.
    pub(super) fn about(self, message: &Message) -> ProtocolError {
        match self {
            Self::NotProved => message.error(
                ErrorCode::DdaDenied,
                "no test of this folder has succeeded on this connection",
            ),
            Self::NoSuchFile => {
                message.error(ErrorCode::FileNotFound, "the node finds no such file")
            }
            Self::Unreadable => message.error(
                ErrorCode::FileNotFound,
                "it is not a regular file that the node can read",
            ),
        }
    }
}

impl PendingTest {
    fn begin(folder: &Path, want: Access) -> io::Result<Self> {
        let folder = ProvedFolder::open(folder)?;
        let read = if want.read {
            Some(make_test_file(&folder)?)
        } else {
            None
        };
        let write = want.write.then(|| (test_file_name(), random_word()));
        Ok(Self {
            folder,
            read,
            write,
        })
    }

    fn reply(&self, directory: &str) -> Message {
        let read_file = self.read.as_ref().map(|(file, _)| file.0.display());
        Message::new("TestDDAReply")
            .with("Directory", directory)
            .with_some("ReadFilename", read_file)
            .with_some(
                "WriteFilename",
                self.write
                    .as_ref()
                    .map(|(name, _)| self.folder.path().join(name).display().to_string()),
            )
            .with_some(
                "ContentToWrite",
                self.write.as_ref().map(|(_, content)| content),
            )
    }
}

fn make_test_file(folder: &ProvedFolder) -> io::Result<(TestFile, String)> {
    let (name, content) = (test_file_name(), random_word());
    let mut file = folder.create_file(&name)?;
    let guard = TestFile(folder.path().join(name));
    file.write_all(content.as_bytes())?;
    Ok((guard, content))
}

fn test_file_name() -> String {
    format!("DDACheck-{}.tmp", random_word())
}

/// 128 random bits as a word of one line that no client takes for a number.
fn random_word() -> String {
    format!(
        "w{}",
        data_encoding::HEXLOWER.encode(&rand::rng().random::<[u8; 16]>())
    )
}

/// Whether the file holds exactly this text, give or take a line end.
fn holds(folder: &ProvedFolder, name: &str, content: &str) -> bool {
    let Ok(opened) = folder.open_file(name) else {
        return false;
    };
    let mut found = Vec::new();
    let read_max = content.len() as u64 + 3;
    opened.take(read_max).read_to_end(&mut found).is_ok()
        && found.trim_ascii_end() == content.as_bytes()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_comes_into_the_folder_that_was_tested_and_no_other() {
        let root = tempfile::tempdir().unwrap();
        let (mine, other) = (root.path().join("mine"), root.path().join("other"));
        fs::create_dir(&mine).unwrap();
        fs::create_dir(&other).unwrap();
        let mine = fs::canonicalize(mine).unwrap();
        let mut dda = DirectDiskAccess::default();
        let tested = ProvedFolder::open(&mine).unwrap();
        dda.remember(&tested, None, Some(true));
        let file = dda.writable_file(&mine.join("new")).unwrap();
        let (folder, path) = file.open().unwrap();

        fs::rename(&mine, root.path().join("moved")).unwrap();
        std::os::unix::fs::symlink(&other, &mine).unwrap();
        fs::write(path, "content").unwrap();
        assert!(root.path().join("moved/new").exists());
        assert!(!other.join("new").exists());
        drop(folder);
        assert!(file.open().is_err(), "a link");
        fs::remove_file(&mine).unwrap();
        fs::rename(&other, &mine).unwrap();
        assert!(file.open().is_err(), "another folder");
        assert_eq!(
            dda.writable_file(&mine.join("new")).unwrap_err(),
            Denied::NotProved
        );
    }
}
