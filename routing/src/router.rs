//! The router: hands each event to the part concerned.

use std::sync::Arc;

use crypto::VerifiedBlock;

use crate::block::Block;
use crate::config::Config;
use crate::contact::{Contact, PeerKind};
use crate::darknet::{Darknet, Standing};
use crate::event::{Action, Event, LookupResult, Misbehaviour, PeerId, StoreResult, StoreTicket};
use crate::fetch::{FetchRequest, Fetches, Rank};
use crate::insert::{Inserts, Offer};
use crate::load::PeerCredit;
use crate::location::Location;
use crate::merit::PeerMerit;
use crate::message::{Message, RequestId};
use crate::onion::Onion;
use crate::opennet::Opennet;
use crate::own::{OwnRequests, Wish};
use crate::repair::Repairs;
use crate::requests::{Asker, Operation, Target};
use crate::shared::Shared;
use crate::time::Time;

/// The protocol core of one node.
#[derive(Debug)]
pub struct Router<B = VerifiedBlock> {
    shared: Shared<B>,
    fetches: Fetches,
    inserts: Inserts<B>,
    own: OwnRequests<B>,
    repairs: Repairs<B>,
    /// The links to strangers, if the node takes part in the opennet.
    opennet: Option<Box<Opennet>>,
    /// The search for a place among friends; in a node with other peers as well, only what friends need for theirs.
    pub(crate) darknet: Option<Box<Darknet>>,
    /// What it relays for others, and where its own requests begin.
    pub(crate) onion: Option<Box<Onion<B>>>,
}

/// How much a router has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Connected peers.
    pub peers: usize,
    /// Fetches in progress, one for each key.
    pub fetches: usize,
    /// Inserts in progress, one for each key, and accepted offers whose blocks have not come.
    pub inserts: usize,
    /// Requests of peers among those who wait for them.
    pub peer_requests: usize,
    /// Requests of the node's own user among those who wait for them.
    pub local_requests: usize,
    /// Keys remembered as recently failed.
    pub recently_failed: usize,
    /// Keys that peers or the user wait for.
    pub interests: usize,
}

/// What a router knows of a connected peer.
#[derive(Clone, Copy, Debug)]
pub struct PeerView<'a> {
    /// The driver's handle.
    pub peer: PeerId,
    /// Where it is.
    pub location: Location,
    /// What sort of peer it is.
    pub kind: &'a PeerKind,
    /// Whether the link carries requests: a friend's does, a stranger's when both sides agreed to it.
    pub adopted: bool,
    /// Its requests in progress here.
    pub requests: usize,
    /// How well it did what it was asked.
    pub merit: PeerMerit,
    /// How much it may be asked for.
    pub credit: PeerCredit,
}

impl<B: Block> Router<B> {
    /// A router at `me` that knows no peers. Many routers may share one `config`. `seed` decides everything random that it
    /// does, so it must be secret, and the same seed gives the same actions for the same events.
    #[must_use]
    pub fn new(me: Location, config: impl Into<Arc<Config>>, seed: [u8; 32]) -> Self {
        let config = config.into();
        let opennet = config.opennet.clone();
        // Places that identities decide, and places that are swapped, do not go together
        let standing = if opennet.is_none() {
            Standing::Swaps
        } else {
            Standing::Stays
        };
        let darknet = config.darknet.clone();
        let onion = config.onion.clone();
        let mut shared = Shared::new(me, config, seed);
        Self {
            onion: onion.map(|config| Box::new(Onion::new(&mut shared, config))),
            opennet: opennet.map(|config| Box::new(Opennet::new(config, me))),
            darknet: darknet.map(|config| Box::new(Darknet::new(config, standing))),
            fetches: Fetches::default(),
            inserts: Inserts::default(),
            own: OwnRequests::new(shared.config.own_requests_min),
            repairs: Repairs::default(),
            shared,
        }
    }

