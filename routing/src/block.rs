//! What the router needs to know of a block.

use std::fmt::Debug;

use bytes::Bytes;
use crypto::{BlockKey, VerifiedBlock};

/// A block whose bytes are proved to belong to its key.
///
/// A node routes [`VerifiedBlock`]s. A simulation of a large network routes stand-ins without a payload through the very
/// same code: whether bytes belong to a key is the only thing that the router ever asks about them.
pub trait Block: Clone + Debug + PartialEq + Sized {
    /// The block that `bytes` are, if they belong to `key`.
    fn verify(key: BlockKey, bytes: Bytes) -> Option<Self>;

    /// The key that the block belongs to.
    fn key(&self) -> BlockKey;

    /// Its bytes, as they are sent.
    fn bytes(&self) -> &Bytes;
}

impl Block for VerifiedBlock {
    fn verify(key: BlockKey, bytes: Bytes) -> Option<Self> {
        Self::verify(key, bytes).ok()
    }

    fn key(&self) -> BlockKey {
        self.key()
    }

    fn bytes(&self) -> &Bytes {
        self.bytes()
    }
}
