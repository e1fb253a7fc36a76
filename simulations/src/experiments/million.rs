//! A world of a million real routers.

use std::time::Duration;

use anyhow::{Result, ensure};
use routing::{Block, Config, Location, Lookahead};
use serde::Deserialize;

use crate::elided_block::ElidedBlock;
use crate::experiment::{Context, Experiment, Figure, Outcome, Table};
use crate::network::{Network, Settings};
use crate::resources::{resident_bytes, thread_time};
use crate::ring::Ring;
use crate::sim_node::Sabotage;
use crate::statistics::{Summary, count, share};
use crate::topology::Topology;

/// Fetches through a static small world of many routers, each of a block that one node has: the closest to its key.
pub(super) struct Million;

#[derive(Debug, Deserialize)]
struct Parameters {
    nodes: usize,
    /// Of the world in which peers tell each other of their peers.
    lookahead_nodes: usize,
    /// Of the world with a planted fault.
    fault_nodes: usize,
    long_links: usize,
    fetches: usize,
}

impl Experiment for Million {
    fn name(&self) -> &'static str {
        "million"
    }

    fn number(&self) -> &'static str {
        "E1b"
    }

    fn summary(&self) -> &'static str {
        "a static world of a million real routers: memory, speed, and hops against the greedy limit"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let parameters: Parameters = context.parameters()?;
        let nodes = context.nodes().unwrap_or(parameters.nodes);
        let sizes = [nodes, parameters.lookahead_nodes, parameters.fault_nodes];
        ensure!(
            sizes.iter().all(|&nodes| nodes >= 100) && parameters.fetches > 0,
            "a world needs at least 100 nodes, and a fetch"
        );
        let mut outcome = Outcome::default();
        // One after the other: each is measured by what the process takes
        let worlds = [
            (FIRST, nodes, Lookahead::Off, Sabotage::None),
            (
                "lookahead",
                parameters.lookahead_nodes,
                Lookahead::On,
                Sabotage::None,
            ),
            (
                "fault: wrong places",
                parameters.fault_nodes,
                Lookahead::Off,
                Sabotage::WrongPlaces,
            ),
        ];
        let mut table = Table::new("worlds", "Fetches of blocks that one node has", &COLUMNS);
        context.progress().begin("worlds", worlds.len() as u64);
        for (name, nodes, lookahead, sabotage) in worlds {
            let settings = Settings {
                config: Config {
                    lookahead,
                    ..Config::default()
                },
                sabotage,
                traced: false,
                ..Settings::default()
            };
            let mut world = World::measure(nodes, &parameters, settings, context.seed());
            if name != FIRST {
                // It was built in the memory that the first one left
                world.bytes_a_node = f64::NAN;
            }
            world.figures(name, sabotage == Sabotage::None, &mut outcome);
            table.row(world.row(name));
            context.progress().advance(1);
        }
        outcome.table(table);
        outcome.note(
            "Without lookahead a greedy way to one single node of a million has 12 hops on average and more than 18 in two to \
             three cases of 100, so that searches with 18 hops to live end before it. Inserts leave four copies, which are \
             found sooner; here each block lies at one node. Bytes a node are what the process grew by while the world was built, divided by the nodes: router, links and \
             what the engine notes of them. They and the events a second depend on the machine and are no part of what \
             the seed decides.",
        );
        Ok(outcome)
    }
}

const COLUMNS: [&str; 13] = [
    "world",
    "nodes",
    "degree",
    "fetches",
    "local hits",
    "success",
    "mean hops",
    "median",
    "p95",
    "p99",
    "bytes a node",
    "seconds to build",
    "events a second",
];

/// The world that is built first.
const FIRST: &str = "plain";

/// What was measured in one world.
struct World {
    nodes: usize,
    degree: f64,
    local: usize,
    routed: usize,
    asked: usize,
    hops: Summary,
    bytes_a_node: f64,
    built: Duration,
    events_a_second: f64,
}

impl World {
    fn measure(nodes: usize, parameters: &Parameters, settings: Settings, seed: u64) -> Self {
        let topology = Topology::small_world(nodes, parameters.long_links, seed);
        let degree = share(2 * topology.links().count(), nodes);
        let ring = Ring::new(topology.locations.iter().copied().enumerate());
        let (memory, start) = (resident_bytes(), thread_time());
        let mut network = Network::new(&topology, settings, seed);
        network.run_for(SETTLE);
        let grown = resident_bytes().saturating_sub(memory);
        drop(topology);
        let (built, happened) = (thread_time(), network.happened());
        for number in 0..parameters.fetches as u64 {
            let block = ElidedBlock::content(number);
            let key = block.key();
            network.give(ring.closest(Location::of_key(&key)), block);
            let reader = network.random_node(None);
            network.fetch(reader, key);
            network.run_for(Duration::from_millis(1));
        }
        network.run_until_ended(Duration::from_secs(120));
        let took = (thread_time() - built).as_secs_f64();
        let events = network.happened() - happened;
        let reports = network.reports();
        let routed = reports.iter().filter(|report| report.is_routed_success());
        let hops: Vec<f64> = routed
            .filter_map(|report| report.hops)
            .map(f64::from)
            .collect();
        Self {
            nodes,
            degree,
            local: reports.iter().filter(|report| report.local).count(),
            routed: reports
                .iter()
                .filter(|report| report.is_routed_success())
                .count(),
            asked: reports.len(),
            hops: Summary::of(&hops),
            bytes_a_node: large(grown) / count(nodes),
            built: built - start,
            events_a_second: large(events) / took,
        }
    }

    fn success(&self) -> f64 {
        share(self.routed, self.asked - self.local)
    }

    fn figures(&self, name: &str, sound: bool, outcome: &mut Outcome) {
        let nodes = self.nodes;
        let success = Figure::new(
            format!("{name}: success, {nodes} nodes"),
            self.success(),
            "",
        )
        .at_least(0.995)
        .source("hops to live 18; nobody fails");
        if !sound {
            outcome.figure(success.with_fault());
            return;
        }
        outcome.figure(success);
        let limit = 0.65 * count(nodes).log2().powi(2) / self.degree;
        outcome.figure(
            Figure::new(
                format!("{name}: mean hops, {nodes} nodes"),
                self.hops.mean,
                "hops",
            )
            .at_most(1.25 * limit)
            .published(limit)
            .source("0.65 log2(N)^2 / degree, greedy without lookahead; bar: 1.25 times that"),
        );
        if name == FIRST {
            outcome.figure(Figure::new(
                format!("{name}: memory a node, {nodes} nodes"),
                self.bytes_a_node,
                "bytes",
            ));
        }
    }

    fn row(&self, name: &str) -> [crate::experiment::Cell; 13] {
        [
            name.into(),
            self.nodes.into(),
            self.degree.into(),
            self.asked.into(),
            self.local.into(),
            self.success().into(),
            self.hops.mean.into(),
            self.hops.median.into(),
            self.hops.p95.into(),
            self.hops.p99.into(),
            self.bytes_a_node.round().into(),
            self.built.as_secs_f64().into(),
            self.events_a_second.round().into(),
        ]
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
const fn large(number: u64) -> f64 {
    number as f64
}

/// Peers tell each other of their peers two seconds after they came.
const SETTLE: Duration = Duration::from_secs(3);
