//! What lies on a disk.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Bytes of one needle.
const NEEDLE_LEN: usize = 16;

/// Stretches of secret bytes to look for. Content is cut into needles without gaps, so that any 31 bytes of it in a row
/// contain a whole one, wherever they lie.
#[derive(Clone, Debug, Default)]
pub struct Needles {
    needles: HashSet<[u8; NEEDLE_LEN]>,
    /// Whether any needle begins with these two bytes; most places of a disk are settled by this.
    beginnings: HashSet<[u8; 2]>,
}

impl Needles {
    /// Adds content that must not be found.
    pub fn add(&mut self, content: &[u8]) {
        for needle in content.as_chunks::<NEEDLE_LEN>().0 {
            self.needles.insert(*needle);
            self.beginnings.insert([needle[0], needle[1]]);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.needles.len()
    }

    /// The first place in `bytes` where a needle lies.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Option<usize> {
        bytes.array_windows::<NEEDLE_LEN>().position(|window| {
            self.beginnings.contains(&[window[0], window[1]]) && self.needles.contains(window)
        })
    }
}

/// All files in a folder and below.
///
/// # Panics
/// If a folder cannot be read. (A file may vanish meanwhile; whoever reads it decides.)
#[must_use]
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries.flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::bytes;

    #[test]
    fn content_is_found_at_every_offset_and_only_content() {
        let content = bytes(1, 1000);
        let mut needles = Needles::default();
        needles.add(&content);
        let mut disk = bytes(2, 5000);
        assert_eq!(needles.find(&disk), None);
        for offset in [0, 1, 7, 100] {
            disk[2000 + offset..2031 + offset].copy_from_slice(&content[500..531]);
            assert!(needles.find(&disk).is_some(), "{offset}");
            disk[2000 + offset..2031 + offset].fill(0);
        }
    }
}
