//! Downloads, and what coalitions conclude.

use rand_chacha::ChaCha8Rng;
use routing::Lookahead;

use super::Parameters;
use crate::anonymity::downloads::FileKeys;
use crate::anonymity::trial::{Believed, Judged, Trial, behind_circuits};
use crate::anonymity::{Asker, Churning, Coalition, Design, Downloads, Seen};
use crate::experiment::Context;
use crate::random::rng_for;
use crate::statistics::{count, mean, share};

/// A way to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    /// The node itself asks, as at level 0.
    Plain,
    /// The same, with routers that do not know the peers of their peers, as in the published model.
    NoLookahead,
    /// As the first; the coalition counts only requests with as many hops to live as a user's own.
    FreshOnly,
    /// Each block is carried three random hops in the open first.
    RandomStem,
    /// The same three hops for all blocks.
    OneStem,
    /// Through a pool of circuits.
    Onion,
    /// The same, with circuits that routers build and use.
    Routers,
    RoutersInsert,
    /// The node itself publishes.
    PlainInsert,
    OnionInsert,
    /// Others have downloaded the file before.
    PopularPlain,
    PopularOnion,
    /// Nodes come and go.
    ChurningPlain,
    ChurningOnion,
}

/// All of one column and part.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) column: Column,
    pub(super) part: f64,
    pub(super) files: usize,
    pub(super) judged: Vec<Judged>,
    /// Which part of all blocks came.
    pub(super) success: f64,
}

/// Circuits of a pool, and hops of each.
pub(super) const POOL: usize = 32;
pub(super) const HOPS: usize = 6;

/// What stays from circuit to circuit.
const DESIGN: Design = Design::SecondHops(1);

/// So many coalitions for each file and part reckon with the places of circuits too.
const BELIEVING: usize = 5;

/// Hops of a stem.
const STEM: usize = 3;

impl Column {
    pub(super) const ALL: [Self; 14] = [
        Self::Plain,
        Self::NoLookahead,
        Self::FreshOnly,
        Self::RandomStem,
        Self::OneStem,
        Self::Onion,
        Self::Routers,
        Self::RoutersInsert,
        Self::PlainInsert,
        Self::OnionInsert,
        Self::PopularPlain,
        Self::PopularOnion,
        Self::ChurningPlain,
        Self::ChurningOnion,
    ];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Plain => "level 0",
            Self::NoLookahead => "level 0, no lookahead",
            Self::FreshOnly => "level 0, full budgets only",
            Self::RandomStem => "warning: open stem, new for each block",
            Self::OneStem => "warning: open stem, one for all",
            Self::Onion => "onion",
            Self::Routers => "onion in routers",
            Self::RoutersInsert => "insert, onion in routers",
            Self::PlainInsert => "insert, level 0",
            Self::OnionInsert => "insert, onion",
            Self::PopularPlain => "popular file, level 0",
            Self::PopularOnion => "popular file, onion",
            Self::ChurningPlain => "nodes come and go, level 0",
            Self::ChurningOnion => "nodes come and go, onion",
        }
    }

    /// Whether circuits stand between the requester and its requests.
    pub(super) const fn is_onion(self) -> bool {
        matches!(
            self,
            Self::Onion | Self::OnionInsert | Self::PopularOnion | Self::ChurningOnion
        ) || self.is_in_routers()
    }

    /// Whether circuits are the routers' own.
    const fn is_in_routers(self) -> bool {
        matches!(self, Self::Routers | Self::RoutersInsert)
    }

    const fn lookahead(self) -> Lookahead {
        match self {
            Self::NoLookahead => Lookahead::Off,
            _ => Lookahead::On,
        }
    }

    const fn is_insert(self) -> bool {
        matches!(
            self,
            Self::PlainInsert | Self::OnionInsert | Self::RoutersInsert
        )
    }
}

/// Runs each column in each network. The results stand by column and part.
pub(super) fn measure(
    context: &Context<'_>,
    parameters: &Parameters,
    columns: &[Column],
) -> Vec<Cell> {
    let networks = 0..parameters.networks;
    let items: Vec<(Column, u64)> = networks
        .flat_map(|network| columns.iter().map(move |&column| (column, network)))
        .collect();
    let found = context.parallel("networks", &items, |&(column, network)| {
        one_network(
            parameters,
            column,
            context.seed().wrapping_mul(1_009).wrapping_add(network),
        )
    });
    let mut cells: Vec<Cell> = Vec::new();
    for part in found.into_iter().flatten() {
        let known = cells
            .iter_mut()
            .find(|cell| cell.column == part.column && (cell.part - part.part).abs() < 1e-9);
        if let Some(cell) = known {
            cell.success +=
                (part.success - cell.success) * share(part.files, cell.files + part.files);
            cell.files += part.files;
            cell.judged.extend(part.judged);
        } else {
            cells.push(part);
        }
    }
    cells
}

