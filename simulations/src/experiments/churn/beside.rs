//! Real routers beside the model: the same files, sessions and departures.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Deserialize;

use super::stores::{self, Day, File, Stores};
use super::{Parameters, by_length, files};
use crate::churn::SessionModel;
use crate::experiment::{Axis, Context, Figure, Kind, Outcome, Plot, Table};
use crate::experiments::departures::{self, Course, Look};
use crate::random::rng_for;
use crate::sim_node::Sabotage;
use crate::statistics::{count, mean};

/// The part with routers.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Beside {
    /// Online or not.
    nodes: usize,
    days: usize,
    /// The days on which files are looked for; the last day is one of them in any case.
    looks: Vec<usize>,
    /// Blocks of the files of each length, about.
    blocks_per_length: usize,
    /// Which part of the nodes leaves for good each day.
    leave: f64,
    /// Hours from the end of a walk through a store to the next.
    walk_h: f64,
}

struct Case {
    name: &'static str,
    repair_h: Option<f64>,
    sabotage: Sabotage,
}

/// Both worlds of a case.
struct Pair {
    routers: Course,
    model: Vec<Day>,
}

pub(super) fn run(context: &Context<'_>, all: &Parameters, outcome: &mut Outcome) -> Result<()> {
    let beside = &all.routers;
    ensure!(
        beside.nodes >= 100 && beside.days >= 2 && (0.0..1.0).contains(&beside.leave),
        "routers need 100 nodes and two days at least, and a part that leaves from 0 to below 1"
    );
    let cases = [
        Case {
            name: "routers, no repair",
            repair_h: None,
            sabotage: Sabotage::None,
        },
        Case {
            name: "routers, repair",
            repair_h: Some(beside.walk_h),
            sabotage: Sabotage::None,
        },
        Case {
            name: "fault: routers whose stores forget",
            repair_h: Some(beside.walk_h),
            sabotage: Sabotage::ForgetfulStores,
        },
    ];
    let files = files(beside.blocks_per_length, None);
    let hours = hours(&files);
    let pairs = context.parallel("worlds of routers", &cases, |case| Pair {
        routers: departures::run(&beside.rules(case), &hours, context.seed()),
        model: Stores::run(
            &beside.model(case, all),
            &files,
            rng_for(context.seed(), "model beside routers"),
        ),
    });
    for (case, pair) in cases.iter().zip(&pairs) {
        figures(case, pair, &files, outcome);
    }
    outcome.table(table(&cases, &pairs, &files));
    outcome.plot(plot(&cases, &pairs));
    explain(beside, outcome);
    Ok(())
}

impl Beside {
    fn rules(&self, case: &Case) -> departures::Rules {
        let fault = case.sabotage != Sabotage::None;
        let mut looks: BTreeSet<usize> = self.looks.iter().copied().collect();
        looks.insert(self.days);
        departures::Rules {
            nodes: self.nodes,
            // What is forgotten at once is not there the day after
            days: if fault { 2 } else { self.days },
            model: SessionModel::measured(),
            leave: self.leave,
            last_sessions: 0.0,
            repair: case
                .repair_h
                .map(|hours| Duration::from_secs_f64(hours * 3_600.0)),
            looks: looks
                .into_iter()
                .chain([2].into_iter().filter(|_| fault))
                .collect(),
            sabotage: case.sabotage,
        }
    }

    fn model(&self, case: &Case, all: &Parameters) -> stores::Rules {
        stores::Rules {
            nodes: self.nodes,
            days: self.days,
            model: SessionModel::measured(),
            leave: self.leave,
            copies: all.copies,
            repair: case.repair_h,
            reach: all.reach,
            astray: false,
        }
    }
}

fn figures(case: &Case, pair: &Pair, files: &[File], outcome: &mut Outcome) {
    let Pair { routers, model } = pair;
    let Some(end) = routers.looks.last() else {
        return;
    };
    let figure = |what: &str, value: f64, unit: &str| {
        Figure::new(format!("{}: {what}", case.name), value, unit)
    };
    let had = had(files, end);
    let had = figure(&format!("files to be had on day {}", end.day), had, "")
        .published(0.3)
        .source("bar: 95 of 100, each length of file counting alike; published: blocks in Freenet after 30 days");
    if case.sabotage != Sabotage::None {
        outcome.figure(had.at_least(0.95).with_fault());
        return;
    }
    outcome.figure(match case.repair_h {
        Some(_) => had.at_least(0.95),
        None => had,
    });
    let expected = at(model, end.day, |day| day.blocks_found);
    outcome.figure(
        figure(&format!("blocks found on day {}", end.day), end.blocks_found, "")
            .near(expected, tolerance(expected, routers.nodes))
            .source("the model with as many nodes, copies and departures; two standard errors of both if all blocks of a node that was online at first share its fate, and one in a hundred"),
    );
    outcome.figure(
        figure(
            &format!("copies of a block on day {}", end.day),
            end.copies,
            "",
        )
        .published(at(model, end.day, |day| day.copies))
        .source("told; beside it the model's"),
    );
    if case.repair_h.is_none() {
        outcome.figure(
            figure("upkeep of links a node and day", routers.upkeep_bytes / 1e6, "MB")
                .source("told: announcements, introductions, neighbours' places, credit; all nodes counted, online or not"),
        );
        return;
    }
    let days = &model[1..end.day];
    let modelled: f64 = days.iter().map(|day| day.repair_bytes).sum();
    let modelled = modelled / count(days.len()) / count(routers.nodes);
    outcome.figure(
        figure("repair traffic a node and day", routers.repair_bytes / 1e6, "MB")
            .published(modelled / 1e6)
            .source("told: all bytes but those of links, days without inserts, looks left out; all nodes counted, online or not; beside it the model's"),
    );
}

