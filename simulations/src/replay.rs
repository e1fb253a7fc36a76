//! A small network that one seed decides wholly, to run again what went wrong once.

use std::time::Duration;

use crate::blocks::content_block;
use crate::link_model::LinkModel;
use crate::measure::Counters;
use crate::network::{Network, Settings};
use crate::topology::Topology;

/// How many nodes, each with three links besides the ring.
const NODES: usize = 12;
const LONG_LINKS: usize = 3;

/// How many blocks are inserted, and fetched by another node each.
const BLOCKS: u64 = 30;

/// What happens to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Nothing.
    Calm,
    /// One message of twenty is lost, and delays reorder the others.
    Lossy,
    /// Every few requests a node stops, and an earlier one starts again.
    Failing,
}

/// What became of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Over every message: when, from where, to where, and each byte. Equal hashes mean equal runs.
    pub trace: blake3::Hash,
    /// What was sent.
    pub counters: Counters,
    /// How many requests ended well, with another node's help or without.
    pub succeeded: usize,
    /// How many requests there were.
    pub requests: usize,
    /// How much virtual time passed.
    pub virtual_time: Duration,
}

/// Runs it.
#[must_use]
pub fn replay(seed: u64, weather: Weather) -> Replay {
    let settings = Settings {
        links: match weather {
            Weather::Calm | Weather::Failing => LinkModel::default(),
            Weather::Lossy => LinkModel {
                delay: Duration::from_millis(5)..Duration::from_millis(400),
                ordered: false,
                loss: 0.05,
                ..LinkModel::default()
            },
        },
        ..Settings::default()
    };
    let topology = Topology::small_world(NODES, LONG_LINKS, seed);
    let mut network = Network::new(&topology, settings, seed);
    let mut stopped = None;
    for number in 0..BLOCKS {
        if weather == Weather::Failing && number % 5 == 4 {
            stopped = Some(next_stopped(&mut network, stopped));
        }
        let block = content_block(number);
        let key = block.key();
        let publisher = network.random_node(None);
        network.insert(publisher, block);
        network.run_for(Duration::from_millis(200));
        let reader = network.random_node(Some(publisher));
        network.fetch(reader, key);
    }
    network.run();
    Replay {
        trace: network.trace(),
        counters: network.counters(),
        succeeded: network
            .reports()
            .iter()
            .filter(|report| report.is_success())
            .count(),
        requests: network.reports().len(),
        virtual_time: network.now().since(routing::Time::ZERO),
    }
}

/// Starts the stopped node again and stops another.
fn next_stopped(network: &mut Network, stopped: Option<usize>) -> usize {
    let next = network.random_node(stopped);
    if let Some(node) = stopped {
        network.restart_node(node);
    }
    network.stop_node(next);
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_weather_decide_every_message() {
        for weather in [Weather::Calm, Weather::Lossy, Weather::Failing] {
            let first = replay(1, weather);
            assert_eq!(first, replay(1, weather));
            assert_ne!(first.trace, replay(2, weather).trace);
        }
        assert_ne!(
            replay(1, Weather::Calm).trace,
            replay(1, Weather::Lossy).trace
        );
        assert_eq!(replay(1, Weather::Calm).succeeded, 60);
    }
}
