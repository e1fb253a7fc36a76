//! One network that loses nodes.

use std::time::Duration;

use crypto::{BlockKey, BlockKind, RoutingKey};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use routing::{Config, Location};

use super::Way;
use super::removal::Removal;
use crate::elided_block::ElidedBlock;
use crate::network::{Network, Settings};
use crate::random::rng_for;
use crate::sim_node::Sabotage;
use crate::statistics::{count, share};
use crate::topology::Topology;

/// Drawn by each node, besides the two neighbours on the ring: a degree of about 20.
const LONG_LINKS: usize = 19;

/// How long the network is left alone after the loss, until everybody has told everybody else of it.
const AFTER_LOSS: Duration = Duration::from_secs(60);

pub(super) struct World {
    network: Network<ElidedBlock>,
    left: Vec<usize>,
    rng: ChaCha8Rng,
}

/// What became of the fetches.
pub(super) struct Found {
    fetches: usize,
    /// How many nodes each fetch that succeeded asked.
    pub(super) asked: Vec<f64>,
}

impl Found {
    pub(super) fn success(&self) -> f64 {
        share(self.asked.len(), self.fetches)
    }
}

impl World {
    pub(super) fn new(nodes: usize, way: Way, sabotage: Sabotage, seed: u64) -> Self {
        let settings = Settings {
            config: Config {
                lookahead: way.lookahead,
                ..Config::default()
            },
            sabotage,
            effort: way.effort,
            traced: false,
            paths: false,
            ..Settings::default()
        };
        let topology = Topology::small_world(nodes, LONG_LINKS, seed);
        let mut network = Network::new(&topology, settings, seed);
        network.run();
        Self {
            network,
            left: (0..nodes).collect(),
            rng: rng_for(seed, "node failure"),
        }
    }

    /// Removes a share of the nodes. Their peers notice.
    pub(super) fn remove(&mut self, removal: Removal, removed: f64) {
        let order = removal.order(self.network.topology(), &mut self.rng);
        let gone = (0..order.len()).take_while(|&place| share(place, order.len()) < removed);
        let gone = gone.count();
        for &node in &order[..gone] {
            self.network.stop_node(node);
        }
        self.left = order[gone..].to_vec();
        self.network.run_for(AFTER_LOSS);
    }

    /// Fetches blocks, each from one node that is left by another.
    pub(super) fn fetch(&mut self, fetches: u64) -> Found {
        let mut asked = Vec::new();
        for number in 0..fetches {
            let holder = self.node_left();
            let reader = loop {
                let reader = self.node_left();
                if reader != holder {
                    break reader;
                }
            };
            let place = self.network.topology().locations[holder];
            let key = key_at(place, number);
            self.network.give(holder, ElidedBlock::of_key(key));
            let before = self.network.counters();
            let fetch = self.network.fetch(reader, key);
            self.network.run();
            if self.network.report(fetch).is_routed_success() {
                let sent = self.network.counters().since(&before).fetches;
                asked.push(count(usize::try_from(sent).unwrap_or(usize::MAX)));
            }
        }
        Found {
            fetches: usize::try_from(fetches).unwrap_or(usize::MAX),
            asked,
        }
    }

    fn node_left(&mut self) -> usize {
        self.left[self.rng.random_range(0..self.left.len())]
    }
}

/// The key at a place, one of many.
fn key_at(place: Location, number: u64) -> BlockKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&place.to_bits().to_be_bytes());
    bytes[8..16].copy_from_slice(&number.to_be_bytes());
    BlockKey {
        kind: BlockKind::Content,
        routing_key: RoutingKey::from_bytes(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ONCE;
    use super::*;

    #[test]
    fn a_network_without_losses_finds_everything_and_one_of_liars_does_not() {
        let success = |sabotage| World::new(200, ONCE, sabotage, 1).fetch(100).success();
        assert!(success(Sabotage::None) > 0.999);
        assert!(success(Sabotage::WrongPlaces) < 0.9);
    }

    #[test]
    fn an_arc_leaves_no_node_within_it() {
        let mut world = World::new(200, ONCE, Sabotage::None, 1);
        world.remove(Removal::Arc, 0.5);
        let first = world
            .left
            .iter()
            .map(|&node| world.network.topology().locations[node]);
        assert_eq!(world.left.len(), 100);
        assert!(first.min().is_some_and(|place| place.as_fraction() > 0.3));
    }
}
