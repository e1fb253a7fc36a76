use std::num::NonZeroU8;

use crypto::{BlockKind, RoutingKey};
use proptest::prelude::*;

use super::*;
use crate::message::Copies;

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
        tie_break: 300,
        class: Class::Bulk,
    };
    let mut expected = vec![0, 0xac, 0x02, 1];
    expected.extend([7; 32]);
    expected.extend([18, 0xac, 0x02, 1]);
    assert_eq!(encode(&fetch), expected);

    let found = Message::Found {
        id: RequestId(1),
        block: BlockBytes(Bytes::from_static(b"block")),
    };
    assert_eq!(encode(&found).as_ref(), b"\x06\x01block");
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
    let head = Err(DecodeError::Head);
    assert_eq!(decode(&Bytes::from_static(&[7, 1, 51])), head, "51 hops");
    assert_eq!(decode(&Bytes::from_static(&[8, 1, 0])), head, "no copies");
    assert_eq!(decode(&Bytes::from_static(&[11, 1])), head, "no such kind");
    assert_eq!(decode(&Bytes::new()), head);
    assert_eq!(
        decode(&Bytes::from_static(&[4, 1, 0])),
        Err(DecodeError::BlockLength { len: 1 })
    );
    assert_eq!(
        decode(&Bytes::from_static(&[6, 1])),
        Err(DecodeError::BlockLength { len: 0 })
    );
    let mut long = vec![6, 1];
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
    let parts = (
        id,
        block(),
        key(),
        hops(),
        class(),
        stage(),
        refusal(),
        any::<NonZeroU8>(),
    );
    parts.prop_flat_map(
        |(id, block, key, hops_to_live, class, stage, reason, copies)| {
            prop::sample::select(vec![
                Message::Fetch {
                    id,
                    key,
                    hops_to_live,
                    tie_break: 300,
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

fn block() -> impl Strategy<Value = BlockBytes> {
    prop::collection::vec(any::<u8>(), 1..2_000).prop_map(|bytes| BlockBytes(Bytes::from(bytes)))
}

fn key() -> impl Strategy<Value = BlockKey> {
    let kind = prop_oneof![Just(BlockKind::Content), Just(BlockKind::Signed)];
    (kind, any::<[u8; 32]>()).prop_map(|(kind, key)| BlockKey {
        kind,
        routing_key: RoutingKey::from_bytes(key),
    })
}

fn hops() -> impl Strategy<Value = HopsToLive> {
    (0..=50_u8).prop_map(|hops| HopsToLive::new(hops).unwrap())
}

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![Just(Class::RealTime), Just(Class::Bulk)]
}

fn stage() -> impl Strategy<Value = InsertStage> {
    let copies = (1..=8_u8).prop_map(|copies| Copies::new(copies).unwrap());
    prop_oneof![
        hops().prop_map(InsertStage::Seek),
        hops().prop_map(InsertStage::Inside),
        hops().prop_map(InsertStage::Outward),
        copies.prop_map(InsertStage::Replicate),
        Just(InsertStage::Repair),
    ]
}

fn refusal() -> impl Strategy<Value = Refusal> {
    let recently_failed =
        any::<u16>().prop_map(|retry_after_ms| Refusal::RecentlyFailed { retry_after_ms });
    prop_oneof![
        Just(Refusal::Loop),
        Just(Refusal::Overloaded),
        recently_failed
    ]
}
