//! How often keys are asked for.

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

    /// The sum of the weights of the keys up to each one, the most popular first; the last is 1.
    pub(super) fn sums(self, keys: usize, exponent: f64) -> Vec<f64> {
        let weight = |rank: usize| match self {
            Self::Uniform => 1.0,
            Self::PowerLaw => count(rank).powf(-exponent),
        };
        let all: f64 = (1..=keys).map(weight).sum();
        let mut sum = 0.0;
        (1..=keys)
            .map(|rank| {
                sum += weight(rank) / all;
                sum
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_power_law_is_asked_for_twice_as_often_as_the_second() {
        let sums = Popularity::PowerLaw.sums(100, 1.0);
        assert!((sums[0] - 2.0 * (sums[1] - sums[0])).abs() < 1e-12);
        assert!((sums[99] - 1.0).abs() < 1e-9);
        let even = Popularity::Uniform.sums(100, 1.0);
        assert!((even[49] - 0.5).abs() < 1e-9);
    }
}
