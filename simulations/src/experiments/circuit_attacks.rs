//! A3, A8, A9, A10: attacks on circuits that take patience, relays of one's own, or many identities.
//!
//! All but route insertion are played on graphs: which relays collude decides, and routers add nothing to it. Where timing helps, it is taken to work always.

mod adjacency;
mod capture;
mod insertion;
mod sessions;
mod year;

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::anonymity::{Degrees, Links};
use crate::experiment::{Context, Experiment, Outcome};
use crate::experiments::rows::{Row, together};

/// What patience, lists and identities buy.
pub(super) struct CircuitAttacks;

#[derive(Debug, Deserialize)]
struct Parameters {
    nodes: usize,
    degree: usize,
    /// Graphs, each with links of its own.
    graphs: u64,
    /// Victims on each graph, each against a coalition of its own.
    victims: u64,
    /// Parts of all nodes that collude.
    parts: Vec<f64>,
    /// After how many sessions the predecessor attack is looked at, rising.
    sessions: Vec<usize>,
    /// Circuits of each victim in the attack by lists.
    circuits: usize,
    /// Files that are fetched in a day of the year.
    files_a_day: u32,
    /// Lives of second hops that are compared, in days.
    second_hop_days: Vec<u32>,
    /// The attack on real routers of an opennet.
    insertion: insertion::Parameters,
}

impl Experiment for CircuitAttacks {
    fn name(&self) -> &'static str {
        "circuit-attacks"
    }

    fn number(&self) -> &'static str {
        "A3-A10"
    }

    fn summary(&self) -> &'static str {
        "predecessors over many sessions, route capture by lists, guard and end over a year, identities next to a victim"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.nodes = context.nodes().unwrap_or(parameters.nodes);
        ensure!(
            parameters.nodes >= 200 && parameters.degree >= 4 && !parameters.sessions.is_empty(),
            "at least 200 nodes of degree 4, and sessions"
        );
        ensure!(
            parameters.insertion.is_possible(),
            "an attacker, a victim and a request, and more than twice as many other nodes"
        );
        let mut outcome = Outcome::default();
        sessions::measure(context, &parameters, &mut outcome);
        capture::measure(context, &parameters, &mut outcome);
        year::measure(context, &parameters, &mut outcome);
        adjacency::measure(context, &parameters, &mut outcome);
        insertion::measure(context, &parameters.insertion, &mut outcome);
        outcome.note(format!(
            "{} graphs of {} nodes and degree {}, {} victims on each, each against a coalition of its own.",
            parameters.graphs, parameters.nodes, parameters.degree, parameters.victims
        ));
        Ok(outcome)
    }
}

/// The rows that all graphs have together. `salt` keeps the graphs of different attacks apart.
fn on_graphs<R: Row + Send>(
    context: &Context<'_>,
    parameters: &Parameters,
    (what, salt): (&str, u64),
    rows: impl Fn(&Links, u64) -> Vec<R> + Sync,
) -> Vec<R> {
    let graphs: Vec<u64> = (0..parameters.graphs).collect();
    let found = context.parallel(what, &graphs, |&graph| {
        let seed = context.seed().wrapping_mul(salt).wrapping_add(graph);
        let degrees = Degrees::Even(parameters.degree);
        rows(&Links::draw(parameters.nodes, degrees, seed), seed)
    });
    together(found)
}
