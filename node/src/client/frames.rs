//! Compressed content that can be read from any place: frames of 1 MiB, each compressed for itself.
//!
//! ```text
//! frame 0 | frame 1 | … | length of frame 0 (4, little endian) | length of frame 1 | …
//! ```
//! A frame that compression would not shorten is kept as it is; its stored length then equals its content's. Content of
//! a single frame has no table of lengths.

use std::io;
use std::ops::Range;

use super::error::FetchError;

/// Bytes of content in a frame; fewer in the last one. A range costs at most two of them too much, and Zstandard gains
/// next to nothing from longer ones at its low levels.
pub(crate) const FRAME_LEN: u64 = 1 << 20;

/// Most bytes of content that is compressed: 1 TiB, whose table of lengths has 4 MiB.
pub(crate) const SIZE_MAX: u64 = 1 << 40;

const FRAME_LEN_USIZE: usize = 1 << 20;

/// Zstandard's own default: three quarters of the gain of the slow levels at several hundred MB/s.
const LEVEL: i32 = 3;

/// The number of frames of content of `size` bytes.
pub(crate) const fn count(size: u64) -> u64 {
    size.div_ceil(FRAME_LEN)
}

/// Bytes of the table of lengths.
pub(crate) const fn index_len(size: u64) -> u64 {
    let frames = count(size);
    if frames < 2 { 0 } else { frames * 4 }
}

/// Most bytes that content of `size` bytes can take.
pub(crate) const fn stored_len_max(size: u64) -> u64 {
    size + index_len(size)
}

/// Compresses frame by frame.
pub(crate) struct Compressor {
    zstd: zstd::bulk::Compressor<'static>,
    index: Vec<u8>,
}

impl Compressor {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            zstd: zstd::bulk::Compressor::new(LEVEL)?,
            index: Vec::new(),
        })
    }

    /// The stored form of the next frame.
    pub(crate) fn frame<'a>(
        &mut self,
        content: &'a [u8],
        buffer: &'a mut Vec<u8>,
    ) -> io::Result<&'a [u8]> {
        debug_assert!(content.len() <= FRAME_LEN_USIZE);
        buffer.clear();
        buffer.reserve(zstd::zstd_safe::compress_bound(content.len()));
        self.zstd.compress_to_buffer(content, buffer)?;
        let stored = if buffer.len() < content.len() {
            &buffer[..]
        } else {
            content
        };
        let len = u32::try_from(stored.len()).map_err(io::Error::other)?;
        self.index.extend_from_slice(&len.to_le_bytes());
        Ok(stored)
    }

    /// The table to put behind the last frame.
    pub(crate) fn finish(self) -> Vec<u8> {
        if self.index.len() <= 4 {
            Vec::new()
        } else {
            self.index
        }
    }
}

/// The content of one frame, which must have `len` bytes.
///
/// # Errors
/// [`FetchError::Archive`] when it is damaged or has another length. No more than `len` bytes of memory are taken.
pub(crate) fn decompress(stored: &[u8], len: usize) -> Result<Vec<u8>, FetchError> {
    if stored.len() == len {
        return Ok(stored.to_vec());
    }
    let content = zstd::bulk::decompress(stored, len).map_err(|_| DAMAGED)?;
    if content.len() == len {
        Ok(content)
    } else {
        Err(DAMAGED)
    }
}

const DAMAGED: FetchError = FetchError::Archive("a compressed part of it is damaged");

/// Where each frame of a content lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameIndex {
    size: u64,
    /// Where frames begin, and where the last one ends.
    bounds: Vec<u64>,
}

