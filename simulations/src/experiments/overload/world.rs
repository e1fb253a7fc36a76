//! One network under one load.

use std::num::NonZeroU64;
use std::time::Duration;

use crypto::CONTENT_BLOCK_LEN;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use routing::{Block, ByClass, Class, Config, FetchFailure, Location, Message, PeerId, Time};

use super::Parameters;
use crate::bandwidth::Bandwidth;
use crate::behaviour::{Behaviour, Reply};
use crate::elided_block::ElidedBlock;
use crate::experiment::Cell;
use crate::link_model::LinkModel;
use crate::measure::{Counters, Ended, Report};
use crate::network::{Network, Settings};
use crate::random::rng_for;
use crate::ring::Ring;
use crate::statistics::{Summary, count, mean, share};
use crate::topology::Topology;

/// What keeps a network from being overloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// All that routers do.
    Sound,
    /// A fault: nodes do not know what they can send, take on all that they are asked for, and wait for answers as if
    /// there were no queues. What comes too late was sent in vain.
    Unbounded,
    /// A fault: bulk says that somebody waits for it.
    OneClass,
    /// A fault: nobody hears how much his peers take on. They refuse what is too much.
    NoCredit,
    /// A fault: users begin all that they want at once.
    NoPace,
}

/// Fetches that begin in a second, in the whole network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) bulk: f64,
    pub(super) real_time: f64,
}

/// What came of a load.
#[derive(Debug)]
pub(super) struct Measured {
    /// Fetches of bulk that began in a second.
    pub(super) offered: f64,
    /// Fetches of bulk that succeeded in a second, by other nodes.
    pub(super) goodput: f64,
    /// Fetches of real time that succeeded in a second.
    pub(super) pages: f64,
    /// How many a second the uploads carry over ways of [`Measured::real_time_hops`].
    pub(super) capacity: f64,
    /// Seconds from the user's wish to the block.
    pub(super) real_time: Summary,
    pub(super) real_time_success: f64,
    real_time_hops: f64,
    bulk: Summary,
    bulk_hops: f64,
    /// How often a node was asked for a block that was found.
    bulk_asked: f64,
    /// Of the fetches of bulk that ended, the parts that succeeded, and that failed since there was too much to do.
    bulk_success: f64,
    bulk_overloaded: f64,
    /// Blocks sent for each one that a user got.
    blocks: f64,
    /// Of all questions to peers, how many were refused for another reason than a loop.
    refused: f64,
}

impl Guard {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Unbounded => "no bounds, no patience",
            Self::OneClass => "all real time",
            Self::NoCredit => "no credit",
            Self::NoPace => "no pace",
        }
    }

    const fn bulk(self) -> Class {
        match self {
            Self::Sound | Self::Unbounded | Self::NoCredit | Self::NoPace => Class::Bulk,
            Self::OneClass => Class::RealTime,
        }
    }

    fn config(self, up: u64) -> Config {
        let config = Config::default();
        match self {
            Self::Sound | Self::OneClass | Self::NoCredit => Config {
                upload: NonZeroU64::new(up),
                ..config
            },
            Self::NoPace => Config {
                upload: NonZeroU64::new(up),
                own_requests_min: u16::MAX,
                ..config
            },
            Self::Unbounded => Config {
                requests_max: usize::from(u16::MAX),
                requests_per_peer_max: usize::from(u16::MAX),
                accept_timeout: impatient(&config.accept_timeout),
                hop_timeout: impatient(&config.hop_timeout),
                answer_slack: impatient(&config.answer_slack),
                ..config
            },
        }
    }
}

