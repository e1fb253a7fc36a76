//! Blocks for which there is room a few times only, in a network of friends.

use std::time::Duration;

use crypto::BlockKey;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Parameters;
use crate::elided_block::ElidedBlock;
use crate::experiment::{Axis, Context, Figure, Kind, Outcome, Plot, Table};
use crate::experiments::popularity::{Draws, Popularity};
use crate::friend_graph::FriendGraph;
use crate::friend_world::{FriendWorld, Rules};
use crate::measure::Report;
use crate::network::{Network, Settings};
use crate::random::rng_for;
use crate::sim_node::Sabotage;
use crate::sim_store::{Eviction, StoreLimits};
use crate::statistics::{Summary, count, share};
use crate::topology::Topology;
use routing::{Block, Config, Copies};

/// One network.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Case {
    /// Room for blocks in all, by blocks.
    redundancy: f64,
    popularity: Popularity,
    policy: Policy,
    sabotage: Sabotage,
}

/// What goes from full stores and caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    /// The least recently used, from both.
    Product,
    /// Any, from both.
    Published,
    /// The farthest from the store, any from the cache.
    ByDistance,
}

/// What became of the measured requests.
struct Found {
    requests: usize,
    /// Of these, how many the asking node answered itself. They count nowhere else.
    local: usize,
    hops: Vec<f64>,
    /// Of those that found nothing, how many asked for a block that no node had any more.
    lost: usize,
    /// Copies that inserts said that they made.
    inserted: f64,
}

/// Redundancy, and published success and length of ways: uniform, and power law.
const PUBLISHED: [(f64, [f64; 2], [f64; 2]); 4] = [
    (1.0, [0.53, 0.91], [4.6, 2.35]),
    (5.0, [0.60, 0.93], [4.3, f64::NAN]),
    (10.0, [0.75, 0.91], [4.25, f64::NAN]),
    (20.0, [0.81, 0.94], [3.3, 2.05]),
];

/// What must be found with room for five copies, all asked for alike.
const BAR: (f64, f64) = (5.0, 0.95);

pub(super) fn run(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) {
    let topology = friends(parameters, context.seed());
    let cases = cases(&parameters.redundancy);
    let worlds = context.parallel("full stores", &cases, |case| {
        measure(parameters, &topology, case, context.seed())
    });
    let mut table = Table::new(
        "redundancy",
        "Room for few copies",
        &[
            "case",
            "room for copies",
            "success",
            "published",
            "mean hops",
            "published",
            "local",
            "nowhere any more",
            "copies by the insert",
        ],
    );
    for (case, found) in cases.iter().zip(&worlds) {
        figure(case, found, outcome);
        let published = case.published();
        table.row([
            case.name().into(),
            case.redundancy.into(),
            found.success().into(),
            published.map_or(f64::NAN, |of| of.0).into(),
            Summary::of(&found.hops).mean.into(),
            published.map_or(f64::NAN, |of| of.1).into(),
            share(found.local, found.requests).into(),
            share(found.lost, found.requests - found.local).into(),
            found.inserted.into(),
        ]);
    }
    outcome.table(table);
    for popularity in [Popularity::Uniform, Popularity::PowerLaw] {
        outcome.plot(plot(popularity, &cases, &worlds));
    }
    notes(parameters, &topology, outcome);
}

fn cases(redundancy: &[f64]) -> Vec<Case> {
    let mut cases = Vec::new();
    for policy in [Policy::Product, Policy::Published, Policy::ByDistance] {
        for popularity in [Popularity::Uniform, Popularity::PowerLaw] {
            cases.extend(redundancy.iter().map(|&redundancy| Case {
                redundancy,
                popularity,
                policy,
                sabotage: Sabotage::None,
            }));
        }
    }
    cases.push(Case {
        redundancy: BAR.0,
        popularity: Popularity::Uniform,
        policy: Policy::ByDistance,
        sabotage: Sabotage::WrongPlaces,
    });
    cases
}

impl Policy {
    const fn name(self) -> &'static str {
        match self {
            Self::Product => "least recently used goes",
            Self::Published => "a random one goes",
            Self::ByDistance => "farthest goes from the store",
        }
    }

    const fn evictions(self) -> (Eviction, Eviction) {
        match self {
            Self::Product => (Eviction::LeastRecentlyUsed, Eviction::LeastRecentlyUsed),
            Self::Published => (Eviction::Random, Eviction::Random),
            Self::ByDistance => (Eviction::Farthest, Eviction::Random),
        }
    }
}

