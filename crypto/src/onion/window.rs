//! Numbers of cells, and which of them were seen.

use std::fmt;

use rand_core::CryptoRng;

/// How far behind the highest number seen a cell may come, in numbers.
///
/// Cells of a circuit travel over several streams of a link and so overtake each other. At 33 KB each, this many are more
/// than a circuit has under way (34 MB).
pub const WINDOW: u32 = 1_024;

/// Numbers from here on are for the one closing cell that a relay other than the end may speak.
pub const CLOSING_NUMBER_MIN: u32 = 1 << 31;

/// Exclusive bound of first numbers: leaves 2^30 numbers, 35 TB in block cells, before those of closing cells begin.
const FIRST_NUMBER_MAX: u32 = 1 << 30;

/// A number for a circuit to begin with, below 2^30. Were it always zero, the first number that a relay sees would tell its
/// position in the circuit.
#[must_use]
pub fn first_number(rng: &mut impl CryptoRng) -> u32 {
    rng.next_u32() % FIRST_NUMBER_MAX
}

/// A number for a closing cell, at least [`CLOSING_NUMBER_MIN`]. Random, so that it hides how many relays are behind, and two
/// relays that close at the same time hardly choose the same.
#[must_use]
pub fn closing_number(rng: &mut impl CryptoRng) -> u32 {
    CLOSING_NUMBER_MIN | rng.next_u32()
}

/// The last [`WINDOW`] numbers: each is taken once, those before are not taken any more.
#[derive(Clone)]
pub(super) struct Window {
    /// Highest number taken.
    top: Option<u32>,
    /// Bit `number % WINDOW`: taken, for the numbers within the window.
    taken: [u64; WORDS],
}

const WORDS: usize = WINDOW as usize / 64;

impl Window {
    pub(super) const fn new() -> Self {
        Self {
            top: None,
            taken: [0; WORDS],
        }
    }

    /// Whether `number` was neither taken before nor is too old to tell.
    pub(super) fn is_fresh(&self, number: u32) -> bool {
        match self.top {
            Some(top) if number <= top => top - number < WINDOW && !self.bit(number),
            _ => true,
        }
    }

    /// Takes `number`, which is fresh.
    pub(super) fn take(&mut self, number: u32) {
        let top = self.top.unwrap_or(number);
        if number > top {
            self.forget_after(top, number);
        }
        self.top = Some(top.max(number));
        let (word, bit) = place(number);
        if let Some(word) = self.taken.get_mut(word) {
            *word |= bit;
        }
    }

    fn bit(&self, number: u32) -> bool {
        let (word, bit) = place(number);
        self.taken.get(word).is_none_or(|word| word & bit != 0)
    }

    /// The places of the numbers after `old` up to `new` belonged to numbers that leave the window.
    fn forget_after(&mut self, old: u32, new: u32) {
        if new - old >= WINDOW {
            self.taken = [0; WORDS];
            return;
        }
        for number in old + 1..=new {
            let (word, bit) = place(number);
            if let Some(word) = self.taken.get_mut(word) {
                *word &= !bit;
            }
        }
    }
}

/// Word and bit of a number.
const fn place(number: u32) -> (usize, u64) {
    let place = number % WINDOW;
    ((place / 64) as usize, 1 << (place % 64))
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("top", &self.top)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn first_numbers_are_low_and_closing_numbers_high() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let first: BTreeSet<_> = (0..100).map(|_| first_number(&mut rng)).collect();
        let closing: BTreeSet<_> = (0..100).map(|_| closing_number(&mut rng)).collect();
        assert!(first.iter().all(|number| *number < 1 << 30));
        assert!(closing.iter().all(|number| *number >= 1 << 31));
        assert!(first.len() > 95 && closing.len() > 95);
    }

    #[test]
    fn the_window_reaches_to_both_ends_of_the_numbers() {
        for (first, second) in [(0, u32::MAX), (u32::MAX, 0)] {
            let mut window = Window::new();
            assert!(window.is_fresh(first));
            window.take(first);
            assert!(!window.is_fresh(first));
            assert_eq!(window.is_fresh(second), second > first);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_number_is_taken_once_and_only_within_the_window(
            base in 0..u32::MAX - 20_000,
            numbers in proptest::collection::vec(
                proptest::prop_oneof![0..40_u32, 0..3_000_u32, 1_000..1_050_u32, 0..20_000_u32], 1..200),
        ) {
            let mut window = Window::new();
            let mut taken = BTreeSet::new();
            for number in numbers.into_iter().map(|number| base + number) {
                let old = taken.last().is_some_and(|top: &u32| number.saturating_add(WINDOW) <= *top);
                let expected = !old && !taken.contains(&number);
                proptest::prop_assert_eq!(window.is_fresh(number), expected);
                if expected {
                    window.take(number);
                    taken.insert(number);
                }
            }
        }
    }
}
