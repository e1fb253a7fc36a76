//! One insert of one block at one node.

use std::num::NonZeroU8;
use std::time::Duration;

use crypto::BlockKey;
use smallvec::{SmallVec, smallvec};

use super::outcome::Outcome;
use super::{Requesters, target};
use crate::block::Block;
use crate::event::{Class, InsertFailure, Origin, PeerId, StoreResult, StoreTicket};
use crate::hops_to_live::HopsToLive;
use crate::location::{Distance, Location};
use crate::message::{BlockBytes, Copies, InsertStage, Message, Refusal, RequestId};
use crate::requests::{Asker, Payer};
use crate::shared::Shared;
use crate::time::Time;

/// An insert and those who wait for it. It offers the block to each peer at most once.
#[derive(Debug)]
pub(super) struct Placement<B> {
    pub(super) requesters: Requesters,
    pub(super) block: B,
    pub(super) stage: Stage,
    /// Who began it.
    pub(super) origin: Origin,
    /// Whose the work of the store is that nobody waits for any longer.
    payer: Payer,
    class: Class,
    check: Check,
    keeping: Keeping,
    waiting: Waiting,
    offered: SmallVec<[PeerId; 6]>,
    /// Whether it has been in one darknet only.
    pub(super) inside: bool,
    /// It is still to be sent out of that, with these hops to live.
    pub(super) out: Option<HopsToLive>,
    /// Who was asked to pass it out, until the answer.
    pub(super) asked_out: Option<PeerId>,
    /// How many nodes should have it in all if this is where nobody is closer.
    copies: Copies,
    /// How many nodes behind this one say that they stored it.
    copies_behind: u8,
    /// What the user is told if there is no copy.
    failure: InsertFailure<B>,
    deadline: Time,
    /// When it ends in any case.
    ends: Time,
}

/// What is done with the block here.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// It is passed on towards its key.
    Seek(HopsToLive),
    /// It is stored here, and should be at so many nodes in all, this one and those behind it.
    Keep { copies: u8 },
}

/// Whether the store may have another block under the key.
#[derive(Clone, Copy, Debug)]
enum Check {
    Clear,
    Running(StoreTicket),
}

/// Whether the block is stored here.
#[derive(Clone, Copy, Debug)]
enum Keeping {
    No,
    Running(StoreTicket),
    Kept,
    Failed,
}

/// Whose answer is waited for.
#[derive(Clone, Copy, Debug)]
enum Waiting {
    Nothing,
    /// The offer was made.
    Offered(Question),
    /// The offer was accepted while the store was still looking for another block under the key.
    Accepted(Question),
    /// The block was sent.
    Sent(Question),
}

#[derive(Clone, Copy, Debug)]
struct Question {
    peer: PeerId,
    id: RequestId,
    patience: Duration,
}

impl<B: Block> Placement<B> {
    pub(super) fn new(
        shared: &mut Shared<B>,
        origin: Origin,
        stage: InsertStage,
        requester: (Asker, Class),
        block: B,
    ) -> Self {
        let by_user = origin == Origin::User;
        let (_, class) = requester;
        let patience = patience(shared, stage, class);
        Self {
            requesters: smallvec![requester],
            block,
            stage: match stage {
                InsertStage::Seek(hops_to_live)
                | InsertStage::Inside(hops_to_live)
                | InsertStage::Outward(hops_to_live) => Stage::Seek(hops_to_live),
                InsertStage::Replicate(copies) => Stage::Keep {
                    copies: copies.get(),
                },
                InsertStage::Repair => Stage::Keep { copies: 1 },
            },
            origin,
            payer: requester.0.into(),
            class,
            check: Check::Clear,
            keeping: Keeping::No,
            waiting: Waiting::Nothing,
            offered: SmallVec::new(),
            inside: matches!(stage, InsertStage::Inside(_)),
            out: match stage {
                InsertStage::Outward(hops_to_live) => Some(hops_to_live),
                InsertStage::Seek(_)
                | InsertStage::Inside(_)
                | InsertStage::Replicate(_)
                | InsertStage::Repair => None,
            },
            asked_out: None,
            copies: copies(shared, by_user),
            copies_behind: 0,
            failure: InsertFailure::RouteNotFound,
            deadline: Time::ZERO,
            // The user's own insert has time for a second way after a peer that never answers
            ends: shared.now + if by_user { patience * 2 } else { patience },
        }
    }

