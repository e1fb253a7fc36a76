//! Direct disk access: a client proves that it may read or write a folder itself before the node does it on
//! its behalf.
//!
//! The node often runs as another user than the client. Without the proof any local program could have the
//! node publish files that only the node's user may read, or write where only that user may write.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rand::RngExt;

use super::message::{Flag, Message};
use super::protocol_error::{ErrorCode, ProtocolError};

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
    allowed: BTreeMap<PathBuf, Access>,
}

/// What a client may have the node do in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Access {
    read: bool,
    write: bool,
}

#[derive(Debug)]
struct PendingTest {
    folder: PathBuf,
    /// The file we made, and what is in it.
    read: Option<(TestFile, String)>,
    /// The file the client is to make, and what is to be in it.
    write: Option<(PathBuf, String)>,
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
        let test = PendingTest::begin(folder, want)
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
            .map(|(file, content)| holds(file, content));
        if self.allowed.len() < FOLDERS_MAX || self.allowed.contains_key(&test.folder) {
            let access = self.allowed.entry(test.folder).or_default();
            access.read = read.unwrap_or(access.read);
            access.write = write.unwrap_or(access.write);
        }
        Ok(Message::new("TestDDAComplete")
            .with("Directory", directory)
            .with_some("ReadDirectoryAllowed", read)
            .with_some("WriteDirectoryAllowed", write))
    }

    /// Whether the client proved that it can read this file. Returns the path to open.
    ///
    /// The folder of the file must have been tested, symbolic links resolved. A file that belongs to somebody
    /// else than its folder and that not everybody may read is not covered: in a folder like `/tmp` the test
    /// proves nothing about it. Blocks on the disk.
    pub(super) fn readable_file(&self, file: &Path) -> Result<PathBuf, Denied> {
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
        if self.may_read(folder) && covered_by(folder, &file) {
            Ok(file)
        } else {
            Err(Denied::NotProved)
        }
    }

    /// Whether the client proved that it can read this folder, whose sub-folders are then open to it as well.
    /// Returns the path to open; each file below it must pass [`covered_by`]. Blocks on the disk.
    pub(super) fn readable_folder(&self, folder: &Path) -> Result<PathBuf, Denied> {
        let folder = fs::canonicalize(folder).map_err(|_| Denied::NotProved)?;
        if self.may_read(&folder) {
            Ok(folder)
        } else {
            Err(Denied::NotProved)
        }
    }

    /// Whether the client proved that it can write this file, which need not exist. Returns the path to
    /// write. Blocks on the disk.
    pub(super) fn writable_file(&self, file: &Path) -> Result<PathBuf, Denied> {
        let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
            return Err(Denied::NotProved);
        };
        let folder = fs::canonicalize(folder).map_err(|_| Denied::NotProved)?;
        if self.allowed.get(&folder).is_some_and(|access| access.write) {
            Ok(folder.join(name))
        } else {
            Err(Denied::NotProved)
        }
    }

    fn may_read(&self, folder: &Path) -> bool {
        self.allowed.get(folder).is_some_and(|access| access.read)
    }
}

/// Why a path may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// No test of direct disk access covers it.
    NotProved,
    /// The folder is open to the client, and the file is not there.
    NoSuchFile,
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
        }
    }
}

impl PendingTest {
    fn begin(folder: PathBuf, want: Access) -> io::Result<Self> {
        let read = if want.read {
            Some(make_test_file(&folder)?)
        } else {
            None
        };
        let write = want
            .write
            .then(|| (folder.join(test_file_name()), random_word()));
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
                self.write.as_ref().map(|(file, _)| file.display()),
            )
            .with_some(
                "ContentToWrite",
                self.write.as_ref().map(|(_, content)| content),
            )
    }
}

fn make_test_file(folder: &Path) -> io::Result<(TestFile, String)> {
    let path = folder.join(test_file_name());
    let content = random_word();
    let mut file = File::create_new(&path)?;
    let guard = TestFile(path);
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
fn holds(file: &Path, content: &str) -> bool {
    let Ok(opened) = File::open(file) else {
        return false;
    };
    let mut found = Vec::new();
    let read_max = content.len() as u64 + 3;
    opened.take(read_max).read_to_end(&mut found).is_ok()
        && found.trim_ascii_end() == content.as_bytes()
}

/// Whether permission to read `folder` says anything about `file`: it belongs to the folder's owner, or
/// everybody may read it.
#[cfg(unix)]
pub(super) fn covered_by(folder: &Path, file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(folder), Ok(file)) = (fs::metadata(folder), fs::symlink_metadata(file)) else {
        return false;
    };
    file.uid() == folder.uid() || file.mode() & 0o004 != 0
}

/// Whether permission to read `folder` says anything about `file`; without owners and modes to go by, it does.
#[cfg(not(unix))]
pub(super) fn covered_by(_folder: &Path, _file: &Path) -> bool {
    true
}
