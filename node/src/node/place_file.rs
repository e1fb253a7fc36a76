//! `darknet.place`: where a node whose peers are all friends is on the ring, so that it is there again after a restart.

use std::io;
use std::path::{Path, PathBuf};

use routing::Location;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::data_dir::{read_text_bounded, replace_file};

/// Name of the file in the data folder.
const FILE_NAME: &str = "darknet.place";

/// Two lines, and room for comments.
const FILE_LEN_MAX: u64 = 4096;

const HEAD: &str = "# Where this node is among its friends. Written by the node; without this file it looks for a place anew.\n";

/// A place and how good it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeptPlace {
    /// On the ring.
    pub(super) location: Location,
    /// Whether the node had found a place that suits its friends.
    pub(super) settled: bool,
}

/// The file of one node.
#[derive(Clone, Debug)]
pub(super) struct PlaceFile(PathBuf);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// The place's 64 bits, in hexadecimal digits: TOML has no unsigned numbers.
    location: String,
    settled: bool,
}

impl PlaceFile {
    /// The file in a data folder.
    pub(super) fn new(data_dir: &Path) -> Self {
        Self(data_dir.join(FILE_NAME))
    }

    /// What is in it; nothing if it is missing, or damaged, which is logged: a node finds another place.
    pub(super) fn read(&self) -> Option<KeptPlace> {
        let text = match read_text_bounded(&self.0, FILE_LEN_MAX) {
            Ok(text) => text,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, "the node's place cannot be read; it looks for one anew");
                }
                return None;
            }
        };
        let place = parse(&text);
        if place.is_none() {
            tracing::warn!("{FILE_NAME} is damaged; the node looks for a place anew");
        }
        place
    }

    /// Replaces what is in it, in one step.
    ///
    /// # Errors
    /// What the file system says; the old file is then untouched.
    fn write(&self, place: KeptPlace) -> io::Result<()> {
        let document = Document {
            location: format!("{:016x}", place.location.to_bits()),
            settled: place.settled,
        };
        let text = toml::to_string(&document).map_err(io::Error::other)?;
        replace_file(&self.0, format!("{HEAD}{text}").as_bytes(), 0o600).map(drop)
    }

    /// Writes each place that is told, the last one at least, until nobody tells any more.
    pub(super) async fn keep(self, mut places: watch::Receiver<KeptPlace>) {
        while places.changed().await.is_ok() {
            let place = *places.borrow_and_update();
            let file = self.clone();
            let written = tokio::task::spawn_blocking(move || file.write(place)).await;
            if let Ok(Err(error)) = written {
                tracing::warn!(%error, "the node's place cannot be kept; after a restart it may have to look for one anew");
            }
        }
    }
}

fn parse(text: &str) -> Option<KeptPlace> {
    let document: Document = toml::from_str(text).ok()?;
    let bits = u64::from_str_radix(&document.location, 16).ok()?;
    Some(KeptPlace {
        location: Location::from_bits(bits),
        settled: document.settled,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_place_that_was_told_is_read_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let file = PlaceFile::new(folder.path());
        assert_eq!(file.read(), None);
        let place = |bits, settled| KeptPlace {
            location: Location::from_bits(bits),
            settled,
        };
        let (tell, told) = watch::channel(place(0, false));
        let keeping = tokio::spawn(file.clone().keep(told));
        tell.send_replace(place(7, false));
        tell.send_replace(place(u64::MAX - 1, true));
        drop(tell);
        keeping.await.unwrap();
        assert_eq!(file.read(), Some(place(u64::MAX - 1, true)));
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = PlaceFile::new(folder.path());
        for damaged in [
            "",
            "location = 7",
            "location = \"x\"\nsettled = true",
            "\u{7f}",
        ] {
            std::fs::write(&file.0, damaged).unwrap();
            assert_eq!(file.read(), None, "{damaged}");
        }
    }
}
