//! What an address within a document may point to.
//!
//! Every address is resolved by the same URL rules that a browser follows and then written anew as a path on the
//! document's own origin. So there is nothing left for a browser to understand differently from the filter: what comes
//! out begins with `/` and a key, or leads to the page that warns of links out of the network.

use std::cell::Cell;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Host, Url};

/// Path of the page that shows an address outside the network.
pub(crate) const EXTERNAL_LINK: &str = "/external-link";

/// Longest address, in bytes, that is carried to the warning page.
const EXTERNAL_LEN_MAX: usize = 4096;

/// Bytes that all rewritten addresses of one document may have together. A short relative address becomes a long path, so
/// without this a page of some megabytes could be made into one of gigabytes.
const REWRITTEN_LEN_MAX: usize = 8 * 1024 * 1024;

/// A host that exists nowhere; stands for the origin from which the document is served.
const ORIGIN: &str = "http://site.invalid";

/// Schemes that a link may have to reach the warning page. Everything else (`javascript:`, `data:`, `file:`, …) goes.
const EXTERNAL_SCHEMES: [&str; 14] = [
    "http", "https", "ftp", "mailto", "news", "nntp", "irc", "ircs", "xmpp", "magnet", "gemini",
    "gopher", "matrix", "ipfs",
];

/// Schemes under which people write keys.
const KEY_SCHEMES: [&str; 5] = [
    "freenet:",
    "hyphanet:",
    "hypha:",
    "web+freenet:",
    "ext+freenet:",
];

const KEY_TYPES: [&str; 4] = ["CHK@", "SSK@", "USK@", "KSK@"];

/// Rewrites the addresses of one document.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    base: Url,
    site: String,
    /// Bytes left of the bound; nothing when it was exceeded.
    left: Cell<Option<usize>>,
}

impl Links {
    /// Takes the path under which the document is served and the path of the site's root, both starting with `/` and
    /// a key.
    pub(crate) fn new(document: &str, site: &str) -> Self {
        let nowhere = Url::parse(ORIGIN).expect("the constant is a valid URL");
        Self {
            base: nowhere.join(document).unwrap_or(nowhere),
            site: site.trim_end_matches('/').to_owned(),
            left: Cell::new(Some(REWRITTEN_LEN_MAX)),
        }
    }

    /// The same with the full bound, for another reading of the document.
    pub(crate) fn renewed(&self) -> Self {
        let left = Cell::new(Some(REWRITTEN_LEN_MAX));
        Self {
            left,
            ..self.clone()
        }
    }

    /// Whether addresses were left out because there were too many.
    pub(crate) fn are_too_many(&self) -> bool {
        self.left.get().is_none()
    }

    /// Rewrites where a click may lead: a key, a place within the site or document, or the warning page.
    pub(crate) fn navigation(&self, address: &str) -> Option<String> {
        let address = trimmed(address);
        if address.is_empty() || address.starts_with('#') {
            return Some(address.to_owned());
        }
        let url = self.resolve(address)?;
        if let Some(path) = self.internal(&url) {
            return Some(path);
        }
        let known = EXTERNAL_SCHEMES.contains(&url.scheme());
        if !known || url.as_str().len() > EXTERNAL_LEN_MAX {
            return None;
        }
        let target = utf8_percent_encode(url.as_str(), NON_ALPHANUMERIC);
        self.counted(format!("{EXTERNAL_LINK}?to={target}"))
    }

    /// Rewrites what the browser fetches by itself: only keys and places within the site.
    pub(crate) fn resource(&self, address: &str) -> Option<String> {
        let address = trimmed(address);
        if address.is_empty() || address.starts_with('#') {
            return None;
        }
        let path = self.internal(&self.resolve(address)?)?;
        (!path.starts_with(EXTERNAL_LINK)).then_some(path)
    }

    /// As [`Links::resource`], and also pictures that lie within the document itself.
    pub(crate) fn image(&self, address: &str) -> Option<String> {
        let address = trimmed(address);
        if is_inline_picture(address) {
            return Some(address.to_owned());
        }
        self.resource(address)
    }

    fn resolve(&self, address: &str) -> Option<Url> {
        match key_of(address) {
            Some(key) => self.base.join(&format!("/{key}")).ok(),
            None => self.base.join(address).ok(),
        }
    }

    /// The path on the own origin, if the address stays there.
    fn internal(&self, url: &Url) -> Option<String> {
        let key = names_key(url.path());
        let own = url.origin() == self.base.origin();
        if !(own || key && is_loopback(url)) {
            return None;
        }
        if own && url.path() == EXTERNAL_LINK {
            let query = url.query().filter(|query| query.starts_with("to="))?;
            return self.counted(format!("{EXTERNAL_LINK}?{query}"));
        }
        // `/style.css` means the root of the site to whoever built it, not the root of the gateway.
        let root = if key { "" } else { self.site.as_str() };
        let mut path = format!("{root}{}", url.path());
        if let Some(query) = url.query() {
            path.push('?');
            path.push_str(query);
        }
        if let Some(fragment) = url.fragment() {
            path.push('#');
            path.push_str(fragment);
        }
        self.counted(path)
    }

    fn counted(&self, address: String) -> Option<String> {
        let left = self
            .left
            .get()
            .and_then(|left| left.checked_sub(address.len()));
        self.left.set(left);
        left.map(|_| address)
    }
}

