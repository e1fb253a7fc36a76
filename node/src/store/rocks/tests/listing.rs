use super::*;
use std::collections::BTreeSet;

/// All keys in their order, from wherever the listing begins.
fn walk(store: &RocksStore) -> Vec<BlockKey> {
    let mut after = None;
    std::iter::from_fn(|| {
        after = store.next_stored(after.as_ref()).unwrap();
        after
    })
    .collect()
}

#[test]
fn a_walk_meets_every_block_of_the_store_once_and_none_of_the_cache() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder, roomy());
    assert_eq!(walk(&store), []);
    let mut blocks: Vec<(Place, VerifiedBlock)> = (0..40)
        .flat_map(|i| [(Place::Store, content(i)), (Place::Store, signed(i, 0))])
        .collect();
    let kept: BTreeSet<BlockKey> = blocks.iter().map(|(_, block)| block.key()).collect();
    blocks.extend((40..50).map(|i| (Place::Cache, content(i))));
    store.put_many(&blocks).unwrap();
    let order = walk(&store);
    assert_eq!(order.len(), kept.len());
    assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), kept);
    drop(store);
    assert_eq!(walk(&open(&folder, roomy())), order);
}

#[test]
fn a_walk_goes_on_behind_a_key_that_is_gone() {
    let folder = TempDir::new().unwrap();
    let blocks: Vec<_> = (0..20).map(|i| (Place::Store, content(i))).collect();
    let store = open(&folder, roomy());
    store.put_many(&blocks).unwrap();
    let order = walk(&store);
    let gone = store.salt.key(&order[7]);
    let name = Family::ChkStore.name();
    store.db.delete_cf(column(&store.db, name), gone.0).unwrap();
    assert_eq!(store.next_stored(Some(&order[7])).unwrap(), Some(order[8]));
    assert_eq!(store.next_stored(Some(&order[6])).unwrap(), Some(order[8]));
}

#[test]
fn a_damaged_value_is_passed_by_and_removed() {
    let folder = TempDir::new().unwrap();
    let blocks: Vec<_> = (0..10).map(|i| (Place::Store, content(i))).collect();
    let store = open(&folder, roomy());
    store.put_many(&blocks).unwrap();
    let order = walk(&store);
    let damaged = store.salt.key(&order[4]);
    let name = Family::ChkStore.name();
    let rot = vec![7; CONTENT_BLOCK_LEN];
    store
        .db
        .put_cf(column(&store.db, name), damaged.0, rot)
        .unwrap();
    assert_eq!(store.next_stored(Some(&order[3])).unwrap(), Some(order[5]));
    assert_eq!(store.stats().damaged, 1);
    assert_eq!(store.stats().blocks(Place::Store), 9);
    check_index(&store);
}
