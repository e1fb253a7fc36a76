//! Real routers whose nodes come, go, and leave for good, and the blocks that they keep meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use routing::{Block, Config, Contact, Effort, Event, Lookahead, OpennetConfig};

use crate::churn::{Change, Churn, SessionModel};
use crate::elided_block::ElidedBlock;
use crate::measure::Counters;
use crate::network::{Network, Settings};
use crate::opennet_world::{Growth, OpennetWorld};
use crate::random::rng_for;
use crate::sim_node::Sabotage;
use crate::sim_store::StoreLimits;
use crate::statistics::{count, mean, share};

/// How a world of routers is set up.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// Online or not.
    pub(super) nodes: usize,
    pub(super) days: usize,
    /// How long nodes stay and are away.
    pub(super) model: SessionModel,
    /// Which part of the nodes leaves for good each day; so many others come.
    pub(super) leave: f64,
    /// Which part of all sessions ends with the node leaving for good; another one comes then.
    pub(super) last_sessions: f64,
    /// From the end of one walk through a store to the next, if nodes walk.
    pub(super) repair: Option<Duration>,
    /// The days at whose beginning blocks are looked for.
    pub(super) looks: Vec<usize>,
    pub(super) sabotage: Sabotage,
}

/// What was found on one day.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) day: usize,
    /// Which blocks a fetch found at another node.
    pub(super) found: Vec<bool>,
    /// Which part of the blocks that is.
    pub(super) blocks_found: f64,
    /// Which part of the blocks was somewhere online.
    pub(super) blocks_online: f64,
    /// Which part of the blocks was at nodes that have not left for good, online or not.
    pub(super) blocks_kept: f64,
    /// Copies of a block at nodes that have not left for good, online or not.
    pub(super) copies: f64,
    pub(super) online: f64,
}

/// What became of a world.
#[derive(Clone, Debug)]
pub(super) struct Course {
    /// Online or not.
    pub(super) nodes: usize,
    pub(super) looks: Vec<Look>,
    /// Copies that inserts said that they made, on the average.
    pub(super) inserted: f64,
    /// Bytes of repair, and of links and neighbours, a node (online or not) and day, after the first day.
    pub(super) repair_bytes: f64,
    pub(super) upkeep_bytes: f64,
    /// Messages in all, in millions.
    pub(super) messages: f64,
}

struct World<'a> {
    rules: &'a Rules,
    blocks: Vec<ElidedBlock>,
    opennet: OpennetWorld,
    churn: Churn,
    seeds: Vec<Contact>,
    /// The peers that nodes had when they left.
    remembered: BTreeMap<usize, Vec<Contact>>,
    gone: Vec<bool>,
    /// Sent outside of the looks, after the first day.
    sent: Counters,
    rng: ChaCha8Rng,
}

/// Lets a world run. `hours` says in which hour each block is inserted.
pub(super) fn run(rules: &Rules, hours: &[usize], seed: u64) -> Course {
    let mut world = World::new(rules, hours.len(), seed);
    let copies = world.insert(hours);
    let mut looks = Vec::new();
    let mut day = 1;
    loop {
        if rules.looks.contains(&day) {
            looks.push(world.look(day));
        }
        if day == rules.days {
            break;
        }
        let before = world.opennet.network.counters();
        for _ in 0..HOURS {
            world.hour(HOUR);
        }
        world
            .sent
            .add(&world.opennet.network.counters().since(&before));
        day += 1;
    }
    let each = count(rules.nodes) * count(rules.days - 1);
    let number = |number: u64| count(usize::try_from(number).unwrap_or(usize::MAX));
    Course {
        nodes: rules.nodes,
        looks,
        inserted: copies,
        repair_bytes: number(world.sent.bytes - world.sent.upkeep_bytes) / each,
        upkeep_bytes: number(world.sent.upkeep_bytes) / each,
        messages: number(world.opennet.network.counters().messages) / 1e6,
    }
}

impl<'a> World<'a> {
    fn new(rules: &'a Rules, blocks: usize, seed: u64) -> Self {
        let growth = Growth {
            nodes: rules.nodes,
            opennet: OpennetConfig::default(),
            lookahead: Lookahead::On,
            rate: 0.02,
            settling: SETTLING,
        };
        let settings = Settings {
            config: Config {
                repair_interval: rules.repair.map(|_| Duration::from_secs(1)),
                repair_pause: rules.repair.unwrap_or_default(),
                ..Config::default()
            },
            stores: StoreLimits {
                cache: Some(0),
                ..StoreLimits::default()
            },
            sabotage: rules.sabotage,
            effort: Effort::Thorough,
            paths: false,
            ..Settings::default()
        };
        let mut opennet = OpennetWorld::grow_with(&growth, settings, seed);
        let seeds: Vec<usize> = (0..SEEDS).collect();
        let contacts = seeds.iter().map(|&node| opennet.network.contact(node));
        let contacts = contacts.collect();
        let churn = Churn::begin(&mut opennet.network, rules.model.clone(), &seeds, seed);
        let mut world = Self {
            rules,
            blocks: (0..blocks as u64)
                .map(|number| ElidedBlock::content(FIRST_BLOCK + number))
                .collect(),
            gone: vec![false; opennet.network.len()],
            opennet,
            churn,
            seeds: contacts,
            remembered: BTreeMap::new(),
            sent: Counters::default(),
            rng: rng_for(seed, "routers of the churn experiment"),
        };
        world.hour(HOUR);
        world
    }

