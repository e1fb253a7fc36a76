//! Reads stored bytes: segment after segment in order, some ahead, with the keys of each fetched when its turn comes.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use crypto::{Layout, RoutingKey};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use super::error::FetchError;
use super::fetcher::Fetcher;
use super::geometry::{KEY_LEN, KEY_LEN_USIZE, Level, SHARD_LEN};
use super::metadata::{Codec, Stored, layout};
use super::network::BlockFuture;
use super::segment::SegmentJob;

/// Segments under way at once. Three have up to 384 data blocks, enough to fill the window while the first one waits
/// for its last blocks, and 12 MiB of memory (18 while check blocks are needed).
const SEGMENTS_AHEAD: usize = 3;

/// Shards of a key table kept in memory, a level. Each has the keys of more than five segments.
const TABLE_SHARDS_KEPT: usize = 4;

/// The way to the bytes of one [`Stored`].
pub(crate) struct Reader {
    fetcher: Arc<Fetcher>,
    stored: Stored,
    levels: Vec<LevelReader>,
}

struct LevelReader {
    level: Level,
    layout: Layout,
    /// Shards of this level that were read as part of a key table: number and content.
    kept: Mutex<VecDeque<(u64, Bytes)>>,
}

impl Reader {
    /// `stored` must be checked.
    pub(crate) fn new(fetcher: Arc<Fetcher>, codec: Codec, stored: Stored) -> Arc<Self> {
        let levels = stored
            .level_sizes()
            .into_iter()
            .zip(0..)
            .map(|(level, number)| LevelReader {
                level,
                layout: layout(codec, stored.size, number),
                kept: Mutex::new(VecDeque::new()),
            });
        Arc::new(Self {
            fetcher,
            levels: levels.collect(),
            stored,
        })
    }

    /// Streams `range` of the stored bytes, which must lie within them.
    pub(crate) fn stream(self: &Arc<Self>, range: Range<u64>) -> ShardStream {
        let shards = range.start / SHARD_LEN..range.end.div_ceil(SHARD_LEN);
        ShardStream {
            reader: Arc::clone(self),
            next_ask: shards.start,
            next_out: shards.start,
            end: if range.is_empty() {
                shards.start
            } else {
                shards.end
            },
            range,
            running: VecDeque::new(),
        }
    }

    /// Reads `range` into memory.
    pub(crate) async fn read(self: &Arc<Self>, range: Range<u64>) -> Result<Bytes, FetchError> {
        let len = usize::try_from(range.end.saturating_sub(range.start));
        let mut bytes = BytesMut::with_capacity(len.unwrap_or(0).min(1 << 20));
        let mut stream = self.stream(range);
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece?);
        }
        Ok(bytes.freeze())
    }

    /// Blocks that suffice for `range` of the stored bytes, and all blocks of the segments it touches.
    pub(crate) fn block_counts(&self, range: &Range<u64>) -> (u64, u64) {
        let Some(LevelReader { level, .. }) = self.levels.first() else {
            return (0, 0);
        };
        if range.is_empty() || level.data_blocks() == 0 {
            return (0, 0);
        }
        let first = range.start / SHARD_LEN;
        let last = (range.end - 1) / SHARD_LEN;
        if first == 0 && last + 1 == level.data_blocks() {
            return (level.data_blocks(), level.blocks());
        }
        let (from, to) = (
            level.segment(level.segment_of(first)),
            level.segment(level.segment_of(last)),
        );
        (
            last - first + 1,
            to.first_block + to.blocks() as u64 - from.first_block,
        )
    }

    /// Fetches data shards of one segment of level `number` and sends them in order.
    async fn fetch(
        &self,
        number: usize,
        index: u64,
        wanted: Range<usize>,
        out: &mpsc::Sender<Result<Bytes, FetchError>>,
    ) -> Result<(), FetchError> {
        let reader = self.levels.get(number).ok_or(NO_LEVEL)?;
        let segment = reader.level.segment(index);
        let table = segment.first_block..segment.first_block + segment.blocks() as u64;
        let job = SegmentJob {
            fetcher: Arc::clone(&self.fetcher),
            file_key: self.stored.file_key.clone(),
            layout: reader.layout,
            level: reader.level,
            segment,
            keys: self.keys(number + 1, table).await?,
            wanted,
        };
        job.run(out).await
    }

    /// Entries of the table of keys that is level `number`, or the metadata if there is no such level.
    fn keys(
        &self,
        number: usize,
        entries: Range<u64>,
    ) -> BlockFuture<'_, Result<Vec<RoutingKey>, FetchError>> {
        Box::pin(async move {
            if number == self.levels.len() {
                let place = |entry: u64| usize::try_from(entry).unwrap_or(usize::MAX);
                let keys = self
                    .stored
                    .keys
                    .get(place(entries.start)..place(entries.end));
                return keys.map(<[_]>::to_vec).ok_or(NO_LEVEL);
            }
            let bytes = entries.start * KEY_LEN..entries.end * KEY_LEN;
            let mut table = Vec::new();
            for shard in bytes.start / SHARD_LEN..bytes.end.div_ceil(SHARD_LEN) {
                let content = self.table_shard(number, shard).await?;
                table.extend_from_slice(cut(&content, shard, &bytes));
            }
            let keys = table.as_chunks::<KEY_LEN_USIZE>().0;
            Ok(keys.iter().copied().map(RoutingKey::from_bytes).collect())
        })
    }

    /// One shard of level `number`. Whoever needs the same one meanwhile waits and gets it from memory.
    async fn table_shard(&self, number: usize, shard: u64) -> Result<Bytes, FetchError> {
        let reader = self.levels.get(number).ok_or(NO_LEVEL)?;
        let mut kept = reader.kept.lock().await;
        if let Some((_, content)) = kept.iter().find(|(known, _)| *known == shard) {
            return Ok(content.clone());
        }
        let index = reader.level.segment_of(shard);
        let place = usize::try_from(shard - reader.level.segment(index).first_shard)
            .map_err(|_| NO_LEVEL)?;
        let (out, mut shards) = mpsc::channel(1);
        self.fetcher.meter.update(|progress| {
            progress.required += 1;
            progress.total += 1;
        });
        self.fetch(number, index, place..place + 1, &out).await?;
        let content = shards.try_recv().map_err(|_| NO_LEVEL)??;
        if kept.len() == TABLE_SHARDS_KEPT {
            kept.pop_front();
        }
        kept.push_back((shard, content.clone()));
        Ok(content)
    }
}

