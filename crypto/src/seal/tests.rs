use proptest::prelude::*;

use super::*;
use crate::content_key::{ContentExtra, ContentKey};
use crate::layout::Codec;
use crate::signed::SignedKey;
use crate::subspace::SubspaceSecret;

fn key(byte: u8) -> FileKey {
    FileKey::from_bytes([byte; 32])
}

fn layout() -> Layout {
    Layout::splitfile(b"test")
}

fn seal(payload: &[u8]) -> VerifiedBlock {
    seal_content(&key(1), &layout(), 0, payload).unwrap()
}

#[test]
fn every_length_of_payload_gives_a_block_of_one_length_and_comes_back() {
    for len in [0, 1, 31, 32_767, 32_768] {
        let payload = vec![0xab; len];
        let block = seal(&payload);
        assert_eq!(block.bytes().len(), CONTENT_BLOCK_LEN);
        assert_eq!(open_content(&key(1), &layout(), 0, &block), Ok(payload));
    }
}

#[test]
fn a_payload_beyond_the_maximum_is_refused() {
    let payload = vec![0; CONTENT_PAYLOAD_MAX + 1];
    let too_long = PayloadTooLong {
        len: 32_769,
        max: 32_768,
    };
    assert_eq!(seal_content(&key(1), &layout(), 0, &payload), Err(too_long));
}

#[test]
fn trailing_zeros_are_part_of_the_payload() {
    let (short, long) = (seal(b"a"), seal(b"a\0"));
    assert_ne!(short.key(), long.key());
    assert_eq!(open_content(&key(1), &layout(), 0, &long).unwrap(), b"a\0");
}

#[test]
fn file_key_layout_and_index_must_all_be_right() {
    let block = seal(b"payload");
    let wrong = Err(OpenError::Sealed);
    assert_eq!(open_content(&key(2), &layout(), 0, &block), wrong);
    assert_eq!(
        open_content(&key(1), &Layout::splitfile(b"tesu"), 0, &block),
        wrong
    );
    assert_eq!(open_content(&key(1), &layout(), 1, &block), wrong);
}

#[test]
fn one_file_key_over_two_payloads_never_repeats_a_keystream() {
    let (one, two) = (seal(&[0; 32_768]), seal(&[1; 32_768]));
    assert_ne!(one.bytes()[..NONCE_LEN], two.bytes()[..NONCE_LEN]);
    let difference = |at: usize| one.bytes()[at] ^ two.bytes()[at];
    assert!((NONCE_LEN..NONCE_LEN + 64).any(|at| difference(at) != 1));
}

#[test]
fn a_block_with_another_nonce_than_sealing_gives_does_not_open() {
    let keys = block_keys(&key(1), &layout(), 0);
    let (encryption_key, _) = derivation::split_keys(&keys);
    let mut forged = vec![9; NONCE_LEN];
    padding::append(&mut forged, b"payload", 7, CONTENT_PAYLOAD_MAX);
    let tag = ChaCha20Poly1305::new(encryption_key.into())
        .encrypt_inout_detached(
            &Nonce::from([9; NONCE_LEN]),
            b"",
            forged.split_at_mut(NONCE_LEN).1.into(),
        )
        .unwrap();
    forged.extend_from_slice(&tag);
    let block = VerifiedBlock::sealed_content(Bytes::from(forged));
    assert_eq!(
        open_content(&key(1), &layout(), 0, &block),
        Err(OpenError::Malformed)
    );
}

#[test]
fn a_key_opens_its_own_block_only() {
    let extra = ContentExtra {
        is_metadata: true,
        codec: Codec::Zstd,
    };
    let (content_key, block) = ContentKey::seal(key(1), extra, b"payload").unwrap();
    assert_eq!(content_key.open(&block).unwrap(), b"payload");
    let (_, other) = ContentKey::seal(key(1), extra, b"other").unwrap();
    assert_eq!(content_key.open(&other), Err(OpenError::OtherBlock));
    let other_extra = ContentKey {
        extra: ContentExtra::default(),
        ..content_key
    };
    assert_eq!(other_extra.open(&block), Err(OpenError::Sealed));
}

#[test]
fn a_signed_block_is_no_content_block() {
    let secret = SubspaceSecret::from_parts(&[1; 32], &[2; 32]);
    let signed = secret.seal("name", b"payload").unwrap();
    assert_eq!(
        open_content(&key(1), &layout(), 0, &signed),
        Err(OpenError::OtherBlock)
    );
    let signed_key = SignedKey {
        subspace: secret.public().clone(),
        name: "name".to_owned(),
    };
    assert_eq!(
        signed_key.open(&seal(b"payload")),
        Err(OpenError::OtherBlock)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sealing_is_deterministic_and_hides_the_payload(payload in prop::collection::vec(any::<u8>(), 16..2048), index: u64) {
        let block = seal_content(&key(1), &layout(), index, &payload).unwrap();
        prop_assert_eq!(&seal_content(&key(1), &layout(), index, &payload).unwrap(), &block);
        prop_assert!(!block.bytes().windows(16).any(|window| window == &payload[..16]));
        prop_assert_eq!(open_content(&key(1), &layout(), index, &block).unwrap(), payload);
    }

    #[test]
    fn a_flipped_bit_does_not_open_even_under_its_own_hash(at in 0..CONTENT_BLOCK_LEN, bit in 0..8_u32) {
        let mut bytes = seal(b"payload").bytes().to_vec();
        bytes[at] ^= 1 << bit;
        let block = VerifiedBlock::sealed_content(Bytes::from(bytes));
        prop_assert_eq!(open_content(&key(1), &layout(), 0, &block), Err(OpenError::Sealed));
    }
}
