//! Walks and routes in a world of friends.

use rand::RngExt;
use routing::{Distance, Location};

use super::FriendWorld;

/// Where a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    At(usize),
    /// With an attacker, who says whatever he likes.
    Captured,
}

/// What a walk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Somebody to swap with.
    Swap,
    /// Who is nearest to a place without being exactly there.
    Look,
    /// Who is there.
    Find,
}

impl FriendWorld {
    /// How near the nearest node to a place is that is not exactly there, through a random friend.
    pub(super) fn look(&mut self, node: usize, place: Location) -> Option<Distance> {
        let End::At(end) = self.walk(node, place, Goal::Look)? else {
            // An attacker hides whom he has put there, and says of the own place of a node that somebody is there
            return (place == self.places[node]).then(|| place.distance(place));
        };
        let me = self.places[node];
        let known = self
            .graph
            .friends(end)
            .chain([end])
            .map(|known| self.places[known]);
        let nearest = known
            .filter(|&at| at != place)
            .min_by_key(|at| at.distance(place))?;
        (nearest != me).then(|| nearest.distance(place))
    }

    /// Where a walk to a place ends: through a random friend, and then from friend to nearest friend.
    pub(super) fn walk(&mut self, node: usize, place: Location, goal: Goal) -> Option<End> {
        let mut from = node;
        let mut at = self.graph.random_friend(node, &mut self.rng)?;
        let counts = |location: Location| goal != Goal::Look || location != place;
        for _ in 0..self.config.walk_hops.get() {
            if self.is_hostile(at) {
                return Some(End::Captured);
            }
            let next = self
                .graph
                .friends(at)
                .filter(|&friend| friend != from && counts(self.places[friend]))
                .min_by_key(|&friend| self.places[friend].distance(place));
            let Some(next) = next else {
                break;
            };
            let nearer = self.places[next].distance(place) < self.places[at].distance(place);
            // Who cannot swap passes on who looks for a swap
            let ends = counts(self.places[at]) && !(goal == Goal::Swap && self.pinned[at]);
            if !nearer && ends {
                break;
            }
            (from, at) = (at, next);
        }
        if self.is_hostile(at) {
            return Some(End::Captured);
        }
        (goal != Goal::Swap || !self.pinned[at]).then_some(End::At(at))
    }

    /// Six random steps, corrected so that nodes with many friends are not met more often.
    pub(super) fn random_walk(&mut self, node: usize) -> End {
        let mut at = node;
        for _ in 0..6 {
            let Some(next) = self.graph.random_friend(at, &mut self.rng) else {
                break;
            };
            let (here, there) = (self.graph.degree(at), self.graph.degree(next));
            // Attackers take every walk that they see
            if self.is_hostile(next) {
                return End::Captured;
            }
            if self.rng.random_range(0..there) < here {
                at = next;
            }
        }
        End::At(at)
    }

    pub(super) fn search(&self, from: usize, to: usize, hops_to_live: usize) -> Option<usize> {
        let goal = self.places[to];
        let mut visited = vec![from];
        let mut way = vec![from];
        while let Some(&at) = way.last() {
            if at == to {
                return Some(visited.len() - 1);
            }
            let next = self
                .graph
                .friends(at)
                .filter(|friend| !visited.contains(friend))
                .min_by_key(|&friend| self.places[friend].distance(goal));
            match next {
                Some(_) if visited.len() > hops_to_live => return None,
                Some(next) => {
                    visited.push(next);
                    way.push(next);
                }
                None => {
                    way.pop();
                }
            }
        }
        None
    }
}
