//! What peers say without being asked to do anything.

use super::Router;
use crate::block::Block;
use crate::event::PeerId;
use crate::finding::Finding;
use crate::message::{Message, RequestId};
use crate::requests::{Operation, Target};

impl<B: Block> Router<B> {
    /// A peer says something that helps to find blocks.
    pub(super) fn finding(&mut self, from: PeerId, finding: Finding) {
        match finding {
            Finding::Neighbours(places) if self.shared.config.lookahead.is_on() => {
                self.shared.peers.claim(from, places);
            }
            Finding::Neighbours(_) => {}
            Finding::Subscribe { key } => self.shared.peer_subscribes(key, from),
            Finding::Unsubscribe { key } => self.shared.peer_unsubscribes(key, from),
            Finding::Appeared { key } => self.shared.hear_of(key, from),
        }
    }

    /// A peer answers what it was asked. Answers to what is not asked any longer, and answers of the wrong kind, are
    /// ignored: the former are honest, the latter end with the deadline.
    pub(super) fn answer(&mut self, from: PeerId, id: RequestId, message: Message) {
        let Some(target) = self.shared.requests.asked(from, id) else {
            return;
        };
        let Target { operation, key } = target;
        self.judge(from, id, &message, target);
        let Self {
            shared,
            fetches,
            inserts,
            repairs,
            ..
        } = self;
        match (operation, message) {
            (Operation::Repair, message) => repairs.answered(shared, key, &message),
            (Operation::Fetch, Message::Accepted { .. }) => fetches.accepted(shared, key),
            (Operation::Fetch, Message::Refused { reason, .. }) => {
                fetches.refused(shared, key, reason);
            }
            (Operation::Fetch, Message::Found { block, .. }) => {
                fetches.found(shared, from, key, block);
            }
            (Operation::Fetch, Message::Congested { .. }) => fetches.congested(shared, key),
            (Operation::Fetch, Message::NotFound { left, .. }) => {
                fetches.not_found(shared, key, left);
            }
            (Operation::Insert, Message::Accepted { .. }) => inserts.accepted(shared, key),
            (Operation::Insert, Message::Refused { reason, .. }) => {
                inserts.refused(shared, key, reason);
            }
            (Operation::Insert, Message::Stored { copies, .. }) => {
                inserts.peer_stored(shared, key, copies.get());
            }
            (Operation::Insert, Message::StoreFailed { .. }) => inserts.peer_failed(shared, key),
            (Operation::Insert, Message::Collision { block, .. }) => {
                inserts.collided(shared, from, key, block);
            }
            (
                Operation::Fetch | Operation::Insert,
                Message::Fetch { .. }
                | Message::Offer { .. }
                | Message::Block { .. }
                | Message::Cancel { .. }
                | Message::Found { .. }
                | Message::NotFound { .. }
                | Message::Congested { .. }
                | Message::Stored { .. }
                | Message::StoreFailed { .. }
                | Message::Collision { .. }
                | Message::Credit { .. }
                | Message::Opennet(_)
                | Message::Finding(_)
                | Message::Swap(_)
                | Message::Onion(_),
            ) => {}
        }
    }
}
