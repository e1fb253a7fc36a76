//! What links do to messages.

use std::f64::consts::TAU;
use std::ops::Range;
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::random::mix;

/// How long messages take and how many are lost.
#[derive(Clone, Debug)]
pub struct LinkModel {
    /// Each message takes a time from this range besides what its link takes.
    pub delay: Range<Duration>,
    /// Whether small messages arrive in the order in which they were sent, and before blocks that were sent later, as over
    /// the transport's streams. Otherwise any message may overtake any other.
    pub ordered: bool,
    /// What each link takes, always the same.
    pub base: BaseLatency,
    /// The probability with which a message never arrives.
    pub loss: f64,
}

/// The part of the latency that depends on which two nodes a link joins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BaseLatency {
    /// None.
    Zero,
    /// Lognormal over all pairs of nodes.
    LogNormal {
        /// Of all pairs, half take less, one way.
        median: Duration,
        /// The standard deviation of the logarithm; 0.5 makes one pair in twenty take 2.3 times the median.
        sigma: f64,
    },
    /// Nodes are at random places of a square without edges, and the latency grows with the distance, so that a node near
    /// two others makes these near each other, as it is on Earth. On top of it each node has an access of its own.
    Plane {
        /// Of all pairs, half take about so long or less, one way. A quarter of it is the two accesses' share.
        median: Duration,
    },
}

impl Default for LinkModel {
    /// A continent: 10 to 50 ms, nothing lost.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10)..Duration::from_millis(50),
            ordered: true,
            base: BaseLatency::Zero,
            loss: 0.0,
        }
    }
}

impl LinkModel {
    /// The Internet: 60 ms one way between random nodes in the median, up to 6 ms more for each message, nothing lost.
    /// (A world-wide median round trip of some 120 ms is what overlay measurements report.)
    #[must_use]
    pub const fn internet() -> Self {
        Self {
            delay: Duration::ZERO..Duration::from_millis(6),
            ordered: true,
            base: BaseLatency::Plane {
                median: Duration::from_millis(60),
            },
            loss: 0.0,
        }
    }

    /// How long the next message from `a` to `b` takes, or `None` if it is lost.
    pub(crate) fn draw(&self, seed: u64, a: u32, b: u32, rng: &mut ChaCha8Rng) -> Option<Duration> {
        if self.loss > 0.0 && rng.random_bool(self.loss) {
            return None;
        }
        let (start, end) = (micros(self.delay.start), micros(self.delay.end));
        let delay = if start < end {
            rng.random_range(start..end)
        } else {
            start
        };
        Some(self.base.of(seed, a, b) + Duration::from_micros(delay))
    }

    /// No message from `a` to `b` takes longer.
    pub(crate) fn longest(&self, seed: u64, a: u32, b: u32) -> Duration {
        self.base.of(seed, a, b) + self.delay.start.max(self.delay.end)
    }
}

impl BaseLatency {
    /// One way between two nodes, the same both ways. `seed` is the world's.
    #[must_use]
    pub fn of(self, seed: u64, a: u32, b: u32) -> Duration {
        match self {
            Self::Zero => Duration::ZERO,
            Self::LogNormal { median, sigma } => {
                let pair = u64::from(a.min(b)) << 32 | u64::from(a.max(b));
                median.mul_f64((sigma * normal(mix(seed ^ mix(pair)))).exp())
            }
            Self::Plane { median } => {
                let [a, b] = [a, b].map(|node| Site::of(seed, node));
                let side = |x: f64, y: f64| {
                    let apart = (x - y).abs();
                    apart.min(1.0 - apart)
                };
                let distance = side(a.x, b.x).hypot(side(a.y, b.y));
                // Half of all pairs are at most HALF_WITHIN apart
                let ways = 0.75 * distance / HALF_WITHIN;
                median.mul_f64(ways + 0.125 * (a.access + b.access))
            }
        }
    }
}

/// Where a node is in the plane.
struct Site {
    x: f64,
    y: f64,
    /// What the way to its first router takes: 1 on average, rarely more than 3.
    access: f64,
}

impl Site {
    fn of(seed: u64, node: u32) -> Self {
        let first = mix(seed ^ mix(u64::from(node)));
        let second = mix(first);
        Self {
            x: fraction(first),
            y: fraction(second),
            access: -fraction(mix(second)).max(1e-3).ln(),
        }
    }
}

/// A number from 0 to 1 out of random bits.
#[expect(clippy::cast_precision_loss, reason = "53 bits are kept")]
pub(crate) fn fraction(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// A normally distributed number out of random bits (Box and Muller).
fn normal(bits: u64) -> f64 {
    let radius = (-2.0 * (1.0 - fraction(bits)).ln()).sqrt();
    radius * (TAU * fraction(mix(bits))).cos()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Half of all pairs of points of the unit square without edges are nearer: the circle of that radius has an area of 1/2.
const HALF_WITHIN: f64 = 0.398_942_280_401_432_7;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::rng_for;

    #[test]
    fn half_of_all_links_take_the_median_or_less() {
        let median = Duration::from_millis(60);
        for base in [
            BaseLatency::LogNormal { median, sigma: 0.5 },
            BaseLatency::Plane { median },
        ] {
            let mut all: Vec<Duration> = (0..4_000)
                .map(|pair| base.of(1, pair, pair + 9_000))
                .collect();
            all.sort_unstable();
            let found = all[2_000];
            assert!(found.abs_diff(median) < median / 15, "{base:?}: {found:?}");
            assert!(
                all[40] < median / 2 && all[3_960] > median * 3 / 2,
                "{base:?} varies"
            );
            assert_eq!(base.of(1, 3, 7), base.of(1, 7, 3), "both ways take as long");
            assert_ne!(base.of(1, 3, 7), base.of(2, 3, 7), "the seed decides");
        }
    }

    #[test]
    fn no_message_takes_longer_than_the_longest() {
        let model = LinkModel::internet();
        let mut rng = rng_for(1, "test");
        for _ in 0..1_000 {
            assert!(model.draw(1, 5, 6, &mut rng).unwrap() <= model.longest(1, 5, 6));
        }
    }
}
