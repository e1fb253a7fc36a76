//! How many circuits a file is dealt over: files through real routers.

use routing::Lookahead;

use super::Parameters;
use crate::anonymity::trial::{Judged, Trial, behind_circuits, innocents, part_of};
use crate::anonymity::{Asker, Coalition, Degrees, Design, Downloads, POOL};
use crate::experiment::{Axis, Context, Figure, Kind, Outcome, Plot, Table};
use crate::experiments::rows::{self, together};
use crate::random::rng_for;
use crate::statistics::{count, is_same_part};

/// A number of circuits, and hops of each.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pool {
    circuits: usize,
    hops: usize,
    /// Innocents flagged for each download where 5, 10 and 20 % collude: 10 000 nodes, 1000 blocks, 200 downloads in a model without routers.
    published: [f64; 3],
}

const POOLS: [Pool; 5] = [
    pool(1, 4, [1.24, 2.0, 2.9]),
    pool(8, 6, [0.84, 1.8, 2.9]),
    pool(16, 6, [0.28, 0.57, 1.2]),
    pool(POOL, 6, [0.01, 0.02, 0.0]),
    pool(1000, 6, [0.0, 0.0, 0.0]),
];

const fn pool(circuits: usize, hops: usize, published: [f64; 3]) -> Pool {
    Pool {
        circuits,
        hops,
        published,
    }
}

impl Pool {
    fn published(&self, parameters: &Parameters, part: f64) -> Option<f64> {
        let place = [0.05, 0.1, 0.2]
            .iter()
            .position(|&known| is_same_part(known, part));
        let comparable = parameters.nodes == 10_000 && parameters.blocks == 1_000;
        place
            .filter(|_| comparable)
            .map(|place| self.published[place])
    }
}

/// All of one pool and part.
struct Row {
    pool: Pool,
    part: f64,
    judged: Vec<Judged>,
}

impl rows::Row for Row {
    fn is_like(&self, other: &Self) -> bool {
        self.pool == other.pool && is_same_part(self.part, other.part)
    }

    fn add(&mut self, other: Self) {
        self.judged.extend(other.judged);
    }
}

pub(super) fn measure(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) {
    let networks = 0..parameters.networks;
    let items: Vec<(Pool, u64)> = networks
        .flat_map(|network| POOLS.map(|pool| (pool, network)))
        .collect();
    let found = context.parallel("networks", &items, |&(pool, network)| {
        one_network(
            parameters,
            pool,
            context.seed().wrapping_mul(1_013).wrapping_add(network),
        )
    });
    report(parameters, &together(found), outcome);
}

fn one_network(parameters: &Parameters, pool: Pool, seed: u64) -> Vec<Row> {
    let mut world = Downloads::new(
        parameters.nodes,
        Degrees::Even(parameters.degree),
        Lookahead::On,
        seed,
    );
    let trials: Vec<Trial> = (0..parameters.files)
        .map(|number| {
            let mut rng = rng_for(seed, &format!("file {number}"));
            let file = world.file(parameters.blocks);
            let publisher = Asker::One(world.node());
            world.publish(&publisher, &file);
            let (requester, design) = (world.node(), Design::SecondHops(1));
            let shape = (design, pool.circuits, pool.hops);
            let (asker, circuits) =
                behind_circuits(world.links(), requester, shape, &file, &mut rng);
            Trial {
                requester,
                seen: world.download(&asker, &file, None).all,
                circuits,
                design,
                blocks: parameters.blocks,
            }
        })
        .collect();
    let judge = |part: f64| {
        let judged = trials.iter().flat_map(|trial| {
            let coalitions = Coalition::against(
                trial.requester,
                parameters.nodes,
                part,
                parameters.coalitions,
                seed,
            );
            trial.judge(world.links(), &coalitions, 0)
        });
        Row {
            pool,
            part,
            judged: judged.collect(),
        }
    };
    parameters.parts.iter().map(|&part| judge(part)).collect()
}

fn report(parameters: &Parameters, rows: &[Row], outcome: &mut Outcome) {
    let mut table = Table::new(
        "pools",
        "Files through pools of circuits with one guard and one second hop",
        &[
            "circuits",
            "hops",
            "part that colludes",
            "innocents flagged for each file",
            "published",
            "requester flagged",
            "first guess right",
            "guard and an end collude",
        ],
    );
    for row in rows {
        table.row([
            row.pool.circuits.into(),
            row.pool.hops.into(),
            row.part.into(),
            innocents(&row.judged).into(),
            row.pool.published(parameters, row.part).into(),
            part_of(&row.judged, |judged| judged.verdict.caught).into(),
            part_of(&row.judged, |judged| judged.verdict.first_guess).into(),
            part_of(&row.judged, |judged| judged.linked).into(),
        ]);
        figures(parameters, row, outcome);
    }
    outcome.table(table);
    outcome.plot(plot(parameters, rows));
    outcome.note(format!(
        "Pools: {} networks of {} routers, {} files of {} blocks for each size of a pool, {} coalitions for each file and part; ends are drawn as a node draws them, and their requests \
         are those of real routers. A pool of 1000 has a fresh end for almost every block.",
        parameters.networks,
        parameters.nodes,
        parameters.networks * parameters.files as u64,
        parameters.blocks,
        parameters.coalitions,
    ));
}

fn figures(parameters: &Parameters, row: &Row, outcome: &mut Outcome) {
    let name = |what: &str| {
        format!(
            "{} circuits, {} collude: {what}",
            row.pool.circuits, row.part
        )
    };
    if row.pool.circuits == POOL {
        let innocents = Figure::new(
            name("innocents flagged for each file"),
            innocents(&row.judged),
            "",
        )
        .at_most(0.02);
        let innocents = match row.pool.published(parameters, row.part) {
            Some(known) => innocents.published(known),
            None => innocents,
        };
        outcome.figure(innocents.source("bar of the design; published: a model without routers"));
        outcome.figure(
            Figure::new(
                name("requester flagged"),
                part_of(&row.judged, |judged| judged.verdict.caught),
                "",
            )
            .at_most(0.0)
            .published(0.0)
            .source("counting finds ends, not requesters"),
        );
    }
    if row.pool.circuits == 1 && is_same_part(row.part, 0.1) {
        outcome.figure(
            Figure::new(
                name("fault: innocents flagged for each file"),
                innocents(&row.judged),
                "",
            )
            .at_most(0.02)
            .with_fault()
            .source("one end for a whole file looks like a downloader"),
        );
    }
}

fn plot(parameters: &Parameters, rows: &[Row]) -> Plot {
    let mut plot = Plot::new(
        "pools",
        "Innocents flagged for each file",
        Axis::log("circuits for a file"),
        Axis::linear("nodes"),
    );
    for &part in &parameters.parts {
        let of_part = || rows.iter().filter(move |row| is_same_part(row.part, part));
        let label = format!("{part} of all collude");
        let ours = of_part().map(|row| (count(row.pool.circuits), innocents(&row.judged)));
        plot = plot.curve(Kind::Ours, &label, ours.collect());
        let known = of_part().filter_map(|row| {
            Some((
                count(row.pool.circuits),
                row.pool.published(parameters, row.part)?,
            ))
        });
        plot = plot.curve(Kind::Published, &label, known.collect());
    }
    plot
}
