//! Draws originators and their circuits, and reckons.

use std::collections::BTreeMap;

use rand::RngExt;

use crate::anonymity::{Belief, Circuit, Degrees, Design, Links, Originator, Sighting};
use crate::experiment::Context;
use crate::random::rng_for;
use crate::statistics::{Summary, quantile};

/// One thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Case {
    pub(super) degrees: Degrees,
    pub(super) design: Design,
    /// Hops of each circuit.
    pub(super) length: usize,
    pub(super) seen: Seen,
    pub(super) ends: Ends,
}

/// How many circuits of one originator are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    Circuits(usize),
    /// So many that all second hops are known.
    All,
}

/// What is seen of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ends {
    /// Where it ends.
    Watched,
    /// The end belongs to the adversary, and tells which relay is before it.
    Collude,
}

/// How many graphs, of which size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worlds {
    pub(super) nodes: usize,
    pub(super) graphs: u64,
    pub(super) originators: usize,
}

/// One originator.
#[derive(Clone, Copy, Debug)]
struct Sample {
    effective_set: f64,
    /// Bits it took to learn who it was, less those that the adversary expected.
    surplus: f64,
    degree: usize,
}

/// What came out.
#[derive(Debug, Default)]
pub(super) struct Measured {
    samples: BTreeMap<Case, Vec<Sample>>,
}

impl Worlds {
    /// Measures each case on each of the graphs.
    pub(super) fn measure(&self, context: &Context<'_>, cases: &[Case]) -> Measured {
        let mut kinds: Vec<Degrees> = cases.iter().map(|case| case.degrees).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let graphs = 0..self.graphs;
        let items: Vec<(Degrees, u64)> = graphs
            .flat_map(|graph| kinds.iter().map(move |&kind| (kind, graph)))
            .collect();
        let found = context.parallel("graphs", &items, |&(kind, graph)| {
            self.graph(context.seed(), kind, graph, cases)
        });
        let mut measured = Measured::default();
        for (case, sample) in found.into_iter().flatten() {
            measured.samples.entry(case).or_default().push(sample);
        }
        measured
    }

    fn graph(&self, seed: u64, kind: Degrees, graph: u64, cases: &[Case]) -> Vec<(Case, Sample)> {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(graph);
        let links = Links::draw(self.nodes, kind, seed);
        let mut samples = Vec::new();
        for number in 0..self.originators {
            let mut rng = rng_for(seed, &format!("{kind:?} originator {number}"));
            let node = rng.random_range(0..self.nodes);
            for &case in cases.iter().filter(|case| case.degrees == kind) {
                let purpose = format!("{kind:?} {number} {:?} {}", case.design, case.length);
                // The same circuits however many of them are seen
                let mut rng = rng_for(seed, &purpose);
                let originator = Originator::draw(&links, node, case.design, &mut rng);
                samples.push((case, sample(&links, &originator, case, &mut rng)));
            }
        }
        samples
    }
}

fn sample(
    links: &Links,
    originator: &Originator,
    case: Case,
    rng: &mut rand_chacha::ChaCha8Rng,
) -> Sample {
    let mut ends = Vec::new();
    let sightings: Vec<Sighting> = match case.seen {
        Seen::All => second_hops(originator),
        Seen::Circuits(number) => (0..number)
            .map(|number| {
                let circuit = originator.circuit(links, case.length, number, rng);
                ends.extend(circuit.hops.last());
                sighting(&circuit, case.ends)
            })
            .collect(),
    };
    let belief = Belief::after(links, case.design, &sightings, &ends);
    Sample {
        effective_set: belief.effective_set(),
        surplus: belief.surprise(originator.node) - belief.entropy(),
        degree: links.degree(originator.node),
    }
}

fn sighting(circuit: &Circuit, ends: Ends) -> Sighting {
    let hop = match ends {
        Ends::Watched => circuit.hops.len(),
        Ends::Collude => circuit.hops.len() - 1,
    };
    Sighting {
        node: circuit.hops[hop - 1],
        hop,
        group: circuit.group,
    }
}

fn second_hops(originator: &Originator) -> Vec<Sighting> {
    let seconds = originator.seconds.iter().enumerate();
    seconds
        .map(|(group, &node)| Sighting {
            node,
            hop: 2,
            group,
        })
        .collect()
}

impl Measured {
    /// The effective sets of a case.
    pub(super) fn sets(&self, case: Case) -> Summary {
        Summary::of(&self.values(case, |sample| sample.effective_set))
    }

    /// The effective set that one originator of ten does not have.
    pub(super) fn tenth(&self, case: Case) -> f64 {
        let mut sets = self.values(case, |sample| sample.effective_set);
        sets.sort_by(f64::total_cmp);
        quantile(&sets, 0.1)
    }

    /// The effective sets of originators with so few links.
    pub(super) fn sets_of_few_links(&self, case: Case, most: usize) -> Summary {
        let samples = self.samples.get(&case).into_iter().flatten();
        let few = samples.filter(|sample| sample.degree <= most);
        Summary::of(&few.map(|sample| sample.effective_set).collect::<Vec<_>>())
    }

    /// Bits by which the adversary's doubt is wrong, for each originator of cases with that design.
    pub(super) fn surpluses(&self, design: Design) -> Vec<f64> {
        let of_design = self
            .samples
            .iter()
            .filter(|(case, _)| case.design == design);
        of_design
            .flat_map(|(_, samples)| samples.iter().map(|sample| sample.surplus))
            .collect()
    }

    fn values(&self, case: Case, value: impl Fn(&Sample) -> f64) -> Vec<f64> {
        let samples = self.samples.get(&case).into_iter().flatten();
        samples.map(value).collect()
    }
}
