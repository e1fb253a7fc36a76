//! Reading request URIs.

use std::borrow::Cow;
use std::str::FromStr;

use serde::Deserialize;

use super::text::{Kind, Pieces};
use super::{Uri, UriError};
use crate::base64;
use crate::content_key::{ContentExtra, ContentKey};
use crate::file_key::FileKey;
use crate::layout::check_algorithm;
use crate::routing_key::RoutingKey;
use crate::signed::SignedKey;
use crate::subspace::{INSERT_EXTRA, REQUEST_EXTRA, SubspaceKey};

impl Uri {
    /// Reads a request URI. Accepts what people paste: surrounding spaces, a scheme (`freenet:`, `hyphanet:`, `hypha:`, also
    /// behind `web+` or `ext+`), the web address of a gateway in front, escaped `@` and `,`, and a type in any case; everything
    /// from the first `?` or `#` is dropped.
    ///
    /// # Errors
    /// A sentence for the user about what is wrong and what to do.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let Pieces { kind, key, names } = Pieces::parse(text)?;
        match kind {
            Kind::Content => Ok(Self::Content {
                key: content_key(&key)?,
                path: names,
            }),
            Kind::Signed => {
                let subspace = subspace_key(&key, "SSK")?;
                let (name, path) = split_name(names, "SSK", SSK_EXAMPLE)?;
                Ok(Self::Signed {
                    key: SignedKey { subspace, name },
                    path,
                })
            }
            Kind::Updatable => {
                let subspace = subspace_key(&key, "USK")?;
                let (site, edition, path) = split_site(names)?;
                Ok(Self::Updatable {
                    subspace,
                    site,
                    edition,
                    path,
                })
            }
            Kind::Keyword => Ok(Self::Keyword {
                phrase: phrase(&key)?,
                path: names,
            }),
        }
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for Uri {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn content_key(text: &str) -> Result<ContentKey, UriError> {
    // `CHK@R,K,E.ext`: some programs hang the extension of a file directly on the key. Base64 has no dot.
    let text = text.split_once('.').map_or(text, |(key, _)| key);
    let (first, second, third) = three_parts(text, "CHK")?;
    let extra = ContentExtra::from_bytes(part(third, "third part")?)?;
    Ok(ContentKey {
        routing_key: RoutingKey::from_bytes(part(first, "first part")?),
        file_key: FileKey::from_bytes(part(second, "second part")?),
        extra,
    })
}

fn subspace_key(text: &str, kind: &'static str) -> Result<SubspaceKey, UriError> {
    let (first, second, third) = three_parts(text, kind)?;
    match part(third, "third part")? {
        REQUEST_EXTRA => {}
        INSERT_EXTRA => return Err(UriError::InsertKeyGiven),
        extra => return Err(wrong_subspace_extra(extra)),
    }
    SubspaceKey::from_parts(part(first, "first part")?, part(second, "second part")?)
        .map_err(|_| UriError::PublicKey)
}

/// What is wrong with extra bytes that are neither [`REQUEST_EXTRA`] nor [`INSERT_EXTRA`].
pub(super) fn wrong_subspace_extra(extra: [u8; 5]) -> UriError {
    let [_, _, algorithm, _, _] = extra;
    check_algorithm(algorithm).map_or_else(UriError::from, |()| UriError::MalformedExtra)
}

/// The three parts between `@` and the first slash.
pub(super) fn three_parts<'a>(
    text: &'a str,
    kind: &'static str,
) -> Result<(&'a str, &'a str, &'a str), UriError> {
    let mut parts = text.split(',');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(first), Some(second), Some(third), None) => Ok((first, second, third)),
        _ => Err(UriError::KeyParts { kind }),
    }
}

/// One part of a key.
pub(super) fn part<const N: usize>(text: &str, part: &'static str) -> Result<[u8; N], UriError> {
    base64::decode(text).map_err(|wrong| UriError::KeyPart {
        part,
        chars: wrong.expected_chars,
    })
}

/// The phrase of a KSK.
pub(super) fn phrase(key: &str) -> Result<String, UriError> {
    if key.is_empty() {
        return Err(UriError::NameMissing {
            kind: "KSK",
            example: "KSK@some-words",
        });
    }
    Ok(key.to_owned())
}

/// The first name and the path behind it. The name may be empty if the slash is there (`SSK@…/`).
pub(super) fn split_name(
    names: Vec<String>,
    kind: &'static str,
    example: &'static str,
) -> Result<(String, Vec<String>), UriError> {
    let mut names = names.into_iter();
    let name = names
        .next()
        .ok_or(UriError::NameMissing { kind, example })?;
    Ok((name, names.collect()))
}

/// Site, edition and the path behind them.
pub(super) fn split_site(names: Vec<String>) -> Result<(String, i64, Vec<String>), UriError> {
    let (site, rest) = split_name(names, "USK", USK_EXAMPLE)?;
    if site.is_empty() {
        return Err(UriError::NameMissing {
            kind: "USK",
            example: USK_EXAMPLE,
        });
    }
    let mut rest = rest.into_iter();
    let text = rest.next().ok_or(UriError::Edition)?;
    if text.starts_with('+') {
        return Err(UriError::Edition);
    }
    Ok((
        site,
        text.parse().map_err(|_| UriError::Edition)?,
        rest.collect(),
    ))
}

pub(super) const SSK_EXAMPLE: &str = "SSK@…/name";
pub(super) const USK_EXAMPLE: &str = "USK@…/site/0";