/// Whether the first part of a path is a key, in any of the spellings people use.
pub(crate) fn names_key(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or("");
    // The type of a key with everything percent-encoded takes less than this.
    let head: Vec<u8> = percent_decode_str(first).take(24).collect();
    let head = String::from_utf8_lossy(&head);
    path.starts_with('/') && !path.starts_with("//") && key_of(&head).is_some()
}

/// The part of an address from the type of the key on.
fn key_of(address: &str) -> Option<&str> {
    let scheme = KEY_SCHEMES
        .iter()
        .find(|scheme| starts_with_ignoring_case(address, scheme));
    let key = scheme.map_or(address, |scheme| {
        address[scheme.len()..].trim_start_matches('/')
    });
    let known = |kind: &str| starts_with_ignoring_case(key, kind);
    KEY_TYPES.iter().any(|kind| known(kind)).then_some(key)
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

fn is_inline_picture(address: &str) -> bool {
    ["png", "jpeg", "gif", "webp"].iter().any(|format| {
        let head = format!("data:image/{format};base64,");
        let data = address.strip_prefix(head.as_str());
        data.is_some_and(|data| {
            data.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
        })
    })
}

/// As the URL standard says, control characters and spaces around an address do not count.
fn trimmed(address: &str) -> &str {
    address.trim_matches(|character: char| character <= ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        Links::new("/USK@p,c,e/site/5/blog/post.html", "/USK@p,c,e/site/5/")
    }

    #[test]
    fn relative_addresses_become_paths_under_the_site() {
        let resource = |address| links().resource(address);
        assert_eq!(
            resource("a.png"),
            Some("/USK@p,c,e/site/5/blog/a.png".into())
        );
        assert_eq!(
            resource("../a.png?x"),
            Some("/USK@p,c,e/site/5/a.png?x".into())
        );
        assert_eq!(
            resource("/css/a.css"),
            Some("/USK@p,c,e/site/5/css/a.css".into())
        );
        assert_eq!(
            resource("\n a b.png\t"),
            Some("/USK@p,c,e/site/5/blog/a%20b.png".into())
        );
    }

    #[test]
    fn keys_in_any_spelling_stay_keys() {
        for address in [
            "/CHK@a,b,c/x",
            "freenet:CHK@a,b,c/x",
            "FREENET:/CHK@a,b,c/x",
            "CHK@a,b,c/x",
            "http://127.0.0.1:8888/CHK@a,b,c/x",
            "http://localhost/CHK@a,b,c/x",
            "http://abcdefghijklmnopqrstuvwxyz.localhost:8888/CHK@a,b,c/x",
        ] {
            assert_eq!(
                links().resource(address).as_deref(),
                Some("/CHK@a,b,c/x"),
                "{address}"
            );
        }
        assert_eq!(
            links().resource("/CHK%40a,b,c/x").as_deref(),
            Some("/CHK%40a,b,c/x")
        );
    }

    #[test]
    fn nothing_that_a_browser_fetches_leaves_the_origin() {
        for address in [
            "http://evil.example/x",
            "//evil.example/x",
            "/\\evil.example/x",
            "\\\\evil.example",
            "ht\ntp://evil.example",
            "https:evil.example",
            "/.//evil.example/x",
            "/..//evil.example",
            "////evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "data:image/svg+xml;base64,PHN2Zz4=",
            "http://user@site.invalid:81/x",
            "http://127.0.0.1:8888/publish",
            "ftp://127.0.0.1/CHK@a",
        ] {
            if let Some(path) = links().resource(address) {
                assert!(
                    path.starts_with("/USK@p,c,e/site/5/"),
                    "{address} became {path}"
                );
            }
        }
        assert_eq!(links().resource("//evil.example/x"), None);
        assert_eq!(links().resource("/external-link?to=x"), None);
    }

    #[test]
    fn links_out_of_the_network_lead_to_the_warning() {
        let link = links().navigation("https://example.org/?a=b&c").unwrap();
        assert_eq!(
            link,
            "/external-link?to=https%3A%2F%2Fexample%2Eorg%2F%3Fa%3Db%26c"
        );
        assert_eq!(links().navigation(&link).as_ref(), Some(&link));
        assert_eq!(links().navigation("javascript:alert(1)"), None);
        assert_eq!(links().navigation(" java\tscript:alert(1)"), None);
        assert_eq!(links().navigation("#top").as_deref(), Some("#top"));
    }

    #[test]
    fn addresses_cannot_grow_without_bound() {
        let links = Links::new(&format!("/KSK@{}/x", "a".repeat(8000)), "/KSK@a");
        let kept = (0..10_000)
            .filter_map(|_| links.resource("x"))
            .map(|path| path.len());
        assert!(kept.sum::<usize>() <= REWRITTEN_LEN_MAX);
        assert!(links.are_too_many());
        assert!(!links.renewed().are_too_many());
    }

    #[test]
    fn only_plain_pictures_may_be_inline() {
        assert!(links().image("data:image/png;base64,iVBORw0=").is_some());
        assert!(
            links()
                .image("data:image/svg+xml;base64,PHN2Zz4=")
                .is_none()
        );
        assert!(links().image("data:image/png;base64,\"><script>").is_none());
        assert!(links().resource("data:image/png;base64,iVBORw0=").is_none());
    }
}
