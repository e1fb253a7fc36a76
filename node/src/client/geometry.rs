//! How content is cut into blocks and segments. Everything here follows from one number, the size.
//!
//! Content is cut into shards of 32 KiB (the last one may be shorter), the shards into segments of at most 128, as equal
//! in length as possible so that no small segment with little redundancy remains at the end. Each segment gets check
//! shards: any `data` of its `data + check` blocks suffice. The keys of all blocks form a table of 32 bytes an entry,
//! which is content again, one *level* up, until the table is small enough to be carried in the metadata.

use crypto::CONTENT_PAYLOAD_MAX;

/// Bytes of a shard: what one block holds.
pub(crate) const SHARD_LEN: u64 = CONTENT_PAYLOAD_MAX as u64;

/// Bytes of a shard, for memory.
pub(crate) const SHARD_LEN_USIZE: usize = CONTENT_PAYLOAD_MAX;

/// Most data shards of a segment. 128 data and 64 check blocks are 6 MiB, so a few segments fit in memory; more shards
/// would survive slightly higher losses, at a decoding cost and a memory that grow with them.
pub(crate) const SEGMENT_DATA_MAX: u64 = 128;

/// Bytes of an entry in a table of keys.
pub(crate) const KEY_LEN: u64 = KEY_LEN_USIZE as u64;

/// The same, for memory.
pub(crate) const KEY_LEN_USIZE: usize = 32;

/// Most bytes of one content: 16 TiB. Keeps all arithmetic far from overflow.
pub(crate) const SIZE_MAX: u64 = 1 << 44;

/// Most levels. Each is at least 600 times smaller than the one below, so the fifth of the largest content has one shard.
pub(crate) const LEVELS_MAX: usize = 6;

/// The number of check shards that protect `data` shards: half as many, but at least three (or as many as there is data).
pub(crate) const fn check_count(data: u64) -> u64 {
    let half = data.div_ceil(2);
    let least = if data < CHECK_MIN { data } else { CHECK_MIN };
    if half > least { half } else { least }
}

/// Small segments get more than half: with few blocks a run of bad luck is likely.
const CHECK_MIN: u64 = 3;

/// One level of a stored content: how many bytes it has, and with them how it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    size: u64,
    data_blocks: u64,
    segments: u64,
}

/// A segment of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Number of its first shard among the data shards of the level.
    pub(crate) first_shard: u64,
    /// Number of its first block among all blocks of the level, check blocks counted.
    pub(crate) first_block: u64,
    /// Data shards.
    pub(crate) data: usize,
    /// Check shards.
    pub(crate) check: usize,
}

impl Segment {
    /// Data and check blocks.
    pub(crate) const fn blocks(&self) -> usize {
        self.data + self.check
    }
}

impl Level {
    /// The level that holds `size` bytes, at most [`SIZE_MAX`].
    pub(crate) const fn new(size: u64) -> Self {
        let data_blocks = size.div_ceil(SHARD_LEN);
        Self {
            size,
            data_blocks,
            segments: data_blocks.div_ceil(SEGMENT_DATA_MAX),
        }
    }

    /// Data shards.
    pub(crate) const fn data_blocks(&self) -> u64 {
        self.data_blocks
    }

    /// Segments.
    pub(crate) const fn segments(&self) -> u64 {
        self.segments
    }

    /// Blocks with the check blocks.
    pub(crate) const fn blocks(&self) -> u64 {
        self.blocks_before(self.segments)
    }

    /// The level with the keys of this one's blocks.
    pub(crate) const fn key_table(&self) -> Self {
        Self::new(self.blocks() * KEY_LEN)
    }

    /// Segment `index`, which must be less than [`segments`](Self::segments).
    pub(crate) fn segment(&self, index: u64) -> Segment {
        assert!(index < self.segments, "the level has no such segment");
        let (short, long_segments) = self.short_and_long();
        let data = if index < long_segments {
            short + 1
        } else {
            short
        };
        Segment {
            first_shard: index * short + index.min(long_segments),
            first_block: self.blocks_before(index),
            data: usize::try_from(data).expect("at most 128"),
            check: usize::try_from(check_count(data)).expect("at most 64"),
        }
    }

    /// The segment that data shard `shard` belongs to.
    pub(crate) const fn segment_of(&self, shard: u64) -> u64 {
        let (short, long_segments) = self.short_and_long();
        let in_long = long_segments * (short + 1);
        if shard < in_long {
            shard / (short + 1)
        } else {
            long_segments + (shard - in_long) / short
        }
    }

    /// Bytes of data shard `shard`: all of [`SHARD_LEN`] but in the last one.
    pub(crate) fn shard_len(&self, shard: u64) -> usize {
        let len = self.size.saturating_sub(shard * SHARD_LEN).min(SHARD_LEN);
        usize::try_from(len).expect("at most 32 KiB")
    }

    /// Shards in the shorter segments, and how many segments are one longer. They come first.
    const fn short_and_long(&self) -> (u64, u64) {
        match self.segments {
            0 => (0, 0),
            segments => (self.data_blocks / segments, self.data_blocks % segments),
        }
    }

    /// Blocks of the segments before segment `index`.
    const fn blocks_before(&self, index: u64) -> u64 {
        let (short, long_segments) = self.short_and_long();
        let long_before = if index < long_segments {
            index
        } else {
            long_segments
        };
        let long = short + 1;
        long_before * (long + check_count(long))
            + (index - long_before) * (short + check_count(short))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ten_gibibytes_need_one_table_above_the_data_and_one_in_the_metadata() {
        let data = Level::new(10 << 30);
        assert_eq!(data.segments(), 2560);
        assert_eq!(data.blocks(), 2560 * 192);
        let table = data.key_table();
        assert_eq!(table.size, 15_728_640);
        assert!(table.blocks() < 800);
    }

    #[test]
    fn one_shard_is_protected_by_a_second_block() {
        assert_eq!(Level::new(1).blocks(), 2);
        assert_eq!(Level::new(SHARD_LEN).blocks(), 2);
        assert_eq!(Level::new(SHARD_LEN + 1).blocks(), 4);
        assert_eq!(Level::new(0).blocks(), 0);
    }

    #[test]
    fn the_largest_content_stays_within_the_levels() {
        let mut level = Level::new(SIZE_MAX);
        let mut levels = 1;
        while level.blocks() > 16 {
            level = level.key_table();
            levels += 1;
        }
        assert!(levels <= LEVELS_MAX, "{levels}");
    }

    proptest! {
        #[test]
        fn segments_are_balanced_and_cover_every_shard_once(size in 0..SIZE_MAX, small in 0..2_000_000_000_u64, pick: bool) {
            let level = Level::new(if pick { size } else { small });
            let count = level.segments();
            let looked_at = (0..count.min(50)).chain(count.saturating_sub(50)..count);
            for index in looked_at {
                let segment = level.segment(index);
                prop_assert!(segment.data >= 1 && segment.data as u64 <= SEGMENT_DATA_MAX);
                let (first, end) = (segment.first_shard, segment.first_shard + segment.data as u64);
                prop_assert_eq!(level.segment_of(first), index);
                prop_assert_eq!(level.segment_of(end - 1), index);
                if index + 1 < count {
                    let next = level.segment(index + 1);
                    prop_assert_eq!(next.first_shard, end);
                    prop_assert_eq!(next.first_block, segment.first_block + segment.blocks() as u64);
                    prop_assert!(segment.data - next.data <= 1);
                } else {
                    prop_assert_eq!(end, level.data_blocks());
                    prop_assert_eq!(level.blocks(), segment.first_block + segment.blocks() as u64);
                }
            }
        }
    }
}
