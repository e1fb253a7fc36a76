//! E12: attackers among friends that swap places.

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::experiment::{Axis, Context, Experiment, Figure, Kind, Outcome, Plot, Table};
use crate::friend_graph::FriendGraph;
use crate::friend_world::{Attack, Counts, FriendWorld, Rules};
use crate::random::rng_for;
use crate::statistics::{count, mean, share};

/// A settled network in which some nodes begin to attack.
pub(super) struct PitchBlack;

#[derive(Debug, Deserialize)]
struct Parameters {
    /// Nodes of the network.
    nodes: usize,
    /// Of these, one in so many attacks.
    honest_each: usize,
    /// Rounds without attackers first.
    settling: u32,
    /// Rounds with attackers then.
    attacked: u32,
    /// Routes a measurement.
    pairs: usize,
    /// For each graph and attack.
    networks: u32,
}

/// A graph with rules and an attack.
#[derive(Clone, Copy, Debug)]
struct Run {
    graph: Graph,
    rules: Rules,
    attack: Option<Attack>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Graph {
    Kleinberg,
    Clustered,
    Social,
}

/// Of one network, or the means of several.
#[derive(Clone, Debug)]
struct Measured {
    before: f64,
    curve: Vec<(f64, f64)>,
    after: f64,
    unevenness: f64,
    /// False places that a node took, and places that it left.
    forced: f64,
    left: f64,
    nodes: f64,
    links: f64,
}

impl Experiment for PitchBlack {
    fn name(&self) -> &'static str {
        "pitch-black"
    }

    fn number(&self) -> &'static str {
        "E12"
    }

    fn summary(&self) -> &'static str {
        "attackers that give false places away, with and without our defence"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.nodes = context.nodes().unwrap_or(parameters.nodes);
        ensure!(
            parameters.nodes >= 100
                && parameters.honest_each > 1
                && parameters.pairs > 0
                && parameters.networks > 0,
            "at least 100 nodes, more honest ones than attackers, some routes, and a network"
        );
        let mut runs = Vec::new();
        for graph in [Graph::Kleinberg, Graph::Clustered, Graph::Social] {
            let run = |rules, attack| Run {
                graph,
                rules,
                attack,
            };
            runs.push(run(Rules::Ours, None));
            runs.extend(Attack::ALL.map(|attack| run(Rules::Ours, Some(attack))));
            runs.push(run(Rules::Believing, None));
            runs.push(run(Rules::Believing, Some(Attack::Contraction)));
        }
        let networks: Vec<(Run, u64)> = runs
            .iter()
            .flat_map(|&run| (0..parameters.networks).map(move |network| (run, network.into())))
            .collect();
        let each = context.parallel("networks", &networks, |&(run, network)| {
            measure(run, &parameters, context.seed().wrapping_add(network))
        });
        let networks = usize::try_from(parameters.networks)?;
        let results: Vec<Measured> = each.chunks(networks).map(Measured::mean).collect();
        Ok(report(&runs, &results, &parameters))
    }
}

fn measure(run: Run, parameters: &Parameters, seed: u64) -> Measured {
    let mut rng = rng_for(seed, &format!("{:?}", run.graph));
    let graph = match run.graph {
        Graph::Kleinberg => FriendGraph::kleinberg(parameters.nodes, 5, &mut rng),
        Graph::Clustered => FriendGraph::clustered(parameters.nodes, 4, 2, &mut rng),
        Graph::Social => FriendGraph::social(parameters.nodes, 10.6, &mut rng),
    };
    let (nodes, links) = (graph.len(), graph.links());
    let mut world = FriendWorld::new(graph, run.rules, seed);
    let mut curve = Vec::new();
    let success = |world: &mut FriendWorld| world.success(HOPS, parameters.pairs).0;
    for _ in 0..parameters.settling {
        world.round();
    }
    let before = success(&mut world);
    curve.push((0.0, before));
    if let Some(attack) = run.attack {
        world.corrupt(nodes / parameters.honest_each, attack);
    }
    world.counts = Counts::default();
    for round in 1..=parameters.attacked {
        world.round();
        if round % (parameters.attacked / 10).max(1) == 0 {
            curve.push((f64::from(round), success(&mut world)));
        }
    }
    let each = |times| share(times, nodes);
    Measured {
        before,
        curve,
        after: success(&mut world),
        unevenness: world.unevenness(),
        forced: each(world.counts.forced),
        left: each(world.counts.left),
        nodes: count(nodes),
        links: count(links),
    }
}

