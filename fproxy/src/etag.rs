//! `ETag`: the name of a representation, and the questions clients ask with it.
//!
//! A `CHK@` or `SSK@` address always leads to the same content, so its tag follows from the address alone and a client that
//! has it can be told so without asking the network. The tag also names how the content was prepared, since a filtered
//! page and the file it came from are two representations.

use axum::http::{HeaderMap, HeaderValue, header};
use crypto::Uri;
use data_encoding::BASE64URL_NOPAD;

use crate::filter;
use crate::network::Document;

/// A strong entity tag, with its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ETag(String);

/// How the content is prepared for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Preparation {
    /// To be looked at: filtered where its type needs it.
    Shown,
    /// To be kept: as it was published.
    Raw,
}

impl ETag {
    /// The tag of an address whose content can never change.
    pub(crate) fn of_immutable(uri: &Uri, preparation: Preparation) -> Option<Self> {
        match uri {
            Uri::Content { .. } | Uri::Signed { .. } => Some(Self::new(uri, None, preparation)),
            Uri::Updatable { .. } | Uri::Keyword { .. } => None,
        }
    }

    /// The tag of a document that was found.
    pub(crate) fn of_document(document: &Document, preparation: Preparation) -> Option<Self> {
        match &document.uri {
            Uri::Content { .. } | Uri::Signed { .. } | Uri::Updatable { .. } => {
                Some(Self::new(&document.uri, None, preparation))
            }
            // A phrase can have different content for different readers.
            Uri::Keyword { .. } => {
                let hash = document.content_hash?;
                Some(Self::new(&document.uri, Some(hash), preparation))
            }
        }
    }

    /// As a header's value.
    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("base64 is ASCII")
    }

    /// Whether the client says in `If-None-Match` that it has this representation, which was found to exist.
    pub(crate) fn is_known(&self, headers: &HeaderMap) -> bool {
        self.is_listed(headers) || conditions(headers).any(|tag| tag == "*")
    }

    /// Whether the client names this very representation in `If-None-Match`. A `*` names none: it stands for any that
    /// exists, and whether one does is not known before it was found.
    pub(crate) fn is_listed(&self, headers: &HeaderMap) -> bool {
        conditions(headers).any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == self.0)
    }

    /// Whether a `Range` may be honoured: there is no `If-Range`, or it names exactly this representation.
    pub(crate) fn allows_range(tag: Option<&Self>, headers: &HeaderMap) -> bool {
        match headers.get(header::IF_RANGE) {
            None => true,
            Some(condition) => tag.is_some_and(|tag| condition.as_bytes() == tag.0.as_bytes()),
        }
    }

    fn new(uri: &Uri, content: Option<[u8; 32]>, preparation: Preparation) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("warren fproxy 2026 entity tag");
        hasher.update(uri.to_string().as_bytes());
        hasher.update(content.as_ref().map_or(&[][..], |hash| &hash[..]));
        let hash = BASE64URL_NOPAD.encode(&hasher.finalize().as_bytes()[..16]);
        Self(match preparation {
            Preparation::Shown => format!("\"{hash}.f{}\"", filter::VERSION),
            Preparation::Raw => format!("\"{hash}.raw\""),
        })
    }
}

/// The tags in `If-None-Match`. Ours contain no commas, so cutting at commas finds them.
fn conditions(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter();
    lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(',').map(str::trim))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag() -> ETag {
        let uri: Uri = "KSK@x".parse().unwrap();
        ETag::new(&uri, None, Preparation::Shown)
    }

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn a_known_tag_is_found_in_every_notation() {
        let ETag(text) = tag();
        for list in [
            text.clone(),
            format!("W/{text}"),
            format!("\"a\", {text} ,\"b\""),
            "*".into(),
        ] {
            assert!(
                tag().is_known(&with(header::IF_NONE_MATCH, &list)),
                "{list}"
            );
        }
        for list in ["\"a\"", "", &text[1..]] {
            assert!(
                !tag().is_known(&with(header::IF_NONE_MATCH, list)),
                "{list}"
            );
        }
    }

    #[test]
    fn a_range_is_continued_only_within_the_same_representation() {
        let ETag(text) = tag();
        let allows =
            |condition: &str| ETag::allows_range(Some(&tag()), &with(header::IF_RANGE, condition));
        assert!(allows(&text));
        assert!(!allows(&format!("W/{text}")));
        assert!(!allows("Wed, 21 Oct 2015 07:28:00 GMT"));
        assert!(ETag::allows_range(None, &HeaderMap::new()));
        assert!(!ETag::allows_range(None, &with(header::IF_RANGE, &text)));
    }

    #[test]
    fn filtered_and_raw_are_two_representations() {
        let uri: Uri = "KSK@x".parse().unwrap();
        assert_ne!(ETag::new(&uri, None, Preparation::Raw), tag());
        assert_eq!(ETag::of_immutable(&uri, Preparation::Raw), None);
    }
}
