//! What peers tell each other so that blocks are found, apart from single requests.

use std::fmt;

use crypto::BlockKey;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::location::{Distance, Location};

/// A message that helps to find blocks and belongs to no single request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finding {
    /// Where the sender's own peers are. Replaces what it said before.
    Neighbours(Neighbourhood),
    /// The sender wants to know when the block of this key comes. Good for half an hour.
    Subscribe {
        /// Of the block.
        key: BlockKey,
    },
    /// The sender does not want to know any longer.
    Unsubscribe {
        /// Of the block.
        key: BlockKey,
    },
    /// The block of a key that the receiver asked for or subscribed to, and that was not there, has come.
    Appeared {
        /// Of the block.
        key: BlockKey,
    },
}

/// Where a node's peers are, roughly: at most [`Neighbourhood::LEN_MAX`] different places, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Neighbourhood(Box<[CoarseLocation]>);

impl Neighbourhood {
    /// More than any node has peers.
    pub const LEN_MAX: usize = 100;

    /// The different ones among `places`, as far as there is room for them.
    #[must_use]
    pub fn new(places: impl Iterator<Item = CoarseLocation>) -> Self {
        let mut places: Vec<_> = places.collect();
        places.sort_unstable();
        places.dedup();
        places.truncate(Self::LEN_MAX);
        Self(places.into())
    }

    /// The places, in ascending order.
    #[must_use]
    pub fn places(&self) -> &[CoarseLocation] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Neighbourhood {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Ascending)
    }
}

/// Reads a list that must be in order, and no longer than it may be.
struct Ascending;

impl<'de> Visitor<'de> for Ascending {
    type Value = Neighbourhood;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "at most {} places in ascending order",
            Neighbourhood::LEN_MAX
        )
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Neighbourhood, A::Error> {
        let mut places: Vec<CoarseLocation> = Vec::new();
        while let Some(place) = list.next_element()? {
            let in_order = places.last().is_none_or(|&last| last < place);
            if !in_order || places.len() == Neighbourhood::LEN_MAX {
                return Err(A::Error::custom(
                    "a list of places is too long or out of order",
                ));
            }
            places.push(place);
        }
        Ok(Neighbourhood(places.into()))
    }
}

/// A place on the ring to 1/65 536: enough to choose a way by, and too little to tell nodes of a large network apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "[u8; 2]", into = "[u8; 2]")]
pub struct CoarseLocation(u16);

impl CoarseLocation {
    /// The part of the ring that `location` is in.
    #[must_use]
    pub const fn of(location: Location) -> Self {
        let [high, low, ..] = location.to_bits().to_be_bytes();
        Self(u16::from_be_bytes([high, low]))
    }

    /// How far any place in this part of the ring is from `target`, at most.
    pub(crate) const fn distance_at_most(self, target: Location) -> Distance {
        self.middle().distance(target).plus(HALF_A_PART)
    }

    /// The middle of this part of the ring.
    const fn middle(self) -> Location {
        let [high, low] = self.0.to_be_bytes();
        Location::from_bits(u64::from_be_bytes([high, low, 0x80, 0, 0, 0, 0, 0]))
    }
}

impl fmt::Debug for CoarseLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.middle().fmt(f)
    }
}

impl From<[u8; 2]> for CoarseLocation {
    fn from(bytes: [u8; 2]) -> Self {
        Self(u16::from_be_bytes(bytes))
    }
}

impl From<CoarseLocation> for [u8; 2] {
    fn from(place: CoarseLocation) -> Self {
        place.0.to_be_bytes()
    }
}

/// Half of 1/65 536 of the ring, in units of 2^-64.
const HALF_A_PART: u64 = 1 << 47;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_out_of_order_or_too_long_is_refused() {
        let decode = |bytes: &[u8]| postcard::from_bytes::<Neighbourhood>(bytes);
        assert_eq!(decode(&[2, 0, 1, 0, 2]).unwrap().places().len(), 2);
        assert!(decode(&[2, 0, 2, 0, 1]).is_err());
        assert!(decode(&[2, 0, 1, 0, 1]).is_err(), "twice the same");
        let list = |length: u8| {
            let places = (0..length).flat_map(|place| [0, place]);
            [length].into_iter().chain(places).collect::<Vec<_>>()
        };
        assert!(decode(&list(100)).is_ok());
        assert!(decode(&list(101)).is_err());
        // A length that nothing follows takes no memory
        assert!(decode(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1]).is_err());
    }

    #[test]
    fn a_rounded_place_is_within_half_a_part() {
        for fraction in [0.0, 0.3, 0.999_999] {
            let location = Location::from_fraction(fraction);
            let rounded = CoarseLocation::of(location).middle();
            assert!(location.distance(rounded).as_fraction() <= 0.5 / 65_536.0);
        }
    }
}
