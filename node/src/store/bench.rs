//! Figures of the store beside those of RocksDB itself, for `warren bench`.

use super::family::FamilyLimits;
use super::{BlockStore, Place, RocksStore, SharedResources, StoreConfig};
use crate::config::{ByteSize, SyncPolicy};
use crypto::{
    BlockKey, CONTENT_BLOCK_LEN, CONTENT_PAYLOAD_MAX, ContentExtra, FileKey, Layout, VerifiedBlock,
    seal_content,
};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// What [`measure`] found, in MB/s (10^6 bytes) of block bytes, by one thread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoreFigures {
    /// Bytes of blocks written to each side, and read back once in another order.
    pub bytes: u64,
    /// Putting into the store, 64 blocks a call, without forcing them to the disk.
    pub put: f64,
    /// Getting from the store, verification included.
    pub get: f64,
    /// The same values into RocksDB with its default options, 64 a batch.
    pub raw_put: f64,
    /// Getting them there, without verification.
    pub raw_get: f64,
    /// Opening the store with everything in it.
    pub open: Duration,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
#[error("cannot measure the store in {folder}: {reason}")]
pub struct MeasureError {
    folder: String,
    reason: String,
}

const BLOCKS_PER_CALL: usize = 64;

/// Writes about `bytes` of content blocks into a store in `folder`, and into a plain RocksDB beside it, reads them back
/// and removes both. Takes twice the bytes on the disk, and 2 MiB of memory beside what the stores take.
///
/// # Errors
/// [`MeasureError`] if the disk does not do as asked.
pub fn measure(folder: &Path, bytes: u64) -> Result<StoreFigures, MeasureError> {
    let failed = |reason: &dyn ToString| MeasureError {
        folder: folder.display().to_string(),
        reason: reason.to_string(),
    };
    let folder = tempfile::Builder::new()
        .prefix("store-bench-")
        .tempdir_in(folder)
        .map_err(|error| failed(&error))?;
    let calls = (bytes / (CONTENT_BLOCK_LEN * BLOCKS_PER_CALL) as u64).max(1);
    let ours = folder.path().join("warren");
    let (put, get, open) = ours_figures(&ours, calls).map_err(|error| failed(&error))?;
    fs::remove_dir_all(&ours).map_err(|error| failed(&error))?;
    let raw = folder.path().join("raw");
    let (raw_put, raw_get) = raw_figures(&raw, calls).map_err(|error| failed(&error))?;
    let bytes = calls * (BLOCKS_PER_CALL * CONTENT_BLOCK_LEN) as u64;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    Ok(StoreFigures {
        bytes,
        put: rate(put),
        get: rate(get),
        raw_put: rate(raw_put),
        raw_get: rate(raw_get),
        open,
    })
}

/// The times to put, to get and to open.
fn ours_figures(
    path: &Path,
    calls: u64,
) -> Result<(Duration, Duration, Duration), Box<dyn std::error::Error>> {
    let shared = SharedResources::new(1)?;
    let size = ByteSize::gibibytes(1024);
    let limits = FamilyLimits::new(size, size);
    let sync = SyncPolicy::Periodic;
    let open = || RocksStore::open(path, &[7; 32], StoreConfig { limits, sync }, &shared);
    let store = open()?;
    let mut keys = Vec::new();
    let mut put = Duration::ZERO;
    for call in 0..calls {
        let blocks: Vec<_> = blocks(call)
            .into_iter()
            .map(|block| (Place::Store, block))
            .collect();
        keys.extend(blocks.iter().map(|(_, block)| block.key()));
        let start = Instant::now();
        store.put_many(&blocks)?;
        put += start.elapsed();
    }
    drop(store);
    let start = Instant::now();
    let store = open()?;
    let opened = start.elapsed();
    let start = Instant::now();
    for key in scattered(&keys) {
        if store.get(key)?.is_none() {
            return Err("a block that was put is not there".into());
        }
    }
    Ok((put, start.elapsed(), opened))
}

/// The times to put and to get.
fn raw_figures(path: &Path, calls: u64) -> Result<(Duration, Duration), rocksdb::Error> {
    let db = rocksdb::DB::open_default(path)?;
    let mut keys = Vec::new();
    let mut put = Duration::ZERO;
    for call in 0..calls {
        let blocks = blocks(call);
        keys.extend(blocks.iter().map(VerifiedBlock::key));
        let start = Instant::now();
        let mut batch = rocksdb::WriteBatch::default();
        for block in &blocks {
            batch.put(block.key().routing_key.as_bytes(), block.bytes());
        }
        db.write(batch)?;
        put += start.elapsed();
    }
    let start = Instant::now();
    for key in scattered(&keys) {
        let value = db.get_pinned(key.routing_key.as_bytes())?;
        std::hint::black_box(value.map(|value| value.to_vec()));
    }
    Ok((put, start.elapsed()))
}

/// Distinct blocks for one call; the same for the same number.
fn blocks(call: u64) -> Vec<VerifiedBlock> {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&call.to_le_bytes());
    let file_key = FileKey::from_bytes(seed);
    let layout = Layout::single(ContentExtra::default());
    let payload = vec![0; CONTENT_PAYLOAD_MAX];
    (0..BLOCKS_PER_CALL as u64)
        .map(|index| {
            seal_content(&file_key, &layout, index, &payload)
                .expect("the payload has the allowed length")
        })
        .collect()
}

/// All keys, in an order that is far from the order of writing.
fn scattered(keys: &[BlockKey]) -> impl Iterator<Item = &BlockKey> {
    // A prime beyond any number of keys steps through all of them.
    const STEP: usize = 1_000_000_007;
    (0..keys.len()).map(move |i| &keys[(i * STEP) % keys.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_measured() {
        let folder = tempfile::tempdir().unwrap();
        let figures = measure(folder.path(), 4 << 20).unwrap();
        println!("{figures:#?}");
        assert_eq!(figures.bytes, (BLOCKS_PER_CALL * CONTENT_BLOCK_LEN) as u64);
        for rate in [figures.put, figures.get, figures.raw_put, figures.raw_get] {
            assert!(rate.is_finite() && rate > 0.0);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn scattering_meets_every_key_once() {
        let keys: Vec<BlockKey> = blocks(1).iter().map(VerifiedBlock::key).collect();
        let mut met: Vec<&BlockKey> = scattered(&keys).collect();
        met.sort_unstable();
        met.dedup();
        assert_eq!(met.len(), keys.len());
    }
}
