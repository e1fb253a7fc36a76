//! Documents under a phrase (KSK).
//!
//! Whoever knows the phrase can read the document and can also write it first: there is no publisher to trust. The phrase
//! passes a memory-hard function so that trying a dictionary of phrases costs 64 MiB and a noticeable time for each.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use crate::derivation;
use crate::signed::SignedKey;
use crate::subspace::SubspaceSecret;

/// A phrase that names a document.
#[derive(Clone, PartialEq, Eq)]
pub struct KeywordKey {
    /// The phrase, compared byte for byte.
    pub phrase: String,
}

impl KeywordKey {
    /// The subspace that belongs to the phrase; its document [`KEYWORD_DOCUMENT_NAME`] is meant. Takes about a tenth of a
    /// second and 64 MiB: call it from a thread that may block.
    #[must_use]
    pub fn signing_key(&self) -> SubspaceSecret {
        let material = self.material();
        let (seed, crypto_key) = derivation::split_keys(&material);
        SubspaceSecret::from_parts(seed, crypto_key)
    }

    /// The key to read the phrase's document with. As slow as [`signing_key`](Self::signing_key).
    #[must_use]
    pub fn signed_key(&self) -> SignedKey {
        SignedKey {
            subspace: self.signing_key().public().clone(),
            name: KEYWORD_DOCUMENT_NAME.to_owned(),
        }
    }

    /// What enters the memory-hard function: of one length whatever the phrase, so that nothing about it can be refused.
    pub(crate) fn password(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(derivation::derive(
            derivation::KEYWORD_PHRASE,
            &[self.phrase.as_bytes()],
        ))
    }

    /// Seed and crypto key.
    pub(crate) fn material(&self) -> Zeroizing<[u8; 64]> {
        let password = self.password();
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(64))
            .expect("constants within Argon2's limits");
        let mut material = Zeroizing::new([0; 64]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_ref(), SALT, material.as_mut())
            .expect("password, salt and output have fixed lengths within Argon2's limits");
        material
    }
}

impl std::fmt::Debug for KeywordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeywordKey([redacted])")
    }
}

/// Name of the one document in the subspace of a phrase.
pub const KEYWORD_DOCUMENT_NAME: &str = "keyword";

// RFC 9106, section 4: the second recommended choice (64 MiB, 3 passes) for places where memory is scarce, as a node that
// also serves others is. One lane instead of four: the derivation runs on one thread here, and more lanes would help only
// an attacker with more threads.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// The same for everybody: a phrase must lead every node to the same key.
const SALT: &[u8] = b"warren 2026 keyword key v1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_names_what_was_sealed_under_it() {
        let secret = KeywordKey {
            phrase: "grüße@home".to_owned(),
        }
        .signing_key();
        let block = secret.seal(KEYWORD_DOCUMENT_NAME, b"hello").unwrap();
        let key = SignedKey {
            subspace: secret.public().clone(),
            name: KEYWORD_DOCUMENT_NAME.to_owned(),
        };
        assert_eq!(key.open(&block).unwrap(), b"hello");
    }

    #[test]
    fn the_phrase_does_not_show_in_debug_output() {
        let key = KeywordKey {
            phrase: "word".to_owned(),
        };
        assert_eq!(format!("{key:?}"), "KeywordKey([redacted])");
    }
}
