//! Who may have built these circuits? What somebody who knows every link concludes.
//!
//! All is exact but for two things, in which walks are taken as a little freer than they are: that a circuit visits no relay twice is
//! left out of the reckoning, and so is that second hops are different. [`Belief::surprise`] tells whether that matters.

use super::{Design, Links};
use crate::statistics::count;

/// What the adversary saw of one circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// A relay of the circuit, which need not be its own.
    pub node: usize,
    /// Which hop it is: 1 for the guard. The adversary is taken to know it, though nothing says so in a cell.
    pub hop: usize,
    /// Which circuits share a second hop: the adversary is told, though nothing says so in a cell.
    pub group: usize,
}

/// What is believed of every node: the probabilities that it is the originator.
#[derive(Clone, Debug)]
pub struct Belief {
    probabilities: Vec<f64>,
}

impl Belief {
    /// What to believe after circuits of one originator were seen; before, all nodes were as likely.
    ///
    /// `not` are nodes that cannot be it: the ends of circuits, and those who collude.
    #[must_use]
    pub fn after(links: &Links, design: Design, sightings: &[Sighting], not: &[usize]) -> Self {
        let mut probabilities = match design {
            Design::Walks => walks(links, sightings),
            Design::Guard => behind_guards(links, sightings, Sharing::Nothing),
            Design::SecondHops(_) => behind_guards(links, sightings, Sharing::SecondHops),
        };
        for &node in not {
            probabilities[node] = 0.0;
        }
        Self::normalised(probabilities)
    }

    fn normalised(mut probabilities: Vec<f64>) -> Self {
        let sum: f64 = probabilities.iter().sum();
        for probability in &mut probabilities {
            *probability /= sum;
        }
        Self { probabilities }
    }

    /// How many nodes, all as likely, would leave as much doubt: two to the power of the entropy.
    #[must_use]
    pub fn effective_set(&self) -> f64 {
        self.entropy().exp2()
    }

    /// In bits.
    #[must_use]
    pub fn entropy(&self) -> f64 {
        let terms = self.probabilities.iter().filter(|part| **part > 0.0);
        -terms.map(|part| part * part.log2()).sum::<f64>()
    }

    /// What is believed of one node.
    #[must_use]
    pub fn of(&self, node: usize) -> f64 {
        self.probabilities[node]
    }

    /// Bits that it takes to learn who it was, with what is believed. On average as many as the entropy, if the belief is
    /// neither too sure nor too doubtful.
    #[must_use]
    pub fn surprise(&self, originator: usize) -> f64 {
        -self.probabilities[originator].log2()
    }
}

/// Each circuit a walk from the originator.
fn walks(links: &Links, sightings: &[Sighting]) -> Vec<f64> {
    let mut logarithms = vec![0.0; links.nodes()];
    for sighting in sightings {
        add(
            &mut logarithms,
            &links.arrivals(sighting.node, sighting.hop),
        );
    }
    from_logarithms(&logarithms)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Nothing,
    SecondHops,
}

/// All circuits through one guard. What lies behind each second hop is independent of all else.
fn behind_guards(links: &Links, sightings: &[Sighting], sharing: Sharing) -> Vec<f64> {
    if let Some(guard) = sightings.iter().find(|sighting| sighting.hop == 1) {
        return links.arrivals(guard.node, 1);
    }
    let mut groups: Vec<(usize, Vec<f64>)> = Vec::new();
    for (number, sighting) in sightings.iter().enumerate() {
        let name = match sharing {
            Sharing::Nothing => number,
            Sharing::SecondHops => sighting.group,
        };
        let steps = sighting.hop.saturating_sub(2);
        let arrivals = links.arrivals(sighting.node, steps);
        let known = groups.iter().position(|group| group.0 == name);
        let place = known.unwrap_or_else(|| {
            groups.push((name, vec![0.0; links.nodes()]));
            groups.len() - 1
        });
        add(&mut groups[place].1, &arrivals);
    }
    let groups: Vec<Vec<f64>> = groups
        .iter()
        .map(|(_, logarithms)| from_logarithms(logarithms))
        .collect();
    let sums: Vec<Vec<f64>> = groups
        .iter()
        .map(|group| neighbour_sums(links, group))
        .collect();
    let through = |node: usize, guard: usize| -> f64 {
        let choices = count(links.degree(guard).saturating_sub(1).max(1));
        let parts = groups.iter().zip(&sums);
        parts
            .map(|(group, sum)| ((sum[guard] - group[node]) / choices).max(0.0).ln())
            .sum()
    };
    let ways: Vec<f64> = (0..links.nodes())
        .map(|node| {
            let guards = links.neighbours(node).iter();
            let logarithms: Vec<f64> = guards.map(|&guard| through(node, guard as usize)).collect();
            log_sum(&logarithms) - count(links.degree(node).max(1)).ln()
        })
        .collect();
    from_logarithms(&ways)
}

