//! The first relays of all own circuits, kept for long.
//!
//! Whoever is the first relay and the end of one circuit can link both. With a fresh first relay each time that happens
//! sooner or later to everybody; with one that is kept, it happens to those alone whose guard is bad (A10 of the
//! experiments). The second relays are kept as well, so that it takes long to find out who the guard is.

use std::collections::BTreeSet;

use crypto::NodeId;
use smallvec::SmallVec;

use super::list::RelayName;
use crate::contact::{PeerKind, Trust};
use crate::event::PeerId;
use crate::peers::Peer;
use crate::time::Time;

/// The guards, in the order in which they were chosen: the first that is there is used.
#[derive(Debug, Default)]
pub(super) struct Guards {
    chosen: Vec<Guard>,
    /// Since when none of them is there.
    lost_since: Option<Time>,
}

/// A guard.
#[derive(Debug)]
pub(super) struct Guard {
    /// Who it is, if that is known: it is recognised by that when it comes back.
    pub(super) node: Option<NodeId>,
    /// Its link, while there is one.
    pub(super) peer: Option<PeerId>,
    /// How long it is kept.
    pub(super) until: Time,
    /// The relays behind it that were used, oldest first.
    pub(super) seconds: SmallVec<[RelayName; 2]>,
}

impl Guards {
    pub(super) fn restored(chosen: Vec<Guard>) -> Self {
        Self {
            chosen,
            lost_since: Some(Time::ZERO),
        }
    }

    pub(super) fn all(&self) -> &[Guard] {
        &self.chosen
    }

    /// Forgets those that were kept long enough. Whether there were any.
    pub(super) fn expire(&mut self, now: Time) -> bool {
        let before = self.chosen.len();
        self.chosen.retain(|guard| guard.until > now);
        self.chosen.len() < before
    }

    /// A link is there to a node that may be a guard.
    pub(super) fn peer_is(&mut self, peer: PeerId, node: NodeId) {
        for guard in &mut self.chosen {
            if guard.node == Some(node) {
                guard.peer = Some(peer);
            }
        }
    }

    pub(super) fn peer_down(&mut self, now: Time, peer: PeerId) {
        for guard in &mut self.chosen {
            if guard.peer == Some(peer) {
                guard.peer = None;
                self.lost_since.get_or_insert(now);
            }
        }
        // One that cannot be recognised never comes back
        self.chosen
            .retain(|guard| guard.peer.is_some() || guard.node.is_some());
    }

    /// The first one for which `usable` holds.
    pub(super) fn first(&mut self, usable: impl Fn(PeerId) -> bool) -> Option<&mut Guard> {
        let found = self
            .chosen
            .iter_mut()
            .find(|guard| guard.peer.is_some_and(&usable));
        if found.is_some() {
            self.lost_since = None;
        }
        found
    }

    /// Since when none is there. None if there never was one, so that nothing is worth waiting for.
    pub(super) fn lost_since(&mut self, now: Time) -> Option<Time> {
        if self.chosen.is_empty() {
            return None;
        }
        Some(*self.lost_since.get_or_insert(now))
    }

    /// Whether all are there, and this holds for each.
    pub(super) fn are_all(&self, holds: impl Fn(PeerId) -> bool) -> bool {
        let mut all = self.chosen.iter();
        all.all(|guard| guard.peer.is_some_and(&holds))
    }

    /// Adds one after the others.
    pub(super) fn add(&mut self, guard: Guard) {
        if self.chosen.len() >= GUARDS_MAX {
            self.chosen.remove(0);
        }
        self.chosen.push(guard);
        self.lost_since = None;
    }

    pub(super) fn has(&self, peer: PeerId) -> bool {
        self.chosen.iter().any(|guard| guard.peer == Some(peer))
    }
}

impl Guard {
    /// The second relays in use among those that the guard reaches now, at most `count`.
    pub(super) fn seconds<'a>(
        &'a self,
        reached: &'a BTreeSet<RelayName>,
        count: usize,
    ) -> impl Iterator<Item = RelayName> + 'a {
        let there = self.seconds.iter().copied();
        there.filter(|name| reached.contains(name)).take(count)
    }

    /// Another second relay is used from now on.
    pub(super) fn add_second(&mut self, name: RelayName) {
        if self.seconds.len() >= SECONDS_MAX {
            self.seconds.remove(0);
        }
        self.seconds.push(name);
    }
}

/// How good a guard a peer makes: a friend first, and one whom the owner trusts most.
pub(super) fn suitability(peer: &Peer) -> u8 {
    match peer.kind {
        PeerKind::Friend { trust: Trust::High } => 4,
        PeerKind::Friend {
            trust: Trust::Normal,
        } => 3,
        PeerKind::Friend { trust: Trust::Low } => 2,
        PeerKind::Stranger { .. } if peer.merit.is_bad() => 0,
        PeerKind::Stranger { .. } => 1,
    }
}

/// One that is used, one that stands by, and two that may come back.
const GUARDS_MAX: usize = 4;

/// As many as may come back.
const SECONDS_MAX: usize = 4;
