//! E14: networks of which a part are linked with friends only.

mod bridge;
mod shares;

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::elided_block::ElidedBlock;
use crate::experiment::{Axis, Context, Experiment, Figure, Kind, Outcome, Plot, Table};
use crate::network::{Network, RequestHandle};
use crate::statistics::share;
use bridge::Bridge;
use shares::{Fault, Mixture};

/// Mixed networks, and a small darknet behind one node.
pub(super) struct Hybrid;

#[derive(Debug, Deserialize)]
struct Parameters {
    /// Of whom the graph of friends is made; those with too few friends are left out.
    people: usize,
    friends: f64,
    core: usize,
    shares: Vec<f64>,
    rounds: u32,
    joining: u64,
    settling: u64,
    documents: usize,
    /// By Zipf's law.
    requests: usize,
    /// Nodes of the opennet beside the bridge.
    opennet: usize,
    behind: usize,
    bridge_friends: usize,
    bridge_settling: u64,
    bridge_documents: usize,
    /// Networks with a bridge.
    bridges: u64,
}

/// What became of requests, those left out that the asking node answered itself.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    asked: usize,
    found: usize,
    hops: u32,
}

impl Found {
    fn of<'a>(
        network: &Network<ElidedBlock>,
        handles: impl Iterator<Item = &'a RequestHandle>,
    ) -> Self {
        let mut all = Self::default();
        for report in handles.map(|&handle| network.report(handle)) {
            all.asked += usize::from(!report.local);
            all.found += usize::from(report.is_routed_success());
            if report.is_routed_success() {
                all.hops += report.hops.unwrap_or(0);
            }
        }
        all
    }

    fn sum(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            asked: sum.asked + one.asked,
            found: sum.found + one.found,
            hops: sum.hops + one.hops,
        })
    }

    fn success(self) -> f64 {
        share(self.found, self.asked)
    }

    fn hops(self) -> f64 {
        share(self.hops as usize, self.found)
    }
}

impl Experiment for Hybrid {
    fn name(&self) -> &'static str {
        "hybrid"
    }

    fn number(&self) -> &'static str {
        "E14"
    }

    fn summary(&self) -> &'static str {
        "what is found where a part have friends only, and behind one bridge, against published success"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.people = context.nodes().unwrap_or(parameters.people);
        ensure!(
            parameters.people >= 100
                && parameters.documents > 1
                && parameters.requests > 1
                && parameters.opennet >= 20
                && parameters.behind >= 3
                && parameters.bridge_documents > 1
                && parameters.bridges > 0
                && parameters
                    .shares
                    .iter()
                    .all(|share| (0.0..=1.0).contains(share)),
            "hybrid needs 100 people, 20 nodes of an opennet, three behind a bridge, two documents of each sort, a bridge, and \
             shares from zero to one"
        );
        let mut mixtures: Vec<Mixture> = parameters
            .shares
            .iter()
            .map(|&share| Mixture {
                share,
                fault: Fault::None,
            })
            .collect();
        for (share, fault) in [
            (0.0, Fault::NoSwaps),
            (0.3, Fault::NoSwaps),
            (0.3, Fault::DeafBridges),
            (0.3, Fault::ForgetfulStores),
        ] {
            mixtures.push(Mixture { share, fault });
        }
        let worlds = context.parallel("shares", &mixtures, |&mixture| {
            shares::measure(&parameters, mixture, context.seed())
        });
        let mut runs: Vec<(Bridge, u64)> = (0..parameters.bridges)
            .map(|number| (Bridge::Sound, context.seed() + number))
            .collect();
        runs.extend([Bridge::Deaf, Bridge::Closed].map(|bridge| (bridge, context.seed())));
        let bridges = context.parallel("bridges", &runs, |&(bridge, seed)| {
            bridge::measure(&parameters, bridge, seed)
        });
        let mut outcome = Outcome::default();
        report_shares(&mut outcome, &mixtures, &worlds);
        report_bridges(
            &mut outcome,
            &Bridges {
                runs: &runs,
                measured: &bridges,
            },
        );
        Ok(outcome)
    }
}

