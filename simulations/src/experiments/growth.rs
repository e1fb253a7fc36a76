//! E3: networks that grow from one seed, and one more for each thousand nodes, by what their nodes say to each other, and
//! nothing else.
//!
//! Newcomers know three seeds. They announce themselves, find their neighbours on the ring, and fill the gaps in their
//! distances. Held against the limit of greedy routing (E1), and against the growth of Freenet's first design.

use std::time::Duration;

use anyhow::{Result, ensure};
use routing::{Lookahead, OpennetConfig, Seeking};
use serde::Deserialize;

use crate::experiment::{Axis, Context, Experiment, Figure, Kind, Outcome, Plot, Table};
use crate::link_graph::{LinkGraph, Step, Walks};
use crate::opennet_world::{Fetches, Growth, OpennetWorld};
use crate::random::rng_for;
use crate::statistics::{Summary, count};

/// Growth from seeds.
pub(super) struct Grown;

#[derive(Debug, Deserialize)]
struct Parameters {
    /// How many nodes the networks get.
    nodes: Vec<usize>,
    /// By which part a network grows in a second.
    rate: f64,
    /// Seconds that nodes go on arranging their links after the last has come.
    settling_s: u64,
    /// Walks on each network's links.
    pairs: usize,
    /// Fetches in each network.
    fetches: usize,
    /// Nodes of the networks with planted faults.
    fault_nodes: usize,
}

/// What a network is grown with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    Sound,
    /// Planted: no neighbours on the ring are sought or kept.
    NoLattice,
    /// Planted: nodes announce themselves to their own places only, and requests change nothing.
    OwnPlace,
}

struct Measured {
    variant: Variant,
    nodes: usize,
    degrees: Summary,
    lattice: f64,
    walks: Walks,
    reversed: Walks,
    fetches: Option<Fetches>,
    repair: Option<Repair>,
    happened: u64,
}

/// What the loss of one node in ten did.
struct Repair {
    before: f64,
    /// Seconds until 99 of 100 nodes were linked with their new neighbours; none if that did not come to pass.
    seconds: Option<u64>,
    success: f64,
}

impl Experiment for Grown {
    fn name(&self) -> &'static str {
        "growth"
    }

    fn number(&self) -> &'static str {
        "E3"
    }

    fn summary(&self) -> &'static str {
        "an opennet that grows from one seed by announcements only (one more seed for each thousand nodes), against the limit of greedy routing"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let parameters: Parameters = context.parameters()?;
        let sizes = context.nodes_or(&parameters.nodes);
        ensure!(
            sizes.iter().all(|nodes| (20..=1_000_000).contains(nodes)),
            "a network has 20 to a million nodes"
        );
        ensure!(
            parameters.rate > 0.0 && parameters.pairs > 0,
            "rate and pairs must be above zero"
        );
        let mut cases: Vec<_> = sizes.iter().map(|&nodes| (Variant::Sound, nodes)).collect();
        cases.extend(
            [Variant::NoLattice, Variant::OwnPlace]
                .map(|variant| (variant, parameters.fault_nodes)),
        );
        let measured = context.parallel("networks", &cases, |&(variant, nodes)| {
            measure(&parameters, variant, nodes, context.seed())
        });
        let mut outcome = Outcome::default();
        for row in &measured {
            figures(row, &mut outcome);
        }
        growth(&measured, &mut outcome);
        outcome.table(table(&measured));
        outcome.plot(plot(&measured));
        outcome.note(
            "Walks are greedy, by the nodes' own places, over the links that both ends count as links. Fetches are real: they \
             use what peers say of their peers' places as well. Local hits are not counted. A newcomer knows three seeds at most. The \
             published networks carried requests while they grew, and the published curve is of medians, in ten trials; here there is \
             one network a size, nothing is asked for before it is measured, and it has had time to settle.",
        );
        Ok(outcome)
    }
}

impl Variant {
    const fn label(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::NoLattice => "fault: no lattice",
            Self::OwnPlace => "fault: own place only, no folding",
        }
    }

    fn config(self) -> OpennetConfig {
        let config = OpennetConfig::default();
        match self {
            Self::Sound => config,
            Self::NoLattice => OpennetConfig {
                lattice_each_side: 0,
                ..config
            },
            Self::OwnPlace => OpennetConfig {
                seeking: Seeking::OwnPlace,
                fold_probability: 0.0,
                ..config
            },
        }
    }
}

fn measure(parameters: &Parameters, variant: Variant, nodes: usize, seed: u64) -> Measured {
    let growth = Growth {
        nodes,
        opennet: variant.config(),
        lookahead: Lookahead::On,
        rate: parameters.rate,
        settling: Duration::from_secs(parameters.settling_s),
    };
    let mut world = OpennetWorld::grow(&growth, seed);
    let mut rng = rng_for(seed, "walks");
    let graph = LinkGraph::of(&world.network);
    let walks = graph.walks(Step::Nearest, parameters.pairs, BUDGET, &mut rng);
    let reversed = graph.walks(Step::Furthest, parameters.pairs / 10 + 1, BUDGET, &mut rng);
    let sound = variant == Variant::Sound;
    let fetches = sound.then(|| world.fetch(parameters.fetches, AT_ONCE));
    let happened = world.network.happened();
    let repair = sound.then(|| repair(&mut world, parameters.pairs));
    Measured {
        variant,
        nodes,
        degrees: Summary::of(&graph.degrees()),
        lattice: graph.lattice(2),
        walks,
        reversed,
        fetches,
        repair,
        happened,
    }
}

