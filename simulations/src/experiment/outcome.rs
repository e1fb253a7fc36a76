//! What an experiment gives.

use serde::{Deserialize, Serialize};

use super::{Figure, Plot, Table};

/// Everything that one run of an experiment found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The named numbers, each with its bar.
    pub figures: Vec<Figure>,
    /// The measurements behind them.
    pub tables: Vec<Table>,
    /// The measurements to look at.
    pub plots: Vec<Plot>,
    /// Where and why a result differs from what was published, and what it does not show.
    pub notes: Vec<String>,
}

impl Outcome {
    /// Adds a figure.
    pub fn figure(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Adds a plot.
    pub fn plot(&mut self, plot: Plot) {
        self.plots.push(plot);
    }

    /// Adds a remark for the reader of the report.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// The figure of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}
