//! The loop's dealings with the store.

use crypto::{BlockKey, VerifiedBlock};
use routing::{Event, Existing, LookupResult, Origin, Place, StoreResult, StoreTicket};

use super::{EventLoop, StoreAnswer};
use crate::store::{GetResult, ListResult, PutOutcome, PutResult};

impl EventLoop {
    pub(super) fn store_answer(&mut self, answer: StoreAnswer) {
        self.handle(match answer {
            StoreAnswer::Looked(ticket, result) => Event::LookupDone {
                ticket,
                result: looked(result),
            },
            StoreAnswer::Put(ticket, result) => Event::StoreDone {
                ticket,
                result: kept(&result),
            },
            StoreAnswer::Next(key) => Event::NextStored { key },
        });
    }

    pub(super) fn lookup(&mut self, ticket: StoreTicket, key: BlockKey, origin: Origin) {
        let sender = self.store_answer_sender.clone();
        let answer = move |result| drop(sender.blocking_send(StoreAnswer::Looked(ticket, result)));
        if self.store.lookup(key, origin, answer).is_err() {
            tracing::debug!("the store's queue is full; a lookup is not done");
            self.refused.push_back(Event::LookupDone {
                ticket,
                result: LookupResult::Unavailable,
            });
        }
    }

    /// A walk that finds the store busy meets the same key again; one that finds the disk failing begins again.
    pub(super) fn next_stored(&mut self, after: Option<BlockKey>) {
        let sender = self.store_answer_sender.clone();
        let answer = move |result: ListResult| {
            drop(sender.blocking_send(StoreAnswer::Next(result.ok().flatten())));
        };
        if self.store.next_stored(after, answer).is_err() {
            self.refused.push_back(Event::NextStored { key: after });
        }
    }

    pub(super) fn put(
        &mut self,
        ticket: StoreTicket,
        block: VerifiedBlock,
        place: Place,
        existing: Existing,
    ) {
        let sender = self.store_answer_sender.clone();
        let answer = move |result| drop(sender.blocking_send(StoreAnswer::Put(ticket, result)));
        if self.store.keep(place, block, existing, answer).is_err() {
            tracing::debug!("the store's queue is full; a block is not kept");
            self.refused.push_back(Event::StoreDone {
                ticket,
                result: StoreResult::Failed,
            });
        }
    }
}

/// A disk that fails says nothing of what is there.
fn looked(result: GetResult) -> LookupResult {
    match result {
        Ok(Some(block)) => LookupResult::Found(block),
        Ok(None) => LookupResult::Missing,
        Err(_) => LookupResult::Unavailable,
    }
}

/// A store that holds another signed block under the key keeps that one: the new one is then not kept.
fn kept(result: &PutResult) -> StoreResult {
    match result {
        Ok(PutOutcome::Stored | PutOutcome::AlreadyThere) => StoreResult::Kept,
        Ok(PutOutcome::Collision(_)) => StoreResult::Failed,
        Err(error) => {
            tracing::warn!(%error, "a block could not be stored");
            StoreResult::Failed
        }
    }
}
