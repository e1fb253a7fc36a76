//! What nodes of the opennet say to each other about links.

use smallvec::SmallVec;

use crate::contact::Contact;
use crate::hops_to_live::HopsToLive;
use crate::location::Location;
use crate::message::RequestId;

/// One message about links. None has an answer that must come: the sender counts on time-outs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpennetMessage {
    /// The node that dialled asks to become a peer.
    Adopt {
        /// What makes it welcome.
        ticket: Ticket,
    },
    /// The link carries requests from now on.
    Adopted,
    /// The link carries an announcement and its answers, nothing else, and not for long.
    Guest,
    /// The link is not kept, or not any longer.
    Declined,
    /// A node looks for peers. Routed through the network.
    Announce {
        /// Random, the same on the whole way, so that a node does not pass it on twice.
        id: AnnouncementId,
        /// Who looks.
        newcomer: Contact,
        /// Where it wants peers.
        seek: Seek,
        /// How many more nodes it may visit.
        hops_to_live: HopsToLive,
        /// How many more invitations it takes.
        wanted: u8,
    },
    /// A node that would become the newcomer's peer. Travels back the way of the announcement.
    Invite {
        /// Of the announcement.
        id: AnnouncementId,
        /// Who invites.
        invitation: Invitation,
    },
    /// An announcement has been everywhere it goes from here.
    AnnouncementEnded {
        /// Of the announcement.
        id: AnnouncementId,
        /// How many more nodes it may visit.
        hops_to_live: HopsToLive,
        /// How many more invitations it takes.
        wanted: u8,
    },
    /// The sender's neighbours on the ring. The receiver dials those that are nearer to it than its own.
    Introduce {
        /// From one to [`CONTACTS_MAX`].
        contacts: Contacts,
    },
    /// Comes just before a [`Message::Found`](crate::Message::Found): who had the block would become the peer of one node
    /// on the way.
    Fold {
        /// Of the fetch, as in `Found`.
        request: RequestId,
        /// Who had the block, or somebody on the way in its place.
        invitation: Invitation,
    },
}

impl OpennetMessage {
    /// The contacts in it, in order.
    pub(crate) fn contacts(&self) -> &[Contact] {
        match self {
            Self::Announce { newcomer, .. } => std::slice::from_ref(newcomer),
            Self::Invite { invitation, .. } | Self::Fold { invitation, .. } => {
                std::slice::from_ref(&invitation.contact)
            }
            Self::Introduce { contacts } => contacts,
            Self::Adopt { .. }
            | Self::Adopted
            | Self::Guest
            | Self::Declined
            | Self::AnnouncementEnded { .. } => &[],
        }
    }
}

/// A few contacts.
pub type Contacts = SmallVec<[Contact; 1]>;

/// No [`OpennetMessage::Introduce`] has more contacts: twice the neighbours that a node has on the ring.
pub const CONTACTS_MAX: usize = 8;

/// Names an announcement in the whole network.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct AnnouncementId(pub u64);

/// That a node would take one more peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The node.
    pub contact: Contact,
    /// What it knows its guest by. Good once and for a short time.
    pub token: Token,
}

/// A random number that an invited node shows to the one that invited it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Token(pub u64);

/// Why a node should be taken as a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Ticket {
    /// Its place: it is a neighbour on the ring.
    Neighbour,
    /// It was invited.
    Invited(Token),
    /// It was a peer before.
    Returning,
    /// It knows nobody, and wants to announce itself over the link.
    Announcing,
}

/// Where an announcement goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Seek {
    /// To the first node clockwise of the newcomer.
    Above,
    /// To the first node counter-clockwise of the newcomer.
    Below,
    /// To the node closest to a place.
    Near(Location),
}
