//! E2: how fast the paths of the historic network become short, and ours beside it.

mod historic;

use std::time::Duration;

use anyhow::{Result, ensure};
use routing::{Lookahead, OpennetConfig};
use serde::Deserialize;

use crate::experiment::{Axis, Context, Experiment, Figure, Kind, Outcome, Plot, Table};
use crate::opennet_world::{Growth, OpennetWorld};
use crate::random::rng_for;
use crate::statistics::{Summary, count, share};
use historic::{Choice, Historic, Rules, Source};

/// The network of Clarke et al. 2000, Figure 2.
pub(super) struct Convergence;

#[derive(Debug, Deserialize)]
struct Parameters {
    nodes: usize,
    /// The paper's time.
    steps: usize,
    probe_every: usize,
    /// Requests at each probe.
    probes: usize,
    /// What a probe may visit; one that finds nothing counts as so much.
    probe_hops: usize,
    /// Networks of which each has its own numbers.
    trials: usize,
    /// Fetches in a grown opennet of so many nodes of ours.
    fetches: usize,
}

/// Requests at one moment, of all trials.
#[derive(Clone, Debug)]
struct Probes {
    step: usize,
    visited: Summary,
    success: f64,
    local: f64,
}

/// What one moment of one trial gives.
type Visits = Vec<Option<usize>>;

/// Quartiles and median at step 1000, 2000 and 5000.
type Rows = [[f64; 3]; 3];

struct Variant {
    name: &'static str,
    rules: Rules,
    calibration: Option<Rows>,
}

/// The steps of [`Rows`].
const ROWS: [usize; 3] = [1_000, 2_000, 5_000];

/// Step, lower quartile, median, upper quartile, read off the figure by eye.
const PUBLISHED: [[f64; 4]; 5] = [
    [0.0, 500.0, 500.0, 500.0],
    [1_000.0, 13.0, 90.0, 200.0],
    [2_000.0, 4.0, 23.0, 90.0],
    [3_000.0, 3.0, 16.0, 75.0],
    [5_000.0, 3.0, 6.0, 50.0],
];

const INSERTER: &str = "source is the inserter";
const LAST: &str = "source is the last node";
const FAULT: &str = "fault: keys of tables ignored";

fn variants() -> [Variant; 5] {
    let rules = Rules {
        source: Source::Inserter,
        inserts: 0.5,
        operations: 1,
        resetting: 0.0,
        choice: Choice::Closest,
    };
    let variant = |name, rules, calibration| Variant {
        name,
        rules,
        calibration,
    };
    let busy = Rules {
        inserts: 1.0 / 3.0,
        operations: 2,
        ..rules
    };
    let resetting = Rules {
        resetting: 0.1,
        ..rules
    };
    let last = Rules {
        source: Source::Last,
        ..rules
    };
    let fault = Rules {
        choice: Choice::Any,
        ..rules
    };
    let rows = |a, b, c| Some([a, b, c]);
    [
        variant(
            INSERTER,
            rules,
            rows([8.0, 75.0, 180.0], [3.0, 20.0, 71.0], [2.0, 10.0, 49.0]),
        ),
        variant(
            "inserter, a third inserts, two operations a step",
            busy,
            rows([4.0, 37.0, 139.0], [2.0, 8.0, 63.0], [2.0, 4.0, 49.0]),
        ),
        variant(
            "inserter, a tenth of the sources reset",
            resetting,
            rows([21.0, 114.0, 241.0], [4.0, 53.0, 141.0], [2.0, 29.0, 87.0]),
        ),
        variant(
            LAST,
            last,
            rows(
                [30.0, 214.0, 389.0],
                [27.0, 189.0, 360.0],
                [93.0, 279.0, 485.0],
            ),
        ),
        variant(FAULT, fault, None),
    ]
}

impl Experiment for Convergence {
    fn name(&self) -> &'static str {
        "convergence"
    }

    fn number(&self) -> &'static str {
        "E2"
    }

    fn summary(&self) -> &'static str {
        "how fast paths become short in the network of 2000, and in ours"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.nodes = context.nodes().unwrap_or(parameters.nodes);
        ensure!(
            parameters.nodes >= 10 && parameters.trials > 0 && parameters.probe_every > 0,
            "nodes must be at least 10, trials and probe_every above zero"
        );
        let variants = variants();
        let worlds: Vec<(usize, usize)> = (0..variants.len())
            .flat_map(|variant| (0..parameters.trials).map(move |trial| (variant, trial)))
            .collect();
        let visits = context.parallel("networks of 2000", &worlds, |&(variant, trial)| {
            trial_of(context.seed(), &variants[variant], trial, &parameters)
        });
        let curves: Vec<Vec<Probes>> = visits
            .chunks(parameters.trials)
            .map(|trials| merged(trials, &parameters))
            .collect();
        let mut outcome = Outcome::default();
        for (variant, curve) in variants.iter().zip(&curves) {
            against_calibration(variant, curve, &mut outcome);
        }
        bars(&curves, &parameters, &mut outcome);
        outcome.table(every_probe(&variants, &curves));
        let ours = ours(context, &parameters, &mut outcome);
        outcome.plot(median_plot(&variants, &curves, &parameters, ours));
        outcome.plot(spread_plot(&curves[0]));
        explain(&mut outcome);
        Ok(outcome)
    }
}

