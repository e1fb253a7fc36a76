use crypto::{BlockKind, RoutingKey};
use proptest::prelude::*;

use super::*;

#[test]
fn the_format_is_fixed() {
    let key = BlockKey {
        kind: BlockKind::Signed,
        routing_key: RoutingKey::from_bytes([7; 32]),
    };
    let hops_to_live = HopsToLive::MAX;
    let fetch = Message::Fetch {
        id: RequestId(300),
        key,
        hops_to_live,
        class: Class::Bulk,
    };
    let mut expected = vec![0, 0xac, 0x02, 1];
    expected.extend([7; 32]);
    expected.extend([18, 1]);
    assert_eq!(encode(&fetch), expected);

    let found = Message::Found {
        id: RequestId(1),
        block: BlockBytes(Bytes::from_static(b"block")),
    };
    assert_eq!(encode(&found).as_ref(), b"\x09\x01block");
}

#[test]
fn a_decoded_block_shares_the_memory_of_the_message() {
    let bytes = encode(&Message::Found {
        id: RequestId(1),
        block: BlockBytes(Bytes::from(vec![1; 1000])),
    });
    let Ok(Message::Found { block, .. }) = decode(&bytes) else {
        panic!("not a block")
    };
    assert_eq!(block.0.as_ptr(), bytes[2..].as_ptr());
}

#[test]
fn numbers_out_of_range_and_wrong_lengths_are_refused() {
    let hops = DecodeError::OutOfRange {
        field: "hops to live",
    };
    let copies = DecodeError::OutOfRange { field: "copies" };
    assert_eq!(decode(&Bytes::from_static(&[10, 1, 19])), Err(hops));
    assert_eq!(decode(&Bytes::from_static(&[11, 1, 0])), Err(copies));
    assert_eq!(
        decode(&Bytes::from_static(&[4, 1, 0])),
        Err(DecodeError::BlockLength { len: 1 })
    );
    assert_eq!(
        decode(&Bytes::from_static(&[9, 1])),
        Err(DecodeError::BlockLength { len: 0 })
    );
    assert_eq!(
        decode(&Bytes::from_static(&[14, 1])),
        Err(DecodeError::Head)
    );
    assert_eq!(decode(&Bytes::new()), Err(DecodeError::Head));
    let mut long = vec![9, 1];
    long.resize(2 + BLOCK_LEN_MAX, 0);
    assert!(decode(&Bytes::from(long.clone())).is_ok());
    long.push(0);
    assert_eq!(
        decode(&Bytes::from(long)),
        Err(DecodeError::BlockLength {
            len: BLOCK_LEN_MAX + 1
        })
    );
    let len = MESSAGE_LEN_MAX + 1;
    assert_eq!(
        decode(&Bytes::from(vec![9; len])),
        Err(DecodeError::TooLong { len })
    );
}

proptest! {
    #[test]
    fn every_message_comes_back(message in message()) {
        let bytes = encode(&message);
        prop_assert!(bytes.len() <= MESSAGE_LEN_MAX);
        prop_assert_eq!(decode(&bytes), Ok(message));
    }

    #[test]
    fn arbitrary_bytes_never_panic_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = decode(&Bytes::from(bytes));
    }

    /// Bytes that begin like a message get further into the decoder than arbitrary ones.
    #[test]
    fn changed_messages_never_panic_the_decoder(message in message(), at: prop::sample::Index, value: u8, cut: bool) {
        let mut bytes = encode(&message).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if cut {
            bytes.truncate(at);
        }
        let _ = decode(&Bytes::from(bytes));
    }
}

fn message() -> impl Strategy<Value = Message> {
    let id = any::<u64>().prop_map(RequestId);
    let block = prop::collection::vec(any::<u8>(), 1..2_000)
        .prop_map(|bytes| BlockBytes(Bytes::from(bytes)));
    let hops = || (0..=18_u8).prop_map(|hops| HopsToLive::new(hops).unwrap());
    let class = || prop_oneof![Just(Class::RealTime), Just(Class::Bulk)];
    let kind = prop_oneof![Just(BlockKind::Content), Just(BlockKind::Signed)];
    let key = (kind, any::<[u8; 32]>()).prop_map(|(kind, key)| BlockKey {
        kind,
        routing_key: RoutingKey::from_bytes(key),
    });
    let stage = prop_oneof![
        hops().prop_map(InsertStage::Seek),
        (1..=8_u8).prop_map(|copies| InsertStage::Replicate(Copies::new(copies).unwrap())),
    ];
    let refusal = prop_oneof![
        Just(Refusal::Loop),
        Just(Refusal::Overloaded),
        any::<u16>().prop_map(|retry_after_ms| Refusal::RecentlyFailed { retry_after_ms }),
    ];
    (id, block, key, hops(), class(), stage, refusal, 1..=255_u8).prop_flat_map(
        |(id, block, key, hops_to_live, class, stage, reason, copies)| {
            prop::sample::select(vec![
                Message::Fetch {
                    id,
                    key,
                    hops_to_live,
                    class,
                },
                Message::Offer {
                    id,
                    key,
                    stage,
                    class,
                },
                Message::Block {
                    id,
                    block: block.clone(),
                },
                Message::Cancel { id },
                Message::Accepted { id },
                Message::Refused { id, reason },
                Message::Found {
                    id,
                    block: block.clone(),
                },
                Message::NotFound {
                    id,
                    left: hops_to_live,
                },
                Message::Stored { id, copies },
                Message::StoreFailed { id },
                Message::Collision { id, block },
            ])
        },
    )
}
