//! Searches that find no room on their way.

use super::Search;
use crate::event::FetchFailure;
use crate::hops_to_live::HopsToLive;

impl Search {
    /// Whether it ended because there was no room on its way: it waits, where it began, for room there instead of looking for
    /// another way. Detours are longer, so that they fill what room is left, and others have to make detours because of them:
    /// under twice the load that a network could carry they took half of what it did carry, or almost all of it.
    pub(in crate::fetch) fn gave_way(&self) -> bool {
        self.failure == FetchFailure::Overloaded
    }

    /// The best peer takes on no more, or says that there is no room behind it.
    pub(super) fn give_way(&mut self) {
        self.note_failure(FetchFailure::Overloaded);
        self.left = HopsToLive::ZERO;
    }
}
