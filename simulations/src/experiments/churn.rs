//! E15: which files can be had after a month of nodes that come, go, and leave for good, with nobody asking for them.

mod beside;
mod stores;

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::churn::SessionModel;
use crate::experiment::{Axis, Context, Experiment, Figure, Kind, Outcome, Plot, Table};
use crate::random::rng_for;
use crate::statistics::{count, mean};
use beside::Beside;
use stores::{Day, File, Rules, Stores};

/// Files in stores of nodes with the session lengths measured in Freenet.
pub(super) struct Churned;

#[derive(Debug, Deserialize)]
struct Parameters {
    nodes: usize,
    days: usize,
    /// At how many nodes an insert leaves a block.
    copies: usize,
    /// Among how many nodes online a fetch looks for it.
    reach: usize,
    /// Blocks of the files of each length, about.
    blocks_per_length: usize,
    /// Which parts of the nodes leave for good each day; other ways than repair are held against the last.
    leave: Vec<f64>,
    /// Hours between two walks through a store.
    walks_h: Vec<f64>,
    /// The same with real routers.
    routers: Beside,
}

/// Data blocks of the files: from one block of 32 KiB to 16 MiB.
const LENGTHS: [usize; 5] = [1, 4, 16, 128, 512];

/// The most data blocks of a segment.
const SEGMENT: usize = 128;

/// Day and share of blocks that could still be had in Freenet.
const PUBLISHED: [(f64, f64); 3] = [(0.0, 1.0), (14.0, 0.5), (30.0, 0.3)];

const GIB: f64 = 1_073_741_824.0;

/// One set-up.
struct Case {
    name: String,
    rules: Rules,
    /// All blocks by data blocks; `None` for what nodes make.
    redundancy: Option<usize>,
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Held against the bar.
    Measured,
    /// Told.
    Told,
    Fault,
}

impl Experiment for Churned {
    fn name(&self) -> &'static str {
        "churn"
    }

    fn number(&self) -> &'static str {
        "E15"
    }

    fn summary(&self) -> &'static str {
        "files that nobody asks for, in stores of nodes that come and go as measured"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.nodes = context.nodes().unwrap_or(parameters.nodes);
        ensure!(
            parameters.nodes >= 50 && parameters.days >= 2 && parameters.copies > 0,
            "nodes must be at least 50, days at least 2, copies above zero"
        );
        ensure!(
            !parameters.leave.is_empty()
                && parameters
                    .leave
                    .iter()
                    .all(|part| (0.0..1.0).contains(part)),
            "leave must hold parts of the nodes, from 0 to below 1"
        );
        let cases = cases(&parameters);
        let worlds = context.parallel("worlds", &cases, |case| {
            let files = files(parameters.blocks_per_length, case.redundancy);
            let days = Stores::run(&case.rules, &files, rng_for(context.seed(), "stores"));
            (files, days)
        });
        let mut outcome = Outcome::default();
        for (case, (files, days)) in cases.iter().zip(&worlds) {
            figures(case, files, days, &mut outcome);
        }
        outcome.table(table(&cases, &worlds));
        outcome.plot(files_plot(&cases, &worlds));
        outcome.plot(blocks_plot(&cases, &worlds));
        outcome.plot(copies_plot(&cases, &worlds));
        explain(&parameters, &mut outcome);
        beside::run(context, &parameters, &mut outcome)?;
        Ok(outcome)
    }
}

/// What is compared.
fn cases(parameters: &Parameters) -> Vec<Case> {
    let rules = Rules {
        nodes: parameters.nodes,
        days: parameters.days,
        model: SessionModel::measured(),
        leave: 0.0,
        copies: parameters.copies,
        repair: None,
        reach: parameters.reach,
        astray: false,
    };
    let case = |name: String, rules: Rules, role: Role| Case {
        name,
        rules,
        redundancy: None,
        role,
    };
    let mut cases = Vec::new();
    for &leave in &parameters.leave {
        let gone = Rules {
            leave,
            ..rules.clone()
        };
        let percent = leave * 100.0;
        cases.push(case(
            format!("{percent} % leave a day, no repair"),
            gone.clone(),
            Role::Told,
        ));
        for &hours in &parameters.walks_h {
            let walking = Rules {
                repair: Some(hours),
                ..gone.clone()
            };
            let name = format!("{percent} % leave a day, repair every {hours} h");
            cases.push(case(name, walking, Role::Measured));
        }
    }
    cases.extend(other_ways(parameters, &rules));
    cases
}

