//! People with friends, of whom a part have strangers as peers, too.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use routing::places::Stage;
use routing::{Block, Config, DarknetConfig, Event, Location, OpennetConfig};

use super::{Found, Parameters};
use crate::elided_block::ElidedBlock;
use crate::experiments::popularity::Popularity;
use crate::friend_graph::FriendGraph;
use crate::friend_world::{FriendWorld, Rules};
use crate::network::{Network, RequestHandle, Settings};
use crate::random::rng_for;
use crate::sim_node::Sabotage;
use crate::statistics::{count, share};
use crate::topology::Topology;

/// A mixed network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mixture {
    /// Which part of the people have strangers as peers.
    pub(super) share: f64,
    pub(super) fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// Those with strangers do not hear where their friends are, and do not pass their walks on.
    DeafBridges,
    /// Those without strangers never swap: they stay at random places.
    NoSwaps,
    /// Stores confirm and keep nothing.
    ForgetfulStores,
}

/// What is found in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) nodes: usize,
    pub(super) friends: f64,
    pub(super) peers: f64,
    /// Each document asked for once.
    pub(super) uniform: Found,
    /// Of these, by people without strangers, and by people with.
    pub(super) by_friends: Found,
    pub(super) by_hybrids: Found,
    /// Asked for by Zipf's law, the second half of the requests.
    pub(super) power: Found,
}

/// Builds a mixed network, fills it, and asks.
pub(super) fn measure(parameters: &Parameters, mixture: Mixture, seed: u64) -> Measured {
    let mut rng = rng_for(seed, "people");
    let graph = FriendGraph::social(parameters.people, parameters.friends, &mut rng);
    let graph = graph.core(parameters.core);
    let mut people = People::new(parameters, &graph, mixture, seed);
    let keys = people.publish(parameters.documents);
    let uniform: Vec<usize> = (0..keys.len()).collect();
    let asked = people.ask(&keys, &uniform);
    let by = |hybrid: bool| {
        let by =
            |handle: &&RequestHandle| people.hybrid[people.network.report(**handle).node] == hybrid;
        Found::of(&people.network, asked.iter().filter(by))
    };
    let (by_friends, by_hybrids) = (by(false), by(true));
    let uniform = Found::of(&people.network, asked.iter());
    let draws = Popularity::PowerLaw.of_keys(keys.len(), ZIPF);
    let popular: Vec<usize> = (0..parameters.requests)
        .map(|_| draws.draw(&mut people.rng))
        .collect();
    let asked = people.ask(&keys, &popular);
    let peers: usize = (0..graph.len())
        .map(|node| people.network.router(node).load().peers)
        .sum();
    Measured {
        nodes: graph.len(),
        friends: share(2 * graph.links(), graph.len()),
        peers: share(peers, graph.len()),
        uniform,
        by_friends,
        by_hybrids,
        power: Found::of(&people.network, asked[asked.len() / 2..].iter()),
    }
}

struct People {
    network: Network<ElidedBlock>,
    hybrid: Vec<bool>,
    rng: ChaCha8Rng,
}

impl People {
    fn new(parameters: &Parameters, graph: &FriendGraph, mixture: Mixture, seed: u64) -> Self {
        let mut rng = rng_for(seed, "who has strangers");
        let mut order: Vec<usize> = (0..graph.len()).collect();
        order.shuffle(&mut rng);
        let hybrids = rounded(mixture.share * count(graph.len()));
        let mut hybrid = vec![false; graph.len()];
        for &node in order.iter().take(hybrids) {
            hybrid[node] = true;
        }
        let settings = Settings {
            config: hybrid_config(mixture.fault),
            traced: false,
            strangers_max: 400,
            sabotage: match mixture.fault {
                Fault::ForgetfulStores => Sabotage::ForgetfulStores,
                Fault::None | Fault::DeafBridges | Fault::NoSwaps => Sabotage::None,
            },
            ..Settings::default()
        };
        let empty = Topology::of_locations(Vec::new());
        let mut network = Network::new(&empty, settings, seed);
        for _ in 0..graph.len() {
            network.add_stranger();
        }
        let mut people = Self {
            network,
            hybrid,
            rng,
        };
        people.settle(parameters, graph, mixture.fault, seed);
        people.join(parameters, &order[..hybrids]);
        people
    }

