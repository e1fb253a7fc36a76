//! Where on the ring a node's surroundings are, roughly.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::location::Location;

/// A direction from the middle of the ring, and how sure it is: the average over the places around a node, near ones
/// counting more.
///
/// Each node averages over its friends what they say, and tells the result; so a drift reaches some twenty links far. Over
/// a network that averaging leaves the slowest wave around the graph, which is what the ring should be. A node's *place* is
/// what the averages are made of, and places are spread evenly, so that there is always something that drives them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    x: i32,
    y: i32,
}

impl Drift {
    fn towards(place: Location) -> Self {
        let [x, y] = direction(place).map(to_fixed);
        Self { x, y }
    }

    /// The direction of what is left of it without another one.
    fn without(self, other: Self) -> Self {
        let [x, y] = [(self.x, other.x), (self.y, other.y)]
            .map(|(own, other)| f64::from(own) - f64::from(other));
        let length = x.hypot(y).max(1.0);
        let [x, y] = [x, y].map(|part| to_fixed(part / length));
        Self { x, y }
    }

    fn mean(all: impl Iterator<Item = [f64; 2]>) -> Self {
        let (mut x, mut y, mut len) = (0.0, 0.0, 0.0_f64);
        for [one_x, one_y] in all {
            x += one_x;
            y += one_y;
            len += 1.0;
        }
        let [x, y] = [x, y].map(|sum| to_fixed(sum / len.max(1.0)));
        Self { x, y }
    }

    /// The drift of a node whose friends say that they are at these places with these drifts. Nobody's word counts more
    /// than any other's, whatever it says.
    pub(crate) fn among(friends: impl Iterator<Item = (Location, Self)>) -> Self {
        Self::mean(friends.map(|(location, drift)| {
            let [x, y] = direction(location);
            let [far_x, far_y] = drift.bounded();
            [
                PLACE_SHARE * x + (1.0 - PLACE_SHARE) * far_x,
                PLACE_SHARE * y + (1.0 - PLACE_SHARE) * far_y,
            ]
        }))
    }

    /// The place in its direction; `None` without a direction.
    #[must_use]
    pub fn place(self) -> Option<Location> {
        let [x, y] = self.bounded();
        (self != Self::default()).then(|| Location::from_fraction(y.atan2(x) / TAU))
    }

    /// How much better, seen from the middle of the ring, a node with this drift stands after a move: from -2 to 2.
    #[must_use]
    pub fn gain(self, from: Location, to: Location) -> f64 {
        let [x, y] = self.bounded();
        let length = x.hypot(y);
        let along = |location: Location| {
            let [to_x, to_y] = direction(location);
            to_x * x + to_y * y
        };
        if length > 0.0 {
            (along(to) - along(from)) / length
        } else {
            0.0
        }
    }

    pub(super) fn to_bytes(self) -> [u8; 8] {
        let mut bytes = [0; 8];
        let (x, y) = bytes.split_at_mut(4);
        x.copy_from_slice(&self.x.to_le_bytes());
        y.copy_from_slice(&self.y.to_le_bytes());
        bytes
    }

    /// As a vector no longer than one.
    fn bounded(self) -> [f64; 2] {
        let [x, y] = [self.x, self.y].map(|part| f64::from(part) / UNIT);
        let length = x.hypot(y).max(1.0);
        [x / length, y / length]
    }
}

/// What a node makes of its friends' drifts, round by round.
///
/// In its first rounds it does not move. It begins with the direction of its place and averages over its friends again and
/// again: of all waves around the graph, the slowest one fades least. Then what is everywhere the same is taken off, and the
/// rest made a direction. Where nodes moved from the beginning, each part of a large network found an order of its own, and these
/// could meet so that the ring was folded, which swaps do not undo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    told: Drift,
    /// What it told some rounds ago.
    earlier: Drift,
    /// Its direction, before it is told.
    found: Drift,
}

impl Surroundings {
    /// What the node tells its friends, and goes by.
    #[must_use]
    pub const fn drift(self) -> Drift {
        self.told
    }

