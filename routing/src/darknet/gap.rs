//! How far apart nodes are on the ring, as one node can see it.

use crate::location::{Distance, Location};

/// What a node has seen of the distance from a random place to the node found there.
///
/// It bounds what a swap may do. Whoever answers a walk must be about where the walk was sent, so that nobody can put a
/// node where the node did not want to go; and a place that is taken already is not taken again, however good it looks: an
/// attacker that gives the same place to many would draw a whole network to it, since each that comes makes it look better
/// to its friends.
///
/// Walks do not always find the nearest node. How far the worse ones end shows in the median; how near nodes really are in
/// the lowest tenth, which the good ones make up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    median: u64,
    tenth: u64,
}

impl Gap {
    /// What a node believes that has seen nothing: some ten thousand nodes.
    pub const START: Self = Self {
        median: 1 << 50,
        tenth: 1 << 46,
    };

    /// Takes in how far from a random place the node was that was found there. The estimates go to their shares: where steps
    /// up are as large as steps down there are as many of both, and where they are nine times smaller, nine times as many.
    pub const fn note(&mut self, found: Distance) {
        let found = found.to_bits();
        self.median = if found > self.median {
            bounded(self.median + self.median / 8)
        } else {
            bounded(self.median - self.median / 8)
        };
        self.tenth = if found > self.tenth {
            bounded(self.tenth + self.tenth / 32)
        } else {
            bounded(self.tenth - 9 * (self.tenth / 32))
        };
    }

    /// A distance that every other walk to a random place comes within.
    #[must_use]
    pub const fn typical(self) -> Distance {
        Distance::from_bits(self.median)
    }

    /// Whether a node that answers at `found` may have been found by a walk to `target`.
    #[must_use]
    pub const fn is_on_target(self, target: Location, found: Location) -> bool {
        found.distance(target).to_bits() <= self.median.saturating_mul(ON_TARGET)
    }

    /// Whether a place is taken whose nearest other node is so far away.
    #[must_use]
    pub const fn is_taken(self, nearest: Distance) -> bool {
        nearest.to_bits() < self.tenth
    }

    /// Whether one of a node's own friends takes a place. Where they are it knows without looking, and nobody can hide them.
    #[must_use]
    pub(super) fn is_taken_by(
        self,
        place: Location,
        mut friends: impl Iterator<Item = Location>,
    ) -> bool {
        friends.any(|friend| self.is_taken(friend.distance(place)))
    }

    /// Whether a node should leave a place whose nearest other node is so far away. That is judged more mildly: to leave costs
    /// more than not to come.
    #[must_use]
    pub const fn is_crowded(self, nearest: Distance) -> bool {
        nearest.to_bits() < self.tenth / 4
    }
}

const fn bounded(estimate: u64) -> u64 {
    if estimate > GAP_MAX {
        GAP_MAX
    } else if estimate < GAP_MIN {
        GAP_MIN
    } else {
        estimate
    }
}

/// Where walks find the nearest node, one in 256 finds it eight times as far away as the median one.
const ON_TARGET: u64 = 8;

/// An eighth of the ring: a dozen nodes.
const GAP_MAX: u64 = 1 << 61;

/// A billion nodes.
const GAP_MIN: u64 = 1 << 34;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn the_estimates_find_the_median_and_the_lowest_tenth() {
        let mut gap = Gap::START;
        let (mut typical, mut taken) = (0.0, 0);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for number in 0..4_000 {
            // Evenly from zero to 2^47
            let found = Distance::from_bits(random.next_u64() >> 17);
            if number >= 2_000 {
                typical += gap.typical().as_fraction() / Distance::from_bits(1 << 46).as_fraction();
                taken += u32::from(gap.is_taken(found));
            }
            gap.note(found);
        }
        assert!(
            (0.8..1.25).contains(&(typical / 2_000.0)),
            "{}",
            typical / 2_000.0
        );
        assert!(
            (100..300).contains(&taken),
            "{taken} of 2000, typical {typical}"
        );
    }

    proptest! {
        #[test]
        fn whatever_is_found_the_estimates_stay_within_bounds(found in prop::collection::vec(any::<u64>(), 0..500)) {
            let mut gap = Gap::START;
            for found in found {
                gap.note(Distance::from_bits(found));
            }
            prop_assert!((GAP_MIN..=GAP_MAX).contains(&gap.median));
            prop_assert!((GAP_MIN..=GAP_MAX).contains(&gap.tenth));
        }
    }
}
