//! Where content lies: how it was compressed, how it was cut, and the keys to begin with.

use crypto::{FileKey, Layout, RoutingKey};
use serde::{Deserialize, Serialize};

use super::fields::{bounded, file_key};
use crate::client::frames;
use crate::client::geometry::{LEVELS_MAX, Level, SEGMENT_DATA_MAX, SHARD_LEN, SIZE_MAX};

/// Most keys that metadata carries itself. 800 keys are 25 KiB, which leaves room for the rest in one block.
pub(crate) const KEYS_INLINE_MAX: usize = 800;

/// Content, compressed or not, in blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Packed {
    /// Bytes of the content.
    pub(crate) size: u64,
    /// BLAKE3 of the content.
    pub(crate) blake3: [u8; 32],
    /// How it was compressed.
    pub(crate) codec: Codec,
    /// Where the bytes lie.
    pub(crate) stored: Stored,
}

/// How content was compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Codec {
    /// Not at all.
    None,
    /// Zstandard in frames of their own, see [`frames`].
    Zstd,
}

/// Bytes in blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// Bytes.
    pub(crate) size: u64,
    /// What all blocks are sealed with.
    #[serde(with = "file_key")]
    pub(crate) file_key: FileKey,
    /// How many levels there are: the bytes themselves, the table of their keys, the table of its keys, …
    pub(crate) levels: u8,
    /// The keys of the blocks of the last level, segment by segment, check blocks behind the data blocks.
    #[serde(deserialize_with = "bounded::deserialize::<KEYS_INLINE_MAX, _, _>")]
    pub(crate) keys: Vec<RoutingKey>,
}

impl Packed {
    /// Checks that all numbers belong together.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.size > SIZE_MAX || self.stored.size > SIZE_MAX {
            return Err("a size is beyond all bounds");
        }
        match self.codec {
            Codec::None if self.stored.size != self.size => {
                return Err("two sizes contradict each other");
            }
            Codec::Zstd if self.size > frames::SIZE_MAX => {
                return Err("too large for compressed content");
            }
            Codec::Zstd if self.stored.size < frames::index_len(self.size) => {
                return Err("compressed content is shorter than its own index");
            }
            Codec::Zstd if self.stored.size > frames::stored_len_max(self.size) => {
                return Err("compressed content is longer than the content");
            }
            Codec::None | Codec::Zstd => {}
        }
        self.stored.check()
    }
}

impl Stored {
    /// How each level is cut, the content's first.
    pub(crate) fn level_sizes(&self) -> Vec<Level> {
        let first = Level::new(self.size);
        let levels = std::iter::successors(Some(first), |level| Some(level.key_table()));
        levels.take(usize::from(self.levels)).collect()
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.levels == 0 || usize::from(self.levels) > LEVELS_MAX {
            return Err("the number of levels is beyond all bounds");
        }
        let top = self.level_sizes().last().map_or(0, Level::blocks);
        if top != self.keys.len() as u64 {
            return Err("the table of keys has not one key for each block");
        }
        Ok(())
    }
}

/// How the blocks of level `level` are derived from a file key: everything that decides what bytes they hold.
pub(crate) fn layout(codec: Codec, size: u64, level: u8) -> Layout {
    let codec = match codec {
        Codec::None => 0,
        Codec::Zstd => frames::FRAME_LEN,
    };
    let numbers = [codec, SHARD_LEN, SEGMENT_DATA_MAX, size, u64::from(level)];
    let mut descriptor = b"warren splitfile 1".to_vec();
    for number in numbers {
        descriptor.extend_from_slice(&number.to_le_bytes());
    }
    Layout::splitfile(&descriptor)
}
