//! Nodes that do not do what they should, and nodes that are watched.

use std::fmt::Debug;

use bytes::Bytes;
use routing::{BlockBytes, Class, HopsToLive, Message, PeerId, Time};

/// What stands between a node's router and its links.
///
/// A hostile node has a router too, so that it can take part as far as it likes. Handles of peers are nodes' indices.
pub trait Behaviour: Debug + Send {
    /// A message came in. Gives what the router is to see, if anything, and puts into `replies` what is to be sent at once.
    fn receive(
        &mut self,
        now: Time,
        from: PeerId,
        message: Message,
        replies: &mut Vec<Reply>,
    ) -> Option<Message>;

    /// The router wants to send. Gives what is sent instead, if anything.
    fn send(&mut self, _now: Time, _to: PeerId, message: Message) -> Option<Message> {
        Some(message)
    }
}

/// Something that a behaviour sends.
#[derive(Clone, Debug)]
pub struct Reply {
    /// To which peer.
    pub to: PeerId,
    /// What.
    pub message: Message,
    /// How urgent it is.
    pub class: Class,
}

/// The usual kinds of hostile nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hostile {
    /// Says nothing to anybody's request, and sends its own.
    Silent,
    /// Says at once that it looked everywhere and that nothing is left of the budget: a search ends at it. Says of every
    /// block that it is stored, and forgets it.
    Denying,
    /// As before, but leaves the whole budget, so that it is not the end of the search.
    Shrugging,
    /// Accepts every request, and never ends any.
    Stalling,
    /// Answers every fetch with bytes that are not the block.
    Forging,
}

impl Behaviour for Hostile {
    fn receive(
        &mut self,
        _now: Time,
        from: PeerId,
        message: Message,
        replies: &mut Vec<Reply>,
    ) -> Option<Message> {
        let mut reply = |message| {
            replies.push(Reply {
                to: from,
                message,
                class: Class::RealTime,
            });
        };
        match message {
            Message::Fetch {
                id, hops_to_live, ..
            } => match self {
                Self::Silent => {}
                Self::Denying => reply(Message::NotFound {
                    id,
                    left: HopsToLive::ZERO,
                }),
                Self::Shrugging => reply(Message::NotFound {
                    id,
                    left: hops_to_live,
                }),
                Self::Stalling => reply(Message::Accepted { id }),
                Self::Forging => reply(Message::Found {
                    id,
                    block: BlockBytes(Bytes::from_static(b"not the block")),
                }),
            },
            Message::Offer { id, .. } => {
                if *self != Self::Silent {
                    reply(Message::Accepted { id });
                }
            }
            Message::Block { id, .. } => {
                if !matches!(self, Self::Silent | Self::Stalling) {
                    reply(Message::Stored {
                        id,
                        copies: std::num::NonZeroU8::MIN,
                    });
                }
            }
            Message::Cancel { .. } => {}
            other => return Some(other),
        }
        None
    }
}

/// A message that a watched node sent or got.
#[derive(Clone, Debug)]
pub struct Observation {
    /// When it was sent, or arrived.
    pub at: Time,
    /// The watched node.
    pub node: usize,
    /// The node at the other end.
    pub other: usize,
    /// Which way it went.
    pub direction: Direction,
    /// What was said.
    pub message: Message,
}

/// Which way an observed message went, seen from the watched node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To it.
    In,
    /// From it.
    Out,
}
