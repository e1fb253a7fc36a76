//! Graphs for walks.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::random::rng_for;
use crate::ring_graph::{RingGraph, Shape};
use crate::statistics::{count, share};
use crate::topology::Topology;

/// Who is linked with whom, in one block of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// Where each node's neighbours begin in `neighbours`, and where the last one's end.
    starts: Vec<usize>,
    neighbours: Vec<u32>,
}

/// How many links nodes have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Degrees {
    /// About as many each. At least 4.
    Even(usize),
    /// As the owners' bandwidths make them: 20 in the middle, a logarithm that is normally distributed with a deviation of
    /// 0.6, and no fewer than 10 and no more than 85, the bounds that routers have.
    Uneven,
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
        match degrees {
            Degrees::Even(degree) => {
                let shape = Shape {
                    nodes,
                    long_links: degree.saturating_sub(2) / 2,
                    exponent: 1.0,
                    lattice: true,
                };
                Self::of_ring(&RingGraph::draw(&shape, &mut rng_for(seed, "links")))
            }
            Degrees::Uneven => Self::uneven(nodes, &mut rng_for(seed, "uneven links")),
        }
    }

    fn uneven(nodes: usize, rng: &mut ChaCha8Rng) -> Self {
        let wanted: Vec<f64> = (0..nodes).map(|_| degree_by_bandwidth(rng)).collect();
        let mut topology =
            Topology::of_locations(vec![routing::Location::from_fraction(0.0); nodes]);
        for node in 0..nodes {
            topology.link(node, (node + 1) % nodes);
        }
        let mut full = |topology: &mut Topology, node: usize| {
            // Half of what it wants it draws itself; the other half comes from others, who prefer those that want many
            let target = (wanted[node] - 2.0) / 2.0;
            let mut drawn = 0.0;
            while drawn < target {
                let other = (node + long_gap(nodes, rng)) % nodes;
                if rng.random::<f64>() * DEGREE_MOST < wanted[other] {
                    topology.link(node, other);
                    drawn += 1.0;
                }
            }
        };
        for node in 0..nodes {
            full(&mut topology, node);
        }
        Self::of_topology(&topology)
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

fn degree_by_bandwidth(rng: &mut ChaCha8Rng) -> f64 {
    // Box and Muller's normal deviate
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    let deviate = radius * (std::f64::consts::TAU * rng.random::<f64>()).cos();
    (20.0 * (0.6 * deviate).exp()).clamp(DEGREE_LEAST, DEGREE_MOST)
}

/// From 2 places to all but 2: the logarithm of the distance, the shorter way around, is evenly distributed.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 2 to half the number of nodes"
)]
fn long_gap(nodes: usize, rng: &mut ChaCha8Rng) -> usize {
    let gap = 2.0 * (count(nodes) / 4.0).powf(rng.random::<f64>());
    let gap = (gap as usize).clamp(2, (nodes / 2).max(2));
    if rng.random() { gap } else { nodes - gap }
}

fn short(node: usize) -> u32 {
    u32::try_from(node).expect("a simulated network has fewer than 2^32 nodes")
}

const DEGREE_LEAST: f64 = 10.0;
const DEGREE_MOST: f64 = 85.0;

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

    #[test]
    fn degrees_are_as_asked() {
        let even = Links::draw(2_000, Degrees::Even(20), 1);
        assert!(
            (19.0..20.5).contains(&even.mean_degree()),
            "{}",
            even.mean_degree()
        );
        let uneven = Links::draw(2_000, Degrees::Uneven, 1);
        assert!(
            (18.0..28.0).contains(&uneven.mean_degree()),
            "{}",
            uneven.mean_degree()
        );
        let most = (0..2_000).map(|node| uneven.degree(node)).max();
        let least = (0..2_000).map(|node| uneven.degree(node)).min();
        assert!(most > Some(60) && least < Some(12), "{most:?} {least:?}");
    }
}
