//! One search for one key at one node.

use std::time::Duration;

use crypto::BlockKey;
use smallvec::SmallVec;

use super::{Rank, Requester, Requesters, target};
use crate::block::Block;
use crate::event::{Action, Class, FetchFailure, Origin, PeerId, StoreTicket};
use crate::hops_to_live::HopsToLive;
use crate::lookahead::{Claim, NextPeer};
use crate::message::{Message, Refusal, RequestId};
use crate::requests::{Asker, Payer};
use crate::shared::Shared;
use crate::time::Time;

mod biding;
mod choice;
mod second_try;

/// A search and those who wait for it. It asks each peer at most once, and a few times if all are busy with the key.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) requesters: Requesters,
    /// With which it began to ask peers: the least of those who waited then.
    pub(super) rank: Rank,
    /// What is left of its budget.
    pub(super) left: HopsToLive,
    pub(super) waiting: Waiting,
    /// Whose a look into the store is that nobody waits for any longer.
    payer: Payer,
    /// What the user is told if nothing better happens.
    pub(super) failure: FetchFailure,
    /// What an earlier search for the same users came to.
    earlier_failure: FetchFailure,
    class: Class,
    asked: SmallVec<[PeerId; 6]>,
    /// Peers that the search before this one asked: they come last.
    asked_before: SmallVec<[PeerId; 6]>,
    /// Peers that wanted to join in vain, with their ranks: they search already.
    searching: SmallVec<[(PeerId, Rank); 2]>,
    round: Round,
    /// Whether a peer refused because it searches for the key, or did a moment ago.
    met_itself: bool,
    pauses: u32,
    deadline: Time,
    /// When it ends in any case.
    ends: Time,
}

/// How often the peers are asked between two pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    First,
    Last,
}

/// Whose answer a search waits for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waiting {
    Nothing,
    /// A pause, until others' searches for the key have ended.
    Pause,
    Store(StoreTicket),
    Peer {
        peer: PeerId,
        id: RequestId,
        /// Whether it was chosen for what it says of its peers.
        by_claim: bool,
    },
}

impl Search {
    /// Begins with a look into the node's own store.
    pub(super) fn start<B: Block>(
        shared: &mut Shared<B>,
        key: BlockKey,
        requesters: Requesters,
    ) -> Self {
        let mut search = Self::new(shared, requesters);
        // A peer that joins before the store has answered makes no difference
        let origin = if search.is_users() {
            Origin::User
        } else {
            Origin::Peer
        };
        search.waiting = Waiting::Store(shared.look_up(target(key), origin));
        let deadline = shared.now + shared.config.accept_timeout.of(search.class);
        shared
            .deadlines
            .reset(target(key), &mut search.deadline, deadline);
        search
    }

    /// A search for `requesters` that waits for nothing yet.
    pub(super) fn new<B: Block>(shared: &Shared<B>, requesters: Requesters) -> Self {
        let ranks = requesters.iter().map(|requester| requester.rank);
        let rank = ranks.min().unwrap_or(Rank {
            hops_to_live: HopsToLive::ZERO,
            tie_break: 0,
        });
        let class = requesters
            .iter()
            .map(|requester| requester.class)
            .min()
            .unwrap_or(Class::Bulk);
        let payer = requesters
            .first()
            .map_or(Payer::User, |requester| requester.asker.into());
        let patience = patience(shared, rank.hops_to_live, class);
        let mut search = Self {
            requesters,
            rank,
            left: rank.hops_to_live,
            waiting: Waiting::Nothing,
            payer,
            failure: FetchFailure::RouteNotFound,
            earlier_failure: FetchFailure::RouteNotFound,
            class,
            asked: SmallVec::new(),
            asked_before: SmallVec::new(),
            searching: SmallVec::new(),
            round: Round::First,
            met_itself: false,
            pauses: 0,
            deadline: Time::ZERO,
            ends: shared.now + patience,
        };
        if search.is_users() {
            // Time for a second way after a peer that never answers
            search.ends = search.ends + patience;
        }
        search
    }

    /// Whether a peer that sent a request of the rank `sent` may wait for this search.
    ///
    /// Before the first peer is asked nothing can come back around. Later only a search of a strictly higher rank may
    /// join, so that ranks fall along every chain of nodes that wait for each other and no chain can close.
    pub(super) fn may_be_joined(&self, sent: Rank) -> bool {
        match self.waiting {
            Waiting::Store(_) => true,
            Waiting::Pause => false,
            Waiting::Nothing | Waiting::Peer { .. } => self.rank < sent,
        }
    }

    /// Notes that a peer was not let in.
    pub(super) fn note_searching(&mut self, peer: PeerId, sent: Rank) {
        if let Some((_, most)) = self.searching.iter_mut().find(|(id, _)| *id == peer) {
            *most = sent.max(*most);
        } else if self.searching.len() < SEARCHING_MAX {
            self.searching.push((peer, sent));
        }
    }

