//! A signing key of its own for every document of a subspace.
//!
//! From the subspace's public key A, its crypto key C and the document's name d, publisher and reader derive
//! D = H(A, C, d) and from it a scalar t. The document's key pair is a' = t·a and A' = t·A. Whoever does not know C and d
//! cannot connect A' with A, nor one document with another; Tor's onion services (version 3) hide their keys the same way.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, Zeroizing};

use crate::derivation;

/// What publisher and reader of one document have in common.
pub(crate) struct Document {
    /// D.
    pub(crate) value: Zeroizing<[u8; 32]>,
    /// t.
    pub(crate) blinding: Scalar,
    /// A' = t·A in its canonical encoding.
    pub(crate) public_key: VerifyingKey,
}

impl Document {
    /// Derives the document `name` of the subspace with public key `public` (encoded as `public_bytes`).
    pub(crate) fn new(
        public: &EdwardsPoint,
        public_bytes: &[u8; 32],
        crypto_key: &[u8; 32],
        name: &str,
    ) -> Self {
        let parts: [&[u8]; 3] = [public_bytes, crypto_key, name.as_bytes()];
        let value = Zeroizing::new(derivation::derive(derivation::SIGNED_DOCUMENT, &parts));
        let wide = Zeroizing::new(derivation::derive_bytes(
            derivation::SIGNED_BLINDING,
            &[value.as_ref()],
        ));
        let blinding = Scalar::from_bytes_mod_order_wide(&wide);
        let public_key = VerifyingKey::from(public * blinding);
        Self {
            value,
            blinding,
            public_key,
        }
    }

    /// Signs with a' = t·a.
    pub(crate) fn sign(&self, seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
        let key = ExpandedSecretKey {
            scalar: self.blinding * secret_scalar(seed).scalar,
            hash_prefix: self.nonce_prefix(seed),
        };
        raw_sign::<Sha512>(&key, message, &self.public_key).to_bytes()
    }

    /// Every document has its own nonce prefix, derived from the seed and D: were the seed's own prefix used under several
    /// keys, one message signed under two of them would give away the secret scalar.
    pub(crate) fn nonce_prefix(&self, seed: &[u8; 32]) -> [u8; 32] {
        derivation::derive(
            derivation::SIGNED_NONCE_PREFIX,
            &[seed, self.value.as_ref()],
        )
    }

    /// 32 bytes to encrypt the document with, 32 bytes to make the nonce with.
    pub(crate) fn block_keys(&self, crypto_key: &[u8; 32]) -> Zeroizing<[u8; 64]> {
        let parts: [&[u8]; 2] = [crypto_key, self.value.as_ref()];
        Zeroizing::new(derivation::derive_bytes(
            derivation::SIGNED_BLOCK_KEYS,
            &parts,
        ))
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        self.blinding.zeroize();
    }
}

/// The expanded secret key of a seed (RFC 8032, 5.1.5): its scalar is a.
pub(crate) fn secret_scalar(seed: &[u8; 32]) -> ExpandedSecretKey {
    let mut expanded: [u8; 64] = Sha512::digest(seed).into();
    let key = ExpandedSecretKey::from_bytes(&expanded);
    expanded.zeroize();
    key
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;

    use super::*;
    use crate::subspace::SubspaceSecret;

    const SEED: [u8; 32] = [7; 32];

    fn document(name: &str) -> Document {
        let secret = SubspaceSecret::from_parts(&SEED, &[8; 32]);
        let subspace = secret.public();
        Document::new(
            subspace.point(),
            subspace.public(),
            subspace.crypto_key(),
            name,
        )
    }

    #[test]
    fn the_readers_public_key_belongs_to_the_publishers_secret() {
        let document = document("name");
        let secret = document.blinding * secret_scalar(&SEED).scalar;
        assert_eq!(
            document.public_key.to_edwards(),
            ED25519_BASEPOINT_POINT * secret
        );
    }

    #[test]
    fn a_blinded_signature_passes_the_ordinary_strict_check() {
        let document = document("name");
        let signature = ed25519_dalek::Signature::from_bytes(&document.sign(&SEED, b"message"));
        assert!(
            document
                .public_key
                .verify_strict(b"message", &signature)
                .is_ok()
        );
        assert!(
            document
                .public_key
                .verify_strict(b"massage", &signature)
                .is_err()
        );
    }

    #[test]
    fn one_message_under_two_documents_has_two_nonces() {
        let one = document("one").sign(&SEED, b"message");
        let two = document("two").sign(&SEED, b"message");
        assert_ne!(one[..32], two[..32]);
        assert_eq!(one, document("one").sign(&SEED, b"message"));
    }

    #[test]
    fn public_key_crypto_key_and_name_all_change_the_document() {
        let (a, b) = (
            SubspaceSecret::from_parts(&[1; 32], &[2; 32]),
            SubspaceSecret::from_parts(&[2; 32], &[2; 32]),
        );
        let value = |secret: &SubspaceSecret, crypto_key: [u8; 32], name: &str| {
            *Document::new(
                secret.public().point(),
                secret.public().public(),
                &crypto_key,
                name,
            )
            .value
        };
        let values = [
            value(&a, [2; 32], "n"),
            value(&b, [2; 32], "n"),
            value(&a, [3; 32], "n"),
            value(&a, [2; 32], "m"),
        ];
        for (i, one) in values.iter().enumerate() {
            assert!(values[i + 1..].iter().all(|other| other != one));
        }
    }
}
