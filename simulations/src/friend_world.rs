//! Swapping without messages: the decisions of [`routing::places`] on a plain graph.
//!
//! A router's rounds, walks, swaps and surveys happen one after the other, each at once, and everybody knows where its friends
//! are. So tens of thousands of nodes can go through hundreds of rounds. What messages add (delays, refusals of the busy,
//! losses) is left out; a test holds this world against real routers.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use routing::places::{
    Aim, Coin, Drift, Gap, Room, Sights, Stage, Surroundings, anywhere, better, consents,
    drift_together, rooms, target,
};
use routing::{DarknetConfig, Location};

use crate::friend_graph::FriendGraph;
use crate::random::rng_for;
use crate::statistics::{distance_to_uniform, share};

mod attack;
mod walking;

pub use attack::Attack;
use walking::{End, Goal};

/// How nodes decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// As routers do.
    Ours,
    /// As published: the end of a corrected random walk is asked, both sides believe each other, and nobody looks around.
    Believing,
    /// A fault: every swap is done.
    Always,
}

/// Nodes, their places, and what they know.
#[derive(Debug)]
pub struct FriendWorld {
    graph: FriendGraph,
    config: DarknetConfig,
    rules: Rules,
    places: Vec<Location>,
    surroundings: Vec<Surroundings>,
    gaps: Vec<Gap>,
    /// Swaps that a node may still be asked for.
    answers: Vec<f64>,
    hostile: Vec<bool>,
    /// Those that never move: they have strangers, too, who know them where they are.
    pinned: Vec<bool>,
    attack: Option<Attack>,
    rounds: u32,
    /// What happened so far.
    pub counts: Counts,
    rng: ChaCha8Rng,
}

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Times that a node met somebody to swap with.
    pub met: usize,
    /// Swaps.
    pub swapped: usize,
    /// Times that a node took a place from an attacker.
    pub forced: usize,
    /// Times that a node left a crowded place, or one at which nobody arrived.
    pub left: usize,
}

impl FriendWorld {
    /// Nodes at random places.
    #[must_use]
    pub fn new(graph: FriendGraph, rules: Rules, seed: u64) -> Self {
        let mut rng = rng_for(seed, "friend world");
        let nodes = graph.len();
        Self {
            config: DarknetConfig::default(),
            rules,
            places: (0..nodes).map(|_| anywhere(&mut rng)).collect(),
            surroundings: vec![Surroundings::default(); nodes],
            gaps: vec![Gap::START; nodes],
            answers: vec![0.0; nodes],
            hostile: vec![false; nodes],
            pinned: vec![false; nodes],
            attack: None,
            rounds: 0,
            counts: Counts::default(),
            rng,
            graph,
        }
    }

    /// Puts nodes at the places that the graph was made from, the best there are, if its nodes are in ring order.
    pub fn put_in_order(&mut self) {
        let nodes = self.graph.len();
        let place = |node| Location::from_fraction(share(node, nodes));
        self.put((0..nodes).map(place).collect());
    }

    /// Puts each node at a place.
    ///
    /// # Panics
    /// If there are more or fewer places than nodes.
    pub fn put(&mut self, places: Vec<Location>) {
        assert_eq!(places.len(), self.graph.len(), "one place for each node");
        self.places = places;
    }

    /// From now on a node stays at a place, swaps with nobody, and passes others' walks on.
    pub fn pin(&mut self, node: usize, place: Location) {
        self.pinned[node] = true;
        self.places[node] = place;
    }

    /// Where each node is.
    #[must_use]
    pub fn places(&self) -> &[Location] {
        &self.places
    }

    /// From now on so many nodes of median degree attack.
    pub fn corrupt(&mut self, nodes: usize, attack: Attack) {
        let mut all: Vec<usize> = (0..self.graph.len()).collect();
        all.shuffle(&mut self.rng);
        all.sort_by_key(|&node| self.graph.degree(node));
        let median = self.graph.degree(all[all.len() / 2]);
        let mut ordinary: Vec<usize> = all;
        ordinary.sort_by_key(|&node| self.graph.degree(node).abs_diff(median));
        for &node in ordinary.iter().take(nodes) {
            self.hostile[node] = true;
            self.claim_place(node, attack);
        }
        self.attack = Some(attack);
    }

