mod eviction;
mod listing;
mod model;

use super::*;
use crate::config::ByteSize;
use crate::store::family::{SALTED_LEN, Timeline};
use crypto::{
    CONTENT_BLOCK_LEN, ContentExtra, FileKey, Layout, SIGNED_BLOCK_LEN, SubspaceSecret,
    seal_content,
};
use rocksdb::IteratorMode;
use std::fs;
use tempfile::TempDir;

const SALT: [u8; 32] = [42; 32];
const MARK: &[u8] = b"a sentence that must never be read on the disk";

#[test]
fn blocks_of_both_kinds_are_found_again_after_reopening() {
    let folder = TempDir::new().unwrap();
    let blocks = [
        (Place::Store, content(1)),
        (Place::Cache, content(2)),
        (Place::Store, signed(1, 0)),
        (Place::Cache, signed(2, 0)),
    ];
    let store = open(&folder, roomy());
    assert_eq!(
        store.put_many(&blocks).unwrap(),
        vec![PutOutcome::Stored; 4]
    );
    let before = store.stats();
    drop(store);
    let store = open(&folder, roomy());
    assert_eq!(store.stats().families, before.families);
    assert_eq!(store.stats().blocks(Place::Store), 2);
    assert_eq!(
        store.stats().bytes(Place::Cache),
        (CONTENT_BLOCK_LEN + SIGNED_BLOCK_LEN) as u64
    );
    for (_, block) in &blocks {
        assert_eq!(store.get(&block.key()).unwrap().as_ref(), Some(block));
    }
    assert_eq!(store.get(&content(3).key()).unwrap(), None);
    assert_eq!((store.stats().hits, store.stats().misses), (4, 1));
    check_index(&store);
}

#[test]
fn a_block_is_kept_once_in_a_place_and_not_in_the_cache_if_it_is_in_the_store() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder, roomy());
    let block = content(1);
    assert_eq!(store.put(Place::Cache, &block).unwrap(), PutOutcome::Stored);
    assert_eq!(
        store.put(Place::Cache, &block).unwrap(),
        PutOutcome::AlreadyThere
    );
    assert_eq!(store.put(Place::Store, &block).unwrap(), PutOutcome::Stored);
    assert_eq!(
        store.put(Place::Store, &block).unwrap(),
        PutOutcome::AlreadyThere
    );
    assert_eq!(
        store.put(Place::Cache, &block).unwrap(),
        PutOutcome::AlreadyThere
    );
    let twice = [(Place::Store, content(2)), (Place::Cache, content(2))];
    assert_eq!(
        store.put_many(&twice).unwrap(),
        [PutOutcome::Stored, PutOutcome::AlreadyThere]
    );
    check_index(&store);
}

#[test]
fn a_signed_block_that_came_first_replaces_the_second_wherever_that_is_kept() {
    let (first, second) = (signed(1, 0), signed(1, 1));
    for places in [
        &[Place::Store][..],
        &[Place::Cache],
        &[Place::Cache, Place::Store],
        &[],
    ] {
        let folder = TempDir::new().unwrap();
        let store = open(&folder, roomy());
        for &place in places {
            assert_eq!(store.put(place, &second).unwrap(), PutOutcome::Stored);
        }
        store.replace(Place::Store, &first).unwrap();
        store.replace(Place::Store, &first).unwrap();
        let stats = store.stats();
        assert_eq!(
            (stats.blocks(Place::Store), stats.blocks(Place::Cache)),
            (1, 0),
            "{places:?}"
        );
        check_index(&store);
        drop(store);
        let store = open(&folder, roomy());
        assert_eq!(store.get(&first.key()).unwrap().as_ref(), Some(&first));
        assert_eq!(
            store.put(Place::Store, &second).unwrap(),
            PutOutcome::Collision(first.clone())
        );
        check_index(&store);
    }
}

