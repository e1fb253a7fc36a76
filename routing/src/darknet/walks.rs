//! The walks that pass a node, and those that begin or end there.

use std::collections::{BTreeMap, VecDeque};

use super::message::WalkId;
use crate::event::PeerId;
use crate::location::Location;
use crate::time::Time;

/// One side of a walk at this node: over which link, and its name there.
pub(super) type Leg = (PeerId, WalkId);

/// What becomes of what comes over a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is passed on over the other leg, so many times more.
    Relay {
        /// The other leg.
        to: Leg,
        /// How many more messages.
        left: u8,
    },
    /// It is about the own swap.
    Swap,
    /// It answers a look.
    Look {
        /// At what.
        target: Location,
        /// Why.
        reason: Reason,
    },
}

/// Why a node looks at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Somebody offers it.
    Offered,
    /// Somebody says that it is his.
    Holder,
    /// It is the node's own, and somebody else may be near.
    Own,
    /// It is the node's own, and walks may not arrive.
    Arrival,
    /// The node may go there.
    Room,
}

/// All walks of one node, bounded. Each ends after the same time at the latest.
#[derive(Debug, Default)]
pub(super) struct Walks {
    roles: BTreeMap<Leg, Role>,
    /// In the order in which they end; those that ended early stand here until then.
    ends: VecDeque<(Time, Leg)>,
}

impl Walks {
    pub(super) fn role(&self, leg: Leg) -> Option<Role> {
        self.roles.get(&leg).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.roles.len()
    }

    /// Notes a leg.
    pub(super) fn begin(&mut self, leg: Leg, role: Role, ends: Time) {
        self.roles.insert(leg, role);
        self.ends.push_back((ends, leg));
    }

    /// Notes both legs of a walk that passes.
    pub(super) fn relay(&mut self, from: Leg, to: Leg, ends: Time) {
        for (leg, other) in [(from, to), (to, from)] {
            let role = Role::Relay {
                to: other,
                left: MESSAGES_MAX,
            };
            self.begin(leg, role, ends);
        }
    }

    /// The other leg of a walk that passes, if a further message may.
    pub(super) fn pass(&mut self, leg: Leg) -> Option<Leg> {
        let Some(Role::Relay { to, left }) = self.roles.get_mut(&leg) else {
            return None;
        };
        *left = left.checked_sub(1)?;
        Some(*to)
    }

    /// Forgets a leg, and the other one of a walk that passes.
    pub(super) fn end(&mut self, leg: Leg) {
        if let Some(Role::Relay { to, .. }) = self.roles.remove(&leg) {
            self.roles.remove(&to);
        }
    }

    /// Forgets all walks of a peer that is gone, and says which were of this node's own doing.
    pub(super) fn lose(&mut self, peer: PeerId) -> Vec<(Leg, Role)> {
        let range = (peer, WalkId(0))..=(peer, WalkId(u64::MAX));
        let lost: Vec<_> = self
            .roles
            .range(range)
            .map(|(&leg, &role)| (leg, role))
            .collect();
        for &(leg, _) in &lost {
            self.end(leg);
        }
        lost
    }

    pub(super) fn expire(&mut self, now: Time) {
        while let Some(&(ends, leg)) = self.ends.front()
            && ends <= now
        {
            self.ends.pop_front();
            self.end(leg);
        }
        // Those that ended early must not pile up: then most of the list are such
        if self.ends.len() > 2 * self.roles.len() + ENDED_MAX {
            let roles = &self.roles;
            self.ends.retain(|(_, leg)| roles.contains_key(leg));
        }
    }

    pub(super) fn next_end(&self) -> Option<Time> {
        self.ends.front().map(|&(ends, _)| ends)
    }
}

/// Each way. An honest walk needs two in one direction and two in the other.
const MESSAGES_MAX: u8 = 4;

/// Ended walks that may stand in the list of ends whatever else stands there.
const ENDED_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(peer: u32, id: u64) -> Leg {
        (PeerId(peer), WalkId(id))
    }

    #[test]
    fn a_walk_passes_both_ways_a_bounded_number_of_times() {
        let mut walks = Walks::default();
        walks.relay(leg(1, 5), leg(2, 6), Time::from_micros(10));
        assert_eq!(walks.pass(leg(2, 6)), Some(leg(1, 5)));
        for _ in 0..MESSAGES_MAX {
            assert_eq!(walks.pass(leg(1, 5)), Some(leg(2, 6)));
        }
        assert_eq!(walks.pass(leg(1, 5)), None);
        assert_eq!(walks.pass(leg(1, 6)), None, "no such walk");
    }

    #[test]
    fn nothing_is_left_of_a_walk_when_its_peer_or_its_time_is_gone() {
        let mut walks = Walks::default();
        walks.relay(leg(1, 5), leg(2, 6), Time::from_micros(10));
        walks.begin(leg(3, 7), Role::Swap, Time::from_micros(20));
        assert_eq!(walks.lose(PeerId(2)).len(), 1);
        assert_eq!((walks.role(leg(1, 5)), walks.len()), (None, 1));
        walks.expire(Time::from_micros(20));
        assert_eq!((walks.len(), walks.next_end()), (0, None));
    }
}
