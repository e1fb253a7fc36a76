//! What FCP clients may know and change of the node.

use crypto::NodeId;
use routing::{Location, PeerCredit, PeerId, PeerMerit, Place, Trust};

use super::Core;
use super::answers::{Counts, Ended};
use super::event_loop::LinkedPeer;
use super::survey::Survey;
use crate::client::Hiding;
use crate::fcp::node_info::{
    AddPeerError, BoxFuture, CircuitFacts, LinkFacts, NodeControl, NodeFacts, Outcomes, PeerFacts,
    PeerStanding, RemovePeerError, RequestFacts, StoreFacts,
};
use crate::peers_file::{Friend, PeerAddError, PeerRemoveError};
use crate::reference::{Reference, ReferenceError, reachable_addresses};

impl NodeControl for Core {
    fn facts(&self) -> BoxFuture<'_, NodeFacts> {
        Box::pin(async { self.node_facts(&self.survey().await) })
    }

    fn peers(&self) -> BoxFuture<'_, Vec<PeerFacts>> {
        Box::pin(self.peer_facts())
    }

    fn add_peer(
        &self,
        reference: String,
        trust: Option<Trust>,
    ) -> BoxFuture<'_, Result<PeerFacts, AddPeerError>> {
        Box::pin(async move {
            let reference: Reference = reference.parse().map_err(reference_error)?;
            let id = reference.id();
            let added = Self::add_peer(self, reference, trust).await;
            added.map_err(|error| add_error(&error))?;
            let facts = self
                .peer_facts()
                .await
                .into_iter()
                .find(|peer| peer.id == id);
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
    fn node_facts(&self, survey: &Survey) -> NodeFacts {
        let stats = self.store.store().stats();
        NodeFacts {
            id: self.identity.id(),
            location: survey
                .location
                .map_or_else(|| self.identity.id().location(), Location::as_fraction),
            reference: self
                .reference()
                .map(|reference| reference.to_string())
                .unwrap_or_default(),
            name: self.config.node.name.clone(),
            uptime: self.uptime(),
            addresses: reachable_addresses(self.endpoint.local_addr(), &self.config.link.announce),
            opennet: self.config.opennet.enabled,
            requests: request_facts(survey),
            circuits: self.circuit_facts(survey),
            store: StoreFacts {
                stored_blocks: stats.blocks(Place::Store),
                cached_blocks: stats.blocks(Place::Cache),
                used_bytes: stats.bytes(Place::Store) + stats.bytes(Place::Cache),
                limit_bytes: stats.bytes_max(Place::Store) + stats.bytes_max(Place::Cache),
            },
        }
    }

    pub(super) fn circuit_facts(&self, survey: &Survey) -> CircuitFacts {
        let view = survey.onion.unwrap_or_default();
        match self.hiding.usual().get() {
            Hiding::Off => CircuitFacts {
                ready: view.ready,
                building: view.building,
                relayed: view.relayed,
                ..CircuitFacts::default()
            },
            Hiding::Circuit(level) => CircuitFacts {
                hops_promised: level.hops(),
                hops_wished: view.hops_wished,
                hops_least: view.hops_least,
                ready: view.ready,
                building: view.building,
                relayed: view.relayed,
            },
        }
    }

    /// Friends, linked or not, and the strangers that are linked, in the order of their ids.
    pub(super) async fn peer_facts(&self) -> Vec<PeerFacts> {
        self.surveyed_peers(&self.survey().await)
    }

    /// The same of a survey that was made.
    pub(super) fn surveyed_peers(&self, survey: &Survey) -> Vec<PeerFacts> {
        let links = self.links.borrow().clone();
        let friends = self.peers().peers().to_vec();
        let linked_with = |reference: &Reference| {
            let mut links = links.iter();
            links.find(|(_, linked)| linked.node == reference.id())
        };
        let friends = friends
            .iter()
            .map(|peer| friend(peer, linked_with(&peer.reference), survey));
        let strangers = links
            .iter()
            .filter(|(_, linked)| linked.stranger)
            .map(|(peer, linked)| stranger(*peer, linked, survey));
        let mut peers: Vec<PeerFacts> = friends.chain(strangers).collect();
        peers.sort_by_key(|peer| peer.id);
        peers
    }
}

fn friend(
    Friend { reference, trust }: &Friend,
    linked: Option<(&PeerId, &LinkedPeer)>,
    survey: &Survey,
) -> PeerFacts {
    let surveyed = linked.and_then(|(peer, _)| survey.peers.get(peer));
    PeerFacts {
        id: reference.id(),
        name: reference.name().to_owned(),
        reference: Some(reference.to_string()),
        addresses: reference.addresses().to_vec(),
        standing: PeerStanding::Friend { trust: *trust },
        location: surveyed.map_or_else(
            || reference.id().location(),
            |peer| peer.location.as_fraction(),
        ),
        requests: surveyed.map_or(0, |peer| peer.requests),
        merit: surveyed.map(|peer| peer.merit).unwrap_or_default(),
        credit: surveyed.map(|peer| peer.credit).unwrap_or_default(),
        ..linked.map_or_else(|| unlinked(reference.id()), |(_, linked)| of_link(linked))
    }
}

fn stranger(peer: PeerId, linked: &LinkedPeer, survey: &Survey) -> PeerFacts {
    let surveyed = survey.peers.get(&peer);
    let adopted = surveyed.is_some_and(|peer| peer.adopted);
    PeerFacts {
        standing: PeerStanding::Stranger { adopted },
        requests: surveyed.map_or(0, |peer| peer.requests),
        merit: surveyed.map(|peer| peer.merit).unwrap_or_default(),
        credit: surveyed.map(|peer| peer.credit).unwrap_or_default(),
        ..of_link(linked)
    }
}

/// What a link tells of the peer at its other end.
fn of_link(linked: &LinkedPeer) -> PeerFacts {
    let stats = linked.link.stats();
    PeerFacts {
        link: Some(LinkFacts {
            address: stats.remote_address,
            connected_for: linked.since.elapsed(),
            round_trip: Some(stats.round_trip),
        }),
        received_bytes: stats.received_bytes,
        sent_bytes: stats.sent_bytes,
        ..unlinked(linked.node)
    }
}

fn unlinked(id: NodeId) -> PeerFacts {
    PeerFacts {
        id,
        name: String::new(),
        reference: None,
        addresses: Vec::new(),
        standing: PeerStanding::Stranger { adopted: false },
        location: id.location(),
        requests: 0,
        merit: PeerMerit::default(),
        credit: PeerCredit::default(),
        link: None,
        received_bytes: 0,
        sent_bytes: 0,
    }
}

fn request_facts(survey: &Survey) -> RequestFacts {
    let outcomes = |ended: &Ended| {
        let recent = ended.recent();
        Outcomes {
            succeeded: ended.succeeded,
            failed: ended.failed,
            recent: recent.ended,
            recent_succeeded: recent.succeeded,
            recent_mean: recent.mean,
        }
    };
    let Counts {
        own_fetches,
        own_inserts,
        peer_fetches,
        peer_inserts,
        refused_overloaded,
    } = &survey.counts;
    RequestFacts {
        own_fetches: outcomes(own_fetches),
        own_inserts: outcomes(own_inserts),
        peer_fetches: outcomes(peer_fetches),
        peer_inserts: outcomes(peer_inserts),
        refused_overloaded: *refused_overloaded,
        peer_running: survey.load.peer_requests,
        own_running: survey.load.local_requests,
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
