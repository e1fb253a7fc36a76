//! What peers say to each other.

use std::fmt;
use std::num::NonZeroU8;
use std::time::Duration;

use bytes::Bytes;
use crypto::BlockKey;

use crate::darknet::message::SwapMessage;
use crate::event::Class;
use crate::finding::Finding;
use crate::hops_to_live::{HopsToLive, OutOfRange};
use crate::onion::message::OnionMessage;
use crate::opennet::message::OpennetMessage;

/// One message over one link.
///
/// Most belong to a request. Its id is chosen by the node that asks, freshly for every hop. [`Message::Fetch`],
/// [`Message::Offer`], [`Message::Block`] and [`Message::Cancel`] travel from the asker and carry an id of the sender; the
/// others up to [`Message::Collision`] answer and carry an id of the receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Asks for a block.
    Fetch {
        /// The asker's id for this request.
        id: RequestId,
        /// What is wanted.
        key: BlockKey,
        /// The budget of the search.
        hops_to_live: HopsToLive,
        /// Random. Of two searches for one key with equal budgets, the one with more may wait for the one with less.
        tie_break: u16,
        /// How urgently.
        class: Class,
    },
    /// Asks whether the receiver takes a block that is being inserted.
    Offer {
        /// The asker's id for this insert.
        id: RequestId,
        /// The key of the block.
        key: BlockKey,
        /// What the receiver is to do with it.
        stage: InsertStage,
        /// How urgently.
        class: Class,
    },
    /// The block of an accepted [`Message::Offer`].
    Block {
        /// Of the offer.
        id: RequestId,
        /// Not verified yet.
        block: BlockBytes,
    },
    /// The asker does not wait any longer.
    Cancel {
        /// Of the fetch or offer.
        id: RequestId,
    },
    /// A fetch is being worked on, or the block of an offer may come.
    Accepted {
        /// Of the fetch or offer.
        id: RequestId,
    },
    /// A fetch or offer is not worked on; ask somebody else.
    Refused {
        /// Of the fetch or offer.
        id: RequestId,
        /// Why.
        reason: Refusal,
    },
    /// The block that was asked for.
    Found {
        /// Of the fetch.
        id: RequestId,
        /// Not verified yet.
        block: BlockBytes,
    },
    /// The search ended without the block.
    NotFound {
        /// Of the fetch.
        id: RequestId,
        /// What the search left of its budget. Zero ends the search of the asker too.
        left: HopsToLive,
    },
    /// The search ended without the block because those who should be asked have too much to do.
    Congested {
        /// Of the fetch.
        id: RequestId,
        /// What the search left of its budget.
        left: HopsToLive,
    },
    /// The block of an insert is durably stored.
    Stored {
        /// Of the offer.
        id: RequestId,
        /// At how many nodes, the receiver of the offer included; at most 255 are counted.
        copies: NonZeroU8,
    },
    /// The block of an insert could not be stored by the receiver of the offer nor behind it.
    StoreFailed {
        /// Of the offer.
        id: RequestId,
    },
    /// There is a different block under the key of an insert; it stays.
    Collision {
        /// Of the offer.
        id: RequestId,
        /// The block that is there, not verified yet.
        block: BlockBytes,
    },
    /// How many requests of each class the receiver may have in progress at the sender from now on.
    Credit {
        /// Of real time.
        real_time: u16,
        /// Of bulk.
        bulk: u16,
    },
    /// About links of the opennet.
    Opennet(OpennetMessage),
    /// What helps to find blocks and belongs to no single request.
    Finding(Finding),
    /// About the places of friends.
    Swap(SwapMessage),
    /// Of a circuit.
    Onion(OnionMessage),
}

impl Message {
    /// Whether it carries a block and is therefore large. Small messages should not wait behind large ones.
    #[must_use]
    pub const fn carries_block(&self) -> bool {
        if let Self::Onion(message) = self {
            return message.carries_block();
        }
        self.block().is_some()
    }

