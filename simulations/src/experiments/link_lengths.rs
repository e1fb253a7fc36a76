//! E5: how long links are, how many each node has, and whether neighbours on the ring are linked, in a grown network.

use std::time::Duration;

use anyhow::{Result, ensure};
use rand_chacha::ChaCha8Rng;
use routing::{Lookahead, OpennetConfig, Seeking};
use serde::Deserialize;

use crate::experiment::{Axis, Context, Experiment, Figure, Kind, Outcome, Plot, Table};
use crate::link_graph::{LinkGraph, length_floor};
use crate::opennet_world::{Growth, OpennetWorld};
use crate::random::rng_for;
use crate::statistics::{Summary, count, distance_to_uniform, quantile};

/// Link lengths and degrees.
pub(super) struct LinkLengths;

#[derive(Debug, Deserialize)]
struct Parameters {
    /// How many nodes the networks get.
    nodes: usize,
    /// By which part a network grows in a second.
    rate: f64,
    /// Seconds that nodes go on arranging their links after the last has come.
    settling_s: u64,
}

struct Measured {
    label: &'static str,
    degrees: Vec<f64>,
    all: Vec<f64>,
    long: Vec<f64>,
    beyond_nearest: Vec<f64>,
    lattice: f64,
    successors: f64,
    floor: f64,
}

impl Experiment for LinkLengths {
    fn name(&self) -> &'static str {
        "link-lengths"
    }

    fn number(&self) -> &'static str {
        "E5"
    }

    fn summary(&self) -> &'static str {
        "lengths of links, degrees and the lattice of a grown opennet, against Kleinberg's law"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.nodes = context.nodes().unwrap_or(parameters.nodes);
        ensure!(
            (50..=1_000_000).contains(&parameters.nodes),
            "a network has 50 to a million nodes"
        );
        let sound = OpennetConfig::default();
        let no_lattice = OpennetConfig {
            lattice_each_side: 0,
            ..OpennetConfig::default()
        };
        let own_place = OpennetConfig {
            seeking: Seeking::OwnPlace,
            fold_probability: 0.0,
            ..OpennetConfig::default()
        };
        let cases = [
            ("sound", sound),
            ("fault: no lattice", no_lattice),
            ("fault: own place only", own_place),
        ];
        let measured = context.parallel("networks", &cases, |(label, config)| {
            measure(&parameters, label, config, context.seed())
        });
        let mut outcome = Outcome::default();
        figures(&measured, &mut outcome);
        outcome.table(table(&measured));
        outcome.plot(lengths_plot(&measured));
        outcome.plot(degrees_plot(&measured));
        outcome.note(
            "Nodes take peers as they find each other, and far ones are found first; a full node then goes on to change peers \
             until its gaps are even within a factor of two. Evenly spread links make shorter routes than links drawn at random \
             by Kleinberg's law. None lies close beyond the second neighbour, which leaves a distance of up to half of a gap, one \
             part in seventeen, if all nodes have their gaps alike. All links together cannot come closer to an even spread \
             than the floor, since a lattice of four is more than their share of short links.",
        );
        Ok(outcome)
    }
}

fn measure(
    parameters: &Parameters,
    label: &'static str,
    config: &OpennetConfig,
    seed: u64,
) -> Measured {
    let growth = Growth {
        nodes: parameters.nodes,
        opennet: config.clone(),
        lookahead: Lookahead::On,
        rate: parameters.rate,
        settling: Duration::from_secs(parameters.settling_s),
    };
    let world = OpennetWorld::grow(&growth, seed);
    let graph = LinkGraph::of(&world.network);
    let mut rng: ChaCha8Rng = rng_for(seed, "link lengths");
    let degrees = graph.degrees();
    let floor = length_floor(parameters.nodes, Summary::of(&degrees).mean, 2, &mut rng);
    Measured {
        label,
        all: graph.log_lengths(),
        long: graph.long_log_spans(2, &mut rng),
        beyond_nearest: graph.long_log_spans(1, &mut rng),
        lattice: graph.lattice(2),
        successors: graph.lattice(1),
        degrees,
        floor,
    }
}