/// Ways to keep files other than repair, repair where nobody is always there, and the planted fault.
fn other_ways(parameters: &Parameters, rules: &Rules) -> Vec<Case> {
    let leave = parameters.leave.last().copied().unwrap_or(0.0);
    let hours = parameters.walks_h.first().copied();
    let gone = Rules {
        leave,
        ..rules.clone()
    };
    let mut restless = gone.clone();
    restless.model.always_on = 0.0;
    let percent = leave * 100.0;
    let case = |name: &str, rules: Rules, redundancy, role| Case {
        name: format!("{percent} % leave a day, {name}"),
        rules,
        redundancy,
        role,
    };
    let twice = Rules {
        copies: 2 * parameters.copies,
        ..gone.clone()
    };
    let repairing = Rules {
        repair: hours,
        ..restless.clone()
    };
    let wide = Rules {
        reach: 4 * parameters.reach,
        ..gone.clone()
    };
    let astray = Rules {
        astray: true,
        repair: hours,
        ..gone.clone()
    };
    vec![
        case("no repair, twice the copies", twice, None, Role::Told),
        case("no repair, 3x coding", gone, Some(3), Role::Told),
        case(
            "no repair, fetches look four times as far",
            wide,
            None,
            Role::Told,
        ),
        case("no repair, none always on", restless, None, Role::Told),
        case("repair, none always on", repairing, None, Role::Told),
        case(
            "fault: repair sends copies far from the key",
            astray,
            None,
            Role::Fault,
        ),
    ]
}

/// Files of all lengths, as many blocks of each.
fn files(blocks_per_length: usize, redundancy: Option<usize>) -> Vec<File> {
    let (mut files, mut first) = (Vec::new(), 0);
    for length in LENGTHS {
        let data = length.min(SEGMENT);
        // Half as many check blocks, three at least, one each if there are fewer than three
        let ours = data + data.div_ceil(2).max(data.min(3));
        let (segments, total) = (length / data, redundancy.map_or(ours, |times| times * data));
        for _ in 0..blocks_per_length.div_ceil(segments * ours) {
            files.push(File {
                first,
                segments,
                data,
                total,
            });
            first += segments * total;
        }
    }
    files
}

/// The mean over the files of each length.
fn by_length(files: &[File], found: &[f64]) -> Vec<f64> {
    LENGTHS
        .iter()
        .map(|&length| {
            let of_length = files.iter().zip(found);
            let of_length = of_length.filter(|(file, _)| file.segments * file.data == length);
            mean(&of_length.map(|(_, &found)| found).collect::<Vec<_>>())
        })
        .collect()
}

fn figures(case: &Case, files: &[File], days: &[Day], outcome: &mut Outcome) {
    let last = days.len() - 1;
    let end = &days[last];
    let lengths = by_length(files, &end.found);
    let figure = |what: &str, value: f64, unit: &str| {
        Figure::new(format!("{}: {what}", case.name), value, unit)
    };
    let retrievable = figure(&format!("files to be had on day {last}"), mean(&lengths), "")
        .published(0.3)
        .source("bar: 95 of 100, each length of file counting alike; published: blocks in Freenet after 30 days");
    outcome.figure(match case.role {
        Role::Measured => retrievable.at_least(0.95),
        Role::Told => retrievable,
        Role::Fault => retrievable.at_least(0.95).with_fault(),
    });
    if case.role != Role::Measured {
        return;
    }
    let worst = lengths.iter().copied().fold(1.0, f64::min);
    outcome.figure(figure("of the length that fares worst", worst, "").source("no bar"));
    let bytes: f64 = days[1..].iter().map(|day| day.repair_bytes).sum();
    let a_day = bytes / count(last) / count(case.rules.nodes);
    outcome.figure(
        figure("repair traffic a node and day", a_day / 1e6, "MB").source(
            "mean of all days; 34 048 bytes a copy, 512 a question; all nodes counted, online or not; grows with what is stored",
        ),
    );
    let blocks = files
        .iter()
        .map(|file| file.segments * file.total)
        .sum::<usize>();
    let stored = count(blocks) * mean_of(&days[1..], |day| day.copies) * 32_768.0;
    outcome.figure(
        figure(
            "the same for each GiB in a node's store",
            a_day * count(case.rules.nodes) / stored * GIB / 1e6,
            "MB",
        )
        .source("the store holds copies, not files"),
    );
    outcome.figure(
        figure(&format!("copies of a block on day {last}"), end.copies, "")
            .source("at nodes that have not left for good, online or not"),
    );
}

fn mean_of(days: &[Day], of: impl Fn(&Day) -> f64) -> f64 {
    mean(&days.iter().map(of).collect::<Vec<_>>())
}

type World = (Vec<File>, Vec<Day>);

fn table(cases: &[Case], worlds: &[World]) -> Table {
    let mut table = Table::new(
        "days",
        "Files that can be had, by data blocks, and what repair does",
        &[
            "case",
            "day",
            "1",
            "4",
            "16",
            "128",
            "512",
            "all",
            "somewhere online",
            "blocks found",
            "copies of a block",
            "nodes online",
            "copies made a node",
            "MB a node",
        ],
    );
    for (case, (files, days)) in cases.iter().zip(worlds) {
        let shown = [1, 7, 14, days.len() - 1];
        for number in shown.into_iter().filter(|&number| number < days.len()) {
            let day = &days[number];
            let lengths = by_length(files, &day.found);
            let nodes = count(case.rules.nodes);
            let mut row = vec![case.name.as_str().into(), number.into()];
            row.extend(lengths.iter().map(|&found| found.into()));
            row.extend([
                mean(&lengths).into(),
                mean(&by_length(files, &day.alive)).into(),
                day.blocks_found.into(),
                day.copies.into(),
                day.online.into(),
                (count(day.repaired) / nodes).into(),
                (day.repair_bytes / nodes / 1e6).into(),
            ]);
            table.row(row);
        }
    }
    table
}

