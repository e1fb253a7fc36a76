//! Routers that swap places over messages, beside the same decisions without messages.

use std::sync::Arc;

use routing::places::anywhere;
use routing::{Config, DarknetConfig};
use simulations::friend_graph::FriendGraph;
use simulations::friend_world::{FriendWorld, Rules};
use simulations::{Network, Settings, Topology, rng_for};

const NODES: usize = 150;
const ROUNDS: u32 = 350;

/// One graph says little: places may come to rest in two arcs that each are right by themselves.
const SEEDS: std::ops::Range<u64> = 1..6;

fn graph(seed: u64) -> FriendGraph {
    FriendGraph::clustered(NODES, 3, 2, &mut rng_for(seed, "friends"))
}

/// The same people in the network of routers, with or without swapping.
fn network(darknet: Option<Arc<DarknetConfig>>, seed: u64) -> Network {
    let graph = graph(seed);
    let mut rng = rng_for(seed, "places");
    let places = (0..NODES).map(|_| anywhere(&mut rng)).collect();
    let mut topology = Topology::of_locations(places);
    for node in 0..NODES {
        for friend in graph.friends(node) {
            topology.link(node, friend);
        }
    }
    let config = Config {
        darknet,
        ..Config::default()
    };
    let settings = Settings {
        config,
        traced: false,
        ..Settings::default()
    };
    Network::new(&topology, settings, seed)
}

/// The share of routes that arrive within eight nodes, of nodes that are where the routers say.
fn success(network: &Network, seed: u64) -> f64 {
    let mut world = FriendWorld::new(graph(seed), Rules::Ours, seed);
    world.put(
        (0..NODES)
            .map(|node| network.router(node).location())
            .collect(),
    );
    world.success(8, 4_000).0
}

#[test]
fn routers_find_places_as_good_as_their_decisions_find_without_messages() {
    let config = DarknetConfig::default();
    let (mut befores, mut routers, mut decisions) = (0.0, 0.0, 0.0);
    for seed in SEEDS {
        let mut swapping = network(Some(Arc::new(config.clone())), seed);
        let before = success(&swapping, seed);
        swapping.run_for(config.interval.mul_f64(0.75) * ROUNDS);
        let after = success(&swapping, seed);

        let mut world = FriendWorld::new(graph(seed), Rules::Ours, seed);
        (0..ROUNDS).for_each(|_| world.round());
        let alone = world.success(8, 4_000).0;
        println!("seed {seed}: before {before:.3}, routers {after:.3}, decisions alone {alone:.3}");
        befores += before / 5.0;
        routers += after / 5.0;
        decisions += alone / 5.0;
    }
    assert!(routers > befores + 0.3, "{befores} to {routers}");
    assert!(
        (routers - decisions).abs() < 0.1,
        "{routers} and {decisions}"
    );
}

#[test]
fn routers_without_a_darknet_stay_where_they_are() {
    let mut staying = network(None, 3);
    let before: Vec<_> = (0..NODES)
        .map(|node| staying.router(node).location())
        .collect();
    staying.run_for(DarknetConfig::default().interval * 10);
    let after: Vec<_> = (0..NODES)
        .map(|node| staying.router(node).location())
        .collect();
    assert_eq!(before, after);
}
