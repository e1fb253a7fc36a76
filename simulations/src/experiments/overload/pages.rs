//! Users who want nothing but pages, more than the network can carry.

use super::Parameters;
use super::world::{self, Guard, Load, Measured};
use crate::experiment::{Context, Figure, Outcome, Table};

/// What came of loads of real time alone.
pub(super) struct Pages {
    loaded: Vec<Measured>,
    /// At twice the greatest goodput.
    twice: Vec<(Guard, Measured)>,
}

impl Pages {
    pub(super) fn measure(context: &Context<'_>, parameters: &Parameters, capacity: f64) -> Self {
        let world = |&(guard, real_time): &(Guard, f64)| {
            let load = Load {
                bulk: 0.0,
                real_time,
            };
            world::measure(parameters, guard, load, context.seed())
        };
        let loads: Vec<_> = parameters
            .pages
            .iter()
            .map(|part| (Guard::Sound, part * capacity))
            .collect();
        let loaded = context.parallel("pages", &loads, world);
        let twice = [Guard::Sound, Guard::NoCredit, Guard::NoPace]
            .map(|guard| (guard, 2.0 * peak(&loaded)));
        let measured = context.parallel("pages, twice the peak", &twice, world);
        Self {
            loaded,
            twice: twice
                .iter()
                .map(|&(guard, _)| guard)
                .zip(measured)
                .collect(),
        }
    }

    pub(super) fn report(&self, outcome: &mut Outcome) {
        let peak = peak(&self.loaded);
        outcome.figure(Figure::new(
            "pages alone: peak of goodput",
            peak,
            "fetches/s",
        ));
        for (guard, measured) in &self.twice {
            let name = format!(
                "pages alone: goodput at twice the peak, of the peak, {}",
                guard.name()
            );
            let figure = Figure::new(name, measured.pages / peak, "");
            outcome.figure(match guard {
                Guard::Sound => figure
                    .at_least(0.9)
                    .source("within a tenth of the peak, as for bulk"),
                // A refusal teaches the same, one round trip later; and users wait for pages less long than for pace
                Guard::NoCredit | Guard::NoPace | Guard::Unbounded | Guard::OneClass => figure,
            });
        }
        let mut table = Table::new("pages", "Loads of pages alone", &world::COLUMNS);
        for measured in &self.loaded {
            table.row(measured.row(Guard::Sound));
        }
        for (guard, measured) in &self.twice {
            table.row(measured.row(*guard));
        }
        outcome.table(table);
    }
}

fn peak(loaded: &[Measured]) -> f64 {
    loaded.iter().map(|at| at.pages).fold(0.0, f64::max)
}
