//! What the router's parts and the opennet have to do with each other.

use crypto::{BlockKey, NodeId};

use super::Router;
use crate::block::Block;
use crate::contact::{Contact, PeerKind};
use crate::event::{LookupResult, PeerId};
use crate::load::Counts;
use crate::location::Location;
use crate::message::{Message, RequestId};
use crate::requests::{Operation, Target};
use crate::time::Time;

impl<B: Block> Router<B> {
    /// Where the node is.
    #[must_use]
    pub const fn location(&self) -> Location {
        self.shared.me
    }

    /// Whether the node has a place that will do, and should begin with [`Stage::Settle`](crate::places::Stage) when it starts
    /// there again. Always if it does not look for one.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let darknet = self.darknet.as_ref();
        darknet.is_none_or(|darknet| darknet.is_settled())
    }

    /// When something is to be done about the place among friends.
    pub(super) fn places_due(&self) -> Option<Time> {
        self.darknet.as_ref()?.next_timeout()
    }

    /// The friends by whom the way to somebody with strangers is shortest.
    #[cfg(test)]
    pub(crate) fn ways_out(&self) -> &[PeerId] {
        &self.shared.outward
    }

    /// A link is there, in the place of an earlier one of that name.
    pub(super) fn peer_up(&mut self, peer: PeerId, location: Location, kind: PeerKind) {
        self.peer_down(peer);
        if let Some(onion) = &mut self.onion {
            onion.peer_up(peer, &kind);
        }
        self.link_up(peer, location, kind);
        self.shared.tell_credit_to(peer);
        self.shared.give_first_long_hops(peer);
    }

    /// A friend's link carries requests at once.
    fn link_up(&mut self, peer: PeerId, location: Location, kind: PeerKind) {
        let PeerKind::Stranger { contact, dialled } = kind else {
            self.shared.peers.connect(peer, location, kind);
            self.shared.neighbours_changed();
            if let Some(darknet) = &mut self.darknet {
                darknet.friend_up(&mut self.shared, peer);
            }
            return;
        };
        // Whatever anybody says, a stranger is where its identity puts it
        let kind = PeerKind::Stranger {
            contact: contact.clone(),
            dialled,
        };
        self.shared.peers.connect(peer, contact.location(), kind);
        match &mut self.opennet {
            Some(opennet) => opennet.link_up(&mut self.shared, peer, contact, dialled),
            None => self.shared.hang_up(peer),
        }
    }

    /// A node could not be linked with.
    pub(super) fn dial_failed(&mut self, node: NodeId) {
        if let Some(opennet) = &mut self.opennet {
            opennet.dial_failed(&mut self.shared, node);
        }
    }

    /// The driver says how strangers reach this node.
    pub(super) fn reachable_as(&mut self, contact: Contact) {
        if let Some(opennet) = &mut self.opennet {
            opennet.reachable_as(&mut self.shared, contact);
        }
    }

    /// The node is to take part in the opennet.
    pub(super) fn join(&mut self, remembered: Vec<Contact>, seeds: Vec<Contact>) {
        if let Some(opennet) = &mut self.opennet {
            opennet.join(&mut self.shared, remembered, seeds);
        }
    }

    /// A peer says something.
    pub(super) fn hear(&mut self, from: PeerId, message: Message) {
        if let Message::Opennet(message) = message {
            if let Some(opennet) = &mut self.opennet {
                opennet.handle(&mut self.shared, from, message);
            }
        } else if let Message::Credit { real_time, bulk } = message {
            // Before the link is agreed on, too: it is not said again when it is
            let now = self.shared.now;
            if let Some(peer) = self.shared.peers.peer_mut(from) {
                peer.credit.told(Counts::new(real_time, bulk), now);
            }
        } else if !self.carries_requests(from) {
        } else if let Message::Onion(message) = message {
            if let Some(onion) = &mut self.onion {
                onion.hear(&mut self.shared, from, message);
            }
        } else if let Message::Finding(finding) = message {
            self.finding(from, finding);
        } else if let Message::Swap(message) = message {
            if let Some(darknet) = &mut self.darknet {
                darknet.handle(&mut self.shared, from, message);
            }
        } else if let Some(id) = message.id() {
            self.message(from, id, message);
        }
    }

    /// Whether a peer that uses its link for something else than agreeing on it may do so.
    fn carries_requests(&mut self, from: PeerId) -> bool {
        if let Some(opennet) = &mut self.opennet {
            opennet.link_used(&mut self.shared, from);
        }
        let known = self.shared.peers.peer(from);
        known.is_some_and(|known| known.adopted)
    }

    /// Draws what an answer says about the peer, and about the links that this node should have.
    pub(super) fn judge(
        &mut self,
        from: PeerId,
        id: RequestId,
        message: &Message,
        Target { operation, key }: Target,
    ) {
        if matches!(message, Message::Accepted { .. }) {
            self.shared.accepted_by(from, id);
        }
        let found = operation == Operation::Fetch && matches!(message, Message::Found { .. });
        let answered = matches!(message, Message::NotFound { .. } | Message::Stored { .. });
        if let Some(peer) = self.shared.peers.peer_mut(from) {
            if found {
                peer.merit.found(self.shared.now);
            } else if answered {
                peer.merit.answered();
            }
        }
        let Some(opennet) = &mut self.opennet else {
            return;
        };
        let Some(invitation) = opennet.take_fold(from, id).filter(|_| found) else {
            if found {
                opennet.note_success();
            }
            return;
        };
        opennet.note_success();
        if self.fetches.folds(&self.shared, key) {
            self.shared.fold = opennet.fold_passes(&mut self.shared, invitation);
        }
    }

    /// The store has a block that was asked for from afar: whoever is on the way may link with this node.
    pub(super) fn offer_fold(&mut self, key: BlockKey, result: &LookupResult<B>) {
        if matches!(result, LookupResult::Found(_))
            && let Some(opennet) = &mut self.opennet
            && self.fetches.folds(&self.shared, key)
        {
            self.shared.fold = opennet.fold_of_own(&mut self.shared);
        }
    }
}
