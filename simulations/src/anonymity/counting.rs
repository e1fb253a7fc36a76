//! Counting: the test by which downloaders of Freenet were picked out.
//!
//! Somebody who knows the keys of a file counts how many of its blocks a neighbour asks him for. A neighbour that wants the file itself
//! asks each of its `g` peers for one block in `g`. One that passes on what a peer of its with eight peers wants asks for an eighth of that.
//! The likelihood of one over that of the other decides.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Links;
use crate::random::rng_for;
use crate::statistics::count;
use crate::topology::short;

/// Who was asked by whom, and for how many blocks of one file.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// For the asked and the asker, numbers of blocks.
    asked: BTreeMap<(u32, u32), u32>,
    /// For an asker, numbers of blocks for which nobody had asked it.
    unbidden: BTreeMap<u32, u32>,
}

/// Which nodes collude.
#[derive(Clone, Debug)]
pub struct Coalition {
    colludes: Vec<bool>,
}

/// What a coalition concludes about one file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Verdict {
    /// The requester is flagged.
    pub caught: bool,
    /// How many others are.
    pub innocents: usize,
    /// The requester is the one with the highest likelihood.
    pub first_guess: bool,
}

/// A neighbour is flagged if it is the requester with more than this probability, which was as likely as not before.
pub const SURE: f64 = 0.98;

/// Peers of a peer on whose behalf a neighbour may ask.
const PEERS_BEHIND: f64 = 8.0;

impl Tally {
    /// Counts the blocks of which it is noted who was asked by whom; a block that is noted twice counts once.
    #[must_use]
    pub fn of(mut seen: Vec<(u32, u32, u32)>) -> Self {
        seen.sort_unstable();
        seen.dedup();
        let mut tally = Self::default();
        for &(observer, neighbour, _) in &seen {
            *tally.asked.entry((observer, neighbour)).or_default() += 1;
        }
        let bidden: BTreeSet<_> = seen.iter().map(|&(node, _, block)| (node, block)).collect();
        let asking: BTreeSet<_> = seen.iter().map(|&(_, node, block)| (node, block)).collect();
        for &(node, _) in asking.difference(&bidden) {
            *tally.unbidden.entry(node).or_default() += 1;
        }
        tally
    }

    /// The same, and what is noted besides. A block that was seen in both counts twice.
    #[must_use]
    pub fn with(mut self, seen: Vec<(u32, u32, u32)>) -> Self {
        let more = Self::of(seen);
        for (pair, number) in more.asked {
            *self.asked.entry(pair).or_default() += number;
        }
        for (node, number) in more.unbidden {
            *self.unbidden.entry(node).or_default() += number;
        }
        self
    }

    /// For how many blocks `neighbour` asked `observer`.
    #[must_use]
    pub fn asked(&self, observer: usize, neighbour: usize) -> u32 {
        let pair = (short(observer), short(neighbour));
        self.asked.get(&pair).copied().unwrap_or_default()
    }

    /// For how many blocks `neighbour` asked others although nobody asked it: what it does not merely pass on.
    #[must_use]
    pub fn unbidden(&self, neighbour: usize) -> u32 {
        let number = self.unbidden.get(&short(neighbour));
        number.copied().unwrap_or_default()
    }

    /// Who asked whom, with the logarithm of the likelihood that the asker wanted the file over that it did not, falling.
    #[must_use]
    pub fn suspicions(&self, links: &Links, blocks: usize) -> Vec<Suspicion> {
        let mut all: Vec<Suspicion> = self
            .asked
            .iter()
            .map(|(&(observer, neighbour), &asked)| Suspicion {
                observer: observer as usize,
                neighbour: neighbour as usize,
                logarithm: log_likelihood(asked, blocks, links.degree(neighbour as usize)),
            })
            .collect();
        all.sort_by(|a, b| b.logarithm.total_cmp(&a.logarithm));
        all
    }
}

/// What one node can think of a neighbour.
#[derive(Clone, Copy, Debug)]
pub struct Suspicion {
    /// Who thinks it.
    pub observer: usize,
    /// Of whom.
    pub neighbour: usize,
    /// The logarithm of the likelihood ratio.
    pub logarithm: f64,
}

impl Coalition {
    /// Draws a part of all nodes; `honest` never is among them.
    #[must_use]
    pub fn draw(nodes: usize, part: f64, honest: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut others: Vec<usize> = (0..nodes).filter(|&node| node != honest).collect();
        others.shuffle(rng);
        let mut colludes = vec![false; nodes];
        for &node in others.iter().take(rounded(part * count(nodes))) {
            colludes[node] = true;
        }
        Self { colludes }
    }