    /// The request it belongs to, if it belongs to one.
    #[must_use]
    pub const fn id(&self) -> Option<RequestId> {
        match self {
            Self::Fetch { id, .. }
            | Self::Offer { id, .. }
            | Self::Block { id, .. }
            | Self::Cancel { id }
            | Self::Accepted { id }
            | Self::Refused { id, .. }
            | Self::Found { id, .. }
            | Self::NotFound { id, .. }
            | Self::Congested { id, .. }
            | Self::Stored { id, .. }
            | Self::StoreFailed { id }
            | Self::Collision { id, .. } => Some(*id),
            Self::Credit { .. }
            | Self::Opennet(_)
            | Self::Finding(_)
            | Self::Swap(_)
            | Self::Onion(_) => None,
        }
    }

    /// The bytes of the block that it carries, if it does.
    #[must_use]
    pub const fn block(&self) -> Option<&BlockBytes> {
        match self {
            Self::Block { block, .. }
            | Self::Found { block, .. }
            | Self::Collision { block, .. } => Some(block),
            Self::Fetch { .. }
            | Self::Offer { .. }
            | Self::Cancel { .. }
            | Self::Accepted { .. }
            | Self::Refused { .. }
            | Self::NotFound { .. }
            | Self::Congested { .. }
            | Self::Stored { .. }
            | Self::StoreFailed { .. }
            | Self::Credit { .. }
            | Self::Opennet(_)
            | Self::Finding(_)
            | Self::Swap(_)
            | Self::Onion(_) => None,
        }
    }
}

/// A request's name on one link. Random, so that it says nothing about how many requests a node makes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct RequestId(pub u64);

/// What the receiver of an offer is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum InsertStage {
    /// Pass the block on towards its key, or store it where there is nobody closer.
    Seek(HopsToLive),
    /// Store the block, and see that this many nodes have it in all, the receiver included.
    Replicate(Copies),
    /// Store the block if it is not there already. If it is, [`Message::Stored`] answers the offer.
    Repair,
    /// As [`InsertStage::Seek`], for a block that has not been outside the darknet of friends in which it was published: where
    /// nobody is closer, it is sent out as well. Who has strangers as peers, or knows no way out, takes it for `Seek`.
    Inside(HopsToLive),
    /// Pass the block on to somebody who has strangers as peers, by friends only, and `Seek` from there.
    Outward(HopsToLive),
}

/// A number of copies to make, from 1 to [`Copies::MAX`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub struct Copies(u8);

impl Copies {
    /// The most that a node makes for another.
    pub const MAX: Self = Self(COPIES_MAX);

    /// `copies`, if that is from 1 to [`Copies::MAX`].
    #[must_use]
    pub const fn new(copies: u8) -> Option<Self> {
        if copies >= 1 && copies <= COPIES_MAX {
            Some(Self(copies))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Copies {
    type Error = OutOfRange;

    fn try_from(copies: u8) -> Result<Self, OutOfRange> {
        Self::new(copies).ok_or(OutOfRange)
    }
}

impl From<Copies> for u8 {
    fn from(copies: Copies) -> Self {
        copies.0
    }
}

/// Why a peer does not work on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Refusal {
    /// It works on a request for this key, or did moments ago: the search was there.
    Loop,
    /// It has too much to do.
    Overloaded,
    /// Several of its peers did not find this key moments ago.
    RecentlyFailed {
        /// When asking again makes sense, in milliseconds.
        retry_after_ms: u16,
    },
}

impl Refusal {
    /// [`Refusal::RecentlyFailed`] for as long as a message can say, rounded up.
    pub(crate) fn recently_failed(retry_after: Duration) -> Self {
        let millis = retry_after.as_micros().div_ceil(1000);
        Self::RecentlyFailed {
            retry_after_ms: u16::try_from(millis).unwrap_or(u16::MAX),
        }
    }
}

/// The bytes of a block in a message; prints only how many.
#[derive(Clone, PartialEq, Eq)]
pub struct BlockBytes(pub Bytes);

impl fmt::Debug for BlockBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Twice the default number of copies, so that a node may be configured to make more.
const COPIES_MAX: u8 = 8;
