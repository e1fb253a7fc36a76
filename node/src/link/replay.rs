//! Remembers which connection-opening datagrams were seen, so that a recorded one, sent again by a prober, gets no answer.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use super::seal::NONCE_LEN;

/// Nonces kept in each of the two generations. 32 Ki handshake datagrams are hours of a busy node; the table
/// then takes about 1 MiB, and less than 2 MiB ever.
const GENERATION_LEN: usize = 32 << 10;

/// A set of nonces that forgets the oldest half when it is full.
#[derive(Debug)]
pub(crate) struct ReplayFilter {
    hasher: RandomState,
    young: HashSet<u64>,
    old: HashSet<u64>,
}

impl ReplayFilter {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            young: HashSet::new(),
            old: HashSet::new(),
        }
    }

    /// Whether `nonce` is new; from then on it is not.
    pub(crate) fn insert(&mut self, nonce: &[u8; NONCE_LEN]) -> bool {
        let mark = self.hasher.hash_one(nonce);
        if self.old.contains(&mark) || !self.young.insert(mark) {
            return false;
        }
        if self.young.len() >= GENERATION_LEN {
            self.old = std::mem::take(&mut self.young);
        }
        true
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce(i: usize) -> [u8; NONCE_LEN] {
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&i.to_le_bytes());
        nonce
    }

    #[test]
    fn a_nonce_is_new_once_and_the_table_stays_bounded() {
        let mut filter = ReplayFilter::new();
        for i in 0..5 * GENERATION_LEN {
            assert!(filter.insert(&nonce(i)), "nonce {i} was never seen");
            assert!(!filter.insert(&nonce(i)), "nonce {i} was just seen");
            assert!(filter.len() <= 2 * GENERATION_LEN);
        }
    }
}
