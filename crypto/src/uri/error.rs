//! Why a text is not a URI that can be used, in sentences for a user. None repeats the text: it may be a secret.

use crate::layout::InvalidExtra;

use super::URI_LEN_MAX;

/// A text that is not a usable URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// Longer than [`URI_LEN_MAX`].
    #[error("this URI has {len} bytes; at most {max} are accepted", max = URI_LEN_MAX)]
    TooLong {
        /// Bytes given.
        len: usize,
    },
    /// There is no `TYPE@`.
    #[error("this is not a Warren URI: one begins with CHK@, SSK@, USK@ or KSK@")]
    NoType,
    /// The text before `@` is no type.
    #[error("unknown type of key: a Warren URI begins with CHK@, SSK@, USK@ or KSK@")]
    UnknownType,
    /// Not three parts between `@` and the first `/`.
    #[error(
        "this {kind} key is incomplete: between the @ and the first / it has three parts, separated by commas"
    )]
    KeyParts {
        /// Type of the key.
        kind: &'static str,
    },
    /// A part is not base64 of the right length.
    #[error(
        "the {part} of this key is damaged: it must be {chars} letters, digits, ~ and -; copy the whole URI again"
    )]
    KeyPart {
        /// First, second or third part.
        part: &'static str,
        /// Characters that it must have.
        chars: usize,
    },
    /// The algorithm number is one of Hyphanet's.
    #[error(
        "this is a key of Hyphanet (Freenet), which uses other cryptography and another network, so Warren can do nothing \
         with it; open it with Hyphanet"
    )]
    HyphanetAlgorithm {
        /// Hyphanet's number of its algorithm: 1 to 3.
        algorithm: u8,
    },
    /// An algorithm of a later version.
    #[error(
        "this key uses algorithm {algorithm}, which this version of Warren does not know; a newer version may"
    )]
    UnknownAlgorithm {
        /// The number.
        algorithm: u8,
    },
    /// A compression method of a later version.
    #[error(
        "this key uses compression method {codec}, which this version of Warren does not know; a newer version may"
    )]
    UnknownCodec {
        /// The number.
        codec: i16,
    },
    /// Extra bytes that nobody writes.
    #[error(
        "the third part of this key is damaged: it has a value that no version of Warren writes"
    )]
    MalformedExtra,
    /// The public key is not acceptable.
    #[error(
        "the first part of this key is damaged: it is not a public key; copy the whole URI again"
    )]
    PublicKey,
    /// A publisher's secret where a reader's key is wanted.
    #[error(
        "this is an insert key, the secret of whoever publishes here: keep it to yourself, and use the request key \
         (its third part is AQAQAAE) to read"
    )]
    InsertKeyGiven,
    /// A reader's key where the publisher's secret is needed.
    #[error(
        "this key only allows reading: to publish here use the insert key, whose third part is AQEQAAE"
    )]
    RequestKeyGiven,
    /// A CHK with a key, for an insert.
    #[error(
        "the key of a CHK follows from the content and cannot be chosen: use CHK@ or CHK@/name to publish"
    )]
    ContentKeyGiven,
    /// An SSK without a name, or a KSK without a phrase.
    #[error("a name is missing: {kind} keys need one, as in {example}")]
    NameMissing {
        /// Type of the key.
        kind: &'static str,
        /// How a right one looks.
        example: &'static str,
    },
    /// A USK without a number behind the site's name.
    #[error(
        "the edition is missing or not a number: a USK ends in the site's name and a number, as in USK@…/site/0"
    )]
    Edition,
    /// A name is not UTF-8 after decoding.
    #[error("a name in this URI is not UTF-8 text after its percent escapes are decoded")]
    NotUtf8,
    /// A name holds a character that could forge output.
    #[error(
        "a name in this URI holds a control character, such as a line break, which is not allowed"
    )]
    ControlCharacter,
}

impl From<InvalidExtra> for UriError {
    fn from(error: InvalidExtra) -> Self {
        match error {
            InvalidExtra::HyphanetAlgorithm(algorithm) => Self::HyphanetAlgorithm { algorithm },
            InvalidExtra::UnknownAlgorithm(algorithm) => Self::UnknownAlgorithm { algorithm },
            InvalidExtra::UnknownCodec(codec) => Self::UnknownCodec { codec },
            InvalidExtra::Malformed => Self::MalformedExtra,
        }
    }
}
