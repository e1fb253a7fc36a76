//! E20: what a network does that is asked for more than it can carry.

mod files;
mod pages;
mod world;

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::experiment::{Axis, Context, Experiment, Figure, Kind, Outcome, Plot, Table};
use crate::statistics::count;
use files::Files;
use pages::Pages;
use world::{Guard, Load, Measured};

/// A static small world whose nodes' access to the network is bounded, under loads from a tenth to three times what their
/// uploads can carry.
pub(super) struct Overload;

#[derive(Debug, Deserialize)]
struct Parameters {
    nodes: usize,
    long_links: usize,
    /// What a node sends, in bytes a second.
    up: u64,
    /// What a node receives, in bytes a second.
    down: u64,
    /// Fetches of real time that each node's user begins in a second.
    real_time: f64,
    /// For how many seconds nothing is measured.
    warm_up: u64,
    /// For how many seconds it is.
    measured: u64,
    /// Loads of bulk, in parts of what all uploads carry over the ways of the unloaded network.
    offered: Vec<f64>,
    /// Loads of real time alone, in the same parts.
    pages: Vec<f64>,
    /// Users who want a file each, all at once and in a network that carries nothing else,
    files: usize,
    /// of so many blocks.
    file_blocks: usize,
}

impl Experiment for Overload {
    fn name(&self) -> &'static str {
        "overload"
    }

    fn number(&self) -> &'static str {
        "E20"
    }

    fn summary(&self) -> &'static str {
        "goodput and latency of real time when more is asked for than the network can carry"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.nodes = context.nodes().unwrap_or(parameters.nodes);
        let positive = |number: f64| number > 0.0;
        ensure!(
            parameters.nodes >= 10
                && parameters.up > 0
                && parameters.down > 0
                && parameters.measured > world::LATE
                && positive(parameters.real_time)
                && !parameters.offered.is_empty()
                && parameters.offered.iter().copied().all(positive)
                && !parameters.pages.is_empty()
                && parameters.pages.iter().copied().all(positive)
                && parameters.files > 0
                && parameters.file_blocks > 0,
            "overload needs ten nodes, bandwidth, loads and files above zero, and more than {} s to measure",
            world::LATE
        );
        let sweep = Sweep::measure(context, &parameters);
        let mut outcome = Outcome::default();
        sweep.figures(&mut outcome);
        sweep.show(&mut outcome);
        Pages::measure(context, &parameters, sweep.capacity).report(&mut outcome);
        Files::measure(context, &parameters).report(&mut outcome);
        Ok(outcome)
    }
}

/// All that was measured.
struct Sweep {
    unloaded: Measured,
    loaded: Vec<Measured>,
    /// At twice the greatest goodput.
    twice: Measured,
    faults: Vec<(Guard, Measured)>,
    faults_twice: Vec<(Guard, Measured)>,
    /// Fetches a second that all uploads carry.
    capacity: f64,
}

impl Sweep {
    fn measure(context: &Context<'_>, parameters: &Parameters) -> Self {
        let seed = context.seed();
        let world = |&(guard, bulk): &(Guard, f64)| {
            let load = Load {
                bulk,
                real_time: parameters.real_time * count(parameters.nodes),
            };
            world::measure(parameters, guard, load, seed)
        };
        let unloaded = world(&(Guard::Sound, 0.0));
        let capacity = unloaded.capacity;
        let loads: Vec<_> = parameters
            .offered
            .iter()
            .map(|part| (Guard::Sound, part * capacity))
            .collect();
        let loaded = context.parallel("loads", &loads, world);
        let peak = peak(&loaded);
        let twice = [
            (Guard::Sound, 2.0 * peak),
            (Guard::Unbounded, 2.0 * peak),
            (Guard::OneClass, 2.0 * peak),
            (Guard::NoCredit, 2.0 * peak),
            (Guard::NoPace, 2.0 * peak),
        ];
        let twice_measured = context.parallel("twice the peak", &twice, world);
        let faulty: Vec<_> = loads
            .iter()
            .map(|&(_, load)| (Guard::Unbounded, load))
            .collect();
        let faults = context.parallel("loads, with a fault", &faulty, world);
        let mut faults_twice: Vec<_> = twice
            .iter()
            .map(|&(guard, _)| guard)
            .zip(twice_measured)
            .collect();
        let (_, twice) = faults_twice.remove(0);
        Self {
            unloaded,
            loaded,
            twice,
            faults: faulty.iter().map(|&(guard, _)| guard).zip(faults).collect(),
            faults_twice,
            capacity,
        }
    }

