//! Nodes that leave for good, with and without repair of copies.

use std::time::Duration;

use super::Parameters;
use crate::churn::SessionModel;
use crate::experiment::{Axis, Context, Figure, Kind, Outcome, Plot, Table};
use crate::experiments::departures::{self, Look, Rules};
use crate::sim_node::Sabotage;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Case {
    /// Which part of the sessions ends with the node leaving for good.
    share: f64,
    uptime_h: f64,
    repair: bool,
}

/// Shares of sessions that are the last.
const SHARES: [f64; 4] = [0.1, 0.5, 0.7, 1.0];

/// Hours of uptime, and published keys remaining at each of [`SHARES`], with room for ten copies.
const PUBLISHED: [(f64, [f64; 4]); 4] = [
    (0.5, [0.89, 0.53, 0.46, 0.41]),
    (4.0, [1.0, 1.0, 0.85, 0.65]),
    (8.0, [1.0, 1.0, 1.0, 0.82]),
    (12.0, [1.0, 1.0, 1.0, 0.91]),
];

/// Share, uptime, and how many keys must remain with repair.
const BAR: (f64, f64, f64) = (0.7, 4.0, 0.99);

pub(super) fn run(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) {
    let leave = &parameters.leave;
    let mut cases = Vec::new();
    for repair in [true, false] {
        for &uptime_h in &leave.uptimes_h {
            cases.extend(leave.shares.iter().map(|&share| Case {
                share,
                uptime_h,
                repair,
            }));
        }
    }
    let hours = vec![0; leave.blocks];
    let looks = context.parallel("networks that are left", &cases, |case| {
        departures::run(&case.rules(parameters), &hours, context.seed()).looks
    });
    let mut table = Table::new(
        "leaving",
        "Keys that remain a day after they were inserted",
        &[
            "uptime in hours",
            "share of last sessions",
            "repair",
            "keys remaining",
            "published",
            "keys online",
            "keys found",
            "copies",
        ],
    );
    for (case, looks) in cases.iter().zip(&looks) {
        let Some(look) = looks.last() else {
            continue;
        };
        figures(case, look, outcome);
        table.row([
            case.uptime_h.into(),
            case.share.into(),
            if case.repair { "yes" } else { "no" }.into(),
            look.blocks_kept.into(),
            case.published().into(),
            look.blocks_online.into(),
            look.blocks_found.into(),
            look.copies.into(),
        ]);
    }
    outcome.table(table);
    outcome.plot(plot(&cases, &looks));
    notes(parameters, outcome);
}

impl Case {
    fn rules(&self, parameters: &Parameters) -> Rules {
        let mean = self.uptime_h * 60.0;
        let persistent = parameters.persistent;
        Rules {
            nodes: parameters.leave.nodes,
            days: 1,
            model: SessionModel {
                session_mu: mean.ln() - SIGMA * SIGMA / 2.0,
                session_sigma: SIGMA,
                // Who is not persistent is away as long as it stays
                availability: persistent + (1.0 - persistent) / 2.0,
                always_on: persistent,
                bumps: Vec::new(),
                daily_swing: 0.0,
            },
            leave: 0.0,
            last_sessions: self.share,
            repair: self.repair.then(|| Duration::from_secs(parameters.pause_s)),
            looks: vec![1],
            sabotage: Sabotage::None,
        }
    }

    fn published(&self) -> Option<f64> {
        let (_, row) = PUBLISHED
            .iter()
            .find(|(hours, _)| near(*hours, self.uptime_h))?;
        let column = SHARES.iter().position(|&share| near(share, self.share))?;
        Some(row[column])
    }

    fn name(&self) -> String {
        let repair = if self.repair { "repair" } else { "no repair" };
        format!(
            "{} h uptime, {} of sessions the last, {repair}",
            self.uptime_h, self.share
        )
    }
}

fn figures(case: &Case, look: &Look, outcome: &mut Outcome) {
    let name = case.name();
    let mut figure = Figure::new(format!("{name}: keys remaining"), look.blocks_kept, "")
        .source("bar: 99 of 100 at 4 h and 0.7, with repair; published: Clarke et al. 2010, room for ten copies, without repair");
    if let Some(published) = case.published() {
        figure = figure.published(published);
    }
    if near(case.share, BAR.0) && near(case.uptime_h, BAR.1) {
        figure = figure.at_least(BAR.2);
        if !case.repair {
            figure = figure.with_fault();
        }
    }
    outcome.figure(figure);
    if case.repair {
        let found = look.blocks_found / look.blocks_online;
        outcome.figure(
            Figure::new(format!("{name}: found of those online"), found, "")
                .published(0.93)
                .source("published: .93 to .98, found given alive"),
        );
    }
}

fn plot(cases: &[Case], looks: &[Vec<Look>]) -> Plot {
    let mut plot = Plot::new(
        "leaving",
        "Keys that remain a day after they were inserted, by uptime in hours",
        Axis::linear("share of sessions that end with leaving for good"),
        Axis::linear("share of the keys"),
    );
    for repair in [true, false] {
        for (uptime, row) in PUBLISHED {
            let of = |case: &Case| near(case.uptime_h, uptime) && case.repair == repair;
            let ours = cases.iter().zip(looks).filter(|(case, _)| of(case));
            let ours =
                ours.filter_map(|(case, looks)| Some((case.share, looks.last()?.blocks_kept)));
            let points: Vec<_> = ours.collect();
            if points.is_empty() {
                continue;
            }
            let label = if repair { "repair" } else { "none" };
            plot = plot.curve(Kind::Ours, &format!("{uptime} h, {label}"), points);
            if !repair {
                let published = SHARES.into_iter().zip(row).collect();
                plot = plot.curve(Kind::Published, &format!("{uptime} h, {label}"), published);
            }
        }
    }
    plot
}

fn notes(parameters: &Parameters, outcome: &mut Outcome) {
    outcome.note(format!(
        "Leaving for good: {} nodes of an opennet that grew by announcements; {} of them always stay, the others' sessions have the uptime as their mean, and \
         absences are as long. So many sessions as the share says are the last: the node takes its store with it, and another comes within the \
         hour. {} blocks are inserted in the first hour, and counted 23 h later; stores are never full, caches keep nothing. How the paper's nodes were away, and whether \
         others came for those that left, is not known here; this is the reading that we took.",
        parameters.leave.nodes, parameters.persistent, parameters.leave.blocks,
    ));
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

/// Of the logarithm of a session's length: half to twice the median for five of six.
const SIGMA: f64 = 0.7;
