//! E13: what is found when stores are full, and what is left when nodes leave for good.

mod full_stores;
mod leaving;

use anyhow::{Result, ensure};
use routing::Copies;
use serde::Deserialize;

use crate::experiment::{Context, Experiment, Outcome};

/// Redundancy of storage, and permanent leave.
pub(super) struct Storage;

#[derive(Clone, Debug, Deserialize)]
struct Parameters {
    /// Of the network of friends.
    nodes: usize,
    /// Friends of a node.
    degree: f64,
    /// In which friends swap places before anything is stored.
    rounds: usize,
    /// Blocks in a node's store, and as many in its cache.
    capacity: usize,
    /// At how many nodes an insert leaves its block.
    copies: u8,
    /// Room for blocks in all, by blocks.
    redundancy: Vec<f64>,
    /// Requests before those that are measured.
    warm_up: usize,
    fetches: usize,
    /// Of the power law of popularity.
    exponent: f64,
    /// Which part of the nodes never leaves.
    persistent: f64,
    /// Seconds from the end of a walk through a store to the next.
    pause_s: u64,
    leave: Leave,
}

/// The part in which nodes leave for good.
#[derive(Clone, Debug, Deserialize)]
struct Leave {
    nodes: usize,
    blocks: usize,
    /// Which parts of the sessions end with the node leaving for good.
    shares: Vec<f64>,
    /// How long sessions are.
    uptimes_h: Vec<f64>,
}

impl Experiment for Storage {
    fn name(&self) -> &'static str {
        "storage"
    }

    fn number(&self) -> &'static str {
        "E13"
    }

    fn summary(&self) -> &'static str {
        "success with room for few copies, and keys that remain when nodes leave for good"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.nodes = context.nodes().unwrap_or(parameters.nodes);
        ensure!(
            parameters.nodes >= 100 && parameters.capacity > 0 && parameters.fetches > 0,
            "nodes must be at least 100, capacity and fetches above zero"
        );
        ensure!(
            parameters.redundancy.iter().all(|&times| times >= 1.0),
            "redundancy must be at least 1: there is room for each block"
        );
        ensure!(
            Copies::new(parameters.copies).is_some(),
            "an insert cannot make {} copies",
            parameters.copies
        );
        let leave = &parameters.leave;
        ensure!(
            leave.nodes >= 50
                && leave.shares.iter().all(|share| (0.0..=1.0).contains(share))
                && leave.uptimes_h.iter().all(|&hours| hours > 0.0),
            "leave needs 50 nodes, shares from 0 to 1 and uptimes above zero"
        );
        let mut outcome = Outcome::default();
        full_stores::run(context, &parameters, &mut outcome);
        leaving::run(context, &parameters, &mut outcome);
        Ok(outcome)
    }
}
