//! Under which name the gateway was asked, and the names it gives to sites.
//!
//! The node's own pages live on the loopback address. Every site is shown under a name of its own, one label below
//! `localhost`, so that the browser keeps it apart from all others and from the node's pages. The label is a keyed hash:
//! it tells nothing about the site to whoever sees it, and no other page can guess it.

use std::fmt;

use axum::http::HeaderMap;
use axum::http::Uri as Target;
use axum::http::header::HOST;
use crypto::Uri;
use data_encoding::{BASE32_NOPAD, Encoding, Specification};
use zeroize::Zeroizing;

/// Characters of a label: 130 bits of the hash, within the 63 that DNS allows.
const LABEL_LEN: usize = 26;

/// The origin to which a request was addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The node's own pages; the host is kept as the client wrote it.
    Node,
    /// A site.
    Site(Label),
}

/// The name of a site's origin.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Label(String);

/// Not printed: whoever knows a site's key could compare.
impl fmt::Debug for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Label([redacted])")
    }
}

/// Knows the names of this gateway.
pub(crate) struct Origins {
    port: u16,
    secret: Zeroizing<[u8; 32]>,
}

impl Origins {
    pub(crate) fn new(port: u16, secret: Zeroizing<[u8; 32]>) -> Self {
        Self { port, secret }
    }

    /// The origin that a request names, if it is one of ours. Anything else is another site's attempt to reach the
    /// gateway through a name that it made point here.
    pub(crate) fn of_request(&self, target: &Target, headers: &HeaderMap) -> Option<Origin> {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return None;
        };
        let host = host.to_str().ok()?.to_ascii_lowercase();
        // A request written for a proxy names the host a second time.
        let twice = target
            .authority()
            .is_none_or(|other| other.as_str().eq_ignore_ascii_case(&host));
        twice.then(|| self.of_host(&host)).flatten()
    }

    /// The label under which a site is shown.
    pub(crate) fn label(&self, uri: &Uri) -> Label {
        let hash = blake3::keyed_hash(&self.secret, site_of(uri).as_bytes());
        let mut label = lower_base32().encode(hash.as_bytes());
        label.truncate(LABEL_LEN);
        Label(label)
    }

    /// Where a site's origin is reached.
    pub(crate) fn site_address(&self, label: &Label) -> String {
        format!("http://{}.localhost{}", label.0, self.port_suffix())
    }

    /// Where the node's pages are reached.
    pub(crate) fn node_address(&self) -> String {
        format!("http://127.0.0.1{}", self.port_suffix())
    }

    /// All sites' origins, as a source expression of a content security policy.
    pub(crate) fn sites_expression(&self) -> String {
        format!("http://*.localhost{}", self.port_suffix())
    }

    /// Whether the value of an `Origin` header is the node's own.
    pub(crate) fn is_node_address(&self, origin: &str) -> bool {
        origin
            .strip_prefix("http://")
            .is_some_and(|host| self.of_host(&host.to_ascii_lowercase()) == Some(Origin::Node))
    }

    fn of_host(&self, host: &str) -> Option<Origin> {
        // Browsers leave the port of `http` out; for every other port it must be there.
        let name = host.strip_suffix(self.port_suffix().as_str())?;
        if matches!(name, "127.0.0.1" | "localhost" | "[::1]") {
            return Some(Origin::Node);
        }
        let label = name.strip_suffix(".localhost")?;
        let letters = |byte: u8| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte);
        let formed = label.len() == LABEL_LEN && label.bytes().all(letters);
        formed.then(|| Origin::Site(Label(label.to_owned())))
    }

    fn port_suffix(&self) -> String {
        match self.port {
            80 => String::new(),
            port => format!(":{port}"),
        }
    }
}

/// What all addresses of one site have in common: the key without edition and path.
fn site_of(uri: &Uri) -> String {
    match uri {
        Uri::Updatable { .. } => {
            let root = uri.root().to_string();
            let end = root.rfind('/').unwrap_or(root.len());
            root[..end].to_owned()
        }
        Uri::Content { .. } | Uri::Signed { .. } | Uri::Keyword { .. } => uri.root().to_string(),
    }
}

fn lower_base32() -> Encoding {
    let mut specification: Specification = BASE32_NOPAD.specification();
    specification.symbols = specification.symbols.to_ascii_lowercase();
    specification
        .encoding()
        .expect("lower case letters are as distinct as upper case ones")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        Origins::new(8888, Zeroizing::new([7; 32]))
    }

    fn of(host: &str) -> Option<Origin> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        origins().of_request(&Target::from_static("/"), &headers)
    }

    #[test]
    fn only_our_own_names_are_answered() {
        for host in [
            "127.0.0.1:8888",
            "localhost:8888",
            "LocalHost:8888",
            "[::1]:8888",
        ] {
            assert_eq!(of(host), Some(Origin::Node), "{host}");
        }
        for host in [
            "127.0.0.1",
            "127.0.0.1:8889",
            "evil.example:8888",
            "localhost.evil.example:8888",
            "127.0.0.1.:8888",
            "localhost.:8888",
            "x.localhost:8888",
            "127.1:8888",
            "0.0.0.0:8888",
            "[::]:8888",
            "",
            ":8888",
            "a.abcdefghijklmnopqrstuvwxyz.localhost:8888",
            "abcdefghijklmnopqrstuvwxy1.localhost:8888",
            "127.0.0.1:08888",
            "user@127.0.0.1:8888",
        ] {
            assert_eq!(of(host), None, "{host}");
        }
        assert!(matches!(
            of("abcdefghijklmnopqrstuvwxyz.localhost:8888"),
            Some(Origin::Site(_))
        ));
    }

    #[test]
    fn two_host_headers_or_another_target_are_refused() {
        let mut headers = HeaderMap::new();
        headers.append(HOST, "localhost:8888".parse().unwrap());
        assert!(
            origins()
                .of_request(&Target::from_static("http://evil.example/"), &headers)
                .is_none()
        );
        headers.append(HOST, "localhost:8888".parse().unwrap());
        assert!(
            origins()
                .of_request(&Target::from_static("/"), &headers)
                .is_none()
        );
    }

    #[test]
    fn a_label_names_a_site_whatever_the_edition_and_path() {
        let label = |text: &str| origins().label(&text.parse().unwrap());
        assert_eq!(label("KSK@a/b/c"), label("KSK@a"));
        assert_ne!(label("KSK@a"), label("KSK@b"));
        let other = Origins::new(8888, Zeroizing::new([8; 32]));
        assert_ne!(label("KSK@a"), other.label(&"KSK@a".parse().unwrap()));
        let address = origins().site_address(&label("KSK@a"));
        let host = address.strip_prefix("http://").unwrap();
        assert_eq!(of(host), Some(Origin::Site(label("KSK@a"))));
    }
}
