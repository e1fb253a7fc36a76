//! A document that was found, and the way to its bytes.

use std::fmt;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use crypto::Uri;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::content::{Content, DocumentStream};
use super::error::FetchError;
use super::request::Hashes;

/// A document that was found. Its content has not been fetched yet, unless it was tiny or part of a container.
///
/// Cheap to clone. It may be read many times, in parts, and at the same time.
#[derive(Clone)]
pub struct Document {
    pub(crate) uri: Uri,
    pub(crate) location: Uri,
    pub(crate) content_type: Option<String>,
    pub(crate) hashes: Option<Hashes>,
    pub(crate) content: Arc<Content>,
}

impl Document {
    /// The address that was asked for, with the edition that was found, and without a default document's name.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The address at which it was found in the end, after all redirects. What [`version_id`](super::version_id) gives
    /// for it identifies this very version.
    #[must_use]
    pub const fn location(&self) -> &Uri {
        &self.location
    }

    /// The type that the publisher declared; not to be believed.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Bytes of the content.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.content.size()
    }

    /// Hashes of the whole content, where the metadata carries them. BLAKE3 is checked when everything is read.
    #[must_use]
    pub const fn hashes(&self) -> Option<&Hashes> {
        self.hashes.as_ref()
    }

    /// Streams `range`, cut to the size of the content, in order.
    #[must_use]
    pub fn read(&self, range: Range<u64>) -> DocumentStream {
        self.content.stream(range)
    }

    /// Reads everything into memory. Use it only after a look at [`size`](Self::size).
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn read_all(&self) -> Result<Bytes, FetchError> {
        self.content.read_all().await
    }

    /// Writes everything to a new file. It appears under its name only when it is complete and its hash is right.
    ///
    /// # Errors
    /// [`FetchError::Io`] if there is such a file already, or writing fails; else as for reading.
    pub async fn write_to_file(&self, path: &Path) -> Result<(), FetchError> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => Path::new(".").to_owned(),
        };
        // Memory between network and disk: pieces have up to 1 MiB.
        let (sender, receiver) = mpsc::channel(8);
        let writer = tokio::task::spawn_blocking(move || write_pieces(&folder, receiver));
        let mut stream = self.read(0..u64::MAX);
        let mut failure = None;
        while let Some(piece) = stream.next().await {
            let sent = match piece {
                Ok(piece) => sender.send(piece).await,
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            };
            // Without its receiver the writer has failed, and will say why.
            if sent.is_err() {
                break;
            }
        }
        drop(sender);
        let written = writer.await;
        if let Some(failure) = failure {
            return Err(failure);
        }
        let file =
            written.map_err(|_| FetchError::Internal("writing a file failed unexpectedly"))??;
        file.persist_noclobber(path)
            .map_err(|error| FetchError::from(error.error))?;
        Ok(())
    }
}

/// Writes pieces to a file without a final name until there are no more. The file vanishes if nobody takes it.
fn write_pieces(
    folder: &Path,
    mut pieces: mpsc::Receiver<Bytes>,
) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    let mut file = builder
        .prefix(".warren-")
        .suffix(".part")
        .permissions(permissions())
        .tempfile_in(folder)?;
    while let Some(piece) = pieces.blocking_recv() {
        file.write_all(&piece)?;
    }
    Ok(file)
}

/// What a file gets that a program creates: what the user's umask leaves of reading and writing for all.
#[cfg(unix)]
fn permissions() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

/// Only the type: what somebody reads belongs in no log.
impl fmt::Debug for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Document")
            .field("uri", &self.uri)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}
