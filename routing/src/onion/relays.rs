//! The circuits of others that lead through this node.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use crypto::onion::{CellSize, RelayKeys};
use smallvec::SmallVec;

use super::budget::{Bucket, CIRCUIT_PART, Flow, PEER_PART};
use super::config::OnionConfig;
use super::message::CircuitId;
use crate::event::PeerId;
use crate::message::RequestId;
use crate::short_map::ShortMap;
use crate::time::Time;

/// A circuit's name here: the peer before this node, and the name that the peer gave it.
pub(super) type Before = (PeerId, CircuitId);

/// The circuits, and what peers and all of them may still use.
#[derive(Debug)]
pub(super) struct Relays {
    /// Boxed: the tree makes room for eleven at a time.
    circuits: BTreeMap<Before, Box<Relayed>>,
    peers: ShortMap<PeerId, Use>,
    all: Bucket,
    /// When circuits that wait for the relay behind this node have waited long enough.
    extending: BTreeSet<(Time, Before)>,
}

/// One circuit that leads through this node, or ends here for now.
#[derive(Debug)]
pub(super) struct Relayed {
    pub(super) keys: RelayKeys,
    pub(super) next: Next,
    /// The number of the next answer, once the originator has said where to begin.
    pub(super) number: Option<u32>,
    /// When something last came along it.
    pub(super) heard: Time,
    bucket: Bucket,
    /// Requests in progress here that came through it.
    pub(super) asks: SmallVec<[RequestId; 2]>,
    /// The mean time for which cells are held here.
    pub(super) delay_ms: u16,
    /// Its originator was shown what this node's peers list.
    pub(super) shown: bool,
}

/// What is behind this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: it is the end.
    Nobody,
    /// A relay that was asked.
    Asked {
        peer: PeerId,
        circuit: CircuitId,
        until: Time,
    },
    /// A relay.
    Relay { peer: PeerId, circuit: CircuitId },
}

/// What one peer makes of its share.
#[derive(Debug)]
struct Use {
    circuits: usize,
    creates: Bucket,
    bytes: Bucket,
}

