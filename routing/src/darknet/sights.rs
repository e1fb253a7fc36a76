//! What a node sees when it looks around, and where it goes from there.
//!
//! Swaps keep the places as they are, as long as everybody is honest. Attackers that keep their place and give it away again
//! and again double some places and lose others: who has another too near leaves. And swaps are slow at the end: a node far
//! from its friends seldom meets another such node that would have its place. Walks to its place do not arrive, nor will
//! requests; it moves into a gap beside a friend instead.

use smallvec::SmallVec;

use super::gap::Gap;
use super::proposal::free_room;
use crate::location::{Distance, Location};

/// What a node has seen around itself.
#[derive(Clone, Debug)]
pub struct Sights {
    /// Of each walk to the own place that ended, whether it arrived.
    pub arrivals: SmallVec<[bool; LOOKS]>,
    /// From the own place to the nearest other node, by each look.
    pub own: SmallVec<[Distance; LOOKS]>,
    /// A place that suits the node better than its own.
    pub better: Option<Room>,
    /// A few nodes away, and anywhere.
    pub rooms: [Room; 2],
}

/// A place where a node may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Where it is.
    pub place: Location,
    /// How far from it the nearest node was found, if any was.
    pub nearest: Option<Distance>,
}

impl Room {
    /// A place that nobody has looked at.
    #[must_use]
    pub const fn unseen(place: Location) -> Self {
        Self {
            place,
            nearest: None,
        }
    }

    /// Somebody was seen so far away.
    pub(super) fn note(&mut self, distance: Distance) {
        self.nearest = Some(self.nearest.map_or(distance, |known| known.min(distance)));
    }
}

impl Sights {
    /// Where the node goes. Who is crowded goes only if it `makes_way`: the other node may go as well.
    #[must_use]
    pub fn lead_to(&self, gap: Gap, makes_way: bool) -> Option<Location> {
        if self.is_lost()
            && let Some(better) = self.better.filter(|room| self.is_roomier(gap, *room))
        {
            return Some(better.place);
        }
        if self.is_crowded(gap) && makes_way {
            return free_room(gap, self.rooms);
        }
        None
    }

    /// Whether nobody arrives at the node's place. One walk alone may be an attacker's lie, or bad luck.
    fn is_lost(&self) -> bool {
        self.arrivals.len() >= LOOKS && !self.arrivals.contains(&true)
    }

    fn is_crowded(&self, gap: Gap) -> bool {
        self.own.len() >= LOOKS && self.own.iter().all(|&nearest| gap.is_crowded(nearest))
    }

    /// Whether the node would have no less room there than here, nor than usual. Otherwise nodes that go to their friends
    /// would crowd where friends are many.
    fn is_roomier(&self, gap: Gap, room: Room) -> bool {
        let usual = gap.typical();
        let here = self.own.iter().min();
        let least = here.map_or(usual, |&here| here.max(usual));
        room.nearest.is_some_and(|there| there >= least)
    }
}

/// At each place, through friends of which one may be hostile.
pub(super) const LOOKS: usize = 2;

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;

    fn far(times: u64) -> Distance {
        Distance::from_bits(Gap::START.typical().to_bits() * times)
    }

    fn room(place: f64, nearest: Option<Distance>) -> Room {
        let place = Location::from_fraction(place);
        Room { place, nearest }
    }

    /// Of a node that is neither lost nor crowded, beside a better place with room.
    fn sights() -> Sights {
        Sights {
            arrivals: smallvec![false, true],
            own: smallvec![far(1), far(2)],
            better: Some(room(0.1, Some(far(1)))),
            rooms: [room(0.2, Some(far(3))), room(0.3, Some(far(4)))],
        }
    }

    fn leads(sights: &Sights) -> Option<f64> {
        let to = sights.lead_to(Gap::START, true)?;
        Some((to.as_fraction() * 10.0).round() / 10.0)
    }

    #[test]
    fn who_is_found_and_alone_stays() {
        assert_eq!(leads(&sights()), None);
        let unanswered = Sights {
            arrivals: smallvec![false],
            own: smallvec![Distance::from_bits(0)],
            ..sights()
        };
        assert_eq!(leads(&unanswered), None, "one look says nothing");
    }

    #[test]
    fn who_is_not_found_goes_to_the_better_place_if_that_has_room() {
        let lost = |better| Sights {
            arrivals: smallvec![false, false],
            better,
            ..sights()
        };
        assert_eq!(leads(&lost(Some(room(0.1, Some(far(1)))))), Some(0.1));
        assert_eq!(leads(&lost(None)), None);
        assert_eq!(leads(&lost(Some(room(0.1, None)))), None, "nothing seen");
        let less = Distance::from_bits(far(1).to_bits() - 1);
        assert_eq!(leads(&lost(Some(room(0.1, Some(less))))), None, "usual");
        let roomy = Sights {
            own: smallvec![far(3), far(2)],
            ..lost(Some(room(0.1, Some(far(1)))))
        };
        assert_eq!(leads(&roomy), None, "less than here");
    }

    #[test]
    fn who_is_crowded_makes_way() {
        let crowded = Sights {
            own: smallvec![Distance::from_bits(0); 2],
            ..sights()
        };
        assert_eq!(leads(&crowded), Some(0.2));
        assert_eq!(crowded.lead_to(Gap::START, false), None);
    }
}