/// Runs a network under a load.
pub(super) fn measure(parameters: &Parameters, guard: Guard, load: Load, seed: u64) -> Measured {
    let mut users = Users::new(parameters, guard, seed);
    users.settle();
    users.ask(load, guard, parameters.warm_up);
    let before = users.network.counters();
    let began = users.network.now();
    users.ask(load, guard, parameters.measured);
    let sent = users.network.counters().since(&before);
    let late = began + Duration::from_secs(parameters.measured - LATE);
    let reports = || users.network.reports().iter().zip(&users.asked);
    let real_time: Vec<_> = reports()
        .filter(|(report, asked)| {
            **asked == Wanted::Page && report.began >= began && report.began < late
        })
        .map(|(report, _)| report)
        .filter(|report| !report.local)
        .collect();
    let bulk: Vec<_> = reports()
        .filter(|(report, asked)| **asked == Wanted::File && ended_since(report, began))
        .map(|(report, _)| report)
        .filter(|report| !report.local)
        .collect();
    let seconds = Duration::from_secs(parameters.measured).as_secs_f64();
    let found = bulk.iter().filter(|report| report.is_success()).count();
    let overloaded = bulk
        .iter()
        .filter(|report| report.fetch_failure() == Some(FetchFailure::Overloaded));
    let pages = real_time.iter().filter(|report| report.is_success());
    let pages = pages.count();
    let hops = mean_hops(&real_time);
    Measured {
        offered: load.bulk,
        goodput: count(found) / seconds,
        pages: count(pages) / late.since(began).as_secs_f64(),
        capacity: count(parameters.nodes) * large(parameters.up)
            / (hops * count(CONTENT_BLOCK_LEN)),
        real_time: Summary::of(&latencies(&real_time)),
        real_time_success: share(pages, real_time.len()),
        real_time_hops: hops,
        bulk: Summary::of(&latencies(&bulk)),
        bulk_hops: mean_hops(&bulk),
        bulk_asked: mean_asked(&bulk),
        bulk_success: share(found, bulk.len()),
        bulk_overloaded: share(overloaded.count(), bulk.len()),
        blocks: large(sent.blocks) / count(found + pages),
        refused: refused(&sent),
    }
}

/// What a user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Page,
    File,
}

/// Does not hear how much its peers take on.
#[derive(Debug)]
struct Uninformed;

impl Behaviour for Uninformed {
    fn receive(
        &mut self,
        _now: Time,
        _from: PeerId,
        message: Message,
        _replies: &mut Vec<Reply>,
    ) -> Option<Message> {
        (!matches!(message, Message::Credit { .. })).then_some(message)
    }
}

/// Those who want something from the network.
pub(super) struct Users {
    pub(super) network: Network<ElidedBlock>,
    ring: Ring,
    /// What each report is of.
    asked: Vec<Wanted>,
    rng: ChaCha8Rng,
}

impl Users {
    pub(super) fn new(parameters: &Parameters, guard: Guard, seed: u64) -> Self {
        let topology = Topology::small_world(parameters.nodes, parameters.long_links, seed);
        let settings = Settings {
            config: guard.config(parameters.up),
            links: LinkModel::internet(),
            bandwidth: Some(Bandwidth {
                up: parameters.up,
                down: parameters.down,
            }),
            traced: false,
            ..Settings::default()
        };
        let ring = Ring::new(topology.locations.iter().copied().enumerate());
        let mut network = Network::new(&topology, settings, seed);
        if guard == Guard::NoCredit {
            for node in 0..parameters.nodes {
                network.set_behaviour(node, Box::new(Uninformed));
            }
        }
        Self {
            network,
            ring,
            asked: Vec::new(),
            rng: rng_for(seed, "users"),
        }
    }

    /// Peers tell each other of their peers.
    pub(super) fn settle(&mut self) {
        self.network.run_for(SETTLE);
    }

