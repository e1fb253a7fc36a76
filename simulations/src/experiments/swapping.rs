//! E11: places from nothing, by swaps among friends.

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::experiment::{Axis, Context, Experiment, Figure, Kind, Outcome, Plot, Table};
use crate::friend_graph::FriendGraph;
use crate::friend_world::{FriendWorld, Rules};
use crate::random::rng_for;
use crate::statistics::count;

/// Shuffled small worlds, round by round.
pub(super) struct Swapping;

#[derive(Debug, Deserialize)]
struct Parameters {
    /// Sizes of the networks.
    nodes: Vec<usize>,
    /// Rounds after which success is measured.
    rounds: u32,
    /// Routes a measurement.
    pairs: usize,
}

/// One curve.
#[derive(Clone, Copy, Debug)]
struct Run {
    nodes: usize,
    rules: Rules,
}

/// Success and hops after so many rounds.
#[derive(Clone, Copy, Debug)]
struct Sample {
    round: u32,
    quick: (f64, f64),
    patient: (f64, f64),
}

impl Experiment for Swapping {
    fn name(&self) -> &'static str {
        "swapping"
    }

    fn number(&self) -> &'static str {
        "E11"
    }

    fn summary(&self) -> &'static str {
        "shuffled networks of friends find places by swaps, against published rounds and success"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let parameters: Parameters = context.parameters()?;
        ensure!(
            parameters.pairs > 0 && parameters.rounds > 0,
            "pairs and rounds must be above zero"
        );
        let mut runs = Vec::new();
        for nodes in context.nodes_or(&parameters.nodes) {
            ensure!(nodes >= 100, "a network needs 100 nodes at least");
            runs.extend(
                [Rules::Ours, Rules::Believing, Rules::Always].map(|rules| Run { nodes, rules }),
            );
        }
        let results = context.parallel("swapping", &runs, |run| {
            measure(*run, &parameters, context.seed())
        });
        Ok(report(&runs, &results, &parameters))
    }
}

/// Three times the binary logarithm of the size: with so many links nearly every greedy route arrives where all places are
/// right.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few dozen"
)]
fn links(nodes: usize) -> usize {
    (3.0 * count(nodes).log2()).round() as usize
}

fn measure(run: Run, parameters: &Parameters, seed: u64) -> (f64, Vec<Sample>) {
    let mut rng = rng_for(seed, &format!("graph of {}", run.nodes));
    let graph = FriendGraph::kleinberg(run.nodes, links(run.nodes), &mut rng);
    let mut ideal = FriendWorld::new(graph.clone(), run.rules, seed);
    ideal.put_in_order();
    let best = ideal.success(HOPS, parameters.pairs).0;
    drop(ideal);
    let mut world = FriendWorld::new(graph, run.rules, seed);
    let mut samples = Vec::new();
    for round in 0..=parameters.rounds {
        if round > 0 {
            world.round();
        }
        if round % 50 == 0 || round == parameters.rounds {
            samples.push(Sample {
                round,
                quick: world.success(HOPS, parameters.pairs),
                patient: world.success(HOPS_PATIENT, parameters.pairs),
            });
        }
    }
    (best, samples)
}

fn report(runs: &[Run], results: &[(f64, Vec<Sample>)], parameters: &Parameters) -> Outcome {
    let mut outcome = Outcome::default();
    for (run, (_, samples)) in runs.iter().zip(results) {
        let label = format!("{}, {} nodes", name(run.rules), run.nodes);
        if let Some(last) = samples.last() {
            outcome.figure(figure(run.rules, &label, last));
        }
    }
    outcome.table(table(runs, results));
    let ours = plot(
        "swapping",
        "Success at 18 hops while places are found (fault: every swap is done)",
    );
    outcome.plot(curves(ours, runs, results, &[Rules::Ours, Rules::Always]));
    let published = plot("published-rule", "The same, with the published rule");
    outcome.plot(curves(published, runs, results, &[Rules::Believing]));
    outcome.note(format!(
        "No messages: the routers' own decisions run on a plain graph, one node after the other, {} rounds. A route goes to the \
         nearest friend that was not visited, goes back where there is none, and visits 18 (50) nodes at most, as routers search. \
         That is neither of the published modes: \"fail\" ends at the first dead end, \"continue\" may go on for the square of \
         log2 N, 256 nodes at 64 000.",
        parameters.rounds
    ));
    outcome
}

fn plot(name: &str, title: &str) -> Plot {
    Plot::new(
        name,
        title,
        Axis::linear("rounds (one attempt to swap for each node)"),
        Axis::linear("share of routes that arrive"),
    )
}

/// Adds a curve for each network with one of these rules, those of one size in one colour.
fn curves(plot: Plot, runs: &[Run], results: &[(f64, Vec<Sample>)], rules: &[Rules]) -> Plot {
    let shown = runs.iter().zip(results);
    let shown = shown.filter(|(run, _)| rules.contains(&run.rules));
    shown.fold(plot, |plot, (run, (_, samples))| {
        let curve = samples
            .iter()
            .map(|sample| (f64::from(sample.round), sample.quick.0))
            .collect();
        let kind = if run.rules == Rules::Always {
            Kind::Fault
        } else {
            Kind::Ours
        };
        plot.curve(kind, &format!("{} nodes", run.nodes), curve)
    })
}

fn figure(rules: Rules, label: &str, last: &Sample) -> Figure {
    let name = format!("success at 18 hops after {} rounds, {label}", last.round);
    let figure = Figure::new(name, last.quick.0, "");
    match rules {
        Rules::Ours => figure.at_least(0.95).source(SOURCE),
        Rules::Believing => figure
            .source("the published rule, for comparison: random walks of six steps, joint consent"),
        Rules::Always => figure
            .at_least(0.95)
            .with_fault()
            .source("a fault is planted: every swap is done"),
    }
}

fn table(runs: &[Run], results: &[(f64, Vec<Sample>)]) -> Table {
    let mut table = Table::new(
        "success",
        "Success of routes from node to node after rounds of swapping",
        &[
            "rules",
            "nodes",
            "round",
            "success, 18 hops",
            "hops",
            "success, 50 hops",
            "ideal, 18 hops",
        ],
    );
    for (run, (best, samples)) in runs.iter().zip(results) {
        for sample in samples {
            table.row([
                name(run.rules).into(),
                run.nodes.into(),
                (sample.round as usize).into(),
                sample.quick.0.into(),
                sample.quick.1.into(),
                sample.patient.0.into(),
                (*best).into(),
            ]);
        }
    }
    table
}

const fn name(rules: Rules) -> &'static str {
    match rules {
        Rules::Ours => "drift and own consent",
        Rules::Believing => "published rule",
        Rules::Always => "every swap done",
    }
}

const SOURCE: &str = "bar of this project. Sandberg 2006: at 64 000 nodes after 6000 rounds 0.67 where routes end at dead ends, 0.996 where they go \
                      on; Verendel 2007: 8300 rounds at 250 000 nodes, 400 with targeted proposals";

/// The nodes that a search visits.
const HOPS: usize = 18;

/// The nodes that a search visits when it is repeated.
const HOPS_PATIENT: usize = 50;
