//! Facts about the node and its peers: `GetNode`, `ListPeers`, `ListPeer`, `AddPeer`, `RemovePeer`,
//! `ListPeerNotes`.

use std::fs;
use std::net::SocketAddr;

use crypto::NodeId;

use super::hello::version;
use super::message::{Flag, Message};
use super::node_info::{
    AddPeerError, NodeControl, NodeFacts, PeerFacts, PeerStanding, RemovePeerError, RequestFacts,
};
use super::protocol_error::{ErrorCode, ProtocolError};
use crate::trust::{trust_name, trust_of};

/// Longest file from which a reference is read, in bytes; one is a line of some hundred.
const REFERENCE_FILE_MAX: u64 = 64 << 10;

/// `GetNode`: who the node is, and with `WithVolatile` how it does.
pub(super) async fn node_data(node: &dyn NodeControl, request: &Message) -> Message {
    let facts = node.facts().await;
    let data = Message::new("NodeData")
        .with_some("Identifier", request.identifier())
        .with("identity", facts.id)
        .with("location", facts.location)
        .with("myName", &facts.name)
        .with("lastGoodVersion", version())
        .with("version", version())
        .with("opennet", facts.opennet)
        .with("testnet", false)
        .with("physical.udp", addresses(&facts.addresses))
        // Parts of Hyphanet's references that clients insist on; Warren has neither.
        .with("auth.negTypes", 0)
        .with("ark.number", 0)
        .with("ark.pubURI", "")
        .with("Reference", &facts.reference);
    if request.flag("WithVolatile", Flag::DefaultOff) {
        with_volatile(data, &facts, &node.peers().await)
    } else {
        data
    }
}

fn with_volatile(data: Message, facts: &NodeFacts, peers: &[PeerFacts]) -> Message {
    let connected = peers.iter().filter(|peer| peer.link.is_some()).count();
    with_requests(data, &facts.requests)
        .with("volatile.uptimeSeconds", facts.uptime.as_secs())
        .with("volatile.numberOfConnected", connected)
        .with("volatile.numberOfNotConnected", peers.len() - connected)
        .with(
            "volatile.totalInputBytes",
            peers.iter().map(|peer| peer.received_bytes).sum::<u64>(),
        )
        .with(
            "volatile.totalOutputBytes",
            peers.iter().map(|peer| peer.sent_bytes).sum::<u64>(),
        )
        .with("volatile.anonymityHops", facts.circuits.hops_promised)
        .with("volatile.circuitHopsWished", facts.circuits.hops_wished)
        .with_some("volatile.circuitHopsLeast", facts.circuits.hops_least)
        .with("volatile.circuitsReady", facts.circuits.ready)
        .with("volatile.circuitsBuilding", facts.circuits.building)
        .with("volatile.circuitsRelayed", facts.circuits.relayed)
        .with("volatile.storedBlocks", facts.store.stored_blocks)
        .with("volatile.cachedBlocks", facts.store.cached_blocks)
        .with("volatile.storeUsedBytes", facts.store.used_bytes)
        .with("volatile.storeLimitBytes", facts.store.limit_bytes)
}

fn with_requests(data: Message, requests: &RequestFacts) -> Message {
    let kinds = [
        ("ownFetches", requests.own_fetches, "Millis"),
        ("ownInserts", requests.own_inserts, "Millis"),
        ("peerFetches", requests.peer_fetches, "Hops"),
        ("peerInserts", requests.peer_inserts, "Hops"),
    ];
    let counted = kinds.iter().fold(data, |data, (kind, ended, unit)| {
        let mean = ended.recent_mean.map(|mean| format!("{mean:.1}"));
        data.with(format!("volatile.{kind}Succeeded"), ended.succeeded)
            .with(format!("volatile.{kind}Failed"), ended.failed)
            .with(format!("volatile.{kind}Recent"), ended.recent)
            .with(
                format!("volatile.{kind}RecentSucceeded"),
                ended.recent_succeeded,
            )
            .with_some(format!("volatile.{kind}Recent{unit}"), mean)
    });
    counted
        .with("volatile.peerRequestsRefused", requests.refused_overloaded)
        .with("volatile.peerRequestsRunning", requests.peer_running)
        .with("volatile.ownRequestsRunning", requests.own_running)
}

