//! The loop's dealings with friends.

use crypto::NodeId;
use routing::{Event, Location, PeerKind, Trust};

use super::EventLoop;
use crate::node::place_file::KeptPlace;

impl EventLoop {
    /// What the router is told of a friend.
    pub(super) fn friend(&self, node: NodeId) -> PeerKind {
        let trust = self.trust.get(&node).copied().unwrap_or_default();
        PeerKind::Friend { trust }
    }

    /// The owner trusts a friend so far from now on. A link that is up begins anew for the router.
    pub(super) fn trust(&mut self, node: NodeId, trust: Trust) {
        let before = self.trust.insert(node, trust).unwrap_or_default();
        let Some(peer) = self.handles.get(&node).copied() else {
            return;
        };
        let is_friend = (self.links.borrow().get(&peer)).is_some_and(|linked| !linked.stranger);
        if is_friend && before != trust {
            self.handle(Event::PeerUp {
                peer,
                location: Location::of_node(&node),
                kind: PeerKind::Friend { trust },
            });
            self.handle(Event::KnownAs { peer, node });
        }
    }

    /// Tells where the node is, to be kept for the next start.
    pub(super) fn keep_place(&self) {
        if let Some(place) = &self.place {
            place.send_replace(KeptPlace {
                location: self.router.location(),
                settled: self.router.is_settled(),
            });
        }
    }
}
