//! How a circuit grows: one relay after the other, each through those before it.

use bytes::{Bytes, BytesMut};
use crypto::onion::{self, CellSize, CircuitKeys, Handshake};
use rand_core::Rng;
use smallvec::SmallVec;

use super::anonymity::Level;
use super::circuit::{Circuit, Growing};
use super::command::{Answer, Command};
use super::liars::Lie;
use super::list::RelayName;
use super::message::{Direction, OnionMessage};
use super::record::{Blame, Worth};
use super::relaying::{Cell, send, send_cell};
use super::{Onion, Onward};
use crate::block::Block;
use crate::event::Class;
use crate::shared::Shared;

impl<B: Block> Onion<B> {
    /// Begins a circuit. `false` if there is no guard.
    pub(super) fn build(&mut self, shared: &mut Shared<B>, level: Level) -> bool {
        let Some((guard, name)) = self.guard(shared) else {
            return false;
        };
        let Some(key) = name.key() else {
            self.own.record.failed(shared.now, [&name], Blame::Certain);
            return false;
        };
        let link = self.fresh_circuit(shared, guard);
        let (handshake, create) = Handshake::begin(key, shared.rng());
        let handshake = Box::new(handshake);
        let numbers = (
            onion::first_number(shared.rng()),
            onion::first_number(shared.rng()),
        );
        let step_until = shared.now + self.config.step_timeout + self.slack();
        let until = shared.now + self.config.circuit_life;
        let number = self.own.add(Circuit::new(
            (guard, link),
            (level, self.hops_wished(shared, level)),
            Growing::Asked { handshake, name },
            numbers,
            shared.now,
            (step_until, until),
        ));
        self.onward.insert((guard, link), Onward::Own(number));
        let message = OnionMessage::Create {
            circuit: link,
            handshake: Bytes::copy_from_slice(&create),
        };
        send(shared, guard, message, Class::RealTime);
        true
    }

    /// The guard answers.
    pub(super) fn first_hop(&mut self, shared: &mut Shared<B>, number: u64, created: &[u8]) {
        let Some(circuit) = self.own.circuits.get_mut(&number) else {
            return;
        };
        if circuit.keys.is_some() {
            return;
        }
        let Growing::Asked { handshake, name } =
            std::mem::replace(&mut circuit.growing, Growing::NeedsList)
        else {
            return;
        };
        circuit.relays.push(name);
        circuit.stepped(shared.now);
        let Ok(keys) = handshake.finish(created) else {
            self.fail(shared, number, &[name], Blame::Likely);
            return;
        };
        circuit.keys = Some(CircuitKeys::new(keys));
        circuit.list = self.reach.list_of(circuit.guard).cloned();
        if let Some(list) = &circuit.list {
            // Whoever comes behind the guard is held to what it says
            if self.own.record.check(shared.now, list) == Worth::Contradicted {
                self.caught(shared, name, Lie::TwoLists);
                self.fail(shared, number, &[], Blame::Shared);
                return;
            }
        }
        self.ask_to_hold(shared, number);
        if self.config.delay.is_none() {
            self.grow(shared, number);
        }
    }

    /// Something comes back along a circuit of this node's own.
    pub(super) fn answered(
        &mut self,
        shared: &mut Shared<B>,
        number: u64,
        cell_number: u32,
        mut body: BytesMut,
    ) {
        let Some(circuit) = self.own.circuits.get_mut(&number) else {
            return;
        };
        let Some(keys) = &mut circuit.keys else {
            return;
        };
        let Ok(speaker) = keys.open_backward(cell_number, &mut body) else {
            let all = circuit.relays.clone();
            self.fail(shared, number, &all, Blame::Shared);
            return;
        };
        let end = keys.len() - 1;
        circuit.heard = shared.now;
        if cell_number < onion::CLOSING_NUMBER_MIN {
            circuit.heard_number = circuit.heard_number.max(cell_number);
        }
        let body = body.freeze();
        let payload = onion::payload(&body).map(|payload| body.slice_ref(payload));
        match payload.ok().and_then(|payload| Answer::decode(&payload)) {
            Some(Answer::Broken { side }) => self.broken_at(shared, number, speaker, side),
            Some(Answer::Neighbours(list)) if circuit.looking.is_some() && speaker == end => {
                self.shown(shared, number, &list);
            }
            Some(Answer::Neighbours(list)) => self.listed(shared, number, list, speaker),
            Some(answer) if speaker == end => self.end_says(shared, number, answer),
            // Only the end has anything else to say
            Some(_) | None => {
                let speaker = circuit.relays.get(speaker).copied();
                let speaker: SmallVec<[RelayName; 1]> = speaker.into_iter().collect();
                self.fail(shared, number, &speaker, Blame::Certain);
            }
        }
    }

