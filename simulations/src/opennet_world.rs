//! Opennets that grow from seeds by nothing but what routers say to each other.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use routing::{Config, Event, Location, Lookahead, OpennetConfig};

use crate::elided_block::ElidedBlock;
use crate::network::{Network, Settings};
use crate::random::rng_for;
use crate::ring::Ring;
use crate::statistics::{Summary, count, share};
use crate::topology::Topology;

/// How an opennet grows.
#[derive(Clone, Debug)]
pub struct Growth {
    /// How many nodes it gets.
    pub nodes: usize,
    /// Of each node.
    pub opennet: OpennetConfig,
    /// Of each node.
    pub lookahead: Lookahead,
    /// By which part it grows in a second; at least one node comes each second.
    pub rate: f64,
    /// How long nodes go on arranging their links after the last has come.
    pub settling: Duration,
}

/// A grown opennet.
#[derive(Debug)]
pub struct OpennetWorld {
    /// Its nodes.
    pub network: Network<ElidedBlock>,
    seed: u64,
    seeds: usize,
    /// Blocks published so far.
    blocks: u64,
}

/// What became of fetches of random users.
#[derive(Clone, Copy, Debug)]
pub struct Fetches {
    /// How many.
    pub asked: usize,
    /// Of these, how many were served from the user's own node. They count nowhere else.
    pub local: usize,
    /// Of the others, which part got the block.
    pub success: f64,
    /// How many hops away it was.
    pub hops: Summary,
    /// How many nodes were asked.
    pub visited: Summary,
    /// How long it took, in milliseconds.
    pub latency_ms: Summary,
}

impl OpennetWorld {
    /// Lets a network grow.
    #[must_use]
    pub fn grow(growth: &Growth, seed: u64) -> Self {
        Self::grow_with(growth, Settings::default(), seed)
    }

    /// The same with settings of which the growth decides the opennet, the lookahead, and how many strangers are welcome.
    #[must_use]
    pub fn grow_with(growth: &Growth, settings: Settings, seed: u64) -> Self {
        let opennet = OpennetConfig {
            // Whoever is asked as a seed is one; only the first nodes are
            seed: true,
            ..growth.opennet.clone()
        };
        let settings = Settings {
            config: Config {
                opennet: Some(Arc::new(opennet)),
                lookahead: growth.lookahead,
                ..settings.config
            },
            traced: false,
            strangers_max: 400,
            ..settings
        };
        let empty = Topology::of_locations(Vec::new());
        let mut world = Self {
            network: Network::new(&empty, settings, seed),
            seed,
            seeds: 1,
            blocks: 0,
        };
        world.grow_to(growth.nodes, growth.rate);
        world.network.run_for(growth.settling);
        world
    }

    /// Lets nodes come until there are so many.
    pub fn grow_to(&mut self, nodes: usize, rate: f64) {
        let mut arrivals = 0.0;
        while self.network.len() < nodes {
            arrivals += (rate * count(self.network.len())).max(1.0);
            let now = Duration::from_secs(1).div_f64(arrivals.max(1.0));
            while arrivals >= 1.0 && self.network.len() < nodes {
                arrivals -= 1.0;
                self.join();
                self.network.run_for(now);
            }
            self.seeds = 1 + self.network.len() / NODES_PER_SEED;
        }
    }

    /// One node comes, and knows a few seeds.
    pub fn join(&mut self) -> usize {
        let node = self.network.add_stranger();
        self.enter(node);
        node
    }

    /// A node without strangers as peers gets to know a few seeds.
    pub fn enter(&mut self, node: usize) {
        let contact = self.network.contact(node);
        self.network.tell(node, Event::OwnContact { contact });
        let mut rng = rng_for(self.seed, &format!("seeds of {node}"));
        let known = self.seeds.min(node);
        let first = rng.random_range(0..known.max(1));
        let seeds =
            (0..known.min(SEEDS_KNOWN)).map(|step| self.network.contact((first + step) % known));
        let seeds = seeds.collect();
        self.network.tell(
            node,
            Event::Join {
                remembered: Vec::new(),
                seeds,
            },
        );
    }

    /// The same with `a_second` fetches begun each second, whatever becomes of them. Gives which part of those that were
    /// no local hits got the block.
    pub fn fetch_over(&mut self, fetches: usize, a_second: usize) -> f64 {
        let (mut asked, mut routed) = (0, 0.0);
        while asked < fetches {
            let batch = a_second.min(fetches - asked);
            let began = self.network.now();
            let done = self.fetch(batch, batch);
            let took = self.network.now().since(began);
            self.network
                .run_for(Duration::from_secs(1).saturating_sub(took));
            routed += done.success * count(batch);
            asked += batch;
        }
        routed / count(fetches)
    }

    /// Random users fetch blocks that lie at the nodes nearest to their keys and nowhere else, `at_once` at a time.
    pub fn fetch(&mut self, fetches: usize, at_once: usize) -> Fetches {
        let running = (0..self.network.len()).filter(|&node| self.network.is_running(node));
        let ring = Ring::new(running.map(|node| (node, self.network.location(node))));
        let mut handles = Vec::with_capacity(fetches);
        while handles.len() < fetches {
            let batch = at_once.min(fetches - handles.len());
            for _ in 0..batch {
                let block = ElidedBlock::content(self.blocks);
                self.blocks += 1;
                let key = routing::Block::key(&block);
                let home = ring.closest(Location::of_key(&key));
                self.network.give(home, block);
                let reader = self.network.random_node(None);
                handles.push(self.network.fetch(reader, key));
            }
            self.network.run_until_ended(FETCH_MAX);
        }
        let reports: Vec<_> = handles
            .iter()
            .map(|&handle| self.network.report(handle))
            .collect();
        let local = reports.iter().filter(|report| report.local).count();
        let routed: Vec<_> = reports
            .iter()
            .filter(|report| report.is_routed_success())
            .collect();
        let of = |value: &dyn Fn(&crate::measure::Report<ElidedBlock>) -> Option<f64>| {
            Summary::of(
                &routed
                    .iter()
                    .filter_map(|report| value(report))
                    .collect::<Vec<_>>(),
            )
        };
        Fetches {
            asked: reports.len(),
            local,
            success: share(routed.len(), reports.len() - local),
            hops: of(&|report| report.hops.map(f64::from)),
            visited: of(&|report| Some(f64::from(report.asked))),
            latency_ms: of(&|report| {
                report
                    .duration()
                    .map(|duration| duration.as_secs_f64() * 1e3)
            }),
        }
    }
}

/// One more seed for so many nodes, and newcomers know as many as this.
const NODES_PER_SEED: usize = 1_000;
const SEEDS_KNOWN: usize = 3;

/// Longer than any fetch takes.
const FETCH_MAX: Duration = Duration::from_secs(120);