    /// So many coalitions against one requester, each with such a part of all nodes.
    #[must_use]
    pub fn against(
        requester: usize,
        nodes: usize,
        part: f64,
        coalitions: u64,
        seed: u64,
    ) -> Vec<Self> {
        (0..coalitions)
            .map(|number| {
                let purpose = format!("coalition {number} of {part} against {requester}");
                Self::draw(nodes, part, requester, &mut rng_for(seed, &purpose))
            })
            .collect()
    }

    /// Whether a node belongs to it.
    #[must_use]
    pub fn has(&self, node: usize) -> bool {
        self.colludes[node]
    }

    /// All of it.
    #[must_use]
    pub fn members(&self) -> Vec<usize> {
        let all = self.colludes.iter().enumerate();
        all.filter(|(_, colludes)| **colludes)
            .map(|(node, _)| node)
            .collect()
    }

    /// What it concludes from all suspicions, which are sorted.
    #[must_use]
    pub fn judge(&self, suspicions: &[Suspicion], requester: usize) -> Verdict {
        let mut own = suspicions
            .iter()
            .filter(|suspicion| self.has(suspicion.observer) && !self.has(suspicion.neighbour))
            .peekable();
        let first_guess = own.peek().is_some_and(|first| first.neighbour == requester);
        let sure = (SURE / (1.0 - SURE)).ln();
        let mut flagged: Vec<usize> = own
            .take_while(|suspicion| suspicion.logarithm > sure)
            .map(|suspicion| suspicion.neighbour)
            .collect();
        flagged.sort_unstable();
        flagged.dedup();
        let caught = flagged.binary_search(&requester).is_ok();
        Verdict {
            caught,
            innocents: flagged.len() - usize::from(caught),
            first_guess,
        }
    }
}

/// Of a requester with so many peers over that of a relay, for `asked` of `blocks`.
fn log_likelihood(asked: u32, blocks: usize, degree: usize) -> f64 {
    let requester = 1.0 / count(degree.max(2));
    let relay = requester / PEERS_BEHIND;
    let (hits, misses) = (f64::from(asked), count(blocks) - f64::from(asked));
    hits.mul_add(
        (requester / relay).ln(),
        misses * ((1.0 - requester) / (1.0 - relay)).ln(),
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of the number of nodes"
)]
const fn rounded(number: f64) -> usize {
    number.round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anonymity::Degrees;

    #[test]
    fn who_asks_for_one_block_in_twenty_is_flagged_and_who_asks_for_few_is_not() {
        let links = Links::draw(200, Degrees::Even(20), 1);
        let blocks = |observer, neighbour, number| {
            (0..number).map(move |block| (observer, neighbour, block))
        };
        let mut seen: Vec<_> = blocks(1, 2, 50).chain(blocks(1, 3, 6)).collect();
        seen.extend(blocks(1, 2, 50));
        let tally = Tally::of(seen);
        assert_eq!(tally.asked(1, 2), 50, "each block counts once");
        assert_eq!((tally.unbidden(2), tally.unbidden(1)), (50, 0));
        let passed_on = Tally::of(blocks(1, 2, 50).chain(blocks(2, 4, 48)).collect());
        assert_eq!((passed_on.unbidden(2), passed_on.unbidden(4)), (2, 48));
        let suspicions = tally.suspicions(&links, 1000);
        let everybody = Coalition {
            colludes: (0..200).map(|node| node == 1).collect(),
        };
        let verdict = everybody.judge(&suspicions, 2);
        assert_eq!(
            verdict,
            Verdict {
                caught: true,
                innocents: 0,
                first_guess: true
            }
        );
        let verdict = everybody.judge(&suspicions, 3);
        assert_eq!(
            verdict,
            Verdict {
                caught: false,
                innocents: 1,
                first_guess: false
            }
        );
        let nobody = Coalition::draw(200, 0.0, 0, &mut rng_for(1, "nobody"));
        assert_eq!(nobody.judge(&suspicions, 2), Verdict::default());
    }

    #[test]
    fn a_coalition_has_its_part_and_not_the_honest() {
        let coalition = Coalition::draw(200, 0.2, 5, &mut rng_for(1, "part"));
        assert_eq!(coalition.members().len(), 40);
        assert!(!coalition.has(5));
    }
}
