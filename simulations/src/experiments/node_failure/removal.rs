//! Which nodes are removed.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::topology::Topology;

/// By what rule nodes are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    Random,
    /// Those with most links first.
    BestLinked,
    /// All in one part of the ring.
    Arc,
    /// Those whose links reach furthest first.
    LongestLinked,
}

impl Removal {
    /// Names it in figures.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Random => "random removal",
            Self::BestLinked => "best linked removed",
            Self::Arc => "an arc of the ring removed",
            Self::LongestLinked => "longest links removed",
        }
    }

    /// Names its plot.
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::BestLinked => "best-linked",
            Self::Arc => "arc",
            Self::LongestLinked => "longest-linked",
        }
    }

    /// All nodes, those to be removed first in front.
    pub(super) fn order(self, topology: &Topology, rng: &mut ChaCha8Rng) -> Vec<usize> {
        let mut nodes: Vec<usize> = (0..topology.locations.len()).collect();
        nodes.shuffle(rng);
        match self {
            Self::Random => {}
            Self::BestLinked => {
                nodes.sort_by_key(|&node| std::cmp::Reverse(topology.degree(node)));
            }
            Self::Arc => nodes.sort_by_key(|&node| topology.locations[node]),
            Self::LongestLinked => {
                let reach = |node: usize| -> f64 {
                    let place = topology.locations[node];
                    let others = topology.neighbours(node);
                    others
                        .map(|other| topology.locations[other].distance(place).as_fraction())
                        .sum()
                };
                nodes.sort_by(|&a, &b| reach(b).total_cmp(&reach(a)));
            }
        }
        nodes
    }
}
