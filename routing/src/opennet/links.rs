//! The links to strangers, and the ring of those that are peers, which follows every change of theirs.

use std::collections::{BTreeMap, btree_map};

use super::link::{Dealings, Link, State};
use super::ring::{Member, Ring};
use crate::event::PeerId;
use crate::location::Location;
use crate::time::Time;

/// The links to strangers of one node, of all stages.
///
/// Almost every message asks who lies where around the node, and few change it. So the ring is kept, and whoever changes
/// which links are peers' does it here.
#[derive(Debug)]
pub(super) struct Links {
    all: BTreeMap<PeerId, Link>,
    /// The peers among them.
    ring: Ring,
    /// Whether peers have come or gone since somebody asked.
    changed: bool,
}

impl Links {
    pub(super) const fn around(me: Location) -> Self {
        Self {
            all: BTreeMap::new(),
            ring: Ring::around(me),
            changed: false,
        }
    }

    /// The peers around this node.
    pub(super) const fn ring(&self) -> &Ring {
        &self.ring
    }

    /// How many are peers.
    pub(super) const fn adopted_len(&self) -> usize {
        self.ring.len()
    }

    /// Whether peers have come or gone since the last call.
    pub(super) const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.changed, false)
    }

    pub(super) fn insert(&mut self, peer: PeerId, link: Link) {
        self.remove(&peer);
        if link.is_adopted() {
            self.enter(peer, link.location);
        }
        self.all.insert(peer, link);
    }

    pub(super) fn remove(&mut self, peer: &PeerId) -> Option<Link> {
        let link = self.all.remove(peer)?;
        if link.is_adopted() {
            self.ring.remove(member(*peer, link.location));
            self.changed = true;
        }
        Some(link)
    }

    /// Both sides have agreed: the link is a peer's from now on. Gives it, if it is there.
    pub(super) fn adopt(&mut self, peer: PeerId, now: Time) -> Option<&Link> {
        let link = self.all.get_mut(&peer)?;
        let before = std::mem::replace(&mut link.state, State::Adopted);
        link.since = now;
        link.ends = None;
        let location = link.location;
        if before != State::Adopted {
            self.enter(peer, location);
        }
        self.all.get(&peer)
    }

    /// One side announces itself through the other, until then.
    pub(super) fn host(&mut self, peer: PeerId, now: Time, ends: Time) {
        if let Some(link) = self.all.get_mut(&peer).filter(|link| !link.is_adopted()) {
            link.state = State::Guest;
            link.since = now;
            link.ends = Some(ends);
        }
    }

    /// What the other side may still ask for over a link, and how often it asked for more.
    pub(super) fn dealings(&mut self, peer: PeerId) -> Option<&mut Dealings> {
        self.all.get_mut(&peer).map(|link| &mut link.dealings)
    }

    pub(super) fn get(&self, peer: &PeerId) -> Option<&Link> {
        self.all.get(peer)
    }

    pub(super) fn contains_key(&self, peer: &PeerId) -> bool {
        self.all.contains_key(peer)
    }

    pub(super) fn iter(&self) -> btree_map::Iter<'_, PeerId, Link> {
        self.all.iter()
    }

    pub(super) fn keys(&self) -> btree_map::Keys<'_, PeerId, Link> {
        self.all.keys()
    }

    pub(super) fn values(&self) -> btree_map::Values<'_, PeerId, Link> {
        self.all.values()
    }

    fn enter(&mut self, peer: PeerId, location: Location) {
        self.ring.insert(member(peer, location));
        self.changed = true;
    }
}

const fn member(peer: PeerId, location: Location) -> Member {
    Member {
        peer: Some(peer),
        location,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use crypto::Identity;
    use proptest::prelude::*;

    use super::*;
    use crate::contact::Contact;
    use crate::opennet::message::Ticket;

    fn link(place: u8) -> Link {
        let contact = Contact {
            node: Identity::from_seed(&[1; 32]).id(),
            record: Bytes::new(),
        };
        Link {
            contact,
            // Few places, so that some are taken twice
            location: Location::from_fraction(f64::from(place % 16) / 16.0),
            dialled: false,
            state: State::Asked(Ticket::Neighbour),
            since: Time::ZERO,
            ends: Some(Time::ZERO),
            dealings: Dealings::default(),
        }
    }

    #[derive(Clone, Debug)]
    enum Change {
        Insert(u32, u8),
        Adopt(u32),
        Host(u32),
        Remove(u32),
    }

    fn change() -> impl Strategy<Value = Change> {
        let peer = 0..12_u32;
        prop_oneof![
            (peer.clone(), any::<u8>()).prop_map(|(peer, place)| Change::Insert(peer, place)),
            peer.clone().prop_map(Change::Adopt),
            peer.clone().prop_map(Change::Host),
            peer.prop_map(Change::Remove),
        ]
    }

    proptest! {
        #[test]
        fn the_ring_that_is_kept_is_the_one_that_would_be_built_anew(changes in prop::collection::vec(change(), 0..200)) {
            let me = Location::from_fraction(0.3);
            let mut links = Links::around(me);
            let rebuilt = |links: &Links| {
                let adopted = links.iter().filter(|(_, link)| link.is_adopted());
                Ring::new(me, adopted.map(|(&peer, link)| member(peer, link.location)))
            };
            for change in changes {
                let before = rebuilt(&links);
                match change {
                    Change::Insert(peer, place) => links.insert(PeerId(peer), link(place)),
                    Change::Adopt(peer) => { links.adopt(PeerId(peer), Time::ZERO); }
                    Change::Host(peer) => links.host(PeerId(peer), Time::ZERO, Time::ZERO),
                    Change::Remove(peer) => { links.remove(&PeerId(peer)); }
                }
                let after = rebuilt(&links);
                prop_assert_eq!(links.ring(), &after);
                prop_assert_eq!(links.adopted_len(), after.len());
                // A peer may go and come back in one change: then nothing needs to be said, but may
                prop_assert!(links.take_changed() || before == after);
            }
        }
    }
}