#[test]
fn a_signed_block_is_not_replaced_by_another_under_its_key() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder, roomy());
    let (first, second) = (signed(1, 0), signed(1, 1));
    assert_eq!(first.key(), second.key());
    let outcomes = store
        .put_many(&[
            (Place::Cache, first.clone()),
            (Place::Cache, second.clone()),
        ])
        .unwrap();
    assert_eq!(
        outcomes,
        [PutOutcome::Stored, PutOutcome::Collision(first.clone())]
    );
    assert_eq!(
        store.put(Place::Store, &second).unwrap(),
        PutOutcome::Collision(first.clone())
    );
    assert_eq!(store.put(Place::Store, &first).unwrap(), PutOutcome::Stored);
    assert_eq!(store.get(&first.key()).unwrap(), Some(first));
    check_index(&store);
}

#[test]
fn a_damaged_value_is_removed_and_can_be_put_again() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder, roomy());
    for (round, block) in [content(1), signed(1, 0)].into_iter().enumerate() {
        let family = Family::of(Place::Store, block.key().kind);
        let damage = || {
            let mut bytes = block.bytes().to_vec();
            bytes[40] ^= 1;
            store
                .db
                .put_cf(
                    column(&store.db, family.name()),
                    store.salt.key(&block.key()).0,
                    bytes,
                )
                .unwrap();
        };
        store.put(Place::Store, &block).unwrap();
        damage();
        assert_eq!(store.get(&block.key()).unwrap(), None);
        assert_eq!(store.stats().blocks(Place::Store), round as u64);
        assert_eq!(store.put(Place::Store, &block).unwrap(), PutOutcome::Stored);
        damage();
        assert_eq!(store.put(Place::Store, &block).unwrap(), PutOutcome::Stored);
        assert_eq!(store.get(&block.key()).unwrap(), Some(block.clone()));
        check_index(&store);
    }
    assert_eq!(store.stats().damaged, 4);
}

#[test]
fn nothing_on_the_disk_shows_plaintext_or_a_routing_key() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder, roomy());
    let mut needles = vec![MARK[..32].to_vec()];
    for i in 0..20 {
        for block in [content(i), signed(i, 0)] {
            needles.push(block.key().routing_key.as_bytes().to_vec());
            store.put(Place::Store, &block).unwrap();
            store.put(Place::Cache, &content(100 + i)).unwrap();
        }
    }
    // Once from the log of writes, once from tables and blob files.
    let mut searched = 0;
    for _ in 0..2 {
        for entry in fs::read_dir(folder.path()).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            searched += bytes.len();
            for needle in &needles {
                assert!(!contains(&bytes, needle));
            }
        }
        flush(&store);
    }
    assert!(searched > 2 * 40 * CONTENT_BLOCK_LEN, "{searched}");
    for name in columns() {
        for entry in store
            .db
            .iterator_cf(column(&store.db, name), IteratorMode::Start)
        {
            let (key, _) = entry.unwrap();
            assert!(needles.iter().all(|needle| !contains(&key, needle)));
        }
    }
}

#[test]
fn a_store_of_another_secret_or_version_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(open(&folder, roomy()));
    let shared = SharedResources::new(1).unwrap();
    let reopen = |salt: [u8; 32]| RocksStore::open(folder.path(), &salt, config(roomy()), &shared);
    assert!(matches!(
        reopen([1; 32]),
        Err(StoreOpenError::OtherSecret { .. })
    ));
    let store = reopen(SALT).unwrap();
    assert!(
        matches!(reopen(SALT), Err(StoreOpenError::Database { .. })),
        "two stores in one folder"
    );
    store
        .db
        .put_cf(column(&store.db, INDEX), LEDGER_KEY, b"short")
        .unwrap();
    drop(store);
    assert!(matches!(reopen(SALT), Err(StoreOpenError::Ledger { .. })));
    {
        let db =
            DB::open_cf_descriptors(&shared.database(), folder.path(), shared.column_families())
                .unwrap();
        db.put_cf(column(&db, INDEX), FORMAT_KEY, b"warren-store-2")
            .unwrap();
    }
    assert!(matches!(reopen(SALT), Err(StoreOpenError::Version { .. })));
}

