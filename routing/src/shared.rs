//! What fetches and inserts have in common: peers, ids, deadlines and the queue of actions.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crypto::BlockKey;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use smallvec::SmallVec;

use crate::block::Block;
use crate::config::Config;
use crate::contact::{PeerKind, Trust};
use crate::deadlines::Deadlines;
use crate::event::{Action, Class, Existing, Misbehaviour, Origin, PeerId, Place, StoreTicket};
use crate::fetch::Rank;
use crate::hops_to_live::HopsToLive;
use crate::interests::Interests;
use crate::load::Places;
use crate::location::{Distance, Location};
use crate::lookahead::{self, NextPeer};
use crate::message::{BlockBytes, Message, Refusal, RequestId};
use crate::neighbours::Telling;
use crate::next_hop;
use crate::onion::diverted::Diverted;
use crate::opennet::message::{Invitation, OpennetMessage};
use crate::peers::{Peer, Peers};
use crate::recently_failed::RecentlyFailed;
use crate::requests::{Asker, Payer, Requests, Target};
use crate::time::Time;

/// The part of a router that its fetches and its inserts both work on.
#[derive(Debug)]
pub(crate) struct Shared<B> {
    /// Where this node is; it changes where friends swap places.
    pub(crate) me: Location,
    /// Where it was when it started.
    origin: Location,
    pub(crate) config: Arc<Config>,
    /// Of the event that is being handled.
    pub(crate) now: Time,
    pub(crate) peers: Peers,
    /// For requests of peers.
    pub(crate) places: Places,
    pub(crate) telling: Telling,
    /// Friends by whom the way to a node with strangers is shortest; nobody where this node has strangers.
    pub(crate) outward: Box<[PeerId]>,
    pub(crate) requests: Requests,
    pub(crate) recently_failed: RecentlyFailed,
    pub(crate) interests: Interests,
    pub(crate) deadlines: Deadlines,
    pub(crate) actions: VecDeque<Action<B>>,
    /// A block that arrived with an insert while the event was handled: fetches may be waiting for it.
    pub(crate) passed: Option<B>,
    /// An invitation to be sent along with the block that is about to be given to those who wait for it.
    pub(crate) fold: Option<Invitation>,
    /// Requests that came through circuits, whose answers go back through those.
    pub(crate) diverted: Diverted,
    /// Peers to be forgotten when the event has been handled.
    pub(crate) offenders: SmallVec<[PeerId; 1]>,
    rng: ChaCha8Rng,
}

impl<B: Block> Shared<B> {
    pub(crate) fn new(me: Location, config: Arc<Config>, seed: [u8; 32]) -> Self {
        let mut rng = ChaCha8Rng::from_seed(seed);
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        Self {
            me,
            origin: me,
            recently_failed: RecentlyFailed::new(&config),
            interests: Interests::default(),
            now: Time::ZERO,
            peers: Peers::new(secret, Places::untold(&config)),
            places: Places::new(&config),
            config,
            telling: Telling::default(),
            outward: Box::default(),
            requests: Requests::default(),
            deadlines: Deadlines::default(),
            actions: VecDeque::new(),
            passed: None,
            fold: None,
            diverted: Diverted::default(),
            offenders: SmallVec::new(),
            rng,
        }
    }

    /// Whether to do what is done once in so many times.
    pub(crate) fn one_in(&mut self, times: u32) -> bool {
        self.rng.next_u32().is_multiple_of(times.max(1))
    }

    pub(crate) fn send(&mut self, to: PeerId, message: Message, class: Class) {
        if let Some(message) = self.diverted.keep(to, message) {
            self.actions.push_back(Action::Send { to, message, class });
        }
    }

    /// Asks `peer` under a fresh id.
    pub(crate) fn ask(
        &mut self,
        peer: PeerId,
        target: Target,
        class: Class,
        message: impl FnOnce(RequestId) -> Message,
    ) -> RequestId {
        let id = self.requests.ask(peer, target, class, &mut self.rng);
        if let Some(peer) = self.peers.peer_mut(peer) {
            peer.credit.asked(class);
        }
        self.send(peer, message(id), class);
        id
    }

