//! Payloads on their way through the server: short ones in memory, long ones in a temporary file.
//!
//! The temporary file holds the document as the client sent or will get it, unencrypted, in the folder that
//! the node's configuration names, readable by the node's user only. It is removed when the request ends, and
//! what a killed node left behind when the next one starts (`temp_dir`).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tempfile::{NamedTempFile, TempPath};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::client::Source;
use crate::temp_dir::FCP_PAYLOAD_PREFIX;

use super::disk_share::{DiskBudget, DiskShare};
use super::limits::{Budget, PAYLOAD_IN_MEMORY_MAX, Reservation};

/// Bytes moved at once between a connection and a temporary file.
const COPY_BUFFER: usize = 256 << 10;

/// Where payloads wait.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: Arc<PathBuf>,
    budget: Budget,
    disk: DiskBudget,
}

/// A payload that is here as a whole.
#[derive(Debug)]
pub struct Spooled {
    content: Content,
    length: u64,
}

#[derive(Debug)]
enum Content {
    Memory {
        bytes: Bytes,
        _reservation: Reservation,
    },
    File {
        path: TempPath,
        _share: DiskShare,
    },
}

/// Why a payload could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The connection broke within the payload.
    #[error("the connection broke within the payload: {0}")]
    Connection(io::Error),
    /// The temporary file could not be written; the payload was read to its end all the same.
    #[error("a temporary file of the node could not be written: {0}")]
    Disk(io::Error),
}

impl Spool {
    /// A spool that writes long payloads to `folder`, which must exist, within `disk`, and keeps short ones within
    /// `budget`.
    #[must_use]
    pub fn new(folder: &Path, budget: Budget, disk: DiskBudget) -> Self {
        Self {
            folder: Arc::new(folder.to_owned()),
            budget,
            disk,
        }
    }

    /// Memory for a payload of `length` bytes, if it is short and there is some left.
    #[must_use]
    pub fn memory_for(&self, length: u64) -> Option<Reservation> {
        if length > PAYLOAD_IN_MEMORY_MAX {
            return None;
        }
        self.budget.take(usize::try_from(length).ok()?)
    }

    /// Takes `length` bytes from a connection.
    ///
    /// # Errors
    /// When the connection breaks, or the disk is full or too much waits on it.
    pub async fn take_in<R: AsyncRead + Unpin>(
        &self,
        reader: &mut R,
        length: u64,
    ) -> Result<Spooled, SpoolError> {
        if let (Some(reservation), Ok(size)) = (self.memory_for(length), usize::try_from(length)) {
            let mut bytes = vec![0; size];
            reader
                .read_exact(&mut bytes)
                .await
                .map_err(SpoolError::Connection)?;
            return Ok(Spooled::in_memory(bytes.into(), reservation));
        }
        let mut left = length;
        match self.take_in_file(reader, &mut left).await {
            Ok((path, share)) => Ok(Spooled::in_file(path, share, length)),
            Err(SpoolError::Connection(error)) => Err(SpoolError::Connection(error)),
            Err(SpoolError::Disk(error)) => {
                // What comes after the payload must be found.
                skip(reader, left).await.map_err(SpoolError::Connection)?;
                Err(SpoolError::Disk(error))
            }
        }
    }

    async fn take_in_file<R: AsyncRead + Unpin>(
        &self,
        reader: &mut R,
        left: &mut u64,
    ) -> Result<(TempPath, DiskShare), SpoolError> {
        let (file, share) = self.temporary_file(*left).await.map_err(SpoolError::Disk)?;
        let (file, path) = file.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        let mut buffer = vec![0; COPY_BUFFER];
        while *left > 0 {
            let room = usize::try_from(*left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let count = reader
                .read(&mut buffer[..room])
                .await
                .map_err(SpoolError::Connection)?;
            if count == 0 {
                return Err(SpoolError::Connection(io::ErrorKind::UnexpectedEof.into()));
            }
            *left -= count as u64;
            file.write_all(&buffer[..count])
                .await
                .map_err(SpoolError::Disk)?;
        }
        file.flush().await.map_err(SpoolError::Disk)?;
        Ok((path, share))
    }

    /// A new file for `length` bytes in the spool's folder, removed when it is dropped, and its share of the disk.
    ///
    /// # Errors
    /// When it cannot be created, or there is no room for it.
    pub async fn temporary_file(&self, length: u64) -> io::Result<(NamedTempFile, DiskShare)> {
        let (folder, disk) = (Arc::clone(&self.folder), self.disk.clone());
        let make = move || {
            let share = disk.take(&folder, length)?;
            let file = tempfile::Builder::new()
                .prefix(FCP_PAYLOAD_PREFIX)
                .tempfile_in(folder.as_path())?;
            Ok((file, share))
        };
        tokio::task::spawn_blocking(make)
            .await
            .map_err(io::Error::other)?
    }
}

impl Spooled {
    /// A payload in memory, within the budget it was reserved from.
    #[must_use]
    pub fn in_memory(bytes: Bytes, reservation: Reservation) -> Self {
        let length = bytes.len() as u64;
        Self {
            content: Content::Memory {
                bytes,
                _reservation: reservation,
            },
            length,
        }
    }

