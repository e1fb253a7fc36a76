//! Stores content in blocks: reads, encodes and seals one segment while the one before it is on its way.

use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use crypto::{FileKey, Layout, RoutingKey, VerifiedBlock, seal_content};
use routing::Role;
use tempfile::SpooledTempFile;
use tokio::task::{JoinHandle, JoinSet};

use super::erasure::Encoder;
use super::error::InsertError;
use super::geometry::{KEY_LEN_USIZE, Level, SHARD_LEN_USIZE};
use super::inserter::{Inserter, Placed};
use super::metadata::{Codec, Packed, Stored, layout};
use super::source::{Body, Prepared};

/// Bytes of a table of keys kept in memory before it goes to a temporary file: the table of 170 MiB of content.
const TABLE_IN_MEMORY_MAX: usize = 256 << 10;

/// Stores `prepared` content and describes where it lies. `keys_max` is how many keys the description may carry.
///
/// # Errors
/// See [`InsertError`]. Blocks that were stored by then stay where they are.
pub(crate) async fn store(
    inserter: &Arc<Inserter>,
    prepared: Prepared,
    keys_max: usize,
) -> Result<Packed, InsertError> {
    let hashes = prepared.hashes;
    let file_key = inserter.file_key(&hashes.blake3);
    let (codec, stored_size) = (prepared.codec, prepared.stored_size);
    let mut placing = Placing::new(Arc::clone(inserter));
    let mut body = prepared.body;
    let mut level = Level::new(stored_size);
    expect_levels(inserter, level, keys_max);
    let mut levels = 0;
    let keys = loop {
        let run = LevelRun {
            body,
            file_key: file_key.clone(),
            layout: layout(codec, stored_size, levels),
            level,
            encoder: Encoder::new(),
            table: tempfile::spooled_tempfile_in(
                TABLE_IN_MEMORY_MAX,
                &inserter.shared.config.temp_dir,
            ),
            // A file could have changed since it was hashed; what lies in memory or in our own file could not.
            hasher: (levels == 0 && codec == Codec::None).then(blake3::Hasher::new),
        };
        let mut run = placing.level(run).await?;
        if run
            .hasher
            .as_ref()
            .is_some_and(|hasher| hasher.finalize() != hashes.blake3)
        {
            return Err(InsertError::SourceChanged);
        }
        levels += 1;
        if level.blocks() <= keys_max as u64 {
            break run.keys()?;
        }
        run.table.seek(SeekFrom::Start(0))?;
        body = Body::Temporary(Box::new(run.table));
        level = level.key_table();
    };
    placing.finish().await?;
    Ok(Packed {
        size: prepared.size,
        blake3: hashes.blake3,
        codec,
        stored: Stored {
            size: stored_size,
            file_key,
            levels,
            keys,
        },
    })
}

fn expect_levels(inserter: &Inserter, mut level: Level, keys_max: usize) {
    let mut blocks = level.blocks();
    while level.blocks() > keys_max as u64 {
        level = level.key_table();
        blocks += level.blocks();
    }
    inserter.expect(blocks);
}

/// Blocks on their way. Given up when dropped.
struct Placing {
    inserter: Arc<Inserter>,
    tasks: JoinSet<Result<Placed, InsertError>>,
}

impl Placing {
    fn new(inserter: Arc<Inserter>) -> Self {
        Self {
            inserter,
            tasks: JoinSet::new(),
        }
    }

    /// Sends all blocks of a level on their way. The next segment is sealed meanwhile.
    async fn level(&mut self, run: LevelRun) -> Result<LevelRun, InsertError> {
        let segments = run.level.segments();
        if segments == 0 {
            return Ok(run);
        }
        let mut sealing = run.seal_elsewhere(0);
        for next in 1..segments {
            let (run, blocks) = sealing.await.map_err(|_| LOST)??;
            sealing = run.seal_elsewhere(next);
            self.place_all(blocks).await?;
        }
        let (run, blocks) = sealing.await.map_err(|_| LOST)??;
        self.place_all(blocks).await?;
        Ok(run)
    }

