//! What FCP clients may know and change of the node.

use crypto::NodeId;
use routing::Place;

use super::Core;
use crate::fcp::node_info::{
    AddPeerError, BoxFuture, LinkFacts, NodeControl, NodeFacts, PeerFacts, RemovePeerError,
    StoreFacts,
};
use crate::peers_file::{PeerAddError, PeerRemoveError};
use crate::reference::{Reference, ReferenceError, reachable_addresses};

impl NodeControl for Core {
    fn facts(&self) -> BoxFuture<'_, NodeFacts> {
        Box::pin(async { self.node_facts() })
    }

    fn peers(&self) -> BoxFuture<'_, Vec<PeerFacts>> {
        Box::pin(async { self.peer_facts() })
    }

    fn add_peer(&self, reference: String) -> BoxFuture<'_, Result<PeerFacts, AddPeerError>> {
        Box::pin(async move {
            let reference: Reference = reference.parse().map_err(reference_error)?;
            let id = reference.id();
            Self::add_peer(self, reference).map_err(|error| add_error(&error))?;
            let facts = self.peer_facts().into_iter().find(|peer| peer.id == id);
            facts.ok_or_else(|| {
                AddPeerError::NotSaved("it was removed at the same moment".to_owned())
            })
        })
    }

    fn remove_peer(&self, id: NodeId) -> BoxFuture<'_, Result<(), RemovePeerError>> {
        Box::pin(async move {
            Self::remove_peer(self, id)
                .await
                .map_err(|error| match error {
                    PeerRemoveError::Unknown(_) | PeerRemoveError::Ambiguous(_) => {
                        RemovePeerError::Unknown
                    }
                    PeerRemoveError::Write { .. } => RemovePeerError::NotSaved(error.to_string()),
                })
        })
    }

    fn request_shutdown(&self) {
        self.shutdown_wanted.notify_one();
    }
}

impl Core {
    fn node_facts(&self) -> NodeFacts {
        let stats = self.store.store().stats();
        NodeFacts {
            id: self.identity.id(),
            reference: self
                .reference()
                .map(|reference| reference.to_string())
                .unwrap_or_default(),
            name: self.config.node.name.clone(),
            uptime: self.uptime(),
            addresses: reachable_addresses(self.endpoint.local_addr(), &self.config.link.announce),
            store: StoreFacts {
                stored_blocks: stats.blocks(Place::Store),
                cached_blocks: stats.blocks(Place::Cache),
                used_bytes: stats.bytes(Place::Store) + stats.bytes(Place::Cache),
                limit_bytes: stats.bytes_max(Place::Store) + stats.bytes_max(Place::Cache),
            },
        }
    }

    pub(super) fn peer_facts(&self) -> Vec<PeerFacts> {
        let links = self.links.borrow().clone();
        let mut peers: Vec<PeerFacts> = self
            .peers()
            .peers()
            .iter()
            .map(|reference| {
                let linked = links.values().find(|linked| linked.node == reference.id());
                let stats = linked.map(|linked| linked.link.stats());
                PeerFacts {
                    id: reference.id(),
                    name: reference.name().to_owned(),
                    reference: Some(reference.to_string()),
                    addresses: reference.addresses().to_vec(),
                    link: linked.zip(stats).map(|(linked, stats)| LinkFacts {
                        address: stats.remote_address,
                        connected_for: linked.since.elapsed(),
                        round_trip: Some(stats.round_trip),
                    }),
                    received_bytes: stats.map_or(0, |stats| stats.received_bytes),
                    sent_bytes: stats.map_or(0, |stats| stats.sent_bytes),
                }
            })
            .collect();
        peers.sort_by_key(|peer| peer.id);
        peers
    }
}

fn reference_error(error: ReferenceError) -> AddPeerError {
    AddPeerError::Malformed(error.to_string())
}

fn add_error(error: &PeerAddError) -> AddPeerError {
    match error {
        PeerAddError::Own => AddPeerError::OwnReference,
        PeerAddError::AlreadyKnown { .. } | PeerAddError::Older { .. } => AddPeerError::Duplicate,
        PeerAddError::TooMany | PeerAddError::Write { .. } => {
            AddPeerError::NotSaved(error.to_string())
        }
    }
}