fn report_shares(outcome: &mut Outcome, mixtures: &[Mixture], worlds: &[shares::Measured]) {
    let mut table = Table::new(
        "shares",
        "What is found where a part of the people have strangers as peers",
        &[
            "share with strangers",
            "fault",
            "nodes",
            "friends",
            "peers",
            "success",
            "hops",
            "success, asked by people with friends only",
            "success, asked by the others",
            "success, popular documents",
            "hops, popular documents",
        ],
    );
    for (mixture, world) in mixtures.iter().zip(worlds) {
        table.row([
            mixture.share.into(),
            mixture.fault.name().into(),
            world.nodes.into(),
            world.friends.into(),
            world.peers.into(),
            world.uniform.success().into(),
            world.uniform.hops().into(),
            world.by_friends.success().into(),
            world.by_hybrids.success().into(),
            world.power.success().into(),
            world.power.hops().into(),
        ]);
        for figure in share_figures(*mixture, world) {
            outcome.figure(figure);
        }
    }
    outcome.table(table);
    plot_shares(outcome, mixtures, worlds);
    outcome.note(
        "The published graph, the core of degree ten of a web of trust, is not at hand: ours is a core of a made graph (a power \
         law of popularity, interests on a ring). Requests have 18 hops to live and are made once; documents are published by \
         inserts, four copies each; stores are not bounded, so that none is lost (published: ten places in stores for each \
         document). \"Each document once\" means that no request finds what an earlier one left in caches.",
    );
}

fn plot_shares(outcome: &mut Outcome, mixtures: &[Mixture], worlds: &[shares::Measured]) {
    let curve = |of: fn(&shares::Measured) -> f64| -> Vec<(f64, f64)> {
        let sound = mixtures.iter().zip(worlds);
        let sound = sound.filter(|(mixture, _)| mixture.fault == Fault::None);
        sound
            .map(|(mixture, world)| (mixture.share, of(world)))
            .collect()
    };
    let published = |of: fn(&Published) -> f64| -> Vec<(f64, f64)> {
        let all = PUBLISHED.iter().map(|row| (row.share, of(row)));
        all.filter(|(_, value)| value.is_finite()).collect()
    };
    let axes = |y: &str| {
        (
            Axis::linear("share of people with strangers as peers"),
            Axis::linear(y),
        )
    };
    let (x, y) = axes("share of requests that find");
    outcome.plot(
        Plot::new("success", "Success in mixed networks", x, y)
            .curve(
                Kind::Ours,
                "each document once",
                curve(|at| at.uniform.success()),
            )
            .curve(
                Kind::Published,
                "each document once",
                published(|row| row.uniform),
            )
            .curve(Kind::Ours, "by popularity", curve(|at| at.power.success()))
            .curve(Kind::Published, "by popularity", published(|row| row.power)),
    );
    let (x, y) = axes("hops");
    outcome.plot(
        Plot::new("hops", "Hops in mixed networks", x, y)
            .curve(
                Kind::Ours,
                "each document once",
                curve(|at| at.uniform.hops()),
            )
            .curve(
                Kind::Published,
                "each document once",
                published(|row| row.hops),
            ),
    );
}

fn share_figures(mixture: Mixture, world: &shares::Measured) -> Vec<Figure> {
    let row = PUBLISHED
        .iter()
        .find(|row| (row.share - mixture.share).abs() < 1e-9);
    let name = |what: &str| format!("success, share {}, {what}", mixture.share);
    let figure = |what: &str, value: f64, published: f64| {
        let figure = Figure::new(name(what), value, "").source(SOURCE);
        if published.is_finite() {
            figure.published(published).at_least(published)
        } else {
            figure
        }
    };
    let (uniform, power) = row.map_or((f64::NAN, f64::NAN), |row| (row.uniform, row.power));
    let what = format!("fault: {}", mixture.fault.name());
    match mixture.fault {
        Fault::None => {}
        Fault::ForgetfulStores => {
            return vec![figure(&what, world.uniform.success(), uniform).with_fault()];
        }
        // Among so many friends much is found by chance: reported
        Fault::DeafBridges | Fault::NoSwaps => {
            return vec![figure(&what, world.uniform.success(), f64::NAN)];
        }
    }
    vec![
        figure("each document once", world.uniform.success(), uniform),
        figure("by popularity", world.power.success(), power),
    ]
}

