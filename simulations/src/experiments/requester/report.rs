//! The table, plots, bars and remarks.

use super::column::{Column, Hiding};
use super::measure::Cell;
use super::{Parameters, published};
use crate::anonymity::{HOPS, POOL};
use crate::experiment::{Axis, Figure, Kind, Outcome, Plot, Table};
use crate::statistics::{count, is_same_part, mean, quantile, share};

/// The part of all nodes for which most bars are.
const TENTH: f64 = 0.1;

/// If routers' circuits carried more blocks each, too few of them would be seen, and what is said of them be said of nothing.
const BLOCKS_MOST: f64 = 64.0;

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
            "circuits of a file",
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
            cell.files().into(),
            cell.judged.len().into(),
            cell.neighbour().into(),
            cell.caught().into(),
            known.map(|known| known.caught).into(),
            cell.innocents().into(),
            known.map(|known| known.innocents).into(),
            cell.precision().into(),
            cell.first_guess().into(),
            cell.column.is_onion().then(|| cell.circuits()).into(),
            cell.column.is_onion().then(|| cell.linked()).into(),
            cell.column.is_onion().then_some(most).into(),
            cell.column.is_onion().then(|| median_set(cell)).into(),
            cell.success().into(),
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
            "Counting: files whose requester is flagged",
            "part of all files",
        ),
        (&Cell::caught, |known| known.caught),
    ));
    outcome.plot(plot(
        parameters,
        cells,
        (
            "innocents",
            "Counting: innocents flagged for each file",
            "nodes",
        ),
        (&Cell::innocents, |known| known.innocents),
    ));
    let nodes = count(parameters.nodes);
    let third = |part: f64| (part, 1.0 / 3.0);
    outcome.plot(circuits_plot(
        cells,
        (
            "effective-sets",
            "Circuits: how many nodes may be the requester",
            "median effective set / all nodes",
        ),
        &|cell| median_set(cell) / nodes,
        ("a third, the bar at 0.1", &third),
    ));
    outcome.plot(circuits_plot(
        cells,
        (
            "linked",
            "Circuits: guard and an end collude",
            "part of all files",
        ),
        &Cell::linked,
        ("the part that colludes", &|part| (part, part)),
    ));
}

/// One curve for each column with circuits, and what they are held against.
fn circuits_plot(
    cells: &[Cell],
    (name, title, unit): (&str, &str, &str),
    value: &dyn Fn(&Cell) -> f64,
    (bar, line): (&str, &dyn Fn(f64) -> (f64, f64)),
) -> Plot {
    let x = Axis::linear("part of all nodes that collude");
    let mut plot = Plot::new(name, title, x, Axis::linear(unit));
    let mut parts: Vec<f64> = cells.iter().map(|cell| cell.part).collect();
    parts.sort_by(f64::total_cmp);
    parts.dedup();
    // The other columns differ from the first by chance only
    let shown = Column::ALL
        .into_iter()
        .filter(|&column| column == Column::Onion || column.hiding() == Hiding::Routers);
    for column in shown {
        let of_column = cells.iter().filter(|cell| cell.column == column);
        let points: Vec<_> = of_column.map(|cell| (cell.part, value(cell))).collect();
        if !points.is_empty() {
            plot = plot.curve(Kind::Ours, column.label(), points);
        }
    }
    plot.curve(Kind::Theory, bar, parts.into_iter().map(line).collect())
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
        let measured: Vec<_> = of_column().map(|cell| (cell.part, ours(cell))).collect();
        if measured.is_empty() {
            continue;
        }
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
    is_same_part(cell.part, TENTH)
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
    let deviation = (cell.part * (1.0 - cell.part) / count(cell.judged.len())).sqrt();
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
            .at_most(4.0_f64.mul_add(deviation, cell.part))
            .published(cell.part)
            .source("bar: the part that collude, and four deviations of as many draws as there are coalitions, as there are so many rows"),
    );
    if cell.column.hiding() == Hiding::Routers && is_tenth(cell) {
        outcome.figure(
            figure(cell, "circuits that were followed, of the file with the fewest", count(cell.circuits_least()))
                .at_least(count(parameters.blocks) / BLOCKS_MOST)
                .source("the test must see them; bar: half of the circuits that a node needs, as one carries 32 blocks"),
        );
    }
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
        "{} networks of {} routers, asked for {} links each (a link that is drawn twice counts once, so that a node has one or two less on average); {files} files of {} blocks for each column, {} coalitions drawn for each file. \
         Colluders do what they should, so that any node of a download may turn out to be one. The coalition knows all keys of the file, and sees all \
         requests that reach its members.",
        parameters.networks,
        parameters.nodes,
        parameters.degree,
        parameters.blocks,
        parameters.coalitions,
    ));
    outcome.note(format!(
        "Circuits: {POOL} of {HOPS} hops (more for nodes with few links, as a node decides) with one guard and one second hop, drawn by the simulation with the rules of a node, and asked for at their ends by \
         real routers; in the rows \"of routers\", routers build and use circuits of their own, and the simulation follows their cells from above, to where blocks of the file are looked up or offered. \"Guard and an end collude\" takes it that they recognise each other by timing, always; everything else here is without timing. The \
         belief is that of somebody who knows every link, and the relay before each colluding end (or the last honest one before those that collude)."
    ));
    outcome.note(
        "Uneven degrees are those of Freenet's opennet in 2013: peaks at 13, 50, 75 and 100 links; how many nodes belong to each is a guess (7, 2, 1 and less than 1 of ten). A node of that kind lists at most 50 \
         neighbours, while the belief takes all to be as likely.",
    );
    outcome.note(
        "The open stems are no part of any node. What the nodes of a stem see is written down by the simulation; only the last one's request is a router's. \
         They are here because they look like protection and are the opposite.",
    );
    outcome.note(
        "Lookahead makes level 0 worse: a router that knows the peers of its peers spreads its requests more evenly over them, so that each gets a share that a relay's request seldom reaches. The \
         requester is flagged more often than was published, and fewer others are. The row without lookahead is the one to hold against the published model.",
    );
    let came: Vec<f64> = cells.iter().map(Cell::success).collect();
    outcome.note(format!(
        "{:.4} of all blocks came or were stored; what was refused for overload is tried again by the router. A file is asked for in ten parts, each at once.",
        mean(&came)
    ));
}
