//! The secret that a file's blocks are sealed with.

use std::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::derivation;

/// 32 secret bytes; with a [`Layout`](crate::Layout) and an index they give the key of each block. Wiped when dropped,
/// compared in constant time.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct FileKey([u8; 32]);

impl FileKey {
    /// A random key: nobody who has a copy of the file can find its blocks.
    #[must_use]
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut key = Self([0; 32]);
        rng.fill_bytes(&mut key.0);
        key
    }

    /// The key that every inserter of this content arrives at, so that inserting it again heals it. `content_hash` is the
    /// BLAKE3 hash of the whole content. Whoever has the content can tell who asks for its blocks.
    #[must_use]
    pub fn convergent(content_hash: &[u8; 32]) -> Self {
        Self(derivation::derive(
            derivation::CONVERGENT_FILE_KEY,
            &[content_hash],
        ))
    }

    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 secret bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for FileKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for FileKey {}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey([redacted])")
    }
}
