//! Messages without blocks or contacts, as bytes: one byte that says of which kind, and then postcard.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// `kind`, and the bytes of `message`, of which there are at most `LEN_MAX`.
pub(super) fn encode<T: Serialize, const LEN_MAX: usize>(message: &T, kind: u8) -> Bytes {
    let mut space = [0; LEN_MAX];
    let body = postcard::to_slice(message, &mut space)
        .expect("the longest message fits: LEN_MAX counts its fields");
    let mut bytes = BytesMut::with_capacity(1 + body.len());
    bytes.put_u8(kind);
    bytes.put_slice(body);
    bytes.freeze()
}

/// The message that `bytes` are, if they are one and nothing more.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (message, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(message)
}
