use crypto::Identity;
use proptest::prelude::*;

use super::*;
use crate::location::Location;
use crate::message::Message;
use crate::wire::{self, DecodeError};

#[test]
fn the_format_of_messages_about_links_is_fixed() {
    let contact = Contact {
        node: Identity::from_seed(&[1; 32]).id(),
        record: Bytes::from_static(b"here"),
    };
    let message = Message::Opennet(OpennetMessage::Invite {
        id: AnnouncementId(300),
        invitation: Invitation {
            contact: contact.clone(),
            token: Token(1),
        },
    });
    let mut expected = vec![64, 5, 0xac, 0x02, 1];
    expected.extend(contact.node.as_bytes());
    expected.extend(*b"\x04\x00here");
    assert_eq!(wire::encode(&message), expected);
}

#[test]
fn long_records_missing_contacts_and_too_many_are_refused() {
    let contact = |len: usize| {
        let mut bytes = Identity::from_seed(&[1; 32]).id().as_bytes().to_vec();
        bytes.extend(u16::try_from(len).unwrap().to_le_bytes());
        bytes.resize(34 + len, 7);
        bytes
    };
    let decoded = |head: &[u8], contacts: &[Vec<u8>]| {
        let mut bytes = vec![64];
        bytes.extend(head);
        bytes.extend(contacts.concat());
        wire::decode(&Bytes::from(bytes))
    };
    let invite: &[u8] = &[5, 1, 1];
    assert!(decoded(invite, &[contact(RECORD_LEN_MAX)]).is_ok());
    assert!(decoded(&[7], &vec![contact(RECORD_LEN_MAX); CONTACTS_MAX]).is_ok());
    let malformed = Err(DecodeError::Opennet);
    assert_eq!(decoded(invite, &[contact(RECORD_LEN_MAX + 1)]), malformed);
    assert_eq!(decoded(invite, &[]), malformed);
    assert_eq!(decoded(invite, &[contact(1), contact(1)]), malformed);
    assert_eq!(decoded(&[1], &[contact(1)]), malformed, "Adopted has none");
    assert_eq!(decoded(&[7], &[]), malformed, "nobody is introduced");
    assert_eq!(
        decoded(&[7], &vec![contact(1); CONTACTS_MAX + 1]),
        malformed
    );
    assert_eq!(decoded(&[9], &[]), malformed, "no such kind");
    assert_eq!(decoded(&[], &[]), malformed);
    assert_eq!(decoded(invite, &[vec![255; 34]]), malformed, "no such node");
}

proptest! {
    #[test]
    fn every_message_about_links_comes_back(message in message()) {
        let message = Message::Opennet(message);
        let bytes = wire::encode(&message);
        prop_assert!(bytes.len() <= wire::MESSAGE_LEN_MAX);
        prop_assert_eq!(wire::encoded_len(&message), bytes.len());
        prop_assert_eq!(wire::decode(&bytes), Ok(message));
    }

    #[test]
    fn arbitrary_bytes_about_links_never_panic_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut message = vec![64];
        message.extend(bytes);
        let _ = wire::decode(&Bytes::from(message));
    }

    #[test]
    fn changed_messages_about_links_never_panic_the_decoder(
        message in message(), at: prop::sample::Index, value: u8, cut: bool,
    ) {
        let mut bytes = wire::encode(&Message::Opennet(message)).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if cut {
            bytes.truncate(at);
        }
        let _ = wire::decode(&Bytes::from(bytes));
    }
}

fn message() -> impl Strategy<Value = OpennetMessage> {
    let id = any::<u64>().prop_map(AnnouncementId);
    let hops = (0..=18_u8).prop_map(|hops| HopsToLive::new(hops).unwrap());
    let contacts = prop::collection::vec(contact(), 1..=CONTACTS_MAX);
    (id, any::<u64>(), contacts, hops, any::<u8>(), seek()).prop_flat_map(
        |(id, token, contacts, hops_to_live, wanted, seek)| {
            let invitation = Invitation {
                contact: contacts[0].clone(),
                token: Token(token),
            };
            let newcomer = contacts[0].clone();
            let adopt = |ticket| OpennetMessage::Adopt { ticket };
            prop::sample::select(vec![
                adopt(Ticket::Neighbour),
                adopt(Ticket::Invited(Token(token))),
                adopt(Ticket::Returning),
                adopt(Ticket::Announcing),
                OpennetMessage::Adopted,
                OpennetMessage::Guest,
                OpennetMessage::Declined,
                OpennetMessage::Announce {
                    id,
                    newcomer,
                    seek,
                    hops_to_live,
                    wanted,
                },
                OpennetMessage::Invite {
                    id,
                    invitation: invitation.clone(),
                },
                OpennetMessage::AnnouncementEnded {
                    id,
                    hops_to_live,
                    wanted,
                },
                OpennetMessage::Introduce {
                    contacts: contacts.into(),
                },
                OpennetMessage::Fold {
                    request: RequestId(token),
                    invitation,
                },
            ])
        },
    )
}

fn contact() -> impl Strategy<Value = Contact> {
    let record = prop::collection::vec(any::<u8>(), 0..=RECORD_LEN_MAX);
    (any::<[u8; 32]>(), record).prop_map(|(seed, record)| Contact {
        node: Identity::from_seed(&seed).id(),
        record: record.into(),
    })
}

fn seek() -> impl Strategy<Value = Seek> {
    let near = (0.0..1.0).prop_map(|place| Seek::Near(Location::from_fraction(place)));
    prop_oneof![Just(Seek::Above), Just(Seek::Below), near]
}
