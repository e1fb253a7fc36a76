//! What one connection, and all of them together, may take.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Longest name line of a message, in bytes, as in Hyphanet's server.
pub const NAME_LINE_MAX: usize = 128;
/// Longest `Key=Value` line that the server reads, in bytes, as in Hyphanet's server.
pub const FIELD_LINE_MAX: usize = 4096;
/// Most fields of one message: a site of 16,000 files with four fields each.
pub const FIELDS_MAX: usize = 65_536;
/// Most bytes of one message before its payload; such a site with names of 120 bytes stays below.
pub const HEAD_BYTES_MAX: usize = 4 << 20;
/// Longest payload a client may send with one message: 1 TiB, far above what a temporary folder holds.
pub const PAYLOAD_MAX: u64 = 1 << 40;
/// Payloads up to this many bytes are kept in memory (while [`Budget`] lasts), longer ones in a temporary file.
pub const PAYLOAD_IN_MEMORY_MAX: u64 = 1 << 20;
/// Memory that payloads and long message heads of all connections may hold together, in bytes.
pub const SHARED_MEMORY_MAX: usize = 64 << 20;
/// Connections served at once. Each holds a few buffers of 64 KiB at most.
pub const CONNECTIONS_MAX: usize = 128;
/// Requests one connection may have running or waiting.
pub const REQUESTS_PER_CONNECTION_MAX: usize = 1024;
/// Requests of all connections running or waiting.
pub const REQUESTS_MAX: usize = 4096;
/// Requests that work at the same time; the others wait for their turn.
pub const REQUESTS_RUNNING_MAX: usize = 32;
/// Messages that may wait to be written to one client before what makes them has to wait as well.
pub const OUTBOX_MESSAGES_MAX: usize = 64;

/// A share of memory that all connections draw from.
///
/// What finds it used up falls back to a temporary file or is refused; nothing waits for it, so that a client
/// which stops half-way through a message cannot hold up another.
#[derive(Clone, Debug)]
pub struct Budget {
    kibibytes: Arc<Semaphore>,
}

impl Budget {
    /// A budget of `bytes`, rounded down to whole KiB.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self {
            kibibytes: Arc::new(Semaphore::new(bytes / 1024)),
        }
    }

    /// Takes `bytes` out of the budget until the reservation is dropped; `None` when so much is not left.
    #[must_use]
    pub fn take(&self, bytes: usize) -> Option<Reservation> {
        let kibibytes = u32::try_from(bytes.div_ceil(1024)).ok()?;
        let permit = Arc::clone(&self.kibibytes)
            .try_acquire_many_owned(kibibytes)
            .ok()?;
        Some(Reservation { permit })
    }
}

/// Memory taken out of a [`Budget`]; given back on drop.
#[derive(Debug)]
pub struct Reservation {
    permit: OwnedSemaphorePermit,
}

impl Reservation {
    /// Adds another reservation of the same budget to this one.
    pub fn merge(&mut self, other: Self) {
        self.permit.merge(other.permit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_given_back_when_the_reservation_ends() {
        let budget = Budget::new(10 << 10);
        let first = budget.take(6 << 10).expect("six of ten");
        assert!(budget.take(5 << 10).is_none());
        drop(first);
        assert!(budget.take(10 << 10).is_some());
    }
}
