//! The requests of the node's own user, in the order in which they may begin.

use crypto::BlockKey;

use crate::event::{Action, Class, Effort, FetchFailure, InsertFailure, LocalId};
use crate::onion::anonymity::Anonymity;
use crate::pace::{Pace, Sign};
use crate::time::Time;

/// What the user wants.
#[derive(Clone, Debug)]
pub(crate) enum Wish<B> {
    Fetch {
        key: BlockKey,
        effort: Effort,
        anonymity: Anonymity,
    },
    Insert {
        block: B,
        anonymity: Anonymity,
    },
}

impl<B> Wish<B> {
    /// What the user is told when it is not even begun.
    pub(crate) fn refused(self, id: LocalId, reason: Unbegun) -> Action<B> {
        match self {
            Self::Fetch { .. } => Action::FetchDone {
                id,
                result: Err(match reason {
                    Unbegun::TooMany => FetchFailure::Overloaded,
                    Unbegun::Cancelled => FetchFailure::Cancelled,
                    Unbegun::NoCircuit => FetchFailure::NoCircuit,
                }),
            },
            Self::Insert { .. } => Action::InsertDone {
                id,
                result: Err(match reason {
                    Unbegun::TooMany => InsertFailure::Overloaded,
                    Unbegun::Cancelled => InsertFailure::Cancelled,
                    Unbegun::NoCircuit => InsertFailure::NoCircuit,
                }),
            },
        }
    }
}

/// Why a wish is not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unbegun {
    TooMany,
    Cancelled,
    /// The node takes no part in circuits.
    NoCircuit,
}

/// The user's requests, apart for each class: a file that waits does not hold up a page.
#[derive(Debug)]
pub(crate) struct OwnRequests<B> {
    real_time: Pace<Wish<B>>,
    bulk: Pace<Wish<B>>,
}

impl<B> OwnRequests<B> {
    /// So many of each class are under way at least, if there are so many.
    pub(crate) fn new(least: u16) -> Self {
        Self {
            real_time: Pace::new(least.max(1)).impatient(),
            bulk: Pace::new(least.max(1)),
        }
    }

    /// How many there are, under way and waiting.
    pub(crate) fn len(&self) -> usize {
        self.real_time.len() + self.bulk.len()
    }

    /// How many wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.real_time.waiting() + self.bulk.waiting()
    }

    pub(crate) fn add(&mut self, now: Time, id: LocalId, class: Class, wish: Wish<B>) {
        match class {
            Class::RealTime => self.real_time.add(now, id, wish),
            Class::Bulk => self.bulk.add(now, id, wish),
        }
    }

    /// The next one whose turn it is.
    pub(crate) fn next(&mut self, now: Time) -> Option<(LocalId, Class, Wish<B>)> {
        if let Some((id, wish)) = self.real_time.next(now) {
            return Some((id, Class::RealTime, wish));
        }
        let (id, wish) = self.bulk.next(now)?;
        Some((id, Class::Bulk, wish))
    }

    /// Takes one out that waits.
    pub(crate) fn withdraw(&mut self, id: LocalId) -> Option<Wish<B>> {
        self.real_time
            .withdraw(id)
            .or_else(|| self.bulk.withdraw(id))
    }

    /// Learns from what the user is told. `false` if that is not the end of a request.
    pub(crate) fn learn(&mut self, told: &Action<B>, now: Time) -> bool {
        let (id, sign) = match told {
            Action::FetchDone { id, result } => (*id, fetch_sign(result.as_ref().err())),
            Action::InsertDone { id, result } => (*id, insert_sign(result.as_ref().err())),
            Action::Send { .. }
            | Action::Lookup { .. }
            | Action::Store { .. }
            | Action::Moved { .. }
            | Action::Remember { .. }
            | Action::NextStored { .. }
            | Action::Appeared { .. }
            | Action::Dial { .. }
            | Action::HangUp { .. }
            | Action::Disconnect { .. } => return false,
        };
        self.real_time.ended(id, sign, now) || self.bulk.ended(id, sign, now)
    }
}

const fn fetch_sign(failure: Option<&FetchFailure>) -> Sign {
    match failure {
        None | Some(FetchFailure::NotFound) => Sign::Answered,
        Some(FetchFailure::Overloaded | FetchFailure::TimedOut) => Sign::Congested,
        Some(
            FetchFailure::RouteNotFound
            | FetchFailure::NoCircuit
            | FetchFailure::RecentlyFailed { .. }
            | FetchFailure::Cancelled,
        ) => Sign::None,
    }
}

const fn insert_sign<B>(failure: Option<&InsertFailure<B>>) -> Sign {
    match failure {
        None | Some(InsertFailure::Collision(_)) => Sign::Answered,
        Some(InsertFailure::Overloaded | InsertFailure::TimedOut) => Sign::Congested,
        Some(
            InsertFailure::RouteNotFound
            | InsertFailure::NoCircuit
            | InsertFailure::Cancelled
            | InsertFailure::StoreFailed,
        ) => Sign::None,
    }
}
