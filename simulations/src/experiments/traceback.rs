//! E17: can who asked be found by asking what others have seen?

mod world;

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::experiment::{Axis, Context, Experiment, Figure, Kind, Outcome, Plot, Table};
use crate::experiments::rows::together;
use crate::statistics::count;
use world::{Measured, Question, Trial};

/// A small world in which some nodes watch, and one asks everybody.
pub(super) struct Traceback;

#[derive(Debug, Deserialize)]
struct Parameters {
    nodes: usize,
    long_links: usize,
    /// Which part of the nodes is the adversary's.
    watching: f64,
    /// Networks, each with links of its own.
    networks: u64,
    /// Requests that the adversary sees in each, for each set-up.
    requests: usize,
    /// Numbers of probes after which the adversary stops.
    budgets: Vec<usize>,
    /// Seconds before it begins.
    delays: Vec<f64>,
}

impl Experiment for Traceback {
    fn name(&self) -> &'static str {
        "traceback"
    }

    fn number(&self) -> &'static str {
        "E17"
    }

    fn summary(&self) -> &'static str {
        "who asked, found by asking neighbours what they have seen, against published rates"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.nodes = context.nodes().unwrap_or(parameters.nodes);
        ensure!(
            parameters.nodes >= 50
                && parameters.requests > 0
                && parameters.networks > 0
                && parameters.watching > 0.0
                && parameters.watching < 0.5
                && parameters
                    .delays
                    .iter()
                    .all(|&delay| (0.0..60.0).contains(&delay)),
            "traceback needs 50 nodes, a request, less than half of the nodes watching, and delays below a minute"
        );
        let trials = trials(&parameters);
        let networks = 0..parameters.networks;
        let items: Vec<(Trial, u64)> = networks
            .flat_map(|network| trials.iter().map(move |&trial| (trial, network)))
            .collect();
        let found = context.parallel("traces", &items, |&(trial, network)| {
            let seed = context.seed().wrapping_mul(1_033).wrapping_add(network);
            vec![world::measure(&parameters, trial, seed)]
        });
        Ok(report(&parameters, &trials, &together(found)))
    }
}

/// What is measured, in this order.
fn trials(parameters: &Parameters) -> Vec<Trial> {
    let mut trials = Vec::new();
    for exists in [true, false] {
        for hidden in [false, true] {
            let trial = |question, delay| Trial {
                question,
                hidden,
                exists,
                delay,
            };
            trials.push(trial(Question::ConstantId, 0.0));
            trials.push(trial(Question::FreshId, 0.0));
            let delays = parameters.delays.iter();
            trials.extend(delays.map(|&delay| trial(Question::Key, delay)));
        }
    }
    trials
}

fn report(parameters: &Parameters, trials: &[Trial], results: &[Measured]) -> Outcome {
    let mut outcome = Outcome::default();
    let all = || trials.iter().zip(results);
    for (trial, measured) in all().filter(|(trial, _)| trial.delay == 0.0) {
        for figure in figures(*trial, measured) {
            outcome.figure(figure);
        }
    }
    outcome.table(table(parameters, trials, results));
    outcome.plot(by_probes(parameters, trials, results, true));
    outcome.plot(by_probes(parameters, trials, results, false));
    outcome.plot(by_delay(trials, results));
    outcome.note(format!(
        "{} of all nodes watch. When one of them is asked for a key, the adversary begins with the node that asked, and asks all \
         neighbours of the last node that it has come to, each once; it knows all links, and one of its nodes is linked with \
         everybody. It goes on with one of those that give themselves away, and where there is none the last node is its \
         answer. Without a probe it says that the node that asked is the requester's.",
        parameters.watching
    ));
    outcome.note(
        "The historic model is asked from above: whoever has had the request says so. The published adversary knew less and had \
         to become a neighbour first. Our routers are asked by real messages: by the id that was seen (ids are drawn anew \
         for each link), and by the key without hops to live, which a node refuses as a loop while it searches and for two \
         seconds after it has failed. Through circuits, a request starts at the end of one, and no question leads behind that: what is left is \
         that the requester may lie on the way of its own request, as any node may.",
    );
    outcome
}

fn figures(trial: Trial, measured: &Measured) -> Vec<Figure> {
    let gained = measured.right(usize::MAX) - measured.right(0);
    let of = name(trial);
    let gained = Figure::new(
        format!("requester found, gained by asking: {of}"),
        gained,
        "",
    );
    let gained = gained.at_most(0.02).source(BAR);
    let found = Figure::new(
        format!("requester found: {of}"),
        measured.right(usize::MAX),
        "",
    );
    if trial.hidden {
        let found = found.at_most(0.01).source(BAR_OF_CIRCUITS);
        return vec![found];
    }
    let found = found.source(SOURCE);
    match trial.question {
        Question::ConstantId => vec![found.published(0.335), gained.with_fault()],
        Question::FreshId | Question::Key => vec![found, gained],
    }
}

