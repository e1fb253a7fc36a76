//! Files of many blocks each, which a few users want all at once.

use std::time::Duration;

use super::Parameters;
use super::world::{Guard, Users, Wanted, refused};
use crate::experiment::{Context, Figure, Outcome, Table};
use crate::statistics::{count, share};

/// What came of the files, with each guard.
pub(super) struct Files(Vec<(Guard, Measured)>);

#[derive(Debug)]
struct Measured {
    /// Of their blocks, the part that came.
    found: f64,
    /// Blocks that came, a second, until the last request had ended.
    goodput: f64,
    /// Until then.
    seconds: f64,
    /// Of all questions to peers, how many were refused for another reason than a loop.
    refused: f64,
}

impl Files {
    pub(super) fn measure(context: &Context<'_>, parameters: &Parameters) -> Self {
        let guards = [Guard::Sound, Guard::NoPace, Guard::NoCredit];
        let all = context.parallel("files", &guards, |&guard| {
            measure(parameters, guard, context.seed())
        });
        Self(guards.into_iter().zip(all).collect())
    }

    pub(super) fn report(&self, outcome: &mut Outcome) {
        let mut table = Table::new(
            "files",
            "Files that are wanted at once, in a network that carries nothing else",
            &[
                "network",
                "blocks found",
                "goodput, 1/s",
                "until all had ended, s",
                "refused",
            ],
        );
        for (guard, measured) in &self.0 {
            table.row([
                guard.name().into(),
                measured.found.into(),
                measured.goodput.into(),
                measured.seconds.into(),
                measured.refused.into(),
            ]);
            let name = format!("files wanted at once: blocks found, {}", guard.name());
            let figure = Figure::new(name, measured.found, "");
            outcome.figure(match guard {
                Guard::Sound => figure.at_least(0.99).source("each block is there"),
                Guard::NoPace => figure.at_least(0.99).with_fault(),
                Guard::NoCredit | Guard::Unbounded | Guard::OneClass => figure,
            });
        }
        outcome.table(table);
    }
}

fn measure(parameters: &Parameters, guard: Guard, seed: u64) -> Measured {
    let mut users = Users::new(parameters, guard, seed);
    users.settle();
    let before = users.network.counters();
    let began = users.network.now();
    for _ in 0..parameters.files {
        let node = users.network.random_node(None);
        for _ in 0..parameters.file_blocks {
            users.fetch(node, Wanted::File, guard);
        }
    }
    users.network.run_until_ended(LONGEST);
    let sent = users.network.counters().since(&before);
    let reports = || users.network.reports().iter();
    let asked = reports().filter(|report| !report.local).count();
    let found = reports().filter(|report| report.is_routed_success());
    let found = found.count();
    let seconds = users.network.now().since(began).as_secs_f64();
    Measured {
        found: share(found, asked),
        goodput: count(found) / seconds,
        seconds,
        refused: refused(&sent),
    }
}

/// Longer than any of the files takes.
const LONGEST: Duration = Duration::from_secs(3_600);
