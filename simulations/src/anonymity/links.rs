//! Graphs for walks.

use super::Degrees;
use crate::random::rng_for;
use crate::ring_graph::{RingGraph, Shape};
use crate::statistics::{count, share};
use crate::topology::{Topology, short};

/// Who is linked with whom, in one block of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// Where each node's neighbours begin in `neighbours`, and where the last one's end.
    starts: Vec<usize>,
    neighbours: Vec<u32>,
}

impl Links {
    /// From the neighbours of each node.
    fn of(nodes: usize, neighbours: impl Fn(usize) -> Vec<usize>) -> Self {
        let mut links = Self {
            starts: vec![0],
            neighbours: Vec::new(),
        };
        for node in 0..nodes {
            links
                .neighbours
                .extend(neighbours(node).into_iter().map(short));
            links.starts.push(links.neighbours.len());
        }
        links
    }

    /// Of a network of routers.
    #[must_use]
    pub fn of_topology(topology: &Topology) -> Self {
        Self::of(topology.locations.len(), |node| {
            topology.neighbours(node).collect()
        })
    }

    /// Of an ideal ring.
    #[must_use]
    pub fn of_ring(ring: &RingGraph) -> Self {
        Self::of(ring.nodes(), |node| ring.neighbours(node).collect())
    }

    /// Draws a small world of `nodes` on a ring: the neighbours on both sides, and long links by Kleinberg's law.
    #[must_use]
    pub fn draw(nodes: usize, degrees: Degrees, seed: u64) -> Self {
        let Degrees::Even(degree) = degrees else {
            return Self::of_topology(&degrees.topology(nodes, seed));
        };
        let shape = Shape {
            nodes,
            long_links: degree.saturating_sub(2) / 2,
            exponent: 1.0,
            lattice: true,
        };
        Self::of_ring(&RingGraph::draw(&shape, &mut rng_for(seed, "links")))
    }

    /// How many nodes there are.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.starts.len() - 1
    }

    /// The nodes linked with `node`.
    #[must_use]
    pub fn neighbours(&self, node: usize) -> &[u32] {
        &self.neighbours[self.starts[node]..self.starts[node + 1]]
    }

    /// With how many nodes `node` is linked.
    #[must_use]
    pub fn degree(&self, node: usize) -> usize {
        self.neighbours(node).len()
    }

    /// Whether two nodes are linked.
    #[must_use]
    pub fn is_linked(&self, a: usize, b: usize) -> bool {
        self.neighbours(a).contains(&short(b))
    }

    /// How many neighbours a node has on average.
    #[must_use]
    pub fn mean_degree(&self) -> f64 {
        share(self.neighbours.len(), self.nodes())
    }

    /// For each node the probability that a walk of so many steps from it ends at `end`. Each step goes to any neighbour,
    /// each as likely as the next.
    #[must_use]
    pub fn arrivals(&self, end: usize, steps: usize) -> Vec<f64> {
        let mut at = vec![0.0; self.nodes()];
        at[end] = 1.0;
        for _ in 0..steps {
            let mut before = vec![0.0; self.nodes()];
            let reached = at.iter().enumerate().filter(|(_, part)| **part > 0.0);
            for (node, probability) in reached {
                for &other in self.neighbours(node) {
                    before[other as usize] += probability;
                }
            }
            for (node, probability) in before.iter_mut().enumerate() {
                *probability /= count(self.degree(node).max(1));
            }
            at = before;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_those_of_walks_by_hand() {
        // 0 - 1 - 2
        let line = Links::of(3, |node| [vec![1], vec![0, 2], vec![1]][node].clone());
        assert_eq!(line.arrivals(2, 0), [0.0, 0.0, 1.0]);
        assert_eq!(line.arrivals(2, 1), [0.0, 0.5, 0.0]);
        assert_eq!(line.arrivals(2, 2), [0.5, 0.0, 0.5]);
    }
}
