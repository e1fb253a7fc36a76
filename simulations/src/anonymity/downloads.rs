//! Files that are published and downloaded in a network of routers, and what each node sees of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crypto::BlockKey;
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use routing::{
    Anonymity, Block, Class, Group, HopsToLive, InsertStage, Level, Lookahead, Message,
    OnionConfig, Role, Via,
};

use super::traced::Traced;
use super::{Circuit, Degrees, Links, Tally};
use crate::behaviour::{Direction, Observation};
use crate::elided_block::ElidedBlock;
use crate::network::{Network, RequestHandle, Settings};
use crate::random::rng_for;
use crate::statistics::share;
use crate::topology::short;

/// A network of which every node's messages are seen, so that any of them may turn out to collude.
#[derive(Debug)]
pub struct Downloads {
    network: Network<ElidedBlock>,
    links: Links,
    files: u64,
    rng: ChaCha8Rng,
    hops_max: HopsToLive,
    /// Down for a while.
    away: Vec<usize>,
    /// How requests leave the node that asks.
    hiding: Hiding,
}

/// Whether requests go through circuits of the routers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hiding {
    /// None has any.
    Off,
    /// They do, over six hops, or more where degrees are low.
    On,
}

/// A file: keys of blocks, in order.
#[derive(Clone, Debug)]
pub struct FileKeys {
    blocks: Vec<ElidedBlock>,
    numbers: BTreeMap<BlockKey, u32>,
}

/// Who asks for each block in the open.
#[derive(Clone, Debug)]
pub enum Asker {
    /// The same for all.
    One(usize),
    /// For each its own.
    Each(Vec<usize>),
}

/// What was seen while a file was downloaded or published.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Of all requests.
    pub all: Tally,
    /// Of those with as many hops to live as a user's own.
    pub fresh: Tally,
    /// The circuits of the one who asked, at whose ends blocks of the file were looked up or offered: the routers' own, seen from
    /// above.
    pub circuits: Vec<Circuit>,
    /// Which part of the blocks came, or was stored.
    pub success: f64,
}

/// What makes a download harder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Churning {
    /// This part of all nodes is down at any time, others after each tenth of a file.
    pub part: f64,
}

impl Downloads {
    /// `nodes` with links to neighbours on the ring and others.
    #[must_use]
    pub fn new(nodes: usize, degrees: Degrees, lookahead: Lookahead, seed: u64) -> Self {
        Self::with(nodes, degrees, lookahead, Hiding::Off, seed)
    }

    /// The same with routers that have circuits, and have had the time to tell each other of it.
    #[must_use]
    pub fn with_circuits(nodes: usize, degrees: Degrees, seed: u64) -> Self {
        Self::with(nodes, degrees, Lookahead::On, Hiding::On, seed)
    }

    fn with(
        nodes: usize,
        degrees: Degrees,
        lookahead: Lookahead,
        hiding: Hiding,
        seed: u64,
    ) -> Self {
        let topology = degrees.topology(nodes, seed);
        let mut settings = Settings {
            traced: false,
            paths: false,
            ..Settings::default()
        };
        settings.config.lookahead = lookahead;
        if hiding == Hiding::On {
            // Circuits that stand by would be built by all, and are of no use to those who do not ask
            settings.config.onion = Some(Arc::new(OnionConfig {
                spare: 0,
                ..OnionConfig::default()
            }));
        }
        let hops_max = settings.config.hops_to_live_max;
        let mut network = Network::new(&topology, settings, seed);
        if hiding == Hiding::On {
            network.run_for(SETTLING);
        }
        for node in 0..nodes {
            network.watch(node);
        }
        Self {
            network,
            links: Links::of_topology(&topology),
            files: seed << 32,
            rng: rng_for(seed, "downloads"),
            hops_max,
            away: Vec::new(),
            hiding,
        }
    }

    /// Who is linked with whom.
    #[must_use]
    pub const fn links(&self) -> &Links {
        &self.links
    }

