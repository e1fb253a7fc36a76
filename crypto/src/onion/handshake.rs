//! Agreement on keys between an originator and one relay.
//!
//! The relay proves that it has its onion key, the originator proves nothing. Both halves of the agreement, X25519 and
//! ML-KEM-768, use keys made for this one circuit, so an onion key that becomes known later opens nothing recorded before.

use std::fmt;

use curve25519_dalek::montgomery::MontgomeryPoint;
use ml_kem::ml_kem_768::{Ciphertext, DecapsulationKey, EncapsulationKey};
use ml_kem::{Decapsulate, Encapsulate, Key, KeyExport, Seed};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::derivation;
use crate::onion::cell::SharedKeys;
use crate::onion::circuit::HopKeys;
use crate::onion::key::{OnionKey, OnionSecret};
use crate::onion::relay::RelayKeys;

/// Bytes of what the originator sends: the onion key meant, an X25519 key, an ML-KEM-768 key. Fits a control cell.
pub const CREATE_LEN: usize = 32 + 32 + ENCAPSULATION_KEY_LEN;
/// Bytes of the relay's answer: an X25519 key, an ML-KEM-768 ciphertext, a proof. Fits a control cell.
pub const CREATED_LEN: usize = 32 + CIPHERTEXT_LEN + PROOF_LEN;

/// The originator between asking a relay and hearing from it. Wiped when dropped.
pub struct Handshake {
    to: OnionKey,
    /// X25519 secret.
    secret: Zeroizing<[u8; 32]>,
    /// In a box: it is several kilobytes, and states are moved about.
    kem: Box<DecapsulationKey>,
    create: [u8; CREATE_LEN],
    fill: Zeroizing<[u8; 32]>,
}

/// A handshake that came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Both messages have one length each.
    #[error("a handshake of {len} bytes instead of {expected}; the circuit is to be ended")]
    Length {
        /// Bytes received.
        len: usize,
        /// Bytes that it must have.
        expected: usize,
    },
    /// It is for an onion key that this node does not have (any more).
    #[error(
        "a handshake for an onion key that this node does not have; its peer knows an old one, and learns the new one with the next list"
    )]
    OtherKey,
    /// A public key in it is not acceptable.
    #[error("a handshake with a public key that no honest node makes; the circuit is to be ended")]
    PublicKey,
    /// The proof is wrong.
    #[error("the answer is not from the relay that was asked; another relay is to be tried")]
    NotTheRelay,
}

impl Handshake {
    /// Starts: the state to keep, and what to send to the relay `to`.
    #[must_use]
    pub fn begin(to: OnionKey, rng: &mut impl CryptoRng) -> (Self, [u8; CREATE_LEN]) {
        let secret = random::<32>(rng);
        let seed = random::<64>(rng);
        let fill = random::<32>(rng);

        let kem = Box::new(DecapsulationKey::from_seed(Seed::from(*seed)));
        let mut create = [0; CREATE_LEN];
        let (key, rest) = create.split_at_mut(32);
        let (public, encapsulation) = rest.split_at_mut(32);
        key.copy_from_slice(to.as_bytes());
        public.copy_from_slice(MontgomeryPoint::mul_base_clamped(*secret).as_bytes());
        encapsulation.copy_from_slice(&kem.encapsulation_key().to_bytes());
        let state = Self {
            to,
            secret,
            kem,
            create,
            fill,
        };
        (state, create)
    }

    /// Ends: the keys shared with the relay, if `created` is its answer.
    ///
    /// # Errors
    /// When it is not.
    pub fn finish(self, created: &[u8]) -> Result<HopKeys, HandshakeError> {
        let created: &[u8; CREATED_LEN] = exactly(created)?;
        let (public, rest) = split::<32>(created);
        let (ciphertext, proof) = split::<CIPHERTEXT_LEN>(rest);
        let shared = Shared {
            ephemeral: nonzero(agree(&self.secret, MontgomeryPoint(*public)))?,
            relay: agree(&self.secret, self.to.montgomery()),
            kem: Zeroizing::new(self.kem.decapsulate(&Ciphertext::from(*ciphertext)).into()),
        };
        let (keys, expected) = shared.keys(&self.create, public, ciphertext);
        if !bool::from(expected.as_slice().ct_eq(proof)) {
            return Err(HandshakeError::NotTheRelay);
        }
        Ok(HopKeys::new(keys, self.fill))
    }
}

