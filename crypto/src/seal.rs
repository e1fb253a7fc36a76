//! Sealing and opening of content blocks.
//!
//! ```text
//! nonce 12 | ChaCha20-Poly1305( payload | zeros up to 32768 | length 4, little endian ) | tag 16
//! ```
//! Encryption key and nonce key follow from file key, layout and index. The nonce is a keyed hash of length and payload,
//! so that even a file key used twice by mistake never puts two plaintexts under one keystream. Opening checks the nonce
//! as well: one payload has exactly one block under one key, and sealing what was opened gives the same block again.

use bytes::Bytes;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::block::{CONTENT_BLOCK_LEN, CONTENT_PAYLOAD_MAX, VerifiedBlock};
use crate::derivation;
use crate::file_key::FileKey;
use crate::layout::Layout;
use crate::padding;
use crate::routing_key::BlockKind;

/// A payload that does not fit its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a payload of {len} bytes does not fit a block, which holds at most {max}")]
pub struct PayloadTooLong {
    /// Bytes given.
    pub len: usize,
    /// Bytes that fit.
    pub max: usize,
}

/// A block that does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The block belongs to another key.
    #[error("this block is not the one that the key names")]
    OtherBlock,
    /// The secret part of the key does not fit the block.
    #[error(
        "the block does not open with this key: its second or third part is wrong, or the publisher sealed it wrongly"
    )]
    Sealed,
    /// It opened, but to something that sealing never makes.
    #[error("the block opened but is malformed: whoever published it used a faulty program")]
    Malformed,
}

/// Seals block `index` of a file.
///
/// # Errors
/// When the payload is longer than [`CONTENT_PAYLOAD_MAX`].
pub fn seal_content(
    file_key: &FileKey,
    layout: &Layout,
    index: u64,
    payload: &[u8],
) -> Result<VerifiedBlock, PayloadTooLong> {
    let len = padding::payload_len(payload, CONTENT_PAYLOAD_MAX)?;
    let keys = block_keys(file_key, layout, index);
    Ok(VerifiedBlock::sealed_content(seal_payload(
        &keys, payload, len,
    )))
}

/// The sealed bytes; the buffer that takes the plaintext is the one that is encrypted in place.
fn seal_payload(keys: &[u8; 64], payload: &[u8], len: u32) -> Bytes {
    let (encryption_key, nonce_key) = derivation::split_keys(keys);
    let nonce = synthetic_nonce(nonce_key, len, payload);
    let mut block = Vec::with_capacity(CONTENT_BLOCK_LEN);
    block.extend_from_slice(&nonce);
    padding::append(&mut block, payload, len, CONTENT_PAYLOAD_MAX);
    let (_, body) = block.split_at_mut(NONCE_LEN);
    let tag = ChaCha20Poly1305::new(encryption_key.into())
        .encrypt_inout_detached(&Nonce::from(nonce), b"", body.into())
        .expect("a block is far below the 256 GiB that the cipher takes");
    block.extend_from_slice(&tag);
    Bytes::from(block)
}

/// Opens block `index` of a file.
///
/// # Errors
/// When it was sealed with another key, layout or index, or not as [`seal_content`] does.
pub fn open_content(
    file_key: &FileKey,
    layout: &Layout,
    index: u64,
    block: &VerifiedBlock,
) -> Result<Vec<u8>, OpenError> {
    if block.key().kind != BlockKind::Content {
        return Err(OpenError::OtherBlock);
    }
    let (nonce, sealed) = block
        .bytes()
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(OpenError::Malformed)?;
    let (body, tag) = sealed
        .split_last_chunk::<TAG_LEN>()
        .ok_or(OpenError::Malformed)?;
    let keys = block_keys(file_key, layout, index);
    let (encryption_key, nonce_key) = derivation::split_keys(&keys);

    let mut body = body.to_vec();
    ChaCha20Poly1305::new(encryption_key.into())
        .decrypt_inout_detached(
            &Nonce::from(*nonce),
            b"",
            body.as_mut_slice().into(),
            &(*tag).into(),
        )
        .map_err(|_| OpenError::Sealed)?;
    let len = padding::strip(&mut body)?;
    if !bool::from(synthetic_nonce::<NONCE_LEN>(nonce_key, len, &body).ct_eq(nonce)) {
        return Err(OpenError::Malformed);
    }
    Ok(body)
}

/// 32 bytes to encrypt with, 32 bytes to make the nonce with.
pub(crate) fn block_keys(file_key: &FileKey, layout: &Layout, index: u64) -> Zeroizing<[u8; 64]> {
    let parts: [&[u8]; 3] = [file_key.as_bytes(), layout.digest(), &index.to_le_bytes()];
    Zeroizing::new(derivation::derive_bytes(
        derivation::CONTENT_BLOCK_KEYS,
        &parts,
    ))
}

/// The first bytes of a keyed hash of length and payload. All 32-byte keys in use differ from document to document, so
/// the keyed mode needs no further domain.
pub(crate) fn synthetic_nonce<const N: usize>(
    nonce_key: &[u8; 32],
    len: u32,
    payload: &[u8],
) -> [u8; N] {
    let mut hasher = blake3::Hasher::new_keyed(nonce_key);
    hasher.update(&len.to_le_bytes());
    hasher.update(payload);
    let mut nonce = [0; N];
    hasher.finalize_xof().fill(&mut nonce);
    hasher.zeroize();
    nonce
}

pub(crate) const NONCE_LEN: usize = 12;
pub(crate) const TAG_LEN: usize = 16;

#[cfg(test)]
mod tests;