fn one_network(parameters: &Parameters, column: Column, seed: u64) -> Vec<Cell> {
    let (nodes, links) = (parameters.nodes, parameters.long_links);
    let mut world = if column.is_in_routers() {
        Downloads::with_circuits(nodes, links, seed)
    } else {
        Downloads::new(nodes, links, column.lookahead(), seed)
    };
    let (trials, successes): (Vec<Trial>, Vec<f64>) = (0..parameters.files)
        .map(|number| {
            trial(
                &mut world,
                parameters,
                column,
                &mut rng_for(seed, &format!("file {number}")),
            )
        })
        .unzip();
    let judge = |part: f64| Cell {
        column,
        part,
        files: trials.len(),
        success: mean(&successes),
        judged: trials
            .iter()
            .flat_map(|trial| {
                let coalitions = coalitions(parameters, trial.requester, part, seed);
                trial.judge(world.links(), &coalitions, BELIEVING)
            })
            .collect(),
    };
    parameters.parts.iter().map(|&part| judge(part)).collect()
}

/// One file, and which part of it came.
fn trial(
    world: &mut Downloads,
    parameters: &Parameters,
    column: Column,
    rng: &mut ChaCha8Rng,
) -> (Trial, f64) {
    let file = world.file(parameters.blocks);
    let requester = world.node();
    let (mut circuits, mut stems) = (Vec::new(), Vec::new());
    let asker = match column {
        Column::RandomStem => {
            let (asker, seen) =
                Asker::behind_random_stems(world.links(), requester, STEM, &file, rng);
            stems = seen;
            asker
        }
        Column::OneStem => {
            let (asker, seen) = Asker::behind_one_stem(world.links(), requester, STEM, &file, rng);
            stems = seen;
            asker
        }
        column if column.is_onion() && !column.is_in_routers() => {
            let pool = (DESIGN, POOL, HOPS);
            let (asker, pool) = behind_circuits(world.links(), requester, pool, &file, rng);
            circuits = pool;
            asker
        }
        _ => Asker::One(requester),
    };
    let seen = ask(world, parameters, column, &asker, &file);
    if column.is_in_routers() {
        circuits.clone_from(&seen.circuits);
    }
    let tally = match column {
        Column::FreshOnly => seen.fresh,
        Column::RandomStem | Column::OneStem => seen.all.with(stems),
        _ => seen.all,
    };
    let trial = Trial {
        requester,
        seen: tally,
        circuits,
        design: DESIGN,
        blocks: parameters.blocks,
    };
    (trial, seen.success)
}

fn ask(
    world: &mut Downloads,
    parameters: &Parameters,
    column: Column,
    asker: &Asker,
    file: &FileKeys,
) -> Seen {
    if let (Column::RoutersInsert, Asker::One(node)) = (column, asker) {
        return world.publish_hidden(*node, file);
    }
    if column.is_insert() {
        return world.publish(asker, file);
    }
    let publisher = Asker::One(world.node());
    world.publish(&publisher, file);
    if matches!(column, Column::PopularPlain | Column::PopularOnion) {
        for _ in 0..parameters.readers {
            let reader = Asker::One(world.node());
            world.download(&reader, file, None);
        }
    }
    if let (Column::Routers, Asker::One(node)) = (column, asker) {
        return world.download_hidden(*node, file);
    }
    let churning = matches!(column, Column::ChurningPlain | Column::ChurningOnion);
    let churning = churning.then_some(Churning {
        part: parameters.down,
    });
    world.download(asker, file, churning)
}

fn coalitions(parameters: &Parameters, requester: usize, part: f64, seed: u64) -> Vec<Coalition> {
    (0..parameters.coalitions)
        .map(|number| {
            let purpose = format!("coalition {number} of {part} against {requester}");
            Coalition::draw(
                parameters.nodes,
                part,
                requester,
                &mut rng_for(seed, &purpose),
            )
        })
        .collect()
}

impl Cell {
    pub(super) fn caught(&self) -> f64 {
        self.part_of(|judged| judged.verdict.caught)
    }

    pub(super) fn first_guess(&self) -> f64 {
        self.part_of(|judged| judged.verdict.first_guess)
    }

    pub(super) fn linked(&self) -> f64 {
        self.part_of(|judged| judged.linked)
    }

    pub(super) fn neighbour(&self) -> f64 {
        self.part_of(|judged| judged.neighbour)
    }

    pub(super) fn innocents(&self) -> f64 {
        mean(
            &self
                .judged
                .iter()
                .map(|judged| count(judged.verdict.innocents))
                .collect::<Vec<_>>(),
        )
    }

    /// Which part of all whom the coalition flags are requesters.
    pub(super) fn precision(&self) -> f64 {
        self.caught() / (self.caught() + self.innocents())
    }

    /// The beliefs in the requester, and the effective sets.
    pub(super) fn beliefs(&self) -> Vec<Believed> {
        self.judged
            .iter()
            .filter_map(|judged| judged.belief)
            .collect()
    }

    fn part_of(&self, is: impl Fn(&Judged) -> bool) -> f64 {
        share(
            self.judged.iter().filter(|judged| is(judged)).count(),
            self.judged.len(),
        )
    }
}