fn table(cases: &[Case], pairs: &[Pair], files: &[File]) -> Table {
    let mut table = Table::new(
        "routers",
        "Real routers beside the model",
        &[
            "case",
            "day",
            "files to be had",
            "the model's",
            "blocks found",
            "the model's",
            "blocks online",
            "copies of a block",
            "the model's",
            "nodes online",
            "copies by the insert",
            "million messages",
        ],
    );
    for (case, Pair { routers, model }) in cases.iter().zip(pairs) {
        for look in &routers.looks {
            table.row([
                case.name.into(),
                look.day.into(),
                had(files, look).into(),
                at(model, look.day, |day| mean(&by_length(files, &day.found))).into(),
                look.blocks_found.into(),
                at(model, look.day, |day| day.blocks_found).into(),
                look.blocks_online.into(),
                look.copies.into(),
                at(model, look.day, |day| day.copies).into(),
                look.online.into(),
                routers.inserted.into(),
                routers.messages.into(),
            ]);
        }
    }
    table
}

fn plot(cases: &[Case], pairs: &[Pair]) -> Plot {
    let mut plot = Plot::new(
        "routers",
        "Blocks that a fetch finds: real routers beside the model",
        Axis::linear("days since the first were inserted"),
        Axis::linear("share of the blocks"),
    );
    for (case, Pair { routers, model }) in cases.iter().zip(pairs) {
        let kind = if case.sabotage == Sabotage::None {
            Kind::Ours
        } else {
            Kind::Fault
        };
        let found = routers.looks.iter();
        let found = found.map(|look| (count(look.day), look.blocks_found));
        plot = plot.curve(kind, case.name, found.collect());
        if case.sabotage == Sabotage::None {
            let days = model.iter().enumerate().skip(1);
            let days = days.map(|(day, of)| (count(day), of.blocks_found));
            plot = plot.curve(Kind::Theory, case.name, days.collect());
        }
    }
    plot
}

fn explain(beside: &Beside, outcome: &mut Outcome) {
    outcome.note(format!(
        "Routers: {} nodes, a fifth of them online, in an opennet that grew by announcements; {} days; {} % leave for good each day and others come. Blocks are \
         inserted by random nodes and fetched by nodes that do not have them. Caches keep nothing, so that a look changes nothing; nodes remember \
         their peers when they come back, and two seeds always stay. Walks begin {} h after the last has ended.",
        beside.nodes,
        beside.days,
        beside.leave * 100.0,
        beside.walk_h,
    ));
}

/// In which hour of the first day each block is inserted: files one after the other, each hour as many.
fn hours(files: &[File]) -> Vec<usize> {
    let mut hours = Vec::new();
    for (number, file) in files.iter().enumerate() {
        hours.resize(file.first + file.segments * file.total, number % 24);
    }
    hours
}

/// Which part of the files can be had, each length counting alike.
fn had(files: &[File], look: &Look) -> f64 {
    let whole = |file: &File| f64::from(u8::from(file.is_whole(&look.found)));
    mean(&by_length(
        files,
        &files.iter().map(whole).collect::<Vec<_>>(),
    ))
}

/// What the model says of the beginning of a day: the mean of that day and the one before, unless blocks were inserted then.
fn at(model: &[Day], day: usize, of: impl Fn(&Day) -> f64) -> f64 {
    let before = if day == 1 { day } else { day - 1 };
    f64::midpoint(of(&model[before]), of(&model[day]))
}

/// By how much two worlds may differ by chance: two standard errors of the difference of two shares of the nodes that were
/// online at first, a fifth of all, and one in a hundred.
fn tolerance(share: f64, nodes: usize) -> f64 {
    let variance = share * (1.0 - share) / (count(nodes) / 5.0);
    0.01 + 2.0 * (2.0 * variance).sqrt()
}
