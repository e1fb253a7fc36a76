//! The loop's dealings with nodes of the opennet.

use bytes::Bytes;
use crypto::NodeId;
use routing::{Contact, Event, PeerId, PeerKind};

use super::EventLoop;
use crate::link::{Bond, DialRefused};
use crate::node::opennet::Opennet;
use crate::node::upkeep::QUARANTINE;

impl EventLoop {
    /// Tells the router where it stands when it begins.
    pub(super) fn join(&mut self) {
        let events = self.opennet.as_mut().map(Opennet::first_events);
        for event in events.into_iter().flatten() {
            self.handle(event);
        }
    }

    /// Strangers are told how this node can be reached now.
    pub(super) fn readdress(&mut self, own: Contact) {
        if let Some(opennet) = &mut self.opennet {
            opennet.readdress(own.clone());
            self.handle(Event::OwnContact { contact: own });
        }
    }

    /// What the router is told of a peer that is linked by `bond`.
    pub(super) fn kind_of(&mut self, node: NodeId, bond: Bond) -> PeerKind {
        match (bond, &mut self.opennet) {
            (Bond::Stranger { record, dialled }, Some(opennet)) => PeerKind::Stranger {
                contact: opennet.met(node, &record),
                dialled,
            },
            (Bond::Stranger { record, dialled }, None) => PeerKind::Stranger {
                contact: Contact { node, record },
                dialled,
            },
            (Bond::Kept, _) => self.friend(node),
        }
    }

    /// Dials for the router, which hears of a refusal at once.
    pub(super) fn dial(&mut self, contact: &Contact) {
        let target = self
            .opennet
            .as_mut()
            .and_then(|opennet| opennet.target(contact));
        let dialled = target.map_or(Err(DialRefused::NoAddress), |target| {
            self.endpoint
                .dial(contact.node, &target.addresses, target.record)
        });
        if let Err(reason) = dialled {
            tracing::debug!(%reason, "a node of the opennet is not dialled");
            let node = contact.node;
            self.refused.push_back(Event::DialFailed { node });
        }
    }

    /// Ends the link to a stranger in good order. The router knows it no more.
    pub(super) fn hang_up(&mut self, peer: PeerId) {
        if let Some(linked) = self.unlink(peer) {
            self.endpoint.hang_up(&linked.node);
        }
    }

    /// Ends the link to a stranger that broke the protocol. The router hears of it when it is down.
    pub(super) fn shun(&self, node: NodeId) {
        self.endpoint.shun(node, QUARANTINE);
    }

    /// Gives a stranger whom the router has just adopted the room of a peer.
    pub(super) fn note_adoption(&mut self, peer: PeerId) {
        let Some(node) = self.guests.get(&peer).copied() else {
            return;
        };
        let adopted = |view: routing::PeerView<'_>| view.peer == peer && view.adopted;
        if self.router.peers().any(adopted) {
            self.guests.remove(&peer);
            self.endpoint.adopt(&node);
            self.links.send_modify(|links| {
                if let Some(linked) = links.get_mut(&peer) {
                    linked.adopted = true;
                }
            });
        }
    }

    /// The nodes to link with after a restart, as records.
    pub(super) fn remembered(&self) -> Vec<Bytes> {
        let contacts = self.router.remembered();
        contacts.map(|contact| contact.record.clone()).collect()
    }
}
