//! URIs as text.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use serde::Serialize;

use super::Uri;
use crate::base64;

/// Freenet's form, without a scheme in front. All of it is ASCII, and nothing in it is special in HTML, in HTTP headers or
/// (but for a `~` at the beginning of a word) in a shell.
impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        match self {
            Self::Content { key, .. } => {
                text.push_str("CHK@");
                base64::append(&mut text, key.routing_key.as_bytes());
                text.push(',');
                base64::append(&mut text, key.file_key.as_bytes());
                text.push(',');
                base64::append(&mut text, &key.extra.to_bytes());
            }
            Self::Signed { key, .. } => {
                key.subspace.append_uri(&mut text, "SSK");
                append_name(&mut text, &key.name);
            }
            Self::Updatable {
                subspace,
                site,
                edition,
                ..
            } => {
                subspace.append_uri(&mut text, "USK");
                append_name(&mut text, site);
                append_name(&mut text, &edition.to_string());
            }
            Self::Keyword { phrase, .. } => {
                text.push_str("KSK@");
                text.extend(utf8_percent_encode(phrase, ESCAPED));
            }
        }
        append_path(&mut text, self.path());
        f.write_str(&text)
    }
}

/// As its text.
impl Serialize for Uri {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Appends `/` and the escaped name for every name.
pub(super) fn append_path(text: &mut String, path: &[String]) {
    for name in path {
        append_name(text, name);
    }
}

/// Appends `/` and the escaped name.
pub(super) fn append_name(text: &mut String, name: &str) {
    text.push('/');
    text.extend(utf8_percent_encode(name, ESCAPED));
}

/// Escapes a phrase or name for use in a URI.
pub(super) fn escaped(name: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(name, ESCAPED)
}

/// Everything but letters, digits and a few marks that mean nothing to shells, browsers and HTTP.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b',')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');
