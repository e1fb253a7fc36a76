//! What a relay does with messages of circuits.

use std::sync::Arc;

use bytes::Bytes;
use crypto::onion::{self, CellSize};
use rand_core::Rng;

use super::command::{Answer, Command, Side};
use super::list::RelayName;
use super::message::{CellBody, CircuitId, Direction, OnionMessage};
use super::relays::{Before, Flows, Next, PAID_AHEAD, unshared};
use super::{Onion, Onward};
use crate::block::Block;
use crate::event::{Class, PeerId};
use crate::message::Message;
use crate::shared::Shared;

impl<B: Block> Onion<B> {
    /// A peer says something about circuits.
    pub(crate) fn hear(&mut self, shared: &mut Shared<B>, from: PeerId, message: OnionMessage) {
        match message {
            OnionMessage::Create { circuit, handshake } => {
                self.created_here(shared, (from, circuit), &handshake);
            }
            OnionMessage::Created { circuit, handshake } => {
                match self.onward.get(&(from, circuit)) {
                    Some(&Onward::Relayed(before)) => self.extended(shared, before, handshake),
                    Some(&Onward::Own(number)) => self.first_hop(shared, number, &handshake),
                    None => {}
                }
            }
            OnionMessage::Cell {
                circuit,
                direction,
                class,
                number,
                body,
            } => {
                let cell = Cell {
                    class,
                    number,
                    size: body.size(),
                    bytes: body.into_bytes(),
                };
                match direction {
                    Direction::Forward => self.forward(shared, (from, circuit), cell),
                    Direction::Backward => self.backward(shared, from, circuit, cell),
                }
            }
            OnionMessage::Destroy { circuit, direction } => match direction {
                Direction::Forward => self.ended_before(shared, (from, circuit)),
                Direction::Backward => self.ended_behind(shared, from, circuit),
            },
            OnionMessage::Neighbours(list) => {
                let config = Arc::clone(&self.config);
                if self.reach.hear(shared.now, &config, &self.keys, from, list) {
                    self.own.look_again = true;
                }
            }
        }
    }

    /// A peer wants a circuit that ends here.
    fn created_here(&mut self, shared: &mut Shared<B>, before: Before, handshake: &[u8]) {
        let (peer, circuit) = before;
        let config = Arc::clone(&self.config);
        let flows = Flows::of(&shared.config, &self.config);
        if self.relays.get(before).is_some() || !self.relays.admits(shared.now, &config, peer) {
            self.refuse(shared, before, Direction::Backward);
            return;
        }
        if !(self.relays).charge_peer(shared.now, peer, PAID_AHEAD, flows) {
            return;
        }
        let Ok((created, keys)) = onion::answer(self.keys.all(), handshake, shared.rng()) else {
            tell_destroyed_before(shared, before);
            return;
        };
        self.relays.add(shared.now, before, keys);
        let message = OnionMessage::Created {
            circuit,
            handshake: Bytes::copy_from_slice(&created),
        };
        send(shared, peer, message, Class::RealTime);
    }

    /// A cell comes from the side of the originator.
    fn forward(&mut self, shared: &mut Shared<B>, before: Before, cell: Cell) {
        let flows = Flows::of(&shared.config, &self.config);
        let Some(relayed) = self.relays.get_mut(before) else {
            self.refuse(shared, before, Direction::Backward);
            return;
        };
        let mut body = unshared(cell.bytes);
        let opened = relayed.keys.open_forward(cell.number, &mut body).is_ok();
        let next = relayed.next;
        let within = self.relays.charge(shared.now, before, cell.size, flows);
        if !opened || !within {
            let side = if opened { Side::Here } else { Side::Before };
            self.break_circuit(shared, before, side);
            return;
        }
        match next {
            Next::Relay { peer, circuit } => {
                let cell = Cell {
                    bytes: body.freeze(),
                    ..cell
                };
                self.pass_on(shared, before, (peer, circuit), Direction::Forward, cell);
            }
            Next::Nobody => self.at_the_end(shared, before, &body.freeze()),
            // Whoever asked to extend waits for the answer
            Next::Asked { .. } => self.break_circuit(shared, before, Side::Before),
        }
    }

