//! Networks of routers under virtual time. Every assertion names its seed; the same seed fails again.

mod coalescing;
mod collision;
mod cost;
mod determinism;
mod elided;
mod failures;
mod friends;
mod liveness;
mod news;
mod onion;
mod repair;
mod small_world;

use simulations::{LinkModel, Network, RequestHandle, Settings, Topology, content_block};

/// A network of the size of the demo.
fn twelve_nodes(settings: Settings, seed: u64) -> Network {
    Network::new(&Topology::small_world(12, 3, seed), settings, seed)
}

fn settings_with_loss(loss: f64) -> Settings {
    Settings {
        links: LinkModel {
            loss,
            ordered: false,
            ..LinkModel::default()
        },
        ..Settings::default()
    }
}

/// Inserts block `number` from a random node, and gives the node and the request.
fn insert_somewhere(network: &mut Network, number: u64) -> (usize, RequestHandle) {
    let node = network.random_node(None);
    (node, network.insert(node, content_block(number)))
}

/// Nothing is in progress anywhere.
fn assert_at_rest(network: &Network, seed: u64) {
    let busy: Vec<_> = network.busy_nodes().collect();
    assert_eq!(busy, [0_usize; 0], "seed {seed}: routers with state left");
    for report in network.reports() {
        assert!(
            report.ended.is_some(),
            "seed {seed}: never ended: {report:?}"
        );
    }
}
