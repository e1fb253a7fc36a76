//! What one run of one scenario gave.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::experiment::{Figure, Outcome, Size, Verdict};

/// Of the file `results.json`; another number is refused.
const FORMAT: u32 = 1;

/// All records of one run of the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Of the file.
    pub format: u32,
    /// Of the program.
    pub version: String,
    /// The report's heading and what it is about, if it has its own.
    #[serde(default)]
    pub heading: Option<(String, String)>,
    /// In the order in which they were run.
    pub records: Vec<Record>,
}

/// One run of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The scenario's name.
    pub scenario: String,
    /// The experiment's name.
    pub experiment: String,
    /// The experiment's number.
    pub number: String,
    /// The heading of its part of the report, if it has its own.
    #[serde(default)]
    pub title: Option<String>,
    /// What was measured, in one line.
    pub summary: String,
    /// The scenario's file, word for word.
    pub text: String,
    /// Which size of it.
    pub size: Size,
    /// Of everything random.
    pub seed: u64,
    /// The user's number of nodes, in place of the scenario's.
    pub nodes: Option<usize>,
    /// How long it took.
    pub seconds: f64,
    /// What was found; nothing if it could not be run.
    pub outcome: Outcome,
    /// Why it could not be run.
    pub error: Option<String>,
}

impl Default for Results {
    fn default() -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            heading: None,
            records: Vec::new(),
        }
    }
}

impl Results {
    /// Whether this program can read them.
    #[must_use]
    pub const fn is_readable(&self) -> bool {
        self.format == FORMAT
    }

    /// Whether all could be run and no figure misses its bar.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.records.iter().all(Record::passed)
    }

    /// Of all records.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.records
            .iter()
            .map(|record| record.count(verdict))
            .sum()
    }

    /// One object for other programs: every named figure with its value, what it is held against, and whether it passes.
    /// Tables and plots are left to the files.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let records: Vec<Value> = self.records.iter().map(Record::to_json).collect();
        json!({
            "version": self.version,
            "passed": self.passed(),
            "pass": self.count(Verdict::Pass),
            "fail": self.count(Verdict::Fail),
            "reported": self.count(Verdict::Reported),
            "runs": records,
        })
    }
}

impl Record {
    /// Whether it could be run and no figure misses its bar.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.error.is_none() && self.count(Verdict::Fail) == 0
    }

    /// How many figures have that verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        let figures = self.outcome.figures.iter();
        figures.filter(|figure| figure.verdict() == verdict).count()
    }

    fn to_json(&self) -> Value {
        let figures: Vec<Value> = self.outcome.figures.iter().map(figure_json).collect();
        json!({
            "scenario": self.scenario,
            "experiment": self.experiment,
            "number": self.number,
            "size": self.size,
            "seed": self.seed,
            "nodes": self.nodes,
            "seconds": self.seconds,
            "passed": self.passed(),
            "error": self.error,
            "figures": figures,
            "notes": self.outcome.notes,
        })
    }
}

fn figure_json(figure: &Figure) -> Value {
    let verdict = figure.verdict();
    json!({
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "bar": super::bar(figure),
        "published": figure.published,
        "source": figure.source,
        "verdict": verdict,
        "pass": match verdict {
            Verdict::Pass => Some(true),
            Verdict::Fail => Some(false),
            Verdict::Reported => None,
        },
    })
}
