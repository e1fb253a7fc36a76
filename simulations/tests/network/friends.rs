//! Routers that swap places over messages, beside the same decisions without messages.

use std::sync::Arc;

use routing::places::anywhere;
use routing::{Config, DarknetConfig};
use simulations::friend_graph::FriendGraph;
use simulations::friend_world::{FriendWorld, Rules};
use simulations::{Network, Settings, Topology, rng_for};

const NODES: usize = 150;
const ROUNDS: u32 = 350;

fn graph() -> FriendGraph {
    FriendGraph::clustered(NODES, 3, 2, &mut rng_for(1, "friends"))
}

/// The same people in the network of routers, with or without swapping.
fn network(darknet: Option<Arc<DarknetConfig>>) -> Network {
    let graph = graph();
    let mut rng = rng_for(3, "places");
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
    Network::new(&topology, settings, 3)
}

/// The share of routes that arrive within eight nodes, of nodes that are where the routers say.
fn success(network: &Network) -> f64 {
    let mut world = FriendWorld::new(graph(), Rules::Ours, 5);
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
    let mut swapping = network(Some(Arc::new(config.clone())));
    let before = success(&swapping);
    swapping.run_for(config.interval.mul_f64(0.75) * ROUNDS);
    let routers = success(&swapping);

    let mut world = FriendWorld::new(graph(), Rules::Ours, 5);
    (0..ROUNDS).for_each(|_| world.round());
    let decisions = world.success(8, 4_000).0;
    println!("before {before:.3}, routers {routers:.3}, decisions alone {decisions:.3}");
    assert!(routers > before + 0.3, "{before} to {routers}");
    assert!(
        (routers - decisions).abs() < 0.15,
        "{routers} and {decisions}"
    );
}

#[test]
fn routers_without_a_darknet_stay_where_they_are() {
    let mut staying = network(None);
    let before: Vec<_> = (0..NODES)
        .map(|node| staying.router(node).location())
        .collect();
    staying.run_for(DarknetConfig::default().interval * 10);
    let after: Vec<_> = (0..NODES)
        .map(|node| staying.router(node).location())
        .collect();
    assert_eq!(before, after);
}
