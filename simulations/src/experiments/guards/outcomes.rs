//! What a pool's places tell those who collude, with and without timing: graphs only.

use rand::RngExt;

use super::Parameters;
use crate::anonymity::Degrees;
use crate::anonymity::trial::is_linked;
use crate::anonymity::{
    Belief, Circuit, Coalition, Design, HOPS, Links, Originator, POOL, Sighting,
};
use crate::experiment::{Context, Figure, Outcome, Table};
use crate::experiments::rows::{self, together};
use crate::random::rng_for;
use crate::statistics::{count, is_same_part, quantile, share};

/// So many circuits in the row that shows what a guard is for.
const MANY: usize = 1_000;

/// What is kept, and for how many circuits.
const DESIGNS: [(Design, usize, &str); 6] = [
    (Design::Walks, POOL, "nothing"),
    (Design::Walks, MANY, "nothing, 1000 circuits"),
    (Design::Guard, POOL, "guard"),
    (Design::SecondHops(1), POOL, OURS),
    (Design::SecondHops(2), POOL, "guard and 2 second hops"),
    (Design::SecondHops(4), POOL, "guard and 4 second hops"),
];

const OURS: &str = "guard and second hop";

/// One originator against one coalition.
#[derive(Clone, Copy)]
struct Case {
    linked: bool,
    /// Effective set where ends tell of the relays before them; none if they are linked. All honest nodes if no end colludes.
    set: Option<f64>,
    /// The same where all colluders of a circuit recognise it by timing.
    set_by_timing: Option<f64>,
}

struct Row {
    name: &'static str,
    part: f64,
    cases: Vec<Case>,
}

pub(super) fn measure(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) {
    let graphs: Vec<u64> = (0..parameters.graphs).collect();
    let found = context.parallel("graphs", &graphs, |&graph| {
        let seed = context.seed().wrapping_mul(1_019).wrapping_add(graph);
        let links = Links::draw(parameters.nodes, Degrees::Even(parameters.degree), seed);
        let of_graph = |&(design, circuits, name): &(Design, usize, &'static str)| -> Vec<Row> {
            let parts = parameters.parts.iter();
            parts
                .map(|&part| Row {
                    name,
                    part,
                    cases: (0..parameters.originators)
                        .map(|number| {
                            case(
                                &links,
                                (design, circuits),
                                part,
                                seed.wrapping_add(number << 32),
                            )
                        })
                        .collect(),
                })
                .collect()
        };
        DESIGNS.iter().flat_map(of_graph).collect::<Vec<_>>()
    });
    report(parameters, &together(found), outcome);
}

fn case(links: &Links, (design, circuits): (Design, usize), part: f64, seed: u64) -> Case {
    let mut rng = rng_for(seed, "originator");
    let node = rng.random_range(0..links.nodes());
    let originator = Originator::draw(links, node, design, &mut rng);
    let circuits: Vec<Circuit> = (0..circuits)
        .map(|number| originator.circuit(links, HOPS, number, &mut rng))
        .collect();
    let coalition = Coalition::draw(links.nodes(), part, node, &mut rng_for(seed, "coalition"));
    let linked = is_linked(&circuits, &coalition);
    // The reckoning is for a pool; what many circuits tell is in `exit-inference`
    let reckoned =
        !linked && circuits.len() <= POOL && !matches!(design, Design::Walks | Design::Guard);
    let set = |see: &dyn Fn(&Circuit) -> Option<Sighting>| {
        reckoned.then(|| effective_set(links, design, &circuits, &coalition, see))
    };
    Case {
        linked,
        set: set(&|circuit| circuit.first_honest_before_end(|relay| coalition.has(relay))),
        set_by_timing: set(&|circuit| circuit.before_first_colluder(|relay| coalition.has(relay))),
    }
}

fn effective_set(
    links: &Links,
    design: Design,
    circuits: &[Circuit],
    coalition: &Coalition,
    see: &dyn Fn(&Circuit) -> Option<Sighting>,
) -> f64 {
    let mut sightings: Vec<Sighting> = circuits.iter().filter_map(see).collect();
    let colluders = coalition.members();
    if sightings.is_empty() {
        return count(links.nodes() - colluders.len());
    }
    // Whoever knows the guard or a second hop learns nothing more of them from what lies behind
    let nearest = sightings
        .iter()
        .map(|sighting| sighting.hop)
        .min()
        .unwrap_or(0);
    if nearest <= 2 {
        sightings.retain(|sighting| sighting.hop == nearest);
        sightings.sort_by_key(|sighting| sighting.group);
        sightings.dedup_by_key(|sighting| sighting.group);
    }
    Belief::after(links, design, &sightings, &colluders).effective_set()
}

