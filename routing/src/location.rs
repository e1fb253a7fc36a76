//! Places on the ring, and how far apart they are.

use std::fmt;

use crypto::{BlockKey, NodeId};

/// A place on the ring [0, 1), of a node or of a key.
///
/// Kept as a 64-bit fraction: distances are exact, and equal on every machine.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Location(u64);

impl Location {
    /// The place at `fraction` of the way around; whole turns are dropped. Not-a-number gives zero.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the fraction is in [0, 1), so its product with 2^64 fits; the cast saturates at the edge"
    )]
    pub fn from_fraction(fraction: f64) -> Self {
        Self((fraction.rem_euclid(1.0) * TWO_POW_64) as u64)
    }

    /// The place of a node, which its identity decides.
    #[must_use]
    pub fn of_node(id: &NodeId) -> Self {
        Self::from_fraction(id.location())
    }

    /// The place of a key, which is the head of its routing key.
    #[must_use]
    pub fn of_key(key: &BlockKey) -> Self {
        Self::from_fraction(key.routing_key.location())
    }

    /// This place as a fraction of the way around, in [0, 1).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 of 64 bits are kept")]
    pub fn as_fraction(self) -> f64 {
        // Dropping the low bits first keeps the result below one
        ((self.0 >> 11) << 11) as f64 / TWO_POW_64
    }

    /// The shorter way around between the two.
    #[must_use]
    pub const fn distance(self, other: Self) -> Distance {
        let clockwise = other.0.wrapping_sub(self.0);
        let back = self.0.wrapping_sub(other.0);
        Distance(if clockwise < back { clockwise } else { back })
    }

    /// The place with these bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The place so far around from here, clockwise. Distances above half of the ring do not exist.
    #[must_use]
    pub const fn clockwise(self, distance: Distance) -> Self {
        Self(self.0.wrapping_add(distance.0))
    }

    /// The place so far around from here, the other way.
    #[must_use]
    pub const fn counterclockwise(self, distance: Distance) -> Self {
        Self(self.0.wrapping_sub(distance.0))
    }

    /// The place in units of 2^-64 of the ring, as the router's own arithmetic sees it.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The way clockwise to another place, in units of 2^-64 of the ring.
    pub(crate) const fn clockwise_to(self, other: Self) -> u64 {
        other.0.wrapping_sub(self.0)
    }

    /// The place so far clockwise of this one.
    pub(crate) const fn moved_clockwise(self, bits: u64) -> Self {
        Self(self.0.wrapping_add(bits))
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4}", self.as_fraction())
    }
}

/// How far two places are apart: at most half of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance(u64);

impl Distance {
    /// This distance and so much more, in units of 2^-64 of the ring.
    pub(crate) const fn plus(self, bits: u64) -> Self {
        Self(self.0.saturating_add(bits))
    }

    /// Half of the ring.
    pub(crate) const MAX: Self = Self(1 << 63);

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// In units of 2^-64 of the ring.
    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    /// The distance as a fraction of the ring, in [0, 0.5].
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 of 64 bits are kept")]
    pub fn as_fraction(self) -> f64 {
        self.0 as f64 / TWO_POW_64
    }
}

const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shorter_way_may_cross_zero() {
        let distance = Location::from_fraction(0.95).distance(Location::from_fraction(0.05));
        assert!((distance.as_fraction() - 0.1).abs() < 1e-12, "{distance:?}");
    }

    #[test]
    fn odd_fractions_land_on_the_ring() {
        for fraction in [1.0, -0.25, f64::NAN, f64::INFINITY, 1.0 - f64::EPSILON] {
            let location = Location::from_fraction(fraction);
            assert!((0.0..1.0).contains(&location.as_fraction()), "{fraction}");
        }
        assert!(Location(u64::MAX).as_fraction() < 1.0);
    }

    proptest! {
        #[test]
        fn distance_is_symmetric_and_at_most_half(a: u64, b: u64, c: u64) {
            let [a, b, c] = [a, b, c].map(Location);
            prop_assert_eq!(a.distance(b), b.distance(a));
            prop_assert_eq!(a.distance(a).0, 0);
            prop_assert!(a.distance(b).as_fraction() <= 0.5);
            prop_assert!(a.distance(c).0 <= a.distance(b).0.saturating_add(b.distance(c).0));
        }
    }
}