    pub(super) fn join<B: Block>(&mut self, shared: &mut Shared<B>, requester: Requester) {
        self.requesters.push(requester);
        if !matches!(self.waiting, Waiting::Store(_)) {
            accept(shared, requester);
        }
    }

    pub(super) fn waits_for_store(&self, ticket: StoreTicket) -> bool {
        matches!(self.waiting, Waiting::Store(expected) if expected == ticket)
    }

    /// Tells all who wait that the request is worked on.
    pub(super) fn accept_all<B: Block>(&self, shared: &mut Shared<B>) {
        for &requester in &self.requesters {
            accept(shared, requester);
        }
    }

    /// The store has too much to do, and so has this node: peers ask somebody else. Users keep waiting.
    pub(super) fn refuse_peers<B: Block>(&mut self, shared: &mut Shared<B>) {
        self.requesters.retain(|requester| {
            let Asker::Peer(peer, id) = requester.asker else {
                return true;
            };
            shared.end(requester.asker);
            shared.refuse(peer, id, Refusal::Overloaded, requester.class);
            false
        });
    }

    /// The node itself does not have the block.
    pub(super) fn begin_asking<B: Block>(&mut self, shared: &mut Shared<B>) {
        self.stop_waiting(shared);
        self.accept_all(shared);
        *self = Self {
            deadline: self.deadline,
            ..Self::new(shared, std::mem::take(&mut self.requesters))
        };
    }