    /// One round of every node, in random order with repetitions.
    pub fn round(&mut self) {
        self.rounds += 1;
        let nodes = self.graph.len();
        if self.rules == Rules::Ours && self.is_drifting() {
            self.surroundings = (0..nodes)
                .map(|node| {
                    if self.pinned[node] {
                        return Surroundings::default();
                    }
                    let friends = self.graph.friends(node);
                    let friends = friends.map(|friend| (self.places[friend], self.drift(friend)));
                    let round = (self.rounds, self.config.spread_rounds);
                    self.surroundings[node].after(round, self.places[node], friends)
                })
                .collect();
        }
        let each = self.config.interval.mul_f64(0.75).as_secs_f64();
        let refill = each / self.config.answers_each.as_secs_f64();
        for answers in &mut self.answers {
            *answers = (*answers + refill).min(f64::from(self.config.answers_burst));
        }
        for _ in 0..nodes {
            let node = self.rng.random_range(0..nodes);
            if self.is_hostile(node) {
                self.attack_from(node);
            } else if !self.pinned[node] && !self.is_spreading() {
                self.node_round(node);
            }
        }
    }

    /// The share of random pairs of honest nodes of which one finds the other, visiting at most `hops_to_live` nodes and going
    /// back at dead ends, as routers search; and the nodes visited on the average where it does.
    pub fn success(&mut self, hops_to_live: usize, pairs: usize) -> (f64, f64) {
        let (mut found, mut hops) = (0, 0);
        for _ in 0..pairs {
            let [from, to] = [self.random_honest(), self.random_honest()];
            if let Some(visited) = self.search(from, to, hops_to_live) {
                found += 1;
                hops += visited;
            }
        }
        (share(found, pairs), share(hops, found))
    }

    /// The largest difference between the share of honest nodes up to a place and the share of the ring: 0 if they are
    /// spread evenly.
    #[must_use]
    pub fn unevenness(&self) -> f64 {
        let honest = self.places.iter().zip(&self.hostile);
        let places: Vec<f64> = honest
            .filter(|&(_, &hostile)| !hostile)
            .map(|(place, _)| place.as_fraction())
            .collect();
        distance_to_uniform(&places)
    }

    /// Who is whose friend.
    #[must_use]
    pub const fn graph(&self) -> &FriendGraph {
        &self.graph
    }

    fn random_honest(&mut self) -> usize {
        loop {
            let node = self.rng.random_range(0..self.graph.len());
            if !self.hostile[node] {
                return node;
            }
        }
    }

    fn node_round(&mut self, node: usize) {
        if self.rules == Rules::Ours
            && !self.is_drifting()
            && self.rng.random_ratio(1, self.config.survey_rounds)
        {
            self.survey(node);
            return;
        }
        let (aim, end) = if self.rules == Rules::Ours {
            let friends = self.places_of_friends(node);
            let (drift, gap) = (self.drift(node), self.gaps[node]);
            let Some(aim) = target(self.stage(), &friends, drift, gap, &mut self.rng) else {
                return;
            };
            (Some(aim), self.walk(node, aim.place(), Goal::Swap))
        } else {
            (None, Some(self.random_walk(node)))
        };
        match end {
            Some(End::At(other)) if other != node => self.meet(node, other, aim),
            Some(End::Captured) => self.captured(node, aim),
            Some(End::At(_)) | None => {}
        }
    }

    /// Two honest nodes decide whether they swap.
    fn meet(&mut self, asker: usize, answerer: usize, aim: Option<Aim>) {
        if self.rules == Rules::Ours && !self.is_drifting() {
            if self.answers[answerer] < 1.0 {
                return;
            }
            self.answers[answerer] -= 1.0;
        }
        self.counts.met += 1;
        let (here, there) = (self.places[asker], self.places[answerer]);
        if let Some(Aim::Anywhere(place)) = aim {
            self.gaps[asker].note(place.distance(there));
        }
        let swap = match (self.rules, aim) {
            (Rules::Always, _) => true,
            (Rules::Ours, Some(_)) if self.is_drifting() => {
                drift_together((here, self.drift(asker)), (there, self.drift(answerer)))
            }
            (Rules::Ours, Some(aim)) => {
                self.consents(answerer, here)
                    && !self.is_taken(answerer, here)
                    && self.is_found(answerer, asker)
                    && self.gaps[asker].is_on_target(aim.place(), there)
                    && self.consents(asker, there)
                    && !self.is_taken(asker, there)
            }
            (Rules::Ours, None) | (Rules::Believing, _) => self.believes(asker, answerer),
        };
        if swap {
            self.places.swap(asker, answerer);
            self.counts.swapped += 1;
        }
    }

    /// Whether the product of all distances falls, or the coin allows that it does not.
    fn believes(&mut self, one: usize, other: usize) -> bool {
        let joint = |from: usize, to: usize| {
            let friends = self.graph.friends(from).filter(move |&friend| friend != to);
            let at = |place: Location| {
                routing::places::badness(place, friends.clone().map(|friend| self.places[friend]))
            };
            at(self.places[from]) - at(self.places[to])
        };
        let gain = joint(one, other) + joint(other, one);
        Coin::from_random(self.rng.random()).accepts(gain)
    }

