//! What is said about many numbers in a few.

/// A sample in a few numbers. All are not-a-number if the sample is empty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// How many there are.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// A quarter is at most this.
    pub lower_quartile: f64,
    /// Half is at most this.
    pub median: f64,
    /// Three quarters are at most this.
    pub upper_quartile: f64,
    /// 95 of 100 are at most this.
    pub p95: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// The greatest.
    pub max: f64,
}

impl Summary {
    /// Of these numbers.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Self {
            count: sorted.len(),
            mean: mean(&sorted),
            lower_quartile: quantile(&sorted, 0.25),
            median: quantile(&sorted, 0.5),
            upper_quartile: quantile(&sorted, 0.75),
            p95: quantile(&sorted, 0.95),
            p99: quantile(&sorted, 0.99),
            max: sorted.last().copied().unwrap_or(f64::NAN),
        }
    }
}

/// The mean; not-a-number for nothing.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len())
}

/// The standard deviation, estimated from a sample; zero for fewer than two.
#[must_use]
pub fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / count(values.len() - 1)).sqrt()
}

/// The least of the sorted numbers that at least the fraction `part` does not exceed; not-a-number for nothing.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in the list: not negative, and bounded by its length"
)]
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let rank = (part * count(sorted.len())).ceil() as usize;
    let last = sorted.len().saturating_sub(1);
    sorted
        .get(rank.saturating_sub(1).min(last))
        .copied()
        .unwrap_or(f64::NAN)
}

/// The Kolmogorov-Smirnov distance of numbers in [0, 1] to an even spread: the greatest difference between the share of
/// numbers below a point and the point itself. One for nothing.
#[must_use]
pub fn distance_to_uniform(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 1.0;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = count(sorted.len());
    sorted
        .iter()
        .enumerate()
        .map(|(index, &value)| (value - count(index) / n).max(count(index + 1) / n - value))
        .fold(0.0, f64::max)
}

/// The slope of the straight line that fits the points best (least squares); for a power law, give logarithms.
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> f64 {
    let n = count(points.len());
    let mean_x = points.iter().map(|point| point.0).sum::<f64>() / n;
    let mean_y = points.iter().map(|point| point.1).sum::<f64>() / n;
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (x, y) in points {
        covariance += (x - mean_x) * (y - mean_y);
        variance += (x - mean_x).powi(2);
    }
    covariance / variance
}

/// A count as a number to reckon with.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a simulation are far below 2^53"
)]
pub const fn count(number: usize) -> f64 {
    number as f64
}

/// Which part of `whole` is `part`; not-a-number of nothing.
#[must_use]
pub const fn share(part: usize, whole: usize) -> f64 {
    count(part) / count(whole)
}

/// Whether two parts of a whole are the same, however they were reckoned.
#[must_use]
pub const fn is_same_part(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_summarised() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let summary = Summary::of(&values);
        assert_eq!(summary.count, 100);
        assert!((summary.mean - 50.5).abs() < 1e-9);
        let quantiles = [
            summary.lower_quartile,
            summary.median,
            summary.upper_quartile,
            summary.p95,
            summary.p99,
            summary.max,
        ];
        assert_eq!(quantiles, [25.0, 50.0, 75.0, 95.0, 99.0, 100.0]);
        assert!(Summary::of(&[]).median.is_nan());
        assert!((deviation(&[1.0, 3.0]) - 2.0_f64.sqrt()).abs() < 1e-12);
        assert!(deviation(&[1.0]).abs() < 1e-12);
    }

    #[test]
    fn an_even_spread_is_near_to_uniform_and_a_heap_is_far() {
        let even: Vec<f64> = (0..1000).map(|n| (f64::from(n) + 0.5) / 1000.0).collect();
        assert!(distance_to_uniform(&even) < 0.001);
        assert!(distance_to_uniform(&[0.1; 50]) > 0.89);
    }

    #[test]
    fn the_slope_of_a_line_is_found() {
        let points: Vec<(f64, f64)> = (0..9)
            .map(|n| (f64::from(n), 3.0 - 2.0 * f64::from(n)))
            .collect();
        assert!((slope(&points) + 2.0).abs() < 1e-9);
    }
}