    /// Asks the store whether there is another block under the key.
    pub(super) fn check(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        self.check = Check::Running(shared.look_up(target(key), self.origin));
    }

    pub(super) fn checks_with(&self, ticket: StoreTicket) -> bool {
        matches!(self.check, Check::Running(expected) if expected == ticket)
    }

    /// Nothing is in the way: the block may be stored and sent.
    pub(super) fn checked(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        self.check = Check::Clear;
        if let Waiting::Accepted(question) = self.waiting {
            self.send_block(shared, key, question);
        }
    }

    pub(super) fn is_same(&self, other: &B) -> bool {
        self.block.bytes() == other.bytes()
    }

    pub(super) fn store_answered(&mut self, ticket: StoreTicket, result: StoreResult) {
        if matches!(self.keeping, Keeping::Running(expected) if expected == ticket) {
            self.keeping = match result {
                StoreResult::Kept => Keeping::Kept,
                StoreResult::Failed => Keeping::Failed,
            };
        }
    }

    /// Does what can be done next. `false` if the insert is over.
    pub(super) fn advance(&mut self, shared: &mut Shared<B>, key: BlockKey) -> bool {
        self.store(shared, key);
        if !matches!(self.waiting, Waiting::Nothing) {
            return true;
        }
        if shared.now >= self.ends {
            return false;
        }
        if self.sends_out(shared, key) {
            return true;
        }
        if let Stage::Seek(hops_to_live) = self.stage {
            if let Some(peer) = self.closer_peer(shared, &key, hops_to_live) {
                let stage = if self.inside {
                    InsertStage::Inside(hops_to_live)
                } else {
                    InsertStage::Seek(hops_to_live)
                };
                self.offer(shared, key, peer, stage);
                return true;
            }
            self.stage = Stage::Keep {
                copies: self.copies.get(),
            };
            self.store(shared, key);
            if self.inside {
                self.out = Some(hops_to_live);
                if self.sends_out(shared, key) {
                    return true;
                }
            }
        }
        if let Some(copies) = self.missing_copies()
            && let Some((peer, _)) = self.free_peer(shared, &key)
        {
            self.offer(shared, key, peer, InsertStage::Replicate(copies));
            return true;
        }
        let store_works =
            matches!(self.keeping, Keeping::Running(_)) || matches!(self.check, Check::Running(_));
        if store_works {
            self.wait(shared, key, Duration::MAX);
        }
        store_works
    }

    pub(super) fn accepted(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        let Waiting::Offered(question) = self.waiting else {
            return;
        };
        match self.check {
            Check::Clear => self.send_block(shared, key, question),
            Check::Running(_) => {
                self.waiting = Waiting::Accepted(question);
                self.wait(shared, key, question.patience);
            }
        }
    }

    pub(super) fn refused(&mut self, shared: &mut Shared<B>, reason: Refusal) {
        match reason {
            Refusal::Loop => self.answered(shared),
            Refusal::Overloaded | Refusal::RecentlyFailed { .. } => {
                if let Waiting::Offered(Question { peer, id, .. }) = self.waiting {
                    shared.peer_is_overloaded(peer, id, self.class);
                }
                self.peer_failed(shared, InsertFailure::Overloaded);
            }
        }
    }

