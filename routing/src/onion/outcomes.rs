//! What follows from the answers to the user's requests.

use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

use super::Onion;
use super::command::{Answer, Budget, Reason};
use super::record::Blame;
use super::wants::{Goal, Setback, State, Want};
use crate::block::Block;
use crate::event::{Action, Effort, InsertFailure, InsertSuccess, LocalId};
use crate::message::Refusal;
use crate::shared::Shared;

impl<B: Block> Onion<B> {
    /// The end says something about a request.
    pub(super) fn request_answered(&mut self, shared: &mut Shared<B>, number: u64, answer: Answer) {
        let (Answer::Accepted { ask }
        | Answer::Found { ask, .. }
        | Answer::Failed { ask, .. }
        | Answer::Stored { ask, .. }
        | Answer::Collision { ask, .. }) = answer
        else {
            return;
        };
        let Some(circuit) = self.own.circuits.get_mut(&number) else {
            return;
        };
        let Some(&id) = circuit.running.get(&ask) else {
            return;
        };
        if let Answer::Accepted { .. } = answer {
            self.accepted(shared, id);
            return;
        }
        circuit.running.remove(&ask);
        self.own.look_again = true;
        match answer {
            Answer::Found { block, .. } => self.found(shared, number, id, block),
            Answer::Stored { copies, .. } => self.stored(shared, number, id, copies),
            Answer::Collision { block, .. } => self.collided(shared, number, id, block),
            Answer::Failed { reason, .. } => self.failed(shared, number, id, reason),
            Answer::Accepted { .. }
            | Answer::Neighbours(_)
            | Answer::Extended { .. }
            | Answer::NotExtended
            | Answer::Broken { .. }
            | Answer::Drop => {}
        }
    }

    fn accepted(&mut self, shared: &mut Shared<B>, id: LocalId) {
        let Some(want) = self.own.wants.get(id) else {
            return;
        };
        if let State::Sent {
            circuit, ask, at, ..
        } = want.state
        {
            let sent = State::Sent {
                circuit,
                ask,
                at,
                accepted: true,
            };
            let until = shared.now + self.patience(shared, want);
            self.own.wants.set(id, sent, until);
        }
    }

    /// How long an end may work on a request.
    fn patience(&self, shared: &Shared<B>, want: &Want<B>) -> Duration {
        let config = &shared.config;
        let hops = match want.budget {
            Budget::Ordinary => config.hops_to_live_max,
            Budget::Long => config.hops_to_live_long,
        };
        config.hop_timeout.of(want.class) * (u32::from(hops.get()) + 3)
            + config.answer_slack.of(want.class)
            + self.config.step_timeout / 2
            + self.slack()
    }

    fn found(&mut self, shared: &mut Shared<B>, number: u64, id: LocalId, bytes: Bytes) {
        let key = self.own.wants.get(id).and_then(Want::key);
        match key.and_then(|key| B::verify(key, bytes)) {
            Some(block) => {
                self.circuit_worked(shared, number);
                self.fetched(shared, id, block);
            }
            None => self.lied(shared, number, id),
        }
    }

    pub(super) fn fetched(&mut self, shared: &mut Shared<B>, id: LocalId, block: B) {
        let Some(want) = self.take(shared, id) else {
            return;
        };
        // Those who said that it was not there did not look
        self.own
            .record
            .failed(shared.now, &want.denied_by, Blame::Shared);
        let result = Ok(block);
        shared.actions.push_back(Action::FetchDone { id, result });
    }

    fn stored(&mut self, shared: &mut Shared<B>, number: u64, id: LocalId, copies: u8) {
        self.circuit_worked(shared, number);
        let is_insert = self
            .own
            .wants
            .get(id)
            .is_some_and(|want| want.key().is_none());
        if is_insert && self.take(shared, id).is_some() {
            let copies = copies.max(1);
            shared.actions.push_back(Action::InsertDone {
                id,
                result: Ok(InsertSuccess { copies }),
            });
        }
    }

