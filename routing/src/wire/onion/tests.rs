use proptest::prelude::*;

use super::*;
use crate::message::Message;
use crate::wire::{MESSAGE_LEN_MAX, decode, encode, encoded_len};

fn body(size: CellSize) -> CellBody {
    CellBody::new(Bytes::from(vec![7; size.len()])).unwrap()
}

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![Just(Class::RealTime), Just(Class::Bulk)]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Forward), Just(Direction::Backward)]
}

fn message() -> impl Strategy<Value = OnionMessage> {
    let circuit = || any::<u64>().prop_map(CircuitId);
    let bytes = |len| prop::collection::vec(any::<u8>(), len).prop_map(Bytes::from);
    let size = prop_oneof![Just(CellSize::Control), Just(CellSize::Block)];
    prop_oneof![
        (circuit(), bytes(CREATE_LEN))
            .prop_map(|(circuit, handshake)| OnionMessage::Create { circuit, handshake }),
        (circuit(), bytes(CREATED_LEN))
            .prop_map(|(circuit, handshake)| OnionMessage::Created { circuit, handshake }),
        (circuit(), direction(), class(), any::<u32>(), size).prop_map(
            |(circuit, direction, class, number, size)| OnionMessage::Cell {
                circuit,
                direction,
                class,
                number,
                body: body(size),
            }
        ),
        (circuit(), direction())
            .prop_map(|(circuit, direction)| OnionMessage::Destroy { circuit, direction }),
    ]
}

proptest! {
    #[test]
    fn messages_come_back_and_have_one_of_two_lengths(message in message()) {
        let message = Message::Onion(message);
        let bytes = encode(&message);
        let small = 1 + HEAD_LEN + CellSize::Control.len();
        let large = 1 + HEAD_LEN + CellSize::Block.len();
        prop_assert_eq!(bytes.len(), if message.carries_block() { large } else { small });
        prop_assert_eq!(bytes.len(), encoded_len(&message));
        prop_assert_eq!(decode(&bytes), Ok(message));
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..3_000)) {
        let _ = super::decode(&Bytes::from(bytes));
    }

    #[test]
    fn other_lengths_are_refused(message in message(), cut in 1_usize..100) {
        let bytes = encode(&Message::Onion(message));
        prop_assert!(decode(&bytes.slice(..bytes.len() - cut)).is_err());
    }
}

#[test]
fn the_longest_cell_fits_into_a_message_and_a_decoded_one_is_not_copied() {
    let message = Message::Onion(OnionMessage::Cell {
        circuit: CircuitId(1),
        direction: Direction::Forward,
        class: Class::Bulk,
        number: 2,
        body: body(CellSize::Block),
    });
    let bytes = encode(&message);
    assert!(bytes.len() <= MESSAGE_LEN_MAX);
    let Ok(Message::Onion(OnionMessage::Cell { body, .. })) = decode(&bytes) else {
        panic!("not a cell");
    };
    assert_eq!(body.bytes().as_ptr(), bytes[1 + HEAD_LEN..].as_ptr());
    let place = bytes.as_ptr() as usize + 1 + HEAD_LEN;
    drop(bytes);
    let own = body
        .into_bytes()
        .try_into_mut()
        .expect("nobody else holds it");
    assert_eq!(own.as_ptr() as usize, place);
}

#[test]
fn the_format_is_fixed() {
    let destroy = Message::Onion(OnionMessage::Destroy {
        circuit: CircuitId(0x0102),
        direction: Direction::Backward,
    });
    let bytes = encode(&destroy);
    assert_eq!(bytes[..14], [67, 7, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(bytes[14..].iter().all(|&byte| byte == 0));
}
