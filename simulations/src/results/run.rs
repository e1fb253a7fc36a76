//! Running one scenario.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};

use super::Record;
use crate::experiment::{Context, Outcome, Progress, Size};
use crate::scenario::Scenario;

/// What the user may choose.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Which of the scenario's sizes.
    pub size: Size,
    /// In place of the scenario's seed.
    pub seed: Option<u64>,
    /// In place of the scenario's number of nodes.
    pub nodes: Option<usize>,
}

/// Runs a scenario. What goes wrong in it, even a panic, stands in the record: other scenarios can still be run.
#[must_use]
pub fn run(scenario: &Scenario, options: Options, progress: &dyn Progress) -> Record {
    let experiment = scenario.experiment();
    let seed = options.seed.unwrap_or_else(|| scenario.seed());
    let began = Instant::now();
    let outcome = scenario.parameters(options.size).and_then(|parameters| {
        let context = Context::new(parameters, seed)
            .with_size(options.size)
            .with_nodes(options.nodes)
            .with_progress(progress);
        let outcome = catch_unwind(AssertUnwindSafe(|| experiment.run(&context)))
            .unwrap_or_else(|panic| Err(anyhow!("it panicked: {}", message(panic.as_ref()))))?;
        check(&outcome)?;
        Ok(outcome)
    });
    let (outcome, error) = match outcome {
        Ok(outcome) => (outcome, None),
        Err(error) => (Outcome::default(), Some(format!("{error:#}"))),
    };
    Record {
        scenario: scenario.name().to_owned(),
        experiment: experiment.name().to_owned(),
        number: experiment.number().to_owned(),
        title: scenario.title().map(str::to_owned),
        summary: experiment.summary().to_owned(),
        text: scenario.text().to_owned(),
        size: options.size,
        seed,
        nodes: options.nodes,
        seconds: began.elapsed().as_secs_f64(),
        outcome,
        error,
    }
}

/// Names are keys of `compare` and names of files.
fn check(outcome: &Outcome) -> Result<()> {
    let mut figures = BTreeSet::new();
    for figure in &outcome.figures {
        ensure!(
            figures.insert(&figure.name),
            "two figures are named {:?}",
            figure.name
        );
    }
    let mut files = BTreeSet::new();
    let tables = outcome.tables.iter().map(|table| (&table.name, "csv"));
    for file in tables.chain(outcome.plots.iter().map(|plot| (&plot.name, "svg"))) {
        let allowed =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        ensure!(
            !file.0.is_empty() && file.0.chars().all(allowed),
            "{:?} cannot name a file: use lower-case letters, digits and hyphens",
            file.0
        );
        ensure!(
            files.insert(file),
            "two tables or two plots are named {:?}",
            file.0
        );
    }
    Ok(())
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}