    fn end_says(&mut self, shared: &mut Shared<B>, number: u64, answer: Answer) {
        match answer {
            Answer::Extended { handshake } => self.next_hop(shared, number, &handshake),
            Answer::NotExtended => self.refused_hop(shared, number),
            Answer::Accepted { .. }
            | Answer::Found { .. }
            | Answer::Failed { .. }
            | Answer::Stored { .. }
            | Answer::Collision { .. } => self.request_answered(shared, number, answer),
            Answer::Neighbours(_) | Answer::Broken { .. } | Answer::Drop => {}
        }
    }

    /// The circuit has one relay more.
    fn next_hop(&mut self, shared: &mut Shared<B>, number: u64, created: &[u8]) {
        let until = shared.now + self.config.step_timeout + self.slack();
        let Some(circuit) = self.own.circuits.get_mut(&number) else {
            return;
        };
        let (Some(keys), Growing::Asked { handshake, name }) = (
            &mut circuit.keys,
            std::mem::replace(&mut circuit.growing, Growing::NeedsList),
        ) else {
            // It answers what it was not asked
            let end = circuit.relays.last().copied();
            let end: SmallVec<[RelayName; 1]> = end.into_iter().collect();
            self.fail(shared, number, &end, Blame::Certain);
            return;
        };
        let added = handshake.finish(created).map(|hop| keys.push(hop));
        if !matches!(added, Ok(Ok(()))) {
            let end = circuit.relays.last().copied();
            let pair: SmallVec<[RelayName; 2]> = end.into_iter().chain([name]).collect();
            self.fail(shared, number, &pair, Blame::Shared);
            return;
        }
        let end = circuit.relays.len().saturating_sub(1);
        let more = circuit.stepped(shared.now);
        if self.config.delay.is_none() && circuit.relays.len() >= TIMED_FROM {
            let last = circuit.relays.iter().rev().take(2).copied();
            let involved: SmallVec<[RelayName; 3]> = last.chain([name]).collect();
            if self.own.steps.note(shared.now, more, &involved) {
                self.fail(shared, number, &[], Blame::Shared);
                return;
            }
        }
        circuit.relays.push(name);
        circuit.list = None;
        circuit.refused.clear();
        circuit.step_until = until;
        // Behind anything that the end before may have said, and near enough to it that cells may overtake each other
        let gap = GAP_MIN + shared.rng().next_u32() % GAP_MIN;
        circuit.answer_from = circuit.heard_number.saturating_add(gap);
        circuit.heard_number = circuit.answer_from;
        if circuit.relays.len() >= usize::from(circuit.wished) {
            self.own.dead_ends = 0;
            self.finish(number);
        }
        self.ask_to_hold(shared, number);
        let circuit = self.own.circuits.get_mut(&number);
        if let Some(early) = circuit.and_then(|circuit| circuit.early.take()) {
            self.listed(shared, number, early, end);
        }
    }

    /// The end did not reach the relay that it was asked to reach.
    fn refused_hop(&mut self, shared: &mut Shared<B>, number: u64) {
        let Some(circuit) = self.own.circuits.get_mut(&number) else {
            return;
        };
        let Growing::Asked { name, .. } =
            std::mem::replace(&mut circuit.growing, Growing::NeedsList)
        else {
            return;
        };
        circuit.refused.push(name);
        let refused_often = circuit.refused.len() > REFUSALS_MAX;
        let end = circuit.relays.last().copied();
        let pair: SmallVec<[RelayName; 2]> = end.into_iter().chain([name]).collect();
        self.suspect(shared.now, number, &pair, Blame::Shared);
        if refused_often {
            self.fail(shared, number, &[], Blame::Shared);
        } else {
            self.grow(shared, number);
        }
    }

