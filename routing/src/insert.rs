//! Placing blocks: the inserts that run at this node, one for each key.
//!
//! A block is offered to the peer closest to its key as long as that is closer than this node is. Where nobody is, it is
//! stored, and offered on to the closest nodes around until there are enough copies. An offer of a block that is being
//! placed here is refused, whoever makes it: so no two nodes ever wait for each other.

use std::collections::BTreeMap;

use crypto::{BlockKey, BlockKind};
use smallvec::SmallVec;

use crate::block::Block;
use crate::caching::caches_inserted;
use crate::event::{
    Action, Class, InsertFailure, LocalId, LookupResult, Origin, PeerId, StoreResult, StoreTicket,
};
use crate::message::{BlockBytes, InsertStage, Message, Refusal, RequestId};
use crate::requests::{Asker, Operation, Target};
use crate::shared::{Shared, share};
use crate::time::Time;
use checks::Checks;
use open_offers::OpenOffers;
use outcome::Outcome;
use outward::stage_here;
use placement::{Placement, Stage};

mod checks;
mod open_offers;
mod outcome;
mod outward;
mod placement;

/// The running inserts by key, and what may become one.
#[derive(Debug)]
pub(crate) struct Inserts<B> {
    open: OpenOffers,
    checks: Checks,
    /// Boxed: the tree makes room for eleven at a time.
    running: BTreeMap<BlockKey, Box<Placement<B>>>,
}

/// A peer's offer of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer {
    pub(crate) id: RequestId,
    pub(crate) key: BlockKey,
    pub(crate) stage: InsertStage,
    pub(crate) class: Class,
}

/// Those who wait for an insert: the peer that offered the block, or users who publish it.
type Requesters = SmallVec<[(Asker, Class); 1]>;

impl<B> Default for Inserts<B> {
    fn default() -> Self {
        Self {
            open: OpenOffers::default(),
            checks: Checks::default(),
            running: BTreeMap::new(),
        }
    }
}

impl<B: Block> Inserts<B> {
    /// Starts or joins an insert for the node's own user.
    pub(crate) fn user_publishes(
        &mut self,
        shared: &mut Shared<B>,
        id: LocalId,
        block: B,
        class: Class,
    ) {
        let key = block.key();
        let running = self.running.get(&key).map(|placement| &placement.block);
        if let Some(other) = running.filter(|running| running.bytes() != block.bytes()) {
            let result = Err(InsertFailure::Collision(other.clone()));
            shared.actions.push_back(Action::InsertDone { id, result });
            return;
        }
        if !shared.admits_local() {
            shared.actions.push_back(Action::InsertDone {
                id,
                result: Err(InsertFailure::Overloaded),
            });
            return;
        }
        let asker = Asker::User(id);
        shared.begin(asker, target(key), class);
        if let Some(placement) = self.running.get_mut(&key) {
            // Where a peer brought the block, it is placed and stored here as it would be without the user
            placement.requesters.push((asker, class));
            return;
        }
        let hops_to_live = shared.own_hops_to_live();
        let stage = stage_here(shared, InsertStage::Inside(hops_to_live));
        let placement = Placement::new(shared, Origin::User, stage, (asker, class), block);
        self.place(shared, key, placement);
    }

    /// Accepts or refuses an offer.
    pub(crate) fn peer_offers(&mut self, shared: &mut Shared<B>, from: PeerId, offer: Offer) {
        let Offer {
            id,
            key,
            stage,
            class,
        } = offer;
        let full = self.len() >= share(shared.config.inserts_max, class);
        let refusal = if self.running.contains_key(&key) || self.open.has(key, from) {
            Some(Refusal::Loop)
        } else if full || !shared.admits(from, class) {
            Some(Refusal::Overloaded)
        } else {
            None
        };
        if let Some(reason) = refusal {
            if let (InsertStage::Outward(sent), Some(running)) = (stage, self.running.get_mut(&key))
            {
                running.send_out_later(sent);
            }
            shared.refuse(from, id, reason, class);
            return;
        }
        if stage == InsertStage::Repair {
            self.check(shared, from, offer);
            return;
        }
        shared.begin(Asker::Peer(from, id), target(key), class);
        let stage = match stage {
            InsertStage::Seek(sent) => InsertStage::Seek(shared.after_hop_from(from, sent)),
            InsertStage::Inside(sent) => InsertStage::Inside(shared.after_hop_from(from, sent)),
            InsertStage::Outward(sent) => InsertStage::Outward(shared.after_hop_from(from, sent)),
            InsertStage::Replicate(_) | InsertStage::Repair => stage,
        };
        let stage = stage_here(shared, stage);
        let until = shared.now + shared.config.block_timeout.of(class);
        self.open.add(from, Offer { stage, ..offer }, until);
        shared.send(from, Message::Accepted { id }, class);
    }

