//! E4: what is found when many nodes are gone at once, without repair of links and with it.
//!
//! Real routers on a static small world. Nodes stop, their peers notice, and no link replaces a lost one. Each fetch is of a
//! block that lies at one random node that is left, and nowhere else. How soon grown networks repair themselves is in
//! [`repaired`].

mod removal;
mod repaired;
mod world;

use anyhow::{Result, ensure};
use routing::{Effort, Lookahead};
use serde::Deserialize;

use crate::experiment::{Axis, Context, Experiment, Figure, Kind, Outcome, Plot, Table};
use crate::sim_node::Sabotage;
use crate::statistics::Summary;
use removal::Removal;
use repaired::Probing;
use world::{Found, World};

/// Failure of nodes, at random and by an attacker.
pub(super) struct NodeFailure;

#[derive(Debug, Deserialize)]
struct Parameters {
    /// Nodes of each network.
    nodes: usize,
    /// Shares of the nodes that are removed.
    removed: Vec<f64>,
    /// Fetches in each network.
    fetches: u64,
    /// Nodes of each network that repairs itself.
    repairing_nodes: usize,
    /// For how many seconds those are probed.
    probed_s: usize,
    /// Fetches a second meanwhile.
    probes_a_second: usize,
}

/// How a network searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    name: &'static str,
    lookahead: Lookahead,
    effort: Effort,
}

const PLAIN: Way = Way {
    name: "HTL 18, no lookahead",
    lookahead: Lookahead::Off,
    effort: Effort::Once,
};
const ONCE: Way = Way {
    name: "HTL 18",
    lookahead: Lookahead::On,
    effort: Effort::Once,
};
const THOROUGH: Way = Way {
    name: "HTL 18, then 50",
    lookahead: Lookahead::On,
    effort: Effort::Thorough,
};

/// Removed share, and published success at HTL 18 and 50 with random removal, and at HTL 18 and 50 with targeted.
const PUBLISHED: [(f64, [f64; 4]); 7] = [
    (0.1, [0.999, 1.0, 0.999, 1.0]),
    (0.2, [0.995, 1.0, 0.996, 1.0]),
    (0.3, [0.990, 0.999, 0.979, 0.997]),
    (0.4, [0.975, 0.997, 0.934, 0.990]),
    (0.5, [0.935, 0.987, 0.806, 0.965]),
    (0.6, [0.859, 0.975, 0.599, 0.901]),
    (0.7, [0.688, 0.919, 0.299, 0.624]),
];

/// What must be found at HTL 18.
const BARS: [(Removal, f64, f64); 4] = [
    (Removal::Random, 0.3, 0.99),
    (Removal::Random, 0.5, 0.93),
    (Removal::BestLinked, 0.3, 0.97),
    (Removal::BestLinked, 0.5, 0.80),
];

const SOURCE: &str =
    "calibration: depth-first search on a static ring of 10 000 nodes, degree about 20, no repair";

/// One network to be measured.
#[derive(Clone, Copy, Debug)]
struct Case {
    removal: Removal,
    removed: f64,
    way: Way,
    sabotage: Sabotage,
}

impl Experiment for NodeFailure {
    fn name(&self) -> &'static str {
        "node-failure"
    }

    fn number(&self) -> &'static str {
        "E4"
    }

    fn summary(&self) -> &'static str {
        "success of fetches when many nodes are gone, without repair of links and with it"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let parameters: Parameters = context.parameters()?;
        let nodes = context.nodes().unwrap_or(parameters.nodes);
        ensure!(
            nodes >= 100
                && parameters.fetches > 0
                && parameters.repairing_nodes >= 100
                && parameters.probed_s >= 60
                && parameters.probes_a_second > 0,
            "nodes must be at least 100, fetches above zero, probed_s at least 60"
        );
        ensure!(
            parameters
                .removed
                .iter()
                .all(|share| (0.0..0.9).contains(share)),
            "shares to remove must be from 0 to 0.9"
        );
        let cases = cases(&parameters.removed);
        let found = context.parallel("networks", &cases, |case| {
            let mut world = World::new(nodes, case.way, case.sabotage, context.seed());
            world.remove(case.removal, case.removed);
            world.fetch(parameters.fetches)
        });
        let mut outcome = Outcome::default();
        let mut table = Table::new(
            "found",
            "Success by share of nodes removed",
            &[
                "removal",
                "removed",
                "search",
                "success",
                "mean asked",
                "median",
                "p95",
                "published success",
            ],
        );
        for (case, found) in cases.iter().zip(&found) {
            figure(case, found, &mut outcome);
            table.row(row(case, found));
        }
        outcome.table(table);
        for removal in [Removal::Random, Removal::BestLinked] {
            outcome.plot(plot(removal, &cases, &found));
        }
        notes(nodes, &mut outcome);
        repair(context, &parameters, &mut outcome);
        Ok(outcome)
    }
}