impl Case {
    fn name(&self) -> String {
        let fault = match self.sabotage {
            Sabotage::None => "",
            _ => "fault, wrong places: ",
        };
        format!("{fault}{}, {}", self.popularity.name(), self.policy.name())
    }

    /// Success and length of ways.
    fn published(&self) -> Option<(f64, f64)> {
        let near = |of: &&(f64, [f64; 2], [f64; 2])| (of.0 - self.redundancy).abs() < 1e-9;
        let (_, success, hops) = PUBLISHED.iter().find(near)?;
        let column = usize::from(self.popularity == Popularity::PowerLaw);
        Some((success[column], hops[column]))
    }
}

fn figure(case: &Case, found: &Found, outcome: &mut Outcome) {
    let name = format!(
        "{}: success with room for {} copies",
        case.name(),
        case.redundancy
    );
    let mut figure = Figure::new(name, found.success(), "")
        .source("published: Clarke et al. 2010 on 1 580 nodes of the PGP web of trust, nodes coming and going, random replacement; ours on a stand-in where nobody leaves");
    if let Some((success, _)) = case.published() {
        figure = figure.published(success);
    }
    let has_bar = case.popularity == Popularity::Uniform
        && (case.redundancy - BAR.0).abs() < 1e-9
        && case.policy != Policy::Published;
    if has_bar {
        figure = figure.at_least(BAR.1);
    }
    if case.sabotage != Sabotage::None {
        figure = figure.with_fault();
    }
    outcome.figure(figure);
}

fn plot(popularity: Popularity, cases: &[Case], worlds: &[Found]) -> Plot {
    let mut plot = Plot::new(
        match popularity {
            Popularity::Uniform => "uniform",
            Popularity::PowerLaw => "power-law",
        },
        &format!("Success of fetches by room, {}", popularity.name()),
        Axis::log("room for blocks, by blocks"),
        Axis::linear("share of fetches that succeed"),
    );
    for policy in [Policy::Product, Policy::Published, Policy::ByDistance] {
        let same = |case: &Case| {
            case.popularity == popularity
                && case.policy == policy
                && case.sabotage == Sabotage::None
        };
        let all = cases.iter().zip(worlds).filter(|(case, _)| same(case));
        let points = all.map(|(case, found)| (case.redundancy, found.success()));
        plot = plot.curve(Kind::Ours, policy.name(), points.collect());
    }
    let column = usize::from(popularity == Popularity::PowerLaw);
    let published = PUBLISHED.iter();
    let published = published.map(|(times, success, _)| (*times, success[column]));
    plot.curve(
        Kind::Published,
        Policy::Published.name(),
        published.collect(),
    )
}

/// Friends at the places to which they have swapped.
fn friends(parameters: &Parameters, seed: u64) -> Topology {
    let mut rng = rng_for(seed, "friends");
    let graph = FriendGraph::social(parameters.nodes, parameters.degree, &mut rng);
    let mut world = FriendWorld::new(graph.clone(), Rules::Ours, seed);
    for _ in 0..parameters.rounds {
        world.round();
    }
    let mut topology = Topology::of_locations(world.places().to_vec());
    for node in 0..graph.len() {
        for friend in graph.friends(node).filter(|&friend| friend < node) {
            topology.link(node, friend);
        }
    }
    topology
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and far below 2^52"
)]
fn blocks(parameters: &Parameters, nodes: usize, redundancy: f64) -> usize {
    (count(2 * parameters.capacity * nodes) / redundancy).round() as usize
}

fn measure(parameters: &Parameters, topology: &Topology, case: &Case, seed: u64) -> Found {
    let mut world = World::new(parameters, topology, case, seed);
    let inserted = world.insert(parameters.warm_up);
    let mut found = Found {
        requests: parameters.fetches,
        local: 0,
        hops: Vec::new(),
        lost: 0,
        inserted,
    };
    for _ in 0..parameters.fetches {
        let report = world.ask().clone();
        found.local += usize::from(report.local);
        if let Some(hops) = report.hops
            && report.is_routed_success()
        {
            found.hops.push(f64::from(hops));
        }
        found.lost += usize::from(!report.is_success() && world.is_lost(&report.key));
    }
    found
}

struct World {
    network: Network<ElidedBlock>,
    /// The most popular first.
    blocks: Vec<ElidedBlock>,
    inserted: Vec<bool>,
    draws: Draws,
    rng: ChaCha8Rng,
}

