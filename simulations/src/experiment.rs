//! What an experiment is: it takes parameters from a scenario and gives figures, tables and plots.
//!
//! An experiment draws everything random from [`Context::seed`] and reads no clock, so that one seed gives one outcome.
//! Sizes come from the scenario, never from the experiment's own text, so that a reader sees what was run.

mod figure;
mod outcome;
mod plot;
mod progress;
mod table;

use anyhow::{Context as _, Result, bail};
use rayon::prelude::*;
use serde::de::DeserializeOwned;

pub use figure::{Bar, Figure, Verdict};
pub use outcome::Outcome;
pub use plot::{Axis, Kind, Plot, Scale, Series};
pub use progress::{Progress, Silent};
pub use table::{Cell, Table};

/// A set-up that is measured against what theory or a paper says.
pub trait Experiment: Sync {
    /// The name that scenarios use: lower case, words joined by hyphens.
    fn name(&self) -> &'static str;

    /// Its number among the experiments, as in `E1`.
    fn number(&self) -> &'static str;

    /// What is measured against what, in one line.
    fn summary(&self) -> &'static str;

    /// Measures.
    ///
    /// # Errors
    /// If the parameters cannot be read or contradict each other. A result that misses its bar is no error.
    fn run(&self, context: &Context<'_>) -> Result<Outcome>;
}

/// Which of a scenario's sizes is run.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// Seconds: to see that it works at all. Not every scenario has it.
    Smoke,
    /// A minute or less on two cores: all scenarios together take at most ten.
    Small,
    /// The size that the published experiment had, or more.
    Full,
}

impl Size {
    /// The name of its table in a scenario.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Small => "small",
            Self::Full => "full",
        }
    }
}

/// What an experiment runs with.
pub struct Context<'a> {
    parameters: toml::Table,
    seed: u64,
    size: Size,
    nodes: Option<usize>,
    progress: &'a dyn Progress,
}

impl<'a> Context<'a> {
    /// Runs with these parameters at full size, without a report of progress.
    #[must_use]
    pub fn new(parameters: toml::Table, seed: u64) -> Self {
        Self {
            parameters,
            seed,
            size: Size::Full,
            nodes: None,
            progress: &Silent,
        }
    }

    /// The same at another size.
    #[must_use]
    pub fn with_size(mut self, size: Size) -> Self {
        self.size = size;
        self
    }

    /// The same with the user's number of nodes.
    #[must_use]
    pub fn with_nodes(mut self, nodes: Option<usize>) -> Self {
        self.nodes = nodes;
        self
    }

    /// The same with progress told to `progress`.
    #[must_use]
    pub fn with_progress(mut self, progress: &'a dyn Progress) -> Self {
        self.progress = progress;
        self
    }

    /// The scenario's parameters. Every key of the scenario must be one of `P`'s fields.
    ///
    /// # Errors
    /// If a key is missing, unknown, or of the wrong type.
    pub fn parameters<P: DeserializeOwned>(&self) -> Result<P> {
        let mut unknown = Vec::new();
        let table = toml::Value::Table(self.parameters.clone());
        let parameters =
            serde_ignored::deserialize(table, |path| unknown.push(format!("`{path}`")))
                .context("the scenario's parameters do not fit this experiment")?;
        if !unknown.is_empty() {
            bail!(
                "the scenario has parameters that this experiment does not know: {}; remove or correct them",
                unknown.join(", ")
            );
        }
        Ok(parameters)
    }

    /// What decides everything random.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The scenario's size that is run.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// The number of nodes that the user asked for, in place of the scenario's.
    #[must_use]
    pub const fn nodes(&self) -> Option<usize> {
        self.nodes
    }

    /// The scenario's sizes, or the one that the user asked for.
    #[must_use]
    pub fn nodes_or(&self, sizes: &[usize]) -> Vec<usize> {
        self.nodes
            .map_or_else(|| sizes.to_vec(), |nodes| vec![nodes])
    }

    /// Where to tell how far it is.
    #[must_use]
    pub const fn progress(&self) -> &'a dyn Progress {
        self.progress
    }

    /// Runs one world an item, as many at once as there are cores. The results stand in the items' order, whichever ended
    /// first. `what` names the stage to the user.
    pub fn parallel<T: Sync, R: Send>(
        &self,
        what: &str,
        items: &[T],
        world: impl Fn(&T) -> R + Sync,
    ) -> Vec<R> {
        self.progress.begin(what, items.len() as u64);
        items
            .par_iter()
            // A world takes minutes: who is done must not wait for another who has several left
            .with_max_len(1)
            .map(|item| {
                let result = world(item);
                self.progress.advance(1);
                result
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Parameters {
        nodes: usize,
        #[serde(default)]
        degree: usize,
    }

    fn context(text: &str) -> Context<'static> {
        Context::new(text.parse().unwrap(), 1)
    }

    #[test]
    fn parameters_come_typed_and_unknown_ones_are_named() {
        let parameters: Parameters = context("nodes = 3").parameters().unwrap();
        assert_eq!((parameters.nodes, parameters.degree), (3, 0));

        let error = context("nodes = 3\nnoodles = 4").parameters::<Parameters>();
        assert!(error.unwrap_err().to_string().contains("`noodles`"));
        assert!(context("degree = 3").parameters::<Parameters>().is_err());
        assert!(context("nodes = 'x'").parameters::<Parameters>().is_err());
    }

    #[test]
    fn worlds_that_run_at_once_give_their_results_in_order() {
        let items: Vec<u64> = (0..100).collect();
        let results = context("").parallel("square", &items, |item| item * item);
        assert!(
            results
                .iter()
                .zip(&items)
                .all(|(result, item)| *result == item * item)
        );
    }
}
