//! `onion.secret`: the keys and guards of a node's circuits, so that they are the same after a restart.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use data_encoding::BASE64URL_NOPAD;
use routing::OnionMemory;
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::serial;
use crate::data_dir::{read_text_bounded, replace_file};

/// Name of the file in the data folder.
const FILE_NAME: &str = "onion.secret";

/// The memory has 2 KiB at most, which base64 makes a third longer.
const FILE_LEN_MAX: u64 = 16 << 10;

const LABEL: &str = "warren-onion-1";

/// What is to be kept next; none as long as nothing is.
pub(super) type Keep = watch::Sender<Option<OnionMemory>>;

/// The file of one node: a label, when it was written (milliseconds since 1970) and the memory in base64.
#[derive(Clone, Debug)]
pub(super) struct OnionFile(PathBuf);

impl OnionFile {
    /// The file in a data folder.
    pub(super) fn new(data_dir: &Path) -> Self {
        Self(data_dir.join(FILE_NAME))
    }

    /// What is in it and how long ago it was written; nothing if it is missing, or damaged, which is logged: the node then
    /// chooses new keys and another guard.
    pub(super) fn read(&self) -> Option<(OnionMemory, Duration)> {
        match read_text_bounded(&self.0, FILE_LEN_MAX).map(Zeroizing::new) {
            Ok(text) => {
                let kept = parse(&text);
                if kept.is_none() {
                    tracing::warn!(
                        "{FILE_NAME} is damaged; the node chooses new circuit keys and a new guard"
                    );
                }
                kept
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "{FILE_NAME} cannot be read; the node chooses new circuit keys and a new guard");
                }
                None
            }
        }
    }

    /// Replaces what is in it, in one step.
    ///
    /// # Errors
    /// What the file system says; the old file is then untouched.
    fn write(&self, memory: &OnionMemory) -> io::Result<()> {
        let base64 = Zeroizing::new(BASE64URL_NOPAD.encode(memory.as_bytes()));
        let text = Zeroizing::new(format!("{LABEL} {} {}\n", serial(), *base64));
        replace_file(&self.0, text.as_bytes(), 0o600).map(drop)
    }

    /// Writes each memory that is told, the last one at least, until nobody tells any more.
    pub(super) async fn keep(self, mut memories: watch::Receiver<Option<OnionMemory>>) {
        while memories.changed().await.is_ok() {
            let Some(memory) = memories.borrow_and_update().clone() else {
                continue;
            };
            let file = self.clone();
            let written = tokio::task::spawn_blocking(move || file.write(&memory)).await;
            if let Ok(Err(error)) = written {
                tracing::warn!(%error, "the guards of this node's circuits cannot be kept; after a restart it chooses others, which is worse for its anonymity");
            }
        }
    }
}

/// A clock that was put back since then makes nothing older.
fn parse(text: &str) -> Option<(OnionMemory, Duration)> {
    let mut words = text.trim_end().strip_prefix(LABEL)?.split_whitespace();
    let written: u64 = words.next()?.parse().ok()?;
    let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(words.next()?.as_bytes()).ok()?);
    let memory = OnionMemory::from_bytes(&bytes).ok()?;
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let elapsed = since_epoch
        .unwrap_or_default()
        .saturating_sub(Duration::from_millis(written));
    words.next().is_none().then_some((memory, elapsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = OnionFile::new(folder.path());
        assert!(file.read().is_none());
        for damaged in ["", "warren-onion-1", "warren-onion-1 7 AAAA", "\u{7f}"] {
            std::fs::write(&file.0, damaged).unwrap();
            assert!(file.read().is_none(), "{damaged}");
        }
    }
}