    /// Takes a question to a peer back.
    pub(crate) fn withdraw(&mut self, peer: PeerId, id: RequestId, class: Class) {
        self.answered(peer, id);
        if self.peers.peer(peer).is_some() {
            self.send(peer, Message::Cancel { id }, class);
        }
    }

    /// A peer that was asked is not waited for any longer.
    pub(crate) fn answered(&mut self, peer: PeerId, id: RequestId) {
        let class = self.requests.answered(peer, id);
        if let Some(class) = class
            && let Some(peer) = self.peers.peer_mut(peer)
        {
            peer.credit.answered(class);
        }
    }

    /// A peer works on what it was asked.
    pub(crate) fn accepted_by(&mut self, peer: PeerId, id: RequestId) {
        let now = self.now;
        if let Some(class) = self.requests.class_asked(peer, id)
            && let Some(peer) = self.peers.peer_mut(peer)
        {
            peer.credit.accepted(class, now);
        }
    }

    /// A peer that was asked has too much to do, and is not waited for any longer.
    pub(crate) fn peer_is_overloaded(&mut self, peer: PeerId, id: RequestId, class: Class) {
        self.answered(peer, id);
        let now = self.now;
        if let Some(peer) = self.peers.peer_mut(peer) {
            peer.credit.refused(class, now);
        }
    }

    /// Whether a peer lets this node ask for one thing more.
    pub(crate) fn may_ask(&self, peer: PeerId, class: Class) -> bool {
        self.peers
            .peer(peer)
            .is_some_and(|peer| peer.credit.allows(class, self.now))
    }

    /// Tells the peers how much they may ask for, if that has changed much.
    pub(crate) fn tell_credit(&mut self) {
        let Some(counts) = self.places.tell(self.now) else {
            return;
        };
        // Strangers too, whose links are not agreed on yet: they may be in a moment
        let peers: SmallVec<[PeerId; 24]> = self.peers.all().map(|(id, _)| id).collect();
        for peer in peers {
            self.send(peer, counts.message(), Class::RealTime);
        }
    }

    /// Tells a new peer how much it may ask for, if that is less than it assumes.
    pub(crate) fn tell_credit_to(&mut self, peer: PeerId) {
        if let Some(counts) = self.places.told() {
            self.send(peer, counts.message(), Class::RealTime);
        }
    }

    pub(crate) fn look_up(&mut self, target: Target, origin: Origin) -> StoreTicket {
        let ticket = self.requests.ask_store(target);
        self.actions.push_back(Action::Lookup {
            ticket,
            key: target.key,
            origin,
        });
        ticket
    }

    /// Waits no longer for an answer of the store. The question counts against `payer` until the answer has come, so that
    /// asking and leaving does not pile up work for the store beyond the bounds.
    pub(crate) fn abandon(&mut self, ticket: StoreTicket, payer: Payer) {
        let connected = match payer {
            Payer::Peer(peer) => self.peers.peer_mut(peer),
            Payer::LostPeer | Payer::User => None,
        };
        let lost = matches!(payer, Payer::Peer(_)) && connected.is_none();
        let payer = if lost { Payer::LostPeer } else { payer };
        if self.requests.abandon(ticket, payer)
            && let Some(peer) = connected
        {
            peer.requests += 1;
        }
    }

    /// What the store was asked under a ticket, if somebody still waits for the answer.
    pub(crate) fn store_answered(&mut self, ticket: StoreTicket) -> Option<Target> {
        let target = self.requests.store_answered(ticket);
        if let Some(Payer::Peer(peer)) = self.requests.late_answer(ticket)
            && let Some(peer) = self.peers.peer_mut(peer)
        {
            peer.requests -= 1;
        }
        target
    }

    /// Stores a block; the answer goes to `target`.
    pub(crate) fn store(&mut self, target: Target, block: B) -> StoreTicket {
        let ticket = self.requests.ask_store(target);
        self.actions.push_back(Action::Store {
            ticket,
            block,
            place: Place::Store,
            existing: Existing::Keep,
        });
        ticket
    }