/// `ListPeers`: one `Peer` for each, then the end of the list.
pub(super) async fn list_peers(node: &dyn NodeControl, request: &Message) -> Vec<Message> {
    let mut answers: Vec<Message> = node
        .peers()
        .await
        .iter()
        .map(|peer| peer_message(peer, request))
        .collect();
    answers.push(Message::new("EndListPeers").with_some("Identifier", request.identifier()));
    answers
}

/// `ListPeer`: the peer with the given identity, name or address.
pub(super) async fn list_peer(
    node: &dyn NodeControl,
    request: &Message,
) -> Result<Message, ProtocolError> {
    let wanted = request.required("NodeIdentifier")?;
    Ok(match find_peer(node, wanted).await {
        Some(peer) => peer_message(&peer, request),
        None => unknown_peer(request, wanted),
    })
}

/// `ListPeerNotes`: there are none, but clients ask.
pub(super) async fn list_peer_notes(
    node: &dyn NodeControl,
    request: &Message,
) -> Result<Message, ProtocolError> {
    let wanted = request.required("NodeIdentifier")?;
    Ok(match find_peer(node, wanted).await {
        Some(_) => Message::new("EndListPeerNotes")
            .with_some("Identifier", request.identifier())
            .with("NodeIdentifier", wanted),
        None => unknown_peer(request, wanted),
    })
}

/// `AddPeer`: by the field `Reference`, or by a file that holds one. `Trust` may change that of a known friend.
/// `Visibility` means nothing here: friends never learn who the others are.
pub(super) async fn add_peer(
    node: &dyn NodeControl,
    request: &Message,
) -> Result<Message, ProtocolError> {
    let reference = match (request.field("Reference"), request.field("File")) {
        (Some(reference), _) => reference.to_owned(),
        (None, Some(file)) => reference_file(request, file.to_owned()).await?,
        (None, None) if request.field("URL").is_some() => {
            return Err(request.error(
                ErrorCode::NotSupported,
                "references are not loaded from addresses; use Reference or File",
            ));
        }
        (None, None) => {
            let why = "a Warren reference is one line; give it in the field Reference";
            return Err(request.error(ErrorCode::ReferenceParse, why));
        }
    };
    let trust = match request.field("Trust") {
        None => None,
        Some(name) => Some(trust_of(name).ok_or_else(|| {
            request.error(ErrorCode::InvalidField, "Trust is LOW, NORMAL or HIGH")
        })?),
    };
    match node.add_peer(reference, trust).await {
        Ok(peer) => Ok(peer_message(&peer, request)),
        Err(error) => {
            let code = match &error {
                AddPeerError::Malformed(_) => ErrorCode::ReferenceParse,
                AddPeerError::BadSignature => ErrorCode::ReferenceSignature,
                AddPeerError::OwnReference => ErrorCode::CannotPeerWithSelf,
                AddPeerError::Duplicate => ErrorCode::DuplicatePeer,
                AddPeerError::NotSaved(_) => ErrorCode::Internal,
            };
            Err(request.error(code, error.to_string()))
        }
    }
}

async fn reference_file(request: &Message, file: String) -> Result<String, ProtocolError> {
    let read = tokio::task::spawn_blocking(move || {
        let about =
            fs::metadata(&file).map_err(|error| (ErrorCode::FileParse, error.to_string()))?;
        if !about.is_file() || about.len() > REFERENCE_FILE_MAX {
            return Err((
                ErrorCode::NotAFile,
                "not a file of the size of a reference".to_owned(),
            ));
        }
        fs::read_to_string(&file).map_err(|error| (ErrorCode::FileParse, error.to_string()))
    });
    match read.await {
        Ok(Ok(text)) => Ok(text.trim().to_owned()),
        Ok(Err((code, why))) => Err(request.error(code, why)),
        Err(_) => Err(request.error(ErrorCode::ShuttingDown, "")),
    }
}