    async fn place_all(&mut self, blocks: Vec<VerifiedBlock>) -> Result<(), InsertError> {
        for block in blocks {
            self.place(block).await?;
        }
        Ok(())
    }

    /// Sends a block on its way as soon as there is room.
    async fn place(&mut self, block: VerifiedBlock) -> Result<(), InsertError> {
        while let Some(done) = self.tasks.try_join_next() {
            checked(done)?;
        }
        let room = Arc::clone(&self.inserter.room).acquire_owned().await;
        let slot = self.inserter.slot().await;
        let inserter = Arc::clone(&self.inserter);
        self.tasks.spawn(async move {
            let _room = room;
            inserter.block(block, slot, Role::Part).await
        });
        Ok(())
    }

    /// Waits for all.
    async fn finish(mut self) -> Result<(), InsertError> {
        while let Some(done) = self.tasks.join_next().await {
            checked(done)?;
        }
        Ok(())
    }
}

const LOST: InsertError = InsertError::Internal("sealing or inserting a block failed unexpectedly");

fn checked(
    done: Result<Result<Placed, InsertError>, tokio::task::JoinError>,
) -> Result<(), InsertError> {
    match done {
        // Content blocks are named by their own hash, so what is there already is this very block.
        Ok(Ok(Placed::Stored | Placed::Collision(_))) => Ok(()),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(LOST),
    }
}

/// One level while its segments are sealed, one after the other.
struct LevelRun {
    body: Body,
    file_key: FileKey,
    layout: Layout,
    level: Level,
    encoder: Encoder,
    /// The keys of all blocks so far.
    table: SpooledTempFile,
    hasher: Option<blake3::Hasher>,
}

impl LevelRun {
    /// Seals segment `index` on a thread that may block.
    fn seal_elsewhere(
        mut self,
        index: u64,
    ) -> JoinHandle<Result<(Self, Vec<VerifiedBlock>), InsertError>> {
        tokio::task::spawn_blocking(move || {
            let blocks = self.seal(index)?;
            Ok((self, blocks))
        })
    }

    /// Reads, encodes and seals segment `index`. Takes about ten milliseconds.
    fn seal(&mut self, index: u64) -> Result<Vec<VerifiedBlock>, InsertError> {
        let segment = self.level.segment(index);
        let mut shards = vec![0; segment.data * SHARD_LEN_USIZE];
        let last_len = self
            .level
            .shard_len(segment.first_shard + segment.data as u64 - 1);
        let len = shards.len() - SHARD_LEN_USIZE + last_len;
        let (content, _) = shards.split_at_mut(len);
        self.body
            .read_exact(content)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => InsertError::SourceChanged,
                _ => error.into(),
            })?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(content);
        }
        let mut sealer = Sealer {
            file_key: &self.file_key,
            layout: &self.layout,
            next: segment.first_block,
            blocks: Vec::with_capacity(segment.blocks()),
        };
        for shard in content.chunks(SHARD_LEN_USIZE) {
            sealer.seal(shard);
        }
        let encoded = self
            .encoder
            .check_shards(&shards, segment.check, |shard| sealer.seal(shard));
        encoded.map_err(|_| InsertError::Internal("check blocks could not be computed"))?;
        let blocks = sealer.blocks;
        for block in &blocks {
            self.table.write_all(block.key().routing_key.as_bytes())?;
        }
        Ok(blocks)
    }

    /// The whole table of keys.
    fn keys(&mut self) -> Result<Vec<RoutingKey>, InsertError> {
        let mut table = Vec::new();
        self.table.seek(SeekFrom::Start(0))?;
        self.table.read_to_end(&mut table)?;
        let keys = table.as_chunks::<KEY_LEN_USIZE>().0;
        Ok(keys.iter().copied().map(RoutingKey::from_bytes).collect())
    }
}

struct Sealer<'a> {
    file_key: &'a FileKey,
    layout: &'a Layout,
    next: u64,
    blocks: Vec<VerifiedBlock>,
}

impl Sealer<'_> {
    fn seal(&mut self, shard: &[u8]) {
        let block = seal_content(self.file_key, self.layout, self.next, shard);
        self.blocks
            .push(block.expect("a shard is exactly what a block holds"));
        self.next += 1;
    }
}
