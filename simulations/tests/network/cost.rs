//! The figures that `docs/ROUTING.md` quotes. Run with `--nocapture` to see them.

use std::time::Duration;

use crypto::{BlockKey, VerifiedBlock};
use simulations::{Counters, Network, Settings, Topology, content_block};

use crate::{assert_at_rest, twelve_nodes};

#[test]
fn requests_in_a_small_network_cost_a_few_hops() {
    let mut cost = Cost::default();
    for seed in 0..5 {
        cost.measure(twelve_nodes(Settings::default(), seed), 20, seed);
    }
    cost.print("12 nodes");
    assert!(cost.per_request(cost.inserts.blocks) <= 6.0);
    assert!(cost.per_request(cost.hits.fetches) <= 2.0);
    assert!(
        cost.worst_miss <= 12,
        "a node searches once for a missing block: {}",
        cost.worst_miss
    );
}

#[test]
fn requests_in_a_large_network_cost_a_few_hops_more() {
    let mut cost = Cost::default();
    let settings = Settings {
        traced: false,
        ..Settings::default()
    };
    cost.measure(
        Network::new(&Topology::small_world(1000, 8, 1), settings, 1),
        100,
        1,
    );
    cost.print("1000 nodes");
    assert!(cost.per_request(cost.inserts.blocks) <= 10.0);
    assert!(cost.per_request(cost.hits.fetches) <= 7.0);
    let searched = cost.misses.fetches - cost.misses.loops - cost.misses.refused;
    assert!(
        cost.per_request(searched) <= 25.0,
        "hops to live bound a search"
    );
}

#[derive(Default)]
struct Cost {
    requests: u32,
    inserts: Counters,
    hits: Counters,
    misses: Counters,
    /// How many nodes searched for one missing block, the asker not counted.
    worst_miss: u64,
    /// All in all, for inserts, hits and misses.
    took: [Duration; 3],
}

impl Cost {
    /// Inserts, finds and misses so many blocks, one after the other.
    fn measure(&mut self, mut network: Network, requests: u32, seed: u64) {
        self.requests += requests;
        for number in 0..u64::from(requests) {
            let block = content_block(number);
            let publisher = network.random_node(None);
            self.inserts.add(&insert(&mut network, publisher, &block));
            let reader = network.random_node(Some(publisher));
            self.hits.add(&fetch(&mut network, reader, block.key()));
            let miss = fetch(
                &mut network,
                reader,
                content_block(number + 1_000_000).key(),
            );
            self.misses.add(&miss);
            self.worst_miss = self
                .worst_miss
                .max(miss.fetches - miss.loops - miss.refused);
        }
        for (number, report) in network.reports().iter().enumerate() {
            self.took[number % 3] += report.duration().expect("all have ended");
        }
        assert_at_rest(&network, seed);
    }

    #[expect(clippy::print_stdout, reason = "the figures are for people")]
    fn print(&self, what: &str) {
        let [inserts, hits, misses] = [self.inserts, self.hits, self.misses];
        println!("{what}, for each of {} requests:", self.requests);
        println!(
            "insert: {:.2} blocks sent, {:.2} offers",
            self.per_request(inserts.blocks),
            self.per_request(inserts.offers)
        );
        println!("hit: {:.2} nodes asked", self.per_request(hits.fetches));
        let refused = misses.loops + misses.refused;
        println!(
            "miss: {:.2} nodes searched",
            self.per_request(misses.fetches - refused)
        );
        println!(
            "miss: {:.2} asked and refused; worst {} searched",
            self.per_request(refused),
            self.worst_miss
        );
        println!(
            "insert, hit, miss took {:?}",
            self.took.map(|took| took / self.requests)
        );
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn per_request(&self, count: u64) -> f64 {
        count as f64 / f64::from(self.requests)
    }
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
