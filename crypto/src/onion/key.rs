//! The key by which a node is known as a relay, apart from its identity.

use std::fmt;

use curve25519_dalek::montgomery::MontgomeryPoint;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::identity::{BadSignature, Identity, NodeId, Signature};
use crate::onion::handshake::agree;
use crate::point::{InvalidPoint, checked_point};

/// A relay's public key for some days: canonical and of prime order.
///
/// Reading one costs about as much as checking a signature. Whoever keeps long lists can keep the 32 bytes and check those
/// that it uses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OnionKey(NodeId);

/// The secret half of an [`OnionKey`]. Random: nothing ties it to the node's identity. Wiped when dropped.
///
/// One pair both signs (Ed25519) and agrees on keys (X25519 over the same curve in its other form). Thormarker ("On using the
/// same key pair for Ed25519 and an X25519 based KEM", 2021) shows that neither use weakens the other, provided that the
/// agreement hashes its public keys, as ours does.
#[derive(Clone)]
pub struct OnionSecret(Identity);

impl OnionSecret {
    /// A fresh secret.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(Identity::generate(rng))
    }

    /// The secret with this 32-byte seed (RFC 8032's private key).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Identity::from_seed(seed))
    }

    /// The seed, to be kept on disk where only the owner can read it.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        self.0.seed()
    }

    /// The public half.
    #[must_use]
    pub const fn key(&self) -> OnionKey {
        OnionKey(self.0.id())
    }

    /// Signs `message` for one purpose; a signature for another `domain` never verifies.
    ///
    /// # Panics
    /// When `domain` is longer than 255 bytes, which a constant of the program is not.
    #[must_use]
    pub fn sign(&self, domain: &'static str, message: &[u8]) -> Signature {
        self.0.sign(domain, message)
    }

    /// The X25519 secret shared with the owner of `theirs`.
    pub(super) fn agree(&self, theirs: MontgomeryPoint) -> Zeroizing<[u8; 32]> {
        agree(&self.0.scalar_bytes(), theirs)
    }
}

impl OnionKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// When the bytes are not the canonical encoding of a point of prime order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, InvalidPoint> {
        checked_point(&bytes)?;
        Ok(Self(NodeId::from_checked(bytes)))
    }

    /// The 32 bytes of the public key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Checks a signature made by [`OnionSecret::sign`] with the same domain.
    ///
    /// # Errors
    /// When the signature is by another key, for another message or domain, or not strictly encoded.
    ///
    /// # Panics
    /// When `domain` is longer than 255 bytes, which a constant of the program is not.
    pub fn verify(
        &self,
        domain: &'static str,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        self.0.verify(domain, message, signature)
    }

    /// The same key as X25519 has it.
    pub(super) fn montgomery(&self) -> MontgomeryPoint {
        self.0.montgomery()
    }
}

impl fmt::Display for OnionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for OnionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OnionKey({self})")
    }
}

impl fmt::Debug for OnionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnionSecret")
            .field("key", &self.key())
            .field("secret", &"[redacted]")
            .finish()
    }
}

#[cfg(test)]
impl OnionSecret {
    /// Has the secret of `self` and claims the key of another.
    pub(super) fn claiming(self, key: OnionKey) -> Self {
        Self(self.0.claiming(key.0))
    }
}