    /// Takes in one event that happened at `now`.
    ///
    /// # Panics
    /// If the driver gives a request of its user the id of one that still runs.
    pub fn handle(&mut self, now: Time, event: Event<B>) {
        self.shared.now = now;
        match event {
            Event::PeerUp {
                peer,
                location,
                kind,
            } => self.peer_up(peer, location, kind),
            Event::KnownAs { peer, node } => self.known_as(peer, node),
            Event::StandBy { level } => self.stand_by(level),
            Event::Recall { memory, elapsed } => self.recall(&memory, elapsed),
            Event::PeerDown { peer } => self.peer_down(peer),
            Event::DialFailed { node } => self.dial_failed(node),
            Event::OwnContact { contact } => self.reachable_as(contact),
            Event::Join { remembered, seeds } => self.join(remembered, seeds),
            Event::Message { from, message } => {
                if self.shared.peers.peer(from).is_some() {
                    self.hear(from, message);
                }
            }
            Event::Fetch {
                id,
                key,
                class,
                effort,
                anonymity,
            } => {
                let wish = Wish::Fetch {
                    key,
                    effort,
                    anonymity,
                };
                self.user_wants(id, class, wish);
            }
            Event::Insert {
                id,
                block,
                class,
                anonymity,
            } => {
                self.user_wants(id, class, Wish::Insert { block, anonymity });
            }
            Event::Cancel { id } => self.cancel(id),
            Event::Subscribe { key } => self.shared.user_subscribes(key),
            Event::Unsubscribe { key } => self.shared.user_unsubscribes(key),
            Event::NextStored { key } => self.repairs.listed(&mut self.shared, key),
            Event::LookupDone { ticket, result } => self.lookup_done(ticket, result),
            Event::StoreDone { ticket, result } => self.store_done(ticket, result),
        }
        self.settle();
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        self.shared.now = now;
        self.shared.recently_failed.expire(now);
        if let Some(opennet) = &mut self.opennet {
            opennet.timed_out(&mut self.shared);
        }
        if let Some(darknet) = &mut self.darknet {
            darknet.timed_out(&mut self.shared);
        }
        self.shared.tell_neighbours();
        self.shared.tell_credit();
        self.shared.look_after_interests();
        self.repairs.step(&mut self.shared);
        self.inserts.end_late_offers(&mut self.shared);
        if let Some(onion) = &mut self.onion {
            onion.timed_out(&mut self.shared);
        }
        while let Some(Target { operation, key }) = self.shared.deadlines.pop_due(now) {
            match operation {
                Operation::Fetch => self.fetches.timed_out(&mut self.shared, key),
                Operation::Insert => self.inserts.timed_out(&mut self.shared, key),
                Operation::Repair => self.repairs.timed_out(&mut self.shared),
            }
        }
        self.settle();
    }

    /// The next thing to do, if any. To be called until it gives nothing, after every other `&mut self` call.
    pub fn poll_action(&mut self) -> Option<Action<B>> {
        let action = self.shared.actions.pop_front()?;
        if self.own.learn(&action, self.shared.now) {
            self.begin_own();
            self.settle_circuits();
        }
        Some(action)
    }