    /// A payload of `length` bytes in a temporary file.
    #[must_use]
    pub fn in_file(path: TempPath, share: DiskShare, length: u64) -> Self {
        Self {
            content: Content::File {
                path,
                _share: share,
            },
            length,
        }
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The payload as the client layer takes it; `self` must outlive the use of it.
    #[must_use]
    pub fn source(&self) -> Source {
        match &self.content {
            Content::Memory { bytes, .. } => Source::Bytes(bytes.clone()),
            Content::File { path, .. } => Source::File(path.to_path_buf()),
        }
    }

    /// Writes the payload to `target` from its first byte to its last.
    ///
    /// # Errors
    /// When reading the temporary file or writing the target fails.
    pub async fn copy_to<W: AsyncWrite + Unpin>(self, target: &mut W) -> io::Result<()> {
        let (path, _share) = match self.content {
            Content::Memory { bytes, .. } => return target.write_all(&bytes).await,
            Content::File { path, _share } => (path, _share),
        };
        let mut file = tokio::fs::File::open(&path).await?;
        let mut left = self.length;
        let mut buffer = vec![0; COPY_BUFFER];
        while left > 0 {
            let room = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let count = file.read(&mut buffer[..room]).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            target.write_all(&buffer[..count]).await?;
            left -= count as u64;
        }
        Ok(())
    }
}

/// Reads `length` bytes and forgets them.
///
/// # Errors
/// When the connection breaks before.
pub async fn skip<R: AsyncRead + Unpin>(reader: &mut R, length: u64) -> io::Result<()> {
    let skipped = tokio::io::copy(&mut reader.take(length), &mut tokio::io::sink()).await?;
    if skipped == length {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(budget: usize) -> (tempfile::TempDir, Spool) {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(
            folder.path(),
            Budget::new(budget),
            DiskBudget::new(4 << 20, 0),
        );
        (folder, spool)
    }

    async fn content(spooled: Spooled) -> Vec<u8> {
        let mut bytes = Vec::new();
        spooled.copy_to(&mut bytes).await.unwrap();
        bytes
    }

    #[tokio::test]
    async fn payloads_come_out_as_they_went_in_whether_in_memory_or_on_disk() {
        let (_folder, spool) = spool(4 << 20);
        for length in [
            0,
            1,
            PAYLOAD_IN_MEMORY_MAX,
            PAYLOAD_IN_MEMORY_MAX + 1,
            3 << 20,
        ] {
            let payload: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let spooled = spool.take_in(&mut &payload[..], length).await.unwrap();
            assert_eq!(
                matches!(spooled.content, Content::File { .. }),
                length > PAYLOAD_IN_MEMORY_MAX
            );
            assert_eq!(spooled.len(), length);
            assert!(content(spooled).await == payload, "{length} bytes");
        }
    }

    #[tokio::test]
    async fn a_short_payload_goes_to_disk_when_memory_is_used_up() {
        let (_folder, spool) = spool(1 << 10);
        let payload = vec![7; 5000];
        let spooled = spool.take_in(&mut &payload[..], 5000).await.unwrap();
        assert!(matches!(spooled.content, Content::File { .. }));
        assert_eq!(content(spooled).await, payload);
    }

    #[tokio::test]
    async fn payloads_together_stay_within_the_disk_they_may_take() {
        let (folder, spool) = spool(0);
        let payload = vec![7; 3 << 20];
        let first = spool.take_in(&mut &payload[..], 3 << 20).await.unwrap();
        let mut more = &[&payload[..], b"rest"].concat()[..];
        match spool.take_in(&mut more, 3 << 20).await {
            Err(SpoolError::Disk(error)) => assert_eq!(error.kind(), io::ErrorKind::StorageFull),
            other => panic!("{other:?}"),
        }
        assert_eq!(more, b"rest");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(first);
        assert!(spool.take_in(&mut &payload[..], 3 << 20).await.is_ok());
    }

    #[tokio::test]
    async fn a_truncated_payload_is_an_error() {
        let (_folder, spool) = spool(1 << 20);
        for length in [11, PAYLOAD_IN_MEMORY_MAX + 1] {
            let result = spool.take_in(&mut &b"ten bytes."[..], length).await;
            assert!(matches!(result, Err(SpoolError::Connection(_))));
        }
    }

    #[tokio::test]
    async fn what_follows_a_payload_that_found_no_disk_is_still_found() {
        let spool = Spool::new(
            Path::new("/nonexistent"),
            Budget::new(0),
            DiskBudget::new(100, 0),
        );
        let mut bytes = &b"payloadrest"[..];
        assert!(matches!(
            spool.take_in(&mut bytes, 7).await,
            Err(SpoolError::Disk(_))
        ));
        assert_eq!(bytes, b"rest");
    }
}
