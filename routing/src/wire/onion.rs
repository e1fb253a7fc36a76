//! Messages of circuits as bytes: all but lists of neighbours have one of two lengths.
//!
//! ```text
//! message = 67 kind(1) circuit(8) number(4) body       numbers little-endian; the body as long as a cell of either size
//! list    = 67 8 list
//! ```
//! A body that is not a cell's is filled with zeros: links are encrypted.

use bytes::{BufMut, Bytes, BytesMut};
use crypto::onion::{CREATE_LEN, CREATED_LEN, CellSize};

use crate::event::Class;
use crate::onion::list::NeighbourList;
use crate::onion::message::{CellBody, CircuitId, Direction, OnionMessage};

/// How many bytes [`encode`] appends.
pub(super) fn encoded_len(message: &OnionMessage) -> usize {
    match message {
        OnionMessage::Cell { body, .. } => HEAD_LEN + body.bytes().len(),
        OnionMessage::Create { .. }
        | OnionMessage::Created { .. }
        | OnionMessage::Destroy { .. } => HEAD_LEN + CellSize::Control.len(),
        OnionMessage::Neighbours(list) => 1 + list.bytes().len(),
    }
}

/// Appends the bytes of `message`.
///
/// # Panics
/// If it has a handshake that is longer than a control cell.
pub(super) fn encode(message: &OnionMessage, bytes: &mut BytesMut) {
    let (kind, circuit, number, body): (u8, CircuitId, u32, &[u8]) = match message {
        OnionMessage::Create { circuit, handshake } => (CREATE, *circuit, 0, handshake),
        OnionMessage::Created { circuit, handshake } => (CREATED, *circuit, 0, handshake),
        OnionMessage::Cell {
            circuit,
            direction,
            class,
            number,
            body,
        } => {
            let kind = match (direction, class) {
                (Direction::Forward, Class::RealTime) => FORWARD_REAL_TIME,
                (Direction::Forward, Class::Bulk) => FORWARD_BULK,
                (Direction::Backward, Class::RealTime) => BACKWARD_REAL_TIME,
                (Direction::Backward, Class::Bulk) => BACKWARD_BULK,
            };
            (kind, *circuit, *number, body.bytes())
        }
        OnionMessage::Destroy { circuit, direction } => {
            let kind = match direction {
                Direction::Forward => DESTROY_FORWARD,
                Direction::Backward => DESTROY_BACKWARD,
            };
            (kind, *circuit, 0, &[])
        }
        OnionMessage::Neighbours(list) => {
            bytes.put_u8(NEIGHBOURS);
            bytes.put_slice(list.bytes());
            return;
        }
    };
    let len = encoded_len(message) - HEAD_LEN;
    bytes.put_u8(kind);
    bytes.put_u64_le(circuit.0);
    bytes.put_u32_le(number);
    bytes.put_slice(body);
    bytes.put_bytes(
        0,
        len.checked_sub(body.len())
            .expect("handshakes are shorter than control cells"),
    );
}

/// The message that `bytes` are, if they are one. A body shares their memory.
pub(super) fn decode(bytes: &Bytes) -> Option<OnionMessage> {
    let (&kind, rest) = bytes.split_first()?;
    if kind == NEIGHBOURS {
        return NeighbourList::from_bytes(bytes.slice_ref(rest)).map(OnionMessage::Neighbours);
    }
    let (&circuit, rest) = rest.split_first_chunk::<8>()?;
    let (&number, rest) = rest.split_first_chunk::<4>()?;
    let circuit = CircuitId(u64::from_le_bytes(circuit));
    let body = bytes.slice_ref(rest);
    let cell = |direction, class| {
        Some(OnionMessage::Cell {
            circuit,
            direction,
            class,
            number: u32::from_le_bytes(number),
            body: CellBody::new(body.clone())?,
        })
    };
    let padded = |len: usize| (body.len() == CellSize::Control.len()).then(|| body.slice(..len));
    match kind {
        CREATE => padded(CREATE_LEN).map(|handshake| OnionMessage::Create { circuit, handshake }),
        CREATED => {
            padded(CREATED_LEN).map(|handshake| OnionMessage::Created { circuit, handshake })
        }
        FORWARD_REAL_TIME => cell(Direction::Forward, Class::RealTime),
        FORWARD_BULK => cell(Direction::Forward, Class::Bulk),
        BACKWARD_REAL_TIME => cell(Direction::Backward, Class::RealTime),
        BACKWARD_BULK => cell(Direction::Backward, Class::Bulk),
        DESTROY_FORWARD => padded(0).map(|_| OnionMessage::Destroy {
            circuit,
            direction: Direction::Forward,
        }),
        DESTROY_BACKWARD => padded(0).map(|_| OnionMessage::Destroy {
            circuit,
            direction: Direction::Backward,
        }),
        _ => None,
    }
}

const CREATE: u8 = 0;
const CREATED: u8 = 1;
const FORWARD_REAL_TIME: u8 = 2;
const FORWARD_BULK: u8 = 3;
const BACKWARD_REAL_TIME: u8 = 4;
const BACKWARD_BULK: u8 = 5;
const DESTROY_FORWARD: u8 = 6;
const DESTROY_BACKWARD: u8 = 7;
const NEIGHBOURS: u8 = 8;

/// Kind, circuit, number.
const HEAD_LEN: usize = 13;

/// No message is longer, in bytes.
pub(super) const LEN_MAX: usize = HEAD_LEN + CellSize::Block.len();

const _: () = assert!(CREATE_LEN <= CellSize::Control.len());
const _: () = assert!(CREATED_LEN <= CellSize::Control.len());
const _: () = assert!(NeighbourList::LEN_MAX < LEN_MAX);

#[cfg(test)]
mod tests;