/// Every tenth node stops at once.
fn repair(world: &mut OpennetWorld, pairs: usize) -> Repair {
    for node in (0..world.network.len()).filter(|node| node % 10 == 5) {
        world.network.stop_node(node);
    }
    let before = LinkGraph::of(&world.network).lattice(2);
    let repaired = (1..=REPAIR_CHECKS)
        .map(|check| check * REPAIR_CHECK_S)
        .find(|_| {
            world.network.run_for(Duration::from_secs(REPAIR_CHECK_S));
            LinkGraph::of(&world.network).lattice(2) >= 0.99
        });
    let graph = LinkGraph::of(&world.network);
    let walks = graph.walks(
        Step::Nearest,
        pairs,
        BUDGET,
        &mut rng_for(1, "walks after repair"),
    );
    Repair {
        before,
        seconds: repaired,
        success: walks.success,
    }
}

fn figures(row: &Measured, outcome: &mut Outcome) {
    if row.variant != Variant::Sound {
        fault_figures(row, outcome);
        return;
    }
    link_figures(row, outcome);
    if let Some(fetches) = &row.fetches {
        fetch_figures(row.nodes, fetches, outcome);
    }
    if let Some(repair) = &row.repair {
        repair_figures(row.nodes, repair, outcome);
    }
}

fn fault_figures(row: &Measured, outcome: &mut Outcome) {
    let label = row.variant.label();
    let name = |what: &str| format!("{label}: {what}, {} nodes", row.nodes);
    let success =
        Figure::new(name("success of greedy walks"), row.walks.success, "").at_least(0.995);
    if row.variant == Variant::NoLattice {
        let source = "without neighbours greedy walks end early";
        outcome.figure(success.with_fault().source(source));
    } else {
        let hops = Figure::new(
            name("mean hops of greedy walks"),
            row.walks.hops.mean,
            "hops",
        );
        let hops = hops.at_most(1.25 * theory(row.nodes)).with_fault();
        outcome.figure(hops.source("links are too short"));
    }
}

fn link_figures(row: &Measured, outcome: &mut Outcome) {
    let name = |what: &str| format!("{what}, {} nodes", row.nodes);
    let theory = theory(row.nodes);
    outcome.figure(
        Figure::new(
            name("mean hops of greedy walks"),
            row.walks.hops.mean,
            "hops",
        )
        .at_most(1.25 * theory)
        .published(theory)
        .source("0.65 log2(N)^2 / 20, after Kleinberg; bar: 1.25 times that"),
    );
    outcome.figure(
        Figure::new(name("success of greedy walks"), row.walks.success, "")
            .at_least(0.995)
            .source("18 hops"),
    );
    spread_figures(row, outcome);
    outcome.figure(
        Figure::new(
            name("fault: success of reversed walks"),
            row.reversed.success,
            "",
        )
        .at_least(0.995)
        .with_fault()
        .source("each node passes on to the peer furthest from the target"),
    );
    outcome.figure(
        Figure::new(name("lattice complete"), row.lattice, "")
            .at_least(0.99)
            .source("both nearest nodes on both sides"),
    );
    outcome.figure(
        Figure::new(
            name("greatest by mean degree"),
            row.degrees.max / row.degrees.mean,
            "",
        )
        .at_most(3.0)
        .source("Clarke et al. 2000: a power law with exponent 1.5 up to 250"),
    );
}

/// Long walks, and how far they are from the usual ones.
fn spread_figures(row: &Measured, outcome: &mut Outcome) {
    let hops = row.walks.hops;
    outcome.figure(
        Figure::new(
            format!("99 of 100 greedy walks take at most, {} nodes", row.nodes),
            hops.p99,
            "hops",
        )
        .at_most(count(BUDGET))
        .source("the budget of a request"),
    );
    outcome.figure(
        Figure::new(
            format!(
                "third quartile of hops by their median, {} nodes",
                row.nodes
            ),
            hops.upper_quartile / hops.median,
            "",
        )
        .at_most(1.5)
        .source("Clarke et al. 2000, read off figure 3: 2.2 at 1 000 nodes, 3.7 at 200 000"),
    );
}

fn fetch_figures(nodes: usize, fetches: &Fetches, outcome: &mut Outcome) {
    outcome.figure(
        Figure::new(
            format!("success of routed fetches, {nodes} nodes"),
            fetches.success,
            "",
        )
        .at_least(0.995)
        .source("18 hops to live, local hits apart"),
    );
    outcome.figure(
        Figure::new(
            format!("mean hops of routed fetches, {nodes} nodes"),
            fetches.hops.mean,
            "hops",
        )
        .at_most(1.25 * theory(nodes))
        .published(theory(nodes))
        .source("as for walks; routers look one hop ahead"),
    );
}

