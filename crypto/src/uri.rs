//! URIs: the text form of keys, in Freenet's grammar.
//!
//! ```text
//! CHK@R,K,E/name/…            SSK@P,C,E/document/…
//! USK@P,C,E/site/edition/…    KSK@phrase/…
//! ```
//! A path is kept exactly: `CHK@…` has no parts, `CHK@…/` has one empty part, `CHK@…/a/` has the parts `a` and nothing. So
//! the difference between a document and a folder survives reading and printing.

mod error;
mod insert;
mod parse;
mod print;
mod text;

use std::fmt;

use crate::content_key::ContentKey;
use crate::keyword::KeywordKey;
use crate::signed::SignedKey;
use crate::subspace::SubspaceKey;

pub use error::UriError;
pub use insert::InsertUri;

/// Bytes of the longest URI that is read.
pub const URI_LEN_MAX: usize = 8 * 1024;

/// A URI to read with. Its text gives whoever sees it the right to read the document.
#[derive(Clone, PartialEq, Eq)]
pub enum Uri {
    /// `CHK@R,K,E/path`.
    Content {
        /// The block.
        key: ContentKey,
        /// Names inside the document.
        path: Vec<String>,
    },
    /// `SSK@P,C,E/name/path`.
    Signed {
        /// Subspace and name.
        key: SignedKey,
        /// Names inside the document.
        path: Vec<String>,
    },
    /// `USK@P,C,E/site/edition/path`.
    Updatable {
        /// Whose site.
        subspace: SubspaceKey,
        /// Which site.
        site: String,
        /// From 0: this edition or a newer one. Negative: search thoroughly for the newest first.
        edition: i64,
        /// Names inside the document.
        path: Vec<String>,
    },
    /// `KSK@phrase/path`.
    Keyword {
        /// The phrase.
        phrase: String,
        /// Names inside the document.
        path: Vec<String>,
    },
}

impl Uri {
    /// Names inside the document.
    #[must_use]
    pub fn path(&self) -> &[String] {
        match self {
            Self::Content { path, .. }
            | Self::Signed { path, .. }
            | Self::Updatable { path, .. }
            | Self::Keyword { path, .. } => path,
        }
    }

    /// The same document with another path inside it.
    #[must_use]
    pub fn with_path(mut self, new_path: Vec<String>) -> Self {
        match &mut self {
            Self::Content { path, .. }
            | Self::Signed { path, .. }
            | Self::Updatable { path, .. }
            | Self::Keyword { path, .. } => *path = new_path,
        }
        self
    }

    /// The document itself, without a path inside it.
    #[must_use]
    pub fn root(&self) -> Self {
        match self {
            Self::Content { key, .. } => Self::Content {
                key: key.clone(),
                path: Vec::new(),
            },
            Self::Signed { key, .. } => Self::Signed {
                key: key.clone(),
                path: Vec::new(),
            },
            Self::Updatable {
                subspace,
                site,
                edition,
                ..
            } => Self::Updatable {
                subspace: subspace.clone(),
                site: site.clone(),
                edition: *edition,
                path: Vec::new(),
            },
            Self::Keyword { phrase, .. } => Self::Keyword {
                phrase: phrase.clone(),
                path: Vec::new(),
            },
        }
    }

    /// `CHK`, `SSK`, `USK` or `KSK`.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Content { .. } => "CHK",
            Self::Signed { .. } => "SSK",
            Self::Updatable { .. } => "USK",
            Self::Keyword { .. } => "KSK",
        }
    }

    /// The last name that is not empty: of the path, or else of the document, site or phrase. A CHK without a path has none.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        let own = match self {
            Self::Content { .. } => "",
            Self::Signed { key, .. } => &key.name,
            Self::Updatable { site, .. } => site,
            Self::Keyword { phrase, .. } => phrase,
        };
        let mut names = self.path().iter().rev().map(String::as_str).chain([own]);
        names.find(|name| !name.is_empty())
    }

    /// The phrase's key, if this is a KSK.
    #[must_use]
    pub fn keyword_key(&self) -> Option<KeywordKey> {
        match self {
            Self::Keyword { phrase, .. } => Some(KeywordKey {
                phrase: phrase.clone(),
            }),
            Self::Content { .. } | Self::Signed { .. } | Self::Updatable { .. } => None,
        }
    }
}

/// Only the type: which document somebody reads belongs in no log.
impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({}@[redacted])", self.type_name())
    }
}

#[cfg(test)]
mod tests;