    /// The block of an accepted offer arrived. One that is placed already, or was not offered, is ignored.
    pub(crate) fn block_arrived(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        id: RequestId,
        key: BlockKey,
        bytes: BlockBytes,
    ) {
        let Some(Offer { stage, class, .. }) = self.open.take(key, from, id) else {
            return;
        };
        let Some(block) = shared.verify(from, key, bytes) else {
            return;
        };
        self.take_in(shared, (from, id), (stage, class), block);
    }

    /// The block of an accepted offer that came through a circuit, and was verified there.
    pub(crate) fn verified_block_arrived(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        id: RequestId,
        block: B,
    ) {
        if let Some(Offer { stage, class, .. }) = self.open.take(block.key(), from, id) {
            self.take_in(shared, (from, id), (stage, class), block);
        }
    }

    fn take_in(
        &mut self,
        shared: &mut Shared<B>,
        (from, id): (PeerId, RequestId),
        (stage, class): (InsertStage, Class),
        block: B,
    ) {
        let key = block.key();
        shared.passed = Some(block.clone());
        let requester = (Asker::Peer(from, id), class);
        let placement = Placement::new(shared, Origin::Peer, stage, requester, block);
        self.place(shared, key, placement);
    }

    /// The blocks of some offers did not come in time. Those who made them have noticed already, since they wait for
    /// less.
    pub(crate) fn end_late_offers(&mut self, shared: &mut Shared<B>) {
        self.end_late_checks(shared);
        while let Some((from, Offer { id, class, .. })) = self.open.pop_due(shared.now) {
            shared.end(Asker::Peer(from, id));
            shared.send(from, Message::StoreFailed { id }, class);
        }
    }