/// The relay's side: what to send back, and the keys shared with an unknown originator. `secrets` are the relay's current key
/// and, for a while, the one before it.
///
/// # Errors
/// When `create` is for none of the `secrets`, or no honest node made it.
pub fn answer<'a>(
    secrets: impl IntoIterator<Item = &'a OnionSecret>,
    create: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<([u8; CREATED_LEN], RelayKeys), HandshakeError> {
    let create: &[u8; CREATE_LEN] = exactly(create)?;
    let (wanted, rest) = split::<32>(create);
    let (public, encapsulation_key) = split::<32>(rest);
    let secret = secrets
        .into_iter()
        .find(|secret| secret.key().as_bytes() == wanted)
        .ok_or(HandshakeError::OtherKey)?;
    let encapsulation_key = Key::<EncapsulationKey>::try_from(encapsulation_key)
        .ok()
        .and_then(|key| EncapsulationKey::new(&key).ok())
        .ok_or(HandshakeError::PublicKey)?;

    let ephemeral = random::<32>(rng);
    let relay = secret.agree(MontgomeryPoint(*public));
    let own = MontgomeryPoint::mul_base_clamped(*ephemeral);
    let (ciphertext, kem) = encapsulation_key.encapsulate_with_rng(rng);
    let shared = Shared {
        ephemeral: nonzero(agree(&ephemeral, MontgomeryPoint(*public)))?,
        relay: nonzero(relay)?,
        kem: Zeroizing::new(kem.into()),
    };
    let (keys, proof) = shared.keys(create, own.as_bytes(), &ciphertext);

    let mut created = [0; CREATED_LEN];
    let (public, rest) = created.split_at_mut(32);
    let (room, proof_room) = rest.split_at_mut(CIPHERTEXT_LEN);
    public.copy_from_slice(own.as_bytes());
    room.copy_from_slice(&ciphertext);
    proof_room.copy_from_slice(proof.as_slice());
    Ok((created, RelayKeys::new(keys)))
}

/// The three secrets that both sides come to.
struct Shared {
    /// X25519 of the two keys made for this circuit: forward secrecy.
    ephemeral: Zeroizing<[u8; 32]>,
    /// X25519 of the originator's key and the relay's onion key: proves the relay.
    relay: Zeroizing<[u8; 32]>,
    /// Of ML-KEM-768: what is recorded today stays closed to a quantum computer.
    kem: Zeroizing<[u8; 32]>,
}

impl Shared {
    /// The keys for cells, and the relay's proof that it has come to the same secrets over the same messages.
    fn keys(
        &self,
        create: &[u8; CREATE_LEN],
        public: &[u8; 32],
        ciphertext: &[u8],
    ) -> (SharedKeys, Zeroizing<[u8; PROOF_LEN]>) {
        let parts: [&[u8]; 6] = [
            self.ephemeral.as_slice(),
            self.relay.as_slice(),
            self.kem.as_slice(),
            create,
            public,
            ciphertext,
        ];
        let derived = Zeroizing::new(derivation::derive_bytes::<128>(
            derivation::ONION_HANDSHAKE,
            &parts,
        ));
        let (forward, rest) = split(derived.as_slice());
        let (backward, rest) = split(rest);
        let (layer, rest) = split(rest);
        let (proof, _) = split(rest);
        let keys = SharedKeys {
            forward: *forward,
            backward: *backward,
            layer: *layer,
        };
        (keys, Zeroizing::new(*proof))
    }
}

/// The X25519 secret of `secret` and the owner of `theirs`.
pub(super) fn agree(secret: &[u8; 32], theirs: MontgomeryPoint) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(theirs.mul_clamped(*secret).to_bytes())
}

/// A public key of small order leads to zero whatever the secret (RFC 7748, 6.1), so it proves nothing and hides nothing.
fn nonzero(agreed: Zeroizing<[u8; 32]>) -> Result<Zeroizing<[u8; 32]>, HandshakeError> {
    if bool::from(agreed.ct_eq(&[0; 32])) {
        return Err(HandshakeError::PublicKey);
    }
    Ok(agreed)
}

fn random<const N: usize>(rng: &mut impl CryptoRng) -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    rng.fill_bytes(bytes.as_mut());
    bytes
}

/// `bytes` if they are as many as they must be.
fn exactly<const N: usize>(bytes: &[u8]) -> Result<&[u8; N], HandshakeError> {
    bytes.try_into().map_err(|_| HandshakeError::Length {
        len: bytes.len(),
        expected: N,
    })
}

/// The first N bytes and the rest of a message whose whole length was checked.
fn split<const N: usize>(bytes: &[u8]) -> (&[u8; N], &[u8]) {
    bytes
        .split_first_chunk()
        .expect("the length of the whole was checked")
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("to", &self.to)
            .field("secret", &"[redacted]")
            .finish_non_exhaustive()
    }
}

/// FIPS 203, table 3: ML-KEM-768.
const ENCAPSULATION_KEY_LEN: usize = 1_184;
/// FIPS 203, table 3: ML-KEM-768.
const CIPHERTEXT_LEN: usize = 1_088;
/// Bytes of the relay's proof.
const PROOF_LEN: usize = 32;
