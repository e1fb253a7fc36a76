//! What is counted, and what became of requests.

use std::time::Duration;

use crypto::{BlockKey, VerifiedBlock};
use routing::{Block, FetchFailure, InsertFailure, InsertSuccess, Message, Refusal, Time};

/// Messages that were sent, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Fetches sent to a peer.
    pub fetches: u64,
    /// Offers sent to a peer.
    pub offers: u64,
    /// Blocks in any direction.
    pub blocks: u64,
    /// Fetches and offers refused as loops.
    pub loops: u64,
    /// Fetches and offers refused for another reason.
    pub refused: u64,
    /// Questions taken back, mostly because a timer ended the wait for the answer.
    pub cancels: u64,
    /// Messages of circuits.
    pub onion: u64,
    /// All messages.
    pub messages: u64,
    /// The bytes of all messages as real nodes send them, elided payloads counted in full.
    pub bytes: u64,
    /// Of these, the bytes of messages about links, places and loads: what is sent without anybody's request or block.
    pub upkeep_bytes: u64,
    /// Of all, how many were lost.
    pub lost: u64,
}

impl Counters {
    pub(crate) const fn count(&mut self, message: &Message, bytes: u64) {
        self.messages += 1;
        self.bytes += bytes;
        match message {
            Message::Fetch { .. } => self.fetches += 1,
            Message::Offer { .. } => self.offers += 1,
            Message::Block { .. } | Message::Found { .. } | Message::Collision { .. } => {
                self.blocks += 1;
            }
            Message::Refused {
                reason: Refusal::Loop,
                ..
            } => self.loops += 1,
            Message::Refused { .. } => self.refused += 1,
            Message::Cancel { .. } => self.cancels += 1,
            Message::Onion(_) => self.onion += 1,
            Message::Accepted { .. }
            | Message::NotFound { .. }
            | Message::Congested { .. }
            | Message::Stored { .. }
            | Message::StoreFailed { .. } => {}
            Message::Credit { .. }
            | Message::Opennet(_)
            | Message::Finding(_)
            | Message::Swap(_) => self.upkeep_bytes += bytes,
        }
    }

    /// Adds what was counted elsewhere.
    pub const fn add(&mut self, other: &Self) {
        self.fetches += other.fetches;
        self.offers += other.offers;
        self.blocks += other.blocks;
        self.loops += other.loops;
        self.refused += other.refused;
        self.cancels += other.cancels;
        self.onion += other.onion;
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.upkeep_bytes += other.upkeep_bytes;
        self.lost += other.lost;
    }

    /// What was counted since `earlier`.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            fetches: self.fetches - earlier.fetches,
            offers: self.offers - earlier.offers,
            blocks: self.blocks - earlier.blocks,
            loops: self.loops - earlier.loops,
            refused: self.refused - earlier.refused,
            cancels: self.cancels - earlier.cancels,
            onion: self.onion - earlier.onion,
            messages: self.messages - earlier.messages,
            bytes: self.bytes - earlier.bytes,
            upkeep_bytes: self.upkeep_bytes - earlier.upkeep_bytes,
            lost: self.lost - earlier.lost,
        }
    }
}

/// What became of one request of a node's user.
#[derive(Clone, Debug)]
pub struct Report<B = VerifiedBlock> {
    /// The node.
    pub node: usize,
    /// What was asked for or inserted.
    pub key: BlockKey,
    /// Whether the node itself had the block when its user asked for it: such a success says nothing about routing.
    pub local: bool,
    /// When it was begun.
    pub began: Time,
    /// How many hops away a fetch found its block, if it did and [`Settings::paths`](crate::Settings::paths) is set. Where
    /// several users ask for one key at once, from the nearest of them.
    pub hops: Option<u32>,
    /// How often a node was asked for its key, if [`Settings::paths`](crate::Settings::paths) is set.
    pub asked: u32,
    /// When and how it ended, if it did.
    pub ended: Option<(Time, Ended<B>)>,
}

/// How a request ended.
#[derive(Clone, Debug)]
pub enum Ended<B = VerifiedBlock> {
    /// A fetch.
    Fetch(Result<B, FetchFailure>),
    /// An insert.
    Insert(Result<InsertSuccess, InsertFailure<B>>),
}

impl<B: Block> Report<B> {
    /// Whether it ended well. A fetch did if it gave a block with the key asked for.
    #[must_use]
    pub fn is_success(&self) -> bool {
        match &self.ended {
            Some((_, Ended::Fetch(result))) => {
                result.as_ref().is_ok_and(|block| block.key() == self.key)
            }
            Some((_, Ended::Insert(result))) => result.is_ok(),
            None => false,
        }
    }

    /// Whether it ended well with the help of another node.
    #[must_use]
    pub fn is_routed_success(&self) -> bool {
        !self.local && self.is_success()
    }

    /// Why a fetch failed, if it did.
    #[must_use]
    pub const fn fetch_failure(&self) -> Option<FetchFailure> {
        match &self.ended {
            Some((_, Ended::Fetch(Err(failure)))) => Some(*failure),
            Some((_, Ended::Fetch(Ok(_)) | Ended::Insert(_))) | None => None,
        }
    }

    /// How many copies an insert made, if it succeeded.
    #[must_use]
    pub const fn copies(&self) -> Option<u8> {
        match &self.ended {
            Some((_, Ended::Insert(Ok(success)))) => Some(success.copies),
            Some((_, Ended::Insert(Err(_)) | Ended::Fetch(_))) | None => None,
        }
    }

    /// How long it took, if it ended.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.ended.as_ref().map(|&(at, _)| at.since(self.began))
    }
}
