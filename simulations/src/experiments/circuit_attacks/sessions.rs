//! A3: the predecessor attack.
//!
//! The victim does the same thing again and again, so that those who collude know which circuits are its. Each time that the end of one and an earlier
//! relay are theirs, they note who is before the first of them. Who is noted most often is their guess.

use std::collections::BTreeMap;

use rand::RngExt;

use super::{Parameters, on_graphs};
use crate::anonymity::{Circuit, Coalition, Design, HOPS, Links, Originator};
use crate::experiment::{Axis, Context, Figure, Kind, Outcome, Plot, Table};
use crate::experiments::rows;
use crate::random::rng_for;
use crate::statistics::{count, is_same_part, share};

const DESIGNS: [(Design, &str); 3] = [
    (Design::Walks, "nothing"),
    (Design::Guard, "guard"),
    (Design::SecondHops(1), "guard and second hop"),
];

struct Row {
    name: &'static str,
    part: f64,
    /// At each number of sessions, how often the guess was right.
    right: Vec<usize>,
    victims: usize,
}

pub(super) fn measure(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) {
    let rows = on_graphs(context, parameters, ("sessions", 1_021), |links, seed| {
        let mut rows = Vec::new();
        for design in DESIGNS {
            for &part in &parameters.parts {
                rows.push(row(links, parameters, design, part, seed));
            }
        }
        rows
    });
    report(parameters, &rows, outcome);
}

impl rows::Row for Row {
    fn is_like(&self, other: &Self) -> bool {
        self.name == other.name && is_same_part(self.part, other.part)
    }

    fn add(&mut self, other: Self) {
        self.victims += other.victims;
        for (sum, more) in self.right.iter_mut().zip(other.right) {
            *sum += more;
        }
    }
}

fn row(
    links: &Links,
    parameters: &Parameters,
    (design, name): (Design, &'static str),
    part: f64,
    seed: u64,
) -> Row {
    let mut right = vec![0; parameters.sessions.len()];
    for victim in 0..parameters.victims {
        let mut rng = rng_for(seed, &format!("victim {victim} of {part}"));
        let node = rng.random_range(0..links.nodes());
        let coalition = Coalition::draw(links.nodes(), part, node, &mut rng);
        let originator = Originator::draw(links, node, design, &mut rng);
        let mut noted: BTreeMap<usize, u32> = BTreeMap::new();
        let mut done = 0;
        for (place, &sessions) in parameters.sessions.iter().enumerate() {
            for number in done..sessions {
                let circuit = originator.circuit(links, HOPS, number, &mut rng);
                if let Some(before) = predecessor(&circuit, node, &coalition) {
                    *noted.entry(before).or_default() += 1;
                }
            }
            done = sessions;
            let most = noted.iter().max_by_key(|(_, times)| **times);
            right[place] += usize::from(most.is_some_and(|(&guess, _)| guess == node));
        }
    }
    Row {
        name,
        part,
        right,
        victims: usize::try_from(parameters.victims).unwrap_or(usize::MAX),
    }
}

/// Who is before the first colluder of a circuit whose end colludes too.
fn predecessor(circuit: &Circuit, originator: usize, coalition: &Coalition) -> Option<usize> {
    let (end, before) = circuit.hops.split_last()?;
    if !coalition.has(*end) {
        return None;
    }
    let first = before.iter().position(|&relay| coalition.has(relay))?;
    Some(
        first
            .checked_sub(1)
            .map_or(originator, |place| before[place]),
    )
}

fn report(parameters: &Parameters, rows: &[Row], outcome: &mut Outcome) {
    let mut table = Table::new(
        "predecessors",
        "Predecessor attack: how often the first guess is right, one circuit of 6 hops a session",
        &[
            "stays",
            "part that colludes",
            "sessions",
            "right",
            "formula",
        ],
    );
    let mut plot = Plot::new(
        "predecessors",
        "Predecessor attack: the first guess is right",
        Axis::log("sessions"),
        Axis::linear("part of all victims"),
    );
    for row in rows {
        let points: Vec<(f64, f64)> = parameters
            .sessions
            .iter()
            .zip(&row.right)
            .map(|(&sessions, &right)| (count(sessions), share(right, row.victims)))
            .collect();
        let guarded = row.name != "nothing";
        for &(sessions, right) in &points {
            let once = row.part * row.part;
            let seen = 1.0 - (1.0 - once).powf(sessions);
            let ended = 1.0 - (1.0 - row.part).powf(sessions);
            let formula = if guarded { row.part * ended } else { seen };
            table.row([
                row.name.into(),
                row.part.into(),
                sessions.into(),
                right.into(),
                formula.into(),
            ]);
        }
        let last = points.last().map_or(f64::NAN, |point| point.1);
        figures(row, last, outcome);
        if is_same_part(row.part, 0.1) {
            plot = plot.curve(
                Kind::Ours,
                &format!("{} kept, 0.1 collude", row.name),
                points,
            );
        }
    }
    outcome.table(table);
    outcome.plot(plot);
    outcome.note(
        "Predecessor attack: formula without a guard 1 - (1 - f^2)^sessions, which counts a victim as named once it was noted; with a guard f, as soon as an end colludes. \
         Colluders who are neighbours in a circuit, or recognise it by timing, are the same here.",
    );
}

fn figures(row: &Row, last: f64, outcome: &mut Outcome) {
    let deviation = (row.part * (1.0 - row.part) / count(row.victims)).sqrt();
    let name = format!(
        "sessions, {} kept, {} collude: first guess right in the end",
        row.name, row.part
    );
    let most = 3.0_f64.mul_add(deviation, row.part);
    let figure = Figure::new(name, last, "").at_most(most);
    outcome.figure(if row.name == "nothing" {
        figure
            .with_fault()
            .source("fault: no guard; bar: as with one")
    } else {
        figure.published(row.part).source(
            "with a guard it must stay at the part that colludes; bar: three deviations more",
        )
    });
}
