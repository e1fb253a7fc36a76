//! Where nodes are and who is linked with whom.

use std::collections::BTreeSet;

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use routing::Location;

use crate::random::rng_for;

/// Nodes on the ring and links between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Where each node is.
    pub locations: Vec<Location>,
    /// The nodes that each node is linked with, in order; nothing for the nodes at the end that have no links.
    adjacency: Vec<Vec<u32>>,
}

impl Topology {
    /// Nodes without links.
    #[must_use]
    pub const fn of_locations(locations: Vec<Location>) -> Self {
        Self {
            locations,
            adjacency: Vec::new(),
        }
    }

    /// `nodes` at random places, each linked with its neighbours on the ring and with `long_links` others, to which the
    /// probability falls with the distance (Kleinberg's 1/d, in which greedy routes are short).
    #[must_use]
    pub fn small_world(nodes: usize, long_links: usize, seed: u64) -> Self {
        let mut rng = rng_for(seed, "topology");
        let mut topology = Self::of_locations(random_locations(nodes, &mut rng));
        let ring = topology.ring_order();
        for place in 0..nodes {
            topology.link(ring[place], ring[(place + 1) % nodes]);
            // Each link has two ends: half as many are drawn for each node
            for number in 0..long_links.div_ceil(2) {
                if number * 2 + 1 == long_links && place % 2 == 1 {
                    continue;
                }
                let gap = harmonic_gap(nodes, &mut rng);
                let other = if rng.random() {
                    place + gap
                } else {
                    place + nodes - gap
                };
                topology.link(ring[place], ring[other % nodes]);
            }
        }
        topology
    }

    /// `nodes` at random places in a row, in a random order.
    #[must_use]
    pub fn line(nodes: usize, seed: u64) -> Self {
        let mut rng = rng_for(seed, "topology");
        let mut topology = Self::of_locations(random_locations(nodes, &mut rng));
        for node in 1..nodes {
            topology.link(node - 1, node);
        }
        topology
    }

    /// `nodes` at random places, each linked with each.
    #[must_use]
    pub fn full_mesh(nodes: usize, seed: u64) -> Self {
        let mut topology = Self::line(nodes, seed);
        for node in 0..nodes {
            for other in 0..node {
                topology.link(node, other);
            }
        }
        topology
    }

    /// `nodes` at random places, each linked with about `degree` others without regard to places, and connected.
    #[must_use]
    pub fn random(nodes: usize, degree: usize, seed: u64) -> Self {
        let mut topology = Self::line(nodes, seed);
        let mut rng = rng_for(seed, "random links");
        let mut all: Vec<usize> = (0..nodes).collect();
        for _ in 1..degree.div_ceil(2) {
            all.shuffle(&mut rng);
            for pair in all.windows(2) {
                topology.link(pair[0], pair[1]);
            }
        }
        topology
    }

    /// Links two nodes; a node is not linked with itself.
    pub fn link(&mut self, a: usize, b: usize) {
        if a == b {
            return;
        }
        let nodes = a.max(b) + 1;
        if self.adjacency.len() < nodes {
            self.adjacency.resize_with(nodes, Vec::new);
        }
        for (node, other) in [(a, b), (b, a)] {
            let other = short(other);
            if let Err(place) = self.adjacency[node].binary_search(&other) {
                self.adjacency[node].insert(place, other);
            }
        }
    }

    /// Takes a link away, if there is one.
    pub fn unlink(&mut self, a: usize, b: usize) {
        for (node, other) in [(a, b), (b, a)] {
            let Some(row) = self.adjacency.get_mut(node) else {
                continue;
            };
            if let Ok(place) = row.binary_search(&short(other)) {
                row.remove(place);
            }
        }
    }

    /// The nodes linked with `node`, in order.
    pub fn neighbours(&self, node: usize) -> impl Iterator<Item = usize> {
        let row = self.adjacency.get(node);
        row.into_iter().flatten().map(|&other| other as usize)
    }

    /// With how many nodes `node` is linked.
    #[must_use]
    pub fn degree(&self, node: usize) -> usize {
        self.adjacency.get(node).map_or(0, Vec::len)
    }

    /// Whether two nodes are linked.
    #[must_use]
    pub fn is_linked(&self, a: usize, b: usize) -> bool {
        let row = self.adjacency.get(a);
        row.is_some_and(|row| row.binary_search(&short(b)).is_ok())
    }

