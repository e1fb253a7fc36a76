//! E10: how many circuits, and what should stay from one to the next?
//!
//! With few circuits an end asks for so many blocks that it looks like a downloader. With many, sooner or later both ends of one collude, unless the
//! first hop stays. What is counted at the ends comes from real routers; what the circuits' places tell needs graphs only.

mod outcomes;
mod pools;

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::experiment::{Context, Experiment, Outcome};

/// Pools of circuits, guards and second hops.
pub(super) struct Guards;

#[derive(Debug, Deserialize)]
struct Parameters {
    nodes: usize,
    /// Links of each node.
    degree: usize,
    /// Networks, each with links of its own.
    networks: u64,
    /// Files in each network and for each size of a pool.
    files: usize,
    /// Blocks of a file.
    blocks: usize,
    /// Coalitions drawn for each file and part.
    coalitions: u64,
    /// Parts of all nodes that collude, rising.
    parts: Vec<f64>,
    /// Graphs on which the places of circuits are looked at.
    graphs: u64,
    /// Originators on each, each against a coalition of its own.
    originators: u64,
}

impl Experiment for Guards {
    fn name(&self) -> &'static str {
        "guards"
    }

    fn number(&self) -> &'static str {
        "E10"
    }

    fn summary(&self) -> &'static str {
        "how many circuits for a file, and what stays from one to the next"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.nodes = context.nodes().unwrap_or(parameters.nodes);
        ensure!(
            parameters.nodes >= 100 && parameters.blocks >= 100,
            "at least 100 nodes and files of 100 blocks"
        );
        let mut outcome = Outcome::default();
        pools::measure(context, &parameters, &mut outcome);
        outcomes::measure(context, &parameters, &mut outcome);
        Ok(outcome)
    }
}