    pub(super) fn peer_stored(&mut self, shared: &mut Shared<B>, copies: u8) {
        // A peer that stored a block it was never sent is not counted
        if matches!(self.waiting, Waiting::Sent(_)) {
            self.copies_behind = self.copies_behind.saturating_add(copies);
            if self.asked_out.is_some() {
                self.out = None;
            }
        }
        self.answered(shared);
        if let Stage::Seek(_) = self.stage {
            // Where there are too few copies in that direction, this node makes up for it
            let copies = match self.origin {
                Origin::User => self.copies,
                Origin::Peer => shared.config.copies,
            };
            self.stage = Stage::Keep {
                copies: copies.get(),
            };
        }
    }

    pub(super) fn peer_failed(&mut self, shared: &mut Shared<B>, failure: InsertFailure<B>) {
        self.note_failure(failure);
        self.answered(shared);
    }

    /// Waits no longer for the peer that was asked, and tells it.
    pub(super) fn give_peer_up(&mut self, shared: &mut Shared<B>) {
        self.note_failure(InsertFailure::TimedOut);
        self.withdraw(shared);
    }

    /// The peer that was asked has answered for good.
    pub(super) fn answered(&mut self, shared: &mut Shared<B>) {
        if let Some(Question { peer, id, .. }) = self.waiting.take() {
            shared.answered(peer, id);
        }
        self.asked_out = None;
    }

    /// How it ended, when nothing more is to be done.
    pub(super) fn outcome(&self) -> Outcome<B> {
        let kept = u8::from(matches!(self.keeping, Keeping::Kept));
        match NonZeroU8::new(self.copies_behind.saturating_add(kept)) {
            Some(copies) => Outcome::Stored { copies },
            None if matches!(self.keeping, Keeping::Failed) => {
                Outcome::Failed(InsertFailure::StoreFailed)
            }
            None => Outcome::Failed(self.failure.clone()),
        }
    }

    /// Replaces what was stored here by the block that was there first.
    pub(super) fn make_way(&self, shared: &mut Shared<B>, existing: &B) {
        match self.keeping {
            Keeping::Running(_) | Keeping::Kept => shared.replace(existing.clone()),
            Keeping::No | Keeping::Failed => {}
        }
    }

    /// Moves the deadline, at most to the end of the whole insert.
    pub(super) fn wait(&mut self, shared: &mut Shared<B>, key: BlockKey, duration: Duration) {
        let until = (shared.now + duration).min(self.ends);
        shared
            .deadlines
            .reset(target(key), &mut self.deadline, until);
    }

    /// Leaves nothing behind.
    pub(super) fn stop(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        self.withdraw(shared);
        if let Check::Running(ticket) = self.check {
            shared.abandon(ticket, self.payer);
        }
        if let Keeping::Running(ticket) = self.keeping {
            shared.abandon(ticket, self.payer);
        }
        shared.deadlines.clear(target(key), self.deadline);
    }

    /// Stores the block here, unless that was begun, something is in the way, or its publisher is here.
    fn store(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        let wanted = matches!(self.keeping, Keeping::No)
            && matches!(self.check, Check::Clear)
            && self.origin == Origin::Peer
            && self.missing_here();
        if wanted {
            self.keeping = Keeping::Running(shared.store(target(key), self.block.clone()));
        }
    }

    /// Whether there are too few copies without this node's.
    fn missing_here(&self) -> bool {
        matches!(self.stage, Stage::Keep { copies } if self.copies_behind < copies)
    }

    /// How many copies others should make.
    fn missing_copies(&self) -> Option<Copies> {
        let Stage::Keep { copies } = self.stage else {
            return None;
        };
        // The publisher's node counts itself as if it stored the block, so that it looks like any other
        let here = u8::from(!matches!(self.keeping, Keeping::Failed));
        Copies::new(
            copies
                .saturating_sub(self.copies_behind)
                .saturating_sub(here),
        )
    }

    pub(super) fn offer(
        &mut self,
        shared: &mut Shared<B>,
        key: BlockKey,
        peer: PeerId,
        stage: InsertStage,
    ) {
        let class = self.class;
        let patience = patience(shared, stage, class) + shared.config.answer_slack.of(class);
        let id = shared.ask(peer, target(key), class, |id| Message::Offer {
            id,
            key,
            stage,
            class,
        });
        self.offered.push(peer);
        self.waiting = Waiting::Offered(Question { peer, id, patience });
        self.wait(shared, key, shared.config.accept_timeout.of(class));
    }

