//! What the end of a circuit does with requests: the same as with any that the peer before it makes.

use std::collections::{BTreeMap, VecDeque};

use crypto::BlockKey;
use rand_core::Rng;

use super::Onion;
use super::command::{Answer, Ask, Budget, Command, Reason, Side};
use super::relays::Before;
use crate::block::Block;
use crate::event::{Class, PeerId};
use crate::fetch::{FetchRequest, Fetches, Rank};
use crate::insert::{Inserts, Offer};
use crate::message::{InsertStage, Message, Refusal, RequestId};
use crate::requests::{Asker, Operation};
use crate::shared::Shared;

/// Requests that came through circuits that end here.
#[derive(Debug)]
pub(super) struct Ends<B> {
    running: BTreeMap<(PeerId, RequestId), Running<B>>,
    todo: VecDeque<Todo<B>>,
}

/// One request.
#[derive(Debug)]
struct Running<B> {
    before: Before,
    ask: Ask,
    class: Class,
    /// Of an insert that this node has not taken on yet.
    block: Option<B>,
}

/// What the searches and inserts of this node are to be told.
#[derive(Debug)]
enum Todo<B> {
    Fetch {
        before: Before,
        ask: Ask,
        key: BlockKey,
        class: Class,
        budget: Budget,
    },
    Insert {
        before: Before,
        ask: Ask,
        class: Class,
        block: B,
    },
    Cancel {
        peer: PeerId,
        id: RequestId,
    },
}

impl<B> Ends<B> {
    pub(super) const fn new() -> Self {
        Self {
            running: BTreeMap::new(),
            todo: VecDeque::new(),
        }
    }

    /// A circuit is over, and nobody waits for its requests.
    pub(super) fn forget(&mut self, peer: PeerId, asks: &[RequestId]) {
        for &id in asks {
            self.running.remove(&(peer, id));
            self.todo.push_back(Todo::Cancel { peer, id });
        }
    }
}

impl<B: Block> Onion<B> {
    /// The originator of a circuit that ends here wants something, or wants it no more.
    pub(super) fn asked(&mut self, shared: &mut Shared<B>, before: Before, command: Command) {
        match command {
            Command::Fetch {
                ask,
                key,
                class,
                budget,
            } => {
                let fetch = Todo::Fetch {
                    before,
                    ask,
                    key,
                    class,
                    budget,
                };
                self.ends.todo.push_back(fetch);
            }
            Command::Insert {
                ask,
                key,
                class,
                block,
            } => match B::verify(key, block) {
                Some(block) => {
                    let insert = Todo::Insert {
                        before,
                        ask,
                        class,
                        block,
                    };
                    self.ends.todo.push_back(insert);
                }
                // Nobody but the originator can be to blame: the cell was opened
                None => self.break_circuit(shared, before, Side::Before),
            },
            Command::Cancel { ask } => self.cancelled(before, ask),
            Command::Begin { .. } | Command::Extend { .. } | Command::Drop | Command::Lists => {}
        }
    }

    /// Hands requests to searches and inserts, and their answers to circuits, until there are none. Whether there was one.
    pub(crate) fn settle(
        &mut self,
        shared: &mut Shared<B>,
        fetches: &mut Fetches,
        inserts: &mut Inserts<B>,
    ) -> bool {
        let mut any = false;
        loop {
            if let Some(todo) = self.ends.todo.pop_front() {
                self.begin(shared, fetches, inserts, todo);
            } else if let Some((peer, id, message, more)) = shared.diverted.pop() {
                self.end_answered(shared, inserts, (peer, id), message, more);
            } else {
                return any;
            }
            any = true;
        }
    }

    fn begin(
        &mut self,
        shared: &mut Shared<B>,
        fetches: &mut Fetches,
        inserts: &mut Inserts<B>,
        todo: Todo<B>,
    ) {
        match todo {
            Todo::Fetch {
                before,
                ask,
                key,
                class,
                budget,
            } => {
                let running = Running {
                    before,
                    ask,
                    class,
                    block: None,
                };
                let Some(id) = self.take_on(shared, running) else {
                    return;
                };
                let hops_to_live = match budget {
                    Budget::Ordinary => shared.config.hops_to_live_max,
                    Budget::Long => shared.config.hops_to_live_long,
                };
                let tie_break = shared.tie_break();
                let rank = Rank {
                    hops_to_live,
                    tie_break,
                };
                let request = FetchRequest::new(id, key, rank, class);
                fetches.peer_asks(shared, before.0, request);
            }
            Todo::Insert {
                before,
                ask,
                class,
                block,
            } => {
                let key = block.key();
                let running = Running {
                    before,
                    ask,
                    class,
                    block: Some(block),
                };
                let Some(id) = self.take_on(shared, running) else {
                    return;
                };
                let stage = InsertStage::Seek(shared.config.hops_to_live_max);
                let offer = Offer {
                    id,
                    key,
                    stage,
                    class,
                };
                inserts.peer_offers(shared, before.0, offer);
            }
            Todo::Cancel { peer, id } => withdraw(shared, fetches, inserts, peer, id),
        }
    }

