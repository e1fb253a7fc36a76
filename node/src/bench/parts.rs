//! Blocks, erasure code and store.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use crypto::{CONTENT_PAYLOAD_MAX, FileKey, Layout, VerifiedBlock, open_content, seal_content};

use super::Figure;
use crate::client::erasure::{Encoder, restore};
use crate::store;

/// Blocks of one round: 2 MiB, larger than the second-level cache of most machines, as in use.
const BLOCKS: u64 = 64;
/// Shards of a whole segment, as the client layer makes them.
const DATA_SHARDS: usize = 128;
const CHECK_SHARDS: usize = 64;

/// Sealing, opening and verifying content blocks, beside the hash and the cipher they consist of.
///
/// # Errors
/// Never with payloads of this size.
pub fn measure_blocks(bytes: u64) -> anyhow::Result<Vec<Figure>> {
    let layout = Layout::splitfile(b"bench");
    let key = FileKey::from_bytes([7; 32]);
    let payload = vec![0x5a_u8; CONTENT_PAYLOAD_MAX];
    let rounds = rounds(bytes, BLOCKS * CONTENT_PAYLOAD_MAX as u64);
    let blocks: Vec<VerifiedBlock> = (0..BLOCKS)
        .map(|index| seal_content(&key, &layout, index, &payload))
        .collect::<Result<_, _>>()?;
    let total = rounds * BLOCKS * CONTENT_PAYLOAD_MAX as u64;
    let timed = |name, work: &mut dyn FnMut(u64) -> anyhow::Result<()>| {
        let begin = Instant::now();
        for _ in 0..rounds {
            for index in 0..BLOCKS {
                work(index)?;
            }
        }
        anyhow::Ok(Figure::from_time(name, total, begin.elapsed()))
    };
    let block = |index: u64| &blocks[usize::try_from(index).expect("below BLOCKS")];
    let mut buffer = payload.clone();
    let cipher = ChaCha20Poly1305::new(&Key::from([1; 32]));
    Ok(vec![
        timed("seal a block", &mut |index| {
            black_box(seal_content(&key, &layout, index, &payload)?);
            Ok(())
        })?,
        timed("open a block", &mut |index| {
            black_box(open_content(&key, &layout, index, block(index))?);
            Ok(())
        })?,
        timed("verify a block", &mut |index| {
            let block = block(index);
            black_box(VerifiedBlock::verify(
                block.key(),
                Bytes::clone(block.bytes()),
            )?);
            Ok(())
        })?,
        timed("raw: BLAKE3", &mut |_| {
            black_box(blake3::hash(&payload));
            Ok(())
        })?,
        timed("raw: ChaCha20-Poly1305", &mut |_| {
            let tag = cipher.encrypt_inout_detached(
                &Nonce::from([0; 12]),
                b"",
                buffer.as_mut_slice().into(),
            );
            black_box(tag.map_err(|_| anyhow::anyhow!("the cipher refuses a block"))?);
            Ok(())
        })?,
    ])
}

/// Encoding a segment's check blocks, and restoring as many data blocks as can be lost.
///
/// # Errors
/// Never with shards of this number and size.
pub fn measure_erasure_code(bytes: u64) -> anyhow::Result<Vec<Figure>> {
    let data = vec![0xa5_u8; DATA_SHARDS * CONTENT_PAYLOAD_MAX];
    let rounds = rounds(bytes, data.len() as u64);
    let total = rounds * data.len() as u64;
    let mut encoder = Encoder::new();
    let mut check = Vec::new();
    let begin = Instant::now();
    for _ in 0..rounds {
        check.clear();
        encoder.check_shards(&data, CHECK_SHARDS, |shard| check.push(shard.to_vec()))?;
    }
    let encode = Figure::from_time("encode 128 + 64", total, begin.elapsed());
    let kept = data.chunks_exact(CONTENT_PAYLOAD_MAX).map(<[u8]>::to_vec);
    let mut blocks: Vec<Option<Vec<u8>>> = kept.chain(check).map(Some).collect();
    blocks
        .iter_mut()
        .take(CHECK_SHARDS)
        .for_each(|block| *block = None);
    let begin = Instant::now();
    for _ in 0..rounds {
        black_box(restore(DATA_SHARDS, &blocks)?);
    }
    Ok(vec![
        encode,
        Figure::from_time("decode with 64 of 128 lost", total, begin.elapsed()),
    ])
}

/// The store, beside RocksDB alone.
///
/// # Errors
/// When the folder cannot be written.
pub fn measure_store(folder: &Path, bytes: u64) -> anyhow::Result<Vec<Figure>> {
    let figures = store::bench::measure(folder, bytes)?;
    Ok(vec![
        Figure::new("put", figures.put),
        Figure::new("get, verified", figures.get),
        Figure::new("raw: RocksDB put", figures.raw_put),
        Figure::new("raw: RocksDB get", figures.raw_get),
    ])
}

fn rounds(bytes: u64, per_round: u64) -> u64 {
    (bytes / per_round).max(1)
}
