//! What follows a search that did not satisfy all who waited for it.

use std::time::Duration;

use crypto::BlockKey;

use super::{Round, Search, Waiting, weight};
use crate::block::Block;
use crate::event::{Effort, FetchFailure};
use crate::fetch::Requesters;
use crate::shared::Shared;
use crate::time::Time;

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
            FetchFailure::RouteNotFound
            | FetchFailure::Overloaded
            | FetchFailure::NoCircuit
            | FetchFailure::Cancelled => false,
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

    /// Lets the users wait until others' searches have ended, if those kept all peers from working on this one, or took
    /// the room on its way. `false` if it did so often enough, or if nobody who waits is that patient.
    ///
    /// No peer waits for this search, and none may join while it pauses.
    pub(in crate::fetch) fn pause<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        key: BlockKey,
    ) -> bool {
        let refused_everywhere =
            shared.peers.len() > 0 && weight(self.failure) + weight(self.earlier_failure) == 0;
        let mut users = self.requesters.iter();
        let patient = users.any(|requester| requester.effort > Effort::Probe);
        let worth_it =
            !self.requesters.is_empty() && ((refused_everywhere && patient) || self.gave_way());
        if !worth_it || self.pauses == PAUSES_MAX || shared.now >= self.ends {
            return false;
        }
        let pause = shared.config.busy_pause.of(self.class) * (1 << self.pauses);
        let pause = shared.half_or_more(pause);
        self.pauses += 1;
        self.waiting = Waiting::Pause;
        self.wait(shared, key, pause);
        true
    }

    /// What a user is told. Who does not wait hears of the searches of others instead of waiting for their end.
    pub(super) fn failure_for(&self, effort: Effort, loop_memory: Duration) -> FetchFailure {
        let others_search = self.met_itself && self.failure == FetchFailure::RouteNotFound;
        if others_search && effort == Effort::Probe {
            let retry_after = loop_memory;
            return FetchFailure::RecentlyFailed { retry_after };
        }
        self.failure
    }

    /// Begins anew after a pause.
    pub(in crate::fetch) fn resume<B: Block>(&mut self, shared: &mut Shared<B>) {
        self.waiting = Waiting::Nothing;
        self.round = Round::First;
        self.left = self.rank.hops_to_live;
        // Whoever has no room again and again may never have any
        if self.gave_way() && self.pauses >= SAME_WAY {
            self.asked_before.append(&mut self.asked);
        }
        self.asked.clear();
        self.searching.clear();
        // The next draw may be luckier
        self.rank.tie_break = shared.tie_break();
    }

    /// Takes those out whose budget allows a search that goes further, if there is still time for one.
    pub(in crate::fetch) fn take_stronger(&mut self, now: Time) -> Requesters {
        if now >= self.ends {
            return Requesters::new();
        }
        let (stronger, rest) = self
            .requesters
            .drain(..)
            .partition(|requester| requester.rank.hops_to_live > self.rank.hops_to_live);
        self.requesters = rest;
        stronger
    }
}

/// After so many pauses a search that found no room tries another way.
const SAME_WAY: u32 = 3;

/// The pauses add up to at most 15 times the first: longer than most searches take.
const PAUSES_MAX: u32 = 4;