fn trial_of(seed: u64, variant: &Variant, trial: usize, parameters: &Parameters) -> Vec<Visits> {
    let rng = rng_for(seed, &format!("{} {trial}", variant.name));
    let mut world = Historic::new(parameters.nodes, variant.rules, rng);
    let moments = parameters.steps / parameters.probe_every;
    (0..moments)
        .map(|_| {
            for _ in 0..parameters.probe_every {
                world.step();
            }
            let probes = 0..parameters.probes;
            probes.map(|_| world.probe(parameters.probe_hops)).collect()
        })
        .collect()
}

/// The moments of all trials together.
fn merged(trials: &[Vec<Visits>], parameters: &Parameters) -> Vec<Probes> {
    let moments = parameters.steps / parameters.probe_every;
    (0..moments)
        .map(|moment| {
            let all: Vec<Option<usize>> = trials
                .iter()
                .flat_map(|trial| trial[moment].iter().copied())
                .collect();
            let visited: Vec<f64> = all
                .iter()
                .map(|visited| count(visited.unwrap_or(parameters.probe_hops)))
                .collect();
            let routed = all.iter().flatten().filter(|&&visited| visited > 0).count();
            let local = all.iter().flatten().count() - routed;
            Probes {
                step: (moment + 1) * parameters.probe_every,
                visited: Summary::of(&visited),
                success: share(routed, all.len() - local),
                local: share(local, all.len()),
            }
        })
        .collect()
}

fn at(curve: &[Probes], step: usize) -> Option<&Probes> {
    curve.iter().find(|probes| probes.step == step)
}

/// The figures beside those of the earlier calculation.
fn against_calibration(variant: &Variant, curve: &[Probes], outcome: &mut Outcome) {
    let Some(rows) = variant.calibration else {
        return;
    };
    for (step, row) in ROWS.into_iter().zip(rows) {
        if let Some(probes) = at(curve, step) {
            outcome.figure(
                Figure::new(
                    format!("{}: median path at step {step}", variant.name),
                    probes.visited.median,
                    "nodes",
                )
                .published(row[1])
                .source("an earlier calculation with the paper's set-up; the paper's own curve is in the plot"),
            );
        }
    }
    if let Some(last) = curve.last() {
        outcome.figure(
            Figure::new(
                format!(
                    "{}: routed success at step {} (local finds left out)",
                    variant.name, last.step
                ),
                last.success,
                "",
            )
            .source("no number was published"),
        );
    }
}

/// What must hold of the model if it is the paper's network.
fn bars(curves: &[Vec<Probes>], parameters: &Parameters, outcome: &mut Outcome) {
    let end = |curve: usize| {
        curves[curve]
            .last()
            .map_or(f64::NAN, |probes| probes.visited.median)
    };
    let step = parameters.steps;
    outcome.figure(
        Figure::new(format!("{INSERTER}: median at the end"), end(0), "nodes")
            .at_most(20.0)
            .published(6.0)
            .source(
                "published: \"median drops to just six\"; bar: a twenty-fifth of the limit of 500",
            ),
    );
    outcome.figure(
        Figure::new(format!("{LAST}: median at the end"), end(3), "nodes")
            .at_least(100.0)
            .published(279.0)
            .source("an earlier calculation: this reading does not converge; bar: a fifth of the limit of 500"),
    );
    outcome.figure(
        Figure::new(format!("{FAULT}: median at step {step}"), end(4), "nodes")
            .at_most(20.0)
            .with_fault()
            .source("the bar that the unbroken network meets"),
    );
}

/// An opennet of our routers of the same size: the median of the hops.
fn ours(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) -> f64 {
    context.progress().begin("our opennet", 1);
    let growth = Growth {
        nodes: parameters.nodes,
        opennet: OpennetConfig::default(),
        lookahead: Lookahead::On,
        rate: 0.01,
        settling: Duration::from_secs(300),
    };
    let mut world = OpennetWorld::grow(&growth, context.seed());
    let done = world.fetch(parameters.fetches, 10);
    context.progress().advance(1);
    let figure = |name: &str, value: f64, unit: &str| {
        Figure::new(format!("ours, grown by announcements: {name}"), value, unit)
    };
    outcome.figure(
        figure("median hops", done.hops.median, "hops")
            .at_most(6.0)
            .published(6.0)
            .source("published: median after 5000 steps; bar: no longer with at most 20 links than with 250 entries"),
    );
    outcome.figure(
        figure(
            "upper quartile of the hops",
            done.hops.upper_quartile,
            "hops",
        )
        .at_most(10.0)
        .published(50.0)
        .source("published: after 5000 steps, by eye"),
    );
    outcome.figure(
        figure("routed success", done.success, "")
            .at_least(0.995)
            .source("bar: as for a grown opennet; 18 hops to live, the paper's probes have 500"),
    );
    done.hops.median
}

