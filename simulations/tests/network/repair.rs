//! Copies that are made up for when nodes leave for good.

use std::time::Duration;

use rand::seq::SliceRandom;
use routing::{Block, Config};
use simulations::{ElidedBlock, Network, Settings, Topology, rng_for};

const NODES: usize = 300;
const BLOCKS: usize = 100;

/// What is left when most nodes have left.
#[derive(Debug)]
struct Left {
    /// Blocks that some node that is left has.
    alive: usize,
    /// Blocks that a random node finds.
    found: usize,
    /// Copies of each block that is alive, on average.
    copies: f64,
    /// Bytes that each node sent in a day for nothing but repair.
    bytes_a_day: f64,
}

/// Six times an eighth of all nodes leave, a few hours apart, and nobody asks for any block meanwhile.
#[test]
fn blocks_outlive_three_quarters_of_the_nodes_because_copies_are_made_up_for() {
    let with = leave(Some(Duration::from_secs(10)), 1);
    let without = leave(None, 1);
    println!("with repair {with:?}, without {without:?}");
    // With four copies each time, 1.7 are lost on average: the fourth powers of the shares that leave add up to 0.017
    assert!(with.alive >= 95, "{with:?}");
    assert!(without.alive <= 85, "the test can tell: {without:?}");
    // 512 bytes a question and answer, six questions a block, 144 walks a day, 0.33 blocks a node, and upkeep of places
    assert!((1e4..3e5).contains(&with.bytes_a_day), "{with:?}");
    assert!(with.found > without.found, "{with:?} {without:?}");
    // Those who kept one before others came closer still have it
    assert!((3.0..8.0).contains(&with.copies), "{with:?}");
}

fn leave(repair: Option<Duration>, seed: u64) -> Left {
    let settings = Settings {
        config: Config {
            repair_interval: repair,
            ..Config::default()
        },
        traced: false,
        ..Settings::default()
    };
    let topology = Topology::small_world(NODES, 18, seed);
    let mut network: Network<ElidedBlock> = Network::new(&topology, settings, seed);
    network.run_for(Duration::from_secs(60));
    let blocks: Vec<_> = (0..BLOCKS as u64).map(ElidedBlock::content).collect();
    for block in &blocks {
        let publisher = network.random_node(None);
        let insert = network.insert(publisher, block.clone());
        network.run_for(Duration::from_secs(20));
        assert!(network.report(insert).is_success());
    }
    let quiet = network.counters();
    let day = Duration::from_secs(86_400);
    network.run_for(day);
    let bytes = network.counters().since(&quiet).bytes;
    let mut order: Vec<usize> = (0..NODES).collect();
    order.shuffle(&mut rng_for(seed, "leaving"));
    for leaving in order.chunks(NODES / 8).take(6) {
        for &node in leaving {
            network.stop_node(node);
        }
        network.run_for(Duration::from_secs(4 * 3600));
    }
    let left = &order[NODES / 8 * 6..];
    let copies = |block: &ElidedBlock| {
        let key = block.key();
        left.iter()
            .filter(|&&node| network.stored(node, &key).is_some())
            .count()
    };
    let copies: Vec<usize> = blocks
        .iter()
        .map(copies)
        .filter(|&copies| copies > 0)
        .collect();
    let (alive, all) = (copies.len(), copies.iter().sum::<usize>());
    let found = blocks.iter().filter(|block| {
        let reader = network.random_node(None);
        let fetch = network.fetch(reader, block.key());
        network.run_for(Duration::from_secs(60));
        network.report(fetch).is_success()
    });
    Left {
        found: found.count(),
        alive,
        copies: all as f64 / alive as f64,
        bytes_a_day: bytes as f64 / NODES as f64,
    }
}
