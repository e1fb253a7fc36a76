//! Payloads of any length in bodies of one length: payload, zeros, and the payload's length in four little-endian bytes.

use crate::seal::{OpenError, PayloadTooLong};

/// The payload's length, if it is at most `max`.
pub(crate) fn payload_len(payload: &[u8], max: usize) -> Result<u32, PayloadTooLong> {
    let too_long = PayloadTooLong {
        len: payload.len(),
        max,
    };
    if payload.len() > max {
        return Err(too_long);
    }
    u32::try_from(payload.len()).map_err(|_| too_long)
}

/// Appends the padded form of `payload` (of length `len`) to `block`: `max` + [`LENGTH_LEN`] bytes.
pub(crate) fn append(block: &mut Vec<u8>, payload: &[u8], len: u32, max: usize) {
    block.extend_from_slice(payload);
    block.resize(block.len() + (max - payload.len()), 0);
    block.extend_from_slice(&len.to_le_bytes());
}

/// Cuts `body` down to its payload and returns the payload's length.
pub(crate) fn strip(body: &mut Vec<u8>) -> Result<u32, OpenError> {
    let (padded, len) = body
        .split_last_chunk::<LENGTH_LEN>()
        .ok_or(OpenError::Malformed)?;
    let len = u32::from_le_bytes(*len);
    let payload_len = usize::try_from(len).map_err(|_| OpenError::Malformed)?;
    let padding = padded.get(payload_len..).ok_or(OpenError::Malformed)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(OpenError::Malformed);
    }
    body.truncate(payload_len);
    Ok(len)
}

/// Bytes that the length takes.
pub(crate) const LENGTH_LEN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_beyond_the_body_or_a_stray_byte_is_refused() {
        let mut body = Vec::new();
        append(&mut body, b"ab", 2, 4);
        assert_eq!(body, b"ab\0\0\x02\0\0\0");
        assert_eq!(strip(&mut body.clone()), Ok(2));
        for (index, value) in [(4, 5), (7, 0xff), (3, 1)] {
            let mut bad = body.clone();
            bad[index] = value;
            assert_eq!(strip(&mut bad), Err(OpenError::Malformed));
        }
        assert_eq!(strip(&mut vec![0; 3]), Err(OpenError::Malformed));
    }

    proptest::proptest! {
        #[test]
        fn stripping_undoes_padding(payload in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let len = payload_len(&payload, 64).unwrap();
            let mut body = Vec::new();
            append(&mut body, &payload, len, 64);
            proptest::prop_assert_eq!(body.len(), 64 + LENGTH_LEN);
            proptest::prop_assert_eq!(strip(&mut body), Ok(len));
            proptest::prop_assert_eq!(body, payload);
        }
    }
}
