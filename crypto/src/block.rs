//! Blocks as the network carries them, and the proof that one belongs to its key.

use std::fmt;

use bytes::Bytes;
use ed25519_dalek::VerifyingKey;

use crate::derivation;
use crate::padding::LENGTH_LEN;
use crate::point::{InvalidPoint, checked_point};
use crate::routing_key::{BlockKey, BlockKind, RoutingKey};
use crate::seal::{NONCE_LEN, TAG_LEN};

/// Plaintext bytes that one content block holds.
pub const CONTENT_PAYLOAD_MAX: usize = 32_768;
/// Bytes of every content block: nonce, padded payload with its length, tag.
pub const CONTENT_BLOCK_LEN: usize = NONCE_LEN + CONTENT_PAYLOAD_MAX + LENGTH_LEN + TAG_LEN;
/// Plaintext bytes that one signed block holds.
pub const SIGNED_PAYLOAD_MAX: usize = 1_024;
/// Bytes of every signed block: blinded public key, signature, nonce, padded payload with its length, tag.
pub const SIGNED_BLOCK_LEN: usize =
    POINT_LEN + SIGNATURE_LEN + SIGNED_NONCE_LEN + SIGNED_PAYLOAD_MAX + LENGTH_LEN + TAG_LEN;

/// A block whose bytes are proved to belong to its key. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedBlock {
    key: BlockKey,
    bytes: Bytes,
}

/// Bytes that do not belong to the key they came for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Every block of a kind has the same length.
    #[error("the block has {len} bytes, but every {kind} block has {expected}")]
    Length {
        /// Kind asked for.
        kind: BlockKind,
        /// Bytes received.
        len: usize,
        /// Bytes that a block of this kind has.
        expected: usize,
    },
    /// The hash is another: the block is damaged or belongs to another key.
    #[error("the block does not have the hash that its key demands")]
    Hash,
    /// The blinded key in the block is not acceptable.
    #[error("the signing key inside the block is {0}")]
    Point(InvalidPoint),
    /// The signature is wrong.
    #[error("the block's signature is wrong")]
    Signature,
}

impl VerifiedBlock {
    /// Checks that `bytes` are the block (CHK) or a validly signed block (SSK) of `key`.
    ///
    /// # Errors
    /// When they are not; nothing about them may be believed then.
    pub fn verify(key: BlockKey, bytes: Bytes) -> Result<Self, BlockError> {
        let expected = match key.kind {
            BlockKind::Content => CONTENT_BLOCK_LEN,
            BlockKind::Signed => SIGNED_BLOCK_LEN,
        };
        if bytes.len() != expected {
            return Err(BlockError::Length {
                kind: key.kind,
                len: bytes.len(),
                expected,
            });
        }
        match key.kind {
            BlockKind::Content => verify_content(key.routing_key, &bytes)?,
            BlockKind::Signed => verify_signed(key.routing_key, &bytes)?,
        }
        Ok(Self { key, bytes })
    }

    /// The only key that these bytes can belong to as a block of `kind`; whether they do must be verified. None if they do
    /// not have a block's length. For who kept blocks and not their keys.
    #[must_use]
    pub fn named_key(kind: BlockKind, bytes: &[u8]) -> Option<BlockKey> {
        let routing_key = match kind {
            BlockKind::Content => {
                (bytes.len() == CONTENT_BLOCK_LEN).then(|| content_routing_key(bytes))?
            }
            BlockKind::Signed => {
                let public_key = bytes.first_chunk::<POINT_LEN>()?;
                (bytes.len() == SIGNED_BLOCK_LEN).then(|| signed_routing_key(public_key))?
            }
        };
        Some(BlockKey { kind, routing_key })
    }

    /// The key that the block belongs to.
    #[must_use]
    pub const fn key(&self) -> BlockKey {
        self.key
    }

    /// The sealed bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The block of content that was just sealed.
    pub(crate) fn sealed_content(bytes: Bytes) -> Self {
        debug_assert_eq!(bytes.len(), CONTENT_BLOCK_LEN);
        let key = BlockKey {
            kind: BlockKind::Content,
            routing_key: content_routing_key(&bytes),
        };
        Self { key, bytes }
    }

    /// The signed block that was just made with `public_key`.
    pub(crate) fn sealed_signed(public_key: &[u8; POINT_LEN], bytes: Bytes) -> Self {
        debug_assert_eq!(bytes.len(), SIGNED_BLOCK_LEN);
        let key = BlockKey {
            kind: BlockKind::Signed,
            routing_key: signed_routing_key(public_key),
        };
        Self { key, bytes }
    }
}

fn verify_content(routing_key: RoutingKey, bytes: &[u8]) -> Result<(), BlockError> {
    if content_routing_key(bytes) == routing_key {
        Ok(())
    } else {
        Err(BlockError::Hash)
    }
}

fn verify_signed(routing_key: RoutingKey, bytes: &[u8]) -> Result<(), BlockError> {
    let (public_key, rest) = bytes
        .split_first_chunk::<POINT_LEN>()
        .ok_or(BlockError::Signature)?;
    let (signature, sealed) = rest
        .split_first_chunk::<SIGNATURE_LEN>()
        .ok_or(BlockError::Signature)?;
    // The cheap check first: most damage ends here.
    if signed_routing_key(public_key) != routing_key {
        return Err(BlockError::Hash);
    }
    let point = checked_point(public_key).map_err(BlockError::Point)?;
    VerifyingKey::from(point)
        .verify_strict(
            &signed_digest(sealed),
            &ed25519_dalek::Signature::from_bytes(signature),
        )
        .map_err(|_| BlockError::Signature)
}

/// R of a content block.
pub(crate) fn content_routing_key(bytes: &[u8]) -> RoutingKey {
    RoutingKey::from_bytes(derivation::derive(
        derivation::CONTENT_ROUTING_KEY,
        &[bytes],
    ))
}

/// R of a signed block.
pub(crate) fn signed_routing_key(public_key: &[u8; POINT_LEN]) -> RoutingKey {
    RoutingKey::from_bytes(derivation::derive(
        derivation::SIGNED_ROUTING_KEY,
        &[public_key],
    ))
}

/// What the blinded key signs: everything behind the signature.
pub(crate) fn signed_digest(sealed: &[u8]) -> [u8; 32] {
    derivation::derive(derivation::SIGNED_BLOCK_DIGEST, &[sealed])
}

impl fmt::Debug for VerifiedBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedBlock")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

pub(crate) const POINT_LEN: usize = 32;
pub(crate) const SIGNATURE_LEN: usize = 64;
pub(crate) const SIGNED_NONCE_LEN: usize = 24;

#[cfg(test)]
mod tests;
