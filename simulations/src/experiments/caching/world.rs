//! One network whose users ask for keys again and again.

use std::time::Duration;

use rand::RngExt;
use rand::seq::SliceRandom;
use routing::{Block, Config, Location};

use super::{Case, Parameters};
use crate::elided_block::ElidedBlock;
use crate::experiments::popularity::Popularity;
use crate::network::{Network, Settings};
use crate::random::rng_for;
use crate::ring::Ring;
use crate::sim_store::StoreLimits;
use crate::statistics::{count, mean};
use crate::topology::Topology;

/// What came of the measured requests.
pub(super) struct Asked {
    pub(super) requests: usize,
    /// Of these, how many the asking node answered from its own store or cache. They count nowhere else.
    pub(super) local: usize,
    /// Those that another node answered.
    pub(super) found: Vec<Found>,
    /// Blocks in a node's cache at the end, on the average.
    pub(super) cached: f64,
}

pub(super) struct Found {
    /// The place of the key by popularity, from zero.
    pub(super) rank: usize,
    pub(super) hops: f64,
    pub(super) visited: f64,
}

pub(super) struct World {
    network: Network<ElidedBlock>,
    /// The most popular first: keys have no relation with numbers.
    blocks: Vec<ElidedBlock>,
}

impl World {
    pub(super) fn new(parameters: &Parameters, case: &Case, seed: u64) -> Self {
        let settings = Settings {
            config: Config {
                lookahead: case.lookahead,
                ..Config::default()
            },
            stores: StoreLimits {
                cache: Some(case.eviction.map_or(0, |_| parameters.cache())),
                cache_eviction: case.eviction.unwrap_or_default(),
                ..StoreLimits::default()
            },
            traced: false,
            ..Settings::default()
        };
        let topology = Topology::small_world(parameters.nodes, parameters.long_links, seed);
        let ring = Ring::new(topology.locations.iter().copied().enumerate());
        let mut network = Network::new(&topology, settings, seed);
        let mut blocks: Vec<_> = (0..parameters.keys as u64)
            .map(ElidedBlock::content)
            .collect();
        blocks.shuffle(&mut rng_for(seed, "popularity"));
        for block in &blocks {
            network.give(ring.closest(Location::of_key(&block.key())), block.clone());
        }
        network.run();
        Self { network, blocks }
    }

    /// Random users ask, one after the other.
    pub(super) fn ask(
        mut self,
        parameters: &Parameters,
        popularity: Popularity,
        seed: u64,
    ) -> Asked {
        let draws = popularity.of_keys(self.blocks.len(), parameters.exponent);
        let mut rng = rng_for(seed, "requests");
        let all = parameters.keys * parameters.requests_per_key;
        let mut asked = Asked {
            requests: all - all / 2,
            local: 0,
            found: Vec::new(),
            cached: 0.0,
        };
        for number in 0..all {
            let rank = draws.draw(&mut rng);
            let reader = rng.random_range(0..self.network.len());
            let fetch = self.network.fetch(reader, self.blocks[rank].key());
            self.network.run_until_ended(FETCH_MAX);
            if number < all / 2 {
                continue;
            }
            let report = self.network.report(fetch);
            asked.local += usize::from(report.local);
            if let Some(hops) = report.hops
                && report.is_routed_success()
            {
                asked.found.push(Found {
                    rank,
                    hops: f64::from(hops),
                    visited: f64::from(report.asked),
                });
            }
        }
        let caches = (0..self.network.len()).map(|node| count(self.network.stored_len(node).1));
        asked.cached = mean(&caches.collect::<Vec<_>>());
        asked
    }
}

/// Longer than any fetch takes.
const FETCH_MAX: Duration = Duration::from_secs(120);
