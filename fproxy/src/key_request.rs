//! A request for a key: `/KEY/path?options`.

use axum::http::Uri as Target;
use crypto::{Uri, UriError};
use url::form_urlencoded;

use crate::etag::Preparation;

/// A request for a key, understood.
#[derive(Debug)]
pub(crate) struct KeyRequest {
    pub(crate) uri: Uri,
    pub(crate) saving: Saving,
    /// The name under which the client wants to save it.
    pub(crate) file_name: Option<String>,
    query: Option<String>,
}

/// Whether the document is to be saved instead of shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saving {
    /// It is shown.
    No,
    /// `?download`.
    Asked,
    /// `?forcedownload=true`, as Freenet has it: under a type that no browser shows.
    Forced,
}

impl KeyRequest {
    /// Reads the target of a request.
    pub(crate) fn parse(target: &Target) -> Result<Self, UriError> {
        let uri = Uri::parse(target.path().trim_start_matches('/'))?;
        let query = target.query();
        let mut request = Self {
            uri,
            saving: Saving::No,
            file_name: None,
            query: query.map(str::to_owned),
        };
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "forcedownload" if value != "false" => request.saving = Saving::Forced,
                "download" if request.saving == Saving::No && value != "false" => {
                    request.saving = Saving::Asked;
                }
                "filename" if !value.is_empty() => request.file_name = Some(value.into_owned()),
                _ => {}
            }
        }
        Ok(request)
    }

    /// How the document is to be prepared.
    pub(crate) fn preparation(&self) -> Preparation {
        match self.saving {
            Saving::No => Preparation::Shown,
            Saving::Asked | Saving::Forced => Preparation::Raw,
        }
    }

    /// The path and query under which the same is asked of `uri`.
    pub(crate) fn path_of(&self, uri: &Uri) -> String {
        match &self.query {
            Some(query) => format!("/{uri}?{query}"),
            None => format!("/{uri}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(target: &str) -> KeyRequest {
        KeyRequest::parse(&target.parse().unwrap()).unwrap()
    }

    #[test]
    fn options_are_read_from_the_query() {
        assert_eq!(parse("/KSK@a.txt").saving, Saving::No);
        assert_eq!(parse("/KSK@a.txt?download").saving, Saving::Asked);
        assert_eq!(
            parse("/KSK@a.txt?forcedownload=true&download").saving,
            Saving::Forced
        );
        assert_eq!(
            parse("/KSK@a.txt?filename=b%20c").file_name.as_deref(),
            Some("b c")
        );
        assert_eq!(
            parse("/KSK@a.txt?max-size=5").path_of(&parse("/KSK@b").uri),
            "/KSK@b?max-size=5"
        );
    }

    #[test]
    fn escaped_and_prefixed_keys_are_read() {
        for target in ["/KSK%40a", "/freenet:KSK@a", "/ksk@a", "//KSK@a"] {
            assert_eq!(parse(target).uri.to_string(), "KSK@a", "{target}");
        }
    }

    proptest! {
        #[test]
        fn any_target_is_survived(path in "/[ -~]{0,60}") {
            if let Ok(target) = path.parse::<Target>() {
                _ = KeyRequest::parse(&target);
            }
        }
    }
}
