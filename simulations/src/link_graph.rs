//! The links of a network at one moment, as a graph around the ring.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use routing::Location;

use crate::elided_block::SimBlock;
use crate::network::Network;
use crate::statistics::{Summary, count, distance_to_uniform, share};

/// The links that carry requests in both directions, between nodes that run. Nodes are numbered by their places on the
/// ring.
#[derive(Clone, Debug)]
pub struct LinkGraph {
    places: Vec<Location>,
    neighbours: Vec<Vec<u32>>,
}

/// What greedy walks between random nodes did.
#[derive(Clone, Copy, Debug)]
pub struct Walks {
    /// Hops of those that arrived, however long.
    pub hops: Summary,
    /// Which part arrived within the budget.
    pub success: f64,
}

/// How a walk chooses its next node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The neighbour nearest to the target, if that is nearer than the node itself.
    Nearest,
    /// A planted fault: the neighbour furthest from the target.
    Furthest,
}

impl LinkGraph {
    /// The links of a network as they are now.
    #[must_use]
    pub fn of<B: SimBlock>(network: &Network<B>) -> Self {
        let mut ring: Vec<usize> = (0..network.len())
            .filter(|&node| network.is_running(node))
            .collect();
        ring.sort_by_key(|&node| network.location(node));
        let mut rank = vec![u32::MAX; network.len()];
        for (place, &node) in ring.iter().enumerate() {
            rank[node] = number(place);
        }
        let adopted = |node: usize| {
            let peers = network.router(node).peers().filter(|peer| peer.adopted);
            peers
                .map(|peer| rank[peer.peer.0 as usize])
                .filter(|&peer| peer != u32::MAX)
        };
        let one_way: Vec<Vec<u32>> = ring
            .iter()
            .map(|&node| {
                let mut peers: Vec<_> = adopted(node).collect();
                peers.sort_unstable();
                peers
            })
            .collect();
        let neighbours = one_way
            .iter()
            .enumerate()
            .map(|(node, peers)| {
                let back =
                    |peer: &u32| one_way[*peer as usize].binary_search(&number(node)).is_ok();
                peers.iter().copied().filter(back).collect()
            })
            .collect();
        Self {
            places: ring.iter().map(|&node| network.location(node)).collect(),
            neighbours,
        }
    }

    /// How many nodes there are.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.places.len()
    }

    /// How many links each node has.
    #[must_use]
    pub fn degrees(&self) -> Vec<f64> {
        self.neighbours
            .iter()
            .map(|peers| count(peers.len()))
            .collect()
    }

    /// Which part of the nodes is linked with all of the nearest `each_side` nodes on each side.
    #[must_use]
    pub fn lattice(&self, each_side: usize) -> f64 {
        let nodes = self.nodes();
        let complete = |node: &usize| {
            let near = (1..=each_side).flat_map(|step| [node + step, node + nodes - step]);
            near.map(|other| number(other % nodes))
                .all(|other| self.neighbours[*node].binary_search(&other).is_ok())
        };
        share((0..nodes).filter(complete).count(), nodes)
    }

    /// The logarithms of all links' lengths, so that an even spread from one part in N to half of the ring is an even
    /// spread from 0 to 1. Shorter ones count as 0.
    #[must_use]
    pub fn log_lengths(&self) -> Vec<f64> {
        let n = count(self.nodes());
        let links = self
            .links()
            .map(|(a, b)| self.places[a].distance(self.places[b]).as_fraction());
        links
            .map(|length| ((length * n).ln() / (n / 2.0).ln()).clamp(0.0, 1.0))
            .collect()
    }

    /// The same of the links that are not between one of the `each_side` nearest on a side, by the number of nodes that
    /// they span. Whole numbers are blurred to the range that they stand for.
    #[must_use]
    pub fn long_log_spans(&self, each_side: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let nodes = self.nodes();
        let (least, most) = (count(each_side) + 0.5, count(nodes / 2) + 0.5);
        let spans = self.links().map(|(a, b)| (b - a).min(nodes - (b - a)));
        let long: Vec<_> = spans.filter(|&span| span > each_side).collect();
        let mut blurred = |span: usize| count(span) - 0.5 + rng.random::<f64>();
        long.into_iter()
            .map(|span| (blurred(span) / least).ln() / (most / least).ln())
            .collect()
    }

    /// Greedy walks between random different nodes; those that arrive within `budget` succeed.
    #[must_use]
    pub fn walks(&self, step: Step, pairs: usize, budget: usize, rng: &mut ChaCha8Rng) -> Walks {
        let nodes = self.nodes();
        let hops: Vec<f64> = (0..pairs)
            .filter_map(|_| {
                let from = rng.random_range(0..nodes);
                let to = (from + rng.random_range(1..nodes)) % nodes;
                self.walk(step, from, to).map(count)
            })
            .collect();
        let within = hops.iter().filter(|&&hops| hops <= count(budget)).count();
        Walks {
            hops: Summary::of(&hops),
            success: share(within, pairs),
        }
    }

    fn walk(&self, step: Step, from: usize, to: usize) -> Option<usize> {
        let target = self.places[to];
        let distance = |node: usize| self.places[node].distance(target);
        let mut at = from;
        for hops in 0..WALK_MAX {
            if at == to {
                return Some(hops);
            }
            let neighbours = self.neighbours[at].iter().map(|&node| node as usize);
            at = match step {
                Step::Nearest => neighbours
                    .min_by_key(|&node| distance(node))
                    .filter(|&next| distance(next) < distance(at))?,
                Step::Furthest => neighbours.max_by_key(|&node| distance(node))?,
            };
        }
        None
    }

    /// Each link once, the lower end first.
    fn links(&self) -> impl Iterator<Item = (usize, usize)> {
        let ends = self.neighbours.iter().enumerate();
        ends.flat_map(|(node, peers)| {
            peers
                .iter()
                .map(move |&peer| (node, peer as usize))
                .filter(|(a, b)| a < b)
        })
    }
}

/// How far the best imaginable lengths are from an even spread: those of a lattice between random places, and of long
/// links that are evenly spread beyond it.
#[must_use]
pub fn length_floor(nodes: usize, degree: f64, each_side: usize, rng: &mut ChaCha8Rng) -> f64 {
    let n = count(nodes);
    let lattice_share = (2.0 * count(each_side) / degree).min(1.0);
    let lengths: Vec<f64> = (0..SAMPLE)
        .map(|sample| {
            let span = if count(sample) < lattice_share * count(SAMPLE) {
                // Each step between random places takes an exponentially distributed part of the ring
                let steps = sample % each_side.max(1) + 1;
                (0..steps).map(|_| -(1.0 - rng.random::<f64>()).ln()).sum()
            } else {
                let (least, most) = (count(each_side) + 0.5, n / 2.0);
                least * (most / least).powf(rng.random::<f64>())
            };
            (span.ln() / (n / 2.0).ln()).clamp(0.0, 1.0)
        })
        .collect();
    distance_to_uniform(&lengths)
}

fn number(node: usize) -> u32 {
    u32::try_from(node).expect("a simulated network has fewer than 2^32 nodes")
}

/// A walk that is longer goes in circles, or might as well.
const WALK_MAX: usize = 2_000;

/// Lengths drawn for a floor.
const SAMPLE: usize = 200_000;
