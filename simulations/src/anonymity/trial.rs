//! One file, and what a coalition makes of it.

use rand_chacha::ChaCha8Rng;

use super::downloads::FileKeys;
use super::{
    Asker, Belief, Circuit, Coalition, Design, Links, Originator, Sighting, Tally, Verdict,
};
use crate::statistics::share;

/// A file that was downloaded or published.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Whose user wanted it.
    pub requester: usize,
    /// Who was asked by whom.
    pub seen: Tally,
    /// The circuits that it came through, if it did.
    pub circuits: Vec<Circuit>,
    /// What stays from circuit to circuit.
    pub design: Design,
    /// How many blocks it has.
    pub blocks: usize,
}

/// What one coalition made of it.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// By counting.
    pub verdict: Verdict,
    /// The first hop of a circuit and the end of one through it collude: by timing they know.
    pub linked: bool,
    /// Where they are not linked: what the places of colluding ends make it believe.
    pub belief: Option<Believed>,
    /// Somebody who colludes is next to the requester.
    pub neighbour: bool,
}

/// What is believed of the requester.
#[derive(Clone, Copy, Debug)]
pub struct Believed {
    /// That it is the requester.
    pub requester: f64,
    /// How many it might be.
    pub effective_set: f64,
}

/// A pool of circuits of one originator, and the ends that ask, each for the blocks that are dealt to it.
pub fn behind_circuits(
    links: &Links,
    requester: usize,
    (design, pool, hops): (Design, usize, usize),
    file: &FileKeys,
    rng: &mut ChaCha8Rng,
) -> (Asker, Vec<Circuit>) {
    let originator = Originator::draw(links, requester, design, rng);
    let circuits: Vec<Circuit> = (0..pool)
        .map(|number| originator.circuit(links, hops, number, rng))
        .collect();
    let ends: Vec<usize> = circuits
        .iter()
        .filter_map(|circuit| circuit.hops.last().copied())
        .collect();
    (Asker::dealt(&ends, file, rng), circuits)
}

/// Which part of what coalitions made of files is so.
#[must_use]
pub fn part_of(judged: &[Judged], is: impl Fn(&Judged) -> bool) -> f64 {
    share(judged.iter().filter(|one| is(one)).count(), judged.len())
}

/// How many innocents are flagged on average.
#[must_use]
pub fn innocents(judged: &[Judged]) -> f64 {
    let flagged = judged.iter().map(|one| one.verdict.innocents).sum();
    share(flagged, judged.len())
}

impl Trial {
    /// What some coalitions make of it. Beliefs take long: only the first `believing` have one.
    #[must_use]
    pub fn judge(&self, links: &Links, coalitions: &[Coalition], believing: usize) -> Vec<Judged> {
        let suspicions = self.seen.suspicions(links, self.blocks);
        let all = coalitions.iter().enumerate();
        all.map(|(number, coalition)| {
            let linked = is_linked(&self.circuits, coalition);
            let believes = number < believing && !self.circuits.is_empty() && !linked;
            let neighbours = links.neighbours(self.requester);
            Judged {
                verdict: coalition.judge(&suspicions, self.requester),
                linked,
                belief: believes.then(|| self.believe(links, coalition)).flatten(),
                neighbour: neighbours.iter().any(|&node| coalition.has(node as usize)),
            }
        })
        .collect()
    }

    /// What the relays before colluding ends tell. Nothing if no end colludes.
    fn believe(&self, links: &Links, coalition: &Coalition) -> Option<Believed> {
        // Where the guard went and another was taken, those through the second say nothing of the first
        let guard = self.circuits.first().map(|circuit| circuit.hops[0]);
        let through_it =
            |circuit: &&Circuit| self.design == Design::Walks || Some(circuit.hops[0]) == guard;
        let circuits = self.circuits.iter().filter(through_it);
        let sightings: Vec<Sighting> = circuits
            .filter_map(|circuit| circuit.first_honest_before_end(|node| coalition.has(node)))
            .collect();
        if sightings.is_empty() {
            return None;
        }
        let belief = Belief::after(links, self.design, &sightings, &coalition.members());
        Some(Believed {
            requester: belief.of(self.requester),
            effective_set: belief.effective_set(),
        })
    }
}

/// Whether the first hop colludes, and the end of a circuit through it.
#[must_use]
pub fn is_linked(circuits: &[Circuit], coalition: &Coalition) -> bool {
    let ended = |circuit: &&Circuit| circuit.hops.last().is_some_and(|&end| coalition.has(end));
    circuits
        .iter()
        .filter(ended)
        .any(|circuit| coalition.has(circuit.hops[0]))
}
