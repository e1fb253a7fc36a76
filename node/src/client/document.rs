//! A document that was found, and the way to its bytes.

use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use crypto::Uri;

use super::error::FetchError;
use super::request::Hashes;

/// A document that was found. Its content has not been fetched yet, unless it was tiny or part of a container.
#[derive(Clone, Debug)]
pub struct Document {
    uri: Uri,
    content_type: Option<String>,
    size: u64,
    hashes: Option<Hashes>,
}

impl Document {
    /// The address of this very version: redirects followed, the edition resolved, no default document added.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The type that the publisher declared; not to be believed.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Bytes of the content.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Hashes of the whole content, where known before it is read. Checked when it is read from end to end.
    #[must_use]
    pub const fn hashes(&self) -> Option<&Hashes> {
        self.hashes.as_ref()
    }

    /// Streams `range`, cut to the size of the content, in order.
    #[must_use]
    pub fn read(&self, range: Range<u64>) -> DocumentStream {
        drop(range);
        DocumentStream {}
    }

    /// Reads everything into memory. Use it only after a look at [`size`](Self::size).
    ///
    /// # Errors
    /// See [`FetchError`].
    #[expect(clippy::unused_async, reason = "reading is not there yet")]
    pub async fn read_all(&self) -> Result<Bytes, FetchError> {
        Err(FetchError::RouteNotFound)
    }

    /// Writes everything to a new file. It appears under its name only when it is complete and its hash is right.
    ///
    /// # Errors
    /// [`FetchError::Io`] if there is such a file already, or writing fails; else as for reading.
    #[expect(clippy::unused_async, reason = "reading is not there yet")]
    pub async fn write_to_file(&self, path: &Path) -> Result<(), FetchError> {
        let _ = path;
        Err(FetchError::RouteNotFound)
    }
}

/// The bytes of a range of a document, in order.
#[derive(Debug)]
pub struct DocumentStream {}

impl DocumentStream {
    /// Waits for the next piece, of any length but empty. `None` after the last one; nothing useful comes after an error.
    #[expect(clippy::unused_async, reason = "reading is not there yet")]
    pub async fn next(&mut self) -> Option<Result<Bytes, FetchError>> {
        None
    }
}