    fn collided(&mut self, shared: &mut Shared<B>, number: u64, id: LocalId, bytes: Bytes) {
        let own = self.own.wants.get(id).and_then(|want| match &want.goal {
            Goal::Insert { block } => Some((block.key(), block.bytes().clone())),
            Goal::Fetch { .. } => None,
        });
        let existing = own.and_then(|(key, own)| {
            B::verify(key, bytes).filter(|existing| *existing.bytes() != own)
        });
        match existing {
            Some(existing) => {
                self.circuit_worked(shared, number);
                if self.take(shared, id).is_some() {
                    shared.actions.push_back(Action::InsertDone {
                        id,
                        result: Err(InsertFailure::Collision(existing)),
                    });
                }
            }
            None => self.lied(shared, number, id),
        }
    }

    /// The end sent bytes that are not the block.
    fn lied(&mut self, shared: &mut Shared<B>, number: u64, id: LocalId) {
        let end = self
            .own
            .circuits
            .get(&number)
            .and_then(|circuit| circuit.relays.last().copied());
        let blamed: SmallVec<[_; 1]> = end.into_iter().collect();
        self.fail(shared, number, &blamed, Blame::Certain);
        self.set_back(shared, id, Setback::TimedOut);
    }

    fn failed(&mut self, shared: &mut Shared<B>, number: u64, id: LocalId, reason: Reason) {
        let setback = match reason {
            Reason::NotFound => {
                let end = self
                    .own
                    .circuits
                    .get(&number)
                    .and_then(|circuit| circuit.relays.last().copied());
                if let Some(want) = self.own.wants.get_mut(id) {
                    want.denied_by.extend(end);
                }
                Setback::NotFound
            }
            Reason::Congested | Reason::Refused(Refusal::Overloaded) => Setback::Congested,
            Reason::Refused(Refusal::Loop) => Setback::Loop,
            Reason::Refused(Refusal::RecentlyFailed { retry_after_ms }) => {
                let retry_after = Duration::from_millis(retry_after_ms.into());
                Setback::RecentlyFailed(retry_after.min(shared.config.recently_failed))
            }
            Reason::StoreFailed => Setback::StoreFailed,
        };
        self.set_back(shared, id, setback);
    }

    /// A try came to nothing: another circuit, or the end.
    pub(super) fn set_back(&mut self, shared: &mut Shared<B>, id: LocalId, setback: Setback) {
        let tries = self.config.tries;
        let Some(want) = self.own.wants.get_mut(id) else {
            return;
        };
        // Who only probes hears of the searches of others instead of waiting for their end
        let setback = if setback == Setback::Loop && want.probes() {
            Setback::RecentlyFailed(shared.config.loop_memory)
        } else {
            setback
        };
        want.note(setback);
        let in_vain = matches!(setback, Setback::NotFound | Setback::RecentlyFailed(_));
        let again = match &want.goal {
            Goal::Fetch { effort, .. } if in_vain => {
                let again = *effort == Effort::Thorough && want.budget == Budget::Ordinary;
                want.budget = Budget::Long;
                again
            }
            Goal::Fetch { .. } | Goal::Insert { .. } => want.tries < tries,
        };
        if !again {
            self.give_up(shared, id);
            return;
        }
        if matches!(setback, Setback::Loop | Setback::Congested) {
            let pause = shared.config.busy_pause.of(want.class) * (1 << want.tries.min(5));
            let until = shared.now + shared.half_or_more(pause);
            self.own.wants.set(id, State::Paused, until);
        } else {
            self.wait_for_circuit(shared, id);
        }
    }

    /// The circuit that a request went over is gone.
    pub(super) fn circuit_lost(&mut self, shared: &mut Shared<B>, id: LocalId) {
        self.set_back(shared, id, Setback::CircuitLost);
    }

    /// Tells the user that nothing came of it.
    pub(super) fn give_up(&mut self, shared: &mut Shared<B>, id: LocalId) {
        let Some(want) = self.take(shared, id) else {
            return;
        };
        shared.actions.push_back(match &want.goal {
            Goal::Fetch { .. } => Action::FetchDone {
                id,
                result: Err(want.fetch_failure()),
            },
            Goal::Insert { .. } => Action::InsertDone {
                id,
                result: Err(want.insert_failure()),
            },
        });
    }

    /// The first time that a circuit does what it is for, its relays are remembered for it.
    fn circuit_worked(&mut self, shared: &Shared<B>, number: u64) {
        if let Some(circuit) = self.own.circuits.get_mut(&number)
            && !std::mem::replace(&mut circuit.useful, true)
        {
            self.own.record.worked(shared.now, &circuit.relays);
        }
    }
}
