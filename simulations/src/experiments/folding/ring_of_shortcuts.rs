//! Sandberg's model: a directed ring on which each node has one shortcut.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::statistics::count;

/// A directed ring of nodes with a shortcut each, or none.
pub(super) struct Shortcuts {
    to: Vec<Option<usize>>,
}

impl Shortcuts {
    /// Without shortcuts.
    pub(super) fn none(nodes: usize) -> Self {
        Self {
            to: vec![None; nodes],
        }
    }

    /// With shortcuts over `d` steps drawn with a probability proportional to 1/d.
    pub(super) fn harmonic(nodes: usize, rng: &mut ChaCha8Rng) -> Self {
        // Exactly: the share of distances up to d is the d-th harmonic number by the last
        let mut sums = vec![0.0; nodes];
        for distance in 1..nodes {
            sums[distance] = sums[distance - 1] + 1.0 / count(distance);
        }
        let total = sums[nodes - 1];
        let draw = |node: usize, part: f64| {
            (node + sums.partition_point(|&sum| sum < part * total)) % nodes
        };
        Self {
            to: (0..nodes)
                .map(|node| Some(draw(node, rng.random())))
                .collect(),
        }
    }

    /// Walks between random nodes; each node on the way takes the destination as its shortcut with a probability. Gives
    /// the mean number of steps.
    pub(super) fn walks(&mut self, walks: usize, fold: f64, rng: &mut ChaCha8Rng) -> f64 {
        let nodes = self.to.len();
        let mut steps = 0;
        let mut way = Vec::new();
        for _ in 0..walks {
            let (from, to) = (rng.random_range(0..nodes), rng.random_range(0..nodes));
            way.clear();
            let mut at = from;
            while at != to {
                way.push(at);
                let left = |node: usize| (to + nodes - node) % nodes;
                let next = (at + 1) % nodes;
                at = self.to[at]
                    .filter(|&shortcut| left(shortcut) < left(next))
                    .unwrap_or(next);
            }
            steps += way.len();
            for &node in &way {
                if rng.random_bool(fold) {
                    self.to[node] = Some(to);
                }
            }
        }
        count(steps) / count(walks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::rng_for;

    #[test]
    fn folding_shortens_walks_and_without_it_they_go_step_by_step() {
        let mut rng = rng_for(1, "shortcuts");
        let bare = Shortcuts::none(1_000).walks(500, 0.0, &mut rng);
        assert!((450.0..550.0).contains(&bare), "{bare}");
        let mut folded = Shortcuts::none(1_000);
        folded.walks(10_000, 0.1, &mut rng);
        assert!(folded.walks(2_000, 0.1, &mut rng) < 30.0);
        assert!(Shortcuts::harmonic(1_000, &mut rng).walks(2_000, 0.0, &mut rng) < 35.0);
    }
}
