//! What follows a search that did not satisfy all who waited for it.

use super::Search;
use crate::block::Block;
use crate::event::{Effort, FetchFailure};
use crate::fetch::Requesters;
use crate::shared::Shared;

impl Search {
    /// A search for users whom an `earlier` one did not satisfy. It tries other ways first.
    pub(in crate::fetch) fn after<B: Block>(
        shared: &Shared<B>,
        requesters: Requesters,
        earlier: &Self,
    ) -> Self {
        Self {
            asked_before: earlier.asked.clone(),
            earlier_failure: earlier.failure,
            ..Self::new(shared, requesters)
        }
    }

    /// Gives those users a long budget who wish for it and have not had it, if nodes were asked and did not find the
    /// block. `false` if there is nobody.
    pub(in crate::fetch) fn promote_users<B: Block>(&mut self, shared: &mut Shared<B>) -> bool {
        let in_vain = match self.failure {
            FetchFailure::NotFound
            | FetchFailure::RecentlyFailed { .. }
            | FetchFailure::TimedOut => true,
            FetchFailure::RouteNotFound | FetchFailure::Overloaded | FetchFailure::Cancelled => {
                false
            }
        };
        if !in_vain {
            return false;
        }
        let mut promoted = false;
        for requester in &mut self.requesters {
            if std::mem::replace(&mut requester.effort, Effort::Once) == Effort::Thorough {
                requester.rank = shared.own_long_rank();
                promoted = true;
            }
        }
        promoted
    }
}
