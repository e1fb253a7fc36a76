use crypto::onion::{CREATE_LEN, CREATED_LEN, CellSize};
use crypto::{BlockKind, CONTENT_BLOCK_LEN, RoutingKey};
use proptest::prelude::*;

use super::*;

fn key() -> impl Strategy<Value = BlockKey> {
    let kind = prop_oneof![Just(BlockKind::Content), Just(BlockKind::Signed)];
    (kind, any::<[u8; 32]>()).prop_map(|(kind, key)| BlockKey {
        kind,
        routing_key: RoutingKey::from_bytes(key),
    })
}

fn bytes(len: usize) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 1..len).prop_map(Bytes::from)
}

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![Just(Class::RealTime), Just(Class::Bulk)]
}

fn command() -> impl Strategy<Value = Command> {
    let budget = prop_oneof![Just(Budget::Ordinary), Just(Budget::Long)];
    let name = any::<[u8; 32]>().prop_map(RelayName::from_bytes);
    let ask = || any::<u32>().prop_map(Ask);
    prop_oneof![
        any::<u16>().prop_map(|delay_ms| Command::Begin { delay_ms }),
        (name, bytes(CREATE_LEN + 1)).prop_map(|(to, handshake)| Command::Extend { to, handshake }),
        (ask(), key(), class(), budget).prop_map(|(ask, key, class, budget)| Command::Fetch {
            ask,
            key,
            class,
            budget
        }),
        (ask(), key(), class(), bytes(2_000)).prop_map(|(ask, key, class, block)| {
            Command::Insert {
                ask,
                key,
                class,
                block,
            }
        }),
        ask().prop_map(|ask| Command::Cancel { ask }),
        Just(Command::Drop),
        Just(Command::Lists),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let ask = || any::<u32>().prop_map(Ask);
    let reason = prop_oneof![
        Just(Reason::NotFound),
        Just(Reason::Congested),
        Just(Reason::StoreFailed),
        Just(Reason::Refused(Refusal::Loop)),
        any::<u16>()
            .prop_map(|retry_after_ms| Reason::Refused(Refusal::RecentlyFailed { retry_after_ms })),
    ];
    prop_oneof![
        bytes(CREATED_LEN + 1).prop_map(|handshake| Answer::Extended { handshake }),
        Just(Answer::NotExtended),
        ask().prop_map(|ask| Answer::Accepted { ask }),
        (ask(), bytes(2_000)).prop_map(|(ask, block)| Answer::Found { ask, block }),
        (ask(), reason).prop_map(|(ask, reason)| Answer::Failed { ask, reason }),
        (ask(), any::<u8>()).prop_map(|(ask, copies)| Answer::Stored { ask, copies }),
        (ask(), bytes(2_000)).prop_map(|(ask, block)| Answer::Collision { ask, block }),
        side().prop_map(|side| Answer::Broken { side }),
        Just(Answer::Drop),
    ]
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Before), Just(Side::Behind), Just(Side::Here)]
}

proptest! {
    #[test]
    fn commands_come_back_from_their_bytes(command in command(), answer_from: u32) {
        let payload = command.encode(answer_from).freeze();
        prop_assert_eq!(Command::decode(&payload), Some((answer_from, command)));
    }

    #[test]
    fn answers_come_back_from_their_bytes(answer in answer()) {
        let payload = answer.encode().freeze();
        prop_assert_eq!(Answer::decode(&payload), Some(answer));
    }

    #[test]
    fn any_bytes_are_said_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let bytes = Bytes::from(bytes);
        let _ = (Command::decode(&bytes), Answer::decode(&bytes));
    }
}

#[test]
fn the_largest_of_each_fit_into_their_cells() {
    let key = BlockKey {
        kind: BlockKind::Signed,
        routing_key: RoutingKey::from_bytes([255; 32]),
    };
    let insert = Command::Insert {
        ask: Ask(u32::MAX),
        key,
        class: Class::Bulk,
        block: Bytes::from(vec![0; CONTENT_BLOCK_LEN]),
    };
    assert!(insert.encode(u32::MAX).len() <= CellSize::Block.payload_max());
    let extend = Command::Extend {
        to: RelayName::from_bytes([0; 32]),
        handshake: Bytes::from(vec![0; CREATE_LEN]),
    };
    assert!(extend.encode(u32::MAX).len() <= CellSize::Control.payload_max());
    let longest_list = NeighbourList::LEN_MAX + 1;
    assert!(longest_list <= CellSize::Control.payload_max());
}
