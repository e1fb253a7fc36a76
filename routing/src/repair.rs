//! Keeping enough copies of what is stored here while nodes come and go.
//!
//! A node walks through its store, one key after the other and slowly. Where it is the closest of all nodes that it knows, it
//! asks the next closest ones whether they have the block, as many as there should be copies; where another one is closer, it
//! asks that one. A node that has it says so; one that does not is sent the block. Nobody else takes part, nothing is
//! remembered from one walk to the next, and a question costs some fifty bytes.

use crypto::BlockKey;
use smallvec::SmallVec;

use crate::block::Block;
use crate::event::{Action, Class, LookupResult, Origin, PeerId, StoreTicket};
use crate::location::Location;
use crate::message::{BlockBytes, InsertStage, Message, RequestId};
use crate::requests::{Operation, Payer, Target};
use crate::shared::Shared;
use crate::time::Time;

/// The walk through the store. One key is looked after at a time.
#[derive(Debug)]
pub(crate) struct Repairs<B> {
    step: Step,
    /// The last key that was looked after; none at the beginning of a walk.
    after: Option<BlockKey>,
    running: Option<Repair<B>>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The next key is asked for then.
    Due(Time),
    /// The driver looks for the next key, or a key is being looked after.
    Working,
}

/// One block whose copies are counted.
#[derive(Debug)]
struct Repair<B> {
    key: BlockKey,
    block: Option<B>,
    /// Who is still to be asked.
    left: SmallVec<[PeerId; 4]>,
    waiting: Waiting,
    deadline: Time,
}

#[derive(Clone, Copy, Debug)]
enum Waiting {
    Nothing,
    /// For the peer to say whether it has the block.
    Peer(PeerId, RequestId),
    /// For the own store, since the peer wants the block.
    Store(PeerId, RequestId, StoreTicket),
    /// For the peer to say that it has stored the block, which was sent.
    Sent(PeerId, RequestId),
}

impl<B> Default for Repairs<B> {
    fn default() -> Self {
        Self {
            step: Step::Due(Time::ZERO),
            after: None,
            running: None,
        }
    }
}

impl<B: Block> Repairs<B> {
    /// When [`Repairs::step`] is next due, if repair is on.
    pub(crate) fn next_step(&self, shared: &Shared<B>) -> Option<Time> {
        shared.config.repair_interval?;
        match self.step {
            Step::Due(at) => Some(at),
            Step::Working => None,
        }
    }

    /// Asks for the next key if that is due.
    pub(crate) fn step(&mut self, shared: &mut Shared<B>) {
        if self.next_step(shared).is_none_or(|at| at > shared.now) {
            return;
        }
        if shared.peers.len() == 0 {
            self.rest(shared);
            return;
        }
        self.step = Step::Working;
        let after = self.after;
        shared.actions.push_back(Action::NextStored { after });
    }

    /// The driver says which key comes next in its store.
    pub(crate) fn listed(&mut self, shared: &mut Shared<B>, key: Option<BlockKey>) {
        if self.running.is_some() || matches!(self.step, Step::Due(_)) {
            return;
        }
        self.after = key;
        let Some(key) = key else {
            self.step = Step::Due(shared.now + shared.config.repair_pause);
            return;
        };
        self.running = Some(Repair {
            key,
            block: None,
            left: targets(shared, &key),
            waiting: Waiting::Nothing,
            deadline: Time::ZERO,
        });
        self.ask_next(shared);
    }

    /// A peer answers.
    pub(crate) fn answered(&mut self, shared: &mut Shared<B>, key: BlockKey, message: &Message) {
        let Some(repair) = self.running.as_mut().filter(|repair| repair.key == key) else {
            return;
        };
        let accepted = matches!(message, Message::Accepted { .. });
        match repair.waiting {
            Waiting::Peer(peer, id) if accepted && repair.block.is_some() => {
                self.send_block(shared, peer, id);
            }
            Waiting::Peer(peer, id) if accepted => {
                // A walk through the store is no use of what is in it
                let ticket = shared.look_up(target(key), Origin::User);
                repair.waiting = Waiting::Store(peer, id, ticket);
            }
            Waiting::Peer(peer, id) | Waiting::Sent(peer, id) if !accepted => {
                shared.answered(peer, id);
                self.ask_next(shared);
            }
            // The block goes out once, however often the peer accepts it
            Waiting::Nothing | Waiting::Peer(..) | Waiting::Store(..) | Waiting::Sent(..) => {}
        }
    }