    /// Gives a request an id of its own, if its circuit may have one more.
    fn take_on(&mut self, shared: &mut Shared<B>, running: Running<B>) -> Option<RequestId> {
        let Running {
            before, ask, class, ..
        } = running;
        let peer = before.0;
        let relayed = self.relays.get_mut(before)?;
        if relayed.asks.len() >= self.config.end_requests_max {
            let reason = Reason::Refused(Refusal::Overloaded);
            let answer = Answer::Failed { ask, reason };
            self.speak(shared, before, class, &answer);
            return None;
        }
        let id = loop {
            let id = RequestId(shared.rng().next_u64());
            if shared.requests.incoming(peer, id).is_none() && !shared.diverted.has(peer, id) {
                break id;
            }
        };
        shared.diverted.add(peer, id);
        relayed.asks.push(id);
        self.ends.running.insert((peer, id), running);
        Some(id)
    }

    /// A search or an insert says what becomes of a request.
    fn end_answered(
        &mut self,
        shared: &mut Shared<B>,
        inserts: &mut Inserts<B>,
        (peer, id): (PeerId, RequestId),
        message: Message,
        more: bool,
    ) {
        let accepted = matches!(message, Message::Accepted { .. });
        let Some(running) = self.ends.running.get_mut(&(peer, id)) else {
            if !accepted {
                shared.diverted.remove(peer, id);
            }
            return;
        };
        let (before, ask, class) = (running.before, running.ask, running.class);
        if accepted {
            if let Some(block) = running.block.take() {
                inserts.verified_block_arrived(shared, peer, id, block);
            }
            // The block itself says it too
            if !more {
                self.speak(shared, before, class, &Answer::Accepted { ask });
            }
            return;
        }
        self.ends.running.remove(&(peer, id));
        shared.diverted.remove(peer, id);
        if let Some(relayed) = self.relays.get_mut(before) {
            relayed.asks.retain(|asked| *asked != id);
        }
        if let Some(answer) = answer_of(ask, message) {
            self.speak(shared, before, class, &answer);
        }
    }

    fn cancelled(&mut self, before: Before, ask: Ask) {
        let Some(relayed) = self.relays.get_mut(before) else {
            return;
        };
        let running = &self.ends.running;
        let of_ask = |id: &&RequestId| {
            let running = running.get(&(before.0, **id));
            running.is_some_and(|running| running.ask == ask)
        };
        let Some(&id) = relayed.asks.iter().find(of_ask) else {
            return;
        };
        relayed.asks.retain(|asked| *asked != id);
        self.ends.forget(before.0, &[id]);
    }
}

/// Ends a request for which nobody waits any longer. An insert whose block is here goes on, and its answer is dropped.
fn withdraw<B: Block>(
    shared: &mut Shared<B>,
    fetches: &mut Fetches,
    inserts: &mut Inserts<B>,
    peer: PeerId,
    id: RequestId,
) {
    if let Some(target) = shared.requests.incoming(peer, id) {
        match target.operation {
            Operation::Fetch => {
                fetches.asker_left(shared, target.key, Asker::Peer(peer, id));
            }
            Operation::Insert => inserts.peer_cancels(shared, peer, id, target.key),
            // Nobody asks for that
            Operation::Repair => {}
        }
    }
    if shared.requests.incoming(peer, id).is_none() {
        shared.diverted.remove(peer, id);
    }
}

/// What the originator is told.
fn answer_of(ask: Ask, message: Message) -> Option<Answer> {
    let failed = |reason| Some(Answer::Failed { ask, reason });
    match message {
        Message::Found { block, .. } => Some(Answer::Found {
            ask,
            block: block.0,
        }),
        Message::Collision { block, .. } => Some(Answer::Collision {
            ask,
            block: block.0,
        }),
        Message::Stored { copies, .. } => Some(Answer::Stored {
            ask,
            copies: copies.get(),
        }),
        Message::NotFound { .. } => failed(Reason::NotFound),
        Message::Congested { .. } => failed(Reason::Congested),
        Message::Refused { reason, .. } => failed(Reason::Refused(reason)),
        Message::StoreFailed { .. } => failed(Reason::StoreFailed),
        Message::Accepted { .. }
        | Message::Fetch { .. }
        | Message::Offer { .. }
        | Message::Block { .. }
        | Message::Cancel { .. }
        | Message::Credit { .. }
        | Message::Opennet(_)
        | Message::Finding(_)
        | Message::Swap(_)
        | Message::Onion(_) => None,
    }
}