    /// Asks the closest peer that was not asked yet, those that failed lately last. `false` if the search is over.
    pub(super) fn ask_next<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey) -> bool {
        if self.left == HopsToLive::ZERO || shared.now >= self.ends {
            return false;
        }
        let Some(NextPeer { peer, by_claim }) = self.next_peer(shared, &key) else {
            return self.begin_round(shared, key);
        };
        if !shared.may_ask(peer, self.class) {
            self.asked.push(peer);
            self.give_way();
            return false;
        }
        if by_claim {
            shared.peers.chosen_by_claim(peer);
        }
        let (hops_to_live, class) = (self.left, self.class);
        let tie_break = self.rank.tie_break;
        let id = shared.ask(peer, target(key), class, |id| Message::Fetch {
            id,
            key,
            hops_to_live,
            tie_break,
            class,
        });
        self.asked.push(peer);
        self.waiting = Waiting::Peer { peer, id, by_claim };
        self.wait(shared, key, shared.config.accept_timeout.of(class));
        true
    }

    pub(super) fn accepted<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        let patience =
            patience(shared, self.left, self.class) + shared.config.answer_slack.of(self.class);
        self.wait(shared, key, patience);
    }

    pub(super) fn refused<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        key: BlockKey,
        reason: Refusal,
    ) {
        match reason {
            Refusal::Loop => self.met_itself = true,
            Refusal::Overloaded => {
                if let Waiting::Peer { peer, id, .. } = self.waiting {
                    shared.peer_is_overloaded(peer, id, self.class);
                }
                self.give_way();
            }
            Refusal::RecentlyFailed { retry_after_ms } => {
                // Whatever a peer says, a refusal is over when our own would be
                let retry_after =
                    Duration::from_millis(retry_after_ms.into()).min(shared.config.recently_failed);
                self.note_failure(FetchFailure::RecentlyFailed { retry_after });
                self.note_peer_failed(shared, key);
            }
        }
        self.answered(shared);
    }

    pub(super) fn not_found<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        key: BlockKey,
        left: HopsToLive,
    ) {
        self.note_failure(FetchFailure::NotFound);
        self.note_peer_failed(shared, key);
        self.note_claim(shared, Claim::Idle);
        self.left = self.left.min(left);
        self.answered(shared);
    }

    pub(super) fn congested<B: Block>(&mut self, shared: &mut Shared<B>) {
        self.give_way();
        self.note_claim(shared, Claim::Idle);
        self.answered(shared);
    }

    /// Waits no longer for the peer that was asked, and tells it.
    pub(super) fn give_peer_up<B: Block>(&mut self, shared: &mut Shared<B>) {
        self.note_failure(FetchFailure::TimedOut);
        self.note_claim(shared, Claim::Idle);
        if let Waiting::Peer { peer, .. } = self.waiting {
            shared.peers.failed(peer);
        }
        self.withdraw(shared);
    }

    /// The peer that was asked has answered for good.
    pub(super) fn answered<B: Block>(&mut self, shared: &mut Shared<B>) {
        if let Waiting::Peer { peer, id, .. } = self.waiting {
            shared.answered(peer, id);
            self.waiting = Waiting::Nothing;
        }
    }

    /// Leaves nothing behind.
    pub(super) fn stop<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        self.stop_waiting(shared);
        self.withdraw(shared);
        shared.deadlines.clear(target(key), self.deadline);
    }

    /// Tells the peers that wait that the block was not found; the users keep waiting.
    pub(super) fn answer_peers<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        let left = self.left;
        let congested = self.failure == FetchFailure::Overloaded;
        self.requesters.retain(|requester| {
            let Asker::Peer(peer, id) = requester.asker else {
                return true;
            };
            // Whoever is before this node on a circuit must never hear of the key
            if !shared.diverted.has(peer, id) {
                shared.remember_asker(key, peer);
            }
            let left = left
                .min(requester.rank.hops_to_live)
                .plus(requester.withheld);
            shared.end(requester.asker);
            let answer = if congested {
                Message::Congested { id, left }
            } else {
                Message::NotFound { id, left }
            };
            shared.send(peer, answer, requester.class);
            false
        });
    }

    /// Tells the users that wait why there is no block.
    pub(super) fn answer_users<B: Block>(&mut self, shared: &mut Shared<B>) {
        self.note_failure(self.earlier_failure);
        for requester in std::mem::take(&mut self.requesters) {
            shared.end(requester.asker);
            if let Asker::User(id) = requester.asker {
                let result = Err(self.failure_for(requester.effort, shared.config.loop_memory));
                shared.actions.push_back(Action::FetchDone { id, result });
            }
        }
    }

    /// Whether a peer waits for what it finds, and so must not be asked.
    fn is_waited_for_by(&self, peer: PeerId) -> bool {
        let mut askers = self.requesters.iter().map(|requester| requester.asker);
        askers.any(|asker| asker.is_peer(peer))
    }

    /// Asks all peers once more if none has done anything but refuse because of a loop: others' searches may have ended
    /// since. `false` if it did so before.
    fn begin_round<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey) -> bool {
        let refused_everywhere =
            !self.asked.is_empty() && self.failure == FetchFailure::RouteNotFound;
        if !refused_everywhere || self.round == Round::Last {
            return false;
        }
        self.round = Round::Last;
        self.asked.clear();
        self.ask_next(shared, key)
    }

    fn is_users(&self) -> bool {
        self.requesters
            .iter()
            .any(|requester| matches!(requester.asker, Asker::User(_)))
    }

    /// Moves the deadline, at most to the end of the whole search.
    fn wait<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey, duration: Duration) {
        let until = (shared.now + duration).min(self.ends);
        shared
            .deadlines
            .reset(target(key), &mut self.deadline, until);
    }

    fn withdraw<B: Block>(&mut self, shared: &mut Shared<B>) {
        if let Waiting::Peer { peer, id, .. } = self.waiting {
            shared.withdraw(peer, id, self.class);
            self.waiting = Waiting::Nothing;
        }
    }

    fn stop_waiting<B: Block>(&mut self, shared: &mut Shared<B>) {
        if let Waiting::Store(ticket) = self.waiting {
            shared.abandon(ticket, self.payer);
            self.waiting = Waiting::Nothing;
        }
    }

    /// Notes what came of it if the peer that is waited for was chosen for its claims.
    pub(super) fn note_claim<B: Block>(&self, shared: &mut Shared<B>, claim: Claim) {
        if let Waiting::Peer {
            peer,
            by_claim: true,
            ..
        } = self.waiting
        {
            shared.peers.ended_by_claim(peer, claim);
        }
    }

    fn note_peer_failed<B: Block>(&self, shared: &mut Shared<B>, key: BlockKey) {
        if let Waiting::Peer { peer, .. } = self.waiting {
            shared
                .recently_failed
                .peer_failed(key, peer, self.rank.hops_to_live, shared.now);
            shared.expect_news(key, peer);
        }
    }

    /// Remembers the failure that says most.
    fn note_failure(&mut self, failure: FetchFailure) {
        if weight(failure) >= weight(self.failure) {
            self.failure = failure;
        }
    }
}

fn accept<B: Block>(shared: &mut Shared<B>, Requester { asker, class, .. }: Requester) {
    if let Asker::Peer(peer, id) = asker {
        shared.send(peer, Message::Accepted { id }, class);
    }
}

/// How long a search may take: time for each node that it may visit, and for this one and the last.
fn patience<B: Block>(shared: &Shared<B>, hops_to_live: HopsToLive, class: Class) -> Duration {
    shared.config.hop_timeout.of(class) * (u32::from(hops_to_live.get()) + 2)
}

/// How much a failure says about the network: that the block was looked for says most.
const fn weight(failure: FetchFailure) -> u8 {
    match failure {
        FetchFailure::RouteNotFound | FetchFailure::NoCircuit => 0,
        FetchFailure::TimedOut => 1,
        FetchFailure::Overloaded => 2,
        FetchFailure::RecentlyFailed { .. } => 3,
        FetchFailure::NotFound => 4,
        FetchFailure::Cancelled => 5,
    }
}

/// More than any node has peers.
const SEARCHING_MAX: usize = 100;