    fn consents(&mut self, node: usize, to: Location) -> bool {
        let coin = Coin::from_random(self.rng.random());
        let friends = self.graph.friends(node).map(|friend| self.places[friend]);
        consents(coin, self.gaps[node], self.places[node], to, friends)
    }

    /// Whether a look at a place shows somebody else there.
    fn is_taken(&mut self, node: usize, place: Location) -> bool {
        (0..2).any(|_| {
            let nearest = self.look(node, place);
            nearest.is_some_and(|nearest| self.gaps[node].is_taken(nearest))
        })
    }

    /// Whether a walk to the asker's place arrives there.
    fn is_found(&mut self, answerer: usize, asker: usize) -> bool {
        self.rounds <= self.config.holder_rounds
            || (0..2).any(
                |_| match self.walk(answerer, self.places[asker], Goal::Find) {
                    Some(End::At(end)) => end == asker,
                    // Attackers say what helps attackers
                    Some(End::Captured) => true,
                    None => false,
                },
            )
    }

    fn survey(&mut self, node: usize) {
        let (here, gap) = (self.places[node], self.gaps[node]);
        let friends = self.places_of_friends(node);
        let better = better(here, &friends, gap, &mut self.rng).map(|place| self.room(node, place));
        let rooms = rooms(here, gap, &mut self.rng).map(|place| self.room(node, place));
        let arrivals = (0..2).filter_map(|_| {
            let end = self.walk(node, here, Goal::Find)?;
            Some(end == End::At(node))
        });
        let arrivals = arrivals.collect();
        let own = (0..2).filter_map(|_| self.look(node, here)).collect();
        let sights = Sights {
            arrivals,
            own,
            better,
            rooms,
        };
        let [_, anywhere] = rooms;
        if let Some(found) = anywhere.nearest {
            self.gaps[node].note(found);
        }
        if let Some(place) = sights.lead_to(self.gaps[node], self.rng.random()) {
            self.places[node] = place;
            self.counts.left += 1;
        }
    }

    fn room(&mut self, node: usize, place: Location) -> Room {
        let looks = [0; 2].map(|_| self.look(node, place));
        let nearest = looks.into_iter().flatten().min();
        Room { place, nearest }
    }

    fn places_of_friends(&self, node: usize) -> Vec<Location> {
        let friends = self.graph.friends(node);
        friends.map(|friend| self.places[friend]).collect()
    }

    fn drift(&self, node: usize) -> Drift {
        self.surroundings[node].drift()
    }

    fn stage(&self) -> Stage {
        if self.is_drifting() {
            Stage::Drift
        } else {
            Stage::Settle
        }
    }

    fn is_drifting(&self) -> bool {
        self.rounds <= self.config.drift_rounds
    }

    /// Whether nodes only learn where their surroundings are.
    fn is_spreading(&self) -> bool {
        self.rules == Rules::Ours && self.rounds <= self.config.spread_rounds
    }

    fn is_hostile(&self, node: usize) -> bool {
        self.attack.is_some() && self.hostile[node]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(rules: Rules) -> FriendWorld {
        let graph = FriendGraph::kleinberg(400, 8, &mut rng_for(1, "graph"));
        FriendWorld::new(graph, rules, 1)
    }

    #[test]
    fn rounds_make_a_shuffled_world_navigable_unless_every_swap_is_done() {
        for (rules, success) in [(Rules::Ours, 0.95..1.01), (Rules::Always, 0.0..0.6)] {
            let mut world = world(rules);
            let before = world.success(18, 500).0;
            (0..300).for_each(|_| world.round());
            let after = world.success(18, 500).0;
            assert!(success.contains(&after), "{rules:?}: {before} to {after}");
        }
    }

    #[test]
    fn who_is_pinned_stays_while_the_others_move() {
        let mut world = world(Rules::Ours);
        for node in (0..400).step_by(2) {
            world.pin(node, world.places[node]);
        }
        let before = world.places.clone();
        (0..250).for_each(|_| world.round());
        let moved = |node: &usize| world.places[*node] != before[*node];
        assert_eq!((0..400).step_by(2).filter(moved).count(), 0);
        assert!((1..400).step_by(2).filter(moved).count() > 150);
    }

    #[test]
    fn swaps_of_honest_nodes_keep_the_places() {
        let mut world = world(Rules::Believing);
        let mut before = world.places.clone();
        (0..50).for_each(|_| world.round());
        let mut after = world.places.clone();
        assert!(world.counts.swapped > 100 && before != after);
        before.sort();
        after.sort();
        assert_eq!(before, after);
    }
}