impl World {
    fn new(parameters: &Parameters, topology: &Topology, case: &Case, seed: u64) -> Self {
        let (store_eviction, cache_eviction) = case.policy.evictions();
        let settings = Settings {
            stores: StoreLimits {
                store: Some(parameters.capacity),
                cache: Some(parameters.capacity),
                store_eviction,
                cache_eviction,
            },
            sabotage: case.sabotage,
            traced: false,
            config: Config {
                copies: parameters.copies(),
                ..Config::default()
            },
            ..Settings::default()
        };
        let mut network: Network<ElidedBlock> = Network::new(topology, settings, seed);
        network.run();
        let total = blocks(parameters, network.len(), case.redundancy);
        Self {
            network,
            blocks: (0..total as u64).map(ElidedBlock::content).collect(),
            inserted: vec![false; total],
            draws: case.popularity.of_keys(total, parameters.exponent),
            rng: rng_for(seed, "requests"),
        }
    }

    /// Inserts all blocks in a random order, and asks for those that are there, evenly over this time. Gives how many copies
    /// inserts made.
    fn insert(&mut self, requests: usize) -> f64 {
        let total = self.blocks.len();
        let mut order: Vec<usize> = (0..total).collect();
        order.shuffle(&mut self.rng);
        let mut copies = 0.0;
        for (place, rank) in order.into_iter().enumerate() {
            let publisher = self.network.random_node(None);
            let insert = self.network.insert(publisher, self.blocks[rank].clone());
            self.network.run_until_ended(REQUEST_MAX);
            copies += self.network.report(insert).copies().map_or(0.0, f64::from);
            self.inserted[rank] = true;
            for _ in requests * place / total..requests * (place + 1) / total {
                self.ask();
            }
        }
        copies / count(total)
    }

    /// A random node asks for one of the blocks that were inserted.
    fn ask(&mut self) -> &Report<ElidedBlock> {
        let rank = loop {
            let rank = self.draws.draw(&mut self.rng);
            if self.inserted[rank] {
                break rank;
            }
        };
        let reader = self.network.random_node(None);
        let fetch = self.network.fetch(reader, self.blocks[rank].key());
        self.network.run_until_ended(REQUEST_MAX);
        self.network.report(fetch)
    }

    /// Whether no node has a block any more, in its store or its cache.
    fn is_lost(&self, key: &BlockKey) -> bool {
        (0..self.network.len()).all(|node| self.network.stored(node, key).is_none())
    }
}

impl Parameters {
    fn copies(&self) -> Copies {
        Copies::new(self.copies).expect("checked before the experiment begins")
    }
}

impl Found {
    fn success(&self) -> f64 {
        share(self.hops.len(), self.requests - self.local)
    }
}

fn notes(parameters: &Parameters, topology: &Topology, outcome: &mut Outcome) {
    let nodes = topology.locations.len();
    outcome.note(format!(
        "Full stores: the published graph (the PGP web of trust, those with 20 friends and more among each other) cannot be had. In its stead {nodes} people of \
         very different popularity with {:.0} friends on the average, at the places to which {} rounds of swapping brought them; nobody comes or \
         goes, where in the paper four fifths did. A node's store has room for {} blocks and its cache for as many (published: 1 000 each). All blocks are \
         inserted once, in a random order, and {} requests for those that are there are spread over that time; then it is measured. What no node has any more stays lost: nobody inserts it again.",
        2.0 * count(topology.links().count()) / count(nodes),
        parameters.rounds,
        parameters.capacity,
        parameters.warm_up,
    ));
    outcome.note(
        "An insert leaves four copies in stores. With room for R copies in stores and caches together, R / 2 in stores, the first blocks have to go where R is \
         below eight. Which ones: where the least recently used goes, the oldest with all their copies; where the farthest goes, the copies \
         that are worth least, and a node keeps what it is the closest to. What no node has any more is in the table; the rest of what is missed is \
         somewhere, but not where the way of a fetch leads. Half of the room is in caches, which ways of two hops hardly use: nothing is cached near \
         who asks. The node's own store (STORE.md) lets the least recently used go. With room for one copy of each (R = 1) the four copies of each insert push out those of \
         others, and success is below what was published; what the paper's inserts left where is not known here.",
    );
}

const REQUEST_MAX: Duration = Duration::from_secs(120);
