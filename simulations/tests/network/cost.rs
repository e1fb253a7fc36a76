use crypto::{BlockKey, VerifiedBlock};
use simulations::{Counters, Network, Settings, content_block};

use crate::{assert_at_rest, twelve_nodes};

const REQUESTS: u64 = 100;

/// The figures that `docs/ROUTING.md` quotes for a network of the demo's size. Run with `--nocapture` to see them.
#[test]
fn requests_in_a_small_network_cost_a_few_hops() {
    let (mut inserts, mut hits, mut misses) = <(Counters, Counters, Counters)>::default();
    let mut worst_miss = 0;
    for seed in 0..5 {
        let mut network = twelve_nodes(Settings::default(), seed);
        for number in 0..REQUESTS / 5 {
            let block = content_block(number);
            let publisher = network.random_node(None);
            inserts.add(&insert(&mut network, publisher, &block));
            let reader = network.random_node(Some(publisher));
            hits.add(&fetch(&mut network, reader, block.key()));
            let miss = fetch(
                &mut network,
                reader,
                content_block(number + 1_000_000).key(),
            );
            worst_miss = worst_miss.max(miss.fetches - miss.loops);
            misses.add(&miss);
        }
        assert_at_rest(&network, seed);
    }
    println!("{REQUESTS} of each\ninserts: {inserts:?}\nhits: {hits:?}\nmisses: {misses:?}");
    println!("nodes that searched in the worst miss: {worst_miss}");
    assert!(
        inserts.blocks <= REQUESTS * 6,
        "{} blocks sent to insert {REQUESTS}",
        inserts.blocks
    );
    assert!(
        hits.fetches <= REQUESTS * 3,
        "{} nodes asked to find {REQUESTS}",
        hits.fetches
    );
    assert!(
        worst_miss <= 12,
        "a node searches once for a missing block: {worst_miss}"
    );
}

fn insert(network: &mut Network, node: usize, block: &VerifiedBlock) -> Counters {
    let before = network.counters();
    network.insert(node, block.clone());
    network.run();
    network.counters().since(&before)
}

fn fetch(network: &mut Network, node: usize, key: BlockKey) -> Counters {
    let before = network.counters();
    network.fetch(node, key);
    network.run();
    network.counters().since(&before)
}
