//! How long a grown network needs until it finds everything again after many of its nodes have crashed at once.

use std::time::Duration;

use rand::RngExt;
use routing::{Block, Location, Lookahead, OpennetConfig};

use super::removal::Removal;
use crate::elided_block::ElidedBlock;
use crate::experiment::{Axis, Figure, Kind, Outcome, Plot, Table};
use crate::network::Settings;
use crate::opennet_world::{Growth, OpennetWorld};
use crate::random::rng_for;
use crate::ring::Ring;
use crate::statistics::{count, share};

/// One network that grows, loses nodes and is probed meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    removal: Removal,
    removed: f64,
    /// Whether new links can be made after the loss. Without it is the planted fault.
    repairs: bool,
}

/// How it is probed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probing {
    pub(super) nodes: usize,
    /// Fetches begun each second.
    pub(super) a_second: usize,
    /// For how long.
    pub(super) seconds: usize,
}

/// Success over time.
pub(super) struct Course {
    /// Of the fetches begun before the loss.
    before: f64,
    /// Of those begun in each [`WINDOW_S`] seconds since the loss.
    windows: Vec<f64>,
    /// Which part of the nodes that are left is linked together, directly or not, at the end.
    together: f64,
}

/// The networks: both removals, three and five nodes in ten; eight, with repair and without.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for removal in [Removal::Random, Removal::BestLinked] {
        for removed in [0.3, 0.5] {
            cases.push(Case {
                removal,
                removed,
                repairs: true,
            });
        }
    }
    // So many that the links which are left do not find everything by themselves
    for repairs in [true, false] {
        cases.push(Case {
            removal: Removal::Random,
            removed: 0.85,
            repairs,
        });
    }
    cases
}

impl Case {
    pub(super) fn run(self, probing: Probing, seed: u64) -> Course {
        let growth = Growth {
            nodes: probing.nodes,
            opennet: OpennetConfig::default(),
            lookahead: Lookahead::On,
            rate: 0.01,
            settling: SETTLING,
        };
        let mut world = OpennetWorld::grow(&growth, seed);
        let before = world.fetch(probing.a_second * WINDOW_S, probing.a_second);
        let topology = world.network.live_topology();
        let order = self.removal.order(&topology, &mut rng_for(seed, "crashes"));
        let gone = (0..order.len()).take_while(|&place| share(place, order.len()) < self.removed);
        for place in gone {
            world.network.crash_node(order[place]);
        }
        if !self.repairs {
            world.network.set_strangers_max(0);
        }
        let windows = probe(&mut world, probing, seed);
        Course {
            before: before.success,
            windows,
            together: together(&world),
        }
    }

    fn name(self) -> String {
        let fault = if self.repairs {
            ""
        } else {
            "fault, no new links: "
        };
        format!("{fault}{}, {} crashed", self.removal.name(), self.removed)
    }
}

/// The largest part of the running nodes that is linked together, by all of them.
fn together(world: &OpennetWorld) -> f64 {
    let network = &world.network;
    let largest = network
        .live_topology()
        .largest_part(|node| network.is_running(node));
    share(largest, network.running_len())
}

/// Fetches each second of blocks that lie at the nodes nearest to their keys of those that are left, and nowhere else.
fn probe(world: &mut OpennetWorld, probing: Probing, seed: u64) -> Vec<f64> {
    let network = &mut world.network;
    let left = (0..network.len()).filter(|&node| network.is_running(node));
    let ring = Ring::new(left.map(|node| (node, network.location(node))));
    let mut rng = rng_for(seed, "probes");
    let mut fetches = Vec::new();
    for second in 0..probing.seconds {
        for _ in 0..probing.a_second {
            let block = ElidedBlock::content(rng.random());
            let key = block.key();
            network.give(ring.closest(Location::of_key(&key)), block);
            let reader = network.random_node(None);
            fetches.push((second / WINDOW_S, network.fetch(reader, key)));
        }
        network.run_for(Duration::from_secs(1));
    }
    network.run_until_ended(FETCH_MAX);
    let windows = probing.seconds.div_ceil(WINDOW_S);
    let mut counts = vec![(0, 0); windows];
    for (window, fetch) in fetches {
        let report = network.report(fetch);
        if !report.local {
            counts[window].1 += 1;
            counts[window].0 += usize::from(report.is_routed_success());
        }
    }
    counts
        .into_iter()
        .map(|(found, asked)| share(found, asked))
        .collect()
}

impl Course {
    /// When the first window begins in which more than 99 of 100 are found, and how many are found from then on. Never is
    /// no number.
    fn back(&self) -> (f64, f64) {
        let first = self.windows.iter().position(|&found| found > 0.99);
        first.map_or((f64::NAN, f64::NAN), |first| {
            let after = &self.windows[first..];
            let found = after.iter().sum::<f64>() / count(after.len());
            (count(first * WINDOW_S), found)
        })
    }
}

