//! Messages as bytes.
//!
//! A message is a head, coded by postcard from types without lengths of their own, and then the bytes of the block, to
//! the end, if the head is of a kind that carries one. So nothing in a message says how much memory to take, a block is
//! never copied while decoding, and encoding copies it once. `docs/ROUTING.md` draws the format.

use std::num::NonZeroU8;

use bytes::{BufMut, Bytes, BytesMut};
use crypto::{BlockKey, CONTENT_BLOCK_LEN, SIGNED_BLOCK_LEN};
use serde::{Deserialize, Serialize};

use crate::event::Class;
use crate::hops_to_live::HopsToLive;
use crate::message::{BlockBytes, InsertStage, Message, Refusal, RequestId};

mod compact;
mod darknet;
mod finding;
mod onion;
mod opennet;

/// No message is longer, in bytes.
pub const MESSAGE_LEN_MAX: usize = if HEAD_LEN_MAX + BLOCK_LEN_MAX > 1 + onion::LEN_MAX {
    HEAD_LEN_MAX + BLOCK_LEN_MAX
} else {
    1 + onion::LEN_MAX
};

/// The bytes of `message`. Allocates once and copies the block once.
///
/// # Panics
/// If the message carries a block that is longer than any block is.
#[must_use]
pub fn encode(message: &Message) -> Bytes {
    if let Message::Opennet(message) = message {
        let mut bytes = BytesMut::new();
        bytes.put_u8(OPENNET);
        opennet::encode(message, &mut bytes);
        return bytes.freeze();
    }
    if let Message::Finding(message) = message {
        return finding::encode(message, FINDING);
    }
    if let Message::Swap(message) = message {
        return darknet::encode(message, SWAP);
    }
    if let Message::Onion(message) = message {
        let mut bytes = BytesMut::with_capacity(1 + onion::encoded_len(message));
        bytes.put_u8(ONION);
        onion::encode(message, &mut bytes);
        return bytes.freeze();
    }
    let block = message.block().map(|block| &block.0);
    let block_len = block.map_or(0, Bytes::len);
    assert!(
        block_len <= BLOCK_LEN_MAX,
        "a block of {block_len} bytes was to be sent"
    );
    let mut head = [0; HEAD_LEN_MAX];
    let head = encode_head(message, &mut head);
    let mut bytes = BytesMut::with_capacity(head.len() + block_len);
    bytes.put_slice(head);
    if let Some(block) = block {
        bytes.put_slice(block);
    }
    bytes.freeze()
}

/// How many bytes [`encode`] makes of `message`, without copying a block.
#[must_use]
pub fn encoded_len(message: &Message) -> usize {
    if let Message::Opennet(message) = message {
        return 1 + opennet::encoded_len(message);
    }
    if let Message::Finding(_) | Message::Swap(_) = message {
        return encode(message).len();
    }
    if let Message::Onion(message) = message {
        return 1 + onion::encoded_len(message);
    }
    let block_len = message.block().map_or(0, |block| block.0.len());
    encode_head(message, &mut [0; HEAD_LEN_MAX]).len() + block_len
}

/// The message that `bytes` are. A block in it shares the memory of `bytes`.
///
/// # Errors
/// [`DecodeError`] if the bytes are not a message; any bytes may be given.
pub fn decode(bytes: &Bytes) -> Result<Message, DecodeError> {
    if bytes.len() > MESSAGE_LEN_MAX {
        return Err(DecodeError::TooLong { len: bytes.len() });
    }
    if bytes.first() == Some(&OPENNET) {
        let message = opennet::decode(&bytes.slice(1..)).ok_or(DecodeError::Opennet)?;
        return Ok(Message::Opennet(message));
    }
    if bytes.first() == Some(&FINDING) {
        let message = finding::decode(&bytes.slice(1..)).ok_or(DecodeError::Finding)?;
        return Ok(Message::Finding(message));
    }
    if bytes.first() == Some(&SWAP) {
        let message = darknet::decode(&bytes.slice(1..)).ok_or(DecodeError::Swap)?;
        return Ok(Message::Swap(message));
    }
    if bytes.first() == Some(&ONION) {
        let message = onion::decode(&bytes.slice(1..)).ok_or(DecodeError::Onion)?;
        return Ok(Message::Onion(message));
    }
    let (head, rest) = postcard::take_from_bytes::<Head>(bytes).map_err(|_| DecodeError::Head)?;
    let rest = bytes.slice_ref(rest);
    let block_expected = matches!(
        head,
        Head::Block { .. } | Head::Found { .. } | Head::Collision { .. }
    );
    let length_fits = if block_expected {
        (1..=BLOCK_LEN_MAX).contains(&rest.len())
    } else {
        rest.is_empty()
    };
    if !length_fits {
        return Err(DecodeError::BlockLength { len: rest.len() });
    }
    Ok(head.with_block(BlockBytes(rest)))
}

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than [`MESSAGE_LEN_MAX`].
    #[error("a message of {len} bytes is longer than any message")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The head is cut off, of no known kind, or has a number out of range.
    #[error("the head of a message is malformed")]
    Head,
    /// More or fewer bytes follow the head than a message of its kind carries.
    #[error("{len} bytes after the head of a message do not fit its kind")]
    BlockLength {
        /// How many follow.
        len: usize,
    },
    /// What is said about links is cut off, of no known kind, or has a number, a node or a length out of range.
    #[error("a message about links is malformed")]
    Opennet,
    /// What should help to find blocks is cut off, too long, of no known kind, or has places out of order.
    #[error("a message that should help to find blocks is malformed")]
    Finding,
    /// What is said about the places of friends is cut off, too long, of no known kind, or has a number out of range.
    #[error("a message about the places of friends is malformed")]
    Swap,
    /// What is said about a circuit is of no known kind, or not of the one length that its kind has.
    #[error("a message of a circuit is malformed")]
    Onion,
}

