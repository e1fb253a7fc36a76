use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use proptest::prelude::*;
use sha2::{Digest, Sha512};

use super::*;
use crate::blinding::secret_scalar;
use crate::file_key::FileKey;
use crate::layout::Layout;
use crate::seal::seal_content;
use crate::subspace::SubspaceSecret;

fn content_block() -> VerifiedBlock {
    seal_content(
        &FileKey::from_bytes([1; 32]),
        &Layout::splitfile(b""),
        0,
        b"payload",
    )
    .unwrap()
}

fn signed_block() -> VerifiedBlock {
    SubspaceSecret::from_parts(&[1; 32], &[2; 32])
        .seal("name", b"payload")
        .unwrap()
}

fn verify_as(block: &VerifiedBlock, bytes: Vec<u8>) -> Result<VerifiedBlock, BlockError> {
    VerifiedBlock::verify(block.key(), Bytes::from(bytes))
}

#[test]
fn sealed_blocks_verify_under_their_own_key_only() {
    let (content, signed) = (content_block(), signed_block());
    assert_eq!(
        verify_as(&content, content.bytes().to_vec()).as_ref(),
        Ok(&content)
    );
    assert_eq!(
        verify_as(&signed, signed.bytes().to_vec()).as_ref(),
        Ok(&signed)
    );
    for block in [content, signed] {
        let routing_key = RoutingKey::from_bytes([0; 32]);
        let other = BlockKey {
            routing_key,
            ..block.key()
        };
        assert_eq!(
            VerifiedBlock::verify(other, block.bytes().clone()),
            Err(BlockError::Hash)
        );
    }
}

#[test]
fn every_other_length_is_refused() {
    for block in [content_block(), signed_block()] {
        let bytes = block.bytes();
        for bad in [
            Vec::new(),
            bytes[1..].to_vec(),
            [bytes.as_ref(), &[0]].concat(),
        ] {
            assert!(matches!(
                verify_as(&block, bad),
                Err(BlockError::Length { .. })
            ));
        }
    }
}

#[test]
fn a_flipped_bit_in_any_byte_of_a_signed_block_is_refused() {
    let block = signed_block();
    for at in 0..SIGNED_BLOCK_LEN {
        let mut bytes = block.bytes().to_vec();
        bytes[at] ^= 1 << (at % 8);
        assert!(verify_as(&block, bytes).is_err(), "byte {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_flipped_bit_of_a_content_block_is_refused(at in 0..CONTENT_BLOCK_LEN, bit in 0..8_u32) {
        let block = content_block();
        let mut bytes = block.bytes().to_vec();
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(verify_as(&block, bytes), Err(BlockError::Hash));
    }

    #[test]
    fn any_bytes_are_an_error(head in prop::collection::vec(any::<u8>(), 0..200), key: [u8; 32]) {
        for (kind, len) in [(BlockKind::Content, CONTENT_BLOCK_LEN), (BlockKind::Signed, SIGNED_BLOCK_LEN)] {
            let mut bytes = head.clone();
            bytes.resize(len, 0);
            let key = BlockKey { kind, routing_key: RoutingKey::from_bytes(key) };
            prop_assert!(VerifiedBlock::verify(key, Bytes::from(bytes)).is_err());
            prop_assert!(VerifiedBlock::verify(key, Bytes::from(head.clone())).is_err());
        }
    }
}

/// A block whose routing key fits its public key, signed so that the equation of verification holds for `public`
/// whenever it can: what a publisher who chooses points freely can do.
fn crafted(public: EdwardsPoint, secret: Scalar) -> (BlockKey, Bytes) {
    let sealed = [3; SIGNED_BLOCK_LEN - POINT_LEN - SIGNATURE_LEN];
    let public = public.compress().to_bytes();
    let message = signed_digest(&sealed);
    // Signatures are drawn until k·torsion vanishes, which happens within a few tries.
    for nonce in 1..=64_u64 {
        let nonce = Scalar::from(nonce);
        let commitment = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
        let hash = Sha512::new()
            .chain_update(commitment)
            .chain_update(public)
            .chain_update(message)
            .finalize();
        let challenge = Scalar::from_bytes_mod_order_wide(&hash.into());
        let signature = [commitment, (nonce + challenge * secret).to_bytes()].concat();
        let key = VerifyingKey::from_bytes(&public).unwrap();
        let parsed = ed25519_dalek::Signature::from_slice(&signature).unwrap();
        if nonce == Scalar::from(64_u64)
            || ed25519_dalek::Verifier::verify(&key, &message, &parsed).is_ok()
        {
            let block = [public.as_slice(), &signature, &sealed].concat();
            let key = BlockKey {
                kind: BlockKind::Signed,
                routing_key: signed_routing_key(&public),
            };
            return (key, Bytes::from(block));
        }
    }
    unreachable!("the last round returns")
}

#[test]
fn a_crafted_block_with_a_good_point_verifies_so_the_next_tests_mean_something() {
    let secret = secret_scalar(&[1; 32]).scalar;
    let (key, bytes) = crafted(EdwardsPoint::mul_base(&secret), secret);
    assert!(VerifiedBlock::verify(key, bytes).is_ok());
}

#[test]
fn a_public_key_with_torsion_is_refused_whatever_its_signature() {
    let secret = secret_scalar(&[1; 32]).scalar;
    for torsion in EIGHT_TORSION.into_iter().skip(1) {
        let (key, bytes) = crafted(EdwardsPoint::mul_base(&secret) + torsion, secret);
        let refused = BlockError::Point(InvalidPoint::OutsidePrimeOrderGroup);
        assert_eq!(VerifiedBlock::verify(key, bytes), Err(refused));
    }
}

#[test]
fn a_public_key_of_small_order_is_refused_whatever_its_signature() {
    for point in EIGHT_TORSION {
        let (key, bytes) = crafted(point, Scalar::ZERO);
        let refused = BlockError::Point(InvalidPoint::OutsidePrimeOrderGroup);
        assert_eq!(VerifiedBlock::verify(key, bytes), Err(refused));
    }
}

#[test]
fn a_second_spelling_of_the_signature_is_refused() {
    let block = signed_block();
    let mut bytes = block.bytes().to_vec();
    // S + l passes a verifier that reduces S.
    let order: [u8; 32] = (-Scalar::ONE).to_bytes();
    let mut carry = 1_u16;
    for (byte, order_byte) in bytes[64..96].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(order_byte) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(verify_as(&block, bytes), Err(BlockError::Signature));
}

#[test]
fn debug_output_shows_no_bytes() {
    let text = format!("{:?}", signed_block());
    assert!(text.starts_with("VerifiedBlock { key: BlockKey"), "{text}");
    assert!(text.len() < 150, "{text}");
}