/// For each node the sum over its neighbours.
fn neighbour_sums(links: &Links, values: &[f64]) -> Vec<f64> {
    (0..links.nodes())
        .map(|node| {
            let neighbours = links.neighbours(node).iter();
            neighbours.map(|&other| values[other as usize]).sum()
        })
        .collect()
}

fn add(logarithms: &mut [f64], probabilities: &[f64]) {
    for (logarithm, probability) in logarithms.iter_mut().zip(probabilities) {
        *logarithm += probability.ln();
    }
}

/// The numbers, the greatest of which becomes 1.
fn from_logarithms(logarithms: &[f64]) -> Vec<f64> {
    let greatest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    logarithms
        .iter()
        .map(|logarithm| (logarithm - greatest).exp())
        .collect()
}

fn log_sum(logarithms: &[f64]) -> f64 {
    let greatest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if greatest == f64::NEG_INFINITY {
        return greatest;
    }
    let sum: f64 = logarithms.iter().map(|part| (part - greatest).exp()).sum();
    greatest + sum.ln()
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand::seq::IndexedRandom;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::anonymity::Degrees;
    use crate::anonymity::Originator;
    use crate::random::rng_for;

    fn sight(node: usize, hop: usize, group: usize) -> Sighting {
        Sighting { node, hop, group }
    }

    #[test]
    fn who_sees_the_guard_suspects_its_neighbours() {
        let links = Links::draw(200, Degrees::Even(8), 1);
        let belief = Belief::after(&links, Design::SecondHops(1), &[sight(5, 1, 0)], &[]);
        let degree = count(links.degree(5));
        assert!(belief.effective_set() <= degree && belief.effective_set() > 0.8 * degree);
        assert!(belief.of(6) > 0.0 && belief.of(5) == 0.0);
    }

    /// As circuits are taken to be: a relay may be visited twice behind the second hop.
    fn end_of_walk(
        links: &Links,
        originator: &Originator,
        design: Design,
        rng: &mut ChaCha8Rng,
    ) -> usize {
        let any = |node: usize, rng: &mut ChaCha8Rng| {
            *links.neighbours(node).choose(rng).unwrap() as usize
        };
        let second = |guard: usize, rng: &mut ChaCha8Rng| loop {
            let second = any(guard, rng);
            if second != originator.node {
                break second;
            }
        };
        let (mut at, done) = match design {
            Design::Walks => (originator.node, 0),
            Design::Guard => (second(originator.guard.unwrap(), rng), 2),
            Design::SecondHops(_) => (originator.seconds[0], 2),
        };
        for _ in done..5 {
            at = any(at, rng);
        }
        at
    }

    #[test]
    fn what_is_believed_is_what_is_so() {
        // If so, it takes as many bits on average to learn who it was as the adversary thinks
        let links = Links::draw(400, Degrees::Even(10), 2);
        for design in [Design::Walks, Design::Guard, Design::SecondHops(1)] {
            let (mut thought, mut took) = (0.0, 0.0);
            for trial in 0..200 {
                let mut rng = rng_for(trial, "belief");
                let node = rng.random_range(0..400);
                let originator = Originator::draw(&links, node, design, &mut rng);
                let sightings: Vec<Sighting> = (0..3)
                    .map(|_| sight(end_of_walk(&links, &originator, design, &mut rng), 5, 0))
                    .collect();
                let belief = Belief::after(&links, design, &sightings, &[]);
                thought += belief.entropy();
                took += belief.surprise(node);
            }
            let off = (took - thought) / 200.0;
            assert!(off.abs() < 0.3, "{design:?}: {off} bits");
        }
    }
}
