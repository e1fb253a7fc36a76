//! E8: can a neighbour tell who downloads?
//!
//! A node downloads a file whose keys are known to a coalition, or publishes it. The coalition counts what its neighbours ask it for, and
//! flags those who ask for as much as a requester would. Every message is one of a real router; any node may turn out to collude, since
//! colluders change nothing, so one download serves many coalitions.

mod column;
mod measure;
mod published;
mod report;

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::experiment::{Context, Experiment, Outcome};
use column::Column;

/// Who downloads, as a coalition sees it.
pub(super) struct Requester;

#[derive(Debug, Deserialize)]
struct Parameters {
    nodes: usize,
    /// Links of a node, where all have as many.
    degree: usize,
    /// Networks, each with links of its own.
    networks: u64,
    /// Files in each network and column.
    files: usize,
    /// Blocks of a file.
    blocks: usize,
    /// Coalitions drawn for each file and part.
    coalitions: u64,
    /// Parts of all nodes that collude, rising.
    parts: Vec<f64>,
    /// How many others download a popular file first.
    readers: usize,
    /// The part of all nodes that is down at any time, where nodes come and go.
    down: f64,
    /// Which ways to ask are measured; all, if none is named.
    #[serde(default)]
    columns: Vec<Column>,
}

impl Experiment for Requester {
    fn name(&self) -> &'static str {
        "requester"
    }

    fn number(&self) -> &'static str {
        "E8"
    }

    fn summary(&self) -> &'static str {
        "how often a coalition of neighbours names who downloads or publishes a file, and how many others"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.nodes = context.nodes().unwrap_or(parameters.nodes);
        ensure!(
            parameters.nodes >= 100 && parameters.blocks >= 100,
            "at least 100 nodes and files of 100 blocks"
        );
        if parameters.columns.is_empty() {
            parameters.columns = Column::ALL.to_vec();
        }
        let measured = measure::measure(context, &parameters);
        let mut outcome = Outcome::default();
        report::table(&parameters, &measured, &mut outcome);
        report::plots(&parameters, &measured, &mut outcome);
        report::figures(&parameters, &measured, &mut outcome);
        report::notes(&parameters, &measured, &mut outcome);
        Ok(outcome)
    }
}
