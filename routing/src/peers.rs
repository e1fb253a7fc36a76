//! The connected peers.

use crate::contact::PeerKind;
use crate::event::PeerId;
use crate::finding::Neighbourhood;
use crate::hops_to_live::HopDraw;
use crate::load::{Counts, Credit};
use crate::location::Location;
use crate::lookahead::{Claims, Record};
use crate::merit::Merit;
use crate::short_map::ShortMap;

/// What the router knows of one connected peer.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Where it is.
    pub(crate) location: Location,
    /// What sort of peer it is.
    pub(crate) kind: PeerKind,
    /// What this link does with the budget of requests that come over it.
    pub(crate) draw: HopDraw,
    /// Its fetches and inserts in progress here, and those that ended while the store was still at work for them.
    pub(crate) requests: usize,
    /// Its fetches and inserts in progress here, by class.
    pub(crate) in_progress: Counts,
    /// How much it may be asked for.
    pub(crate) credit: Credit,
    /// How many hops beyond the ordinary budget its fetches may have.
    pub(crate) long_hops: u16,
    /// Where it says that its peers are.
    pub(crate) claims: Claims,
    /// Whether the link carries requests: a friend's does, a stranger's when both sides agreed to it.
    pub(crate) adopted: bool,
    /// Whether circuits of this node begin with it: its link is not given up for a better one.
    pub(crate) guard: bool,
    /// How well it did what it was asked.
    pub(crate) merit: Merit,
}

/// The connected peers by handle.
#[derive(Debug)]
pub(crate) struct Peers {
    connected: ShortMap<PeerId, Peer>,
    /// How many of them are adopted.
    adopted: usize,
    some_hopeless: bool,
    /// Whether a link has come, gone or been agreed on since the onion stage looked last.
    pub(crate) changed: bool,
    /// Makes the draw for a place the same each time its node connects, and unknown to others.
    secret: [u8; 32],
    /// How much a peer that has said nothing may be asked for.
    untold: Counts,
    /// What came of believing peers' claims, all together.
    claims_record: Record,
}

impl Peers {
    pub(crate) const fn new(secret: [u8; 32], untold: Counts) -> Self {
        Self {
            connected: ShortMap::new(),
            adopted: 0,
            some_hopeless: false,
            changed: false,
            secret,
            untold,
            claims_record: Record::NONE,
        }
    }

    pub(crate) fn connect(&mut self, peer: PeerId, location: Location, kind: PeerKind) {
        let draw = self.draw(location);
        let adopted = match kind {
            PeerKind::Friend { .. } => true,
            PeerKind::Stranger { .. } => false,
        };
        let known = Peer {
            location,
            kind,
            draw,
            requests: 0,
            in_progress: Counts::default(),
            credit: Credit::new(self.untold),
            long_hops: 0,
            claims: Claims::default(),
            adopted,
            guard: false,
            merit: Merit::default(),
        };
        self.adopted += usize::from(adopted);
        let earlier = self.connected.insert(peer, known);
        self.adopted -= usize::from(earlier.is_some_and(|earlier| earlier.adopted));
    }

    /// A friend is at another place. Whether that is news.
    pub(crate) fn move_to(&mut self, peer: PeerId, location: Location) -> bool {
        self.connected
            .get_mut(&peer)
            .is_some_and(|peer| std::mem::replace(&mut peer.location, location) != location)
    }

    /// A peer says where its peers are. What came of its earlier claims is not forgotten.
    pub(crate) fn claim(&mut self, peer: PeerId, places: Neighbourhood) {
        if let Some(peer) = self.connected.get_mut(&peer) {
            peer.claims.places = places;
        }
    }

    /// Counts a choice by `peer`'s claims, or its end. Old ones count less and less.
    pub(crate) fn record(&mut self, peer: PeerId, count: impl Fn(&mut Record)) {
        let Some(peer) = self.connected.get_mut(&peer) else {
            return;
        };
        count(&mut peer.claims.record);
        count(&mut self.claims_record);
        if self.claims_record.is_full() {
            self.claims_record.halve();
            for peer in self.connected.values_mut() {
                peer.claims.record.halve();
            }
        }
    }

    pub(crate) const fn claims_record(&self) -> Record {
        self.claims_record
    }

    pub(crate) fn disconnect(&mut self, peer: PeerId) -> Option<Peer> {
        let known = self.connected.remove(&peer)?;
        self.adopted -= usize::from(known.adopted);
        Some(known)
    }

    /// A peer did not answer in time, or did what it should not.
    pub(crate) fn failed(&mut self, peer: PeerId) {
        if let Some(known) = self.connected.get_mut(&peer) {
            known.merit.failed();
            self.some_hopeless |= known.merit.is_hopeless();
        }
    }

    /// Whether a peer has become hopeless since this was asked last.
    pub(crate) const fn take_hopeless(&mut self) -> bool {
        std::mem::replace(&mut self.some_hopeless, false)
    }

    /// From now on the link to a stranger carries requests.
    pub(crate) fn adopt(&mut self, peer: PeerId) {
        if let Some(known) = self.connected.get_mut(&peer)
            && !known.adopted
        {
            known.adopted = true;
            self.adopted += 1;
        }
    }

    pub(crate) fn peer_mut(&mut self, peer: PeerId) -> Option<&mut Peer> {
        self.connected.get_mut(&peer)
    }

    pub(crate) fn peer(&self, peer: PeerId) -> Option<&Peer> {
        self.connected.get(&peer)
    }

    /// How many links carry requests.
    pub(crate) const fn len(&self) -> usize {
        self.adopted
    }

    /// All links, in the order of their handles.
    pub(crate) fn all(&self) -> impl Iterator<Item = (PeerId, &Peer)> {
        self.connected.iter().map(|(&id, peer)| (id, peer))
    }

    /// Those that carry requests, in the order of their handles.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PeerId, &Peer)> {
        self.all().filter(|(_, peer)| peer.adopted)
    }

    /// Those that carry requests, with the peers' places, in the order of their handles.
    pub(crate) fn places(&self) -> impl Iterator<Item = (PeerId, Location)> {
        self.iter().map(|(id, peer)| (id, peer.location))
    }

    /// The draw for the link to a node at `location`.
    pub(crate) fn draw(&self, location: Location) -> HopDraw {
        let hash = blake3::keyed_hash(&self.secret, &location.to_bits().to_le_bytes());
        let [first, ..] = *hash.as_bytes();
        HopDraw::from_random(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::Trust;

    #[test]
    fn a_link_keeps_its_draw_when_the_peer_comes_back() {
        let mut peers = Peers::new([1; 32], Counts::both(9));
        let mut leaving_max = 0;
        for place in 0..100 {
            let location = Location::from_fraction(f64::from(place) / 100.0);
            peers.connect(
                PeerId(1),
                location,
                PeerKind::Friend {
                    trust: Trust::Normal,
                },
            );
            let draw = peers.peer(PeerId(1)).unwrap().draw;
            peers.disconnect(PeerId(1));
            peers.connect(
                PeerId(2),
                location,
                PeerKind::Friend {
                    trust: Trust::Normal,
                },
            );
            assert_eq!(peers.peer(PeerId(2)).unwrap().draw, draw);
            leaving_max +=
                usize::from(draw == HopDraw::from_random(0) || draw == HopDraw::from_random(2));
        }
        assert!(
            (20..80).contains(&leaving_max),
            "draws differ between links: {leaving_max}"
        );
    }
}
