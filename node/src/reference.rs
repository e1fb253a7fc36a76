//! A node's reference: what a friend needs to link to it, as one line of text.
//!
//! It names the identity, a name for people, the addresses and a serial number by which a newer reference replaces an
//! older one, and is signed by the identity. The text is `warren:` and base64 of
//!
//! ```text
//! version (1) | body (postcard) | signature (64) | check sum (4)
//! ```
//!
//! The check sum covers everything before it, so that a text that was cut off or mistyped is told apart from one that
//! somebody altered, which only the signature shows. Between nodes of the opennet the same bytes travel without prefix,
//! base64 and check sum, as a *record*.

mod addresses;

pub use addresses::{Surroundings, public_addresses, reachable_addresses};

use crate::config::is_name;
use bytes::Bytes;
use crypto::{Identity, NodeId, Signature};
use data_encoding::BASE64URL_NOPAD;
use routing::RECORD_LEN_MAX;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// Addresses in one reference at most: a few interfaces in both families, and what the owner announces.
pub const ADDRESSES_MAX: usize = 16;

/// Longest text that is looked at, in bytes. A full reference has about 700.
pub const TEXT_LEN_MAX: usize = 4096;

const PREFIX: &str = "warren:";
const VERSION: u8 = 1;
const SIGNATURE_LEN: usize = 64;
const CHECK_LEN: usize = 4;
const DOMAIN: &str = "Warren 2026 node reference";

/// A reference whose signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    body: Body,
    signature: Signature,
}

/// The signed part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Body {
    id: NodeId,
    name: String,
    addresses: Vec<SocketAddr>,
    serial: u64,
}

/// Why a text is not a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// No `warren:` in the text.
    #[error(
        "there is no reference here; it is one line that starts with `warren:` (see `warren reference`)"
    )]
    Missing,
    /// Longer than any reference.
    #[error("this is too long for a reference; it has at most 4096 characters")]
    TooLong,
    /// The check sum does not fit.
    #[error(
        "the reference is incomplete or mistyped; copy the whole line, from `warren:` to its end"
    )]
    Incomplete,
    /// A version of the format that this program does not know.
    #[error("the reference has format {0}, which this version does not know; update Warren")]
    Version(u8),
    /// The content breaks a rule of the format.
    #[error("the reference is malformed; ask your friend for a new one")]
    Malformed,
    /// The signature is not the identity's.
    #[error(
        "the reference was altered: its signature is wrong; do not use it, and ask your friend for a new one"
    )]
    Altered,
}

/// Why no reference can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceMakeError {
    /// The name is empty, too long or has control characters.
    #[error("a node's name has 1 to 64 bytes of printable text")]
    Name,
    /// More than [`ADDRESSES_MAX`], or one that nobody can reach.
    #[error("a reference has at most 16 addresses, each with an IP address and a port")]
    Addresses,
}

impl Reference {
    /// Makes and signs a node's own reference. A higher `serial` replaces a lower one: take the time of writing in
    /// milliseconds since 1970.
    ///
    /// # Errors
    /// [`ReferenceMakeError`] if the name or the addresses break the rules.
    pub fn sign(
        identity: &Identity,
        name: &str,
        addresses: &[SocketAddr],
        serial: u64,
    ) -> Result<Self, ReferenceMakeError> {
        let plain = addresses
            .iter()
            .map(|address| SocketAddr::new(address.ip(), address.port()));
        let body = Body {
            id: identity.id(),
            name: name.to_owned(),
            addresses: plain.collect(),
            serial,
        };
        if !is_name(&body.name) {
            return Err(ReferenceMakeError::Name);
        }
        if !are_addresses(&body.addresses) {
            return Err(ReferenceMakeError::Addresses);
        }
        let signature = identity.sign(DOMAIN, &body.encode());
        Ok(Self { body, signature })
    }

    /// The node's identity.
    pub fn id(&self) -> NodeId {
        self.body.id
    }

    /// The name the owner gave the node.
    pub fn name(&self) -> &str {
        &self.body.name
    }

