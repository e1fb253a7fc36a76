//! Searches that find no room on their way.

use super::Search;
use crate::block::Block;
use crate::event::{Class, FetchFailure};
use crate::shared::Shared;

impl Search {
    /// Whether it waits, where it began, for room on its way instead of looking for another way. Detours are longer, so
    /// that they fill what room is left, and others have to make detours because of them: under twice the load that a
    /// network could carry they took half of what it did carry. Where somebody waits for the block there is no time.
    pub(super) fn bides(&self) -> bool {
        self.class == Class::Bulk
    }

    /// Whether it ended because there was no room on its way.
    pub(in crate::fetch) fn gave_way(&self) -> bool {
        self.bides() && self.failure == FetchFailure::Overloaded
    }

    /// Whether there are peers left that would have to be asked for more than they take on.
    pub(super) fn lacks_credit<B: Block>(&self, shared: &Shared<B>) -> bool {
        let peers = shared.peers.places();
        peers.into_iter().any(|(peer, _)| {
            !self.is_waited_for_by(peer)
                && !self.asked.contains(&peer)
                && !shared.may_ask(peer, self.class)
        })
    }
}
