//! What friends say to each other so that nodes find their places.

use serde::{Deserialize, Serialize};

use super::decision::{Commitment, Opening, Stage};
use super::drift::Drift;
use crate::hops_to_live::HopsToLive;
use crate::location::Location;

/// A message about places. All but the first belong to a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SwapMessage {
    /// Where the sender is.
    Place {
        /// It replaces what was known.
        location: Location,
        /// Where its surroundings are.
        drift: Drift,
        /// How many steps from friend to friend it is to a node that has strangers as peers, too: 0 if the sender has; 18 or more
        /// if it knows no way.
        steps_out: u8,
    },
    /// Goes to the node nearest to a place, from friend to nearer friend.
    Walk {
        /// Freshly drawn for each link.
        id: WalkId,
        /// How many further nodes it may visit.
        hops: HopsToLive,
        /// The place.
        target: Location,
        /// What for.
        purpose: Purpose,
    },
    /// The end of a walk answers. From here on everything takes the way of the walk, there or back.
    Met {
        /// Of the walk.
        id: WalkId,
        /// What the walk came to.
        answer: Answer,
    },
    /// The one that asked for a swap shows what it has committed to.
    Show {
        /// Of the walk.
        id: WalkId,
        /// What it is.
        opening: Opening,
    },
    /// The other shows the same, and says whether it would swap.
    Shown {
        /// Of the walk.
        id: WalkId,
        /// What it is.
        opening: Opening,
        /// Whether it would swap.
        consent: Consent,
    },
    /// The one that asked for a swap says whether both now have each other's place.
    Concluded {
        /// Of the walk.
        id: WalkId,
        /// Whether they have.
        consent: Consent,
    },
}

/// A walk's name on one link. Random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WalkId(pub u64);

/// What a walk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Somebody to swap with.
    Swap {
        /// To what the asker will show.
        commitment: Commitment,
        /// How the asker decides.
        stage: Stage,
    },
    /// How near to the target the nearest node is that is not exactly there.
    Look,
    /// Where the node at the end is: whether anybody is exactly at the target.
    Find,
}

/// What a walk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Somebody who may swap.
    Swap {
        /// To what it will show.
        commitment: Commitment,
        /// How both decide: as those that drift only if both do.
        stage: Stage,
    },
    /// The nearest node that the end of the walk knows.
    Nearest(Location),
    /// Nobody who has time.
    Nobody,
}

/// Whether a node swaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consent {
    /// It does.
    Given,
    /// It does not.
    Refused,
}

impl SwapMessage {
    /// The walk that it belongs to, if it belongs to one.
    #[must_use]
    pub const fn walk(&self) -> Option<WalkId> {
        match self {
            Self::Place { .. } => None,
            Self::Walk { id, .. }
            | Self::Met { id, .. }
            | Self::Show { id, .. }
            | Self::Shown { id, .. }
            | Self::Concluded { id, .. } => Some(*id),
        }
    }

    /// The same under the name that the walk has on another link.
    pub(super) const fn renamed(mut self, name: WalkId) -> Self {
        match &mut self {
            Self::Place { .. } => {}
            Self::Walk { id, .. }
            | Self::Met { id, .. }
            | Self::Show { id, .. }
            | Self::Shown { id, .. }
            | Self::Concluded { id, .. } => *id = name,
        }
        self
    }

    /// Whether a walk is over with it.
    pub(super) const fn is_last(&self) -> bool {
        match self {
            Self::Met { answer, .. } => !matches!(answer, Answer::Swap { .. }),
            Self::Concluded { .. } => true,
            Self::Place { .. } | Self::Walk { .. } | Self::Show { .. } | Self::Shown { .. } => {
                false
            }
        }
    }
}

impl From<bool> for Consent {
    fn from(given: bool) -> Self {
        if given { Self::Given } else { Self::Refused }
    }
}
