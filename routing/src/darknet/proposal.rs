//! Where a node would like to be.

use rand_core::Rng;

use super::decision::{Stage, badness};
use super::drift::Drift;
use super::gap::Gap;
use super::sights::Room;
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
        Stage::Settle => suitable(friends, gap, random).map(Aim::Suitable),
    }
}

/// A place beside a friend that suits a node better than its own, if the first that comes to mind does.
#[must_use]
pub fn better(
    own: Location,
    friends: &[Location],
    gap: Gap,
    random: &mut impl Rng,
) -> Option<Location> {
    let at = |place| badness(place, friends.iter().copied());
    suitable(friends, gap, random).filter(|&place| at(place) < at(own))
}

/// The best of some places beside friends.
fn suitable(friends: &[Location], gap: Gap, random: &mut impl Rng) -> Option<Location> {
    (0..CANDIDATES)
        .filter_map(|_| near_friend(friends, gap, random))
        .min_by_key(|&place| badness(place, friends.iter().copied()))
}

/// A random place.
#[must_use]
pub fn anywhere(random: &mut impl Rng) -> Location {
    Location::from_bits(random.next_u64())
}

/// Where a node whose place is taken looks for room: a few nodes away, where it is among its friends as before, and anywhere.
#[must_use]
pub fn rooms(own: Location, gap: Gap, random: &mut impl Rng) -> [Location; 2] {
    let away = ROOM_NEAREST + (ROOM_FARTHEST - ROOM_NEAREST) * fraction(random);
    let distance = (gap.typical().as_fraction() * away).min(FARTHEST);
    [to_a_side(own, distance, random), anywhere(random)]
}

/// Which of the [`rooms`] a node goes to.
///
/// Of honest nodes at random places, too, one in forty has another one that near. Were these to go anywhere, each would be a
/// node that nobody finds until it has swapped its way back: among 64 000 nodes 91 % were found at best. So the near room is
/// taken if it is free. Where attackers crowd many nodes together the near rooms are soon taken, and nodes go to the emptier of both.
pub(super) fn free_room(gap: Gap, rooms: [Room; 2]) -> Option<Location> {
    let [near, _] = rooms;
    let near_is_free = near.nearest.is_some_and(|nearest| !gap.is_taken(nearest));
    let emptier = rooms.into_iter().max_by_key(|room| room.nearest)?;
    let room = if near_is_free { near } else { emptier };
    room.nearest.map(|_| room.place)
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

/// Typical distances from a place to a node between an own place and the near room: not among those who crowd it, nor away from
/// friends.
const ROOM_NEAREST: f64 = 2.0;
const ROOM_FARTHEST: f64 = 8.0;

/// Places beside friends that are compared.
const CANDIDATES: usize = 4;

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn the_near_room_is_taken_unless_somebody_is_there() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let own = Location::from_fraction(0.3);
        let [near, far] = rooms(own, Gap::START, &mut random);
        let away = near.distance(own).as_fraction() / Gap::START.typical().as_fraction();
        assert!((2.0..8.1).contains(&away), "{away}");
        let free = Gap::START.typical();
        let (wider, taken) = (
            Distance::from_bits(2 * free.to_bits()),
            Distance::from_bits(1),
        );
        let room = |at_near, at_far| {
            let room = |place, nearest| Room { place, nearest };
            free_room(Gap::START, [room(near, at_near), room(far, at_far)])
        };
        assert_eq!(room(Some(free), Some(wider)), Some(near));
        assert_eq!(room(Some(taken), Some(free)), Some(far));
        assert_eq!(room(None, Some(free)), Some(far), "nothing seen there");
        assert_eq!(room(None, None), None);
    }

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