impl Measured {
    fn mean(all: &[Self]) -> Self {
        let of = |value: fn(&Self) -> f64| mean(&all.iter().map(value).collect::<Vec<_>>());
        let at = |point: usize| {
            let share = |one: &Self| one.curve.get(point).map_or(f64::NAN, |&(_, share)| share);
            mean(&all.iter().map(share).collect::<Vec<_>>())
        };
        let rounds = all.first().map_or(&[][..], |one| &one.curve);
        Self {
            before: of(|one| one.before),
            curve: (0..)
                .zip(rounds)
                .map(|(point, &(round, _))| (round, at(point)))
                .collect(),
            after: of(|one| one.after),
            unevenness: of(|one| one.unevenness),
            forced: of(|one| one.forced),
            left: of(|one| one.left),
            nodes: of(|one| one.nodes),
            links: of(|one| one.links),
        }
    }
}

fn report(runs: &[Run], results: &[Measured], parameters: &Parameters) -> Outcome {
    let mut outcome = Outcome::default();
    let mut plot = Plot::new(
        "pitch-black",
        "Success at 174 hops under attack (ring of Kleinberg)",
        Axis::linear("rounds under attack"),
        Axis::linear("share of routes that arrive"),
    );
    for (run, measured) in runs.iter().zip(results) {
        if run.graph == Graph::Kleinberg {
            let kind = if run.rules == Rules::Ours {
                Kind::Ours
            } else {
                Kind::Fault
            };
            plot = plot.curve(kind, &run.label(), measured.curve.clone());
        }
        // Against the same time without attackers: a network goes on finding places meanwhile
        let control = runs.iter().zip(results).find(|(other, _)| {
            other.graph == run.graph && other.rules == run.rules && other.attack.is_none()
        });
        if let Some((_, control)) = control.filter(|_| run.attack.is_some()) {
            for figure in figures(*run, measured, control) {
                outcome.figure(figure);
            }
        }
    }
    outcome.table(table(runs, results));
    outcome.plot(plot);
    let attackers = share(1, parameters.honest_each) * 100.0;
    outcome.note(format!(
        "{attackers} % of the nodes attack for {} rounds after {} without. Attackers send a walk over each link in each round, \
         take every walk that comes to them, lie in every look, and keep their own place (with lure they say that they are \
         where they want everybody to be). Pull, hug, edge and double know where all friends of \
         their victims are, double also the friends of these; our swaps show neither. \
         Losses are against the same network without attackers at the same time. Each figure is the mean of {} networks.",
        parameters.attacked, parameters.settling, parameters.networks
    ));
    outcome.note(
        "The social graph is made, not measured: about as many nodes and links as the published web of trust, with degrees by a \
         power law. The published success before an attack was 0.48 at 174 hops, for swapping and a real graph; the made one is \
         not the same.",
    );
    outcome
}

fn figures(run: Run, measured: &Measured, control: &Measured) -> [Figure; 2] {
    let label = format!("{}, {}", run.label(), run.graph.name());
    let lost = 100.0 * (control.after - measured.after);
    [
        Figure::new(format!("success lost: {label}"), lost, "points").at_most(2.0),
        Figure::new(
            format!("unevenness of places: {label}"),
            measured.unevenness,
            "",
        )
        .at_most(0.05),
    ]
    .map(|figure| figure.source(SOURCE))
    .map(|figure| match run.rules {
        Rules::Ours => figure,
        Rules::Believing | Rules::Always => figure.with_fault(),
    })
}

fn table(runs: &[Run], results: &[Measured]) -> Table {
    let mut table = Table::new(
        "attacks",
        "Success and evenness of places before and after the attack",
        &[
            "graph",
            "nodes",
            "links",
            "attack, rules",
            "success before",
            "success after",
            "unevenness",
            "false places taken, each node",
            "places left, each node",
        ],
    );
    for (run, measured) in runs.iter().zip(results) {
        table.row([
            run.graph.name().into(),
            measured.nodes.into(),
            measured.links.into(),
            run.label().into(),
            measured.before.into(),
            measured.after.into(),
            measured.unevenness.into(),
            measured.forced.into(),
            measured.left.into(),
        ]);
    }
    table
}

impl Run {
    fn label(self) -> String {
        let attack = self.attack.map_or("none", Attack::name);
        format!("{attack}, {}", name(self.rules))
    }
}

impl Graph {
    const fn name(self) -> &'static str {
        match self {
            Self::Kleinberg => "Kleinberg",
            Self::Clustered => "clustered",
            Self::Social => "social",
        }
    }
}

const fn name(rules: Rules) -> &'static str {
    match rules {
        Rules::Ours => "defended",
        Rules::Believing => "undefended",
        Rules::Always => "every swap done",
    }
}

const SOURCE: &str = "bar of this project. Schiller et al. 2011, 1 % attackers: 48 % fell to 36 (contraction), 35 (divergence), 33 % (distance)";

/// As published: the square of the binary logarithm of 9223 nodes.
const HOPS: usize = 174;
