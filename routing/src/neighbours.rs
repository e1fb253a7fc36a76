//! When a node tells its peers where its other peers are, and whom it tells of whom.

use crate::block::Block;
use crate::contact::{PeerKind, Trust};
use crate::event::Class;
use crate::finding::{CoarseLocation, Finding, Neighbourhood};
use crate::message::Message;
use crate::peers::Peer;
use crate::shared::Shared;
use crate::time::Time;

/// When the peers are to be told next.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    due: Option<Time>,
    /// Before this they are not told again.
    earliest: Time,
}

impl<B: Block> Shared<B> {
    /// A peer came or went: the others will be told, soon but not often.
    pub(crate) fn neighbours_changed(&mut self) {
        self.peers.changed = true;
        if !self.config.lookahead.is_on() || self.telling.due.is_some() {
            return;
        }
        let settled = self.now + self.config.neighbours_settle;
        self.telling.due = Some(settled.max(self.telling.earliest));
    }

    /// Tells the peers if that is due.
    pub(crate) fn tell_neighbours(&mut self) {
        if self.telling.due.is_none_or(|due| due > self.now) {
            return;
        }
        self.telling.due = None;
        self.telling.earliest = self.now + self.config.neighbours_interval;
        let all = self.neighbourhood(|_| true);
        let strangers = self.neighbourhood(is_stranger);
        let told: Vec<_> = self
            .peers
            .iter()
            .map(|(id, peer)| {
                (
                    id,
                    if hears_of_friends(peer) {
                        &all
                    } else {
                        &strangers
                    }
                    .clone(),
                )
            })
            .collect();
        for (peer, places) in told {
            let message = Message::Finding(Finding::Neighbours(places));
            self.send(peer, message, Class::RealTime);
        }
    }

    /// When [`Shared::tell_neighbours`] is next due.
    pub(crate) const fn neighbours_due(&self) -> Option<Time> {
        self.telling.due
    }

    fn neighbourhood(&self, told: impl Fn(&Peer) -> bool) -> Neighbourhood {
        let peers = self.peers.iter().filter(|(_, peer)| told(peer));
        Neighbourhood::new(peers.map(|(_, peer)| CoarseLocation::of(peer.location)))
    }
}

/// Whether a peer is told where friends are.
const fn hears_of_friends(peer: &Peer) -> bool {
    match peer.kind {
        PeerKind::Friend {
            trust: Trust::Normal | Trust::High,
        } => true,
        PeerKind::Friend { trust: Trust::Low } | PeerKind::Stranger { .. } => false,
    }
}

/// Nodes of the opennet hear of each other only: a friend shows only to friends that it is there.
const fn is_stranger(peer: &Peer) -> bool {
    matches!(peer.kind, PeerKind::Stranger { .. })
}
