//! The table, plots, bars and remarks.

use super::measure::{Cell, Column, HOPS, POOL};
use super::{Parameters, published};
use crate::experiment::{Axis, Figure, Kind, Outcome, Plot, Table};
use crate::statistics::{count, mean, quantile, share};

/// The part of all nodes for which most bars are.
const TENTH: f64 = 0.1;

/// At most so many innocents are flagged for each download.
const INNOCENTS_MOST: f64 = 0.02;

pub(super) fn table(parameters: &Parameters, cells: &[Cell], outcome: &mut Outcome) {
    let mut table = Table::new(
        "requesters",
        "What coalitions conclude, by the way to ask and the part of all nodes that collude",
        &[
            "column",
            "part",
            "files",
            "coalitions",
            "requester has a colluding peer",
            "requester flagged",
            "published",
            "innocents flagged",
            "published innocents",
            "precision",
            "first guess right",
            "guard and an end collude",
            "belief in the requester, most",
            "effective set, median",
            "blocks that came",
        ],
    );
    for cell in cells {
        let known = known(parameters, cell);
        let beliefs = cell.beliefs();
        let most = beliefs
            .iter()
            .map(|belief| belief.requester)
            .fold(f64::NAN, f64::max);
        table.row([
            cell.column.label().into(),
            cell.part.into(),
            cell.files.into(),
            cell.judged.len().into(),
            cell.neighbour().into(),
            cell.caught().into(),
            known.map(|known| known.caught).into(),
            cell.innocents().into(),
            known.map(|known| known.innocents).into(),
            cell.precision().into(),
            cell.first_guess().into(),
            cell.column.is_onion().then(|| cell.linked()).into(),
            cell.column.is_onion().then_some(most).into(),
            cell.column.is_onion().then(|| median_set(cell)).into(),
            cell.success.into(),
        ]);
    }
    outcome.table(table);
}

fn known(parameters: &Parameters, cell: &Cell) -> Option<published::Published> {
    let comparable = parameters.nodes == published::NODES && parameters.blocks == 1_000;
    published::of(cell.column, cell.part).filter(|_| comparable)
}

fn median_set(cell: &Cell) -> f64 {
    let mut sets: Vec<f64> = cell
        .beliefs()
        .iter()
        .map(|belief| belief.effective_set)
        .collect();
    sets.sort_by(f64::total_cmp);
    quantile(&sets, 0.5)
}

pub(super) fn plots(parameters: &Parameters, cells: &[Cell], outcome: &mut Outcome) {
    outcome.plot(plot(
        parameters,
        cells,
        (
            "flagged",
            "Downloads whose requester is flagged",
            "part of all downloads",
        ),
        (&Cell::caught, |known| known.caught),
    ));
    outcome.plot(plot(
        parameters,
        cells,
        ("innocents", "Innocents flagged for each download", "nodes"),
        (&Cell::innocents, |known| known.innocents),
    ));
}

type Value = fn(published::Published) -> f64;

fn plot(
    parameters: &Parameters,
    cells: &[Cell],
    (name, title, unit): (&str, &str, &str),
    (ours, theirs): (&dyn Fn(&Cell) -> f64, Value),
) -> Plot {
    let (x, y) = (
        Axis::linear("part of all nodes that collude"),
        Axis::linear(unit),
    );
    let mut plot = Plot::new(name, title, x, y);
    let shown = [
        Column::Plain,
        Column::FreshOnly,
        Column::RandomStem,
        Column::OneStem,
        Column::Onion,
        Column::Routers,
    ];
    for column in shown {
        let of_column = || cells.iter().filter(move |cell| cell.column == column);
        let measured = of_column().map(|cell| (cell.part, ours(cell))).collect();
        let known =
            of_column().filter_map(|cell| Some((cell.part, theirs(known(parameters, cell)?))));
        plot = plot.curve(Kind::Ours, column.label(), measured);
        plot = plot.curve(Kind::Published, column.label(), known.collect());
    }
    plot
}

pub(super) fn figures(parameters: &Parameters, cells: &[Cell], outcome: &mut Outcome) {
    for cell in cells {
        match cell.column {
            column if column.is_onion() => onion(parameters, cell, outcome),
            Column::Plain => plain(parameters, cell, outcome),
            Column::NoLookahead => without_lookahead(parameters, cell, outcome),
            Column::RandomStem if is_tenth(cell) => {
                outcome.figure(
                    figure(cell, "requester flagged", cell.caught())
                        .at_most(cell.part)
                        .with_fault()
                        .source("what must never be built: it is worse than none"),
                );
            }
            _ => {}
        }
    }
}

fn is_tenth(cell: &Cell) -> bool {
    (cell.part - TENTH).abs() < 1e-9
}

fn figure(cell: &Cell, what: &str, value: f64) -> Figure {
    let Cell { column, part, .. } = cell;
    Figure::new(
        format!("{}, {part} collude: {what}", column.label()),
        value,
        "",
    )
}