/// `RemovePeer`: the peer with the given identity, name or address.
pub(super) async fn remove_peer(
    node: &dyn NodeControl,
    request: &Message,
) -> Result<Message, ProtocolError> {
    let wanted = request.required("NodeIdentifier")?;
    let Some(peer) = find_peer(node, wanted).await else {
        return Ok(unknown_peer(request, wanted));
    };
    match node.remove_peer(peer.id).await {
        Ok(()) => Ok(Message::new("PeerRemoved")
            .with_some("Identifier", request.identifier())
            .with("Identity", peer.id)
            .with("NodeIdentifier", wanted)),
        Err(RemovePeerError::Unknown) => Ok(unknown_peer(request, wanted)),
        Err(error @ RemovePeerError::NotSaved(_)) => {
            Err(request.error(ErrorCode::Internal, error.to_string()))
        }
    }
}

async fn find_peer(node: &dyn NodeControl, wanted: &str) -> Option<PeerFacts> {
    let id = wanted.parse::<NodeId>().ok();
    let address = wanted.parse::<SocketAddr>().ok();
    let matches = |peer: &PeerFacts| match (id, address) {
        (Some(id), _) => peer.id == id,
        (None, Some(address)) => {
            peer.addresses.contains(&address)
                || peer.link.is_some_and(|link| link.address == address)
        }
        (None, None) => peer.name == wanted,
    };
    node.peers().await.into_iter().find(matches)
}

fn unknown_peer(request: &Message, wanted: &str) -> Message {
    Message::new("UnknownNodeIdentifier")
        .with_some("Identifier", request.identifier())
        .with("NodeIdentifier", wanted)
}

fn peer_message(peer: &PeerFacts, request: &Message) -> Message {
    let message = Message::new("Peer")
        .with_some("Identifier", request.identifier())
        .with("identity", peer.id)
        .with("location", peer.location)
        .with("myName", &peer.name)
        .with("lastGoodVersion", version())
        .with("version", version())
        .with(
            "opennet",
            matches!(peer.standing, PeerStanding::Stranger { .. }),
        )
        .with_some("trustLevel", trust_level(peer.standing))
        .with("seed", false)
        .with("testnet", false)
        .with("physical.udp", addresses(&peer.addresses))
        .with("auth.negTypes", 0)
        .with("ark.number", 0)
        .with("ark.pubURI", "")
        .with("totalInput", peer.received_bytes)
        .with("totalOutput", peer.sent_bytes)
        .with_some("Reference", peer.reference.as_deref());
    let message = if request.flag("WithMetadata", Flag::DefaultOff) {
        message.with_some("metadata.detected.udp", peer.link.map(|link| link.address))
    } else {
        message
    };
    if !request.flag("WithVolatile", Flag::DefaultOff) {
        return message;
    }
    let round_trip = peer.link.and_then(|link| link.round_trip);
    message
        .with(
            "volatile.status",
            match (peer.link, peer.standing) {
                (None, _) => "DISCONNECTED",
                (Some(_), PeerStanding::Stranger { adopted: false }) => "NEGOTIATING",
                (Some(_), _) => "CONNECTED",
            },
        )
        .with("volatile.requestsRunning", peer.requests)
        .with("volatile.questionsAsked", peer.merit.asked)
        .with("volatile.questionsFound", peer.merit.found)
        .with("volatile.questionsLate", peer.merit.late)
        .with("volatile.creditRealTime", peer.credit.real_time_allowed)
        .with("volatile.creditBulk", peer.credit.bulk_allowed)
        .with(
            "volatile.creditUsed",
            u32::from(peer.credit.real_time_asked) + u32::from(peer.credit.bulk_asked),
        )
        .with_some(
            "volatile.averagePingTime",
            round_trip.map(|time| time.as_secs_f64() * 1000.0),
        )
        .with_some(
            "volatile.connectedSeconds",
            peer.link.map(|link| link.connected_for.as_secs()),
        )
}

/// As Hyphanet spells it.
fn trust_level(standing: PeerStanding) -> Option<String> {
    match standing {
        PeerStanding::Friend { trust } => Some(trust_name(trust).to_uppercase()),
        PeerStanding::Stranger { .. } => None,
    }
}

fn addresses(addresses: &[SocketAddr]) -> String {
    addresses
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(";")
}