    /// A cell comes from the side of the end.
    fn backward(&mut self, shared: &mut Shared<B>, from: PeerId, circuit: CircuitId, cell: Cell) {
        let before = match self.onward.get(&(from, circuit)) {
            Some(&Onward::Relayed(before)) => before,
            Some(&Onward::Own(number)) => {
                self.answered(shared, number, cell.number, unshared(cell.bytes));
                return;
            }
            None => {
                self.refuse(shared, (from, circuit), Direction::Forward);
                return;
            }
        };
        let flows = Flows::of(&shared.config, &self.config);
        let within = self.relays.charge(shared.now, before, cell.size, flows);
        let Some(relayed) = self.relays.get_mut(before) else {
            return;
        };
        let mut body = unshared(cell.bytes);
        let wrapped = relayed.keys.wrap_backward(cell.number, &mut body).is_ok();
        if !wrapped || !within {
            let side = if wrapped { Side::Here } else { Side::Behind };
            self.break_circuit(shared, before, side);
            return;
        }
        let cell = Cell {
            bytes: body.freeze(),
            ..cell
        };
        if cell.number < onion::CLOSING_NUMBER_MIN {
            self.pass_on(shared, before, before, Direction::Backward, cell);
        } else {
            // Nothing comes after it. A message of its own that says so could overtake it, and hide where it broke
            let (peer, circuit) = before;
            send_cell(shared, peer, circuit, Direction::Backward, cell);
            self.ended_before(shared, before);
        }
    }

    /// A cell for this node, from an originator that it does not know.
    fn at_the_end(&mut self, shared: &mut Shared<B>, before: Before, cell: &Bytes) {
        let payload = onion::payload(cell).map(|payload| cell.slice_ref(payload));
        let command = payload.ok().and_then(|payload| Command::decode(&payload));
        let Some((answer_from, command)) = command else {
            self.break_circuit(shared, before, Side::Before);
            return;
        };
        if let Some(relayed) = self.relays.get_mut(before) {
            relayed.number.get_or_insert(answer_from);
        }
        match command {
            Command::Begin { delay_ms } => {
                if let Some(relayed) = self.relays.get_mut(before) {
                    relayed.delay_ms = delay_ms;
                }
                let config = Arc::clone(&self.config);
                let list = self.reach.list(shared, &config, &mut self.keys);
                self.speak(shared, before, Class::RealTime, &Answer::Neighbours(list));
            }
            Command::Extend { to, handshake } => self.extend(shared, before, to, handshake),
            Command::Fetch { .. } | Command::Insert { .. } | Command::Cancel { .. } => {
                self.asked(shared, before, command);
            }
            Command::Drop => self.speak(shared, before, Class::RealTime, &Answer::Drop),
            Command::Lists => self.show_lists(shared, before),
        }
    }

    /// The originator wants a relay behind this one.
    fn extend(&mut self, shared: &mut Shared<B>, before: Before, to: RelayName, handshake: Bytes) {
        let config = Arc::clone(&self.config);
        let target = self.reach.peer_of(shared, &config, &self.keys, &to);
        let busy = self
            .relays
            .get(before)
            .is_none_or(|relayed| !relayed.asks.is_empty());
        let fits = handshake.len() == onion::CREATE_LEN;
        let Some(peer) = target.filter(|&peer| peer != before.0 && !busy && fits) else {
            self.speak(shared, before, Class::RealTime, &Answer::NotExtended);
            return;
        };
        let circuit = self.fresh_circuit(shared, peer);
        self.onward.insert((peer, circuit), Onward::Relayed(before));
        let until = shared.now + config.step_timeout / 2;
        let asked = Next::Asked {
            peer,
            circuit,
            until,
        };
        self.relays.set_next(before, asked);
        let message = OnionMessage::Create { circuit, handshake };
        send(shared, peer, message, Class::RealTime);
    }

    /// The relay behind this one answers. The originator gets its list along, so that it need not ask.
    fn extended(&mut self, shared: &mut Shared<B>, before: Before, handshake: Bytes) {
        let Some(Next::Asked { peer, circuit, .. }) = self.next_of(before) else {
            return;
        };
        let answer = Answer::Extended { handshake };
        self.speak(shared, before, Class::RealTime, &answer);
        if let Some(list) = self.reach.genuine_list_of(peer) {
            self.speak(shared, before, Class::RealTime, &Answer::Neighbours(list));
        }
        self.relays.set_next(before, Next::Relay { peer, circuit });
    }

    /// The relay behind this one did not answer, or does not want to.
    pub(super) fn not_extended(&mut self, shared: &mut Shared<B>, before: Before) {
        let Some(Next::Asked { peer, circuit, .. }) = self.next_of(before) else {
            return;
        };
        self.onward.remove(&(peer, circuit));
        tell_destroyed(shared, peer, circuit, Direction::Forward);
        self.relays.set_next(before, Next::Nobody);
        self.speak(shared, before, Class::RealTime, &Answer::NotExtended);
    }