/// The test must be able to see.
fn plain(parameters: &Parameters, cell: &Cell, outcome: &mut Outcome) {
    let caught = figure(cell, "requester flagged", cell.caught());
    outcome.figure(match known(parameters, cell) {
        Some(known) => caught
            .at_least(known.caught)
            .published(known.caught)
            .source("earlier calibration, a model without routers; bar: the test sees as well as that one"),
        None => caught.source("published for 10 000 nodes and 1000 blocks only"),
    });
    if is_tenth(cell) {
        outcome.figure(
            figure(cell, "fault: no circuits: requester flagged", cell.caught())
                .at_most(TENTH)
                .with_fault()
                .source("the bar that circuits meet: a coalition must see what is in the open"),
        );
    }
}

/// The published model had no lookahead: what it gave should come out again.
fn without_lookahead(parameters: &Parameters, cell: &Cell, outcome: &mut Outcome) {
    if let Some(known) = known(parameters, cell) {
        outcome.figure(
            figure(cell, "requester flagged", cell.caught())
                .near(known.caught, 0.1)
                .source("earlier calibration, a model without routers; bar: a tenth off"),
        );
    }
}

fn onion(parameters: &Parameters, cell: &Cell, outcome: &mut Outcome) {
    let deviation = (cell.part * (1.0 - cell.part) / count(cell.files)).sqrt();
    outcome.figure(
        figure(cell, "requester flagged", cell.caught())
            .at_most(0.0)
            .published(0.0)
            .source("bar: never, by counting"),
    );
    outcome.figure(
        figure(cell, "innocents flagged for each file", cell.innocents())
            .at_most(INNOCENTS_MOST)
            .published(0.0)
            .source("bar of the design"),
    );
    outcome.figure(
        figure(cell, "first guess by counting right", cell.first_guess())
            .at_most(0.01)
            .published(0.0)
            .source("bar: one in a hundred"),
    );
    outcome.figure(
        figure(cell, "guard and an end collude", cell.linked())
            .at_most(2.0_f64.mul_add(deviation, cell.part))
            .published(cell.part)
            .source("bar: the part that collude, and two deviations of as many draws as there are files"),
    );
    belief(parameters, cell, outcome);
}

/// Where guard and end are not both known: what their places tell.
fn belief(parameters: &Parameters, cell: &Cell, outcome: &mut Outcome) {
    let beliefs = cell.beliefs();
    if beliefs.is_empty() {
        return;
    }
    let sure = beliefs
        .iter()
        .filter(|belief| belief.requester > 0.98)
        .count();
    outcome.figure(
        figure(
            cell,
            "named with more than 0.98 by the places of ends",
            share(sure, beliefs.len()),
        )
        .at_most(0.0)
        .source("bar of the design: never, where the guard is honest"),
    );
    let set = median_set(cell) / count(parameters.nodes);
    let set = figure(cell, "median effective set / N", set);
    outcome.figure(if is_tenth(cell) {
        set.at_least(1.0 / 3.0).source("bar of the design")
    } else {
        set.source("bar only where a tenth collude")
    });
}

pub(super) fn notes(parameters: &Parameters, cells: &[Cell], outcome: &mut Outcome) {
    let files = parameters.networks * parameters.files as u64;
    outcome.note(format!(
        "{} networks of {} routers with a mean degree of about {}; {files} files of {} blocks for each column, {} coalitions drawn for each file. \
         Colluders do what they should, so that any node of a download may turn out to be one. The coalition knows all keys of the file, and sees all \
         requests that reach its members.",
        parameters.networks,
        parameters.nodes,
        parameters.long_links + 2,
        parameters.blocks,
        parameters.coalitions,
    ));
    outcome.note(format!(
        "Circuits: {POOL} of {HOPS} hops with one guard and one second hop, drawn by the simulation with the rules of a node, and asked for at their ends by \
         real routers; in the rows that say so, routers build and use circuits of their own, and the simulation follows their cells from above. \"Guard and an end collude\" takes it that they recognise each other by timing, always; everything else here is without timing. The \
         belief is that of somebody who knows every link, and the relay before each colluding end (or the last honest one before those that collude)."
    ));
    outcome.note(
        "The open stems are no part of any node. What the nodes of a stem see is written down by the simulation; only the last one's request is a router's. \
         They are here because they look like protection and are the opposite.",
    );
    outcome.note(
        "Lookahead makes level 0 worse: a router that knows the peers of its peers spreads its requests more evenly over them, so that each gets a share that a relay's request seldom reaches. The \
         requester is flagged more often than was published, and fewer others are. The row without lookahead is the one to hold against the published model.",
    );
    let came: Vec<f64> = cells.iter().map(|cell| cell.success).collect();
    outcome.note(format!(
        "{:.4} of all blocks came or were stored; what was refused for overload is tried again by the router. A file is asked for in ten parts, each at once.",
        mean(&came)
    ));
}
