//! URIs to publish with.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use super::parse::{
    SSK_EXAMPLE, part, phrase, split_name, split_site, three_parts, wrong_subspace_extra,
};
use super::print::{append_name, append_path, escaped};
use super::text::{Kind, Pieces};
use super::{URI_LEN_MAX, Uri, UriError};
use crate::signed::SignedKey;
use crate::subspace::{INSERT_EXTRA, REQUEST_EXTRA, SubspaceSecret};

/// A URI to publish with. It may hold a publisher's secret, so it is printed by nothing but [`to_secret_string`](Self::to_secret_string).
///
/// One slash at the end of the text is ignored, since clients differ in writing it.
#[derive(Clone, PartialEq, Eq)]
pub enum InsertUri {
    /// `CHK@` or `CHK@/name`: the key follows from the content.
    Content {
        /// Names to give the content.
        path: Vec<String>,
    },
    /// `SSK@s,C,E/name`; without a name (`SSK@s,C,E/`) the name is empty and up to the program.
    Signed {
        /// The publisher's secret.
        secret: SubspaceSecret,
        /// Name of the document.
        name: String,
        /// Names inside the document.
        path: Vec<String>,
    },
    /// `SSK@` or `SSK@/name`: a fresh subspace is wanted.
    RandomSigned {
        /// Names to give the content.
        path: Vec<String>,
    },
    /// `USK@s,C,E/site/edition`.
    Updatable {
        /// The publisher's secret.
        secret: SubspaceSecret,
        /// Name of the site.
        site: String,
        /// The edition, or a newer one if it exists already.
        edition: i64,
        /// Names inside the document.
        path: Vec<String>,
    },
    /// `KSK@phrase`.
    Keyword {
        /// The phrase.
        phrase: String,
        /// Names inside the document.
        path: Vec<String>,
    },
}

impl InsertUri {
    /// Reads an insert URI, as tolerantly as [`Uri::parse`].
    ///
    /// # Errors
    /// A sentence for the user about what is wrong and what to do.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let Pieces {
            kind,
            key,
            mut names,
        } = Pieces::parse(text)?;
        if names.len() > 1 || key.is_empty() || kind == Kind::Keyword {
            names.pop_if(|last| last.is_empty());
        }
        match kind {
            Kind::Content if key.is_empty() => Ok(Self::Content { path: names }),
            Kind::Content => Err(UriError::ContentKeyGiven),
            Kind::Signed if key.is_empty() => Ok(Self::RandomSigned { path: names }),
            Kind::Signed => {
                let secret = subspace_secret(&key, "SSK")?;
                let (name, path) = split_name(names, "SSK", SSK_EXAMPLE)?;
                Ok(Self::Signed { secret, name, path })
            }
            Kind::Updatable => {
                let secret = subspace_secret(&key, "USK")?;
                let (site, edition, path) = split_site(names)?;
                Ok(Self::Updatable {
                    secret,
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

    /// The text, with the secret in it.
    #[must_use]
    pub fn to_secret_string(&self) -> Zeroizing<String> {
        // Room for all, so that growing leaves no copy of the secret behind.
        let mut text = Zeroizing::new(String::with_capacity(3 * URI_LEN_MAX));
        match self {
            Self::Content { .. } => text.push_str("CHK@"),
            Self::RandomSigned { .. } => text.push_str("SSK@"),
            Self::Signed { secret, name, .. } => {
                secret.append_uri(&mut text, "SSK");
                append_name(&mut text, name);
            }
            Self::Updatable {
                secret,
                site,
                edition,
                ..
            } => {
                secret.append_uri(&mut text, "USK");
                append_name(&mut text, site);
                append_name(&mut text, &edition.to_string());
            }
            Self::Keyword { phrase, .. } => {
                text.push_str("KSK@");
                text.extend(escaped(phrase));
            }
        }
        append_path(&mut text, self.path());
        text
    }

    /// The URI to read with what is published here; none where it is not known before the insert.
    #[must_use]
    pub fn request_uri(&self) -> Option<Uri> {
        match self {
            Self::Content { .. } | Self::RandomSigned { .. } => None,
            Self::Signed { secret, name, path } => Some(Uri::Signed {
                key: SignedKey {
                    subspace: secret.public().clone(),
                    name: name.clone(),
                },
                path: path.clone(),
            }),
            Self::Updatable {
                secret,
                site,
                edition,
                path,
            } => Some(Uri::Updatable {
                subspace: secret.public().clone(),
                site: site.clone(),
                edition: *edition,
                path: path.clone(),
            }),
            Self::Keyword { phrase, path } => Some(Uri::Keyword {
                phrase: phrase.clone(),
                path: path.clone(),
            }),
        }
    }

    /// Names to give the content, or inside the document.
    #[must_use]
    pub fn path(&self) -> &[String] {
        match self {
            Self::Content { path }
            | Self::RandomSigned { path }
            | Self::Signed { path, .. }
            | Self::Updatable { path, .. }
            | Self::Keyword { path, .. } => path,
        }
    }

    /// `CHK`, `SSK`, `USK` or `KSK`.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Content { .. } => "CHK",
            Self::Signed { .. } | Self::RandomSigned { .. } => "SSK",
            Self::Updatable { .. } => "USK",
            Self::Keyword { .. } => "KSK",
        }
    }
}

impl FromStr for InsertUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Debug for InsertUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InsertUri({}@[redacted])", self.type_name())
    }
}

fn subspace_secret(text: &str, kind: &'static str) -> Result<SubspaceSecret, UriError> {
    let (first, second, third) = three_parts(text, kind)?;
    match part(third, "third part")? {
        INSERT_EXTRA => {}
        REQUEST_EXTRA => return Err(UriError::RequestKeyGiven),
        extra => return Err(wrong_subspace_extra(extra)),
    }
    let seed = Zeroizing::new(part(first, "first part")?);
    let crypto_key = Zeroizing::new(part(second, "second part")?);
    Ok(SubspaceSecret::from_parts(&seed, &crypto_key))
}
