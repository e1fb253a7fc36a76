//! Blocks to insert.

use crypto::{ContentExtra, ContentKey, FileKey, SubspaceSecret, VerifiedBlock};

use crate::random::rng_for;

/// A content block that `number` decides.
///
/// # Panics
/// Never: the payload is short.
#[must_use]
pub fn content_block(number: u64) -> VerifiedBlock {
    let file_key = FileKey::random(&mut rng_for(number, "file key"));
    let (_, block) = ContentKey::seal(file_key, ContentExtra::default(), &number.to_le_bytes())
        .expect("eight bytes are within the bound of a block");
    block
}

/// A signed block with `payload` under a name that `number` decides: blocks of one number have one key.
///
/// # Panics
/// If the payload is longer than a signed block holds.
#[must_use]
pub fn signed_block(number: u64, payload: &[u8]) -> VerifiedBlock {
    let secret = SubspaceSecret::generate(&mut rng_for(number, "subspace"));
    secret
        .seal("document", payload)
        .expect("payload within the bound of a signed block")
}
