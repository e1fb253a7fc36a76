//! Subspaces: the key pair behind all documents of one publisher's SSK or USK.

use std::fmt;

use curve25519_dalek::edwards::EdwardsPoint;
use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::base64;
use crate::layout::ALGORITHM;
use crate::point::{InvalidPoint, checked_point};

/// What a reader of a subspace has (`P,C`): the public key and the key that opens the documents.
#[derive(Clone)]
pub struct SubspaceKey {
    public: [u8; 32],
    point: EdwardsPoint,
    crypto_key: CryptoKey,
}

/// What the publisher of a subspace has: the seed of the key pair and the key that opens the documents. Wiped when dropped.
#[derive(Clone)]
pub struct SubspaceSecret {
    seed: Zeroizing<[u8; 32]>,
    public: SubspaceKey,
}

impl SubspaceKey {
    /// The subspace with public key P and crypto key C.
    ///
    /// # Errors
    /// When P is not the canonical encoding of a point of prime order.
    pub fn from_parts(public: [u8; 32], crypto_key: [u8; 32]) -> Result<Self, InvalidPoint> {
        Ok(Self {
            public,
            point: checked_point(&public)?,
            crypto_key: CryptoKey(crypto_key),
        })
    }

    /// P.
    #[must_use]
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// C: whoever has it (and P and a name) can read the document.
    #[must_use]
    pub const fn crypto_key(&self) -> &[u8; 32] {
        &self.crypto_key.0
    }

    /// `SSK@P,C,E/`, to which a document's name is appended.
    #[must_use]
    pub fn request_uri_string(&self) -> String {
        let mut text = String::with_capacity(SUBSPACE_URI_LEN);
        self.append_uri(&mut text, "SSK");
        text.push('/');
        text
    }

    /// Appends `TYPE@P,C,E`.
    pub(crate) fn append_uri(&self, text: &mut String, kind: &str) {
        append_uri(text, kind, &self.public, self.crypto_key(), REQUEST_EXTRA);
    }

    /// P as a point.
    pub(crate) const fn point(&self) -> &EdwardsPoint {
        &self.point
    }
}

impl SubspaceSecret {
    /// A fresh subspace.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        let mut crypto_key = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        rng.fill_bytes(crypto_key.as_mut());
        Self::from_parts(&seed, &crypto_key)
    }

    /// The subspace with this seed (RFC 8032's private key) and crypto key.
    #[must_use]
    pub fn from_parts(seed: &[u8; 32], crypto_key: &[u8; 32]) -> Self {
        let verifying_key = SigningKey::from_bytes(seed).verifying_key();
        let public = SubspaceKey {
            public: verifying_key.to_bytes(),
            point: verifying_key.to_edwards(),
            crypto_key: CryptoKey(*crypto_key),
        };
        Self {
            seed: Zeroizing::new(*seed),
            public,
        }
    }

    /// The readers' half.
    #[must_use]
    pub const fn public(&self) -> &SubspaceKey {
        &self.public
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// `SSK@s,C,E/`, to which a document's name is appended. Secret.
    #[must_use]
    pub fn insert_uri_string(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(SUBSPACE_URI_LEN));
        self.append_uri(&mut text, "SSK");
        text.push('/');
        text
    }

    /// Appends `TYPE@s,C,E`.
    pub(crate) fn append_uri(&self, text: &mut String, kind: &str) {
        append_uri(
            text,
            kind,
            &self.seed,
            self.public.crypto_key(),
            INSERT_EXTRA,
        );
    }
}

fn append_uri(
    text: &mut String,
    kind: &str,
    first: &[u8; 32],
    crypto_key: &[u8; 32],
    extra: [u8; 5],
) {
    text.push_str(kind);
    text.push('@');
    base64::append(text, first);
    text.push(',');
    base64::append(text, crypto_key);
    text.push(',');
    base64::append(text, &extra);
}

impl PartialEq for SubspaceKey {
    fn eq(&self, other: &Self) -> bool {
        (self.public.ct_eq(&other.public) & self.crypto_key.0.ct_eq(&other.crypto_key.0)).into()
    }
}

impl Eq for SubspaceKey {}

impl PartialEq for SubspaceSecret {
    fn eq(&self, other: &Self) -> bool {
        self.seed.ct_eq(other.seed.as_ref()).into() && self.public == other.public
    }
}

impl Eq for SubspaceSecret {}

impl fmt::Debug for SubspaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubspaceKey([redacted])")
    }
}

impl fmt::Debug for SubspaceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubspaceSecret([redacted])")
    }
}

/// C.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct CryptoKey([u8; 32]);

/// Extra bytes of a key to read with, in Freenet's layout: 1, read or insert, algorithm, 0, 1.
pub(crate) const REQUEST_EXTRA: [u8; 5] = [1, 0, ALGORITHM, 0, 1];
/// Extra bytes of a key to publish with.
pub(crate) const INSERT_EXTRA: [u8; 5] = [1, 1, ALGORITHM, 0, 1];

/// `SSK@`, two times 43 characters, 7 characters, two commas and a slash: a secret is never left behind by a buffer that grows.
const SUBSPACE_URI_LEN: usize = 4 + 43 + 1 + 43 + 1 + 7 + 1;
