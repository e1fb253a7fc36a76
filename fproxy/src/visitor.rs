//! Who asks, and whether another site makes them ask.
//!
//! Browsers say in `Sec-Fetch-*` headers, which no page can forge, from where a request comes. A site may be entered from
//! anywhere by a click, but its parts are given to itself only: otherwise any page could find out which sites this node
//! has, by trying to show their pictures.

use axum::http::{HeaderMap, Method, header};

use crate::filter::Rewritten;

/// The kind of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// Somebody follows a link or enters an address in a browser.
    Person,
    /// The same in a browser that does not tell.
    PersonWithOldBrowser,
    /// A page loads one of its parts.
    Page,
    /// curl, wget, a player, a download manager, a program.
    Tool,
}

impl Visitor {
    /// Recognises the client.
    pub(crate) fn of_request(headers: &HeaderMap) -> Self {
        match text(headers, "sec-fetch-mode") {
            Some("navigate") => Self::Person,
            Some(_) => Self::Page,
            None if text(headers, "accept")
                .is_some_and(|accepted| accepted.contains("text/html")) =>
            {
                Self::PersonWithOldBrowser
            }
            None => Self::Tool,
        }
    }

    /// Whether a page in plain words is an answer that is understood.
    pub(crate) fn reads_pages(self) -> bool {
        matches!(self, Self::Person | Self::PersonWithOldBrowser)
    }
}

/// What a document is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// To be read, or nobody says.
    Any,
    /// As a style sheet.
    Sheet,
    /// As a picture, a sound or another part of a page that is neither a page nor a style sheet.
    Part,
}

impl Purpose {
    /// What the browser says.
    pub(crate) fn of_request(headers: &HeaderMap) -> Self {
        match text(headers, "sec-fetch-dest") {
            None | Some("document" | "empty") => Self::Any,
            Some("style") => Self::Sheet,
            Some(_) => Self::Part,
        }
    }

    /// Whether a document of this format can serve the purpose. One that cannot is not worth filtering: a page could
    /// keep the filter busy with pictures that are none.
    pub(crate) fn is_served_by(self, format: Rewritten) -> bool {
        match self {
            Self::Any => true,
            Self::Sheet => format == Rewritten::Css,
            Self::Part => false,
        }
    }
}

/// Whether a request may be answered, as far as the browser tells where it comes from.
pub(crate) fn is_admitted(method: &Method, headers: &HeaderMap) -> bool {
    let mode = text(headers, "sec-fetch-mode");
    if headers.contains_key("service-worker") {
        return false;
    }
    match text(headers, "sec-fetch-site") {
        None => !headers.contains_key("sec-fetch-site") && mode.is_none(),
        Some("same-origin" | "none") => true,
        Some("cross-site" | "same-site") => {
            method == Method::GET
                && mode == Some("navigate")
                && text(headers, "sec-fetch-dest") == Some("document")
        }
        Some(_) => false,
    }
}

/// Whether a form may have been sent by one of the node's own pages. Programs send neither header.
pub(crate) fn is_own_form(headers: &HeaderMap, is_own: impl Fn(&str) -> bool) -> bool {
    let origin = headers
        .get(header::ORIGIN)
        .map(|origin| origin.to_str().unwrap_or("null"));
    let site = headers
        .get("sec-fetch-site")
        .map(|site| site.to_str().unwrap_or_default());
    origin.is_none_or(is_own) && site.is_none_or(|site| site == "same-origin")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(site: &'static str, mode: &'static str, dest: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("sec-fetch-site", site),
            ("sec-fetch-mode", mode),
            ("sec-fetch-dest", dest),
        ] {
            if !value.is_empty() {
                headers.insert(name, value.parse().unwrap());
            }
        }
        headers
    }

    #[test]
    fn other_sites_may_only_link() {
        let admitted = |site, mode, dest| is_admitted(&Method::GET, &headers(site, mode, dest));
        assert!(admitted("", "", ""));
        assert!(admitted("none", "navigate", "document"));
        assert!(admitted("same-origin", "no-cors", "image"));
        assert!(admitted("cross-site", "navigate", "document"));
        assert!(!admitted("cross-site", "no-cors", "image"));
        assert!(!admitted("same-site", "no-cors", "image"));
        assert!(!admitted("cross-site", "navigate", "iframe"));
        assert!(!admitted("", "no-cors", "image"));
        assert!(!admitted("other", "navigate", "document"));
        assert!(!is_admitted(
            &Method::POST,
            &headers("cross-site", "navigate", "document")
        ));
        let mut worker = headers("same-origin", "same-origin", "serviceworker");
        worker.insert("service-worker", "script".parse().unwrap());
        assert!(!is_admitted(&Method::GET, &worker));
    }

    #[test]
    fn forms_of_other_origins_are_refused() {
        let own = |origin: &str| origin == "http://127.0.0.1:8888";
        let mut form = HeaderMap::new();
        assert!(is_own_form(&form, own));
        form.insert("origin", "http://127.0.0.1:8888".parse().unwrap());
        form.insert("sec-fetch-site", "same-origin".parse().unwrap());
        assert!(is_own_form(&form, own));
        form.insert("origin", "null".parse().unwrap());
        assert!(!is_own_form(&form, own));
        form.insert("origin", "http://127.0.0.1:8888".parse().unwrap());
        form.insert("sec-fetch-site", "same-site".parse().unwrap());
        assert!(!is_own_form(&form, own));
    }
}