    /// Where to reach the node, likeliest first. Can be empty: such a node can only reach out itself.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.body.addresses
    }

    /// Of two references of one node the one with the higher serial number holds.
    pub fn serial(&self) -> u64 {
        self.body.serial
    }

    fn decode(bytes: &[u8]) -> Result<Self, ReferenceError> {
        let (signed, sum) = bytes
            .split_last_chunk::<CHECK_LEN>()
            .ok_or(ReferenceError::Incomplete)?;
        if *sum != check(signed) {
            return Err(ReferenceError::Incomplete);
        }
        let (&version, signed) = signed.split_first().ok_or(ReferenceError::Malformed)?;
        Self::decode_signed(version, signed)
    }

    /// The reference as nodes of the opennet pass it on, at most [`RECORD_LEN_MAX`] bytes.
    #[must_use]
    pub fn to_record(&self) -> Bytes {
        self.signed_bytes().into()
    }

    /// Reads what [`Reference::to_record`] wrote and checks the signature.
    ///
    /// # Errors
    /// [`ReferenceError`] says what is wrong.
    pub fn from_record(record: &[u8]) -> Result<Self, ReferenceError> {
        if record.len() > RECORD_LEN_MAX {
            return Err(ReferenceError::TooLong);
        }
        let (&version, signed) = record.split_first().ok_or(ReferenceError::Missing)?;
        Self::decode_signed(version, signed)
    }

    /// Version, body and signature.
    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.body.encode());
        bytes.extend_from_slice(self.signature.as_bytes());
        bytes
    }

    fn decode_signed(version: u8, signed: &[u8]) -> Result<Self, ReferenceError> {
        if version != VERSION {
            return Err(ReferenceError::Version(version));
        }
        let (encoded, signature) = signed
            .split_last_chunk::<SIGNATURE_LEN>()
            .ok_or(ReferenceError::Malformed)?;
        let (body, rest) =
            postcard::take_from_bytes::<Body>(encoded).map_err(|_| ReferenceError::Malformed)?;
        // One text for one reference: what is signed is what would be written.
        if !rest.is_empty()
            || body.encode() != encoded
            || !is_name(&body.name)
            || !are_addresses(&body.addresses)
        {
            return Err(ReferenceError::Malformed);
        }
        let signature = Signature::from_bytes(*signature);
        body.id
            .verify(DOMAIN, encoded, &signature)
            .map_err(|_| ReferenceError::Altered)?;
        Ok(Self { body, signature })
    }
}

impl Body {
    fn encode(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("a body holds only what postcard can write")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.signed_bytes();
        bytes.extend_from_slice(&check(&bytes));
        write!(f, "{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    /// Finds the reference in a text; what stands before it, and after the white space behind it, does not matter.
    /// A reference that a mail program broke into lines is put together again.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.len() > TEXT_LEN_MAX {
            return Err(ReferenceError::TooLong);
        }
        let start = text.find(PREFIX).ok_or(ReferenceError::Missing)? + PREFIX.len();
        let mut words = text[start..].split_whitespace();
        let mut base64 = words.next().unwrap_or_default().to_owned();
        let first = decode_text(&base64);
        if first != Err(ReferenceError::Incomplete) {
            return first;
        }
        for word in words {
            base64.push_str(word);
            let joined = decode_text(&base64);
            if joined != Err(ReferenceError::Incomplete) {
                return joined;
            }
        }
        Err(ReferenceError::Incomplete)
    }
}

fn decode_text(base64: &str) -> Result<Reference, ReferenceError> {
    Reference::decode(
        &BASE64URL_NOPAD
            .decode(base64.as_bytes())
            .map_err(|_| ReferenceError::Incomplete)?,
    )
}

fn are_addresses(addresses: &[SocketAddr]) -> bool {
    let reachable = |address: &SocketAddr| address.port() != 0 && !address.ip().is_unspecified();
    addresses.len() <= ADDRESSES_MAX && addresses.iter().all(reachable)
}

fn check(bytes: &[u8]) -> [u8; CHECK_LEN] {
    let hash = blake3::hash(bytes);
    *hash.as_bytes().first_chunk().expect("a hash has 32 bytes")
}

#[cfg(test)]
mod tests;
