//! Keys, blocks and node identity of Warren.
//!
//! # The kinds of key
//! - **CHK** ([`ContentKey`]): an immutable block of up to 32 KiB, found by the hash of its own ciphertext.
//! - **SSK** ([`SignedKey`]): up to 1 KiB under a name that only the holder of the subspace's secret can fill. Every
//!   document is signed by a key of its own, blinded from the subspace's key, so that the nodes that store two documents
//!   of one publisher cannot tell that they belong together.
//! - **USK** ([`Uri::Updatable`]): SSKs named `site-0`, `site-1`, …: a site with editions.
//! - **KSK** ([`KeywordKey`]): an SSK whose secret follows from a phrase, so anybody who knows the phrase can write it.
//!
//! # Circuits
//! [`onion`] holds what hides who asks: agreement of keys with the relays of a circuit, and cells in layers.
//!
//! # Proofs by type
//! A [`VerifiedBlock`] exists only when its bytes belong to its [`BlockKey`]: sealing makes one, and
//! [`VerifiedBlock::verify`] turns bytes from outside into one. Only these can be stored or passed on. A [`SubspaceKey`]
//! and a [`NodeId`] hold a checked point of the curve: canonical, of prime order, and not the neutral element.
//!
//! # What this crate does not do
//! No IO, no clock, no randomness of its own (generators are arguments). The payload of a block is opaque here: what a
//! block says about its content (metadata, compression) is decided by the layer above.
//!
//! Every derivation is written down in `docs/CRYPTO.md`, and `vectors/*.json` holds examples with all intermediate values.
//!
//! ```
//! use crypto::{ContentExtra, ContentKey, FileKey, Uri, VerifiedBlock};
//!
//! let file_key = FileKey::convergent(blake3::hash(b"hello").as_bytes());
//! let (key, block) = ContentKey::seal(file_key, ContentExtra::default(), b"hello")?;
//!
//! // Anybody can check the block without being able to read it …
//! let received = VerifiedBlock::verify(block.key(), block.bytes().clone())?;
//! // … and whoever has the URI can read it.
//! let uri: Uri = Uri::Content { key, path: vec![] }.to_string().parse()?;
//! let Uri::Content { key, .. } = uri else { unreachable!() };
//! assert_eq!(key.open(&received)?, b"hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(clippy::indexing_slicing, clippy::wildcard_enum_match_arm)]

mod base64;
mod blinding;
mod block;
mod content_key;
mod derivation;
mod file_key;
mod identity;
mod keyword;
mod layout;
pub mod onion;
mod padding;
mod point;
mod routing_key;
mod seal;
mod signed;
mod subspace;
mod updatable;
mod uri;
#[cfg(test)]
mod vectors;

pub use base64::InvalidBase64;
pub use block::{
    BlockError, CONTENT_BLOCK_LEN, CONTENT_PAYLOAD_MAX, SIGNED_BLOCK_LEN, SIGNED_PAYLOAD_MAX,
    VerifiedBlock,
};
pub use content_key::{CONTENT_KEY_LEN, ContentExtra, ContentKey};
pub use file_key::FileKey;
pub use identity::{BadSignature, Identity, InvalidNodeId, NodeId, Signature};
pub use keyword::{KEYWORD_DOCUMENT_NAME, KeywordKey};
pub use layout::{Codec, InvalidExtra, Layout};
pub use point::InvalidPoint;
pub use routing_key::{BlockKey, BlockKind, RoutingKey};
pub use seal::{OpenError, PayloadTooLong, open_content, seal_content};
pub use signed::{SealError, SignedKey};
pub use subspace::{SubspaceKey, SubspaceSecret};
pub use updatable::{edition_document_name, split_edition_name};
pub use uri::{InsertUri, URI_LEN_MAX, Uri, UriError};
