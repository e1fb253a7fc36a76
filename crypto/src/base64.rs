//! Freenet's base64: letters, digits, `~` for 62 and `-` for 63, no padding.

use std::fmt;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};

/// Text that is not the Freenet base64 of the expected number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not {expected_chars} characters of Freenet's base64 (letters, digits, ~ and -), or the last character has stray bits"
)]
pub struct InvalidBase64 {
    /// Characters that a right value has.
    pub expected_chars: usize,
}

/// Prints `bytes` without allocating.
pub(crate) fn display(bytes: &[u8]) -> impl fmt::Display + '_ {
    ENCODING.encode_display(bytes)
}

/// Appends the text of `bytes` to `text`.
pub(crate) fn append(text: &mut String, bytes: &[u8]) {
    ENCODING.encode_append(bytes, text);
}

/// Reads exactly `N` bytes: a different length, another alphabet or stray trailing bits are refused, so every value has one text.
pub(crate) fn decode<const N: usize>(text: &str) -> Result<[u8; N], InvalidBase64> {
    let wrong = InvalidBase64 {
        expected_chars: ENCODING.encode_len(N),
    };
    if text.len() != wrong.expected_chars || ENCODING.decode_len(text.len()) != Ok(N) {
        return Err(wrong);
    }
    let mut bytes = [0; N];
    match ENCODING.decode_mut(text.as_bytes(), &mut bytes) {
        Ok(_) => Ok(bytes),
        Err(_) => Err(wrong),
    }
}

static ENCODING: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789~-");
    specification
        .encoding()
        .expect("64 different symbols make a base64")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freenets_own_extra_bytes_read_and_print_as_freenet_does() {
        assert_eq!(decode::<5>("AAMC--8"), Ok([0, 3, 2, 255, 255]));
        assert_eq!(decode::<5>("AQACAAE"), Ok([1, 0, 2, 0, 1]));
        assert_eq!(display(&[1, 1, 2, 0, 1]).to_string(), "AQECAAE");
    }

    #[test]
    fn tilde_is_62_and_minus_is_63() {
        assert_eq!(display(&[0xfb, 0xff, 0xff]).to_string(), "~---");
    }

    #[test]
    fn another_length_alphabet_or_stray_bits_are_refused() {
        for wrong in [
            "", "AAMC--", "AAMC--8A", "AAMC--8=", "AAMC__8", "AAMC++8", "AAMC--9", "AAMC--é",
        ] {
            assert!(decode::<5>(wrong).is_err(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_error_or_the_one_text_of_its_bytes(text in "[A-Za-z0-9~-]{0,8}|\\PC*") {
            if let Ok(bytes) = decode::<5>(&text) {
                proptest::prop_assert_eq!(display(&bytes).to_string(), text);
            }
        }

        #[test]
        fn bytes_survive_their_text(bytes: [u8; 32]) {
            proptest::prop_assert_eq!(decode::<32>(&display(&bytes).to_string()), Ok(bytes));
        }
    }
}