fn repair_figures(nodes: usize, repair: &Repair, outcome: &mut Outcome) {
    let seconds = repair.seconds.map_or(f64::NAN, in_seconds);
    outcome.figure(
        Figure::new(
            format!("lattice repaired after one node in ten has gone, {nodes} nodes"),
            seconds,
            "s",
        )
        .at_most(120.0)
        .source("99 of 100 nodes linked with their new neighbours"),
    );
    outcome.figure(
        Figure::new(
            format!("success of greedy walks after repair, {nodes} nodes"),
            repair.success,
            "",
        )
        .at_least(0.995)
        .source("18 hops"),
    );
}

fn in_seconds(seconds: u64) -> f64 {
    Duration::from_secs(seconds).as_secs_f64()
}

/// How hops grow with the network.
fn growth(measured: &[Measured], outcome: &mut Outcome) {
    let sound: Vec<_> = measured
        .iter()
        .filter(|row| row.variant == Variant::Sound)
        .collect();
    let (Some(first), Some(last)) = (sound.first(), sound.last()) else {
        return;
    };
    if last.nodes < 10 * first.nodes {
        return;
    }
    let by_law = theory(last.nodes) / theory(first.nodes);
    outcome.figure(
        Figure::new(
            format!(
                "growth of hops from {} to {} nodes",
                first.nodes, last.nodes
            ),
            last.walks.hops.mean / first.walks.hops.mean,
            "times",
        )
        .at_most(1.05 * by_law)
        .published((count(last.nodes) / count(first.nodes)).powf(0.28))
        .source("bar: log^2 N and 5 %; published: N^0.28, Clarke et al. 2002"),
    );
}

fn table(measured: &[Measured]) -> Table {
    let mut table = Table::new(
        "growth",
        "Grown networks",
        &[
            "network",
            "nodes",
            "mean degree",
            "greatest degree",
            "lattice",
            "walks: success",
            "mean hops",
            "median",
            "p99",
            "fetches: routed",
            "local",
            "success",
            "mean hops",
            "p99",
            "mean nodes asked",
            "median latency, ms",
            "lattice after loss",
            "repaired, s",
            "events",
        ],
    );
    for row in measured {
        let fetches = row.fetches.as_ref();
        table.row([
            row.variant.label().into(),
            row.nodes.into(),
            row.degrees.mean.into(),
            row.degrees.max.into(),
            row.lattice.into(),
            row.walks.success.into(),
            row.walks.hops.mean.into(),
            row.walks.hops.median.into(),
            row.walks.hops.p99.into(),
            fetches
                .map(|fetches| count(fetches.asked - fetches.local))
                .into(),
            fetches.map(|fetches| count(fetches.local)).into(),
            fetches.map(|fetches| fetches.success).into(),
            fetches.map(|fetches| fetches.hops.mean).into(),
            fetches.map(|fetches| fetches.hops.p99).into(),
            fetches.map(|fetches| fetches.visited.mean).into(),
            fetches.map(|fetches| fetches.latency_ms.median).into(),
            row.repair.as_ref().map(|repair| repair.before).into(),
            row.repair
                .as_ref()
                .and_then(|repair| repair.seconds)
                .map(in_seconds)
                .into(),
            row.happened.into(),
        ]);
    }
    table
}

fn plot(measured: &[Measured]) -> Plot {
    let sound = || measured.iter().filter(|row| row.variant == Variant::Sound);
    let sizes = [20.0_f64, 100.0, 1e3, 1e4, 1e5, 2e5, 1e6];
    let walks = sound()
        .map(|row| (count(row.nodes), row.walks.hops.mean))
        .collect();
    let fetches = sound()
        .filter_map(|row| Some((count(row.nodes), row.fetches.as_ref()?.hops.mean)))
        .collect();
    Plot::new(
        "growth",
        "Hops in grown networks",
        Axis::log("nodes"),
        Axis::linear("mean hops"),
    )
    .curve(Kind::Ours, "greedy walks", walks)
    .curve(Kind::Ours, "fetches, looking one hop ahead", fetches)
    .curve(
        Kind::Theory,
        "0.65 log2(N)^2 / 20",
        sizes.map(|nodes| (nodes, theory_of(nodes))).to_vec(),
    )
    .curve(
        Kind::Published,
        "Clarke et al. 2000/2002 (median)",
        vec![
            (1e3, 4.5),
            (1e4, 8.0),
            (1e5, 16.0),
            (2e5, 21.0),
            (1e6, 30.0),
        ],
    )
}

fn theory(nodes: usize) -> f64 {
    theory_of(count(nodes))
}

fn theory_of(nodes: f64) -> f64 {
    0.65 * nodes.log2().powi(2) / 20.0
}

/// The budget of a request.
const BUDGET: usize = 18;

/// Fetches under way at a time.
const AT_ONCE: usize = 100;

/// How often and how many times a network is looked at after the loss of nodes, in seconds.
const REPAIR_CHECK_S: u64 = 5;
const REPAIR_CHECKS: u64 = 60;