    fn figures(&self, outcome: &mut Outcome) {
        let peak = peak(&self.loaded);
        outcome.figure(
            Figure::new("peak of goodput", peak, "fetches/s")
                .published(self.capacity)
                .source("published: all uploads together, divided by the hops of the unloaded network; no bar"),
        );
        outcome.figure(kept("goodput at twice the peak", &self.twice, peak));
        for (name, of) in QUANTILES {
            outcome.figure(
                Figure::new(
                    format!("real time, {name}: at twice the peak, of unloaded"),
                    of(&self.twice) / of(&self.unloaded),
                    "",
                )
                .at_most(2.0)
                .source("at most twice the unloaded value"),
            );
            outcome.figure(Figure::new(
                format!("real time, {name}, unloaded"),
                of(&self.unloaded),
                "s",
            ));
        }
        outcome.figure(
            Figure::new(
                "real time, success at twice the peak",
                self.twice.real_time_success,
                "",
            )
            .at_least(0.99)
            .source("each block is there, and real time is a hundredth of the load"),
        );
        self.fault_figures(outcome);
    }

    fn fault_figures(&self, outcome: &mut Outcome) {
        let peak = peak(&self.loaded);
        for (guard, measured) in &self.faults_twice {
            let name = guard.name();
            match guard {
                Guard::Unbounded => outcome
                    .figure(kept(&format!("fault: {name}, goodput"), measured, peak).with_fault()),
                Guard::OneClass => outcome.figure(
                    Figure::new(
                        format!("fault: {name}, real time, success"),
                        measured.real_time_success,
                        "",
                    )
                    .at_least(0.99)
                    .with_fault()
                    .source("the bar that the sound network is held to"),
                ),
                // Apart, each is made up for by the other: reported
                Guard::NoCredit | Guard::NoPace => {
                    let name = format!("without one of two: {name}, goodput, of the peak");
                    outcome.figure(Figure::new(name, measured.goodput / peak, ""));
                    let name = format!(
                        "without one of two: {}, real time, p95, of unloaded",
                        guard.name()
                    );
                    let slower = measured.real_time.p95 / self.unloaded.real_time.p95;
                    outcome.figure(Figure::new(name, slower, ""));
                }
                Guard::Sound => {}
            }
        }
    }

    fn show(&self, outcome: &mut Outcome) {
        let mut table = Table::new("loads", "Each load", &world::COLUMNS);
        let sound = std::iter::once(&self.unloaded)
            .chain(&self.loaded)
            .chain([&self.twice]);
        for measured in sound {
            table.row(measured.row(Guard::Sound));
        }
        for (guard, measured) in self.faults.iter().chain(&self.faults_twice) {
            table.row(measured.row(*guard));
        }
        outcome.table(table);
        outcome.plot(self.goodput_plot());
        outcome.plot(self.latency_plot());
        outcome.note(
            "Each block is asked for once, so that no cache helps, and lies at the node closest to its key. Goodput counts \
             fetches of bulk that ended with the block while it was measured, not those that the asking node had itself. \
             A fetch of real time that failed counts as one that takes for ever. The real transport's own \
             congestion control is not simulated.",
        );
    }

    fn goodput_plot(&self) -> Plot {
        let curve = |all: &mut dyn Iterator<Item = &Measured>| -> Vec<(f64, f64)> {
            all.map(|at| (at.offered, at.goodput)).collect()
        };
        let most = self.loaded.iter().map(|at| at.offered).fold(0.0, f64::max);
        Plot::new(
            "goodput",
            "Goodput against offered load",
            Axis::linear("offered, fetches/s"),
            Axis::linear("goodput, fetches/s"),
        )
        .curve(Kind::Ours, "bulk", curve(&mut self.loaded.iter()))
        .curve(
            Kind::Fault,
            Guard::Unbounded.name(),
            curve(&mut self.faults.iter().map(|(_, at)| at)),
        )
        .curve(
            Kind::Theory,
            "all uploads",
            vec![
                (0.0, 0.0),
                (self.capacity, self.capacity),
                (most.max(self.capacity), self.capacity),
            ],
        )
    }

    fn latency_plot(&self) -> Plot {
        let mut plot = Plot::new(
            "latency",
            "Latency of real time against offered load of bulk",
            Axis::linear("offered, fetches/s"),
            Axis::log("seconds"),
        );
        for (name, of) in QUANTILES {
            let points = std::iter::once(&self.unloaded).chain(&self.loaded);
            plot = plot.curve(
                Kind::Ours,
                name,
                points.map(|at| (at.offered, of(at))).collect(),
            );
        }
        plot
    }
}

type Quantile = (&'static str, fn(&Measured) -> f64);

const QUANTILES: [Quantile; 2] = [
    ("median", |at| at.real_time.median),
    ("p95", |at| at.real_time.p95),
];

fn peak(loaded: &[Measured]) -> f64 {
    loaded.iter().map(|at| at.goodput).fold(0.0, f64::max)
}

fn kept(name: &str, measured: &Measured, peak: f64) -> Figure {
    Figure::new(format!("{name}, of the peak"), measured.goodput / peak, "")
        .at_least(0.9)
        .published(1.0)
        .source("within a tenth of the peak; ideal: what is too much waits where it began")
}
