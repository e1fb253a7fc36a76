//! The same asked of real routers.

use crate::blocks::content_block;
use crate::experiment::{Context, Figure, Outcome, Table};
use crate::network::{Network, Settings};
use crate::sim_node::Sabotage;
use crate::statistics::{Summary, count, share};
use crate::topology::Topology;
use routing::Location;

/// Drawn by each node, besides the two neighbours on the ring.
const LONG_LINKS: usize = 18;

/// Fetches in one network, each of a block that lies at the node nearest to its key and nowhere else.
struct Fetches {
    degree: f64,
    /// Nodes visited by those that found their block elsewhere than at their own node.
    hops: Summary,
    routed: usize,
    local: usize,
    asked: usize,
}

/// Runs the fetches in a sound network and in one with a planted fault.
pub(super) fn measure(context: &Context<'_>, nodes: usize, fetches: u64, outcome: &mut Outcome) {
    let kinds = [Sabotage::None, Sabotage::WrongPlaces];
    let mut found = context.parallel("networks of routers", &kinds, |&sabotage| {
        fetch_all(nodes, fetches, sabotage, context.seed())
    });
    let broken = found.pop().expect("two networks");
    let sound = found.pop().expect("two networks");
    let limit = 0.65 * count(nodes).log2().powi(2) / sound.degree;
    let name = |what: &str| format!("real routers: {what}, {nodes} nodes");
    outcome.figure(
        Figure::new(name("mean hops of routed fetches"), sound.hops.mean, "hops")
            .at_most(1.25 * limit)
            .published(limit)
            .source("0.65 log2(N)^2 / degree at the measured degree; bar: 1.25 times that"),
    );
    outcome.figure(
        Figure::new(
            name("success of fetches that are no local hits"),
            sound.success(),
            "",
        )
        .at_least(0.995)
        .source("HTL 18, nobody fails"),
    );
    outcome.figure(
        Figure::new(
            name("fault: success with wrong places of peers"),
            broken.success(),
            "",
        )
        .at_least(0.995)
        .with_fault()
        .source("each node believes its peers elsewhere"),
    );
    outcome.table(table(&sound, &broken, nodes));
    outcome.note(format!(
        "Real routers: {nodes} nodes at random places (not at equal steps) with a mean degree of {:.1}, {} fetches of which {} \
         were local hits and are not counted. A hop is a fetch sent to a peer, so that detours count.",
        sound.degree, sound.asked, sound.local,
    ));
}

impl Fetches {
    fn success(&self) -> f64 {
        share(self.routed, self.asked - self.local)
    }
}

fn fetch_all(nodes: usize, fetches: u64, sabotage: Sabotage, seed: u64) -> Fetches {
    let topology = Topology::small_world(nodes, LONG_LINKS, seed);
    let settings = Settings {
        sabotage,
        traced: false,
        ..Settings::default()
    };
    let mut network = Network::new(&topology, settings, seed);
    let mut hops = Vec::new();
    for number in 0..fetches {
        let block = content_block(number);
        let key = block.key();
        let place = Location::of_key(&key);
        let home = (0..nodes)
            .min_by_key(|&node| topology.locations[node].distance(place))
            .expect("a network has nodes");
        network.give(home, block);
        let reader = network.random_node(None);
        let before = network.counters();
        let fetch = network.fetch(reader, key);
        network.run();
        if network.report(fetch).is_routed_success() {
            let sent = network.counters().since(&before).fetches;
            hops.push(count(usize::try_from(sent).unwrap_or(usize::MAX)));
        }
    }
    Fetches {
        degree: count(2 * topology.links().count()) / count(nodes),
        routed: hops.len(),
        local: network
            .reports()
            .iter()
            .filter(|report| report.local)
            .count(),
        asked: network.reports().len(),
        hops: Summary::of(&hops),
    }
}

fn table(sound: &Fetches, broken: &Fetches, nodes: usize) -> Table {
    let mut table = Table::new(
        "routers",
        "Fetches through real routers",
        &[
            "network",
            "nodes",
            "degree",
            "asked",
            "local hits",
            "routed successes",
            "mean hops",
            "median",
            "p95",
            "p99",
        ],
    );
    for (name, fetches) in [("sound", sound), ("fault: wrong places", broken)] {
        table.row([
            name.into(),
            nodes.into(),
            fetches.degree.into(),
            fetches.asked.into(),
            fetches.local.into(),
            fetches.routed.into(),
            fetches.hops.mean.into(),
            fetches.hops.median.into(),
            fetches.hops.p95.into(),
            fetches.hops.p99.into(),
        ]);
    }
    table
}
