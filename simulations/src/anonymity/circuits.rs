//! How an originator draws its circuits.

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::{Links, Sighting};

/// Circuits that a node deals the blocks of a large file over.
pub const POOL: usize = 32;

/// Hops of a circuit of a node with enough links, at the level that nodes have without being told.
pub const HOPS: usize = 6;

/// What stays the same from circuit to circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Design {
    /// Nothing: each circuit is a walk of its own.
    Walks,
    /// The first hop.
    Guard,
    /// The first hop, and so many second ones, of which each circuit has one.
    SecondHops(usize),
}

/// A node with its guard and second hops.
#[derive(Clone, Debug)]
pub struct Originator {
    /// Who it is.
    pub node: usize,
    /// The first hop of all its circuits, if it has one.
    pub guard: Option<usize>,
    /// The second hops of all its circuits, if it has any.
    pub seconds: Vec<usize>,
}

/// The relays of one circuit, from the guard to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// In order.
    pub hops: Vec<usize>,
    /// Which of the second hops it goes through; circuits without a fixed second hop are numbered one by one.
    pub group: usize,
}

impl Originator {
    /// Draws what stays the same.
    #[must_use]
    pub fn draw(links: &Links, node: usize, design: Design, rng: &mut ChaCha8Rng) -> Self {
        let guard = match design {
            Design::Walks => None,
            Design::Guard | Design::SecondHops(_) => choose(links, node, &[node], rng),
        };
        let mut seconds: Vec<usize> = Vec::new();
        if let (Design::SecondHops(number), Some(guard)) = (design, guard) {
            while seconds.len() < number {
                let mut taken = vec![node, guard];
                taken.extend(&seconds);
                // A guard with few neighbours gives fewer
                let Some(second) = choose(links, guard, &taken, rng) else {
                    break;
                };
                seconds.push(second);
            }
        }
        Self {
            node,
            guard,
            seconds,
        }
    }

    /// Draws a circuit of so many hops: never through the originator, and through no relay twice. One that gets stuck is
    /// shorter.
    #[must_use]
    pub fn circuit(
        &self,
        links: &Links,
        hops: usize,
        number: usize,
        rng: &mut ChaCha8Rng,
    ) -> Circuit {
        let mut taken = vec![self.node];
        let mut group = number;
        taken.extend(self.guard);
        if !self.seconds.is_empty() && hops > 1 {
            group = rng.random_range(0..self.seconds.len());
            taken.push(self.seconds[group]);
        }
        while taken.len() <= hops {
            let last = *taken.last().expect("the originator is in it");
            match choose(links, last, &taken, rng) {
                Some(next) => taken.push(next),
                None => break,
            }
        }
        Circuit {
            hops: taken.split_off(1),
            group,
        }
    }
}

impl Circuit {
    /// What colluders see of a circuit whose end is one of them: the relay before the end, or, where that colludes too, the one
    /// before it, and so on. Nothing if the end does not collude. Where all collude, the guard.
    pub fn first_honest_before_end(&self, colludes: impl Fn(usize) -> bool) -> Option<Sighting> {
        let (end, before) = self.hops.split_last()?;
        if !colludes(*end) {
            return None;
        }
        let place = before
            .iter()
            .rposition(|&relay| !colludes(relay))
            .unwrap_or(0);
        Some(self.sighting(place))
    }

    /// What colluders see who recognise a circuit by its timing wherever they are in it, if its end is one of them: the relay before
    /// the first of them. Where that is the first hop, the guard itself.
    pub fn before_first_colluder(&self, colludes: impl Fn(usize) -> bool) -> Option<Sighting> {
        if !self.hops.last().is_some_and(|&end| colludes(end)) {
            return None;
        }
        let first = self.hops.iter().position(|&relay| colludes(relay))?;
        Some(self.sighting(first.saturating_sub(1)))
    }

    fn sighting(&self, place: usize) -> Sighting {
        Sighting {
            node: self.hops[place],
            hop: place + 1,
            group: self.group,
        }
    }
}

/// Any neighbour of `node` that is not taken.
fn choose(links: &Links, node: usize, taken: &[usize], rng: &mut ChaCha8Rng) -> Option<usize> {
    let free: Vec<u32> = links
        .neighbours(node)
        .iter()
        .copied()
        .filter(|&other| !taken.contains(&(other as usize)))
        .collect();
    free.choose(rng).map(|&node| node as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anonymity::Degrees;
    use crate::random::rng_for;

    #[test]
    fn colluders_see_what_is_next_to_them() {
        let circuit = Circuit {
            hops: vec![1, 2, 3, 4, 5],
            group: 0,
        };
        let next_to_end = |bad: &[usize]| {
            let sighting = circuit.first_honest_before_end(|relay| bad.contains(&relay));
            sighting.map(|sighting| (sighting.node, sighting.hop))
        };
        assert_eq!(next_to_end(&[5]), Some((4, 4)));
        assert_eq!(next_to_end(&[4, 5]), Some((3, 3)));
        assert_eq!(next_to_end(&[2, 5]), Some((4, 4)));
        assert_eq!(next_to_end(&[1, 2, 3]), None);
        let by_timing = |bad: &[usize]| {
            let sighting = circuit.before_first_colluder(|relay| bad.contains(&relay));
            sighting.map(|sighting| (sighting.node, sighting.hop))
        };
        assert_eq!(by_timing(&[2, 5]), Some((1, 1)));
        assert_eq!(by_timing(&[5]), Some((4, 4)));
        assert_eq!(by_timing(&[2]), None);
    }

    #[test]
    fn circuits_share_what_the_design_keeps_and_visit_nobody_twice() {
        let links = Links::draw(300, Degrees::Even(10), 1);
        let mut rng = rng_for(1, "circuits");
        let originator = Originator::draw(&links, 7, Design::SecondHops(2), &mut rng);
        let mut ends = std::collections::BTreeSet::new();
        for number in 0..200 {
            let circuit = originator.circuit(&links, 6, number, &mut rng);
            assert_eq!(circuit.hops.len(), 6);
            assert_eq!(Some(circuit.hops[0]), originator.guard);
            assert_eq!(circuit.hops[1], originator.seconds[circuit.group]);
            let mut all = circuit.hops.clone();
            all.push(7);
            for pair in all.windows(2).take(5) {
                assert!(links.is_linked(pair[0], pair[1]));
            }
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 7, "{circuit:?}");
            ends.insert(circuit.hops[5]);
        }
        assert!(ends.len() > 60, "{} ends", ends.len());
    }
}
