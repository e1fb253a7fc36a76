//! Who a node is: an Ed25519 key pair.

use std::fmt;
use std::str::FromStr;

use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::base64::{self, InvalidBase64};
use crate::derivation::{self, fraction};
use crate::point::{InvalidPoint, checked_point};

/// A node's public key: canonical and of prime order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; 32]);

/// Text or bytes that name no node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNodeId {
    /// The text is not 43 characters of base64.
    #[error(
        "the node identity is damaged or incomplete: {0}; copy it again from the node that it names"
    )]
    Text(#[from] InvalidBase64),
    /// The bytes are not a public key.
    #[error("the node identity is damaged: {0}; copy it again from the node that it names")]
    Point(#[from] InvalidPoint),
}

/// A node's secret key. Wiped when dropped.
#[derive(Clone)]
pub struct Identity {
    signing_key: SigningKey,
    id: NodeId,
}

/// An Ed25519 signature by a node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

/// A signature that does not belong to this message, domain and node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not by this node for this message")]
pub struct BadSignature;

impl Identity {
    /// A fresh identity.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        Self::from_seed(&seed)
    }

    /// The identity with this 32-byte seed (RFC 8032's private key).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let signing_key = SigningKey::from_bytes(seed);
        let id = NodeId(signing_key.verifying_key().to_bytes());
        Self { signing_key, id }
    }

    /// The seed, to be kept on disk where only the owner can read it.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.signing_key.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.id
    }

    /// Signs `message` for one purpose; a signature for another `domain` never verifies.
    ///
    /// # Panics
    /// When `domain` is longer than 255 bytes, which a constant of the program is not.
    #[must_use]
    pub fn sign(&self, domain: &'static str, message: &[u8]) -> Signature {
        Signature(
            self.signing_key
                .sign(&signed_text(domain, message))
                .to_bytes(),
        )
    }

    /// The secret scalar (RFC 8032's, before reduction), which is also the secret of an X25519 key pair.
    pub(crate) fn scalar_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.signing_key.to_scalar_bytes())
    }

    /// The secret key in PKCS #8 version 1 (RFC 8410), as TLS libraries read it.
    #[must_use]
    pub fn pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        let mut der = Zeroizing::new(Vec::with_capacity(PKCS8_HEAD.len() + 32));
        der.extend_from_slice(&PKCS8_HEAD);
        der.extend_from_slice(self.seed().as_ref());
        der
    }
}

impl NodeId {
    /// Reads a public key.
    ///
    /// # Errors
    /// When the bytes are not the canonical encoding of a point of prime order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, InvalidNodeId> {
        checked_point(&bytes)?;
        Ok(Self(bytes))
    }

    /// Wraps the encoding of a point that was checked already.
    pub(crate) const fn from_checked(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the public key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The same key in the form that X25519 computes with.
    pub(crate) fn montgomery(&self) -> MontgomeryPoint {
        CompressedEdwardsY(self.0)
            .decompress()
            .expect("a node identity is a checked point")
            .to_montgomery()
    }

    /// The node's position on the ring in [0, 1), bound to its key so that nobody can choose a position freely.
    #[must_use]
    pub fn location(&self) -> f64 {
        fraction(&derivation::derive(derivation::NODE_LOCATION, &[&self.0]))
    }

    /// Checks a signature made by [`Identity::sign`] with the same domain.
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
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| BadSignature)?;
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        key.verify_strict(&signed_text(domain, message), &signature)
            .map_err(|_| BadSignature)
    }
}

