//! What the two ends of a circuit say to each other, inside all layers.
//!
//! A head, coded by postcard from types without lengths of their own, and then a handshake, a list or a block to the end.
//! The originator puts in front of each command from which number on the end counts its answers: no two ends that a
//! growing circuit has had use one number.

use bytes::{BufMut, Bytes, BytesMut};
use crypto::BlockKey;
use serde::{Deserialize, Serialize};

use super::list::{NeighbourList, RelayName};
use crate::event::Class;
use crate::message::Refusal;

/// Names a request within its circuit. Chosen by the originator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Ask(pub(super) u32);

/// What the originator tells the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Answer with [`Answer::Neighbours`], and hold each cell for a random time of this mean from now on.
    Begin { delay_ms: u16 },
    /// Make the circuit longer by a relay.
    Extend { to: RelayName, handshake: Bytes },
    /// Search for a block as if the peer before the end wanted it.
    Fetch {
        ask: Ask,
        key: BlockKey,
        class: Class,
        budget: Budget,
    },
    /// Insert a block as if the peer before the end did.
    Insert {
        ask: Ask,
        key: BlockKey,
        class: Class,
        block: Bytes,
    },
    /// The originator does not wait any longer.
    Cancel { ask: Ask },
    /// Nothing: cover.
    Drop,
    /// Answer with [`Answer::Neighbours`] for several of the end's peers.
    Lists,
}

/// How far a fetch may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Budget {
    /// As far as any.
    Ordinary,
    /// As far as one that is tried once more.
    Long,
}

/// What the end tells the originator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The end's own list; or, after [`Answer::Extended`], that of the relay that is the end from then on; or, after
    /// [`Command::Lists`], that of a peer of the end.
    Neighbours(NeighbourList),
    /// The circuit is longer by a relay.
    Extended { handshake: Bytes },
    /// It is not: the relay is not there, or did not answer.
    NotExtended,
    /// The request is worked on.
    Accepted { ask: Ask },
    /// The block of a fetch.
    Found { ask: Ask, block: Bytes },
    /// A request ended without success.
    Failed { ask: Ask, reason: Reason },
    /// The block of an insert is stored.
    Stored { ask: Ask, copies: u8 },
    /// There is another block under the key of an insert.
    Collision { ask: Ask, block: Bytes },
    /// The circuit is over, for something that happened on this side of the speaker.
    Broken { side: Side },
    /// Nothing: cover.
    Drop,
}

/// Where a circuit broke, seen from the relay that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Side {
    /// A cell came from before that could not be opened.
    Before,
    /// The relay behind is gone, or sent what it should not.
    Behind,
    /// It has too much to carry.
    Here,
}

/// Why a request ended without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reason {
    NotFound,
    Congested,
    Refused(Refusal),
    StoreFailed,
}

impl Command {
    /// The payload of a cell.
    pub(super) fn encode(&self, answer_from: u32) -> BytesMut {
        let (head, tail) = match self {
            Self::Begin { delay_ms } => (
                CommandHead::Begin {
                    delay_ms: *delay_ms,
                },
                None,
            ),
            Self::Extend { to, handshake } => (CommandHead::Extend { to: *to }, Some(handshake)),
            &Self::Fetch {
                ask,
                key,
                class,
                budget,
            } => {
                let fetch = CommandHead::Fetch {
                    ask,
                    key,
                    class,
                    budget,
                };
                (fetch, None)
            }
            Self::Insert {
                ask,
                key,
                class,
                block,
            } => {
                let (ask, key, class) = (*ask, *key, *class);
                (CommandHead::Insert { ask, key, class }, Some(block))
            }
            Self::Cancel { ask } => (CommandHead::Cancel { ask: *ask }, None),
            Self::Drop => (CommandHead::Drop, None),
            Self::Lists => (CommandHead::Lists, None),
        };
        let mut payload = start(tail);
        payload.put_u32_le(answer_from);
        finish(payload, &head, tail)
    }

    /// The command in a payload, and from which number on it wants to be answered. The tail shares the payload's memory.
    pub(super) fn decode(payload: &Bytes) -> Option<(u32, Self)> {
        let (&answer_from, rest) = payload.split_first_chunk::<4>()?;
        let (head, rest) = postcard::take_from_bytes(rest).ok()?;
        let tail = payload.slice_ref(rest);
        let carries = matches!(
            head,
            CommandHead::Extend { .. } | CommandHead::Insert { .. }
        );
        if !carries && !tail.is_empty() {
            return None;
        }
        let command = match head {
            CommandHead::Begin { delay_ms } => Self::Begin { delay_ms },
            CommandHead::Extend { to } => Self::Extend {
                to,
                handshake: tail,
            },
            CommandHead::Fetch {
                ask,
                key,
                class,
                budget,
            } => Self::Fetch {
                ask,
                key,
                class,
                budget,
            },
            CommandHead::Insert { ask, key, class } => Self::Insert {
                ask,
                key,
                class,
                block: tail,
            },
            CommandHead::Cancel { ask } => Self::Cancel { ask },
            CommandHead::Drop => Self::Drop,
            CommandHead::Lists => Self::Lists,
        };
        Some((u32::from_le_bytes(answer_from), command))
    }
}