fn name(trial: Trial) -> String {
    let question = trial.question.name();
    let hidden = if trial.hidden { "circuits, " } else { "" };
    let blocks = if trial.exists {
        "blocks that exist"
    } else {
        "missing blocks"
    };
    format!("{hidden}{question}, {blocks}")
}

fn table(parameters: &Parameters, trials: &[Trial], results: &[Measured]) -> Table {
    let budgets: Vec<String> = parameters
        .budgets
        .iter()
        .map(|budget| format!("right after {budget} probes"))
        .collect();
    let mut columns = vec![
        "before routing",
        "asked for",
        "blocks",
        "delay, s",
        "requests seen",
        "share of requests seen",
        "probes",
        "right at the end",
    ];
    columns.extend(budgets.iter().map(String::as_str));
    let mut table = Table::new(
        "traces",
        "How often the last node is the requester's",
        &columns,
    );
    for (trial, measured) in trials.iter().zip(results) {
        let mut row = vec![
            if trial.hidden { "circuits" } else { "nothing" }.into(),
            trial.question.name().into(),
            if trial.exists { "exist" } else { "missing" }.into(),
            trial.delay.into(),
            measured.requests().into(),
            measured.seen().into(),
            measured.probes().into(),
            measured.right(usize::MAX).into(),
        ];
        row.extend(
            parameters
                .budgets
                .iter()
                .map(|&budget| measured.right(budget).into()),
        );
        table.row(row);
    }
    table
}

/// For blocks that exist, or for missing ones.
fn by_probes(
    parameters: &Parameters,
    trials: &[Trial],
    results: &[Measured],
    exists: bool,
) -> Plot {
    let (name, title) = if exists {
        (
            "probes",
            "Requester found against probes: blocks that exist",
        )
    } else {
        (
            "probes-missing",
            "Requester found against probes: missing blocks",
        )
    };
    let mut plot = Plot::new(
        name,
        title,
        Axis::linear("probes"),
        Axis::linear("share of requests traced to their node"),
    );
    let most = parameters.budgets.iter().copied().max().unwrap_or(0);
    let all = trials.iter().zip(results);
    for (trial, measured) in all.filter(|(trial, _)| trial.delay == 0.0 && trial.exists == exists) {
        let kind = match trial.question {
            Question::ConstantId if !trial.hidden => Kind::Fault,
            _ => Kind::Ours,
        };
        let points = parameters
            .budgets
            .iter()
            .map(|&budget| (count(budget), measured.right(budget)))
            .collect();
        let hidden = if trial.hidden {
            "circuits, "
        } else {
            "level 0, "
        };
        let label = format!("{hidden}{}", trial.question.name());
        plot = plot.curve(kind, &label, points);
    }
    for (label, value) in [("least", 0.24), ("most", 0.43)] {
        let points = vec![(0.0, value), (count(most), value)];
        plot = plot.curve(Kind::Published, label, points);
    }
    plot
}

fn by_delay(trials: &[Trial], results: &[Measured]) -> Plot {
    let mut plot = Plot::new(
        "delay",
        "Requester found by the key against the adversary's delay",
        Axis::linear("seconds from seeing the request to the first probe"),
        Axis::linear("share of requests traced to their node"),
    );
    let settings = [
        (true, false, "level 0, blocks exist"),
        (false, false, "level 0, blocks missing"),
        (true, true, "circuits, blocks exist"),
        (false, true, "circuits, blocks missing"),
    ];
    for (exists, hidden, label) in settings {
        let of = |question: Question| {
            let all = trials.iter().zip(results);
            all.filter(move |(trial, _)| {
                (trial.exists, trial.hidden) == (exists, hidden) && trial.question == question
            })
        };
        let points = of(Question::Key).map(|(trial, at)| (trial.delay, at.right(usize::MAX)));
        plot = plot.curve(Kind::Ours, label, points.collect());
        if hidden {
            continue;
        }
        let last = of(Question::Key)
            .map(|(trial, _)| trial.delay)
            .fold(0.0, f64::max);
        let unasked = of(Question::FreshId).flat_map(|(_, at)| {
            let right = at.right(0);
            [(0.0, right), (last, right)]
        });
        let label = format!("{label}, without asking");
        plot = plot.curve(Kind::Theory, &label, unasked.collect());
    }
    plot
}

impl Question {
    const fn name(self) -> &'static str {
        match self {
            Self::ConstantId => "constant id",
            Self::FreshId => "fresh ids",
            Self::Key => "key",
        }
    }
}

const SOURCE: &str =
    "Tian and Duan 2013: 24 to 43 % of requests traced to their origin (abstract), ids constant";

const BAR: &str = "bar of this project: asking gains nothing (2 points for chance)";

const BAR_OF_CIRCUITS: &str = "the trace ends where the circuit does; bar: one in a hundred, as the requester may lie on the way of its own request";
