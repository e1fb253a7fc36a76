//! Messages about links as bytes: a head of fixed size, and contacts to the end.

use bytes::{BufMut, Bytes, BytesMut};
use crypto::NodeId;
use serde::{Deserialize, Serialize};

use crate::contact::{Contact, RECORD_LEN_MAX};
use crate::hops_to_live::HopsToLive;
use crate::message::RequestId;
use crate::opennet::message::{
    AnnouncementId, CONTACTS_MAX, Contacts, Invitation, OpennetMessage, Seek, Ticket, Token,
};

/// Appends the bytes of `message`.
///
/// # Panics
/// If a record in it is longer than [`RECORD_LEN_MAX`].
pub(super) fn encode(message: &OpennetMessage, bytes: &mut BytesMut) {
    let mut head = [0; HEAD_LEN_MAX];
    let head = postcard::to_slice(&Head::of(message), &mut head)
        .expect("the longest head fits: HEAD_LEN_MAX counts its fields");
    bytes.put_slice(head);
    for contact in message.contacts() {
        assert!(
            contact.record.len() <= RECORD_LEN_MAX,
            "a record is longer than any"
        );
        let len = u16::try_from(contact.record.len()).expect("it is below RECORD_LEN_MAX");
        bytes.put_slice(contact.node.as_bytes());
        bytes.put_u16_le(len);
        bytes.put_slice(&contact.record);
    }
}

/// How many bytes [`encode`] appends.
pub(super) fn encoded_len(message: &OpennetMessage) -> usize {
    let head = postcard::to_slice(&Head::of(message), &mut [0; HEAD_LEN_MAX])
        .expect("the longest head fits: HEAD_LEN_MAX counts its fields")
        .len();
    let contacts = message.contacts().iter();
    head + contacts
        .map(|contact| CONTACT_HEAD_LEN + contact.record.len())
        .sum::<usize>()
}

/// The message that `bytes` are, if they are one. Records in it share their memory.
pub(super) fn decode(bytes: &Bytes) -> Option<OpennetMessage> {
    let (head, rest) = postcard::take_from_bytes::<Head>(bytes).ok()?;
    let mut rest = bytes.slice_ref(rest);
    let mut contacts = Contacts::new();
    while !rest.is_empty() {
        if contacts.len() == head.contacts_max() {
            return None;
        }
        contacts.push(take_contact(&mut rest)?);
    }
    head.with_contacts(contacts)
}

fn take_contact(rest: &mut Bytes) -> Option<Contact> {
    let (&node, after) = rest.split_first_chunk::<32>()?;
    let (&len, after) = after.split_first_chunk::<2>()?;
    let len = usize::from(u16::from_le_bytes(len));
    if len > RECORD_LEN_MAX || len > after.len() {
        return None;
    }
    let node = NodeId::from_bytes(node).ok()?;
    let record_at = rest.len() - after.len();
    let record = rest.slice(record_at..record_at + len);
    *rest = rest.slice(record_at + len..);
    Some(Contact { node, record })
}

/// A message without its contacts. The order of the variants is the format.
#[derive(Serialize, Deserialize)]
enum Head {
    Adopt {
        ticket: Ticket,
    },
    Adopted,
    Guest,
    Declined,
    Announce {
        id: AnnouncementId,
        seek: Seek,
        hops_to_live: HopsToLive,
        wanted: u8,
    },
    Invite {
        id: AnnouncementId,
        token: Token,
    },
    AnnouncementEnded {
        id: AnnouncementId,
        hops_to_live: HopsToLive,
        wanted: u8,
    },
    Introduce,
    Fold {
        request: RequestId,
        token: Token,
    },
}

impl Head {
    const fn of(message: &OpennetMessage) -> Self {
        match *message {
            OpennetMessage::Adopt { ticket } => Self::Adopt { ticket },
            OpennetMessage::Adopted => Self::Adopted,
            OpennetMessage::Guest => Self::Guest,
            OpennetMessage::Declined => Self::Declined,
            OpennetMessage::Announce {
                id,
                seek,
                hops_to_live,
                wanted,
                ..
            } => Self::Announce {
                id,
                seek,
                hops_to_live,
                wanted,
            },
            OpennetMessage::Invite { id, ref invitation } => Self::Invite {
                id,
                token: invitation.token,
            },
            OpennetMessage::AnnouncementEnded {
                id,
                hops_to_live,
                wanted,
            } => Self::AnnouncementEnded {
                id,
                hops_to_live,
                wanted,
            },
            OpennetMessage::Introduce { .. } => Self::Introduce,
            OpennetMessage::Fold {
                request,
                ref invitation,
            } => Self::Fold {
                request,
                token: invitation.token,
            },
        }
    }

    const fn contacts_max(&self) -> usize {
        match self {
            Self::Announce { .. } | Self::Invite { .. } | Self::Fold { .. } => 1,
            Self::Introduce => CONTACTS_MAX,
            Self::Adopt { .. }
            | Self::Adopted
            | Self::Guest
            | Self::Declined
            | Self::AnnouncementEnded { .. } => 0,
        }
    }

    fn with_contacts(self, mut contacts: Contacts) -> Option<OpennetMessage> {
        Some(match self {
            Self::Adopt { ticket } => OpennetMessage::Adopt { ticket },
            Self::Adopted => OpennetMessage::Adopted,
            Self::Guest => OpennetMessage::Guest,
            Self::Declined => OpennetMessage::Declined,
            Self::Announce {
                id,
                seek,
                hops_to_live,
                wanted,
            } => OpennetMessage::Announce {
                id,
                newcomer: contacts.pop()?,
                seek,
                hops_to_live,
                wanted,
            },
            Self::Invite { id, token } => OpennetMessage::Invite {
                id,
                invitation: Invitation {
                    contact: contacts.pop()?,
                    token,
                },
            },
            Self::AnnouncementEnded {
                id,
                hops_to_live,
                wanted,
            } => OpennetMessage::AnnouncementEnded {
                id,
                hops_to_live,
                wanted,
            },
            Self::Introduce if contacts.is_empty() => return None,
            Self::Introduce => OpennetMessage::Introduce { contacts },
            Self::Fold { request, token } => OpennetMessage::Fold {
                request,
                invitation: Invitation {
                    contact: contacts.pop()?,
                    token,
                },
            },
        })
    }
}

/// Kind 1, id at most 10 (as a varint), place sought 11, hops 1, invitations 1; rounded up.
const HEAD_LEN_MAX: usize = 32;

/// A node's identity, and the length of its record.
const CONTACT_HEAD_LEN: usize = 32 + 2;

#[cfg(test)]
mod tests;
