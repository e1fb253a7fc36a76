//! E9: does the end of a circuit tell who began it?
//!
//! Circuits begin at a node and end some hops away. Whoever knows every link of the network, and sees where several circuits of one
//! originator end, can reckon how likely each node is to have built them. How much doubt is left is told as the size of a set
//! of equally suspect nodes. Probabilities are exact, walks are not sampled: only originators and their circuits are drawn.

mod measure;
mod published;
mod report;

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::anonymity::{Degrees, Design};
use crate::experiment::{Context, Experiment, Outcome};
use measure::{Case, Ends, Seen, Worlds};

/// What the ends of circuits tell about their beginning.
pub(super) struct ExitInference;

#[derive(Debug, Deserialize)]
struct Parameters {
    nodes: usize,
    /// Graphs of each kind.
    graphs: u64,
    /// Originators on each graph.
    originators: usize,
    /// Circuit lengths, rising.
    lengths: Vec<usize>,
    /// How many circuits of one originator are seen, rising.
    seen: Vec<usize>,
    /// Degrees for which the least length that will do is looked for.
    degrees: Vec<usize>,
    /// The degrees on which designs are compared.
    design_degrees: Vec<usize>,
    /// Sizes of the graphs on which the spread of a walk's end is told.
    spread_nodes: Vec<usize>,
}

/// Circuits of a pool whose end colludes where every tenth node does: 32 circuits, 3.2 on average.
const POOL_SEEN: usize = 4;

/// The numbers of second hops that are compared.
const SECOND_HOPS: [usize; 4] = [1, 2, 4, 8];

/// At most so many circuits are reckoned with where each needs a reckoning of its own for every link.
const SEEN_MOST: usize = 30;

impl Experiment for ExitInference {
    fn name(&self) -> &'static str {
        "exit-inference"
    }

    fn number(&self) -> &'static str {
        "E9"
    }

    fn summary(&self) -> &'static str {
        "how many nodes may have begun circuits whose ends are seen, by length, degree and second hops"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.nodes = context.nodes().unwrap_or(parameters.nodes);
        ensure!(
            parameters.nodes >= 200 && parameters.lengths.iter().all(|length| *length >= 2),
            "at least 200 nodes, and circuits of 2 hops or more"
        );
        let worlds = Worlds {
            nodes: parameters.nodes,
            graphs: parameters.graphs,
            originators: parameters.originators,
        };
        let measured = worlds.measure(context, &cases(&parameters));
        let mut outcome = Outcome::default();
        report::published(&parameters, &measured, &mut outcome);
        report::spread(context, &parameters.spread_nodes, &mut outcome);
        report::designs(&parameters, &measured, &mut outcome);
        report::least_lengths(&parameters, &measured, &mut outcome);
        report::bars(&parameters, &measured, &mut outcome);
        report::notes(&parameters, &mut outcome);
        Ok(outcome)
    }
}

impl Parameters {
    /// The kinds of graphs on which designs are compared.
    fn design_kinds(&self) -> Vec<Degrees> {
        let even = self
            .design_degrees
            .iter()
            .map(|&degree| Degrees::Even(degree));
        even.chain([Degrees::Uneven]).collect()
    }

    /// The kinds of graphs for which a length is looked for.
    fn length_kinds(&self) -> Vec<Degrees> {
        let even = self.degrees.iter().map(|&degree| Degrees::Even(degree));
        even.chain([Degrees::Uneven, Degrees::Measured]).collect()
    }
}

fn cases(parameters: &Parameters) -> Vec<Case> {
    let mut cases = Vec::new();
    for &length in &parameters.lengths {
        let mut add = |degrees, design, seen, ends| {
            cases.push(Case {
                degrees,
                design,
                length,
                seen,
                ends,
            });
        };
        for &seen in &parameters.seen {
            for degree in published::DEGREES {
                add(
                    Degrees::Even(degree),
                    Design::Walks,
                    Seen::Circuits(seen),
                    Ends::Watched,
                );
            }
        }
        for degrees in parameters.design_kinds() {
            for &seen in parameters.seen.iter().filter(|seen| **seen <= SEEN_MOST) {
                for number in SECOND_HOPS {
                    add(
                        degrees,
                        Design::SecondHops(number),
                        Seen::Circuits(seen),
                        Ends::Collude,
                    );
                }
                add(degrees, Design::Guard, Seen::Circuits(seen), Ends::Collude);
                add(degrees, Design::Walks, Seen::Circuits(seen), Ends::Collude);
            }
            for number in SECOND_HOPS {
                add(
                    degrees,
                    Design::SecondHops(number),
                    Seen::All,
                    Ends::Collude,
                );
            }
        }
        for degrees in parameters.length_kinds() {
            add(
                degrees,
                Design::SecondHops(1),
                Seen::Circuits(POOL_SEEN),
                Ends::Collude,
            );
        }
    }
    cases.sort_unstable();
    cases.dedup();
    cases
}