/// The part with repair.
fn repair(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) {
    let probing = Probing {
        nodes: parameters.repairing_nodes,
        a_second: parameters.probes_a_second,
        seconds: parameters.probed_s,
    };
    let cases = repaired::cases();
    let courses = context.parallel("repairing networks", &cases, |case| {
        case.run(probing, context.seed())
    });
    repaired::report(&cases, &courses, probing, outcome);
}

fn cases(shares: &[f64]) -> Vec<Case> {
    let mut cases = Vec::new();
    for removal in [
        Removal::Random,
        Removal::BestLinked,
        Removal::Arc,
        Removal::LongestLinked,
    ] {
        for &removed in shares {
            for way in [PLAIN, ONCE, THOROUGH] {
                cases.push(Case {
                    removal,
                    removed,
                    way,
                    sabotage: Sabotage::None,
                });
            }
        }
    }
    cases.push(Case {
        removal: Removal::Random,
        removed: 0.3,
        way: ONCE,
        sabotage: Sabotage::WrongPlaces,
    });
    cases
}

impl Case {
    /// What the calibration found in this case.
    fn published(&self) -> Option<f64> {
        let column = match (self.removal, self.way.effort) {
            (Removal::Random, Effort::Once) => 0,
            (Removal::Random, Effort::Thorough) => 1,
            (Removal::BestLinked, Effort::Once) => 2,
            (Removal::BestLinked, Effort::Thorough) => 3,
            (Removal::Arc | Removal::LongestLinked, _) | (_, Effort::Probe) => return None,
        };
        let near = |(share, _): &&(f64, [f64; 4])| (share - self.removed).abs() < 1e-9;
        PUBLISHED.iter().find(near).map(|(_, row)| row[column])
    }

    /// What must be found: where there is no bar for this very case, what was published, but for chance.
    fn bar(&self) -> Option<f64> {
        let same = |(removal, removed, _): &&(Removal, f64, f64)| {
            *removal == self.removal && (removed - self.removed).abs() < 1e-9
        };
        if self.way.effort == Effort::Thorough {
            return None;
        }
        BARS.iter().find(same).map(|(_, _, bar)| *bar)
    }
}

fn figure(case: &Case, found: &Found, outcome: &mut Outcome) {
    let Case {
        removal,
        removed,
        way,
        sabotage,
    } = case;
    let fault = *sabotage != Sabotage::None;
    let prefix = if fault { "fault, wrong places: " } else { "" };
    let name = format!(
        "{prefix}success, {}, {removed} removed, {}",
        removal.name(),
        way.name
    );
    let mut figure = Figure::new(name, found.success(), "").source(SOURCE);
    if let Some(bar) = case.bar() {
        figure = figure.at_least(bar);
    }
    if let Some(published) = case.published() {
        figure = figure.published(published);
    }
    if fault {
        figure = figure.with_fault();
    }
    outcome.figure(figure);
}

fn row(case: &Case, found: &Found) -> [crate::experiment::Cell; 8] {
    let asked = Summary::of(&found.asked);
    let fault = case.sabotage != Sabotage::None;
    let way = if fault {
        "fault: wrong places"
    } else {
        case.way.name
    };
    [
        case.removal.name().into(),
        case.removed.into(),
        way.into(),
        found.success().into(),
        asked.mean.into(),
        asked.median.into(),
        asked.p95.into(),
        case.published().unwrap_or(f64::NAN).into(),
    ]
}

fn plot(removal: Removal, cases: &[Case], found: &[Found]) -> Plot {
    let ours = |way: Way| -> Vec<(f64, f64)> {
        let same = |case: &Case| {
            case.removal == removal && case.way == way && case.sabotage == Sabotage::None
        };
        let all = cases.iter().zip(found).filter(|(case, _)| same(case));
        all.map(|(case, found)| (case.removed, found.success()))
            .collect()
    };
    let published = |column: usize| -> Vec<(f64, f64)> {
        PUBLISHED
            .iter()
            .map(|(share, row)| (*share, row[column]))
            .collect()
    };
    let first = if removal == Removal::Random { 0 } else { 2 };
    let mut plot = Plot::new(
        removal.file(),
        &format!("Success of fetches, {}", removal.name()),
        Axis::linear("share of nodes removed"),
        Axis::linear("share of fetches that succeed"),
    );
    for way in [PLAIN, ONCE, THOROUGH] {
        plot = plot.curve(Kind::Ours, way.name, ours(way));
    }
    plot.curve(Kind::Published, "HTL 18, published", published(first))
        .curve(Kind::Published, "HTL 50, published", published(first + 1))
}

fn notes(nodes: usize, outcome: &mut Outcome) {
    outcome.note(format!(
        "{nodes} nodes. The published figures are for 10 000 nodes; a smaller network is easier. Ours may visit a little more \
         than 18 nodes, since a node that refuses a search because it was there already takes nothing from the budget, and one \
         link in two takes nothing at 18. That a peer is gone is known, as a link says it: how long that takes is not measured \
         here. Lookahead uses what peers say after the loss, two seconds later at the earliest."
    ));
    outcome.note(
        "The second try begins with another peer than the first did, and may visit 50 nodes; what was published for HTL 50 is \
         one search with that budget.",
    );
}