    /// All links as pairs of nodes, the smaller first, in order.
    pub fn links(&self) -> impl Iterator<Item = (usize, usize)> {
        self.adjacency.iter().enumerate().flat_map(|(node, row)| {
            let above = row.iter().map(|&other| other as usize);
            above
                .filter(move |&other| other > node)
                .map(move |other| (node, other))
        })
    }

    /// Whether each node can reach each other one when those in `without` are gone.
    #[must_use]
    pub fn is_connected(&self, without: &[usize]) -> bool {
        let gone: BTreeSet<usize> = without.iter().copied().collect();
        let left = |node| !gone.contains(&node);
        let nodes = (0..self.locations.len()).filter(|&node| left(node));
        self.largest_part(left) == nodes.count()
    }

    /// How many nodes the largest part has in which each can reach each other one by way of nodes in `left`.
    #[must_use]
    pub fn largest_part(&self, left: impl Fn(usize) -> bool) -> usize {
        let nodes = 0..self.locations.len();
        let mut left: BTreeSet<usize> = nodes.filter(|&node| left(node)).collect();
        let mut largest = 0;
        while let Some(first) = left.pop_first() {
            let (mut open, mut reached) = (vec![first], 0);
            while let Some(node) = open.pop() {
                reached += 1;
                open.extend(self.neighbours(node).filter(|other| left.remove(other)));
            }
            largest = largest.max(reached);
        }
        largest
    }

    /// The nodes in the order of their places.
    pub(crate) fn ring_order(&self) -> Vec<usize> {
        let mut ring: Vec<usize> = (0..self.locations.len()).collect();
        ring.sort_by_key(|&node| self.locations[node]);
        ring
    }
}

/// A node's number in as little memory as it takes.
pub(crate) fn short(node: usize) -> u32 {
    u32::try_from(node).expect("a simulated network has fewer than 2^32 nodes")
}

fn random_locations(nodes: usize, rng: &mut ChaCha8Rng) -> Vec<Location> {
    (0..nodes)
        .map(|_| Location::from_fraction(rng.random()))
        .collect()
}

/// A number of places from 1 to half of the ring, d with a probability proportional to 1/d.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "from 1 to the number of nodes, which is far below 2^52"
)]
pub(crate) fn harmonic_gap(nodes: usize, rng: &mut ChaCha8Rng) -> usize {
    let half = (nodes / 2).max(1) as f64;
    // The logarithm of such a number is evenly distributed
    half.powf(rng.random::<f64>()).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_world_has_the_ring_and_the_asked_degree() {
        for long_links in [0, 3, 4] {
            let topology = Topology::small_world(200, long_links, 5);
            let ring = topology.ring_order();
            for place in 0..200 {
                let (a, b) = (ring[place], ring[(place + 1) % 200]);
                assert!(topology.is_linked(a, b), "{a} and {b} are neighbours");
            }
            let degree = topology.links().count() * 2 / 200;
            assert!(
                (long_links..=long_links + 2).contains(&degree),
                "degree {degree} for {long_links}"
            );
        }
    }

    #[test]
    fn a_line_falls_apart_without_a_node_in_the_middle() {
        let line = Topology::line(5, 1);
        assert!(line.is_connected(&[]));
        assert!(line.is_connected(&[0, 4]));
        assert!(!line.is_connected(&[2]));
        assert_eq!(line.largest_part(|node| node != 1), 3);
    }

    #[test]
    fn a_link_has_two_ends_and_goes_as_a_whole() {
        let mut line = Topology::line(4, 1);
        line.link(3, 0);
        line.link(0, 3);
        assert_eq!(
            line.links().collect::<Vec<_>>(),
            [(0, 1), (0, 3), (1, 2), (2, 3)]
        );
        assert_eq!(line.neighbours(0).collect::<Vec<_>>(), [1, 3]);
        line.unlink(0, 1);
        assert!(!line.is_linked(0, 1) && !line.is_linked(1, 0));
        assert_eq!((line.degree(0), line.degree(1)), (1, 1));
    }

    #[test]
    fn one_seed_gives_one_topology() {
        assert_eq!(
            Topology::small_world(50, 4, 1),
            Topology::small_world(50, 4, 1)
        );
        assert_ne!(
            Topology::small_world(50, 4, 1),
            Topology::small_world(50, 4, 2)
        );
        assert_eq!(Topology::full_mesh(10, 1).links().count(), 45);
        assert!(Topology::random(100, 6, 1).links().count() > 250);
    }
}
