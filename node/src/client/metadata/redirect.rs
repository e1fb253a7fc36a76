//! The address that a redirect leads to, as text until somebody goes there.

use std::fmt;

use crypto::{URI_LEN_MAX, Uri};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::client::error::FetchError;

/// The target of a redirect. Reading the address checks a point of a curve, which takes a hundred microseconds, and a
/// manifest has up to 100 000 redirects: so only the one that is followed is read.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RedirectTarget(String);

impl RedirectTarget {
    /// The address.
    ///
    /// # Errors
    /// [`FetchError::InvalidMetadata`] if it is none.
    pub(crate) fn uri(&self) -> Result<Uri, FetchError> {
        Uri::parse(&self.0)
            .map_err(|_| FetchError::InvalidMetadata("a redirect does not lead to an address"))
    }

    /// Bytes it takes in memory beside its own size.
    pub(crate) const fn memory(&self) -> usize {
        self.0.len()
    }
}

impl From<&Uri> for RedirectTarget {
    fn from(uri: &Uri) -> Self {
        Self(uri.to_string())
    }
}

impl<'de> Deserialize<'de> for RedirectTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        if text.len() > URI_LEN_MAX {
            return Err(D::Error::custom("longer than any address"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whoever sees the address can read what is there.
impl fmt::Debug for RedirectTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RedirectTarget([redacted])")
    }
}
