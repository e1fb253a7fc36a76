//! Fetches one segment: the data blocks first; check blocks only in place of those that cannot be had.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crypto::{BlockKey, BlockKind, FileKey, Layout, RoutingKey, open_content, seal_content};
use routing::Role;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::erasure;
use super::error::FetchError;
use super::fetcher::{Fetcher, Patience, Rounds};
use super::geometry::{Level, SHARD_LEN_USIZE, Segment};
use super::network::{BlockFetchError, Class};

/// A segment to fetch, or part of one.
pub(crate) struct SegmentJob {
    pub(crate) fetcher: Arc<Fetcher>,
    pub(crate) file_key: FileKey,
    pub(crate) layout: Layout,
    pub(crate) level: Level,
    pub(crate) segment: Segment,
    /// The keys of all its blocks.
    pub(crate) keys: Vec<RoutingKey>,
    /// Which of its data shards are wanted.
    pub(crate) wanted: Range<usize>,
}

/// What is known about a block of the segment.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Block {
    Untried,
    Asked,
    Here(Bytes),
    /// The network was searched and does not have it, for the moment.
    Missing,
    /// The search ended without saying whether the network has it.
    Unclear,
    /// It is there, but it does not open.
    Damaged,
}

impl SegmentJob {
    /// The key of a block of the segment.
    fn key(&self, index: usize) -> Option<BlockKey> {
        self.keys.get(index).map(|&routing_key| BlockKey {
            kind: BlockKind::Content,
            routing_key,
        })
    }

    /// A block's number in the file.
    const fn number(&self, index: usize) -> u64 {
        self.segment.first_block + index as u64
    }

    /// Sends the wanted shards in order, each as soon as it and all before it are here. `out` must have room for all.
    ///
    /// # Errors
    /// [`FetchError::Splitfile`] when too few blocks can be found, or why no block can be fetched at all.
    pub(crate) async fn run(
        self,
        out: &mpsc::Sender<Result<Bytes, FetchError>>,
    ) -> Result<(), FetchError> {
        let mut run = Run {
            blocks: vec![Block::Untried; self.segment.blocks()],
            tasks: JoinSet::new(),
            next_out: self.wanted.start,
            restoring: false,
            spares: 0,
            unclear_rounds: 0,
            last_error: BlockFetchError::NotFound,
            job: self,
        };
        for index in run.job.wanted.clone() {
            run.ask(index);
        }
        let mut rounds = Rounds::new(run.job.fetcher.options.retries);
        loop {
            run.send_ready(out);
            if run.next_out == run.job.wanted.end {
                return Ok(());
            }
            if run.here() >= run.job.segment.data {
                run.restore().await?;
                continue;
            }
            run.ask_substitutes();
            if run.wait_for_a_block().await? {
                continue;
            }
            if run.search_unclear_again().await {
                continue;
            }
            if !rounds.another(std::future::pending()).await {
                return Err(run.failure());
            }
            run.forget(&Block::Missing);
            run.forget(&Block::Unclear);
        }
    }
}

struct Run {
    job: SegmentJob,
    blocks: Vec<Block>,
    tasks: JoinSet<(usize, Result<Bytes, Failure>)>,
    /// The next shard to send.
    next_out: usize,
    /// Whether a wanted block failed: the whole segment is then needed to restore it.
    restoring: bool,
    /// Blocks to ask for beyond those that suffice, because some are slow.
    spares: usize,
    unclear_rounds: u32,
    last_error: BlockFetchError,
}

enum Failure {
    Network(BlockFetchError),
    Damaged,
}

impl Run {
    fn ask(&mut self, index: usize) {
        let job = &self.job;
        let (Some(block), Some(key)) = (self.blocks.get_mut(index), job.key(index)) else {
            return;
        };
        *block = Block::Asked;
        let number = job.number(index);
        let expected_len = if index < job.segment.data {
            job.level.shard_len(job.segment.first_shard + index as u64)
        } else {
            SHARD_LEN_USIZE
        };
        let (fetcher, file_key, layout) =
            (Arc::clone(&job.fetcher), job.file_key.clone(), job.layout);
        self.tasks.spawn(async move {
            let result = match fetcher.block(key, Patience::Spare, Role::Part).await {
                Ok(block) => match open_content(&file_key, &layout, number, &block) {
                    Ok(shard) if shard.len() == expected_len => Ok(Bytes::from(shard)),
                    Ok(_) | Err(_) => Err(Failure::Damaged),
                },
                Err(error) => Err(Failure::Network(error)),
            };
            (index, result)
        });
    }

    /// Takes in the next block that arrives, or loses patience. False when nothing is under way any longer.
    async fn wait_for_a_block(&mut self) -> Result<bool, FetchError> {
        let patience = match self.job.fetcher.options.class {
            Class::RealTime => SLOW_REAL_TIME,
            Class::Bulk => SLOW_BULK,
        };
        let joined = match tokio::time::timeout(patience, self.tasks.join_next()).await {
            Ok(Some(joined)) => joined,
            Ok(None) => return Ok(false),
            Err(_) => {
                // A few others make up for slow ones, but only where few are enough.
                if self.job.wanted.len() == self.job.segment.data {
                    self.spares += SPARES_AT_ONCE;
                }
                return Ok(true);
            }
        };
        let (index, result) =
            joined.map_err(|_| FetchError::Internal("fetching a block failed unexpectedly"))?;
        let meter = &self.job.fetcher.meter;
        let state = match result {
            Ok(shard) => {
                meter.succeeded();
                Block::Here(shard)
            }
            Err(Failure::Network(BlockFetchError::ShuttingDown)) => {
                return Err(FetchError::ShuttingDown);
            }
            Err(Failure::Network(error)) => {
                meter.failed();
                self.last_error = error;
                self.restoring = true;
                match error {
                    BlockFetchError::NotFound | BlockFetchError::RecentlyFailed { .. } => {
                        Block::Missing
                    }
                    _ => Block::Unclear,
                }
            }
            Err(Failure::Damaged) => {
                meter.fatally_failed();
                self.restoring = true;
                Block::Damaged
            }
        };
        if let Some(block) = self.blocks.get_mut(index) {
            *block = state;
        }
        Ok(true)
    }

