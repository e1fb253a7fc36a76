//! Walks from node to node towards a target.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::ring_graph::RingGraph;
use crate::statistics::count;

/// How the next node is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The neighbour that is nearest to the target.
    Greedy,
    /// The neighbour that is, or has a neighbour that is, nearest to the target.
    Lookahead,
    /// A planted fault: the neighbour that is furthest from the target.
    Reversed,
}

/// The walks that arrived.
pub(super) struct Walks {
    /// Hops of each.
    pub(super) hops: Vec<f64>,
}

/// Walks between random pairs of different nodes.
pub(super) fn walks(
    graph: &RingGraph,
    rule: Rule,
    pairs: usize,
    hops_max: usize,
    rng: &mut ChaCha8Rng,
) -> Walks {
    let hops = (0..pairs)
        .filter_map(|_| {
            let from = rng.random_range(0..graph.nodes());
            let to = (from + rng.random_range(1..graph.nodes())) % graph.nodes();
            walk(graph, rule, from, to, hops_max).map(count)
        })
        .collect();
    Walks { hops }
}

/// The number of hops from one node to another; `None` if the walk comes no nearer or is too long.
fn walk(graph: &RingGraph, rule: Rule, from: usize, to: usize, hops_max: usize) -> Option<usize> {
    let mut at = from;
    for hops in 0..=hops_max {
        if at == to {
            return Some(hops);
        }
        let next = next(graph, rule, at, to)?;
        if rule == Rule::Greedy && graph.distance(next, to) >= graph.distance(at, to) {
            return None;
        }
        at = next;
    }
    None
}

fn next(graph: &RingGraph, rule: Rule, at: usize, to: usize) -> Option<usize> {
    let neighbours = graph.neighbours(at);
    match rule {
        Rule::Greedy => neighbours.min_by_key(|&node| graph.distance(node, to)),
        Rule::Reversed => neighbours.max_by_key(|&node| graph.distance(node, to)),
        Rule::Lookahead => neighbours.min_by_key(|&node| {
            let own = graph.distance(node, to);
            let theirs = graph
                .neighbours(node)
                .map(|next| graph.distance(next, to))
                .min();
            // Of two ways to the same place, the one whose first step is nearer
            (theirs.unwrap_or(own).min(own), own)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::rng_for;
    use crate::ring_graph::Shape;

    fn ring(long_links: usize) -> RingGraph {
        let shape = Shape {
            nodes: 300,
            long_links,
            exponent: 1.0,
            lattice: true,
        };
        RingGraph::draw(&shape, &mut rng_for(1, "ring"))
    }

    #[test]
    fn on_a_bare_ring_a_walk_takes_every_step() {
        let ring = ring(0);
        assert_eq!(walk(&ring, Rule::Greedy, 3, 290, 1000), Some(13));
        assert_eq!(walk(&ring, Rule::Lookahead, 3, 290, 1000), Some(13));
        assert_eq!(walk(&ring, Rule::Greedy, 3, 290, 12), None);
        assert_eq!(walk(&ring, Rule::Greedy, 3, 3, 0), Some(0));
    }

    #[test]
    fn long_links_and_lookahead_shorten_walks_and_reversed_distances_end_none() {
        let mean = |links, rule| {
            let walks = walks(&ring(links), rule, 500, 1000, &mut rng_for(2, "pairs"));
            walks.hops.iter().sum::<f64>() / count(walks.hops.len())
        };
        assert!(mean(3, Rule::Greedy) < mean(0, Rule::Greedy) / 5.0);
        assert!(mean(3, Rule::Lookahead) < mean(3, Rule::Greedy));
        let lost = walks(
            &ring(3),
            Rule::Reversed,
            500,
            1000,
            &mut rng_for(2, "pairs"),
        );
        assert!(lost.hops.len() < 100, "{}", lost.hops.len());
    }
}