/// A message without its block. The order of the variants is the format.
#[derive(Serialize, Deserialize)]
enum Head {
    Fetch {
        id: RequestId,
        key: BlockKey,
        hops_to_live: HopsToLive,
        tie_break: u16,
        class: Class,
    },
    Offer {
        id: RequestId,
        key: BlockKey,
        stage: InsertStage,
        class: Class,
    },
    Block {
        id: RequestId,
    },
    Cancel {
        id: RequestId,
    },
    Accepted {
        id: RequestId,
    },
    Refused {
        id: RequestId,
        reason: Refusal,
    },
    Found {
        id: RequestId,
    },
    NotFound {
        id: RequestId,
        left: HopsToLive,
    },
    Stored {
        id: RequestId,
        copies: NonZeroU8,
    },
    StoreFailed {
        id: RequestId,
    },
    Collision {
        id: RequestId,
    },
    Credit {
        real_time: u16,
        bulk: u16,
    },
    Congested {
        id: RequestId,
        left: HopsToLive,
    },
}

impl Head {
    /// `None` for messages that have a codec of their own.
    fn of(message: &Message) -> Option<Self> {
        Some(match *message {
            Message::Fetch {
                id,
                key,
                hops_to_live,
                tie_break,
                class,
            } => Self::Fetch {
                id,
                key,
                hops_to_live,
                tie_break,
                class,
            },
            Message::Offer {
                id,
                key,
                stage,
                class,
            } => Self::Offer {
                id,
                key,
                stage,
                class,
            },
            Message::Block { id, .. } => Self::Block { id },
            Message::Cancel { id } => Self::Cancel { id },
            Message::Accepted { id } => Self::Accepted { id },
            Message::Refused { id, reason } => Self::Refused { id, reason },
            Message::Found { id, .. } => Self::Found { id },
            Message::NotFound { id, left } => Self::NotFound { id, left },
            Message::Stored { id, copies } => Self::Stored { id, copies },
            Message::StoreFailed { id } => Self::StoreFailed { id },
            Message::Collision { id, .. } => Self::Collision { id },
            Message::Congested { id, left } => Self::Congested { id, left },
            Message::Credit { real_time, bulk } => Self::Credit { real_time, bulk },
            Message::Opennet(_) | Message::Finding(_) | Message::Swap(_) | Message::Onion(_) => {
                return None;
            }
        })
    }

    fn with_block(self, block: BlockBytes) -> Message {
        match self {
            Self::Fetch {
                id,
                key,
                hops_to_live,
                tie_break,
                class,
            } => Message::Fetch {
                id,
                key,
                hops_to_live,
                tie_break,
                class,
            },
            Self::Offer {
                id,
                key,
                stage,
                class,
            } => Message::Offer {
                id,
                key,
                stage,
                class,
            },
            Self::Block { id } => Message::Block { id, block },
            Self::Cancel { id } => Message::Cancel { id },
            Self::Accepted { id } => Message::Accepted { id },
            Self::Refused { id, reason } => Message::Refused { id, reason },
            Self::Found { id } => Message::Found { id, block },
            Self::NotFound { id, left } => Message::NotFound { id, left },
            Self::Stored { id, copies } => Message::Stored { id, copies },
            Self::StoreFailed { id } => Message::StoreFailed { id },
            Self::Collision { id } => Message::Collision { id, block },
            Self::Congested { id, left } => Message::Congested { id, left },
            Self::Credit { real_time, bulk } => Message::Credit { real_time, bulk },
        }
    }
}

fn encode_head<'a>(message: &Message, space: &'a mut [u8; HEAD_LEN_MAX]) -> &'a [u8] {
    let head = Head::of(message).expect("other codecs' messages are encoded by those");
    postcard::to_slice(&head, space).expect("the longest head fits: HEAD_LEN_MAX counts its fields")
}

/// The first byte of messages about links, out of the way of the numbers of [`Head`].
const OPENNET: u8 = 64;

/// The first byte of messages that help to find blocks.
const FINDING: u8 = 65;

/// The first byte of messages about the places of friends.
const SWAP: u8 = 66;

/// The first byte of messages of circuits.
const ONION: u8 = 67;

/// Kind 1, id at most 10 (as a varint), kind of block 1, routing key 32, hops 1 and tie break 3 (or stage 2), class 1; rounded up.
const HEAD_LEN_MAX: usize = 64;

const BLOCK_LEN_MAX: usize = if CONTENT_BLOCK_LEN > SIGNED_BLOCK_LEN {
    CONTENT_BLOCK_LEN
} else {
    SIGNED_BLOCK_LEN
};

#[cfg(test)]
mod tests;