    /// The own store answers.
    pub(crate) fn looked_up(
        &mut self,
        shared: &mut Shared<B>,
        ticket: StoreTicket,
        result: LookupResult<B>,
    ) {
        let Some(repair) = &mut self.running else {
            return;
        };
        let Waiting::Store(peer, id, expected) = repair.waiting else {
            return;
        };
        if expected != ticket {
            return;
        }
        if let LookupResult::Found(block) = result {
            repair.block = Some(block);
            self.send_block(shared, peer, id);
        } else {
            // It is gone since it was listed
            repair.left.clear();
            shared.withdraw(peer, id, Class::Bulk);
            self.ask_next(shared);
        }
    }

    /// A peer did not answer in time.
    pub(crate) fn timed_out(&mut self, shared: &mut Shared<B>) {
        match self.running.as_ref().map(|repair| repair.waiting) {
            Some(Waiting::Peer(peer, id) | Waiting::Sent(peer, id)) => {
                shared.withdraw(peer, id, Class::Bulk);
            }
            Some(Waiting::Store(peer, id, ticket)) => {
                shared.abandon(ticket, Payer::User);
                shared.withdraw(peer, id, Class::Bulk);
            }
            Some(Waiting::Nothing) | None => {}
        }
        self.ask_next(shared);
    }

    /// The peer that was asked is gone.
    pub(crate) fn peer_lost(&mut self, shared: &mut Shared<B>) {
        match self.running.as_ref().map(|repair| repair.waiting) {
            Some(Waiting::Peer(peer, id) | Waiting::Sent(peer, id)) => shared.answered(peer, id),
            Some(Waiting::Store(peer, id, ticket)) => {
                shared.abandon(ticket, Payer::User);
                shared.answered(peer, id);
            }
            Some(Waiting::Nothing) | None => {}
        }
        self.ask_next(shared);
    }

    fn ask_next(&mut self, shared: &mut Shared<B>) {
        let Some(repair) = &mut self.running else {
            return;
        };
        let key = repair.key;
        repair.waiting = Waiting::Nothing;
        while let Some(peer) = repair.left.pop() {
            let class = Class::Bulk;
            if shared.peers.peer(peer).is_none() || !shared.may_ask(peer, class) {
                continue;
            }
            let id = shared.ask(peer, target(key), class, |id| Message::Offer {
                id,
                key,
                stage: InsertStage::Repair,
                class,
            });
            repair.waiting = Waiting::Peer(peer, id);
            let until = shared.now + shared.config.accept_timeout.of(class);
            shared
                .deadlines
                .reset(target(key), &mut repair.deadline, until);
            return;
        }
        shared.deadlines.clear(target(key), repair.deadline);
        self.running = None;
        self.rest(shared);
    }

    fn send_block(&mut self, shared: &mut Shared<B>, peer: PeerId, id: RequestId) {
        let Some(repair) = &mut self.running else {
            return;
        };
        let Some(block) = &repair.block else {
            return;
        };
        let block = BlockBytes(block.bytes().clone());
        shared.send(peer, Message::Block { id, block }, Class::Bulk);
        repair.waiting = Waiting::Sent(peer, id);
        let config = &shared.config;
        let patience = config.block_timeout.of(Class::Bulk) + config.hop_timeout.of(Class::Bulk);
        let until = shared.now + patience;
        shared
            .deadlines
            .reset(target(repair.key), &mut repair.deadline, until);
    }

    fn rest(&mut self, shared: &Shared<B>) {
        let interval = shared.config.repair_interval.unwrap_or_default();
        self.step = Step::Due(shared.now + interval);
    }
}

/// Who should have a block that is stored here and is asked whether it does, the closest last.
fn targets<B: Block>(shared: &Shared<B>, key: &BlockKey) -> SmallVec<[PeerId; 4]> {
    let place = Location::of_key(key);
    let own = shared.me.distance(place);
    let mut peers: Vec<_> = shared
        .peers
        .places()
        .map(|(peer, location)| (location.distance(place), peer))
        .collect();
    peers.sort_unstable();
    let is_closest = peers.first().is_none_or(|&(distance, _)| own < distance);
    let count = if is_closest {
        usize::from(shared.config.copies.get()) - 1
    } else {
        1
    };
    let asked = peers.into_iter().take(count).map(|(_, peer)| peer);
    let mut asked: SmallVec<[PeerId; 4]> = asked.collect();
    asked.reverse();
    asked
}

const fn target(key: BlockKey) -> Target {
    Target {
        operation: Operation::Repair,
        key,
    }
}