impl Signature {
    /// Wraps the 64 bytes of a signature that is still to be checked.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// What is really signed. TLS signs with the same key; its texts begin with 64 spaces (RFC 8446, 4.4.3), ours never do.
pub(crate) fn signed_text(domain: &'static str, message: &[u8]) -> Vec<u8> {
    let domain_len =
        u8::try_from(domain.len()).expect("a domain is a short constant of the program");
    let mut text = Vec::with_capacity(SIGNED_TEXT_HEAD.len() + 1 + domain.len() + message.len());
    text.extend_from_slice(SIGNED_TEXT_HEAD);
    text.push(domain_len);
    text.extend_from_slice(domain.as_bytes());
    text.extend_from_slice(message);
    text
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("id", &self.id)
            .field("secret", &"[redacted]")
            .finish()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        base64::display(&self.0).fmt(f)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

impl FromStr for NodeId {
    type Err = InvalidNodeId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_bytes(base64::decode(text)?)
    }
}

/// As text (43 characters) in formats for people, as 32 bytes elsewhere.
impl Serialize for NodeId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse()
        } else {
            Self::from_bytes(<[u8; 32]>::deserialize(deserializer)?)
        };
        id.map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", base64::display(&self.0))
    }
}

#[cfg(test)]
impl Identity {
    /// Has the secret of `self` and claims to be `id`.
    pub(crate) fn claiming(self, id: NodeId) -> Self {
        Self { id, ..self }
    }
}

/// Begins everything that an identity signs outside TLS.
const SIGNED_TEXT_HEAD: &[u8] = b"warren node signature v1\0";

/// DER before the 32-byte seed: SEQUENCE, version 0, algorithm 1.3.101.112 (Ed25519), OCTET STRING in OCTET STRING.
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    fn identity(seed: u8) -> Identity {
        Identity::from_seed(&[seed; 32])
    }

    #[test]
    fn a_signature_holds_for_its_node_domain_and_message_only() {
        let signature = identity(1).sign("test", b"message");
        assert_eq!(
            identity(1).id().verify("test", b"message", &signature),
            Ok(())
        );
        assert_eq!(
            identity(2).id().verify("test", b"message", &signature),
            Err(BadSignature)
        );
        assert_eq!(
            identity(1).id().verify("tes", b"tmessage", &signature),
            Err(BadSignature)
        );
        assert_eq!(
            identity(1).id().verify("test", b"massage", &signature),
            Err(BadSignature)
        );
    }

    #[test]
    fn a_generated_identity_survives_its_seed() {
        let identity = Identity::generate(&mut ChaCha20Rng::from_seed([3; 32]));
        assert_eq!(Identity::from_seed(&identity.seed()).id(), identity.id());
    }

    #[test]
    fn an_id_survives_text_and_json() {
        let id = identity(4).id();
        assert_eq!(id.to_string().len(), 43);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(
            serde_json::from_str::<NodeId>(&serde_json::to_string(&id).unwrap()).unwrap(),
            id
        );
    }

    #[test]
    fn points_of_small_order_are_no_identity() {
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert_eq!(
            NodeId::from_bytes(neutral),
            Err(InvalidNodeId::Point(InvalidPoint::OutsidePrimeOrderGroup))
        );
        let text = base64::display(&neutral).to_string();
        assert!(serde_json::from_str::<NodeId>(&format!("\"{text}\"")).is_err());
        assert!(postcard::from_bytes::<NodeId>(&neutral).is_err());
        let id = identity(4).id();
        assert_eq!(postcard::from_bytes(id.as_bytes()), Ok(id));
    }

    #[test]
    fn the_secret_does_not_show_in_debug_output() {
        let identity = identity(5);
        let text = format!("{identity:?}");
        assert!(text.contains("[redacted]"));
        assert!(!text.contains(&base64::display(identity.seed().as_ref()).to_string()));
    }

    #[test]
    fn the_pkcs8_form_is_48_bytes_that_end_in_the_seed() {
        let der = identity(6).pkcs8_der();
        assert_eq!(der.len(), 48);
        assert!(der.ends_with(&[6; 32]));
    }

    proptest::proptest! {
        #[test]
        fn any_text_or_bytes_are_an_id_or_an_error(text in "\\PC*", bytes: [u8; 32]) {
            let _ = text.parse::<NodeId>();
            if let Ok(id) = NodeId::from_bytes(bytes) {
                proptest::prop_assert_eq!(id.as_bytes(), &bytes);
                proptest::prop_assert!((0.0..1.0).contains(&id.location()));
            }
        }
    }
}
