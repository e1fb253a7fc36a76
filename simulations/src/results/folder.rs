//! The folder that a run leaves behind.
//!
//! ```text
//! report.html            everything for a reader, in one file
//! results.json           everything for a program
//! SCENARIO/TABLE.csv
//! SCENARIO/PLOT.svg, .png
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::html::report;
use super::{Options, Record, Results};
use crate::chart::{png, svg};
use crate::experiment::{Cell, Table};
use crate::scenario::{Collection, Scenario};

/// The file with everything for a program.
const RESULTS: &str = "results.json";

/// A folder of results.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    results: Results,
}

impl Folder {
    /// A folder for new results. It is made if it is not there; files of an earlier run are overwritten.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        fs::create_dir_all(path)
            .with_context(|| format!("the folder {} cannot be made", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            results: Results::default(),
        })
    }

    /// The folder of an earlier run.
    ///
    /// # Errors
    /// If it holds no results that this program can read.
    pub fn open(path: &Path) -> Result<Self> {
        let file = path.join(RESULTS);
        let text = fs::read_to_string(&file).with_context(|| {
            format!(
                "{} cannot be read; is it a folder of results?",
                file.display()
            )
        })?;
        let results: Results = serde_json::from_str(&text)
            .with_context(|| format!("{} holds no results of this program", file.display()))?;
        ensure!(
            results.is_readable(),
            "{} has an unknown format {}",
            file.display(),
            results.format
        );
        Ok(Self {
            path: path.to_owned(),
            results,
        })
    }

    /// The folder of an earlier run to go on with, or a new one.
    ///
    /// # Errors
    /// If it cannot be made, or holds results that this program cannot read.
    pub fn resume(path: &Path) -> Result<Self> {
        if path.join(RESULTS).exists() {
            Self::open(path)
        } else {
            Self::create(path)
        }
    }

    /// The record of a scenario that was run with these options and needs not be run again.
    #[must_use]
    pub fn done(&self, scenario: &Scenario, options: Options) -> Option<&Record> {
        let records = self.results.records.iter();
        records
            .filter(|record| record.error.is_none())
            .find(|record| {
                record.scenario == scenario.name()
                    && record.text == scenario.text()
                    && record.size == options.size
                    && record.seed == options.seed.unwrap_or_else(|| scenario.seed())
                    && record.nodes == options.nodes
            })
    }

    /// Gives its report a heading of its own.
    pub fn head(&mut self, collection: &Collection) {
        let words = (collection.title.to_owned(), collection.lead.to_owned());
        self.results.heading = Some(words);
    }

    /// What it holds.
    #[must_use]
    pub const fn results(&self) -> &Results {
        &self.results
    }

    /// Where the report is.
    #[must_use]
    pub fn report_path(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// Adds a record, in place of an earlier one of the same scenario, and writes its files, the list of all results and the
    /// report, so that a run that is broken off leaves what it had.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn add(&mut self, record: Record) -> Result<()> {
        let folder = self.path.join(&record.scenario);
        fs::create_dir_all(&folder)
            .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        for table in &record.outcome.tables {
            write(&folder.join(format!("{}.csv", table.name)), &csv(table)?)?;
        }
        for plot in &record.outcome.plots {
            let drawing = svg(plot);
            write(
                &folder.join(format!("{}.svg", plot.name)),
                drawing.as_bytes(),
            )?;
            write(&folder.join(format!("{}.png", plot.name)), &png(&drawing)?)?;
        }
        let records = &mut self.results.records;
        match records
            .iter_mut()
            .find(|earlier| earlier.scenario == record.scenario)
        {
            Some(earlier) => *earlier = record,
            None => records.push(record),
        }
        let json = serde_json::to_vec_pretty(&self.results).context("results as JSON")?;
        write(&self.path.join(RESULTS), &json)?;
        self.write_report()
    }

    /// Writes the report anew from the results.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_report(&self) -> Result<()> {
        write(&self.report_path(), report(&self.results).as_bytes())
    }
}

fn csv(table: &Table) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&table.columns)?;
    for row in &table.rows {
        writer.write_record(row.iter().map(|cell| match cell {
            Cell::Number(number) => number.to_string(),
            Cell::Text(text) => text.clone(),
        }))?;
    }
    writer.into_inner().context("a table as CSV")
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))
}