impl Relays {
    pub(super) const fn new() -> Self {
        Self {
            circuits: BTreeMap::new(),
            peers: ShortMap::new(),
            all: Bucket::new(Time::ZERO),
            extending: BTreeSet::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.circuits.len()
    }

    /// Whether a peer may create a circuit now. It is counted as one that it did.
    pub(super) fn admits(&mut self, now: Time, config: &OnionConfig, peer: PeerId) -> bool {
        let room = self.circuits.len() < config.relayed_max;
        let creates = Flow::things(config.creates_per_second);
        room && self.of_peer_mut(now, peer).is_some_and(|known| {
            known.circuits < config.relayed_per_peer_max && known.creates.take(now, creates, 1)
        })
    }

    /// Adds a circuit that ends here. There must be none of that name.
    pub(super) fn add(&mut self, now: Time, before: Before, keys: RelayKeys) {
        let relayed = Relayed {
            keys,
            next: Next::Nobody,
            number: None,
            heard: now,
            bucket: Bucket::new(now),
            asks: SmallVec::new(),
            delay_ms: 0,
            shown: false,
        };
        self.circuits.insert(before, Box::new(relayed));
        if let Some(known) = self.peers.get_mut(&before.0) {
            known.circuits += 1;
        }
    }

    pub(super) fn get(&self, before: Before) -> Option<&Relayed> {
        self.circuits.get(&before).map(|relayed| &**relayed)
    }

    pub(super) fn get_mut(&mut self, before: Before) -> Option<&mut Relayed> {
        self.circuits.get_mut(&before).map(|relayed| &mut **relayed)
    }

    /// Takes a circuit out.
    pub(super) fn remove(&mut self, before: Before) -> Option<Relayed> {
        let relayed = self.circuits.remove(&before)?;
        if let Some(known) = self.peers.get_mut(&before.0) {
            known.circuits = known.circuits.saturating_sub(1);
        }
        if let Next::Asked { until, .. } = relayed.next {
            self.extending.remove(&(until, before));
        }
        Some(*relayed)
    }

    /// Notes what is behind this node from now on.
    pub(super) fn set_next(&mut self, before: Before, next: Next) {
        let Some(relayed) = self.circuits.get_mut(&before) else {
            return;
        };
        if let Next::Asked { until, .. } = relayed.next {
            self.extending.remove(&(until, before));
        }
        if let Next::Asked { until, .. } = next {
            self.extending.insert((until, before));
        }
        relayed.next = next;
    }

    /// A circuit whose next relay has not answered in time.
    pub(super) fn pop_late(&mut self, now: Time) -> Option<Before> {
        let &(until, before) = self.extending.first()?;
        if until > now {
            return None;
        }
        self.extending.pop_first();
        Some(before)
    }

    /// When the next relay should have answered.
    pub(super) fn next_late(&self) -> Option<Time> {
        self.extending.first().map(|&(until, _)| until)
    }

    /// Counts a cell of a circuit against all budgets. `false` if one is used up.
    pub(super) fn charge(
        &mut self,
        now: Time,
        before: Before,
        size: CellSize,
        flows: Option<Flows>,
    ) -> bool {
        let Some(relayed) = self.circuits.get_mut(&before) else {
            return false;
        };
        relayed.heard = now;
        let Some(Flows { all, peer, circuit }) = flows else {
            return true;
        };
        let len = size.len() as u64;
        let of_peer = self.peers.get_mut(&before.0);
        relayed.bucket.take(now, circuit, len)
            && of_peer.is_none_or(|known| known.bytes.take(now, peer, len))
            && self.all.take(now, all, len)
    }

    /// Counts what a peer makes this node send, beside the cells of its circuits. `false` if its budget is used up, or that of all.
    pub(super) fn charge_peer(
        &mut self,
        now: Time,
        peer: PeerId,
        messages: u64,
        flows: Option<Flows>,
    ) -> bool {
        let Some(flows) = flows else {
            return true;
        };
        let len = messages * CellSize::Control.len() as u64;
        let of_peer = self.of_peer_mut(now, peer);
        of_peer.is_none_or(|known| known.bytes.take(now, flows.peer, len))
            && self.all.take(now, flows.all, len)
    }

    fn of_peer_mut(&mut self, now: Time, peer: PeerId) -> Option<&mut Use> {
        if self.peers.get(&peer).is_none() {
            let new = Use {
                circuits: 0,
                creates: Bucket::new(now),
                bytes: Bucket::new(now),
            };
            self.peers.insert(peer, new);
        }
        self.peers.get_mut(&peer)
    }

    /// The circuits that came from a peer.
    pub(super) fn of_peer(&self, peer: PeerId) -> Vec<Before> {
        let all = (peer, CircuitId(0))..=(peer, CircuitId(u64::MAX));
        self.circuits
            .range(all)
            .map(|(&before, _)| before)
            .collect()
    }

    /// A peer is gone, and its circuits have been removed.
    pub(super) fn forget_peer(&mut self, peer: PeerId) {
        self.peers.remove(&peer);
    }

    /// The circuits that have been silent for longer than `idle`.
    pub(super) fn silent(&self, now: Time, idle: Duration) -> Vec<Before> {
        let all = self.circuits.iter();
        all.filter(|(_, relayed)| now.since(relayed.heard) > idle)
            .map(|(&before, _)| before)
            .collect()
    }
}

/// What a circuit makes this node send that is not one of its cells, paid when it is created: `Created`, the closing cell or
/// `Destroy` to the one before, `Destroy` to the one behind.
pub(super) const PAID_AHEAD: u64 = 3;

/// What all circuits, those of one peer, and one of them may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flows {
    all: Flow,
    peer: Flow,
    circuit: Flow,
}

impl Flows {
    pub(super) fn of(config: &crate::config::Config, onion: &OnionConfig) -> Option<Self> {
        let upload = config.upload?;
        let share = |part| Flow::share(upload, onion.relay_share, part);
        Some(Self {
            all: share(1),
            peer: share(PEER_PART),
            circuit: share(CIRCUIT_PART),
        })
    }
}

/// The bytes of a cell, to be worked on in place. Copied only if somebody else still holds them.
pub(super) fn unshared(bytes: Bytes) -> BytesMut {
    bytes
        .try_into_mut()
        .unwrap_or_else(|shared| BytesMut::from(shared.as_ref()))
}
