//! Where a node would like to be.

use rand_core::Rng;

use super::decision::{Stage, badness};
use super::drift::Drift;
use super::gap::Gap;
use crate::location::{Distance, Location};

/// Where a node looks for somebody to swap with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// At a random place: how far from it somebody is found says how far apart nodes are.
    Anywhere(Location),
    /// At a place that would suit it.
    Suitable(Location),
}

impl Aim {
    /// The place.
    #[must_use]
    pub const fn place(self) -> Location {
        match self {
            Self::Anywhere(place) | Self::Suitable(place) => place,
        }
    }
}

/// Chooses where to look. `None` if it has no friends, or does not know its surroundings yet.
///
/// In the first stage, in the middle of its surroundings. Later one half of the time at a random place, so that everybody is
/// asked at times; otherwise beside a friend, the best of four such places. Walks to places that
/// nodes near them answer are what makes swapping quick: at random, a node of a large network hardly ever meets one whose
/// place suits it.
pub fn target(
    stage: Stage,
    friends: &[Location],
    drift: Drift,
    gap: Gap,
    random: &mut impl Rng,
) -> Option<Aim> {
    match stage {
        Stage::Drift => drift
            .place()
            .map(|place| Aim::Suitable(beside(place, DRIFT_NOISE, random))),
        Stage::Settle if random.next_u32().is_multiple_of(2) => {
            Some(Aim::Anywhere(anywhere(random)))
        }
        Stage::Settle => (0..CANDIDATES)
            .filter_map(|_| near_friend(friends, gap, random))
            .min_by_key(|&place| badness(place, friends.iter().copied()))
            .map(Aim::Suitable),
    }
}

/// A random place.
#[must_use]
pub fn anywhere(random: &mut impl Rng) -> Location {
    Location::from_bits(random.next_u64())
}

/// A place beside a random friend: at a distance of which each order of magnitude is as probable.
fn near_friend(friends: &[Location], gap: Gap, random: &mut impl Rng) -> Option<Location> {
    let friend = *pick(friends, random)?;
    let nearest = (gap.typical().as_fraction() / 16.0).min(FARTHEST / 2.0);
    let distance = nearest * (FARTHEST / nearest).powf(fraction(random));
    Some(to_a_side(friend, distance, random))
}

fn beside(place: Location, within: f64, random: &mut impl Rng) -> Location {
    let distance = within * fraction(random);
    to_a_side(place, distance, random)
}

fn to_a_side(place: Location, distance: f64, random: &mut impl Rng) -> Location {
    let distance = Location::from_fraction(distance).distance(Location::from_fraction(0.0));
    if random.next_u32().is_multiple_of(2) {
        place.clockwise(distance)
    } else {
        place.counterclockwise(distance)
    }
}

/// One of `all`, each as probable.
pub(super) fn pick<'a, T>(all: &'a [T], random: &mut impl Rng) -> Option<&'a T> {
    let len = u64::try_from(all.len()).ok().filter(|&len| len > 0)?;
    all.get(usize::try_from(random.next_u64() % len).ok()?)
}

/// From zero to one.
fn fraction(random: &mut impl Rng) -> f64 {
    Distance::from_bits(random.next_u64() / 2).as_fraction() * 2.0
}

/// Of the ring: about as far as a node near the middle of its surroundings is from it.
const DRIFT_NOISE: f64 = 0.01;

/// Of the ring: the largest distance from a friend.
const FARTHEST: f64 = 0.1;

/// Places beside friends that are compared.
const CANDIDATES: usize = 4;

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn half_of_the_targets_are_beside_friends_and_few_of_those_beside_a_lonely_one() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let friends = [0.5, 0.5001, 0.5002, 0.1].map(Location::from_fraction);
        let (mut beside, mut lonely) = (0, 0);
        for _ in 0..1_000 {
            let place = target(
                Stage::Settle,
                &friends,
                Drift::default(),
                Gap::START,
                &mut random,
            )
            .unwrap()
            .place();
            let distance = |friend: Location| friend.distance(place).as_fraction();
            beside += usize::from(distance(friends[0]) < 0.01);
            lonely += usize::from(distance(friends[3]) < 0.01);
        }
        assert!((350..550).contains(&beside), "{beside}");
        assert!(lonely < 100, "{lonely}");
    }

    #[test]
    fn without_friends_or_direction_there_is_no_target() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let drift = Drift::default();
        assert_eq!(
            target(Stage::Drift, &[], drift, Gap::START, &mut random),
            None
        );
        assert_eq!(near_friend(&[], Gap::START, &mut random), None);
    }
}
