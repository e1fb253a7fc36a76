//! What a user of links sees: events, and the handle to send by.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use crypto::NodeId;
use thiserror::Error;

use super::{outbox::Outbox, routes::real};

/// What happened on the links. For one peer the order is `Up`, any number of `Message`, `Down`, and so on again.
#[derive(Debug)]
pub enum LinkEvent {
    /// The peer is connected.
    Up {
        /// Which one.
        peer: NodeId,
        /// By which to send.
        link: Link,
        /// Whether we know it.
        bond: Bond,
    },
    /// An [`Endpoint::dial`](super::Endpoint::dial) led to no link.
    DialFailed {
        /// To whom.
        peer: NodeId,
    },
    /// The peer is gone, or has restarted (then `Up` follows at once). What was not delivered is lost.
    Down {
        /// Which one.
        peer: NodeId,
    },
    /// A message came in.
    Message {
        /// From whom.
        peer: NodeId,
        /// What it says, at most [`LinkConfig::message_bytes_max`](super::LinkConfig::message_bytes_max) bytes.
        bytes: Bytes,
    },
}

/// What connects us with the node at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bond {
    /// It was made known by [`Endpoint::connect_to`](super::Endpoint::connect_to): the link comes back when it breaks.
    Kept,
    /// It is a node of the opennet: the link is gone for good when it breaks.
    Stranger {
        /// How it can be reached, signed by itself; see [`Reference::from_record`](crate::reference::Reference::from_record).
        record: Bytes,
        /// Whether this node dialled; the other end has it the other way round, also when both have dialled.
        dialled: bool,
    },
}

/// How urgent a message is. A more urgent one overtakes all that still waits; the less urgent ones get what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Block transfer that nobody is waiting for right now.
    Bulk,
    /// Block transfer that somebody is waiting for.
    RealTime,
    /// Protocol messages without a block. They arrive in the order they were sent.
    Control,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SendError {
    /// The link is down; `LinkEvent::Up` brings a new one.
    #[error("the link is down; wait until the peer is connected again")]
    Closed,
    /// Too much is waiting already.
    #[error("too much waits to be sent on this link; send less or later")]
    Full,
    /// No peer would accept it.
    #[error("a message of {bytes} bytes is longer than the {max} that a link carries; split it")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
}

/// A connected peer. Cheap to clone; it outlives changes of address on both sides and ends with `Down`.
#[derive(Clone)]
pub struct Link {
    peer: NodeId,
    shared: Arc<LinkShared>,
}

/// The part of a link that its clones and its sessions share.
pub(crate) struct LinkShared {
    pub(crate) outbox: Outbox,
    connection: Mutex<quinn::Connection>,
}

/// How a link is doing.
#[derive(Clone, Copy, Debug)]
pub struct LinkStats {
    /// Where the peer is.
    pub remote_address: SocketAddr,
    /// Best current guess of the round-trip time.
    pub round_trip: Duration,
    /// Bytes of datagrams sent on the present connection.
    pub sent_bytes: u64,
    /// Bytes of datagrams received on the present connection.
    pub received_bytes: u64,
    /// Packets taken for lost on the present connection.
    pub lost_packets: u64,
    /// Bytes waiting in the outbox.
    pub waiting_bytes: usize,
}

impl Link {
    pub(crate) fn new(peer: NodeId, shared: Arc<LinkShared>) -> Self {
        Self { peer, shared }
    }

    /// Queues a message and returns at once. `Priority::Control` and anything below about a kilobyte shares one
    /// ordered stream, ahead of the rest; every other message is a stream of its own.
    ///
    /// # Errors
    /// [`SendError`]; the message is then not sent.
    pub fn send(&self, bytes: Bytes, priority: Priority) -> Result<(), SendError> {
        self.shared.outbox.push(bytes, priority)
    }

    /// The peer at the other end.
    #[must_use]
    pub const fn peer(&self) -> NodeId {
        self.peer
    }

    /// How the link is doing.
    #[must_use]
    pub fn stats(&self) -> LinkStats {
        let connection = self.shared.connection();
        let stats = connection.stats();
        LinkStats {
            remote_address: real(connection.remote_address()),
            round_trip: stats.path.rtt,
            sent_bytes: stats.udp_tx.bytes,
            received_bytes: stats.udp_rx.bytes,
            lost_packets: stats.path.lost_packets,
            waiting_bytes: self.shared.outbox.waiting_bytes(),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl LinkShared {
    pub(crate) fn new(outbox: Outbox, connection: quinn::Connection) -> Self {
        Self {
            outbox,
            connection: Mutex::new(connection),
        }
    }

    pub(crate) fn connection(&self) -> quinn::Connection {
        self.connection
            .lock()
            .expect("no holder of the lock panics")
            .clone()
    }

    pub(crate) fn change_connection(&self, connection: quinn::Connection) {
        *self
            .connection
            .lock()
            .expect("no holder of the lock panics") = connection;
    }
}
