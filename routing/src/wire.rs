//! Messages as bytes.
//!
//! A message is a head, coded by postcard from types without lengths of their own, and then the bytes of the block, to
//! the end, if the head is of a kind that carries one. So nothing in a message says how much memory to take, a block is
//! never copied while decoding, and encoding copies it once. `docs/ROUTING.md` draws the format.

use bytes::{BufMut, Bytes, BytesMut};
use crypto::{BlockKey, CONTENT_BLOCK_LEN, SIGNED_BLOCK_LEN};
use serde::{Deserialize, Serialize};

use crate::event::Class;
use crate::hops_to_live::HopsToLive;
use crate::message::{BlockBytes, Copies, InsertStage, Message, Refusal, RequestId};

/// No message is longer, in bytes.
pub const MESSAGE_LEN_MAX: usize = HEAD_LEN_MAX + BLOCK_LEN_MAX;

/// The bytes of `message`. Allocates once and copies the block once.
///
/// # Panics
/// If the message carries a block that is longer than any block is.
#[must_use]
pub fn encode(message: &Message) -> Bytes {
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

/// The message that `bytes` are. A block in it shares the memory of `bytes`.
///
/// # Errors
/// [`DecodeError`] if the bytes are not a message; any bytes may be given.
pub fn decode(bytes: &Bytes) -> Result<Message, DecodeError> {
    if bytes.len() > MESSAGE_LEN_MAX {
        return Err(DecodeError::TooLong { len: bytes.len() });
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
    head.into_message(BlockBytes(rest))
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
    /// The head is cut off or of no known kind.
    #[error("the head of a message is malformed")]
    Head,
    /// More or fewer bytes follow the head than a message of its kind carries.
    #[error("{len} bytes after the head of a message do not fit its kind")]
    BlockLength {
        /// How many follow.
        len: usize,
    },
    /// A number is outside of its range.
    #[error("a message has {field} out of range")]
    OutOfRange {
        /// Which number.
        field: &'static str,
    },
}

/// A message without its block. The order of the variants is the format.
#[derive(Serialize, Deserialize)]
enum Head {
    Fetch {
        id: RequestId,
        key: BlockKey,
        hops_to_live: u8,
        class: Class,
    },
    Seek {
        id: RequestId,
        key: BlockKey,
        hops_to_live: u8,
        class: Class,
    },
    Replicate {
        id: RequestId,
        key: BlockKey,
        copies: u8,
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
    RefusedLoop {
        id: RequestId,
    },
    RefusedOverloaded {
        id: RequestId,
    },
    RefusedRecentlyFailed {
        id: RequestId,
        retry_after_ms: u16,
    },
    Found {
        id: RequestId,
    },
    NotFound {
        id: RequestId,
        left: u8,
    },
    Stored {
        id: RequestId,
        copies: u8,
    },
    StoreFailed {
        id: RequestId,
    },
    Collision {
        id: RequestId,
    },
}

impl Head {
    fn of(message: &Message) -> Self {
        match *message {
            Message::Fetch {
                id,
                key,
                hops_to_live,
                class,
            } => Self::Fetch {
                id,
                key,
                hops_to_live: hops_to_live.get(),
                class,
            },
            Message::Offer {
                id,
                key,
                stage: InsertStage::Seek(hops_to_live),
                class,
            } => Self::Seek {
                id,
                key,
                hops_to_live: hops_to_live.get(),
                class,
            },
            Message::Offer {
                id,
                key,
                stage: InsertStage::Replicate(copies),
                class,
            } => Self::Replicate {
                id,
                key,
                copies: copies.get(),
                class,
            },
            Message::Block { id, .. } => Self::Block { id },
            Message::Cancel { id } => Self::Cancel { id },
            Message::Accepted { id } => Self::Accepted { id },
            Message::Refused {
                id,
                reason: Refusal::Loop,
            } => Self::RefusedLoop { id },
            Message::Refused {
                id,
                reason: Refusal::Overloaded,
            } => Self::RefusedOverloaded { id },
            Message::Refused {
                id,
                reason: Refusal::RecentlyFailed { retry_after_ms },
            } => Self::RefusedRecentlyFailed { id, retry_after_ms },
            Message::Found { id, .. } => Self::Found { id },
            Message::NotFound { id, left } => Self::NotFound {
                id,
                left: left.get(),
            },
            Message::Stored { id, copies } => Self::Stored { id, copies },
            Message::StoreFailed { id } => Self::StoreFailed { id },
            Message::Collision { id, .. } => Self::Collision { id },
        }
    }

    fn into_message(self, block: BlockBytes) -> Result<Message, DecodeError> {
        Ok(match self {
            Self::Fetch {
                id,
                key,
                hops_to_live,
                class,
            } => Message::Fetch {
                id,
                key,
                hops_to_live: hops(hops_to_live)?,
                class,
            },
            Self::Seek {
                id,
                key,
                hops_to_live,
                class,
            } => Message::Offer {
                id,
                key,
                stage: InsertStage::Seek(hops(hops_to_live)?),
                class,
            },
            Self::Replicate {
                id,
                key,
                copies,
                class,
            } => {
                let copies =
                    Copies::new(copies).ok_or(DecodeError::OutOfRange { field: "copies" })?;
                Message::Offer {
                    id,
                    key,
                    stage: InsertStage::Replicate(copies),
                    class,
                }
            }
            Self::Block { id } => Message::Block { id, block },
            Self::Cancel { id } => Message::Cancel { id },
            Self::Accepted { id } => Message::Accepted { id },
            Self::RefusedLoop { id } => Message::Refused {
                id,
                reason: Refusal::Loop,
            },
            Self::RefusedOverloaded { id } => Message::Refused {
                id,
                reason: Refusal::Overloaded,
            },
            Self::RefusedRecentlyFailed { id, retry_after_ms } => Message::Refused {
                id,
                reason: Refusal::RecentlyFailed { retry_after_ms },
            },
            Self::Found { id } => Message::Found { id, block },
            Self::NotFound { id, left } => Message::NotFound {
                id,
                left: hops(left)?,
            },
            Self::Stored { copies: 0, .. } => {
                return Err(DecodeError::OutOfRange { field: "copies" });
            }
            Self::Stored { id, copies } => Message::Stored { id, copies },
            Self::StoreFailed { id } => Message::StoreFailed { id },
            Self::Collision { id } => Message::Collision { id, block },
        })
    }
}

fn hops(hops: u8) -> Result<HopsToLive, DecodeError> {
    HopsToLive::new(hops).ok_or(DecodeError::OutOfRange {
        field: "hops to live",
    })
}

fn encode_head<'a>(message: &Message, space: &'a mut [u8; HEAD_LEN_MAX]) -> &'a [u8] {
    postcard::to_slice(&Head::of(message), space)
        .expect("the longest head fits: HEAD_LEN_MAX counts its fields")
}

/// Kind 1, id at most 10 (as a varint), kind of block 1, routing key 32, hops or copies 1, class 1; rounded up.
const HEAD_LEN_MAX: usize = 64;

const BLOCK_LEN_MAX: usize = if CONTENT_BLOCK_LEN > SIGNED_BLOCK_LEN {
    CONTENT_BLOCK_LEN
} else {
    SIGNED_BLOCK_LEN
};

#[cfg(test)]
mod tests;