    /// A new file of so many blocks, which is nowhere yet.
    pub fn file(&mut self, blocks: usize) -> FileKeys {
        let first = self.files;
        self.files += blocks as u64;
        let blocks: Vec<ElidedBlock> = (first..self.files).map(ElidedBlock::content).collect();
        let numbers = blocks.iter().map(Block::key).zip(0..).collect();
        FileKeys { blocks, numbers }
    }

    /// A random node that runs.
    pub fn node(&mut self) -> usize {
        self.network.random_node(None)
    }

    /// A node publishes a file, in the open.
    pub fn publish(&mut self, askers: &Asker, file: &FileKeys) -> Seen {
        let work = |network: &mut Network<ElidedBlock>, node, block: &ElidedBlock| {
            network.insert_as(node, block.clone(), Class::Bulk)
        };
        self.all(askers, file, None, work)
    }

    /// A node downloads a file, in the open.
    pub fn download(
        &mut self,
        askers: &Asker,
        file: &FileKeys,
        churning: Option<Churning>,
    ) -> Seen {
        let work = |network: &mut Network<ElidedBlock>, node, block: &ElidedBlock| {
            network.fetch_as(node, block.key(), Class::Bulk)
        };
        self.all(askers, file, churning, work)
    }

    /// A node publishes a file through circuits.
    ///
    /// # Panics
    /// If the routers have no circuits.
    pub fn publish_hidden(&mut self, node: usize, file: &FileKeys) -> Seen {
        let hidden = self.through_circuits();
        let work = |network: &mut Network<ElidedBlock>, node, block: &ElidedBlock| {
            network.insert_hidden(node, block.clone(), Class::Bulk, hidden)
        };
        self.all(&Asker::One(node), file, None, work)
    }

    /// A node downloads a file through circuits.
    ///
    /// # Panics
    /// If the routers have no circuits.
    pub fn download_hidden(
        &mut self,
        node: usize,
        file: &FileKeys,
        churning: Option<Churning>,
    ) -> Seen {
        let hidden = self.through_circuits();
        let work = |network: &mut Network<ElidedBlock>, node, block: &ElidedBlock| {
            network.fetch_hidden(node, block.key(), Class::Bulk, hidden)
        };
        self.all(&Asker::One(node), file, churning, work)
    }

    /// A group of its own for the file that was made last.
    fn through_circuits(&self) -> Anonymity {
        assert_eq!(self.hiding, Hiding::On, "routers without circuits");
        Anonymity::Circuit(Via {
            level: Level::Six,
            group: Group(self.files),
            role: Role::Part,
        })
    }

    fn all(
        &mut self,
        askers: &Asker,
        file: &FileKeys,
        churning: Option<Churning>,
        work: impl Fn(&mut Network<ElidedBlock>, usize, &ElidedBlock) -> RequestHandle,
    ) -> Seen {
        self.network.take_observations();
        self.network.take_lookups();
        let mut traced = Traced::default();
        let (mut all, mut fresh, mut handles) = (Vec::new(), Vec::new(), Vec::new());
        let size = file.blocks.len().div_ceil(TENTHS);
        for (tenth, blocks) in file.blocks.chunks(size).enumerate() {
            if let Some(churning) = churning {
                self.churn(churning, askers);
            }
            for (number, block) in blocks.iter().enumerate() {
                let node = askers.of(tenth * size + number);
                handles.push(work(&mut self.network, node, block));
            }
            self.network.run_until_ended(LONGEST);
            let observations = self.network.take_observations();
            let lookups = self.network.take_lookups();
            if self.hiding == Hiding::On {
                traced.add(&observations, &lookups, |key| {
                    file.numbers.contains_key(key)
                });
            }
            for observation in &observations {
                if let Some((seen, hops)) = sight(file, observation) {
                    all.push(seen);
                    fresh.extend((hops == self.hops_max).then_some(seen));
                }
            }
        }
        let came = handles
            .iter()
            .filter(|&&handle| self.network.report(handle).is_success());
        Seen {
            all: Tally::of(all),
            fresh: Tally::of(fresh),
            circuits: match askers {
                Asker::One(node) => traced.circuits(*node),
                Asker::Each(_) => Vec::new(),
            },
            success: share(came.count(), handles.len()),
        }
    }