    fn send_block(&mut self, shared: &mut Shared<B>, key: BlockKey, question: Question) {
        let message = Message::Block {
            id: question.id,
            block: BlockBytes(self.block.bytes().clone()),
        };
        shared.send(question.peer, message, self.class);
        self.waiting = Waiting::Sent(question);
        self.wait(shared, key, question.patience);
    }

    /// The best next peer of those that are closer to the key than this node.
    fn closer_peer(
        &self,
        shared: &Shared<B>,
        key: &BlockKey,
        hops_to_live: HopsToLive,
    ) -> Option<PeerId> {
        if hops_to_live == HopsToLive::ZERO {
            return None;
        }
        let target = Location::of_key(key);
        let own_distance = shared.me.distance(target);
        let closer = |peer: PeerId, place: Location| {
            place.distance(target) < own_distance && self.is_free(peer)
        };
        shared.next_peer(key, closer).map(|next| next.peer)
    }

    /// The closest peer that was not offered the block, nor offered it.
    fn free_peer(&self, shared: &Shared<B>, key: &BlockKey) -> Option<(PeerId, Distance)> {
        shared.closest(key, |peer| self.is_free(peer))
    }

    pub(super) fn is_free(&self, peer: PeerId) -> bool {
        let asks = self.requesters.iter().any(|(asker, _)| asker.is_peer(peer));
        !asks && !self.offered.contains(&peer)
    }

    fn withdraw(&mut self, shared: &mut Shared<B>) {
        if let Some(Question { peer, id, .. }) = self.waiting.take() {
            shared.withdraw(peer, id, self.class);
        }
        self.asked_out = None;
    }

    /// Remembers the failure that says most.
    fn note_failure(&mut self, failure: InsertFailure<B>) {
        if weight(&failure) >= weight(&self.failure) {
            self.failure = failure;
        }
    }
}

impl Waiting {
    /// The open question, which is not waited for any longer.
    fn take(&mut self) -> Option<Question> {
        match std::mem::replace(self, Self::Nothing) {
            Self::Nothing => None,
            Self::Offered(question) | Self::Accepted(question) | Self::Sent(question) => {
                Some(question)
            }
        }
    }
}

/// How many copies to make where nobody is closer.
///
/// The publisher's node counts itself and stores nothing, so that it asks for one more. Other nodes do as well once in
/// a while, so that this says little.
fn copies<B: Block>(shared: &mut Shared<B>, by_user: bool) -> Copies {
    let copies = shared.config.copies;
    if by_user || shared.one_in(4) {
        Copies::new(copies.get() + 1).unwrap_or(copies)
    } else {
        copies
    }
}

/// How long an insert may take once its block is there: time for each node that it may visit, and for this one and the
/// last.
fn patience<B: Block>(shared: &Shared<B>, stage: InsertStage, class: Class) -> Duration {
    let hops = match stage {
        InsertStage::Seek(hops_to_live)
        | InsertStage::Inside(hops_to_live)
        | InsertStage::Outward(hops_to_live) => hops_to_live.get() + shared.config.copies.get() + 1,
        InsertStage::Replicate(copies) => copies.get(),
        InsertStage::Repair => 1,
    };
    shared.config.hop_timeout.of(class) * (u32::from(hops) + 2)
}

/// How much a failure says about the network.
const fn weight<B>(failure: &InsertFailure<B>) -> u8 {
    match failure {
        InsertFailure::RouteNotFound | InsertFailure::NoCircuit => 0,
        InsertFailure::TimedOut => 1,
        InsertFailure::Overloaded => 2,
        InsertFailure::StoreFailed => 3,
        InsertFailure::Collision(_) | InsertFailure::Cancelled => 4,
    }
}