fn every_probe(variants: &[Variant], curves: &[Vec<Probes>]) -> Table {
    let mut table = Table::new(
        "probes",
        "Nodes visited, a miss counted as the limit",
        &[
            "network",
            "step",
            "lower quartile",
            "median",
            "upper quartile",
            "routed success",
            "found at the asking node",
        ],
    );
    for (variant, curve) in variants.iter().zip(curves) {
        for probes in curve {
            table.row([
                variant.name.into(),
                probes.step.into(),
                probes.visited.lower_quartile.into(),
                probes.visited.median.into(),
                probes.visited.upper_quartile.into(),
                probes.success.into(),
                probes.local.into(),
            ]);
        }
    }
    table
}

/// On log axes, what visited no node at all is drawn at half a node.
const LEAST_DRAWN: f64 = 0.5;

fn points(curve: &[Probes], of: impl Fn(&Probes) -> f64) -> Vec<(f64, f64)> {
    curve
        .iter()
        .map(|probes| (count(probes.step), of(probes).max(LEAST_DRAWN)))
        .collect()
}

fn published(column: usize) -> Vec<(f64, f64)> {
    PUBLISHED.iter().map(|row| (row[0], row[column])).collect()
}

fn median_plot(
    variants: &[Variant],
    curves: &[Vec<Probes>],
    parameters: &Parameters,
    ours: f64,
) -> Plot {
    let mut plot = Plot::new(
        "median",
        "Median path of requests for known keys",
        Axis::linear("steps since all stores were empty"),
        Axis::log("nodes visited"),
    );
    for (variant, curve) in variants.iter().zip(curves) {
        let kind = if variant.calibration.is_some() {
            Kind::Ours
        } else {
            Kind::Fault
        };
        plot = plot.curve(
            kind,
            variant.name,
            points(curve, |probes| probes.visited.median),
        );
    }
    let whole = [0.0, count(parameters.steps)].map(|step| (step, ours));
    plot.curve(Kind::Published, INSERTER, published(2)).curve(
        Kind::Ours,
        "our routers' opennet (no steps: as grown)",
        whole.into(),
    )
}

fn spread_plot(curve: &[Probes]) -> Plot {
    let (lower, middle, upper) = ("lower quartile", "median", "upper quartile");
    Plot::new(
        "quartiles",
        "The source is the inserter: quartiles, and those published",
        Axis::linear("steps since all stores were empty"),
        Axis::log("nodes visited"),
    )
    .curve(
        Kind::Ours,
        lower,
        points(curve, |probes| probes.visited.lower_quartile),
    )
    .curve(
        Kind::Ours,
        middle,
        points(curve, |probes| probes.visited.median),
    )
    .curve(
        Kind::Ours,
        upper,
        points(curve, |probes| probes.visited.upper_quartile),
    )
    .curve(Kind::Published, lower, published(1))
    .curve(Kind::Published, middle, published(2))
    .curve(Kind::Published, upper, published(3))
}

fn explain(outcome: &mut Outcome) {
    outcome.note(
        "The historic network is a model of its own: depth-first search over tables of keys, without message loss or time. Paths \
         count every node that was visited, those that the search backed out of included, as the paper's do; what the asking \
         node had itself counts as zero nodes there and is left out of the success here.",
    );
    outcome.note(
        "The paper does not say how many operations a step has nor how many of them insert. With whole sources the networks here \
         converge sooner than its curve, with a tenth of them reset at first later. It says that an insert names the inserter as the source of the data. The paper of 2002 says that \
         it names the last node of the chain: this does not converge with the same parameters, because a chain's last node is \
         where the search gave up, not a node that others route to for such keys.",
    );
    outcome.note(
        "With the inserter as source, paths become short sooner here than in the earlier calculation; both follow the paper where it \
         says what to do, and differ in what it leaves open, such as what counts as a use of a table's entry. To follow the farthest \
         key instead of the closest is no fault that could be planted: inserts and requests then agree on the other side of the \
         circle, and paths become short as well (median 11).",
    );
    outcome.note(
        "Our opennet has no such curve: places are given and links are shaped while nodes join, so that the first request \
         already finds its way. Its line is drawn over all steps for comparison.",
    );
}