const NO_LEVEL: FetchError =
    FetchError::Internal("a part of a file was looked for where there is none");

/// The part of `range` that lies in shard `number`, whose content is `shard`.
fn cut<'a>(shard: &'a [u8], number: u64, range: &Range<u64>) -> &'a [u8] {
    let place = place_in(number, shard.len(), range);
    shard.get(place).unwrap_or_default()
}

/// Where the part of `range` that lies in shard `number` begins and ends within the shard.
fn place_in(number: u64, len: usize, range: &Range<u64>) -> Range<usize> {
    let first = number * SHARD_LEN;
    let clamp =
        |byte: u64| usize::try_from(byte.saturating_sub(first)).map_or(len, |place| place.min(len));
    clamp(range.start)..clamp(range.end)
}

/// A range of stored bytes, in order.
pub(crate) struct ShardStream {
    reader: Arc<Reader>,
    range: Range<u64>,
    /// The next shard to ask for.
    next_ask: u64,
    /// The next shard to hand out.
    next_out: u64,
    end: u64,
    running: VecDeque<Running>,
}

/// A segment under way. Aborted when dropped.
struct Running {
    /// The shard behind its last wanted one.
    end: u64,
    shards: mpsc::Receiver<Result<Bytes, FetchError>>,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ShardStream {
    /// The next piece, never empty. `None` after the last one or after an error.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, FetchError>> {
        loop {
            self.ask_ahead();
            let running = self.running.front_mut()?;
            match running.shards.recv().await {
                Some(Ok(shard)) => {
                    let place = place_in(self.next_out, shard.len(), &self.range);
                    self.next_out += 1;
                    return Some(Ok(shard.slice(place)));
                }
                Some(Err(error)) => return Some(Err(self.stop(error))),
                None if running.end == self.next_out => drop(self.running.pop_front()),
                None => {
                    return Some(Err(self.stop(FetchError::Internal(
                        "fetching a part of a file ended early",
                    ))));
                }
            }
        }
    }

    fn stop(&mut self, error: FetchError) -> FetchError {
        self.running.clear();
        self.next_ask = self.end;
        error
    }

    fn ask_ahead(&mut self) {
        while self.running.len() < SEGMENTS_AHEAD && self.next_ask < self.end {
            let Some(LevelReader { level, .. }) = self.reader.levels.first() else {
                return;
            };
            let index = level.segment_of(self.next_ask);
            let segment = level.segment(index);
            let place = |shard: u64| usize::try_from(shard - segment.first_shard).unwrap_or(0);
            let end = self.end.min(segment.first_shard + segment.data as u64);
            let wanted = place(self.next_ask)..place(end);
            self.next_ask = end;
            let (out, shards) = mpsc::channel(wanted.len() + 1);
            let reader = Arc::clone(&self.reader);
            let task = tokio::spawn(async move {
                if let Err(error) = reader.fetch(0, index, wanted, &out).await {
                    let _ = out.try_send(Err(error));
                }
            });
            self.running.push_back(Running { end, shards, task });
        }
    }
}