impl rows::Row for Row {
    fn is_like(&self, other: &Self) -> bool {
        self.name == other.name && is_same_part(self.part, other.part)
    }

    fn add(&mut self, other: Self) {
        self.cases.extend(other.cases);
    }
}

impl Row {
    fn linked(&self) -> f64 {
        share(
            self.cases.iter().filter(|case| case.linked).count(),
            self.cases.len(),
        )
    }

    fn sets(&self, set: impl Fn(&Case) -> Option<f64>) -> Vec<f64> {
        let mut sets: Vec<f64> = self.cases.iter().filter_map(set).collect();
        sets.sort_by(f64::total_cmp);
        sets
    }
}

fn report(parameters: &Parameters, rows: &[Row], outcome: &mut Outcome) {
    let nodes = count(parameters.nodes);
    let mut table = Table::new(
        "outcomes",
        "Pools of 32 circuits of 6 hops against coalitions, where guard and an end are not both theirs: effective set / N",
        &[
            "stays",
            "part that colludes",
            "guard and an end collude",
            "median",
            "a tenth have less than",
            "below a third",
            "with timing: median",
            "with timing: a tenth have less than",
            "with timing: below a third",
        ],
    );
    for row in rows {
        let (sets, timed) = (
            row.sets(|case| case.set),
            row.sets(|case| case.set_by_timing),
        );
        let below = |sets: &[f64]| {
            share(
                sets.iter().filter(|set| **set < nodes / 3.0).count(),
                sets.len(),
            )
        };
        table.row([
            row.name.into(),
            row.part.into(),
            row.linked().into(),
            (quantile(&sets, 0.5) / nodes).into(),
            (quantile(&sets, 0.1) / nodes).into(),
            below(&sets).into(),
            (quantile(&timed, 0.5) / nodes).into(),
            (quantile(&timed, 0.1) / nodes).into(),
            below(&timed).into(),
        ]);
        figures(row, nodes, outcome);
    }
    outcome.table(table);
    notes(parameters, outcome);
}

fn figures(row: &Row, nodes: f64, outcome: &mut Outcome) {
    let Row { part, name, cases } = row;
    let deviation = (part * (1.0 - part) / count(cases.len())).sqrt();
    let linked = Figure::new(
        format!("{name} kept, {part} collude: first hop and an end of one circuit do"),
        row.linked(),
        "",
    );
    let most = 2.0_f64.mul_add(deviation, *part);
    let source = "bar: the part that colludes, and two deviations of as many draws";
    if *name == OURS {
        outcome.figure(linked.at_most(most).published(*part).source(source));
    } else if name.contains("1000") {
        let known = 1.0 - (1.0 - part * part).powf(count(MANY));
        let linked = linked.published(known);
        outcome.figure(if *part >= 0.05 {
            linked
                .at_most(most)
                .with_fault()
                .source("fault: no guard; 1 - (1 - f^2)^1000")
        } else {
            linked.source("no guard; 1 - (1 - f^2)^1000")
        });
    }
    if *name == OURS && is_same_part(*part, 0.1) {
        let set = quantile(&row.sets(|case| case.set), 0.5) / nodes;
        outcome.figure(
            Figure::new(
                format!("{name} kept, {part} collude: median effective set / N"),
                set,
                "",
            )
            .at_least(1.0 / 3.0)
            .source("bar of the design; places of ends and of the relays before them, no timing"),
        );
        let set = quantile(&row.sets(|case| case.set_by_timing), 0.5) / nodes;
        outcome.figure(
            Figure::new(format!("{name} kept, {part} collude: median effective set / N with timing"), set, "")
                .source("no bar: colluders who recognise a circuit in the middle are more than the design promises against"),
        );
    }
}

fn notes(parameters: &Parameters, outcome: &mut Outcome) {
    outcome.note(format!(
        "Places: {} graphs, {} originators on each, each against a coalition of its own. \"Without timing\" colluders recognise a circuit only where they stand next to each other at its end. \"With timing\" \
         all colluders of a circuit whose end is theirs recognise it, always: who follows the second hop knows the second hop, and a colluding second hop knows the guard.",
        parameters.graphs, parameters.originators,
    ));
    outcome.note(
        "Without a guard 1 - (1 - f^2)^circuits is not quite reached: a node has only so many neighbours to begin with, so that 1 - (1 - f)^degree is the most.",
    );
    outcome.note(
        "With timing every further hop that stays the same is a place where a colluder stays too: several second hops make it likely that one colludes, which gives away the guard. \
         One second hop, kept as long as the guard, is best on every count; what it costs is that all circuits depend on two relays.",
    );
}