    /// Says something to the originator of a circuit that ends here.
    pub(super) fn speak(
        &mut self,
        shared: &mut Shared<B>,
        before: Before,
        class: Class,
        answer: &Answer,
    ) {
        let Some(relayed) = self.relays.get_mut(before) else {
            return;
        };
        let Some(number) = relayed.number else {
            return;
        };
        relayed.number = Some(number.wrapping_add(1));
        let payload = answer.encode();
        let size = if payload.len() <= CellSize::Control.payload_max() {
            CellSize::Control
        } else {
            CellSize::Block
        };
        let flows = Flows::of(&shared.config, &self.config);
        let sealed = relayed.keys.seal_backward(number, size, &payload);
        let within = self.relays.charge(shared.now, before, size, flows);
        let Some(sealed) = sealed.ok().filter(|_| within) else {
            self.break_circuit(shared, before, Side::Here);
            return;
        };
        let cell = Cell {
            class,
            number,
            size,
            bytes: sealed.freeze(),
        };
        self.pass_on(shared, before, before, Direction::Backward, cell);
    }

    /// The side before this node ended a circuit, or is gone: so does this node.
    pub(super) fn ended_before(&mut self, shared: &mut Shared<B>, before: Before) {
        let Some(relayed) = self.relays.remove(before) else {
            return;
        };
        match relayed.next {
            Next::Nobody => {}
            Next::Asked { peer, circuit, .. } | Next::Relay { peer, circuit } => {
                self.onward.remove(&(peer, circuit));
                tell_destroyed(shared, peer, circuit, Direction::Forward);
            }
        }
        self.ends.forget(before.0, &relayed.asks);
    }

    /// The side behind this node ended a circuit, or is gone.
    pub(super) fn ended_behind(
        &mut self,
        shared: &mut Shared<B>,
        peer: PeerId,
        circuit: CircuitId,
    ) {
        match self.onward.get(&(peer, circuit)) {
            Some(&Onward::Own(number)) => self.lost(shared, number),
            Some(&Onward::Relayed(before)) => match self.next_of(before) {
                Some(Next::Asked { .. }) => self.not_extended(shared, before),
                Some(Next::Relay { .. } | Next::Nobody) | None => {
                    self.break_circuit(shared, before, Side::Behind);
                }
            },
            None => {}
        }
    }

    /// Ends a circuit from here, and says so to the originator: it learns between which relays it broke. The relays before this
    /// one see by the number that nothing comes after it.
    pub(super) fn break_circuit(&mut self, shared: &mut Shared<B>, before: Before, side: Side) {
        let number = onion::closing_number(shared.rng());
        let Some(relayed) = self.relays.get_mut(before) else {
            return;
        };
        let payload = Answer::Broken { side }.encode();
        let size = CellSize::Control;
        if let Ok(sealed) = relayed.keys.seal_backward(number, size, &payload) {
            let (peer, circuit) = before;
            let cell = Cell {
                class: Class::RealTime,
                number,
                size,
                bytes: sealed.freeze(),
            };
            send_cell(shared, peer, circuit, Direction::Backward, cell);
        } else {
            tell_destroyed_before(shared, before);
        }
        self.ended_before(shared, before);
    }

    /// Says that there is no such circuit, unless the peer has made this node say so all too often.
    fn refuse(&mut self, shared: &mut Shared<B>, (peer, circuit): Before, direction: Direction) {
        let flows = Flows::of(&shared.config, &self.config);
        if self.relays.charge_peer(shared.now, peer, 1, flows) {
            tell_destroyed(shared, peer, circuit, direction);
        }
    }

    /// A name for a circuit on the link to a peer.
    pub(super) fn fresh_circuit(&self, shared: &mut Shared<B>, peer: PeerId) -> CircuitId {
        loop {
            let circuit = CircuitId(shared.rng().next_u64());
            if !self.onward.contains_key(&(peer, circuit)) {
                return circuit;
            }
        }
    }
}

/// A cell without its circuit.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) class: Class,
    pub(super) number: u32,
    pub(super) size: CellSize,
    pub(super) bytes: Bytes,
}

pub(super) fn send<B: Block>(
    shared: &mut Shared<B>,
    to: PeerId,
    message: OnionMessage,
    class: Class,
) {
    shared.send(to, Message::Onion(message), class);
}

pub(super) fn send_cell<B: Block>(
    shared: &mut Shared<B>,
    to: PeerId,
    circuit: CircuitId,
    direction: Direction,
    cell: Cell,
) {
    let Cell {
        class,
        number,
        bytes,
        ..
    } = cell;
    let body = CellBody::new(bytes).expect("layers do not change a cell's size");
    let message = OnionMessage::Cell {
        circuit,
        direction,
        class,
        number,
        body,
    };
    send(shared, to, message, class);
}

/// Ends a circuit towards its originator.
pub(super) fn tell_destroyed_before<B: Block>(shared: &mut Shared<B>, (peer, circuit): Before) {
    tell_destroyed(shared, peer, circuit, Direction::Backward);
}

/// Ends a circuit on a link.
pub(super) fn tell_destroyed<B: Block>(
    shared: &mut Shared<B>,
    to: PeerId,
    circuit: CircuitId,
    direction: Direction,
) {
    let message = OnionMessage::Destroy { circuit, direction };
    send(shared, to, message, Class::RealTime);
}
