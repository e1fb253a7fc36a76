//! The choice of the next peer, by its own place and by what it says of its peers' places.
//!
//! A peer that has a peer near the target is worth as much as if it were there itself, but for one hop. What it says is
//! not believed blindly. A claim counts as the far end of the part of the ring that it names, so that a peer which *is*
//! there comes first. A peer that is chosen for its claims far more often than others, or to far less avail, is taken at
//! its own place only.

use smallvec::SmallVec;

use crate::event::PeerId;
use crate::finding::{CoarseLocation, Neighbourhood};
use crate::location::{Distance, Location};
use crate::peers::{Peer, Peers};

/// What one peer says of its peers, and what came of believing it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    pub(crate) places: Neighbourhood,
    pub(crate) record: Record,
}

/// How often claims decided of late, and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    chosen: u16,
    found: u16,
    failed: u16,
}

/// What came of one choice by claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The block was found that way.
    Paid,
    /// It was not.
    Idle,
}

/// A peer to ask next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NextPeer {
    pub(crate) peer: PeerId,
    /// Whether it was chosen for its claims and not for its own place.
    pub(crate) by_claim: bool,
}

/// The peer among those for which `usable` holds that comes closest to `target`, itself or with one of its peers. Of
/// equal ones those that are there themselves come first, then those that are closer themselves.
pub(crate) fn next(
    peers: &Peers,
    me: Location,
    target: Location,
    usable: impl Fn(PeerId, Location) -> bool,
) -> Option<NextPeer> {
    // Nodes that this one would not ask again are no reason to ask their peers
    let mut known: SmallVec<[CoarseLocation; 8]> = SmallVec::new();
    known.push(CoarseLocation::of(me));
    let spent = peers
        .iter()
        .filter(|(id, peer)| !usable(*id, peer.location));
    known.extend(spent.map(|(_, peer)| CoarseLocation::of(peer.location)));
    let candidates = peers.iter().filter(|(id, peer)| usable(*id, peer.location));
    let ranked = candidates.map(|(id, peer)| {
        let own = peer.location.distance(target);
        let claimed = peers
            .believes(peer)
            .then(|| peer.claims.distance(target, &known))
            .flatten()
            .filter(|&claimed| claimed < own);
        (claimed.unwrap_or(own), claimed.is_some(), own, id)
    });
    let (_, by_claim, _, peer) = ranked.min()?;
    Some(NextPeer { peer, by_claim })
}

impl Claims {
    /// How close to `target` the peer says that its peers come, those at the places `known` left out.
    fn distance(&self, target: Location, known: &[CoarseLocation]) -> Option<Distance> {
        let unknown = |place: &&CoarseLocation| !known.contains(place);
        let distances = self.places.places().iter().filter(unknown);
        distances.map(|place| place.distance_at_most(target)).min()
    }
}

impl Peers {
    /// Whether `peer` may be chosen by its claims.
    fn believes(&self, peer: &Peer) -> bool {
        let all = self.claims_record();
        let own = peer.claims.record;
        !own.is_greedy(all, self.len()) && !own.is_worse_than(all.without(own))
    }

    /// Notes that `peer` was chosen for its claims.
    pub(crate) fn chosen_by_claim(&mut self, peer: PeerId) {
        self.record(peer, |record| record.chosen += 1);
    }

    /// Notes what came of a choice by claims.
    pub(crate) fn ended_by_claim(&mut self, peer: PeerId, claim: Claim) {
        self.record(peer, |record| match claim {
            Claim::Paid => record.found += 1,
            Claim::Idle => record.failed += 1,
        });
    }
}

impl Record {
    pub(crate) const NONE: Self = Self {
        chosen: 0,
        found: 0,
        failed: 0,
    };

    /// Whether one peer has so large a part of all choices that something must be wrong.
    fn is_greedy(self, all: Self, peers: usize) -> bool {
        let [chosen, all] = [self.chosen, all.chosen].map(usize::from);
        let share_max = (all / SHARE_MAX_INVERSE).max(all * EVEN_SHARES_MAX / peers.max(1));
        all >= JUDGED_MIN.into() && chosen > share_max
    }

    /// Whether this peer's claims led to a block less than half as often as those of `others`.
    fn is_worse_than(self, others: Self) -> bool {
        let [own_ends, other_ends] = [self, others].map(|record| record.found + record.failed);
        let [found, other_found] = [self, others].map(|record| u32::from(record.found));
        own_ends.min(other_ends) >= JUDGED_MIN
            && 2 * found * u32::from(other_ends) < other_found * u32::from(own_ends)
    }

    const fn without(self, part: Self) -> Self {
        Self {
            chosen: self.chosen.saturating_sub(part.chosen),
            found: self.found.saturating_sub(part.found),
            failed: self.failed.saturating_sub(part.failed),
        }
    }

    /// Whether it is time to let old choices count less.
    pub(crate) const fn is_full(self) -> bool {
        self.chosen >= CHOICES_MAX || self.found + self.failed >= CHOICES_MAX
    }

    pub(crate) const fn halve(&mut self) {
        self.chosen /= 2;
        self.found /= 2;
        self.failed /= 2;
    }
}

/// From this many choices on a peer is judged: by chance alone few honest ones have half of the others' luck.
const JUDGED_MIN: u16 = 16;

/// Choices are counted up to so many, and then by halves.
const CHOICES_MAX: u16 = 256;

/// At most a third of all choices by claims may fall on one peer …
const SHARE_MAX_INVERSE: usize = 3;

/// … or, where there are few peers, so many times its even share.
const EVEN_SHARES_MAX: usize = 3;
