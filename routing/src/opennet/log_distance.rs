//! Distances on a scale on which good links are evenly spread.

use crate::location::Distance;

/// The binary logarithm of a distance in units of 2^-64 of the ring, in steps of 2^-16.
///
/// Links with a probability of 1/d are evenly distributed on this scale. It is computed with integers, so that it is the
/// same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogDistance(pub(crate) u32);

impl LogDistance {
    /// Of half of the ring: no distance is longer.
    pub(crate) const MAX: Self = Self(63 << STEPS_LOG2);

    /// Of `distance`; nought counts as the smallest there is.
    pub(crate) fn of(distance: Distance) -> Self {
        let bits = if distance.to_bits() == 0 {
            1
        } else {
            distance.to_bits()
        };
        let leading = bits.leading_zeros();
        // From 2^63 up: one point something. Its square has twice the logarithm
        let mut mantissa = bits << leading;
        let mut log = 63 - leading;
        let mut step = 0;
        while step < STEPS_LOG2 {
            let (low, high) = mantissa.carrying_mul(mantissa, 0);
            log <<= 1;
            if high >> 63 == 1 {
                log |= 1;
                mantissa = high;
            } else {
                mantissa = high << 1 | low >> 63;
            }
            step += 1;
        }
        Self(log)
    }

    /// As far beyond the longest distance as this is before it.
    pub(crate) const fn mirrored(self) -> Self {
        Self((2 * Self::MAX.0).saturating_sub(self.0))
    }

    /// A distance with this logarithm.
    pub(crate) fn distance(self) -> Distance {
        let (mut below, mut above) = (0, Distance::MAX.to_bits());
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            if Self::of(Distance::from_bits(middle)) < self {
                below = middle;
            } else {
                above = middle;
            }
        }
        Distance::from_bits(above)
    }
}

/// Steps of a doubling, as a power of two.
const STEPS_LOG2: u32 = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn doubling_a_distance_adds_one_doubling() {
        let log = |bits| LogDistance::of(Distance::from_bits(bits)).0;
        assert_eq!((log(0), log(1), log(2)), (0, 0, 1 << 16));
        assert_eq!(LogDistance::of(Distance::MAX), LogDistance::MAX);
        assert_eq!(log(3), 103_872, "1.58496 times 65536, rounded down");
    }

    proptest! {
        #[test]
        fn a_logarithm_has_a_distance_and_order_is_kept(a in 1..1_u64 << 63, b in 1..1_u64 << 63) {
            let (log_a, log_b) = (LogDistance::of(Distance::from_bits(a)), LogDistance::of(Distance::from_bits(b)));
            prop_assert!(a > b || log_a <= log_b);
            prop_assert_eq!(LogDistance::of(log_a.distance()), log_a);
        }
    }
}
