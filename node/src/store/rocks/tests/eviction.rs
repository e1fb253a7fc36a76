//! Which blocks go when there is no more room.

use super::*;

#[test]
fn the_least_recently_used_blocks_make_room() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder, limits_of(8));
    let blocks: Vec<VerifiedBlock> = (0..12).map(content).collect();
    for block in &blocks[..8] {
        store.put(Place::Store, block).unwrap();
    }
    for used in [0, 3] {
        assert!(store.get(&blocks[used].key()).unwrap().is_some());
    }
    store.put(Place::Store, &blocks[1]).unwrap();
    for block in &blocks[8..] {
        store.put(Place::Store, block).unwrap();
    }
    let there: Vec<usize> = (0..12)
        .filter(|i| store.get(&blocks[*i].key()).unwrap().is_some())
        .collect();
    assert_eq!(there, [0, 1, 3, 7, 8, 9, 10, 11]);
    assert_eq!(store.stats().evicted, 4);
    check_index(&store);
}

#[test]
fn a_block_that_is_found_there_is_not_evicted_by_the_same_write() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder, limits_of(8));
    let blocks: Vec<_> = (0..8).map(|i| (Place::Store, content(i))).collect();
    store.put_many(&blocks).unwrap();
    let oldest = (Place::Store, content(0));
    let outcomes = store
        .put_many(&[(Place::Store, content(8)), oldest])
        .unwrap();
    assert_eq!(outcomes, [PutOutcome::Stored, PutOutcome::AlreadyThere]);
    assert!(store.get(&content(0).key()).unwrap().is_some());
    assert_eq!(store.get(&content(1).key()).unwrap(), None);
}

#[test]
fn a_lowered_limit_is_met_with_the_next_write() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder, limits_of(100));
    let blocks: Vec<_> = (0..100).map(|i| (Place::Store, content(i))).collect();
    store.put_many(&blocks).unwrap();
    drop(store);
    let store = open(&folder, limits_of(10));
    store.put(Place::Store, &content(100)).unwrap();
    assert_eq!(store.stats().blocks(Place::Store), 10);
    assert!(store.get(&content(100).key()).unwrap().is_some());
    check_index(&store);
}

#[test]
fn blocks_that_stay_in_use_do_not_keep_old_files_on_the_disk() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder, limits_of(3000));
    let group = |n: u32| -> Vec<_> {
        (64 * n..64 * (n + 1))
            .map(|i| (Place::Store, content(i)))
            .collect()
    };
    let mut in_use = Vec::new();
    for n in 0..188 {
        let blocks = group(n);
        store.put_many(&blocks).unwrap();
        if n < 40 {
            in_use.push(blocks[5].1.key());
        }
        for key in in_use.iter().filter(|_| n >= 40 && n % 4 == 0) {
            assert!(store.get(key).unwrap().is_some());
        }
    }
    flush(&store);
    let family = column(&store.db, Family::ChkStore.name());
    store
        .db
        .compact_range_cf(family, None::<&[u8]>, None::<&[u8]>);
    let size = |property: &str| {
        store
            .db
            .property_int_value_cf(family, property)
            .unwrap()
            .unwrap()
    };
    let (all, waste) = (
        size("rocksdb.live-blob-file-size"),
        size("rocksdb.live-blob-file-garbage-size"),
    );
    assert!(all > 90 << 20, "{all}");
    // Without care for these 40 blocks it is two thirds of 98 MiB.
    assert!(waste < 33 << 20, "{waste} of {all}");
    check_index(&store);
}

#[test]
fn what_the_user_reads_does_not_show_in_the_order_of_eviction() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder, limits_of(8));
    let blocks: Vec<_> = (0..8).map(|i| (Place::Store, content(i))).collect();
    store.put_many(&blocks).unwrap();
    let order = || {
        store.write_recent_use(&mut store.lock_writer()).unwrap();
        entries(&store, INDEX, &[])
    };
    let before = order();
    for (_, block) in &blocks {
        assert_eq!(store.peek(&block.key()).unwrap().as_ref(), Some(block));
    }
    assert_eq!(order(), before);
    assert!(store.get(&content(0).key()).unwrap().is_some());
    assert_ne!(order(), before);
}

#[test]
fn a_block_that_replaces_one_in_the_cache_makes_room_in_the_store() {
    let folder = TempDir::new().unwrap();
    let limits = FamilyLimits::of(|family| 8 * family.block_len());
    let store = open(&folder, limits);
    let (older, younger) = (signed(100, 0), signed(100, 1));
    let full: Vec<_> = (0..8).map(|i| (Place::Store, signed(i, 0))).collect();
    store.put_many(&full).unwrap();
    store.put(Place::Cache, &younger).unwrap();
    store.replace(Place::Store, &older).unwrap();
    let stats = store.stats();
    assert_eq!(
        (stats.blocks(Place::Store), stats.blocks(Place::Cache)),
        (8, 0)
    );
    assert_eq!(store.get(&older.key()).unwrap(), Some(older));
    assert_eq!(store.get(&signed(0, 0).key()).unwrap(), None);
    assert!(store.get(&signed(1, 0).key()).unwrap().is_some());
    assert_eq!(stats.evicted, 1);
    check_index(&store);

    // In the store itself one goes and one comes: nothing else has to go
    store.replace(Place::Store, &signed(1, 1)).unwrap();
    assert_eq!(store.stats().blocks(Place::Store), 8);
    assert_eq!(store.stats().evicted, 1);
    check_index(&store);
}
