use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const NAME: &str = "site-1";

fn secret() -> SubspaceSecret {
    SubspaceSecret::from_parts(&[1; 32], &[2; 32])
}

fn key(name: &str) -> SignedKey {
    SignedKey {
        subspace: secret().public().clone(),
        name: name.to_owned(),
    }
}

#[test]
fn every_length_of_payload_gives_a_block_of_one_length_and_comes_back() {
    for len in [0, 1, 1_023, 1_024] {
        let payload = vec![0xcd; len];
        let block = secret().seal(NAME, &payload).unwrap();
        assert_eq!(block.bytes().len(), SIGNED_BLOCK_LEN);
        assert_eq!(key(NAME).block_key(), block.key());
        assert_eq!(key(NAME).open(&block).unwrap(), payload);
        assert_eq!(
            VerifiedBlock::verify(block.key(), block.bytes().clone()),
            Ok(block)
        );
    }
}

#[test]
fn a_payload_beyond_the_maximum_is_refused() {
    let too_long = PayloadTooLong {
        len: 1_025,
        max: 1_024,
    };
    assert_eq!(
        secret().seal(NAME, &[0; 1_025]),
        Err(SealError::PayloadTooLong(too_long))
    );
}

#[test]
fn another_name_or_subspace_does_not_open_the_block() {
    let block = secret().seal(NAME, b"payload").unwrap();
    assert_eq!(key("site-2").open(&block), Err(OpenError::OtherBlock));
    let other = SubspaceSecret::from_parts(&[1; 32], &[3; 32]);
    let other_key = SignedKey {
        subspace: other.public().clone(),
        name: NAME.to_owned(),
    };
    assert_eq!(other_key.open(&block), Err(OpenError::OtherBlock));
}

#[test]
fn two_payloads_of_a_document_share_the_key_but_not_the_nonce() {
    let (one, two) = (
        secret().seal(NAME, b"one").unwrap(),
        secret().seal(NAME, b"two").unwrap(),
    );
    assert_eq!(one.key(), two.key());
    let nonce = POINT_LEN + SIGNATURE_LEN..POINT_LEN + SIGNATURE_LEN + SIGNED_NONCE_LEN;
    assert_ne!(one.bytes()[nonce.clone()], two.bytes()[nonce]);
}

#[test]
fn a_well_signed_block_of_garbage_does_not_open() {
    let document = key(NAME).document();
    let public_key = document.public_key.as_bytes();
    let garbage = [5; SIGNED_BLOCK_LEN - POINT_LEN - SIGNATURE_LEN];
    let signature = document.sign(secret().seed(), &signed_digest(&garbage));
    let bytes = Bytes::from([public_key.as_slice(), &signature, &garbage].concat());
    let block = VerifiedBlock::verify(key(NAME).block_key(), bytes).unwrap();
    assert_eq!(key(NAME).open(&block), Err(OpenError::Sealed));
}

#[test]
fn no_debug_output_shows_secret_or_name() {
    let text = format!("{:?} {:?} {:?}", secret(), secret().public(), key(NAME));
    assert_eq!(
        text,
        "SubspaceSecret([redacted]) SubspaceKey([redacted]) SignedKey([redacted])"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Eight equal bytes at any two places would be a coincidence of 1 in 10^13.
    #[test]
    fn two_documents_of_one_subspace_share_no_visible_value(
        payload in prop::collection::vec(any::<u8>(), 0..1024),
        one in "[a-z]{1,8}-[0-9]",
        two in "[a-z]{1,8}-[0-9]",
    ) {
        prop_assume!(one != two);
        let secret = secret();
        let (first, second) = (secret.seal(&one, &payload).unwrap(), secret.seal(&two, &payload).unwrap());
        let visible = |block: &VerifiedBlock| [block.bytes(), block.key().routing_key.as_bytes().as_slice()].concat();
        let known: BTreeSet<Vec<u8>> = visible(&first).windows(8).map(<[u8]>::to_vec).collect();
        prop_assert!(!visible(&second).windows(8).any(|window| known.contains(window)));
        for of_subspace in [secret.public().public(), secret.public().crypto_key()] {
            prop_assert!(!of_subspace.windows(8).any(|window| known.contains(window)));
        }
    }

    #[test]
    fn equal_payloads_give_equal_blocks(payload in prop::collection::vec(any::<u8>(), 0..1024), name in "\\PC*") {
        let block = secret().seal(&name, &payload).unwrap();
        prop_assert_eq!(&secret().seal(&name, &payload).unwrap(), &block);
        prop_assert_eq!(key(&name).open(&block).unwrap(), payload);
    }
}
