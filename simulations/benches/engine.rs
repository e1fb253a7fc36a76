//! How many things the engine makes happen in a second, on one core: `cargo bench -p simulations --bench engine --profile dev`.
//!
//! Routers included. The seconds are those that the thread ran, so that a busy machine changes little.
#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]

use std::time::Duration;

use routing::{Block, Config, Location, Lookahead};
use simulations::{
    Bandwidth, ElidedBlock, LinkModel, Network, Ring, Settings, Topology, resident_bytes,
    thread_time,
};

const NODES: usize = 10_000;
const LONG_LINKS: usize = 18;
const FETCHES: u64 = 20_000;

fn main() {
    let plain = Settings {
        config: Config {
            lookahead: Lookahead::Off,
            ..Config::default()
        },
        traced: false,
        paths: false,
        ..Settings::default()
    };
    measure("fetches", &plain);
    measure(
        "fetches with lookahead",
        &Settings {
            config: Config::default(),
            ..plain.clone()
        },
    );
    measure(
        "fetches, paths noted",
        &Settings {
            paths: true,
            ..plain.clone()
        },
    );
    let bandwidth = Some(Bandwidth {
        up: 1_000_000,
        down: 4_000_000,
    });
    let links = LinkModel::internet();
    measure(
        "fetches, links as in the Internet",
        &Settings {
            bandwidth,
            links,
            ..plain.clone()
        },
    );
    measure(
        "fetches, encoded and traced",
        &Settings {
            traced: true,
            ..plain
        },
    );
}

/// Fetches of blocks that the node closest to each has, five hundred begun in each virtual second.
fn measure(what: &str, settings: &Settings) {
    let topology = Topology::small_world(NODES, LONG_LINKS, 1);
    let ring = Ring::new(topology.locations.iter().copied().enumerate());
    let (before, start) = (resident_bytes(), thread_time());
    let mut network = Network::new(&topology, settings.clone(), 1);
    // The peers tell each other of their peers
    network.run_for(Duration::from_secs(5));
    let (built, settled) = (resident_bytes(), thread_time());
    let events = network.happened();
    for number in 0..FETCHES {
        let block = ElidedBlock::content(number);
        let key = block.key();
        network.give(ring.closest(Location::of_key(&key)), block);
        let reader = network.random_node(None);
        network.fetch(reader, key);
        network.run_for(Duration::from_millis(2));
    }
    assert!(network.run_until_ended(Duration::from_secs(100)), "all end");
    let seconds = (thread_time() - settled).as_secs_f64();
    let found = network
        .reports()
        .iter()
        .filter(|report| report.is_success())
        .count();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let [events, messages, bytes] = [
        network.happened() - events,
        network.counters().messages,
        built.saturating_sub(before) / NODES as u64,
    ]
    .map(|count| count as f64);
    println!(
        "{what}: {:.0} events/s, {:.0} messages/s; found {found} of {FETCHES}; built in {:.2} s, {bytes} bytes a node",
        events / seconds,
        messages / seconds,
        (settled - start).as_secs_f64(),
    );
}
