//! Rows of numbers and words.

use serde::{Deserialize, Serialize};

/// Becomes a CSV file and a table in the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Names the file: lower case, words joined by hyphens.
    pub name: String,
    /// The heading in the report.
    pub title: String,
    /// The columns' names, with units.
    pub columns: Vec<String>,
    /// As many cells each as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// One field of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number.
    Number(f64),
    /// A word.
    Text(String),
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(name: &str, title: &str, columns: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If the row has not as many cells as there are columns: a mistake in the experiment.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<Cell> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.columns.len(), "{}: {cells:?}", self.name);
        self.rows.push(cells);
    }
}

impl From<f64> for Cell {
    /// A number that is none (the mean of nothing) is shown as a dash.
    fn from(number: f64) -> Self {
        if number.is_finite() {
            Self::Number(number)
        } else {
            Self::Text("–".to_owned())
        }
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Number(f64::from(number))
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(as_f64(number))
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Number(as_f64(number as u64))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<f64>> for Cell {
    /// Nothing is an empty cell.
    fn from(number: Option<f64>) -> Self {
        number.map_or_else(|| Self::Text(String::new()), Self::from)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a simulation are far below 2^53"
)]
const fn as_f64(number: u64) -> f64 {
    number as f64
}