/// A curve for each of the cases that `shown` takes, from the day after the inserts.
fn curves(
    mut plot: Plot,
    cases: &[Case],
    worlds: &[World],
    shown: impl Fn(&Case) -> bool,
    of: impl Fn(&[File], &Day) -> f64,
) -> Plot {
    for (case, (files, days)) in cases.iter().zip(worlds) {
        if !shown(case) {
            continue;
        }
        let kind = match case.role {
            Role::Fault => Kind::Fault,
            Role::Measured | Role::Told => Kind::Ours,
        };
        let points = days.iter().enumerate().skip(1);
        let points = points.map(|(number, day)| (count(number), of(files, day)));
        plot = plot.curve(kind, &case.name, points.collect());
    }
    plot
}

/// Whether it is one of the cases with the greatest share that leaves.
fn leaves_most(case: &Case, cases: &[Case]) -> bool {
    cases
        .iter()
        .all(|other| other.rules.leave <= case.rules.leave)
}

fn files_plot(cases: &[Case], worlds: &[World]) -> Plot {
    let plot = Plot::new(
        "files",
        "Files that can be had, with nobody asking for them",
        Axis::linear("days since they were inserted"),
        Axis::linear("share of the files"),
    );
    curves(
        plot,
        cases,
        worlds,
        |case| leaves_most(case, cases),
        |files, day| mean(&by_length(files, &day.found)),
    )
    .curve(Kind::Published, "Freenet, blocks", PUBLISHED.into())
}

fn blocks_plot(cases: &[Case], worlds: &[World]) -> Plot {
    let plot = Plot::new(
        "blocks",
        "Blocks that a fetch finds",
        Axis::linear("days since they were inserted"),
        Axis::linear("share of the blocks"),
    );
    let plain = |case: &Case| {
        case.redundancy.is_none()
            && (case.role == Role::Measured || case.name.ends_with("no repair"))
    };
    curves(plot, cases, worlds, plain, |_, day| day.blocks_found).curve(
        Kind::Published,
        "Freenet, blocks",
        PUBLISHED.into(),
    )
}

fn copies_plot(cases: &[Case], worlds: &[World]) -> Plot {
    let plot = Plot::new(
        "copies",
        "Copies of a block at nodes that have not left for good",
        Axis::linear("days since it was inserted"),
        Axis::linear("copies"),
    );
    let walking = |case: &Case| case.rules.repair.is_some();
    curves(plot, cases, worlds, walking, |_, day| day.copies)
}

fn explain(parameters: &Parameters, outcome: &mut Outcome) {
    let Parameters { copies, reach, .. } = parameters;
    outcome.note(format!(
        "A model of stores without messages: an insert leaves its block at the {copies} nodes online that are closest to the key; \
         nodes keep their stores while they are away; a fetch finds a block if one of the {reach} nodes online that are closest \
         has it; a walk through a store is done at once, and copies arrive. Stores are never full. Each length of file counts \
         alike. A day has six looks, from one day to the next nothing is remembered.",
    ));
    outcome.note(
        "The session model says how long nodes stay and that a fifth of them is online, a twentieth always. It says nothing of \
         those that never come back: the shares are assumptions. 4.83 % a day is what would explain Freenet's loss of half of \
         the blocks in 14 days if nothing but nodes leaving for good caused it; newcomers take their places.",
    );
    outcome.note(
        "Nodes that are online are not like the others: a quarter of them is always on. So of four copies one is, on average, at \
         a node that stays, and a block can be found more often than four copies at a fifth of the nodes would be.",
    );
    outcome.note(
        "Where nobody leaves for good, the copies of the insert are enough without repair. Where they do, neither twice the \
         copies nor 3x coding nor fetches that look farther keeps files for a month: each only delays what is lost, since what is \
         left shrinks by the same factor every day. Copies have to be made anew.",
    );
    outcome.note(
        "Repair pays for availability with copies: each node that is among the closest for a while gets the block and keeps it \
         when it leaves, so the number of copies grows to about the wanted number divided by the share that is online. What \
         the network can hold falls by as much.",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_blocks_that_nodes_make() {
        let totals: Vec<usize> = files(1, None)
            .iter()
            .map(|file| file.segments * file.total)
            .collect();
        assert_eq!(totals, [2, 7, 24, 192, 768]);
        let coded = files(1, Some(3));
        assert_eq!(coded[4].total, 384);
        assert_eq!(coded[4].first, 3 + 12 + 48 + 384);
    }
}
