//! What decides a swap.
//!
//! Both sides first commit to an [`Opening`], and show it when they have the other's commitment: so neither can choose its
//! place, or the random numbers that decide, after it has seen the other's. Two coins come from both openings. What a node
//! does with its coin only concerns its own friends: see [`Stage`].

use serde::{Deserialize, Serialize};

use super::drift::Drift;
use super::gap::Gap;
use super::logarithm::{ONE, log2};
use crate::location::Location;

/// How a node decides about swaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// A node that came lately, without a place: it goes where its surroundings are. Both sides look at the sum of what they
    /// gain, and believe each other, as far as their drifts go: a network that begins has nothing to lose yet.
    Drift,
    /// Any other node. Each side decides by its own friends alone, so that a liar can only lie about itself, and neither
    /// has to show where its friends are. With min(1, a) min(1, b) in place of min(1, a b), where a and b are what the swap does
    /// to the product of each side's distances, the same arrangements are as probable in the long run (each factor is in
    /// balance by itself), only later: the price of not having to believe.
    Settle,
}

/// What one side of a swap commits to, and shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Random.
    pub nonce: [u8; 16],
    /// Where the node is.
    pub location: Location,
    /// Where its surroundings are.
    pub drift: Drift,
}

/// A hash of an [`Opening`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment(pub [u8; 32]);

/// A random number that both sides of a swap know and neither has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin(u64);

impl Opening {
    /// What is shown before this may be.
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        let mut hasher = blake3::Hasher::new_derive_key(COMMITMENT_CONTEXT);
        hasher.update(&self.nonce);
        hasher.update(&self.location.to_bits().to_le_bytes());
        hasher.update(&self.drift.to_bytes());
        Commitment(*hasher.finalize().as_bytes())
    }
}

impl Coin {
    /// The coins of the side that asked for the swap, and of the other.
    #[must_use]
    pub fn both(asker: &Opening, answerer: &Opening) -> [Self; 2] {
        let mut hasher = blake3::Hasher::new_derive_key(COIN_CONTEXT);
        hasher.update(&asker.nonce);
        hasher.update(&answerer.nonce);
        let mut first = [0; 8];
        let mut second = [0; 8];
        let mut output = hasher.finalize_xof();
        output.fill(&mut first);
        output.fill(&mut second);
        [first, second].map(|bytes| Self(u64::from_le_bytes(bytes)))
    }

    /// The coin that these random bits are.
    #[must_use]
    pub const fn from_random(random: u64) -> Self {
        Self(random)
    }

    /// Whether something that makes a product smaller by so many powers of two (in units of 2^-32) is done: always if it does,
    /// else as often as it makes the product larger.
    #[must_use]
    pub const fn accepts(self, gain: i64) -> bool {
        log2(self.0 | 1) - 64 * ONE <= gain
    }
}

/// How badly a node is placed at `location`: the sum of the logarithms of the distances to its friends.
#[must_use]
pub fn badness(location: Location, friends: impl Iterator<Item = Location>) -> i64 {
    friends
        .map(|friend| log2(location.distance(friend).to_bits().max(1)))
        .sum()
}

/// Whether a node moves from `from` to `to` as far as its friends are concerned. It does not go where one of them is already.
///
/// A friend that is the other side of the swap is not counted, since the distance to it stays. Two friends that swap put the
/// order of their surroundings right, but only do what is better for each: with the coin they would swap to and fro, far more
/// often than all others together, and leave their blocks behind each time.
#[must_use]
pub fn consents(
    coin: Coin,
    gap: Gap,
    from: Location,
    to: Location,
    friends: impl Iterator<Item = Location> + Clone,
) -> bool {
    let is_with_friend = friends.clone().any(|friend| friend == to);
    let others = friends.filter(|&friend| friend != to);
    let gain = badness(from, others.clone()) - badness(to, others.clone());
    !gap.is_taken_by(to, others) && (gain > 0 || (!is_with_friend && coin.accepts(gain)))
}

/// Whether two nodes that drift swap.
#[must_use]
pub fn drift_together(one: (Location, Drift), other: (Location, Drift)) -> bool {
    one.1.gain(one.0, other.0) + other.1.gain(other.0, one.0) > 0.0
}

const COMMITMENT_CONTEXT: &str = "warren 2026 swap commitment";

const COIN_CONTEXT: &str = "warren 2026 swap coin";

#[cfg(test)]
mod tests {
    use super::*;

    fn at(fraction: f64) -> Location {
        Location::from_fraction(fraction)
    }

    fn opening(nonce: u8, place: f64) -> Opening {
        Opening {
            nonce: [nonce; 16],
            location: at(place),
            drift: Drift::default(),
        }
    }

    #[test]
    fn a_commitment_binds_all_of_an_opening_and_the_coins_come_from_both() {
        let one = opening(1, 0.1);
        assert_eq!(one.commitment(), opening(1, 0.1).commitment());
        assert_ne!(one.commitment(), opening(2, 0.1).commitment());
        assert_ne!(one.commitment(), opening(1, 0.2).commitment());
        let drift = Drift::among([(at(0.3), Drift::default())].into_iter());
        assert_ne!(one.commitment(), Opening { drift, ..one }.commitment());
        let coins = Coin::both(&one, &opening(2, 0.5));
        assert_ne!(coins, Coin::both(&one, &opening(3, 0.5)));
        assert_ne!(coins, Coin::both(&opening(4, 0.1), &opening(2, 0.5)));
        assert_ne!(coins[0], coins[1]);
    }

    #[test]
    fn a_move_that_is_worse_by_a_factor_is_done_as_often_as_that_says() {
        let friends = [at(0.1)].into_iter();
        let (near, far) = (at(0.11), at(0.18));
        let moved = |from, to| {
            (0..4_000_u64)
                .filter(|number| {
                    let coin = Coin::from_random(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                    consents(coin, Gap::START, from, to, friends.clone())
                })
                .count()
        };
        assert_eq!(moved(far, near), 4_000);
        let odds = moved(near, far);
        assert!((460..540).contains(&odds), "one in eight: {odds}");
    }

    #[test]
    fn friends_swap_if_each_is_better_placed_among_the_others() {
        let kind = Coin(0);
        let with_friend_at = |to: f64, others: [f64; 2]| {
            let friends = others.into_iter().chain([to]).map(at);
            consents(kind, Gap::START, at(0.2), at(to), friends)
        };
        assert!(with_friend_at(0.3, [0.5, 0.32]));
        assert!(!with_friend_at(0.3, [0.1, 0.18]), "worse");
        assert!(!with_friend_at(0.3, [0.25, 0.75]), "not better");
    }

    #[test]
    fn nobody_goes_where_a_friend_is() {
        let kind = Coin(0);
        let to = |place| consents(kind, Gap::START, at(0.2), at(place), [at(0.3)].into_iter());
        assert!(to(0.301));
        assert!(!to(0.300_000_001));
    }
}