    /// Caches a block without waiting for the answer.
    pub(crate) fn cache(&mut self, block: B) {
        let ticket = self.requests.unwatched_ticket();
        self.actions.push_back(Action::Store {
            ticket,
            block,
            place: Place::Cache,
            existing: Existing::Keep,
        });
    }

    /// Stores a block in the place of the one that is there under its key, without waiting for the answer.
    pub(crate) fn replace(&mut self, block: B) {
        let ticket = self.requests.unwatched_ticket();
        self.actions.push_back(Action::Store {
            ticket,
            block,
            place: Place::Store,
            existing: Existing::Replace,
        });
    }

    /// Notes a peer's request that is worked on.
    pub(crate) fn begin(&mut self, asker: Asker, target: Target, class: Class) {
        self.requests.begin(asker, target, class);
        if let Asker::Peer(peer, _) = asker {
            self.places.take(class);
            if let Some(peer) = self.peers.peer_mut(peer) {
                peer.requests += 1;
                peer.in_progress.add(class);
            }
        }
    }

    /// Forgets a request that has been answered.
    pub(crate) fn end(&mut self, asker: Asker) {
        let class = self.requests.end(asker);
        if let (Asker::Peer(peer, _), Some(class)) = (asker, class) {
            self.places.give_back(class);
            if let Some(peer) = self.peers.peer_mut(peer) {
                peer.requests -= 1;
                peer.in_progress.subtract(class);
            }
        }
    }

    /// Whether one more request of a peer can be worked on. Bulk leaves a quarter of every bound to real time.
    pub(crate) fn admits(&self, peer: PeerId, class: Class) -> bool {
        let within = |running: usize, max: usize| running < share(max, class);
        within(self.requests.peers_work(), self.config.requests_max)
            && self.peers.peer(peer).is_some_and(|peer| {
                within(peer.requests, self.requests_max_of(peer))
                    && peer.in_progress.of(class) < self.places.share(class)
            })
    }

    /// How many requests of a peer may be in progress: half as many where its owner is hardly trusted.
    fn requests_max_of(&self, peer: &Peer) -> usize {
        let max = self.config.requests_per_peer_max;
        match peer.kind {
            PeerKind::Friend { trust: Trust::Low } => max.div_ceil(2),
            PeerKind::Friend {
                trust: Trust::Normal | Trust::High,
            }
            | PeerKind::Stranger { .. } => max,
        }
    }

    pub(crate) fn admits_local(&self) -> bool {
        self.requests.users_work() < self.config.local_requests_max
    }

    pub(crate) fn refuse(&mut self, peer: PeerId, id: RequestId, reason: Refusal, class: Class) {
        if reason == Refusal::Overloaded {
            self.places.refused();
        }
        self.send(peer, Message::Refused { id, reason }, class);
    }

    /// Verifies what `peer` sent for `key`; a peer that sends anything else is disconnected.
    pub(crate) fn verify(&mut self, peer: PeerId, key: BlockKey, bytes: BlockBytes) -> Option<B> {
        let block = B::verify(key, bytes.0);
        if block.is_none() {
            self.disconnect(peer, Misbehaviour::InvalidBlock);
        }
        block
    }

    /// Closes the link to a peer that broke the protocol. It is forgotten when the event has been handled.
    pub(crate) fn disconnect(&mut self, peer: PeerId, reason: Misbehaviour) {
        self.actions.push_back(Action::Disconnect { peer, reason });
        self.offenders.push(peer);
    }

    /// The peer closest to `key` for which `usable` holds.
    pub(crate) fn closest(
        &self,
        key: &BlockKey,
        usable: impl Fn(PeerId) -> bool,
    ) -> Option<(PeerId, Distance)> {
        next_hop::closest(self.peers.places(), Location::of_key(key), usable)
    }

    /// The peer for which `usable` holds that is the best next one on the way to `key`, by its own place or what it says of
    /// its peers'.
    pub(crate) fn next_peer(
        &self,
        key: &BlockKey,
        usable: impl Fn(PeerId, Location) -> bool,
    ) -> Option<NextPeer> {
        lookahead::next(&self.peers, self.me, Location::of_key(key), usable)
    }

