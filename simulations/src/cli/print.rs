//! What is shown on the terminal.

use std::io::{Write as _, stderr, stdout};
use std::path::PathBuf;

use anyhow::{Error, Result};

use crate::experiment::{Cell, Size, Table, Verdict};
use crate::replay::Replay;
use crate::results::{Record, Results, bar, number};
use crate::scenario::Scenario;

/// Wider cells go on beyond their column.
const WIDTH_MAX: usize = 90;

/// Prints a line to stdout.
pub(super) fn line(text: &str) -> Result<()> {
    Ok(writeln!(stdout(), "{text}")?)
}

/// Tells why the program ends. Nothing can be done if that cannot be told.
pub(super) fn error(error: &Error) {
    drop(writeln!(stderr(), "simulate: {error:#}"));
}

/// Columns beneath each other; numbers to the right.
pub(super) fn table(table: &Table) -> Result<()> {
    let text = |cell: &Cell| match cell {
        Cell::Number(value) => number(*value),
        Cell::Text(text) => text.clone(),
    };
    let rows: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| row.iter().map(text).collect())
        .collect();
    let widths: Vec<usize> = (0..table.columns.len())
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells
                .chain([table.columns[column].chars().count()])
                .max()
                .unwrap_or(0)
                .min(WIDTH_MAX)
        })
        .collect();
    let mut out = String::new();
    for row in std::iter::once(&table.columns).chain(&rows) {
        let mut text = String::new();
        for (cell, &width) in row.iter().zip(&widths) {
            text.push_str(&format!("{cell:<width$}  "));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    Ok(write!(stdout(), "{out}")?)
}

/// The scenarios, one a line.
pub(super) fn list(scenarios: &[Scenario]) -> Table {
    let mut table = Table::new(
        "scenarios",
        "Scenarios",
        &["scenario", "", "smoke", "what is measured"],
    );
    for scenario in scenarios {
        table.row([
            scenario.name().into(),
            scenario.experiment().number().into(),
            if scenario.has(Size::Smoke) { "yes" } else { "" }.into(),
            scenario.summary().into(),
        ]);
    }
    table
}

/// The figures of one scenario.
pub(super) fn record(record: &Record) -> Result<()> {
    line(&format!(
        "{} {} ({}, seed {}, {:.1} s): {}",
        record.number,
        record.scenario,
        record.size.name(),
        record.seed,
        record.seconds,
        record.summary,
    ))?;
    if let Some(error) = &record.error {
        return line(&format!("  could not be run: {error}\n"));
    }
    let mut figures = Table::new(
        "figures",
        "Figures",
        &["", "figure", "ours", "bar", "published"],
    );
    for figure in &record.outcome.figures {
        let value = format!("{} {}", number(figure.value), figure.unit);
        figures.row([
            figure.verdict().word().into(),
            figure.name.as_str().into(),
            value.trim_end().into(),
            bar(figure).into(),
            figure.published.map(number).unwrap_or_default().into(),
        ]);
    }
    table(&figures)?;
    line("")
}

/// How it went altogether.
pub(super) fn totals(results: &Results, report: Option<PathBuf>) -> Result<()> {
    line(&format!(
        "{} pass, {} FAIL, {} reported{}",
        results.count(Verdict::Pass),
        results.count(Verdict::Fail),
        results.count(Verdict::Reported),
        report
            .map(|path| format!("; report: {}", path.display()))
            .unwrap_or_default(),
    ))
}

/// What became of the small network.
pub(super) fn replay(replay: &Replay) -> Result<()> {
    line(&format!("trace     {}", replay.trace))?;
    line(&format!(
        "requests  {} of {} succeeded",
        replay.succeeded, replay.requests
    ))?;
    line(&format!(
        "messages  {} sent, {} lost; {} fetches, {} offers, {} blocks, {} refused",
        replay.counters.messages,
        replay.counters.lost,
        replay.counters.fetches,
        replay.counters.offers,
        replay.counters.blocks,
        replay.counters.refused + replay.counters.loops,
    ))?;
    line(&format!(
        "virtual   {:.3} s",
        replay.virtual_time.as_secs_f64()
    ))
}