    /// Asks the next relay, or ends there.
    pub(super) fn grow(&mut self, shared: &mut Shared<B>, number: u64) {
        let until = shared.now + self.config.step_timeout + self.slack();
        let Some(name) = self.choose(shared, number) else {
            self.dead_end(shared, number);
            return;
        };
        let Some(circuit) = self.own.circuits.get_mut(&number) else {
            return;
        };
        let Some(key) = name.key() else {
            let end = circuit.relays.last().copied();
            let blamed: SmallVec<[RelayName; 1]> = end.into_iter().collect();
            self.fail(shared, number, &blamed, Blame::Certain);
            return;
        };
        let (handshake, create) = Handshake::begin(key, shared.rng());
        circuit.growing = Growing::Asked {
            handshake: Box::new(handshake),
            name,
        };
        circuit.step_from = shared.now;
        circuit.step_until = until;
        let extend = Command::Extend {
            to: name,
            handshake: Bytes::copy_from_slice(&create),
        };
        self.command(shared, number, Class::RealTime, &extend);
    }

    /// The relay to try next: one among those that the end reaches, at random.
    fn choose(&mut self, shared: &mut Shared<B>, number: u64) -> Option<RelayName> {
        let now = shared.now;
        let circuit = self.own.circuits.get(&number)?;
        let mut candidates: Vec<RelayName> = circuit
            .list
            .as_ref()?
            .neighbours()
            .filter(|name| {
                !self.keys.is_own(name)
                    && !circuit.relays.contains(name)
                    && !circuit.refused.contains(name)
                    && !self.is_left_out(now, name)
            })
            .collect();
        if circuit.relays.len() == 1 && circuit.wished >= SECONDS_FROM {
            let guard = circuit.guard;
            return self.second_relay(shared, guard, &candidates);
        }
        while !candidates.is_empty() {
            let name = candidates.swap_remove(shared.below(candidates.len()));
            if !self
                .own
                .record
                .is_choosy(now, &name, self.config.lists_grace)
            {
                return Some(name);
            }
        }
        None
    }

    /// There is no way on. Another walk may find one; where several do not, the network is too small or too thin for circuits
    /// as long as wished, and shorter ones do.
    fn dead_end(&mut self, shared: &mut Shared<B>, number: u64) {
        let Some(circuit) = self.own.circuits.get(&number) else {
            return;
        };
        let hops = circuit.relays.len();
        // What it lacks then is only what a node with few peers adds
        let as_promised = hops >= usize::from(circuit.level.hops());
        if as_promised {
            self.own.dead_ends = 0;
        } else {
            self.own.dead_ends = self.own.dead_ends.saturating_add(1);
        }
        if as_promised || (hops >= HOPS_MIN && self.own.dead_ends > DEAD_ENDS_MAX) {
            self.finish(number);
        } else {
            self.fail(shared, number, &[], Blame::Shared);
        }
    }

    /// The circuit can be used.
    fn finish(&mut self, number: u64) {
        if let Some(circuit) = self.own.circuits.get_mut(&number) {
            circuit.growing = Growing::Done;
            circuit.list = None;
        }
        self.own.built();
    }

    /// Tells the end of a circuit something.
    pub(super) fn command(
        &mut self,
        shared: &mut Shared<B>,
        number: u64,
        class: Class,
        command: &Command,
    ) {
        let Some(circuit) = self.own.circuits.get_mut(&number) else {
            return;
        };
        let Some(keys) = &circuit.keys else {
            return;
        };
        let payload = command.encode(circuit.answer_from);
        let size = if payload.len() <= CellSize::Control.payload_max() {
            CellSize::Control
        } else {
            CellSize::Block
        };
        let cell_number = circuit.number;
        circuit.number = circuit.number.wrapping_add(1);
        let sealed = keys
            .seal_forward(cell_number, size, &payload)
            .expect("commands and blocks fit into cells");
        let cell = Cell {
            class,
            number: cell_number,
            size,
            bytes: sealed.freeze(),
        };
        let (guard, link) = (circuit.guard, circuit.link);
        send_cell(shared, guard, link, Direction::Forward, cell);
    }
}

/// Between the numbers of two ends: more than one end says while a circuit grows, and less than cells may be late by.
const GAP_MIN: u32 = 64;
const _: () = assert!(2 * GAP_MIN < onion::WINDOW);

/// So many relays may refuse in a row before the circuit is given up.
const REFUSALS_MAX: usize = 2;

/// So many dead ends in a row may be bad luck.
const DEAD_ENDS_MAX: u32 = 3;

/// With one hop the guard would be the end, and see what is wanted.
const HOPS_MIN: usize = 2;

/// With so many relays a circuit's steps are compared with the one before. Those to the guard and to the second relay and the
/// third tell of the same two each time: who is behind a guard could make it seem slow, and the other way round.
const TIMED_FROM: usize = 3;

/// In shorter circuits the second relay is next to the end, or the end.
pub(super) const SECONDS_FROM: u8 = 4;
