//! How much disk the payloads of all connections may take together.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What payloads leave free on a disk: enough for the store, which would fail with it, to go on for a while. Hyphanet
/// leaves as much.
pub const DISK_LEFT_FREE: u64 = 512 << 20;

/// The disk that payloads may take.
///
/// What finds it used up is refused; nothing waits for it, since whoever has it may wait for the same client.
#[derive(Clone, Debug)]
pub struct DiskBudget {
    left: Arc<AtomicU64>,
    total: u64,
    keep_free: u64,
}

/// Disk taken out of a [`DiskBudget`]; given back on drop.
#[derive(Debug)]
pub struct DiskShare {
    budget: DiskBudget,
    bytes: u64,
}

impl DiskBudget {
    /// A budget of `total` bytes, of which none is given while less than `keep_free` bytes would be left on the disk.
    #[must_use]
    pub fn new(total: u64, keep_free: u64) -> Self {
        Self {
            left: Arc::new(AtomicU64::new(total)),
            total,
            keep_free,
        }
    }

    /// Takes room for a file of `bytes` in `folder`, until the share is dropped. Blocks on the disk for a moment.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] when so much is not left of the budget or on the disk, or another kind when the
    /// system cannot tell.
    pub fn take(&self, folder: &Path, bytes: u64) -> io::Result<DiskShare> {
        let less = |left: u64| left.checked_sub(bytes);
        if self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_err()
        {
            return Err(full(format!(
                "the node gives documents on their way over FCP {} bytes of disk together (limits.temp), and {bytes} \
                 more do not fit; try again when others are done, or raise the limit",
                self.total
            )));
        }
        let share = DiskShare {
            budget: self.clone(),
            bytes,
        };
        let needed = bytes.saturating_add(self.keep_free);
        if free(folder)?.is_some_and(|free| free < needed) {
            return Err(full(format!(
                "the disk with the node's temporary files has no room for {bytes} bytes beside {} that are left free; \
                 make room, or name another folder as limits.upload_dir",
                self.keep_free
            )));
        }
        Ok(share)
    }
}

impl Drop for DiskShare {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

fn full(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, why)
}

/// Bytes that are free for this user on the disk with `folder`, where the system tells.
#[cfg(unix)]
fn free(folder: &Path) -> io::Result<Option<u64>> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(Some(disk.f_bavail.saturating_mul(disk.f_frsize)))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as where the system tells")]
fn free(_folder: &Path) -> io::Result<Option<u64>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(taken: io::Result<DiskShare>) -> io::ErrorKind {
        taken.map(drop).unwrap_err().kind()
    }

    #[test]
    fn what_is_taken_comes_back_and_never_exceeds_the_budget() {
        let folder = tempfile::tempdir().unwrap();
        let budget = DiskBudget::new(10, 0);
        let first = budget.take(folder.path(), 6).unwrap();
        assert_eq!(
            kind(budget.take(folder.path(), 5)),
            io::ErrorKind::StorageFull
        );
        let second = budget.take(folder.path(), 4).unwrap();
        drop(first);
        assert!(budget.take(folder.path(), 6).is_ok());
        drop(second);
        assert!(budget.take(folder.path(), 10).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_disk_that_is_nearly_full_takes_nothing_and_costs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let budget = DiskBudget::new(10, u64::MAX);
        for _ in 0..3 {
            let message = budget.take(folder.path(), 6).map(drop).unwrap_err();
            assert_eq!(message.kind(), io::ErrorKind::StorageFull);
            assert!(message.to_string().contains("make room"), "{message}");
        }
    }
}