impl FrameIndex {
    /// The index of content with `size` bytes of which `stored_len` are stored, whose table of lengths is `table`.
    ///
    /// # Errors
    /// [`FetchError::Archive`] when the table contradicts the sizes.
    pub(crate) fn new(size: u64, stored_len: u64, table: &[u8]) -> Result<Self, FetchError> {
        const WRONG: FetchError =
            FetchError::Archive("the table of its compressed parts makes no sense");
        if table.len() as u64 != index_len(size) {
            return Err(WRONG);
        }
        let frames_len = stored_len.checked_sub(table.len() as u64).ok_or(WRONG)?;
        let mut bounds = vec![0];
        if table.is_empty() {
            bounds.push(frames_len);
        }
        for len in table.as_chunks::<4>().0 {
            let end = bounds.last().copied().unwrap_or(0) + u64::from(u32::from_le_bytes(*len));
            bounds.push(end);
        }
        let index = Self { size, bounds };
        let lens_fit = (0..count(size)).all(|frame| {
            let stored = index.stored(frame..frame + 1);
            let len = stored.end - stored.start;
            len >= 1 && len <= index.content_len(frame) as u64
        });
        if !lens_fit || index.bounds.last() != Some(&frames_len) {
            return Err(WRONG);
        }
        Ok(index)
    }

    /// Where the stored form of `frames` lies.
    pub(crate) fn stored(&self, frames: Range<u64>) -> Range<u64> {
        let at = |frame: u64| {
            let place = usize::try_from(frame).unwrap_or(usize::MAX);
            self.bounds.get(place).copied().unwrap_or(0)
        };
        at(frames.start)..at(frames.end)
    }

    /// Bytes of content in `frame`.
    pub(crate) fn content_len(&self, frame: u64) -> usize {
        let len = self.size.saturating_sub(frame * FRAME_LEN).min(FRAME_LEN);
        usize::try_from(len).expect("at most 1 MiB")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pack(content: &[u8]) -> Vec<u8> {
        let mut compressor = Compressor::new().unwrap();
        let (mut stored, mut buffer) = (Vec::new(), Vec::new());
        for frame in content.chunks(FRAME_LEN_USIZE) {
            stored.extend_from_slice(compressor.frame(frame, &mut buffer).unwrap());
        }
        stored.extend_from_slice(&compressor.finish());
        stored
    }

    fn index_of(content: &[u8], stored: &[u8]) -> FrameIndex {
        let size = content.len() as u64;
        let table = stored.len() - usize::try_from(index_len(size)).unwrap();
        FrameIndex::new(size, stored.len() as u64, &stored[table..]).unwrap()
    }

    #[test]
    fn every_frame_can_be_read_alone() {
        let mut content = vec![0; 3 * FRAME_LEN_USIZE + 17];
        blake3::Hasher::new()
            .finalize_xof()
            .fill(&mut content[FRAME_LEN_USIZE..2 * FRAME_LEN_USIZE]);
        let stored = pack(&content);
        assert!(stored.len() < FRAME_LEN_USIZE + 10_000);
        let index = index_of(&content, &stored);
        for (frame, expected) in content.chunks(FRAME_LEN_USIZE).enumerate().rev() {
            let place = index.stored(frame as u64..frame as u64 + 1);
            let place = usize::try_from(place.start).unwrap()..usize::try_from(place.end).unwrap();
            let len = index.content_len(frame as u64);
            assert_eq!(decompress(&stored[place], len).unwrap(), expected);
        }
    }

    #[test]
    fn a_bomb_does_not_get_more_memory_than_it_declared() {
        let bomb = zstd::bulk::compress(&vec![0; 100 << 20], 3).unwrap();
        assert!(decompress(&bomb, 1000).is_err());
        assert!(decompress(&zstd::bulk::compress(b"short", 3).unwrap(), 1000).is_err());
    }

    proptest! {
        #[test]
        fn any_table_is_refused_or_within_the_stored_bytes(size in 0..5 * FRAME_LEN, stored_len in 0..6 * FRAME_LEN, table in prop::collection::vec(any::<u8>(), 0..32)) {
            if let Ok(index) = FrameIndex::new(size, stored_len, &table) {
                let whole = index.stored(0..count(size));
                prop_assert!(whole.start == 0 && whole.end <= stored_len);
            }
        }

        #[test]
        fn any_bytes_decompress_to_the_declared_length_or_to_an_error(stored in prop::collection::vec(any::<u8>(), 0..200), len in 0..2000_usize) {
            if let Ok(content) = decompress(&stored, len) {
                prop_assert_eq!(content.len(), len);
            }
        }
    }
}