    /// When [`Inserts::end_late_offers`] is next due.
    pub(crate) fn next_late_offer(&self) -> Option<Time> {
        let deadlines = [self.open.first_deadline(), self.checks.first_deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// A peer takes its offer back. An insert whose block is here goes on, and counts as its request until it ends: the
    /// peer must not see whether somebody else waits for it as well.
    pub(crate) fn peer_cancels(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        id: RequestId,
        key: BlockKey,
    ) {
        let checked = self.drop_check(shared, from, id);
        if checked || self.open.take(key, from, id).is_some() {
            shared.end(Asker::Peer(from, id));
        }
    }

    /// The user cancels. An insert that a peer began goes on, as it would have without the user.
    pub(crate) fn user_cancels(&mut self, shared: &mut Shared<B>, id: LocalId, key: BlockKey) {
        self.forget_asker(shared, key, Asker::User(id));
        let over = |placement: &Placement<B>| {
            placement.requesters.is_empty() && placement.origin == Origin::User
        };
        if self
            .running
            .get(&key)
            .is_some_and(|placement| over(placement))
        {
            self.remove(shared, &key);
        }
    }

    /// A peer is gone. An insert whose block is here goes on: the origin may have gone and nobody else may have the block.
    pub(crate) fn asker_lost(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        id: RequestId,
        key: BlockKey,
    ) {
        self.open.take(key, from, id);
        self.drop_check(shared, from, id);
        self.forget_asker(shared, key, Asker::Peer(from, id));
    }

    /// The store answered what it has under the key of a signed block.
    pub(crate) fn looked_up(
        &mut self,
        shared: &mut Shared<B>,
        key: BlockKey,
        ticket: StoreTicket,
        result: LookupResult<B>,
    ) {
        if let Some((from, offer)) = self.checks.take(ticket) {
            self.checked(shared, from, offer, &result);
            return;
        }
        let Some(placement) = self.running.get_mut(&key) else {
            return;
        };
        if !placement.checks_with(ticket) {
            return;
        }
        match result {
            LookupResult::Found(existing)
                if existing.key() == key && !placement.is_same(&existing) =>
            {
                self.end(shared, key, &Outcome::Collision(existing));
            }
            LookupResult::Found(_) | LookupResult::Missing => {
                placement.checked(shared, key);
                self.go_on(shared, key);
            }
            // There may be another block
            LookupResult::Unavailable => self.end(shared, key, &Outcome::Overloaded),
        }
    }

    /// The store keeps the block, or failed to.
    pub(crate) fn stored(
        &mut self,
        shared: &mut Shared<B>,
        key: BlockKey,
        ticket: StoreTicket,
        result: StoreResult,
    ) {
        if let Some(placement) = self.running.get_mut(&key) {
            placement.store_answered(ticket, result);
            self.go_on(shared, key);
        }
    }

    /// The peer takes the block.
    pub(crate) fn accepted(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        if let Some(placement) = self.running.get_mut(&key) {
            placement.accepted(shared, key);
        }
    }

    /// The peer does not take the block.
    pub(crate) fn refused(&mut self, shared: &mut Shared<B>, key: BlockKey, reason: Refusal) {
        if let Some(placement) = self.running.get_mut(&key) {
            placement.refused(shared, reason);
            self.go_on(shared, key);
        }
    }

    /// The peer and those behind it stored the block.
    pub(crate) fn peer_stored(&mut self, shared: &mut Shared<B>, key: BlockKey, copies: u8) {
        let Some(placement) = self.running.get_mut(&key) else {
            return;
        };
        placement.peer_stored(shared, copies);
        self.go_on(shared, key);
    }

    /// The peer and those behind it could not store the block.
    pub(crate) fn peer_failed(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        if let Some(placement) = self.running.get_mut(&key) {
            placement.peer_failed(shared, InsertFailure::StoreFailed);
            self.go_on(shared, key);
        }
    }

    /// The peer knows a different block under this key.
    pub(crate) fn collided(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        key: BlockKey,
        bytes: BlockBytes,
    ) {
        let Some(existing) = shared.verify(from, key, bytes) else {
            return;
        };
        let Some(placement) = self.running.get_mut(&key) else {
            return;
        };
        if placement.is_same(&existing) {
            // No collision at all: the peer made a mistake, and is asked no more
            placement.peer_failed(shared, InsertFailure::StoreFailed);
            self.go_on(shared, key);
            return;
        }
        placement.answered(shared);
        shared.passed = Some(existing.clone());
        self.end(shared, key, &Outcome::Collision(existing));
    }

    /// The peer that was asked is gone.
    pub(crate) fn peer_lost(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        if let Some(placement) = self.running.get_mut(&key) {
            placement.answered(shared);
            self.go_on(shared, key);
        }
    }

    /// The insert's deadline passed.
    pub(crate) fn timed_out(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        if let Some(placement) = self.running.get_mut(&key) {
            placement.give_peer_up(shared);
            self.go_on(shared, key);
        }
    }

    /// Inserts and open offers.
    pub(crate) fn len(&self) -> usize {
        self.running.len() + self.open.len() + self.checks.len()
    }

    /// Begins to place a block. All offers of it are refused, whoever brought it.
    fn place(&mut self, shared: &mut Shared<B>, key: BlockKey, mut placement: Placement<B>) {
        while let Some((peer, Offer { id, class, .. })) = self.open.pop(key) {
            shared.end(Asker::Peer(peer, id));
            shared.refuse(peer, id, Refusal::Loop, class);
        }
        shared.recently_failed.clear(&key);
        // Nothing but a signed block can be in the way of a signed block
        if key.kind == BlockKind::Signed {
            placement.check(shared, key);
        }
        self.running.insert(key, Box::new(placement));
        self.go_on(shared, key);
        if key.kind == BlockKind::Content {
            self.cache(shared, &key);
        }
    }

    /// Caches a block that is on its way to where it belongs, far from its origin.
    fn cache(&self, shared: &mut Shared<B>, key: &BlockKey) {
        let Some(placement) = self.running.get(key) else {
            return;
        };
        if let Stage::Seek(hops_to_live) = placement.stage
            && caches_inserted(hops_to_live, shared.config.hops_to_live_max)
        {
            shared.cache(placement.block.clone());
        }
    }

    /// Offers the block to the next peer, or ends the insert when nothing more is to be done.
    fn go_on(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        let Some(placement) = self.running.get_mut(&key) else {
            return;
        };
        if !placement.advance(shared, key) {
            let outcome = placement.outcome();
            self.end(shared, key, &outcome);
        }
    }

    /// Tells those who wait how it ended.
    fn end(&mut self, shared: &mut Shared<B>, key: BlockKey, outcome: &Outcome<B>) {
        let Some(placement) = self.remove(shared, &key) else {
            return;
        };
        match outcome {
            Outcome::Collision(existing) => {
                placement.make_way(shared, existing);
                shared.appeared(key, None);
            }
            // Now, and not when the block came: who is told asks at once, and those behind this node must have it
            Outcome::Stored { .. } => shared.appeared(key, None),
            Outcome::Overloaded | Outcome::Failed(_) => {}
        }
        for (asker, class) in placement.requesters {
            shared.end(asker);
            match asker {
                Asker::Peer(peer, id) => shared.send(peer, outcome.message(id), class),
                Asker::User(id) => {
                    shared.actions.push_back(Action::InsertDone {
                        id,
                        result: outcome.result(),
                    });
                }
            }
        }
    }

    fn forget_asker(&mut self, shared: &mut Shared<B>, key: BlockKey, asker: Asker) {
        shared.end(asker);
        if let Some(placement) = self.running.get_mut(&key) {
            placement.requesters.retain(|(id, _)| *id != asker);
        }
    }

    /// Takes an insert out, with everything that would still come in for it.
    fn remove(&mut self, shared: &mut Shared<B>, key: &BlockKey) -> Option<Placement<B>> {
        let mut placement = self.running.remove(key)?;
        placement.stop(shared, *key);
        Some(*placement)
    }
}

const fn target(key: BlockKey) -> Target {
    Target {
        operation: Operation::Insert,
        key,
    }
}