    /// Some go, and those that were away come back. Who asks stays.
    fn churn(&mut self, Churning { part }: Churning, askers: &Asker) {
        for node in std::mem::take(&mut self.away) {
            self.network.restart_node(node);
        }
        for node in 0..self.links.nodes() {
            if self.rng.random_bool(part) && !askers.has(node) {
                self.network.stop_node(node);
                self.away.push(node);
            }
        }
    }
}

impl Asker {
    /// The requester's plaintext stems: each block is carried so many hops in the open, drawn anew for each block, and asked for by the last. Gives
    /// who asks, and what the nodes on the way see. It exists to show what it costs, and nowhere else.
    pub fn behind_random_stems(
        links: &Links,
        requester: usize,
        hops: usize,
        file: &FileKeys,
        rng: &mut ChaCha8Rng,
    ) -> (Self, Vec<(u32, u32, u32)>) {
        let stems: Vec<Vec<usize>> = (0..file.blocks.len())
            .map(|_| stem(links, requester, hops, rng))
            .collect();
        Self::behind(&stems)
    }

    /// The same with one stem for the whole file.
    pub fn behind_one_stem(
        links: &Links,
        requester: usize,
        hops: usize,
        file: &FileKeys,
        rng: &mut ChaCha8Rng,
    ) -> (Self, Vec<(u32, u32, u32)>) {
        let stem = stem(links, requester, hops, rng);
        Self::behind(&vec![stem; file.blocks.len()])
    }

    /// Each block is asked for by one of `ends`, any one.
    pub fn dealt(ends: &[usize], file: &FileKeys, rng: &mut ChaCha8Rng) -> Self {
        let blocks = 0..file.blocks.len();
        Self::Each(
            blocks
                .map(|_| ends[rng.random_range(0..ends.len())])
                .collect(),
        )
    }

    fn behind(stems: &[Vec<usize>]) -> (Self, Vec<(u32, u32, u32)>) {
        let ends = stems.iter().filter_map(|stem| stem.last().copied());
        let seen = stems.iter().zip(0..).flat_map(|(stem, block)| {
            stem.windows(2)
                .map(move |pair| (short(pair[1]), short(pair[0]), block))
        });
        (Self::Each(ends.collect()), seen.collect())
    }

    fn of(&self, block: usize) -> usize {
        match self {
            Self::One(node) => *node,
            Self::Each(nodes) => nodes[block],
        }
    }

    fn has(&self, node: usize) -> bool {
        match self {
            Self::One(one) => *one == node,
            Self::Each(nodes) => nodes.contains(&node),
        }
    }
}

/// The requester, and a walk from it.
fn stem(links: &Links, requester: usize, hops: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut stem = vec![requester];
    while stem.len() <= hops {
        let last = *stem.last().expect("the requester is in it");
        let next = links.neighbours(last).choose(rng);
        stem.push(*next.expect("nobody is without links") as usize);
    }
    stem
}

/// Who was asked by whom for which block of the file, and with how many hops to live.
fn sight(file: &FileKeys, observation: &Observation) -> Option<((u32, u32, u32), HopsToLive)> {
    if observation.direction != Direction::In {
        return None;
    }
    let (key, hops) = match &observation.message {
        Message::Fetch {
            key, hops_to_live, ..
        } => (key, *hops_to_live),
        Message::Offer { key, stage, .. } => match stage {
            InsertStage::Seek(hops) | InsertStage::Inside(hops) | InsertStage::Outward(hops) => {
                (key, *hops)
            }
            // A copy of what others published
            InsertStage::Replicate(_) | InsertStage::Repair => return None,
        },
        _ => return None,
    };
    let block = *file.numbers.get(key)?;
    Some((
        (short(observation.node), short(observation.other), block),
        hops,
    ))
}

/// A file is asked for in so many parts, one after the other.
const TENTHS: usize = 10;

/// Until all know each other's lists: two intervals, and the time of grace.
const SETTLING: Duration = Duration::from_secs(150);

/// A part of a file is given up after so long.
const LONGEST: Duration = Duration::from_hours(1);
