//! How a node that is not linked yet can be reached.

use bytes::Bytes;
use crypto::NodeId;

use crate::location::Location;

/// A node and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who it is; this decides where it is on the ring.
    pub node: NodeId,
    /// Its signed addresses, in the driver's format, which the router passes on without a look into it; at most
    /// [`RECORD_LEN_MAX`] bytes. Who dials checks it.
    pub record: Bytes,
}

/// No record of a [`Contact`] is longer, in bytes: a signature, a public key and eight addresses are half of it.
pub const RECORD_LEN_MAX: usize = 512;

impl Contact {
    /// Where the node is.
    #[must_use]
    pub fn location(&self) -> Location {
        Location::of_node(&self.node)
    }
}

/// How far the owner of a node trusts a friend. The friend is never told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// Somebody whom the owner has met online, or who runs a node for others. Gets half of a friend's share of requests
    /// in progress here, and is not told where other friends are.
    Low,
    /// A friend.
    #[default]
    Normal,
    /// Somebody whom the owner would tell what they read.
    High,
}

/// What sort of peer a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerKind {
    /// The owner chose it (darknet). Never given up by the router.
    Friend {
        /// How far the owner trusts it.
        trust: Trust,
    },
    /// A node of the opennet. The two routers agree over the link whether they keep it; until then it carries no
    /// requests.
    Stranger {
        /// Who, and how to reach it again.
        contact: Contact,
        /// Whether this node dialled; otherwise the stranger did.
        dialled: bool,
    },
}