    /// When [`Router::handle_timeout`] is next due.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Time> {
        let deadline = self.shared.deadlines.first();
        let offer = self.inserts.next_late_offer();
        let expiry = self.shared.recently_failed.next_expiry();
        let telling = self.shared.neighbours_due();
        let links = self
            .opennet
            .as_ref()
            .and_then(|opennet| opennet.next_timeout());
        let credit = self.shared.places.next_telling();
        let interests = self.shared.interests.next_due();
        let repair = self.repairs.next_step(&self.shared);
        let places = self.places_due();
        let circuits = self.onion.as_ref().and_then(|onion| onion.next_timeout());
        let all = [
            deadline, offer, expiry, telling, interests, repair, links, credit, places, circuits,
        ];
        all.into_iter().flatten().min()
    }

    /// How much there is to do.
    #[must_use]
    pub fn load(&self) -> Load {
        Load {
            peers: self.shared.peers.len(),
            fetches: self.fetches.len(),
            inserts: self.inserts.len(),
            peer_requests: self.shared.requests.incoming_len(),
            local_requests: self.shared.requests.local_len()
                + self.own.waiting()
                + self.circuit_requests(),
            recently_failed: self.shared.recently_failed.len(),
            interests: self.shared.interests.len(),
        }
    }

    /// The connected peers, in the order of their handles.
    pub fn peers(&self) -> impl Iterator<Item = PeerView<'_>> {
        self.shared.peers.all().map(|(peer, known)| PeerView {
            peer,
            location: known.location,
            kind: &known.kind,
            adopted: known.adopted,
            requests: known.requests,
            merit: known.merit.view(),
            credit: known.credit.view(),
        })
    }

    /// Whom to link with again after a restart: the strangers among the peers, and then earlier ones. To be kept by the
    /// driver, and given back with [`Event::Join`].
    pub fn remembered(&self) -> impl Iterator<Item = &Contact> {
        let opennet = self.opennet.iter();
        opennet.flat_map(|opennet| opennet.remembered())
    }

    /// Whether nothing is in progress and no answer is awaited.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.fetches.len() == 0
            && self.inserts.len() == 0
            && self.shared.requests.is_empty()
            && self.circuit_requests() == 0
            && self.shared.deadlines.first().is_none()
    }

    /// A peer says something about a request.
    fn message(&mut self, from: PeerId, id: RequestId, message: Message) {
        match message {
            Message::Fetch {
                key,
                hops_to_live,
                tie_break,
                class,
                ..
            } => {
                if self.is_new(from, id) {
                    let rank = Rank {
                        hops_to_live,
                        tie_break,
                    };
                    let request = FetchRequest::new(id, key, rank, class);
                    self.fetches.peer_asks(&mut self.shared, from, request);
                }
            }
            Message::Offer {
                key, stage, class, ..
            } => {
                if self.is_new(from, id) {
                    let offer = Offer {
                        id,
                        key,
                        stage,
                        class,
                    };
                    self.inserts.peer_offers(&mut self.shared, from, offer);
                }
            }
            Message::Block { block, .. } => {
                let target = self.shared.requests.incoming(from, id);
                if let Some(target) = target.filter(|target| target.operation == Operation::Insert)
                {
                    self.inserts
                        .block_arrived(&mut self.shared, from, id, target.key, block);
                }
            }
            Message::Cancel { .. } => {
                if let Some(target) = self.shared.requests.incoming(from, id) {
                    self.peer_cancels(from, id, target);
                }
            }
            Message::Accepted { .. }
            | Message::Refused { .. }
            | Message::Found { .. }
            | Message::NotFound { .. }
            | Message::Congested { .. }
            | Message::Stored { .. }
            | Message::StoreFailed { .. }
            | Message::Collision { .. } => self.answer(from, id, message),
            Message::Credit { .. }
            | Message::Opennet(_)
            | Message::Finding(_)
            | Message::Swap(_)
            | Message::Onion(_) => {}
        }
    }

    fn lookup_done(&mut self, ticket: StoreTicket, result: LookupResult<B>) {
        if let Some(onion) = &mut self.onion
            && onion.looked_up(&mut self.shared, ticket, &result)
        {
            return;
        }
        let Some(Target { operation, key }) = self.shared.store_answered(ticket) else {
            return;
        };
        match operation {
            Operation::Fetch => {
                self.offer_fold(key, &result);
                self.fetches
                    .looked_up(&mut self.shared, key, ticket, &result);
            }
            Operation::Insert => self
                .inserts
                .looked_up(&mut self.shared, key, ticket, result),
            Operation::Repair => self.repairs.looked_up(&mut self.shared, ticket, result),
        }
    }

    fn store_done(&mut self, ticket: StoreTicket, result: StoreResult) {
        if let Some(target) = self.shared.store_answered(ticket) {
            self.inserts
                .stored(&mut self.shared, target.key, ticket, result);
        }
    }

    fn peer_cancels(&mut self, from: PeerId, id: RequestId, Target { operation, key }: Target) {
        match operation {
            Operation::Fetch => {
                self.fetches
                    .asker_left(&mut self.shared, key, Asker::Peer(from, id));
            }
            Operation::Insert => self.inserts.peer_cancels(&mut self.shared, from, id, key),
            // A peer's question about copies is an offer here
            Operation::Repair => {}
        }
    }

    /// Forgets a peer: what it asked for ends, and who was waiting for it asks the next one.
    fn peer_down(&mut self, peer: PeerId) {
        if self.shared.peers.disconnect(peer).is_none() {
            return;
        }
        self.shared.neighbours_changed();
        if let Some(darknet) = &mut self.darknet {
            darknet.friend_down(&mut self.shared, peer);
        }
        self.shared.interests_lose(peer);
        if let Some(opennet) = &mut self.opennet {
            opennet.link_down(&mut self.shared, peer);
        }
        if let Some(onion) = &mut self.onion {
            onion.peer_down(&mut self.shared, peer);
        }
        self.shared.requests.lose_payer(peer);
        for (id, Target { operation, key }) in self.shared.requests.incoming_of(peer) {
            match operation {
                Operation::Fetch => {
                    self.fetches
                        .asker_left(&mut self.shared, key, Asker::Peer(peer, id));
                }
                Operation::Insert => self.inserts.asker_lost(&mut self.shared, peer, id, key),
                Operation::Repair => {}
            }
        }
        for (_, Target { operation, key }) in self.shared.requests.outgoing_of(peer) {
            match operation {
                Operation::Fetch => self.fetches.peer_lost(&mut self.shared, key),
                Operation::Insert => self.inserts.peer_lost(&mut self.shared, key),
                Operation::Repair => self.repairs.peer_lost(&mut self.shared),
            }
        }
    }

    /// Whether a peer may use `id` for a new request; if not, it is disconnected.
    fn is_new(&mut self, from: PeerId, id: RequestId) -> bool {
        let new = self.shared.requests.incoming(from, id).is_none();
        if !new {
            self.shared.disconnect(from, Misbehaviour::DuplicateRequest);
        }
        new
    }

    /// Does what one part left for the others.
    fn settle(&mut self) {
        self.shared.fold = None;
        loop {
            if let Some(block) = self.shared.passed.take() {
                self.fetches.succeed(&mut self.shared, &block);
            }
            while let Some(peer) = self.shared.offenders.pop() {
                self.peer_down(peer);
            }
            if !self.settle_circuits() {
                break;
            }
        }
    }
}

mod answers;
mod circuits;
mod links;
mod wishes;

#[cfg(test)]
mod tests;