/// What is chosen of a measurement.
type Of = fn(&bridge::Measured) -> Found;

/// Where the blocks were published, and who asked for them.
const ROWS: [(&str, &str, Of); 5] = [
    ("opennet", "opennet", |at| at.open_by_open),
    ("opennet", "darknet", |at| at.open_by_dark),
    ("opennet", "bridge", |at| at.open_by_bridge),
    ("darknet", "opennet", |at| at.dark_by_open),
    ("darknet", "darknet", |at| at.dark_by_dark),
];

/// All networks with bridges.
struct Bridges<'a> {
    runs: &'a [(Bridge, u64)],
    measured: &'a [bridge::Measured],
}

impl Bridges<'_> {
    /// What was found over bridges of a kind.
    fn found(&self, bridge: Bridge, of: Of) -> Found {
        let all = self.runs.iter().zip(self.measured);
        let these = all.filter(|((kind, _), _)| *kind == bridge);
        Found::sum(these.map(|(_, at)| of(at)))
    }

    /// Which part of what the opennet finds of its own is not found.
    fn lost(&self, bridge: Bridge, of: Of) -> f64 {
        1.0 - self.found(bridge, of).success() / self.found(bridge, ROWS[0].2).success()
    }

    fn table(&self) -> Table {
        let mut table = Table::new(
            "bridges",
            "What is found over one bridge",
            &[
                "bridge",
                "published in",
                "asked for by",
                "requests",
                "success",
                "hops",
            ],
        );
        for bridge in [Bridge::Sound, Bridge::Deaf, Bridge::Closed] {
            for (from, by, which) in ROWS {
                let found = self.found(bridge, which);
                table.row([
                    bridge.name().into(),
                    from.into(),
                    by.into(),
                    found.asked.into(),
                    found.success().into(),
                    found.hops().into(),
                ]);
            }
        }
        table
    }
}

fn report_bridges(outcome: &mut Outcome, bridges: &Bridges<'_>) {
    outcome.table(bridges.table());
    let figure = |name: &str, value: f64| {
        Figure::new(name, value, "")
            .at_most(0.1)
            .published(1.0 - 0.0008 / 0.0846)
            .source(BRIDGE_SOURCE)
    };
    outcome.figure(figure(
        "lost behind a bridge: asked for by the darknet",
        bridges.lost(Bridge::Sound, ROWS[1].2),
    ));
    outcome.figure(figure(
        "lost behind a bridge: published by the darknet, asked for by the opennet",
        bridges.lost(Bridge::Sound, ROWS[3].2),
    ));
    for (bridge, what, row) in [
        (Bridge::Closed, "asked for by the darknet", ROWS[1].2),
        (
            Bridge::Deaf,
            "published by the darknet, asked for by the opennet",
            ROWS[3].2,
        ),
    ] {
        let name = format!("fault: {}, {what}", bridge.name());
        outcome.figure(figure(&name, bridges.lost(bridge, row)).with_fault());
    }
}

impl Fault {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::DeafBridges => "deaf bridges",
            Self::NoSwaps => "nobody swaps",
            Self::ForgetfulStores => "stores keep nothing",
        }
    }
}

impl Bridge {
    const fn name(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Deaf => "nobody knows the way out",
            Self::Closed => "closed",
        }
    }
}

/// What was published for one share.
struct Published {
    share: f64,
    uniform: f64,
    power: f64,
    hops: f64,
}

const PUBLISHED: [Published; 4] = [
    Published {
        share: 0.0,
        uniform: 0.63,
        power: 0.88,
        hops: 7.1,
    },
    Published {
        share: 0.3,
        uniform: 0.75,
        power: 0.93,
        hops: 5.9,
    },
    Published {
        share: 0.8,
        uniform: 0.81,
        power: f64::NAN,
        hops: 5.4,
    },
    Published {
        share: 1.0,
        uniform: 0.82,
        power: 0.94,
        hops: 5.45,
    },
];

const SOURCE: &str = "Clarke, Sandberg, Toseland, Verendel 2010, figures 6 and 7, 3791 people (read by eye); bar: not worse";

const BRIDGE_SOURCE: &str = "bar of this project. Roos et al. 2014: requests of ten nodes behind one bridge, 0.08 % successful; of opennet nodes, 8.46 %";
