//! A10: guard and end over a year.
//!
//! Every day some files are fetched, each over a pool of circuits. A guard is kept for sixty days. Sooner or later one colludes; and sooner or later a second hop does, which then knows
//! the guard. The graph does not matter: each relay colludes with the same probability.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Parameters;
use crate::anonymity::POOL;
use crate::experiment::{Axis, Context, Figure, Kind, Outcome, Plot, Table};
use crate::random::rng_for;
use crate::statistics::{count, is_same_part, share};

const DAYS: u32 = 365;
const GUARD_DAYS: u32 = 60;

/// How one node's circuits are drawn.
#[derive(Clone, Copy, PartialEq)]
enum Keeping {
    Nothing,
    /// The guard for so many days, the second hop for so many.
    Guard {
        days: u32,
        second_days: u32,
    },
}

/// The day on which it happened first, if it did.
#[derive(Clone, Copy, Default)]
struct Happened {
    /// The guard and an end colluded: the requester is known.
    linked: Option<u32>,
    /// The second hop and an end did: the guard is known, and the requester is one of its neighbours.
    guard_known: Option<u32>,
}

pub(super) fn measure(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) {
    let mut cases = vec![(Keeping::Nothing, "nothing kept".to_owned())];
    for &second_days in &parameters.second_hop_days {
        let name = format!("guard 60 days, second hop {second_days}");
        cases.push((
            Keeping::Guard {
                days: GUARD_DAYS,
                second_days,
            },
            name,
        ));
    }
    cases.push((
        Keeping::Guard {
            days: DAYS,
            second_days: DAYS,
        },
        "guard and second hop the whole year".to_owned(),
    ));
    let victims = parameters.graphs * parameters.victims;
    let items: Vec<(usize, f64)> = (0..cases.len())
        .flat_map(|case| parameters.parts.iter().map(move |&part| (case, part)))
        .collect();
    let found = context.parallel("years", &items, |&(case, part)| -> Vec<Happened> {
        (0..victims)
            .map(|victim| {
                let purpose = format!("year of {victim}, case {case}, {part}");
                year(
                    cases[case].0,
                    part,
                    parameters.files_a_day,
                    &mut rng_for(context.seed(), &purpose),
                )
            })
            .collect()
    });
    report(parameters, &cases, &items, &found, outcome);
}

fn year(keeping: Keeping, part: f64, files: u32, rng: &mut ChaCha8Rng) -> Happened {
    let mut happened = Happened::default();
    let circuits = i32::try_from(POOL).unwrap_or(1) * i32::try_from(files).unwrap_or(1);
    let once_a_day = |probability: f64| 1.0 - (1.0 - probability).powi(circuits);
    let (mut guard, mut second) = (false, false);
    for day in 0..DAYS {
        let Keeping::Guard { days, second_days } = keeping else {
            if rng.random_bool(once_a_day(part * part)) {
                happened.linked.get_or_insert(day);
            }
            continue;
        };
        let guard_day = day % days;
        if guard_day == 0 {
            guard = rng.random_bool(part);
        }
        if guard_day % second_days == 0 {
            second = rng.random_bool(part);
        }
        let ended = rng.random_bool(once_a_day(part));
        if ended && guard {
            happened.linked.get_or_insert(day);
        } else if ended && second {
            happened.guard_known.get_or_insert(day);
        }
    }
    happened
}

fn report(
    parameters: &Parameters,
    cases: &[(Keeping, String)],
    items: &[(usize, f64)],
    found: &[Vec<Happened>],
    outcome: &mut Outcome,
) {
    let mut table = Table::new(
        "year",
        "Files every day for a year: what has happened by the end of it",
        &[
            "kept",
            "part that colludes",
            "linked within a month",
            "linked within the year",
            "formula",
            "guard known within the year",
        ],
    );
    let mut plot = Plot::new(
        "year",
        "Guard and end collude at least once, every tenth node colludes",
        Axis::linear("days"),
        Axis::linear("part of all victims"),
    );
    for (&(case, part), victims) in items.iter().zip(found) {
        let (keeping, name) = &cases[case];
        let within = |days: u32, what: &dyn Fn(&Happened) -> Option<u32>| {
            share(
                victims
                    .iter()
                    .filter(|one| what(one).is_some_and(|day| day < days))
                    .count(),
                victims.len(),
            )
        };
        let linked = |days| within(days, &|one| one.linked);
        let formula = match keeping {
            Keeping::Nothing => {
                1.0 - (1.0 - part * part)
                    .powf(count(POOL) * f64::from(parameters.files_a_day * DAYS))
            }
            Keeping::Guard { days, .. } => {
                1.0 - (1.0 - part).powi(i32::try_from(DAYS.div_ceil(*days)).unwrap_or(1))
            }
        };
        table.row([
            name.as_str().into(),
            part.into(),
            linked(30).into(),
            linked(DAYS).into(),
            formula.into(),
            within(DAYS, &|one| one.guard_known).into(),
        ]);
        if is_same_part(part, 0.1) {
            let points = (0..=DAYS)
                .step_by(5)
                .map(|day| (f64::from(day), linked(day)));
            plot = plot.curve(Kind::Ours, name, points.collect());
            figure(*keeping, name, linked(DAYS), formula, outcome);
        }
    }
    outcome.table(table);
    outcome.plot(plot);
    note(outcome);
}

fn note(outcome: &mut Outcome) {
    outcome.note(
        "A year: with timing that always works, whoever has the guard of a pool and any end links every file of the guard's life; seven guards in a year, so 1 - (1 - f)^7. A guard for a year would keep it at f, but a node that is \
         gone takes its users' guard with it, and a bad one stays. A second hop that changes weekly colludes at some time in almost every year, and then gives away the guard, though not the requester: it should be kept as long as the guard.",
    );
}

fn figure(keeping: Keeping, name: &str, linked: f64, formula: f64, outcome: &mut Outcome) {
    let figure = Figure::new(
        format!("year, {name}, 0.1 collude: linked at least once"),
        linked,
        "",
    );
    outcome.figure(match keeping {
        Keeping::Nothing => figure
            .at_most(0.9)
            .with_fault()
            .published(formula)
            .source("fault: no guard; 1 - (1 - f^2)^circuits"),
        Keeping::Guard { .. } => figure
            .near(formula, 0.1)
            .source("1 - (1 - f)^guards of a year"),
    });
}