/// Compares the four families, both timelines and the ledger with each other.
fn check_index(store: &RocksStore) {
    store.write_recent_use(&mut store.lock_writer()).unwrap();
    for figures in store.stats().families {
        let family = figures.family;
        let values = entries(store, family.name(), &[]);
        let uses = entries(store, INDEX, &[b'u', family.number()]);
        assert_eq!(values.len() as u64, figures.blocks);
        assert_eq!(
            values
                .iter()
                .map(|(_, value)| value.len() as u64)
                .sum::<u64>(),
            figures.bytes
        );
        let keys = |entries: &[(Vec<u8>, Vec<u8>)]| -> Vec<Vec<u8>> {
            entries
                .iter()
                .map(|(key, _)| key[key.len() - SALTED_LEN..].to_vec())
                .collect()
        };
        assert_eq!(keys(&values), keys(&uses));
        let mut timelines: [Vec<Vec<u8>>; 2] = [Vec::new(), Vec::new()];
        for (_, value) in &uses {
            let time = |at: usize| u64::from_le_bytes(value[at..at + 8].try_into().unwrap());
            let (used, written) = (time(0), time(8));
            timelines[0].push(Timeline::Use.key(family, used).to_vec());
            if written != used {
                timelines[1].push(Timeline::Write.key(family, written).to_vec());
            }
        }
        for (timeline, letter) in timelines.iter_mut().zip(*b"ow") {
            timeline.sort_unstable();
            let stored: Vec<Vec<u8>> = entries(store, INDEX, &[letter, family.number()])
                .into_iter()
                .map(|(key, _)| key)
                .collect();
            assert_eq!(&stored, timeline, "{family:?} {letter}");
        }
    }
}

fn entries(store: &RocksStore, name: &str, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let all = store
        .db
        .iterator_cf(column(&store.db, name), IteratorMode::Start);
    let all = all.map(|entry| {
        entry
            .map(|(key, value)| (key.to_vec(), value.to_vec()))
            .unwrap()
    });
    all.filter(|(key, _)| key.starts_with(prefix)).collect()
}

fn flush(store: &RocksStore) {
    for name in columns() {
        store.db.flush_cf(column(&store.db, name)).unwrap();
    }
}

fn columns() -> impl Iterator<Item = &'static str> {
    Family::ALL.map(Family::name).into_iter().chain([INDEX])
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    let (first, rest) = needle.split_first().unwrap();
    let starts = bytes.iter().enumerate().filter(|(_, byte)| *byte == first);
    starts
        .into_iter()
        .any(|(at, _)| bytes[at + 1..].starts_with(rest))
}

fn content(i: u32) -> VerifiedBlock {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&i.to_le_bytes());
    seal_content(
        &FileKey::from_bytes(seed),
        &Layout::single(ContentExtra::default()),
        0,
        MARK,
    )
    .unwrap()
}

/// Blocks with one `name` share a key, whatever their `variant`.
fn signed(name: u32, variant: u32) -> VerifiedBlock {
    let secret = SubspaceSecret::from_parts(&[1; 32], &[2; 32]);
    let payload = [MARK, &variant.to_le_bytes()].concat();
    secret.seal(&format!("name {name}"), &payload).unwrap()
}

fn roomy() -> FamilyLimits {
    FamilyLimits::new(ByteSize::mebibytes(64), ByteSize::mebibytes(64))
}

/// Limits with room for so many content blocks in each place.
fn limits_of(blocks: u64) -> FamilyLimits {
    let size = ByteSize::bytes((blocks * CONTENT_BLOCK_LEN as u64 * 16).div_ceil(15));
    let limits = FamilyLimits::new(size, size);
    assert_eq!(
        limits.bytes_max(Family::ChkStore) / CONTENT_BLOCK_LEN as u64,
        blocks
    );
    limits
}

fn config(limits: FamilyLimits) -> StoreConfig {
    StoreConfig {
        limits,
        sync: SyncPolicy::Periodic,
    }
}

fn open(folder: &TempDir, limits: FamilyLimits) -> RocksStore {
    RocksStore::open(
        folder.path(),
        &SALT,
        config(limits),
        &SharedResources::new(1).unwrap(),
    )
    .unwrap()
}
