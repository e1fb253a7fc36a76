//! Editions of a site: the documents `site-0`, `site-1`, … of a subspace (USK).

use crate::signed::SignedKey;
use crate::subspace::SubspaceKey;

impl SubspaceKey {
    /// The document that holds `edition` of `site`.
    #[must_use]
    pub fn edition(&self, site: &str, edition: u64) -> SignedKey {
        SignedKey {
            subspace: self.clone(),
            name: edition_document_name(site, edition),
        }
    }
}

/// Name of the document that holds `edition` of `site`.
#[must_use]
pub fn edition_document_name(site: &str, edition: u64) -> String {
    format!("{site}-{edition}")
}

/// Site and edition, if `name` is the name of an edition as [`edition_document_name`] writes it.
#[must_use]
pub fn split_edition_name(name: &str) -> Option<(&str, u64)> {
    let (site, digits) = name.rsplit_once('-')?;
    let edition = digits.parse::<u64>().ok()?;
    // "+7" and "007" are numbers to the parser, but no edition is written like that.
    (edition.to_string() == digits).then_some((site, edition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_edition_is_site_dash_number() {
        assert_eq!(edition_document_name("my-site", 12), "my-site-12");
        assert_eq!(split_edition_name("my-site-12"), Some(("my-site", 12)));
    }

    #[test]
    fn other_names_are_no_editions() {
        for name in [
            "site",
            "site-",
            "site-x",
            "site-+1",
            "site-01",
            "site--1x",
            "site-18446744073709551616",
        ] {
            assert_eq!(split_edition_name(name), None, "{name}");
        }
    }
}
