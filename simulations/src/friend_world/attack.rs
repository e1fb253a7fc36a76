//! What attackers do in a world of friends.

use std::f64::consts::TAU;

use rand::RngExt;
use routing::Location;
use routing::places::{Aim, badness};

use super::{FriendWorld, Rules};
use crate::statistics::count;

/// Which place an attacker gives to whoever it swaps with. It keeps its own (unless it lies about that, too), and whatever it is
/// shown, it has never been better placed itself: who believes it always swaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// One place, the same for all attackers (the original Pitch Black).
    Contraction,
    /// Two places, as two attackers with two targets.
    TwoTargets,
    /// Any place of a thirtieth of the ring: not crowded enough to be seen at once.
    Arc,
    /// A random place: nobody stays near its friends.
    Divergence,
    /// The place opposite to the victim's friends.
    Distance,
    /// The place beside the friend of the victim that is nearest to one point. The attacker knows the victim's friends.
    Pull,
    /// The best of the places beside the victim's friends. The attacker knows them.
    Hug,
    /// The same, but so far from the friend that the place does not count as taken.
    Edge,
    /// The best of the very places of the victim's friends and of their friends. The attacker knows them. Looks at a place pass
    /// who is exactly there.
    Double,
    /// A place of a thirtieth of the ring, in which all attackers say that they are: their friends are drawn there, too, and who looks
    /// for somebody there comes to attackers.
    Lure,
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Contraction,
        Self::TwoTargets,
        Self::Arc,
        Self::Divergence,
        Self::Distance,
        Self::Pull,
        Self::Hug,
        Self::Edge,
        Self::Double,
        Self::Lure,
    ];

    /// In a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contraction => "contraction",
            Self::TwoTargets => "two targets",
            Self::Arc => "arc",
            Self::Divergence => "divergence",
            Self::Distance => "distance",
            Self::Pull => "pull",
            Self::Hug => "hug",
            Self::Edge => "edge",
            Self::Double => "double",
            Self::Lure => "lure",
        }
    }
}

impl FriendWorld {
    /// Where an attacker says that it is.
    pub(super) fn claim_place(&mut self, attacker: usize, attack: Attack) {
        if attack == Attack::Lure {
            let hot = Location::from_fraction(HOT);
            self.places[attacker] = beside(hot, self.rng.random::<f64>() / 30.0);
        }
    }

    /// An attacker sends a walk out over each of its links, as often as an honest node does over all.
    pub(super) fn attack_from(&mut self, attacker: usize) {
        for _ in 0..self.graph.degree(attacker) {
            let victim = self.rng.random_range(0..self.graph.len());
            if self.hostile[victim] {
                continue;
            }
            let drifting = self.is_drifting();
            if self.rules == Rules::Ours && !drifting {
                if self.answers[victim] < 1.0 {
                    continue;
                }
                self.answers[victim] -= 1.0;
            }
            let place = self.offer(victim);
            let takes = match self.rules {
                Rules::Believing | Rules::Always => true,
                Rules::Ours if drifting => true,
                Rules::Ours => {
                    self.consents(victim, place)
                        && !self.is_taken(victim, place)
                        && self.is_attacker_found(victim, place)
                }
            };
            if takes {
                self.places[victim] = place;
                self.counts.forced += 1;
            }
        }
    }

    /// An attacker answers a walk of an honest node.
    pub(super) fn captured(&mut self, victim: usize, aim: Option<Aim>) {
        let mut place = self.offer(victim);
        let takes = match (self.rules, aim) {
            (Rules::Ours, Some(aim)) if !self.is_drifting() => {
                // Whoever answers must be about where the walk was sent
                if !self.gaps[victim].is_on_target(aim.place(), place) {
                    place = self.toward(aim.place(), place, victim);
                }
                if let Aim::Anywhere(target) = aim {
                    self.gaps[victim].note(target.distance(place));
                }
                self.consents(victim, place) && !self.is_taken(victim, place)
            }
            (Rules::Ours | Rules::Believing | Rules::Always, _) => true,
        };
        if takes {
            self.places[victim] = place;
            self.counts.forced += 1;
        }
    }

    /// Whether one of two walks to where the attacker says that it is comes to an attacker: none is there.
    fn is_attacker_found(&mut self, victim: usize, place: Location) -> bool {
        self.rounds <= self.config.holder_rounds
            || (0..2)
                .any(|_| self.walk(victim, place, super::Goal::Find) == Some(super::End::Captured))
    }

    /// As far from a target toward a place as passes for on target.
    fn toward(&self, target: Location, place: Location, victim: usize) -> Location {
        let reach = self.gaps[victim].typical().as_fraction() * 7.9;
        let around = (place.as_fraction() - target.as_fraction()).rem_euclid(1.0);
        beside(target, if around < 0.5 { reach } else { -reach })
    }

    fn offer(&mut self, victim: usize) -> Location {
        let near = 2e-7 * self.rng.random::<f64>();
        let friends: Vec<Location> = self
            .graph
            .friends(victim)
            .map(|friend| self.places[friend])
            .collect();
        let hot = Location::from_fraction(HOT);
        match self.attack.expect("only attackers offer") {
            Attack::Contraction => beside(hot, 1e-3 * near),
            Attack::TwoTargets if self.rng.random() => beside(hot, 1e-3 * near),
            Attack::TwoTargets => Location::from_fraction(HOT / 4.0 + 1e-3 * near),
            Attack::Arc | Attack::Lure => beside(hot, self.rng.random::<f64>() / 30.0),
            Attack::Divergence => Location::from_fraction(self.rng.random()),
            Attack::Distance => {
                let (mut x, mut y) = (0.0, 0.0);
                for friend in friends {
                    let (sin, cos) = (friend.as_fraction() * TAU).sin_cos();
                    x += cos;
                    y += sin;
                }
                Location::from_fraction(y.atan2(x) / TAU + 0.5 + 1e3 * near)
            }
            Attack::Pull => {
                let friend = friends
                    .into_iter()
                    .min_by_key(|friend| friend.distance(hot));
                friend.map_or(hot, |friend| beside(friend, 50.0 * near))
            }
            Attack::Hug => best(&friends, 10.0 * near).unwrap_or(hot),
            Attack::Edge => {
                // Two random nodes are nearer than this one time in seven
                let nodes = count(self.graph.len());
                best(&friends, (0.08 + 4e5 * near) / nodes).unwrap_or(hot)
            }
            Attack::Double => {
                let theirs = |friend| self.graph.friends(friend).filter(|&other| other != victim);
                let known = self.graph.friends(victim).flat_map(theirs);
                let known = known.map(|node| self.places[node]);
                let here = self.places[victim];
                let best = known.chain(friends.iter().copied()).max_by_key(|&place| {
                    let others = friends.iter().filter(|&&friend| friend != place);
                    badness(here, others.clone().copied()) - badness(place, others.copied())
                });
                best.unwrap_or(hot)
            }
        }
    }
}

/// The place at a distance from a friend that is the best with respect to all of them.
fn best(friends: &[Location], distance: f64) -> Option<Location> {
    let candidates = friends.iter().map(|&friend| beside(friend, distance));
    candidates.min_by_key(|&place| badness(place, friends.iter().copied()))
}

fn beside(place: Location, distance: f64) -> Location {
    Location::from_fraction(place.as_fraction() + distance)
}

/// Where attackers would have everybody, as a fraction of the ring.
const HOT: f64 = 0.5;
