//! What neighbours on a circuit say to each other.

use std::fmt;

use bytes::Bytes;
use crypto::onion::CellSize;

use super::list::NeighbourList;
use crate::event::Class;

/// One message of a circuit over one link, or what a node says of its own part in circuits.
///
/// All but [`OnionMessage::Neighbours`] have one of two lengths on the wire: who sees only lengths cannot tell a set-up
/// from an end or from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnionMessage {
    /// The sender wants a circuit that ends at the receiver for now.
    Create {
        /// The sender's random name for it on this link.
        circuit: CircuitId,
        /// The first half of a key agreement, [`crypto::onion::CREATE_LEN`] bytes.
        handshake: Bytes,
    },
    /// The circuit is there.
    Created {
        /// As in [`OnionMessage::Create`].
        circuit: CircuitId,
        /// The second half, [`crypto::onion::CREATED_LEN`] bytes.
        handshake: Bytes,
    },
    /// Something that travels along a circuit.
    Cell {
        /// As in [`OnionMessage::Create`].
        circuit: CircuitId,
        /// Which way.
        direction: Direction,
        /// How urgent it is, if it carries a block.
        class: Class,
        /// Which of the cells of its direction.
        number: u32,
        /// As long as a [`CellSize`] says.
        body: CellBody,
    },
    /// The circuit is over.
    Destroy {
        /// As in [`OnionMessage::Create`].
        circuit: CircuitId,
        /// Forward if the side says so that created it.
        direction: Direction,
    },
    /// The sender's key, and those of the relays that it reaches. Replaces what it said before.
    Neighbours(NeighbourList),
}

impl OnionMessage {
    /// Whether it is a cell that can carry a block.
    #[must_use]
    pub const fn carries_block(&self) -> bool {
        match self {
            Self::Cell { body, .. } => matches!(body.size(), CellSize::Block),
            Self::Create { .. }
            | Self::Created { .. }
            | Self::Destroy { .. }
            | Self::Neighbours(_) => false,
        }
    }
}

/// A circuit's name on one link. Random, so that it says nothing about how many circuits a node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CircuitId(pub u64);

/// Which way something goes along a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the side that created the circuit.
    Forward,
    /// To it.
    Backward,
}

/// The bytes of a cell, exactly as many as its size says; prints only how many.
#[derive(Clone, PartialEq, Eq)]
pub struct CellBody {
    size: CellSize,
    bytes: Bytes,
}

impl CellBody {
    /// `bytes`, if a cell has so many.
    #[must_use]
    pub fn new(bytes: Bytes) -> Option<Self> {
        let size = CellSize::from_len(bytes.len())?;
        Some(Self { size, bytes })
    }

    /// Its size.
    #[must_use]
    pub const fn size(&self) -> CellSize {
        self.size
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Its bytes.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

impl fmt::Debug for CellBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}
