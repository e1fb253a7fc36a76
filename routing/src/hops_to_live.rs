//! When a request stops.

use std::fmt;

/// How many more nodes a request may visit.
///
/// It is a budget: every node that looks for the block takes one, and what a dead end has left over comes back to be
/// spent on the next best peer.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub struct HopsToLive(u8);

impl HopsToLive {
    /// Nothing left.
    pub const ZERO: Self = Self(0);

    /// The largest of an ordinary request.
    pub const MAX: Self = Self(HOPS_TO_LIVE_MAX);

    /// The largest that any node accepts: of a fetch that failed with an ordinary budget.
    pub const LONG_MAX: Self = Self(LONG_MAX);

    /// `hops`, if that is at most [`HopsToLive::LONG_MAX`].
    #[must_use]
    pub const fn new(hops: u8) -> Option<Self> {
        if hops <= LONG_MAX {
            Some(Self(hops))
        } else {
            None
        }
    }

    /// The number of nodes.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// One less, at nought nought.
    #[must_use]
    pub(crate) const fn less_one(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// This and so many more, up to the largest.
    #[must_use]
    pub(crate) const fn plus(self, more: u8) -> Self {
        let sum = self.0.saturating_add(more);
        if sum > LONG_MAX {
            Self(LONG_MAX)
        } else {
            Self(sum)
        }
    }

    /// What is left at a node that got a request with this much, by the draw made for the link it came over.
    ///
    /// A request at the largest budget of its kind stays there over one half of all links, so that it does not say that it
    /// comes from the neighbour's user.
    #[must_use]
    pub(crate) const fn after_hop(self, draw: HopDraw, max: Self) -> Self {
        let stays = (self.0 >= max.0 && !draw.leaves_max) || (self.0 == 1 && !draw.ends_at_one);
        let spent = if stays {
            self.0
        } else {
            self.0.saturating_sub(1)
        };
        if spent > max.0 { max } else { Self(spent) }
    }
}

impl fmt::Display for HopsToLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<u8> for HopsToLive {
    type Error = OutOfRange;

    fn try_from(hops: u8) -> Result<Self, OutOfRange> {
        Self::new(hops).ok_or(OutOfRange)
    }
}

impl From<HopsToLive> for u8 {
    fn from(hops: HopsToLive) -> Self {
        hops.0
    }
}

/// A number is larger or smaller than its kind may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number is out of range")]
pub struct OutOfRange;

/// What one link does with requests at both ends of the scale.
///
/// Drawn once for a link, since a draw for each request could be averaged by asking often. A request at the maximum
/// may therefore come from the neighbour's user or from further away, and one with a single hop left may travel on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HopDraw {
    leaves_max: bool,
    ends_at_one: bool,
}

impl HopDraw {
    /// The draw that `random` bits decide: with probability 1/2 the maximum is left, with 1/4 a single hop is the last.
    pub(crate) const fn from_random(random: u8) -> Self {
        Self {
            leaves_max: random & 1 == 0,
            ends_at_one: random & 0b110 == 0,
        }
    }
}

/// Three times and a bit of what greedy routes need at most: where half of all nodes are gone, this finds what
/// [`HOPS_TO_LIVE_MAX`] does not in four of five cases (E4 of the simulations).
const LONG_MAX: u8 = 50;

/// Freenet's maximum for networks of some ten thousand nodes, whose greedy routes are well below it.
const HOPS_TO_LIVE_MAX: u8 = 18;

#[cfg(test)]
mod tests {
    use super::*;

    const STAYS: HopDraw = HopDraw {
        leaves_max: false,
        ends_at_one: false,
    };
    const LEAVES: HopDraw = HopDraw {
        leaves_max: true,
        ends_at_one: true,
    };

    #[test]
    fn only_the_ends_of_the_scale_depend_on_the_link() {
        for hops in 2..HOPS_TO_LIVE_MAX {
            for draw in [STAYS, LEAVES] {
                assert_eq!(
                    HopsToLive(hops).after_hop(draw, HopsToLive::MAX).get(),
                    hops - 1
                );
            }
        }
        assert_eq!(
            HopsToLive::MAX.after_hop(STAYS, HopsToLive::MAX),
            HopsToLive::MAX
        );
        assert_eq!(HopsToLive::MAX.after_hop(LEAVES, HopsToLive::MAX).get(), 17);
        assert_eq!(HopsToLive(1).after_hop(STAYS, HopsToLive::MAX).get(), 1);
        assert_eq!(HopsToLive(1).after_hop(LEAVES, HopsToLive::MAX).get(), 0);
        assert_eq!(HopsToLive::ZERO.after_hop(STAYS, HopsToLive::MAX).get(), 0);
    }

    #[test]
    fn a_peer_cannot_exceed_this_nodes_maximum() {
        let max = HopsToLive(5);
        assert!(HopsToLive::MAX.after_hop(STAYS, max) <= max);
        assert!(HopsToLive::MAX.after_hop(LEAVES, max) <= max);
        assert_eq!(HopsToLive::new(51), None);
    }

    #[test]
    fn draws_have_the_stated_odds() {
        let draws: Vec<_> = (0..=255).map(HopDraw::from_random).collect();
        assert_eq!(draws.iter().filter(|draw| draw.leaves_max).count(), 128);
        assert_eq!(draws.iter().filter(|draw| draw.ends_at_one).count(), 64);
    }
}