    /// Those without strangers find their places, without messages, and everybody meets his friends.
    fn settle(&mut self, parameters: &Parameters, graph: &FriendGraph, fault: Fault, seed: u64) {
        let mut world = FriendWorld::new(graph.clone(), Rules::Ours, seed);
        for node in 0..graph.len() {
            if self.hybrid[node] {
                world.pin(node, self.network.location(node));
            }
        }
        if fault != Fault::NoSwaps && self.hybrid.contains(&false) {
            (0..parameters.rounds).for_each(|_| world.round());
        }
        let darknet = (fault != Fault::NoSwaps).then(settled);
        let config = Arc::new(Config {
            darknet,
            ..Config::default()
        });
        for node in (0..graph.len()).filter(|&node| !self.hybrid[node]) {
            let place = world.places()[node];
            self.network
                .replace_router(node, Arc::clone(&config), place);
        }
        for node in 0..graph.len() {
            for friend in graph.friends(node).filter(|&friend| friend < node) {
                self.network.connect(node, friend);
            }
        }
    }

    fn join(&mut self, parameters: &Parameters, hybrids: &[usize]) {
        let pause = Duration::from_secs(parameters.joining).div_f64(count(hybrids.len().max(1)));
        for (number, &node) in hybrids.iter().enumerate() {
            let contact = self.network.contact(node);
            self.network.tell(node, Event::OwnContact { contact });
            let known = number.min(SEEDS);
            let seeds = (0..known)
                .map(|seed| self.network.contact(hybrids[seed]))
                .collect();
            let remembered = Vec::new();
            self.network.tell(node, Event::Join { remembered, seeds });
            self.network.run_for(pause);
        }
        self.network
            .run_for(Duration::from_secs(parameters.settling));
    }

    /// Random people publish documents of one block.
    fn publish(&mut self, documents: usize) -> Vec<crypto::BlockKey> {
        let blocks: Vec<_> = (0..documents as u64).map(ElidedBlock::content).collect();
        for batch in blocks.chunks(AT_ONCE) {
            for block in batch {
                let publisher = self.network.random_node(None);
                self.network.insert(publisher, block.clone());
            }
            self.network.run_until_ended(REQUEST_MAX);
        }
        // Time for what was learned of failures to be forgotten
        self.network.run_for(Duration::from_secs(20));
        blocks.iter().map(Block::key).collect()
    }

    /// Random people ask for these documents.
    fn ask(&mut self, keys: &[crypto::BlockKey], wanted: &[usize]) -> Vec<RequestHandle> {
        let mut handles = Vec::with_capacity(wanted.len());
        for batch in wanted.chunks(AT_ONCE) {
            for &document in batch {
                let reader = self.network.random_node(None);
                handles.push(self.network.fetch(reader, keys[document]));
            }
            self.network.run_until_ended(REQUEST_MAX);
        }
        handles
    }
}

/// Of those with strangers.
fn hybrid_config(fault: Fault) -> Config {
    Config {
        opennet: Some(Arc::new(OpennetConfig {
            // Whoever is asked as a seed is one; only the first nodes are
            seed: true,
            ..OpennetConfig::default()
        })),
        darknet: (fault != Fault::DeafBridges).then(Arc::default),
        ..Config::default()
    }
}

fn settled() -> Arc<DarknetConfig> {
    Arc::new(DarknetConfig {
        stage: Stage::Settle,
        ..DarknetConfig::default()
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of a number of nodes"
)]
fn rounded(number: f64) -> usize {
    number.round() as usize
}

/// A place of somebody who has friends only, before it has found one.
pub(super) fn random_place(rng: &mut ChaCha8Rng) -> Location {
    Location::from_fraction(rng.random())
}

/// As published.
const ZIPF: f64 = 1.0;

/// As published.
const SEEDS: usize = 10;

/// Requests under way at a time.
const AT_ONCE: usize = 20;

/// Longer than any request takes.
const REQUEST_MAX: Duration = Duration::from_secs(600);
