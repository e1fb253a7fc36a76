//! How many links nodes have.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use routing::Location;
use serde::Deserialize;

use crate::random::rng_for;
use crate::statistics::count;
use crate::topology::Topology;

/// How many links nodes have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Degrees {
    /// About as many each. At least 4.
    Even(usize),
    /// As the owners' bandwidths make them: 20 in the middle, a logarithm that is normally distributed with a deviation of
    /// 0.6, and no fewer than 10 and no more than 85, the bounds that routers have.
    Uneven,
    /// As they were measured in Freenet's opennet in 2013 (Roos and others, 2014, figure 1): peaks at 13, 50, 75 and 100, and
    /// hardly anybody above. How many nodes belong to each peak is a guess: seven, two and one of ten, and a few.
    Measured,
}

/// Peaks of measured degrees, and which part of all nodes is taken to be around each: a guess, with most nodes at the
/// lowest peak and a mean of 28, as in the network that was measured.
const PEAKS: [(f64, f64); 4] = [(13.0, 0.70), (50.0, 0.18), (75.0, 0.08), (100.0, 0.04)];

/// Degrees lie so far around a peak, as a part of it.
const PEAK_WIDTH: f64 = 0.15;

/// Degrees by bandwidth.
const LEAST: f64 = 10.0;
const MOST: f64 = 85.0;

impl Degrees {
    /// A small world of nodes at random places: each is linked with both neighbours on the ring, and with others by
    /// Kleinberg's law.
    #[must_use]
    pub fn topology(self, nodes: usize, seed: u64) -> Topology {
        if let Self::Even(degree) = self {
            return Topology::small_world(nodes, degree.saturating_sub(2), seed);
        }
        let mut rng = rng_for(seed, "uneven links");
        let wanted: Vec<f64> = (0..nodes).map(|_| self.draw(&mut rng)).collect();
        let most = wanted.iter().copied().fold(1.0, f64::max);
        let places = (0..nodes).map(|_| Location::from_fraction(rng.random()));
        let mut topology = Topology::of_locations(places.collect());
        let ring = topology.ring_order();
        for place in 0..nodes {
            topology.link(ring[place], ring[(place + 1) % nodes]);
        }
        for (place, &node) in ring.iter().enumerate() {
            // Half of what it wants it draws itself; the other half comes from others, who prefer those that want many
            let mut missing = (wanted[node] - 2.0) / 2.0;
            while missing > 0.0 {
                let other = ring[(place + long_gap(nodes, &mut rng)) % nodes];
                if rng.random::<f64>() * most < wanted[other] {
                    topology.link(node, other);
                    missing -= 1.0;
                }
            }
        }
        topology
    }

    /// What one node wants.
    fn draw(self, rng: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Even(degree) => count(degree),
            Self::Uneven => by_bandwidth(rng),
            Self::Measured => {
                let mut rest = rng.random::<f64>();
                let found = PEAKS.iter().find(|(_, part)| {
                    rest -= part;
                    rest < 0.0
                });
                let (peak, _) = found.unwrap_or(&PEAKS[0]);
                peak * rng.random_range(1.0 - PEAK_WIDTH..1.0 + PEAK_WIDTH)
            }
        }
    }
}

fn by_bandwidth(rng: &mut ChaCha8Rng) -> f64 {
    // Box and Muller's normal deviate
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    let deviate = radius * (std::f64::consts::TAU * rng.random::<f64>()).cos();
    (20.0 * (0.6 * deviate).exp()).clamp(LEAST, MOST)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn degrees(kind: Degrees) -> Vec<usize> {
        let topology = kind.topology(2_000, 1);
        let mut all: Vec<usize> = (0..2_000).map(|node| topology.degree(node)).collect();
        all.sort_unstable();
        all
    }

    fn mean(degrees: &[usize]) -> f64 {
        count(degrees.iter().sum()) / count(degrees.len())
    }

    #[test]
    fn degrees_are_as_asked() {
        let even = degrees(Degrees::Even(20));
        // Links that are drawn twice count once
        assert!((17.5..20.5).contains(&mean(&even)), "{}", mean(&even));
        let uneven = degrees(Degrees::Uneven);
        assert!((18.0..28.0).contains(&mean(&uneven)), "{}", mean(&uneven));
        assert!(uneven[1_999] > 60 && uneven[0] < 12, "{uneven:?}");
        let measured = degrees(Degrees::Measured);
        assert!(
            (23.0..31.0).contains(&mean(&measured)),
            "{}",
            mean(&measured)
        );
        assert!(measured[1_000] < 20, "most have few: {}", measured[1_000]);
        assert!(measured[1_950] > 60, "some have many: {}", measured[1_950]);
    }
}