    /// What becomes of it in one of a node's rounds, of which the first is 1. Nobody moves in the first `spread_rounds`.
    ///
    /// What has faded in some of these rounds is the slowest wave; what is everywhere the same has not. (The difference to the
    /// friends' averages is the same wave, but no larger than what changes in a round, and friends' rounds are not at the same
    /// time.) A direction is kept back until friends that are some rounds behind have found theirs: averages are short, and one
    /// direction among them outweighs all.
    #[must_use]
    pub fn after(
        self,
        (round, spread_rounds): (u32, u32),
        place: Location,
        friends: impl Iterator<Item = (Location, Drift)>,
    ) -> Self {
        let told = if round <= 1 {
            Drift::towards(place)
        } else if round <= spread_rounds {
            Drift::mean(friends.map(|(_, drift)| drift.bounded()))
        } else if round == spread_rounds + 1 {
            self.found
        } else {
            Drift::among(friends)
        };
        let seventh = spread_rounds / 7;
        Self {
            told,
            earlier: if round == 4 * seventh {
                told
            } else {
                self.earlier
            },
            found: if round == 6 * seventh {
                self.earlier.without(told)
            } else {
                self.found
            },
        }
    }

    /// Those of a node that has found its place, as have its friends: they are at these places with these drifts.
    #[must_use]
    pub(crate) fn among(friends: impl Iterator<Item = (Location, Drift)>) -> Self {
        Self {
            told: Drift::among(friends),
            ..Self::default()
        }
    }
}

/// From the middle of the ring to a place.
fn direction(place: Location) -> [f64; 2] {
    let (sin, cos) = (place.as_fraction() * TAU).sin_cos();
    [cos, sin]
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a mean of vectors no longer than one is within the range; the cast saturates"
)]
fn to_fixed(part: f64) -> i32 {
    (part * UNIT).round() as i32
}

const UNIT: f64 = 1_073_741_824.0;

/// How much a friend's place counts beside its drift. The reach is the inverse. With 0.02 to 0.1 networks of 16 000 nodes
/// came out alike.
const PLACE_SHARE: f64 = 0.05;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_drift_points_to_the_friends() {
        let friends = [0.9, 0.1, 0.05].map(|at| (Location::from_fraction(at), Drift::default()));
        let drift = Drift::among(friends.into_iter());
        let place = drift.place().unwrap().as_fraction();
        assert!(!(0.05..0.97).contains(&place), "{place}");
        let [near, far] = [0.0, 0.5].map(Location::from_fraction);
        assert!(drift.gain(far, near) > 1.8 && drift.gain(near, far) < -1.8);
        assert_eq!(Drift::among(std::iter::empty()).place(), None);
    }

    #[test]
    fn what_is_everywhere_the_same_is_taken_off_and_told_later() {
        let [here, opposite] = [0.1, 0.6].map(Location::from_fraction);
        let mean = |x| Drift { x, y: 7_000 };
        let after = |own: Surroundings, round, x| {
            let friends = [here, opposite].into_iter().map(|at| (at, mean(x)));
            own.after((round, 70), here, friends)
        };
        let first = after(Surroundings::default(), 1, 0);
        assert!(first.drift().gain(opposite, here) > 1.9, "its place");
        // A wave that fades, beside something that does not
        let mut own = first;
        for round in 2..=70 {
            let left = i32::try_from(5_000 + 1_000 / round).unwrap();
            own = after(own, round, left);
            assert_eq!(own.drift(), mean(left));
        }
        own = after(own, 71, 5_000);
        assert_eq!((own.drift().x, own.drift().y), (1 << 30, 0));
        assert_ne!(after(own, 72, 5_000), own, "it goes on");
    }

    proptest! {
        #[test]
        fn a_friend_that_shouts_counts_like_any_other(x: i32, y: i32, places in prop::collection::vec(any::<f64>(), 30)) {
            let calm = places.iter().map(|&at| (Location::from_fraction(at), Drift { x: 1 << 30, y: 0 }));
            let loud = (Location::from_fraction(0.5), Drift { x, y });
            let [far_x, _] = Drift::among(calm.chain([loud])).bounded();
            prop_assert!(far_x > 0.75, "thirty say x, one says anything: {far_x}");
        }
    }
}
