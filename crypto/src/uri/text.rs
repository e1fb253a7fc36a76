//! From any text that people paste to type, key part and names.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::{URI_LEN_MAX, UriError};

/// A URI cut into its pieces.
pub(super) struct Pieces {
    pub(super) kind: Kind,
    /// Between `@` and the first `/`, decoded. May hold a secret.
    pub(super) key: Zeroizing<String>,
    /// What stands between the slashes behind the key, decoded. Empty if there is no slash.
    pub(super) names: Vec<String>,
}

/// The four types.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Content,
    Signed,
    Updatable,
    Keyword,
}

impl Pieces {
    /// Cuts `text`, which may be a pasted web address, carry a scheme, or have its special characters escaped.
    pub(super) fn parse(text: &str) -> Result<Self, UriError> {
        let text = text.trim();
        if text.len() > URI_LEN_MAX {
            return Err(UriError::TooLong { len: text.len() });
        }
        let unescaped = unescape_head(strip_prefixes(strip_query(text)))?;
        let text = strip_prefixes(strip_query(&unescaped));
        let (kind, rest) = text.split_once('@').ok_or(UriError::NoType)?;
        let kind = Kind::parse(kind)?;
        let mut parts = rest.split('/');
        let key = Zeroizing::new(decode(parts.next().unwrap_or_default())?.into_owned());
        let names = parts
            .map(|part| decode(part).map(Cow::into_owned))
            .collect::<Result<_, _>>()?;
        Ok(Self { kind, key, names })
    }
}

impl Kind {
    fn parse(text: &str) -> Result<Self, UriError> {
        let is = |name: &str| text.eq_ignore_ascii_case(name);
        match () {
            () if is("CHK") => Ok(Self::Content),
            () if is("SSK") => Ok(Self::Signed),
            () if is("USK") => Ok(Self::Updatable),
            () if is("KSK") => Ok(Self::Keyword),
            () if text.contains('/') => Err(UriError::NoType),
            () => Err(UriError::UnknownType),
        }
    }
}

/// Everything before the first `?` or `#`.
fn strip_query(text: &str) -> &str {
    text.find(['?', '#'])
        .and_then(|end| text.get(..end))
        .unwrap_or(text)
}

/// Without `http(s)://host/` and a scheme such as `freenet:` in front.
fn strip_prefixes(text: &str) -> &str {
    let text = strip_web_address(text).unwrap_or(text);
    let without_wrapper = strip_word(text, "web+")
        .or_else(|| strip_word(text, "ext+"))
        .unwrap_or(text);
    ["freenet:", "hyphanet:", "hypha:"]
        .into_iter()
        .find_map(|scheme| strip_word(without_wrapper, scheme))
        .unwrap_or(text)
}

/// What follows `http://host/`, or `None` if `text` does not begin so.
fn strip_web_address(text: &str) -> Option<&str> {
    let rest = strip_word(text, "http://").or_else(|| strip_word(text, "https://"))?;
    let (host, path) = rest.split_once('/')?;
    (!host.is_empty()).then(|| path.trim_start_matches('/'))
}

/// `text` without `word` in front, in whatever case it is written.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word)
        .then(|| text.get(word.len()..))
        .flatten()
}

/// Browsers and forms escape `@` and `,`, or even everything. If there is no `@` before the first slash, one level of escapes
/// is removed: from the whole text if its slashes are escaped too, and else only up to the first slash, since what follows
/// carries its escapes once and is decoded later.
fn unescape_head(text: &str) -> Result<Zeroizing<String>, UriError> {
    let (head, tail) = text.split_at(text.find('/').unwrap_or(text.len()));
    if head.contains('@') {
        return Ok(Zeroizing::new(text.to_owned()));
    }
    let mut unescaped = Zeroizing::new(String::with_capacity(text.len()));
    if head.contains("%2F") || head.contains("%2f") {
        unescaped.push_str(&decode_utf8(text)?);
    } else {
        unescaped.push_str(&decode_utf8(head)?);
        unescaped.push_str(tail);
    }
    Ok(unescaped)
}

/// Decodes the escapes of one part. A `%` that begins no escape stands for itself, since clients send raw names.
fn decode(part: &str) -> Result<Cow<'_, str>, UriError> {
    let decoded = decode_utf8(part)?;
    if decoded.chars().any(char::is_control) {
        return Err(UriError::ControlCharacter);
    }
    Ok(decoded)
}

fn decode_utf8(part: &str) -> Result<Cow<'_, str>, UriError> {
    percent_decode_str(part)
        .decode_utf8()
        .map_err(|_| UriError::NotUtf8)
}
