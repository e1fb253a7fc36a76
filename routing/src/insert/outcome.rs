//! How an insert ends, and what those who wait for it are told.

use std::num::NonZeroU8;

use crate::block::Block;
use crate::event::{InsertFailure, InsertSuccess};
use crate::message::{BlockBytes, Message, Refusal, RequestId};

/// How an insert ended.
#[derive(Clone, Debug)]
pub(super) enum Outcome<B> {
    Stored {
        copies: NonZeroU8,
    },
    Collision(B),
    /// This node has too much to do.
    Overloaded,
    Failed(InsertFailure<B>),
}

impl<B: Block> Outcome<B> {
    /// What a peer that waits is told.
    pub(super) fn message(&self, id: RequestId) -> Message {
        match self {
            Self::Stored { copies } => Message::Stored {
                id,
                copies: *copies,
            },
            Self::Collision(block) => Message::Collision {
                id,
                block: BlockBytes(block.bytes().clone()),
            },
            Self::Overloaded => Message::Refused {
                id,
                reason: Refusal::Overloaded,
            },
            Self::Failed(_) => Message::StoreFailed { id },
        }
    }

    /// What a user who waits is told.
    pub(super) fn result(&self) -> Result<InsertSuccess, InsertFailure<B>> {
        match self {
            Self::Stored { copies } => Ok(InsertSuccess {
                copies: copies.get(),
            }),
            Self::Collision(block) => Err(InsertFailure::Collision(block.clone())),
            Self::Overloaded => Err(InsertFailure::Overloaded),
            Self::Failed(failure) => Err(failure.clone()),
        }
    }
}