    /// Asks for as many other blocks as it takes to restore those that failed, and to do without some that are slow.
    fn ask_substitutes(&mut self) {
        if !self.restoring && self.spares == 0 {
            return;
        }
        let count = |of: fn(&Block) -> bool| self.blocks.iter().filter(|block| of(block)).count();
        let here = count(|block| matches!(block, Block::Here(_)));
        let asked = count(|block| *block == Block::Asked);
        let missing = (self.job.segment.data + self.spares.min(asked)).saturating_sub(here + asked);
        let untried = self
            .blocks
            .iter()
            .enumerate()
            .filter(|(_, block)| **block == Block::Untried);
        let chosen: Vec<_> = untried.map(|(index, _)| index).take(missing).collect();
        for index in chosen {
            self.ask(index);
        }
    }

    fn send_ready(&mut self, out: &mpsc::Sender<Result<Bytes, FetchError>>) {
        while self.next_out < self.job.wanted.end {
            let Some(Block::Here(shard)) = self.blocks.get(self.next_out) else {
                return;
            };
            // There is room for all; a closed channel means that this task is about to be aborted.
            let _ = out.try_send(Ok(shard.clone()));
            self.next_out += 1;
        }
    }

    fn here(&self) -> usize {
        self.blocks
            .iter()
            .filter(|block| matches!(block, Block::Here(_)))
            .count()
    }

    /// Computes the missing data shards.
    async fn restore(&mut self) -> Result<(), FetchError> {
        self.tasks.abort_all();
        let data = self.job.segment.data;
        let shards: Vec<Option<Bytes>> = self.blocks.iter().map(Block::padded).collect();
        let restored = tokio::task::spawn_blocking(move || erasure::restore(data, &shards)).await;
        let restored = restored
            .map_err(|_| FetchError::Internal("restoring blocks failed unexpectedly"))?
            .map_err(|_| FetchError::Internal("blocks could not be restored from enough others"))?;
        for (index, mut shard) in restored {
            shard.truncate(
                self.job
                    .level
                    .shard_len(self.job.segment.first_shard + index as u64),
            );
            if self.blocks.get(index) == Some(&Block::Missing) {
                self.heal(index, &shard);
            }
            if let Some(block) = self.blocks.get_mut(index) {
                *block = Block::Here(Bytes::from(shard));
            }
        }
        Ok(())
    }

    /// Gives a rebuilt block back. A publisher's check blocks may not belong to its data blocks: then what was rebuilt is not
    /// the block that is missing.
    fn heal(&self, index: usize, shard: &[u8]) {
        let job = &self.job;
        let Some(healing) = job.fetcher.healing() else {
            return;
        };
        if let Ok(block) = seal_content(&job.file_key, &job.layout, job.number(index), shard)
            && Some(block.key()) == job.key(index)
        {
            healing.insert(block);
        }
    }

    /// Gives blocks whose search ended without a result another chance, a few times. False if there are none.
    async fn search_unclear_again(&mut self) -> bool {
        if self.unclear_rounds == UNCLEAR_ROUNDS_MAX || !self.blocks.contains(&Block::Unclear) {
            return false;
        }
        self.unclear_rounds += 1;
        tokio::time::sleep(UNCLEAR_PAUSE).await;
        self.forget(&Block::Unclear);
        true
    }

    /// Makes blocks in state `failed` count as never asked for, and asks for those that are wanted.
    fn forget(&mut self, failed: &Block) {
        for index in 0..self.blocks.len() {
            let Some(block) = self
                .blocks
                .get_mut(index)
                .filter(|block| **block == *failed)
            else {
                continue;
            };
            *block = Block::Untried;
            if self.job.wanted.contains(&index) {
                self.ask(index);
            }
        }
    }

    fn failure(&self) -> FetchError {
        // With no route at all, or an overloaded node, it is not the blocks that are to blame.
        if self.here() == 0 && self.last_error != BlockFetchError::NotFound {
            return self.last_error.into();
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        FetchError::Splitfile {
            found: count(self.here()),
            needed: count(self.job.segment.data),
            total: count(self.blocks.len()),
        }
    }
}

impl Block {
    /// The shard at its full length, as the erasure code wants it.
    fn padded(&self) -> Option<Bytes> {
        let Self::Here(shard) = self else { return None };
        if shard.len() == SHARD_LEN_USIZE {
            return Some(shard.clone());
        }
        let mut padded = shard.to_vec();
        padded.resize(SHARD_LEN_USIZE, 0);
        Some(Bytes::from(padded))
    }
}

/// When no block arrives for so long, others are asked for as well.
const SLOW_REAL_TIME: Duration = Duration::from_secs(4);
const SLOW_BULK: Duration = Duration::from_secs(15);
/// How often blocks are looked for again after time-outs and the like, and the pause before. A neighbour that died takes
/// the searches that went through it along; a few seconds later they take another way.
const UNCLEAR_ROUNDS_MAX: u32 = 2;
const UNCLEAR_PAUSE: Duration = Duration::from_secs(2);
/// How many others.
const SPARES_AT_ONCE: usize = 8;
