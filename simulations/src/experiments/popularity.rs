//! How often keys are asked for.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::statistics::count;

/// How often keys are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Popularity {
    Uniform,
    PowerLaw,
}

impl Popularity {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::PowerLaw => "power law",
        }
    }

    /// Draws of so many keys. `exponent` is the power law's.
    pub(super) fn of_keys(self, keys: usize, exponent: f64) -> Draws {
        let weight = |rank: usize| match self {
            Self::Uniform => 1.0,
            Self::PowerLaw => count(rank).powf(-exponent),
        };
        let all: f64 = (1..=keys).map(weight).sum();
        let mut sum = 0.0;
        let sums = (1..=keys).map(|rank| {
            sum += weight(rank) / all;
            sum
        });
        Draws {
            sums: sums.collect(),
        }
    }
}

/// Keys by how often they are asked for.
#[derive(Clone, Debug)]
pub(super) struct Draws {
    /// The sum of the weights of the keys up to each one, the most popular first; the last is 1.
    sums: Vec<f64>,
}

impl Draws {
    /// The rank of a key that is asked for, the most popular being 0.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> usize {
        let draw: f64 = rng.random();
        let rank = self.sums.partition_point(|&sum| sum < draw);
        // The last sum may be rounded to less than 1
        rank.min(self.sums.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_power_law_is_asked_for_twice_as_often_as_the_second() {
        let sums = Popularity::PowerLaw.of_keys(100, 1.0).sums;
        assert!((sums[0] - 2.0 * (sums[1] - sums[0])).abs() < 1e-12);
        assert!((sums[99] - 1.0).abs() < 1e-9);
        let even = Popularity::Uniform.of_keys(100, 1.0).sums;
        assert!((even[49] - 0.5).abs() < 1e-9);
    }

    #[test]
    fn keys_are_drawn_as_often_as_they_weigh() {
        let mut rng = crate::random::rng_for(1, "popularity");
        let draws = Popularity::PowerLaw.of_keys(10, 1.0);
        let mut drawn = [0_u32; 10];
        for _ in 0..20_000 {
            drawn[draws.draw(&mut rng)] += 1;
        }
        // One over the tenth harmonic number, 2.929, and a tenth of that
        assert!((6_600..7_060).contains(&drawn[0]), "{drawn:?}");
        assert!((600..765).contains(&drawn[9]), "{drawn:?}");
    }
}