fn figures(measured: &[Measured], outcome: &mut Outcome) {
    let [sound, no_lattice, own_place] = measured else {
        return;
    };
    let ks = |row: &Measured| distance_to_uniform(&row.long);
    outcome.figure(
        Figure::new("long links: distance of log(length) to an even spread", ks(sound), "")
            .at_most(0.05)
            .source("Kolmogorov-Smirnov, over the nodes spanned, from the third neighbour to half of the ring"),
    );
    outcome.figure(Figure::new(
        "links beyond the nearest neighbours: distance of log(length) to an even spread",
        distance_to_uniform(&sound.beyond_nearest),
        "",
    ));
    outcome.figure(
        Figure::new("all links: distance of log(length) to an even spread", distance_to_uniform(&sound.all), "")
            .at_most(0.05)
            .published(sound.floor)
            .source("Kolmogorov-Smirnov, from one part in N to half of the ring; beside it the least possible with a lattice of four"),
    );
    outcome.figure(
        Figure::new(
            "fault, own place only: long links' distance to an even spread",
            ks(own_place),
            "",
        )
        .at_most(0.05)
        .with_fault()
        .source("nodes announce themselves to their own places only, and requests change nothing"),
    );
    outcome.figure(
        Figure::new("lattice complete", sound.lattice, "")
            .at_least(0.99)
            .source("both nearest nodes on both sides"),
    );
    outcome.figure(
        Figure::new("linked with both direct neighbours", sound.successors, "").at_least(0.99),
    );
    outcome.figure(
        Figure::new(
            "fault, no lattice: lattice complete",
            no_lattice.lattice,
            "",
        )
        .at_least(0.99)
        .with_fault()
        .source("no neighbours are sought or kept"),
    );
    let degrees = Summary::of(&sound.degrees);
    outcome.figure(
        Figure::new("greatest by mean degree", degrees.max / degrees.mean, "")
            .at_most(3.0)
            .source("Clarke et al. 2000: a power law with exponent 1.5 up to 250; live Freenet 2013: peaks at 13, 50, 75, 100"),
    );
}

fn table(measured: &[Measured]) -> Table {
    let mut table = Table::new(
        "link-lengths",
        "Links of grown networks",
        &[
            "network",
            "mean degree",
            "greatest degree",
            "lattice",
            "direct neighbours",
            "long links: distance to an even spread",
            "beyond the nearest",
            "all",
            "least possible for all",
        ],
    );
    for row in measured {
        let degrees = Summary::of(&row.degrees);
        table.row([
            row.label.into(),
            degrees.mean.into(),
            degrees.max.into(),
            row.lattice.into(),
            row.successors.into(),
            distance_to_uniform(&row.long).into(),
            distance_to_uniform(&row.beyond_nearest).into(),
            distance_to_uniform(&row.all).into(),
            row.floor.into(),
        ]);
    }
    table
}

fn lengths_plot(measured: &[Measured]) -> Plot {
    let plot = Plot::new(
        "link-lengths",
        "Lengths of long links",
        Axis::linear("log length, from the third neighbour (0) to half of the ring (1)"),
        Axis::linear("share of links that are shorter"),
    );
    let even = (0..=20)
        .map(|step| count(step) / 20.0)
        .map(|x| (x, x))
        .collect();
    let plot = plot.curve(Kind::Theory, "1/d, Kleinberg", even);
    measured.iter().fold(plot, |plot, row| {
        let mut sorted = row.long.clone();
        sorted.sort_by(f64::total_cmp);
        let points = (0..=100)
            .map(|step| count(step) / 100.0)
            .map(|part| (quantile(&sorted, part), part));
        let kind = if row.label == "sound" {
            Kind::Ours
        } else {
            Kind::Fault
        };
        plot.curve(kind, row.label, points.collect())
    })
}

fn degrees_plot(measured: &[Measured]) -> Plot {
    let plot = Plot::new(
        "degrees",
        "Degrees",
        Axis::linear("links of a node"),
        Axis::linear("share of nodes"),
    );
    let Some(sound) = measured.first() else {
        return plot;
    };
    let points = (0..=40_u32).map(|degree| {
        let have = sound
            .degrees
            .iter()
            .filter(|&&own| (own - f64::from(degree)).abs() < 0.5)
            .count();
        (f64::from(degree), count(have) / count(sound.degrees.len()))
    });
    plot.curve(Kind::Ours, "grown network", points.collect())
}
