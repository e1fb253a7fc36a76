//! What can be seen of a network from outside.

use crypto::BlockKey;
use rand::RngExt;
use routing::{Location, Router, Time};

use super::Network;
use crate::behaviour::Observation;
use crate::elided_block::SimBlock;
use crate::measure::Counters;
use crate::topology::Topology;

impl<B: SimBlock> Network<B> {
    /// How many nodes there are, stopped ones included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many nodes run.
    #[must_use]
    pub const fn running_len(&self) -> usize {
        self.running
    }

    /// Whether a node runs.
    #[must_use]
    pub fn is_running(&self, node: usize) -> bool {
        self.nodes[node].running
    }

    /// Where a node was when it started; only its router knows where it has moved since.
    #[must_use]
    pub fn location(&self, node: usize) -> Location {
        self.nodes[node].location
    }

    /// Who is a friend of whom, stopped nodes included.
    #[must_use]
    pub const fn topology(&self) -> &Topology {
        &self.friends
    }

    /// The nodes with which a node has a live link now, in order.
    pub fn linked_with(&self, node: usize) -> impl Iterator<Item = usize> {
        self.nodes[node]
            .links
            .iter()
            .map(|link| link.other as usize)
    }

    /// The live links of all nodes now, friends and strangers.
    #[must_use]
    pub fn live_topology(&self) -> Topology {
        let locations = self.nodes.iter().map(|node| node.location).collect();
        let mut topology = Topology::of_locations(locations);
        for node in 0..self.nodes.len() {
            for other in self.linked_with(node) {
                topology.link(node, other);
            }
        }
        topology
    }

    /// The virtual time.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// What was sent so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// How many things have happened so far: a measure of the engine's work.
    #[must_use]
    pub const fn happened(&self) -> u64 {
        self.schedule.popped()
    }

    /// A hash over every message so far: when, from where, to where, and each byte.
    #[must_use]
    pub fn trace(&self) -> blake3::Hash {
        self.trace.finalize()
    }

    /// A node's router.
    #[must_use]
    pub fn router(&self, node: usize) -> &Router<B> {
        &self.nodes[node].router
    }

    /// How many bytes wait for a node's way out and its way in; zero where its bandwidth is not bounded.
    #[must_use]
    pub fn waiting_bytes(&self, node: usize) -> (usize, usize) {
        let access = self.nodes[node].access.as_ref();
        access.map_or((0, 0), |access| {
            (access.up.waiting_bytes(), access.down.waiting_bytes())
        })
    }

    /// What watched nodes saw since this was last called.
    pub fn take_observations(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.observations)
    }

    /// Which keys watched nodes looked up in their stores, and when, since this was last called: at the end of a circuit this is
    /// what came out of it, at the same time as the cell arrived.
    pub fn take_lookups(&mut self) -> Vec<(Time, usize, BlockKey)> {
        std::mem::take(&mut self.lookups)
    }

    /// The running nodes whose routers still have something in progress.
    pub fn busy_nodes(&self) -> impl Iterator<Item = usize> {
        self.nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.running && !node.router.is_idle())
            .map(|(index, _)| index)
    }

    /// The nodes that have a block in their store (their cache does not count), running or not.
    pub fn holders(&self, key: &BlockKey) -> impl Iterator<Item = usize> {
        self.nodes
            .iter()
            .enumerate()
            .filter(move |(_, node)| node.store.stores(key))
            .map(|(index, _)| index)
    }

    /// A node's store or cache.
    #[must_use]
    pub fn stored(&self, node: usize, key: &BlockKey) -> Option<&B> {
        self.nodes[node].store.peek(key)
    }

    /// How many blocks a node has in its store, and how many in its cache.
    #[must_use]
    pub fn stored_len(&self, node: usize) -> (usize, usize) {
        self.nodes[node].store.lens()
    }

    /// A random node that runs and is not `excluded`.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn random_node(&mut self, excluded: Option<usize>) -> usize {
        let excluded = excluded.filter(|&node| self.nodes[node].running);
        let choice = self.running - usize::from(excluded.is_some());
        assert!(choice > 0, "no node runs that could be chosen");
        if choice * 16 < self.nodes.len() {
            let fits = |node: &usize| self.nodes[*node].running && Some(*node) != excluded;
            let place = self.rng.random_range(0..choice);
            let node = (0..self.nodes.len()).filter(fits).nth(place);
            return node.expect("so many nodes fit");
        }
        loop {
            let node = self.rng.random_range(0..self.nodes.len());
            if self.nodes[node].running && Some(node) != excluded {
                return node;
            }
        }
    }
}