    /// Whether a peer is closer to `key` than this node.
    pub(crate) fn is_closer(&self, peer: PeerId, key: &BlockKey) -> bool {
        let target = Location::of_key(key);
        let distance = self.me.distance(target);
        let peer = self.peers.peer(peer);
        peer.is_some_and(|peer| peer.location.distance(target) < distance)
    }

    /// The friend by whom a request gets out of a darknet where nobody is closer: of those with the shortest way, the
    /// closest to `key` for which `usable` holds.
    pub(crate) fn way_out(
        &self,
        key: &BlockKey,
        usable: impl Fn(PeerId) -> bool,
    ) -> Option<PeerId> {
        if self.outward.is_empty() {
            return None;
        }
        let way = self.closest(key, |peer| self.outward.contains(&peer) && usable(peer));
        way.map(|(peer, _)| peer)
    }

    /// Sends the invitation that came with a block, if any, just before the block: to one peer, far from where the fetch
    /// began.
    pub(crate) fn send_fold(
        &mut self,
        to: PeerId,
        request: RequestId,
        hops_to_live: HopsToLive,
        class: Class,
    ) {
        if !self.caches_fetched(hops_to_live) || self.diverted.has(to, request) {
            return;
        }
        if let Some(invitation) = self.fold.take() {
            let message = OpennetMessage::Fold {
                request,
                invitation,
            };
            self.send(to, Message::Opennet(message), class);
        }
    }

    /// Closes the link to a stranger. It is forgotten when the event has been handled.
    pub(crate) fn hang_up(&mut self, peer: PeerId) {
        self.actions.push_back(Action::HangUp { peer });
        self.offenders.push(peer);
    }

    /// Everything random comes from here.
    pub(crate) const fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }

    /// Whether to do what is done with a probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        f64::from(self.rng.next_u32()) < probability * TWO_POW_32
    }

    /// A random number below `bound`, which is small.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.rng.next_u32() as usize % bound.max(1)
    }

    /// A random duration from half of `duration` to all of it.
    pub(crate) fn half_or_more(&mut self, duration: Duration) -> Duration {
        duration / 2 + duration.mul_f64(f64::from(self.rng.next_u32()) / f64::from(u32::MAX) / 2.0)
    }

    /// The budget with which a peer's request is worked on here.
    pub(crate) fn after_hop_from(&self, peer: PeerId, hops_to_live: HopsToLive) -> HopsToLive {
        let max = self.config.hops_to_live_max;
        self.peers.peer(peer).map_or(HopsToLive::ZERO, |peer| {
            hops_to_live.after_hop(peer.draw, max)
        })
    }

    /// The rank that a peer's fetch has here, and what of its budget it may not spend here.
    pub(crate) fn rank_from(&mut self, peer: PeerId, sent: Rank) -> (Rank, u8) {
        let (hops_to_live, withheld) = self.budget_from(peer, sent.hops_to_live);
        let tie_break = if hops_to_live < sent.hops_to_live {
            self.tie_break()
        } else {
            sent.tie_break
        };
        let rank = Rank {
            hops_to_live,
            tie_break,
        };
        (rank, withheld)
    }

    /// The rank of the user's own fetch.
    pub(crate) fn own_rank(&mut self) -> Rank {
        Rank {
            hops_to_live: self.own_hops_to_live(),
            tie_break: self.tie_break(),
        }
    }

    /// The rank of the user's own fetch when it is tried once more.
    pub(crate) fn own_long_rank(&mut self) -> Rank {
        Rank {
            hops_to_live: self.own_long_hops_to_live(),
            tie_break: self.tie_break(),
        }
    }

    pub(crate) fn tie_break(&mut self) -> u16 {
        let [low, high, ..] = self.rng.next_u32().to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// The budget of the user's own requests: as if they came over one more link, with its own draw.
    pub(crate) fn own_hops_to_live(&self) -> HopsToLive {
        let max = self.config.hops_to_live_max;
        max.after_hop(self.peers.draw(self.origin), max)
    }
}

/// The part of a bound that a class may fill.
pub(crate) const fn share(max: usize, class: Class) -> usize {
    match class {
        Class::RealTime => max,
        Class::Bulk => max - max / 4,
    }
}

const TWO_POW_32: f64 = 4_294_967_296.0;