/// By when it must find everything again: the crash is noticed, and then there is time for two rounds of repair, since who
/// answers in the first may have crashed too. A round is the pause before a node acts on a change, an announcement on the
/// longest way it may take, and a link that is dialled and agreed on.
fn bound() -> f64 {
    let (settings, opennet) = (Settings::default(), OpennetConfig::default());
    let hops = u32::from(opennet.announcement_hops.get());
    let announcement = opennet.announcement_hop_timeout * hops;
    let round = opennet.introduction_delay + announcement + opennet.adoption_timeout;
    (settings.link_timeout + 2 * round).as_secs_f64()
}

pub(super) fn report(cases: &[Case], courses: &[Course], probing: Probing, outcome: &mut Outcome) {
    let mut table = Table::new(
        "repaired",
        "Success after a crash, links being repaired",
        &["case", "seconds since", "success"],
    );
    let mut plot = Plot::new(
        "repaired",
        "Success of fetches after many nodes have crashed at once",
        Axis::linear("seconds since the crash"),
        Axis::linear("share of fetches that succeed"),
    );
    for (case, course) in cases.iter().zip(courses) {
        figures(*case, course, outcome);
        let name = case.name();
        let points = course.points(case.repairs);
        for &(at, success) in &points {
            table.row([name.as_str().into(), at.into(), success.into()]);
        }
        let kind = if case.repairs {
            Kind::Ours
        } else {
            Kind::Fault
        };
        plot = plot.curve(kind, &name, points);
    }
    outcome.table(table);
    outcome.plot(plot);
    outcome.note(
        "With eight nodes in ten gone at once a few of those that are left know nobody alive: all their peers, all the earlier ones that they remember, and the \
         seed have crashed. They are cut off until somebody tells them of a node, and what they are nearest to is not found by others. Without new links the \
         same loss leaves ways that end before their target.",
    );
    outcome.note(format!(
        "With repair: {} nodes that have grown by announcements crash at once; their peers notice after {} s without a sign of life, as real links do, \
         unless questions that go unanswered tell earlier. {} fetches begin each second, of blocks that lie at the nodes nearest to their \
         keys of those that are left. Success is that of all that begin within {WINDOW_S} s; one in a hundred of {} is below what can be told for sure.",
        probing.nodes,
        Settings::default().link_timeout.as_secs(),
        probing.a_second,
        probing.a_second * WINDOW_S,
    ));
}

fn figures(case: Case, course: &Course, outcome: &mut Outcome) {
    let name = case.name();
    let figure =
        |what: &str, value: f64, unit: &str| Figure::new(format!("{name}: {what}"), value, unit);
    if case.removed > REPAIRABLE {
        let end = figure("success at the end", course.end(), "");
        let end = end.source("told with repair; without it, it must miss what repair brings back after smaller losses");
        outcome.figure(if case.repairs {
            end
        } else {
            end.at_least(0.99).with_fault()
        });
        outcome
            .figure(figure("nodes linked together at the end", course.together, "").source("told"));
        return;
    }
    let (back, since) = course.back();
    outcome.figure(
        figure("back above 0.99 after", back, "s")
            .at_most(bound())
            .source("bar: time to notice, and two rounds of repair, each with all the time that the router's own limits give it"),
    );
    outcome.figure(
        figure("success from then on", since, "")
            .at_least(0.99)
            .source("bar: back above 99 %"),
    );
    outcome.figure(
        figure("nodes linked together at the end", course.together, "")
            .at_least(1.0)
            .source("bar: all of those that are left"),
    );
}

impl Course {
    /// Success of the last quarter.
    fn end(&self) -> f64 {
        let last = &self.windows[self.windows.len() * 3 / 4..];
        last.iter().sum::<f64>() / count(last.len())
    }

    /// For a plot, with what was before if that is to be seen.
    fn points(&self, with_before: bool) -> Vec<(f64, f64)> {
        let before = with_before.then(|| (-count(WINDOW_S) / 2.0, self.before));
        let windows = self.windows.iter().enumerate();
        let windows =
            windows.map(|(window, &found)| (count(window * WINDOW_S + WINDOW_S / 2), found));
        before.into_iter().chain(windows).collect()
    }
}

/// As long as the growth experiments give networks at least.
const SETTLING: Duration = Duration::from_secs(600);

/// With more gone, some nodes know nobody who is left: of 25 acquaintances none is there for one node in 250 if eight in ten
/// have gone, and a network of a few hundred has one seed.
const REPAIRABLE: f64 = 0.5;

/// Seconds over which success is counted.
const WINDOW_S: usize = 10;

/// Longer than any fetch takes.
const FETCH_MAX: Duration = Duration::from_secs(120);