    /// Fetches begin for so many seconds, independently of each other.
    fn ask(&mut self, load: Load, guard: Guard, seconds: u64) {
        let rate = load.bulk + load.real_time;
        let until = self.network.now() + Duration::from_secs(seconds);
        loop {
            let gap = -(1.0 - self.rng.random::<f64>()).ln() / rate;
            let next = self.network.now() + Duration::from_secs_f64(gap);
            if next > until {
                break;
            }
            self.network.run_for(Duration::from_secs_f64(gap));
            let page = self.rng.random_bool(load.real_time / rate);
            let wanted = if page { Wanted::Page } else { Wanted::File };
            let node = self.network.random_node(None);
            self.fetch(node, wanted, guard);
        }
        let rest = until.since(self.network.now());
        self.network.run_for(rest);
    }

    /// A node's user asks for a block that nobody has asked for.
    pub(super) fn fetch(&mut self, node: usize, wanted: Wanted, guard: Guard) {
        let block = ElidedBlock::content(self.asked.len() as u64);
        let key = block.key();
        let class = match wanted {
            Wanted::Page => Class::RealTime,
            Wanted::File => guard.bulk(),
        };
        self.network
            .give(self.ring.closest(Location::of_key(&key)), block);
        self.asked.push(wanted);
        self.network.fetch_as(node, key, class);
    }
}

impl Measured {
    pub(super) fn row(&self, guard: Guard) -> [Cell; COLUMNS.len()] {
        [
            guard.name().into(),
            self.offered.into(),
            self.goodput.into(),
            self.bulk_success.into(),
            self.bulk_overloaded.into(),
            self.bulk.median.into(),
            self.bulk.p95.into(),
            self.bulk_hops.into(),
            self.bulk_asked.into(),
            self.blocks.into(),
            self.refused.into(),
            self.real_time.count.into(),
            self.real_time_success.into(),
            self.real_time.median.into(),
            self.real_time.p95.into(),
            self.real_time_hops.into(),
        ]
    }
}

pub(super) const COLUMNS: [&str; 16] = [
    "network",
    "offered, 1/s",
    "goodput, 1/s",
    "bulk: success",
    "bulk: overloaded",
    "bulk: median, s",
    "bulk: p95, s",
    "bulk: hops",
    "bulk: nodes asked",
    "blocks sent a block got",
    "refused",
    "real time: fetches",
    "real time: success",
    "real time: median, s",
    "real time: p95, s",
    "real time: hops",
];

/// Of all questions to peers, how many were refused for another reason than a loop.
pub(super) fn refused(sent: &Counters) -> f64 {
    large(sent.refused) / large(sent.fetches)
}

fn ended_since(report: &Report<ElidedBlock>, began: Time) -> bool {
    matches!(&report.ended, Some((at, Ended::Fetch(_))) if *at >= began)
}

/// In seconds; of those that failed or have not ended, for ever.
fn latencies(reports: &[&Report<ElidedBlock>]) -> Vec<f64> {
    reports
        .iter()
        .map(|report| match report.duration() {
            Some(took) if report.is_success() => took.as_secs_f64(),
            Some(_) | None => f64::INFINITY,
        })
        .collect()
}

fn mean_hops(reports: &[&Report<ElidedBlock>]) -> f64 {
    let hops = reports.iter().filter_map(|report| report.hops);
    mean(&hops.map(f64::from).collect::<Vec<_>>())
}

fn mean_asked(reports: &[&Report<ElidedBlock>]) -> f64 {
    let found = reports.iter().filter(|report| report.is_success());
    let asked: Vec<f64> = found.map(|report| f64::from(report.asked)).collect();
    mean(&asked)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
const fn large(number: u64) -> f64 {
    number as f64
}

const fn impatient(patience: &ByClass) -> ByClass {
    ByClass {
        real_time: patience.real_time,
        bulk: IMPATIENCE,
    }
}

/// Several times what a hop takes in an idle network.
const IMPATIENCE: Duration = Duration::from_millis(500);

/// Peers tell each other of their peers two seconds after they came.
const SETTLE: Duration = Duration::from_secs(3);

/// Fetches of real time that began so many seconds before the end are not judged: they may not have had time.
pub(super) const LATE: u64 = 4;
