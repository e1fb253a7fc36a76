//! Which relays a relay reaches: what walks are chosen from.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use crypto::Signature;
use crypto::onion::{OnionKey, OnionSecret};

/// The name of a relay: the bytes of its onion key, whether or not they are one.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct RelayName([u8; 32]);

impl RelayName {
    /// These 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key of this name, if it is one.
    pub(crate) fn key(&self) -> Option<OnionKey> {
        OnionKey::from_bytes(self.0).ok()
    }
}

impl From<OnionKey> for RelayName {
    fn from(key: OnionKey) -> Self {
        Self(*key.as_bytes())
    }
}

/// Names are not for logs: some of them are those of the relays of the user's own circuits.
impl fmt::Debug for RelayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[relay]")
    }
}

/// The names of the relays that one relay reaches, signed by it. Neither addresses nor places: whoever walks draws among
/// names, and a place could tell which node a name belongs to.
///
/// ```text
/// name(32) number(8) [neighbour(32)]* signature(64)      neighbours in ascending order, at most 50
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct NeighbourList {
    bytes: Bytes,
}

impl NeighbourList {
    /// How many neighbours fit into a cell.
    pub const NEIGHBOURS_MAX: usize = 50;

    /// No list is longer, in bytes.
    pub const LEN_MAX: usize = HEAD_LEN + NAME_LEN * Self::NEIGHBOURS_MAX + SIGNATURE_LEN;

    /// The list that `bytes` are, if they are one. Whether its signature is right is another question.
    #[must_use]
    pub fn from_bytes(bytes: Bytes) -> Option<Self> {
        let neighbours = bytes.len().checked_sub(HEAD_LEN + SIGNATURE_LEN)?;
        let fits =
            neighbours.is_multiple_of(NAME_LEN) && neighbours / NAME_LEN <= Self::NEIGHBOURS_MAX;
        let list = Self { bytes };
        (fits && list.neighbours().is_sorted_by(|one, next| one < next)).then_some(list)
    }

    /// Signs a list. Of more than [`NeighbourList::NEIGHBOURS_MAX`] neighbours the first are taken.
    pub(crate) fn sign(secret: &OnionSecret, number: u64, mut neighbours: Vec<RelayName>) -> Self {
        neighbours.truncate(Self::NEIGHBOURS_MAX);
        neighbours.sort_unstable();
        neighbours.dedup();
        let mut bytes = BytesMut::with_capacity(Self::LEN_MAX);
        bytes.put_slice(secret.key().as_bytes());
        bytes.put_u64_le(number);
        for neighbour in neighbours {
            bytes.put_slice(neighbour.as_bytes());
        }
        let signature = secret.sign(DOMAIN, &bytes);
        bytes.put_slice(signature.as_bytes());
        Self {
            bytes: bytes.freeze(),
        }
    }

    /// Whether it is signed by the relay that it names.
    #[must_use]
    pub fn is_genuine(&self) -> bool {
        let signed = self.signed();
        let signature = self.bytes.get(signed.len()..).unwrap_or_default();
        let Ok(signature) = <[u8; SIGNATURE_LEN]>::try_from(signature) else {
            return false;
        };
        let signature = Signature::from_bytes(signature);
        let key = self.relay().key();
        key.is_some_and(|key| key.verify(DOMAIN, signed, &signature).is_ok())
    }

    /// Whose list it is.
    #[must_use]
    pub fn relay(&self) -> RelayName {
        let name = self.bytes.first_chunk::<NAME_LEN>();
        RelayName(*name.expect("every constructor writes the name in front"))
    }

    /// Rises with each list of a relay.
    #[must_use]
    pub fn number(&self) -> u64 {
        let number = self.bytes.get(NAME_LEN..HEAD_LEN).unwrap_or_default();
        let number = number.try_into();
        u64::from_le_bytes(number.expect("every constructor writes a number behind the name"))
    }

    /// Whom it reaches, in ascending order.
    pub fn neighbours(&self) -> impl Iterator<Item = RelayName> {
        let names = self.signed().get(HEAD_LEN..).unwrap_or_default();
        let (names, _) = names.as_chunks::<NAME_LEN>();
        names.iter().map(|&name| RelayName(name))
    }

    /// Whether it reaches that relay.
    #[must_use]
    pub fn contains(&self, name: &RelayName) -> bool {
        self.neighbours().any(|neighbour| neighbour == *name)
    }

    /// As it is sent.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    fn signed(&self) -> &[u8] {
        let len = self.bytes.len().saturating_sub(SIGNATURE_LEN);
        self.bytes.get(..len).unwrap_or_default()
    }
}

impl fmt::Debug for NeighbourList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} neighbours", self.neighbours().count())
    }
}

/// What the signature is for.
const DOMAIN: &str = "warren onion neighbours 1";

const NAME_LEN: usize = 32;
const HEAD_LEN: usize = NAME_LEN + 8;
const SIGNATURE_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    use super::*;

    fn secret(seed: u64) -> OnionSecret {
        OnionSecret::generate(&mut ChaCha8Rng::seed_from_u64(seed))
    }

    fn names(count: u8) -> Vec<RelayName> {
        (0..count).rev().map(|name| RelayName([name; 32])).collect()
    }

    #[test]
    fn a_list_comes_back_from_its_bytes_and_any_change_breaks_the_signature() {
        let list = NeighbourList::sign(&secret(1), 7, names(50));
        assert_eq!(list.bytes().len(), NeighbourList::LEN_MAX);
        assert_eq!(list.relay(), secret(1).key().into());
        assert_eq!(
            (list.number(), list.neighbours().count()),
            (7, NeighbourList::NEIGHBOURS_MAX)
        );
        assert!(list.contains(&RelayName([49; 32])) && !list.contains(&RelayName([50; 32])));
        let again = NeighbourList::from_bytes(list.bytes().clone()).expect("it was a list");
        assert!(again == list && again.is_genuine());
        for place in [0, 33, 100, list.bytes().len() - 1] {
            let mut bytes = list.bytes().to_vec();
            bytes[place] ^= 1;
            let changed = NeighbourList::from_bytes(bytes.into());
            assert!(!changed.is_some_and(|list| list.is_genuine()), "{place}");
        }
    }

    #[test]
    fn lists_too_long_or_out_of_order_are_none() {
        let short = NeighbourList::sign(&secret(1), 1, names(2));
        let mut bytes = short.bytes().to_vec();
        bytes[HEAD_LEN] = 9;
        assert_eq!(NeighbourList::from_bytes(bytes.into()), None);
        let long = vec![0; NeighbourList::LEN_MAX + NAME_LEN];
        assert_eq!(NeighbourList::from_bytes(long.into()), None);
        assert_eq!(NeighbourList::from_bytes(Bytes::new()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_list_or_none(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            if let Some(list) = NeighbourList::from_bytes(bytes.into()) {
                prop_assert!(!list.is_genuine());
                prop_assert!(list.neighbours().count() <= NeighbourList::NEIGHBOURS_MAX);
            }
        }
    }
}
