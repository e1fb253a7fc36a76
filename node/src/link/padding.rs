//! Messages as long as others: who watches a link sees few lengths.
//!
//! A message is followed by a marker byte and by zeros up to one of [`SIZES`], inside the encryption. What the sizes tell is
//! which of four kinds a message is of; what several messages sent at one moment are, the packets do not tell either.

use bytes::Bytes;

/// Lengths of messages on a link, in bytes: questions and answers; a control cell or a signed block; contacts of strangers; a
/// block cell or a content block. Longer ones are multiples of the last.
const SIZES: [usize; 4] = [256, 2_304, 8_192, LARGEST];

/// Room for every message that carries a block or a block cell (33 KB), and little more.
const LARGEST: usize = 33 << 10;

/// Comes between the message and the zeros (ISO/IEC 7816-4), so that a message may end with zeros.
const MARKER: u8 = 0x80;

/// The longest that can be missing: from just above one size to the next.
static PADDING: [u8; LARGEST] = {
    let mut padding = [0; LARGEST];
    padding[0] = MARKER;
    padding
};

/// How long a message of `len` bytes is with its padding.
pub(crate) fn padded_len(len: usize) -> usize {
    let with_marker = len + 1;
    SIZES
        .into_iter()
        .find(|&size| with_marker <= size)
        .unwrap_or_else(|| with_marker.next_multiple_of(LARGEST))
}

/// What follows a message of `len` bytes.
pub(crate) fn padding(len: usize) -> Bytes {
    Bytes::from_static(&PADDING[..padded_len(len) - len])
}

/// The message in `padded`; none if that is not a message of up to `len_max` bytes with the padding that belongs to it.
pub(crate) fn unpadded(padded: &Bytes, len_max: usize) -> Option<Bytes> {
    let marker = padded.iter().rposition(|&byte| byte != 0)?;
    let fits = padded[marker] == MARKER && padded_len(marker) == padded.len() && marker <= len_max;
    fits.then(|| padded.slice(..marker))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn padded(message: &[u8]) -> Bytes {
        [message, &padding(message.len())].concat().into()
    }

    proptest! {
        #[test]
        fn a_message_comes_out_as_it_went_in(mut message in prop::collection::vec(any::<u8>(), 0..3_000), zeros in 0_usize..40_000) {
            message.resize(message.len() + zeros, 0);
            prop_assert_eq!(unpadded(&padded(&message), message.len()).unwrap(), message);
        }

        #[test]
        fn arbitrary_bytes_give_a_message_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Some(message) = unpadded(&Bytes::from(bytes.clone()), 1_000) {
                prop_assert_eq!(padded(&message), bytes);
            }
        }
    }

    #[test]
    fn a_message_over_the_limit_is_none() {
        let bytes = padded(&[1; 10]);
        assert!(unpadded(&bytes, 10).is_some());
        assert_eq!(unpadded(&bytes, 9), None);
    }

    #[test]
    fn messages_of_one_kind_have_one_length() {
        for len in 0..256 {
            assert_eq!(padded(&vec![1; len]).len(), 256);
        }
        for len in 256..2_304 {
            assert_eq!(padded_len(len), 2_304);
        }
        let (signed, content) = (crypto::SIGNED_BLOCK_LEN, crypto::CONTENT_BLOCK_LEN);
        assert_eq!(padded_len(signed + 64), 2_304);
        let cells = [
            crypto::onion::CellSize::Control,
            crypto::onion::CellSize::Block,
        ];
        assert_eq!(
            cells.map(|cell| padded_len(cell.len() + 64)),
            [2_304, LARGEST]
        );
        assert_eq!(padded_len(content), LARGEST);
        assert_eq!(padded_len(LARGEST), 2 * LARGEST);
    }
}