impl Answer {
    /// The payload of a cell.
    pub(super) fn encode(&self) -> BytesMut {
        let (head, tail) = match self {
            Self::Neighbours(list) => (AnswerHead::Neighbours, Some(list.bytes())),
            Self::Extended { handshake } => (AnswerHead::Extended, Some(handshake)),
            Self::NotExtended => (AnswerHead::NotExtended, None),
            Self::Accepted { ask } => (AnswerHead::Accepted { ask: *ask }, None),
            Self::Found { ask, block } => (AnswerHead::Found { ask: *ask }, Some(block)),
            &Self::Failed { ask, reason } => (AnswerHead::Failed { ask, reason }, None),
            &Self::Stored { ask, copies } => (AnswerHead::Stored { ask, copies }, None),
            Self::Collision { ask, block } => (AnswerHead::Collision { ask: *ask }, Some(block)),
            &Self::Broken { side } => (AnswerHead::Broken { side }, None),
            Self::Drop => (AnswerHead::Drop, None),
        };
        finish(start(tail), &head, tail)
    }

    /// The answer in a payload, whose memory the tail shares.
    pub(super) fn decode(payload: &Bytes) -> Option<Self> {
        let (head, rest) = postcard::take_from_bytes(payload).ok()?;
        let tail = payload.slice_ref(rest);
        let carries = match head {
            AnswerHead::Neighbours
            | AnswerHead::Extended
            | AnswerHead::Found { .. }
            | AnswerHead::Collision { .. } => true,
            AnswerHead::NotExtended
            | AnswerHead::Accepted { .. }
            | AnswerHead::Failed { .. }
            | AnswerHead::Stored { .. }
            | AnswerHead::Broken { .. }
            | AnswerHead::Drop => false,
        };
        if !carries && !tail.is_empty() {
            return None;
        }
        Some(match head {
            AnswerHead::Neighbours => Self::Neighbours(NeighbourList::from_bytes(tail)?),
            AnswerHead::Extended => Self::Extended { handshake: tail },
            AnswerHead::NotExtended => Self::NotExtended,
            AnswerHead::Accepted { ask } => Self::Accepted { ask },
            AnswerHead::Found { ask } => Self::Found { ask, block: tail },
            AnswerHead::Failed { ask, reason } => Self::Failed { ask, reason },
            AnswerHead::Stored { ask, copies } => Self::Stored { ask, copies },
            AnswerHead::Collision { ask } => Self::Collision { ask, block: tail },
            AnswerHead::Broken { side } => Self::Broken { side },
            AnswerHead::Drop => Self::Drop,
        })
    }
}

/// A command without its tail. The order of the variants is the format.
#[derive(Serialize, Deserialize)]
enum CommandHead {
    Begin {
        delay_ms: u16,
    },
    Extend {
        to: RelayName,
    },
    Fetch {
        ask: Ask,
        key: BlockKey,
        class: Class,
        budget: Budget,
    },
    Insert {
        ask: Ask,
        key: BlockKey,
        class: Class,
    },
    Cancel {
        ask: Ask,
    },
    Drop,
    Lists,
}

/// An answer without its tail. The order of the variants is the format.
#[derive(Serialize, Deserialize)]
enum AnswerHead {
    Neighbours,
    Extended,
    NotExtended,
    Accepted { ask: Ask },
    Found { ask: Ask },
    Failed { ask: Ask, reason: Reason },
    Stored { ask: Ask, copies: u8 },
    Collision { ask: Ask },
    Broken { side: Side },
    Drop,
}

fn start(tail: Option<&Bytes>) -> BytesMut {
    BytesMut::with_capacity(HEAD_LEN_MAX + tail.map_or(0, Bytes::len))
}

fn finish(mut payload: BytesMut, head: &impl Serialize, tail: Option<&Bytes>) -> BytesMut {
    let mut space = [0; HEAD_LEN_MAX];
    let head = postcard::to_slice(head, &mut space)
        .expect("the longest head fits: HEAD_LEN_MAX counts its fields");
    payload.put_slice(head);
    if let Some(tail) = tail {
        payload.put_slice(tail);
    }
    payload
}

/// The first number 4, kind 1, request 5 (as a varint), kind of block 1, routing key 32, class 1, budget 1; rounded up to what a
/// block cell has room for beside the block.
const HEAD_LEN_MAX: usize = 64;

#[cfg(test)]
mod tests;
