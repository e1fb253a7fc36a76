//! Downloads, and what coalitions conclude.

use rand_chacha::ChaCha8Rng;
use routing::Level;

use super::Parameters;
use super::column::{Column, Deed, Hiding, World};
use crate::anonymity::downloads::FileKeys;
use crate::anonymity::trial::{Believed, Judged, Trial, behind_circuits, innocents, part_of};
use crate::anonymity::{Asker, Churning, Coalition, Design, Downloads, POOL, Seen};
use crate::experiment::Context;
use crate::experiments::rows::{Row, together};
use crate::random::rng_for;
use crate::statistics::{is_same_part, mean, share};

/// All of one column and part.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) column: Column,
    pub(super) part: f64,
    pub(super) judged: Vec<Judged>,
    /// Of each file, which part of all blocks came.
    successes: Vec<f64>,
    /// Of each file, how many circuits it came through.
    circuits: Vec<usize>,
}

/// What stays from circuit to circuit.
const DESIGN: Design = Design::SecondHops(1);

/// So many coalitions for each file and part reckon with the places of circuits too.
const BELIEVING: usize = 10;

/// Hops of a stem.
const STEM: usize = 3;

/// Measures each column in each network. The results stand by column and part.
pub(super) fn measure(context: &Context<'_>, parameters: &Parameters) -> Vec<Cell> {
    let mut worlds: Vec<World> = Vec::new();
    for column in &parameters.columns {
        let world = column.world(parameters.degree);
        if !worlds.contains(&world) {
            worlds.push(world);
        }
    }
    let networks = 0..parameters.networks;
    let items: Vec<(World, u64)> = networks
        .flat_map(|network| worlds.iter().map(move |&world| (world, network)))
        .collect();
    let found = context.parallel("networks", &items, |&(world, network)| {
        let seed = context.seed().wrapping_mul(1_009).wrapping_add(network);
        one_network(parameters, world, seed)
    });
    let mut cells = together(found);
    cells.sort_by_key(|cell| cell.column);
    cells
}

impl Row for Cell {
    fn is_like(&self, other: &Self) -> bool {
        self.column == other.column && is_same_part(self.part, other.part)
    }

    fn add(&mut self, other: Self) {
        self.judged.extend(other.judged);
        self.successes.extend(other.successes);
        self.circuits.extend(other.circuits);
    }
}

fn one_network(parameters: &Parameters, of: World, seed: u64) -> Vec<Cell> {
    let mut world = if of.circuits {
        Downloads::with_circuits(parameters.nodes, of.degrees, seed)
    } else {
        Downloads::new(parameters.nodes, of.degrees, of.lookahead, seed)
    };
    let columns = Column::ALL.into_iter().filter(|column| {
        parameters.columns.contains(column) && column.world(parameters.degree) == of
    });
    let mut cells = Vec::new();
    for column in columns {
        let (trials, successes): (Vec<Trial>, Vec<f64>) = (0..parameters.files)
            .map(|number| {
                let mut rng = rng_for(seed, &format!("file {number}"));
                trial(&mut world, parameters, column, &mut rng)
            })
            .unzip();
        cells.extend(parameters.parts.iter().map(|&part| Cell {
            column,
            part,
            successes: successes.clone(),
            circuits: trials.iter().map(|trial| trial.circuits.len()).collect(),
            judged: judge(&world, parameters, &trials, part, seed),
        }));
    }
    cells
}

fn judge(
    world: &Downloads,
    parameters: &Parameters,
    trials: &[Trial],
    part: f64,
    seed: u64,
) -> Vec<Judged> {
    let judged = trials.iter().flat_map(|trial| {
        let coalitions = Coalition::against(
            trial.requester,
            parameters.nodes,
            part,
            parameters.coalitions,
            seed,
        );
        trial.judge(world.links(), &coalitions, BELIEVING)
    });
    judged.collect()
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
    let asker = match column.hiding() {
        Hiding::RandomStem => {
            let (asker, seen) =
                Asker::behind_random_stems(world.links(), requester, STEM, &file, rng);
            stems = seen;
            asker
        }
        Hiding::OneStem => {
            let (asker, seen) = Asker::behind_one_stem(world.links(), requester, STEM, &file, rng);
            stems = seen;
            asker
        }
        Hiding::Drawn => {
            let hops = Level::Six.hops_at(world.links().degree(requester));
            let pool = (DESIGN, POOL, usize::from(hops));
            let (asker, pool) = behind_circuits(world.links(), requester, pool, &file, rng);
            circuits = pool;
            asker
        }
        Hiding::Nothing | Hiding::Routers => Asker::One(requester),
    };
    let seen = ask(world, parameters, column, &asker, requester, &file);
    if column.hiding() == Hiding::Routers {
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
    requester: usize,
    file: &FileKeys,
) -> Seen {
    let hidden = column.hiding() == Hiding::Routers;
    let deed = column.deed();
    if deed == Deed::Publish {
        return if hidden {
            world.publish_hidden(requester, file)
        } else {
            world.publish(asker, file)
        };
    }
    let publisher = Asker::One(world.node());
    world.publish(&publisher, file);
    if deed == Deed::DownloadPopular {
        for _ in 0..parameters.readers {
            let reader = Asker::One(world.node());
            world.download(&reader, file, None);
        }
    }
    let churning = (deed == Deed::DownloadWhileNodesComeAndGo).then_some(Churning {
        part: parameters.down,
    });
    if hidden {
        world.download_hidden(requester, file, churning)
    } else {
        world.download(asker, file, churning)
    }
}

impl Cell {
    pub(super) fn caught(&self) -> f64 {
        part_of(&self.judged, |judged| judged.verdict.caught)
    }

    pub(super) fn first_guess(&self) -> f64 {
        part_of(&self.judged, |judged| judged.verdict.first_guess)
    }

    pub(super) fn linked(&self) -> f64 {
        part_of(&self.judged, |judged| judged.linked)
    }

    pub(super) fn neighbour(&self) -> f64 {
        part_of(&self.judged, |judged| judged.neighbour)
    }

    pub(super) fn innocents(&self) -> f64 {
        innocents(&self.judged)
    }

    pub(super) fn files(&self) -> usize {
        self.successes.len()
    }

    /// Which part of all blocks came.
    pub(super) fn success(&self) -> f64 {
        mean(&self.successes)
    }

    /// How many circuits the file with the fewest came through.
    pub(super) fn circuits_least(&self) -> usize {
        self.circuits.iter().copied().min().unwrap_or_default()
    }

    /// How many a file came through on average.
    pub(super) fn circuits(&self) -> f64 {
        share(self.circuits.iter().sum(), self.circuits.len())
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
}
