//! Signed blocks: documents of a subspace (SSK).
//!
//! ```text
//! A' 32 | signature 64 | nonce 24 | XChaCha20-Poly1305( payload | zeros up to 1024 | length 4 ) | tag 16
//! ```
//! The signature covers everything behind it; the blinded public key A' is authenticated with the ciphertext as well. The
//! nonce is a keyed hash of the payload, so no two payloads of a document meet the same nonce, and equal payloads give equal blocks.

use std::fmt;

use bytes::Bytes;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use subtle::ConstantTimeEq;

use crate::blinding::Document;
use crate::block::{
    POINT_LEN, SIGNATURE_LEN, SIGNED_BLOCK_LEN, SIGNED_NONCE_LEN, SIGNED_PAYLOAD_MAX,
    VerifiedBlock, signed_digest, signed_routing_key,
};
use crate::derivation;
use crate::padding;
use crate::routing_key::{BlockKey, BlockKind};
use crate::seal::{OpenError, PayloadTooLong, TAG_LEN, synthetic_nonce};
use crate::subspace::{SubspaceKey, SubspaceSecret};

/// The key of a document in a subspace (`SSK@P,C,E/name`).
#[derive(Clone, PartialEq, Eq)]
pub struct SignedKey {
    /// Whose document.
    pub subspace: SubspaceKey,
    /// Which document.
    pub name: String,
}

/// A document that cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// More than [`SIGNED_PAYLOAD_MAX`] bytes: put the content under a CHK and a reference to it here.
    #[error(transparent)]
    PayloadTooLong(#[from] PayloadTooLong),
}

impl SignedKey {
    /// What to ask the network for. Costs a multiplication on the curve (about 50 µs): keep the result.
    #[must_use]
    pub fn block_key(&self) -> BlockKey {
        let document = self.document();
        BlockKey {
            kind: BlockKind::Signed,
            routing_key: signed_routing_key(document.public_key.as_bytes()),
        }
    }

    /// The payload of the document's block.
    ///
    /// # Errors
    /// When the block is another document's, or was not sealed as [`SubspaceSecret::seal`] does.
    pub fn open(&self, block: &VerifiedBlock) -> Result<Vec<u8>, OpenError> {
        let document = self.document();
        let (public_key, rest) = block
            .bytes()
            .split_first_chunk::<POINT_LEN>()
            .ok_or(OpenError::OtherBlock)?;
        if block.key().kind != BlockKind::Signed || public_key != document.public_key.as_bytes() {
            return Err(OpenError::OtherBlock);
        }
        let (_, sealed) = rest
            .split_first_chunk::<SIGNATURE_LEN>()
            .ok_or(OpenError::Malformed)?;
        let (nonce, sealed) = sealed
            .split_first_chunk::<SIGNED_NONCE_LEN>()
            .ok_or(OpenError::Malformed)?;
        let (body, tag) = sealed
            .split_last_chunk::<TAG_LEN>()
            .ok_or(OpenError::Malformed)?;
        let keys = document.block_keys(self.subspace.crypto_key());
        let (encryption_key, nonce_key) = derivation::split_keys(&keys);

        let mut body = body.to_vec();
        XChaCha20Poly1305::new(encryption_key.into())
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                public_key,
                body.as_mut_slice().into(),
                &(*tag).into(),
            )
            .map_err(|_| OpenError::Sealed)?;
        let len = padding::strip(&mut body)?;
        if !bool::from(synthetic_nonce::<SIGNED_NONCE_LEN>(nonce_key, len, &body).ct_eq(nonce)) {
            return Err(OpenError::Malformed);
        }
        Ok(body)
    }

    /// The values that publisher and reader derive.
    pub(crate) fn document(&self) -> Document {
        document(&self.subspace, &self.name)
    }
}

impl SubspaceSecret {
    /// Seals and signs `payload` as the document `name`. Equal arguments give an equal block.
    ///
    /// # Errors
    /// When the payload is longer than [`SIGNED_PAYLOAD_MAX`].
    pub fn seal(&self, name: &str, payload: &[u8]) -> Result<VerifiedBlock, SealError> {
        let len = padding::payload_len(payload, SIGNED_PAYLOAD_MAX)?;
        let document = document(self.public(), name);
        let public_key = document.public_key.as_bytes();
        let sealed = seal_payload(&document, self.public().crypto_key(), len, payload);
        let signature = document.sign(self.seed(), &signed_digest(&sealed));

        let mut block = Vec::with_capacity(SIGNED_BLOCK_LEN);
        block.extend_from_slice(public_key);
        block.extend_from_slice(&signature);
        block.extend_from_slice(&sealed);
        Ok(VerifiedBlock::sealed_signed(public_key, Bytes::from(block)))
    }
}

/// Nonce, ciphertext and tag.
fn seal_payload(document: &Document, crypto_key: &[u8; 32], len: u32, payload: &[u8]) -> Vec<u8> {
    let keys = document.block_keys(crypto_key);
    let (encryption_key, nonce_key) = derivation::split_keys(&keys);
    let nonce = synthetic_nonce::<SIGNED_NONCE_LEN>(nonce_key, len, payload);
    let mut sealed = Vec::with_capacity(SIGNED_BLOCK_LEN - POINT_LEN - SIGNATURE_LEN);
    sealed.extend_from_slice(&nonce);
    padding::append(&mut sealed, payload, len, SIGNED_PAYLOAD_MAX);
    let (_, body) = sealed.split_at_mut(SIGNED_NONCE_LEN);
    let tag = XChaCha20Poly1305::new(encryption_key.into())
        .encrypt_inout_detached(
            &XNonce::from(nonce),
            document.public_key.as_bytes(),
            body.into(),
        )
        .expect("a block is far below the 256 GiB that the cipher takes");
    sealed.extend_from_slice(&tag);
    sealed
}

fn document(subspace: &SubspaceKey, name: &str) -> Document {
    Document::new(
        subspace.point(),
        subspace.public(),
        subspace.crypto_key(),
        name,
    )
}

/// Nothing: the name alone would tell what somebody reads.
impl fmt::Debug for SignedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedKey([redacted])")
    }
}

#[cfg(test)]
mod tests;
