//! The requests of one connection: identifiers in use, and how each is cancelled.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::limits::REQUESTS_PER_CONNECTION_MAX;

/// Whether a request gets or puts: it decides the words of its failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestKind {
    /// `ClientGet`.
    Get,
    /// `ClientPut` and the puts of folders.
    Put,
}

/// All requests of a connection. Dropping it cancels them.
#[derive(Debug, Default)]
pub(super) struct Requests {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    running: BTreeMap<String, Running>,
    next_serial: u64,
}

#[derive(Debug)]
struct Running {
    serial: u64,
    kind: RequestKind,
    /// Dropped to cancel: the request's task waits for that.
    _cancel: oneshot::Sender<()>,
}

/// The right of one running request to its identifier.
#[derive(Debug)]
pub(super) struct Claim {
    table: Arc<Mutex<Table>>,
    identifier: String,
    serial: u64,
    cancelled: oneshot::Receiver<()>,
}

/// Why a request cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimError {
    /// A request of this name is running.
    Collision,
    /// The connection has as many requests as it may have.
    TooMany,
}

impl Requests {
    /// Takes an identifier for a new request.
    pub(super) fn claim(&self, identifier: &str, kind: RequestKind) -> Result<Claim, ClaimError> {
        let mut table = lock(&self.table);
        if table.running.contains_key(identifier) {
            return Err(ClaimError::Collision);
        }
        if table.running.len() >= REQUESTS_PER_CONNECTION_MAX {
            return Err(ClaimError::TooMany);
        }
        let (cancel, cancelled) = oneshot::channel();
        let serial = table.next_serial;
        table.next_serial += 1;
        table.running.insert(
            identifier.to_owned(),
            Running {
                serial,
                kind,
                _cancel: cancel,
            },
        );
        drop(table);
        Ok(Claim {
            table: Arc::clone(&self.table),
            identifier: identifier.to_owned(),
            serial,
            cancelled,
        })
    }

    /// Cancels a request and frees its identifier. `None` when there is none or it has just ended.
    pub(super) fn cancel(&self, identifier: &str) -> Option<RequestKind> {
        lock(&self.table)
            .running
            .remove(identifier)
            .map(|running| running.kind)
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        lock(&self.table).running.clear();
    }
}

impl Claim {
    /// Waits until the request is cancelled.
    pub(super) async fn cancelled(&mut self) {
        // Nothing is ever sent; the sender is dropped.
        drop((&mut self.cancelled).await);
    }

    /// Frees the identifier, before the last message of the request is written: clients use it again as soon
    /// as they read that. `false` when the request was cancelled in between, and its last message is not ours
    /// to send.
    pub(super) fn release(&self) -> bool {
        let mut table = lock(&self.table);
        let ours = table
            .running
            .get(&self.identifier)
            .is_some_and(|running| running.serial == self.serial);
        if ours {
            table.running.remove(&self.identifier);
        }
        ours
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.release();
    }
}

/// The table stays consistent between any two statements, so a panic elsewhere does not spoil it.
fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_free_again_after_the_end() {
        let requests = Requests::default();
        let first = requests.claim("a", RequestKind::Get).unwrap();
        assert_eq!(
            requests.claim("a", RequestKind::Put).unwrap_err(),
            ClaimError::Collision
        );
        assert!(first.release());
        let second = requests.claim("a", RequestKind::Put).unwrap();
        assert!(
            !first.release(),
            "the name belongs to another request by now"
        );
        drop(first);
        assert_eq!(
            requests.claim("a", RequestKind::Get).unwrap_err(),
            ClaimError::Collision
        );
        drop(second);
        assert!(requests.claim("a", RequestKind::Get).is_ok());
    }

    #[tokio::test]
    async fn cancelling_reaches_the_request_and_takes_its_last_word() {
        let requests = Requests::default();
        let mut claim = requests.claim("a", RequestKind::Get).unwrap();
        assert_eq!(requests.cancel("a"), Some(RequestKind::Get));
        claim.cancelled().await;
        assert!(!claim.release());
        assert_eq!(requests.cancel("a"), None);
    }

    #[tokio::test]
    async fn the_end_of_the_connection_cancels_everything() {
        let requests = Requests::default();
        let mut claim = requests.claim("a", RequestKind::Put).unwrap();
        drop(requests);
        claim.cancelled().await;
    }

    #[test]
    fn a_connection_cannot_have_requests_without_end() {
        let requests = Requests::default();
        let claims: Vec<_> = (0..REQUESTS_PER_CONNECTION_MAX)
            .map(|n| requests.claim(&n.to_string(), RequestKind::Get).unwrap())
            .collect();
        assert_eq!(
            requests.claim("more", RequestKind::Get).unwrap_err(),
            ClaimError::TooMany
        );
        drop(claims);
    }
}
