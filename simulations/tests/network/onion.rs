//! Requests that go through circuits.

use std::sync::Arc;
use std::time::Duration;

use routing::{Anonymity, Class, Config, Group, Level, OnionConfig, Role, Via};
use simulations::{Network, Settings, Topology, content_block};

/// A network of friends that relay for each other.
fn network(nodes: usize, links: usize, seed: u64, onion: OnionConfig) -> Network {
    let config = Config {
        onion: Some(Arc::new(onion)),
        ..Config::default()
    };
    let settings = Settings {
        config,
        ..Settings::default()
    };
    Network::new(&Topology::small_world(nodes, links, seed), settings, seed)
}

fn through(level: Level, group: u64, role: Role) -> Anonymity {
    Anonymity::Circuit(Via {
        level,
        group: Group(group),
        role,
    })
}

/// Long enough for lists and circuits, and for any request.
const LONGEST: Duration = Duration::from_secs(120);

#[test]
fn a_block_is_inserted_and_fetched_through_six_hops() {
    for (nodes, links, seed) in [(12, 3, 1), (60, 5, 2)] {
        let mut network = network(nodes, links, seed, OnionConfig::default());
        let block = content_block(7);
        let insert = network.insert_hidden(
            1,
            block.clone(),
            Class::RealTime,
            through(Level::Six, 1, Role::Part),
        );
        assert!(network.run_until_ended(LONGEST), "seed {seed}");
        let report = network.report(insert);
        assert!(report.is_success(), "seed {seed}: {report:?}");
        let fetcher = (0..nodes)
            .find(|&node| network.stored(node, &block.key()).is_none() && node != 1)
            .expect("somebody does not have it");
        let fetch = network.fetch_hidden(
            fetcher,
            block.key(),
            Class::RealTime,
            through(Level::Six, 2, Role::Top),
        );
        assert!(network.run_until_ended(LONGEST), "seed {seed}");
        let report = network.report(fetch);
        assert!(report.is_success(), "seed {seed}: {report:?}");
        println!(
            "{nodes} nodes: insert {:?}, fetch {:?}, {:?}",
            network.report(insert).duration(),
            report.duration(),
            network.router(fetcher).onion(),
        );
        assert!(
            network.stored(fetcher, &block.key()).is_none(),
            "who asks keeps nothing"
        );
    }
}