    /// So much time in which nodes come and go, and at the end some leave for good.
    fn hour(&mut self, duration: Duration) {
        let Self {
            opennet,
            churn,
            seeds,
            remembered,
            rng,
            ..
        } = self;
        let last_sessions = self.rules.last_sessions;
        let mut leaving = Vec::new();
        churn.run_for(&mut opennet.network, duration, |network, node, change| {
            if leaving.contains(&node) {
                // It had left for good; what is known of it is changed when the hour is over
                network.stop_node(node);
                return;
            }
            changed(network, node, change, seeds, remembered);
            if change == Change::Left && rng.random_bool(last_sessions) {
                leaving.push(node);
            }
        });
        let leave = 1.0 - (1.0 - self.rules.leave).powf(1.0 / count(HOURS));
        leaving.extend((SEEDS..self.gone.len()).filter(|_| self.rng.random_bool(leave)));
        for node in leaving {
            if !self.gone[node] {
                self.leave(node);
            }
        }
    }

    /// A node never comes back, and another comes.
    fn leave(&mut self, node: usize) {
        self.gone[node] = true;
        self.churn.forget(node);
        if self.opennet.network.is_running(node) {
            self.opennet.network.stop_node(node);
        }
        self.opennet.network.empty_store(node);
        let newcomer = self.opennet.join();
        self.gone.push(false);
        self.churn.add(&self.opennet.network, newcomer);
    }

    /// The first day: each hour some blocks are published, as long as that is to go on. Gives how many copies inserts made.
    fn insert(&mut self, hours: &[usize]) -> f64 {
        let mut copies = Vec::new();
        for hour in 0..HOURS {
            let began = self.opennet.network.now();
            let mut handles = Vec::new();
            for (block, _) in self.blocks.iter().zip(hours).filter(|(_, at)| **at == hour) {
                let network = &mut self.opennet.network;
                let publisher = network.random_node(None);
                handles.push(network.insert(publisher, block.clone()));
                network.run_for(Duration::from_secs(1));
            }
            let network = &self.opennet.network;
            let made = handles
                .iter()
                .map(|&insert| network.report(insert).copies());
            copies.extend(made.map(|copies| copies.map_or(0.0, f64::from)));
            let took = network.now().since(began);
            self.hour(HOUR.saturating_sub(took));
        }
        mean(&copies)
    }

    /// Looks for everything that was inserted, with fetches of random nodes that do not have it.
    fn look(&mut self, day: usize) -> Look {
        let network = &mut self.opennet.network;
        let (mut online, mut kept, mut fetches) = (Vec::new(), Vec::new(), Vec::new());
        let mut copies = 0;
        for block in &self.blocks {
            let key = block.key();
            let holders: Vec<usize> = network.holders(&key).collect();
            copies += holders.len();
            online.push(holders.iter().any(|&node| network.is_running(node)));
            kept.push(!holders.is_empty());
            let lacks = |node: &usize| network.is_running(*node) && !holders.contains(node);
            let readers: Vec<usize> = (0..network.len()).filter(lacks).collect();
            // If everybody online has it, anybody finds it
            let reader = match readers.choose(&mut self.rng) {
                Some(&reader) => reader,
                None => network.random_node(None),
            };
            fetches.push(network.fetch(reader, key));
            network.run_for(Duration::from_millis(500));
        }
        network.run_until_ended(Duration::from_secs(300));
        let found: Vec<bool> = fetches
            .iter()
            .map(|&fetch| network.report(fetch).is_success())
            .collect();
        let hits = |of: &[bool]| share(of.iter().filter(|&&hit| hit).count(), of.len());
        Look {
            day,
            blocks_found: hits(&found),
            blocks_online: hits(&online),
            blocks_kept: hits(&kept),
            found,
            copies: share(copies, self.blocks.len()),
            online: share(network.running_len(), self.rules.nodes),
        }
    }
}

/// What a node does that came or left.
fn changed(
    network: &mut Network<ElidedBlock>,
    node: usize,
    change: Change,
    seeds: &[Contact],
    remembered: &mut BTreeMap<usize, Vec<Contact>>,
) {
    match change {
        Change::Left => {
            let peers = network.router(node).remembered().cloned().collect();
            remembered.insert(node, peers);
        }
        Change::Came => {
            let contact = network.contact(node);
            network.tell(node, Event::OwnContact { contact });
            let join = Event::Join {
                remembered: remembered.remove(&node).unwrap_or_default(),
                seeds: seeds.to_vec(),
            };
            network.tell(node, join);
        }
    }
}

const HOUR: Duration = Duration::from_secs(3_600);
const HOURS: usize = 24;

/// How long the network arranges its links before nodes begin to come and go.
const SETTLING: Duration = Duration::from_secs(600);

/// Nodes that always stay, so that whoever comes finds somebody.
const SEEDS: usize = 2;

/// The numbers of blocks begin above those that the opennet gives away.
const FIRST_BLOCK: u64 = 1 << 40;
