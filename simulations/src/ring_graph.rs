//! Graphs on an ideal ring: nodes at equal steps, linked with both neighbours and with nodes further away.
//!
//! They hold no routers. What greedy routing can do at best is measured on them, up to millions of nodes.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::statistics::count;

/// An undirected graph whose node `n` stands at the n-th place of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingGraph {
    /// Where each node's neighbours begin in `neighbours`, and where the last one's end.
    starts: Vec<u32>,
    neighbours: Vec<u32>,
}

/// How a graph is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// At least 4, at most 100 million.
    pub nodes: usize,
    /// Long links that each node draws; it is drawn by as many others on average.
    pub long_links: usize,
    /// A link over `d` steps is drawn with a probability proportional to `d` to the power of minus this: Kleinberg's is 1.
    pub exponent: f64,
    /// Whether each node is linked with both its neighbours on the ring.
    pub lattice: bool,
}

impl RingGraph {
    /// Draws a graph. Links that are drawn twice count once.
    #[must_use]
    pub fn draw(shape: &Shape, rng: &mut ChaCha8Rng) -> Self {
        let nodes = shape.nodes;
        let mut links: Vec<(u32, u32)> = Vec::with_capacity(2 * nodes * (shape.long_links + 1));
        let mut link = |a: usize, b: usize| {
            links.push((index(a), index(b)));
            links.push((index(b), index(a)));
        };
        for node in 0..nodes {
            if shape.lattice {
                link(node, (node + 1) % nodes);
            }
            for _ in 0..shape.long_links {
                let gap = draw_gap(nodes, shape.exponent, rng);
                let gap = if rng.random() { gap } else { nodes - gap };
                link(node, (node + gap) % nodes);
            }
        }
        links.sort_unstable();
        links.dedup();
        let mut starts = vec![0; nodes + 1];
        for &(from, _) in &links {
            starts[place(from) + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        Self {
            starts,
            neighbours: links.into_iter().map(|(_, to)| to).collect(),
        }
    }

    /// How many nodes there are.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many neighbours a node has on average.
    #[must_use]
    pub fn mean_degree(&self) -> f64 {
        count(self.neighbours.len()) / count(self.nodes())
    }

    /// The nodes linked with `node`.
    pub fn neighbours(&self, node: usize) -> impl Iterator<Item = usize> {
        let range = place(self.starts[node])..place(self.starts[node + 1]);
        self.neighbours[range].iter().map(|&other| place(other))
    }

    /// How many steps along the ring, the shorter way around.
    #[must_use]
    pub fn distance(&self, a: usize, b: usize) -> usize {
        let steps = a.abs_diff(b);
        steps.min(self.nodes() - steps)
    }
}

/// A number of steps from 2 to half of the ring: a long link to a neighbour on the ring would be none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 2 to half the number of nodes"
)]
fn draw_gap(nodes: usize, exponent: f64, rng: &mut ChaCha8Rng) -> usize {
    let (least, most) = (2.0_f64, count((nodes / 2).max(2) + 1));
    let part: f64 = rng.random();
    // The share of gaps below d, turned around: (d^p - least^p) / (most^p - least^p), and logarithms in place of powers for p = 0
    let power = 1.0 - exponent;
    let gap = if power.abs() < 1e-9 {
        least * (most / least).powf(part)
    } else {
        let low = least.powf(power);
        part.mul_add(most.powf(power) - low, low).powf(1.0 / power)
    };
    (gap as usize).clamp(2, (nodes / 2).max(2))
}

fn index(node: usize) -> u32 {
    u32::try_from(node).expect("at most 100 million nodes")
}

const fn place(index: u32) -> usize {
    index as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::rng_for;

    fn draw(exponent: f64, lattice: bool) -> RingGraph {
        let shape = Shape {
            nodes: 2000,
            long_links: 5,
            exponent,
            lattice,
        };
        RingGraph::draw(&shape, &mut rng_for(1, "graph"))
    }

    #[test]
    fn links_go_both_ways_and_the_lattice_is_whole() {
        let graph = draw(1.0, true);
        for node in 0..graph.nodes() {
            assert!(
                graph
                    .neighbours(node)
                    .any(|other| other == (node + 1) % 2000)
            );
            assert!(
                graph
                    .neighbours(node)
                    .all(|other| other != node && graph.neighbours(other).any(|back| back == node))
            );
        }
        assert!(
            (11.0..12.0).contains(&graph.mean_degree()),
            "{}",
            graph.mean_degree()
        );
    }

    #[test]
    fn the_exponent_decides_how_long_links_are() {
        // The share of links over more than 20 steps of 2 to 1000: ln(48) of ln(500), 98 %, and 2/21
        for (exponent, expected) in [(1.0, 0.62), (0.0, 0.98), (2.0, 0.09)] {
            let graph = draw(exponent, false);
            let long = (0..2000)
                .flat_map(|node| graph.neighbours(node).map(move |other| (node, other)))
                .filter(|&(a, b)| graph.distance(a, b) > 20)
                .count();
            let share = count(long) / 20_000.0;
            assert!((share - expected).abs() < 0.03, "{exponent}: {share}");
        }
    }
}
