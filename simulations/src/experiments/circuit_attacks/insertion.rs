//! A8: route insertion, in an opennet of real routers.
//!
//! Those who attack publish a file whose blocks belong to their own nodes (they try contents until the keys do), and wait for a victim that
//! fetches it. Each of their nodes takes as many peers as a router may, and puts an invitation of its own into every answer that passes. Does
//! who fetches from them become their peer sooner than who does not?

use std::sync::Arc;
use std::time::Duration;

use rand::seq::SliceRandom;
use routing::{
    Anonymity, Block, Class, Config, Group, Level, Location, Lookahead, OnionConfig, OpennetConfig,
    Role, Via,
};
use serde::Deserialize;

use crate::elided_block::ElidedBlock;
use crate::experiment::{Axis, Context, Figure, Kind, Outcome, Plot, Table};
use crate::experiments::rows::{Row, together};
use crate::network::{Network, RequestHandle, Settings};
use crate::opennet_world::{Growth, OpennetWorld};
use crate::random::rng_for;
use crate::ring::Ring;
use crate::statistics::{count, share};

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    nodes: usize,
    /// Opennets, each grown anew.
    networks: u64,
    /// Of the nodes.
    attackers: usize,
    /// Honest nodes that fetch from the attackers.
    victims: usize,
    /// Blocks that each of them fetches.
    requests: usize,
}

/// What a router may have.
const PEERS_MOST: usize = 85;

/// So often is looked who is whose peer.
const LOOKS: usize = 10;

/// From the beginning of one block to that of the next.
const BETWEEN: Duration = Duration::from_secs(2);

/// Longer than any fetch takes.
const LONGEST: Duration = Duration::from_secs(120);

/// Who has a peer among the attackers after so many blocks.
struct Adjacent {
    hidden: bool,
    blocks: usize,
    victims: usize,
    of_victims: usize,
    others: usize,
    of_others: usize,
    /// Peers of all attackers.
    peers: usize,
    attackers: usize,
    /// Blocks that came, of those asked for until then.
    came: usize,
    asked: usize,
}

impl Row for Adjacent {
    fn is_like(&self, other: &Self) -> bool {
        (self.hidden, self.blocks) == (other.hidden, other.blocks)
    }

    fn add(&mut self, other: Self) {
        self.victims += other.victims;
        self.of_victims += other.of_victims;
        self.others += other.others;
        self.of_others += other.of_others;
        self.peers += other.peers;
        self.attackers += other.attackers;
        self.came += other.came;
        self.asked += other.asked;
    }
}

impl Adjacent {
    fn victims(&self) -> f64 {
        share(self.of_victims, self.victims)
    }

    fn others(&self) -> f64 {
        share(self.of_others, self.others)
    }

    /// Of the difference, by chance alone.
    fn deviation(&self) -> f64 {
        let all = share(self.of_victims + self.of_others, self.victims + self.others);
        (all * (1.0 - all) * (1.0 / count(self.victims) + 1.0 / count(self.others))).sqrt()
    }
}

pub(super) fn measure(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) {
    let networks = 0..parameters.networks;
    let items: Vec<(bool, u64)> = networks
        .flat_map(|network| [(false, network), (true, network)])
        .collect();
    let found = context.parallel("route insertion", &items, |&(hidden, network)| {
        let seed = context.seed().wrapping_mul(1_039).wrapping_add(network);
        World::grow(parameters, hidden, seed).attack(parameters, hidden)
    });
    report(parameters, &together(found), outcome);
}

struct World {
    network: Network<ElidedBlock>,
    attackers: Vec<usize>,
    victims: Vec<usize>,
    /// Honest, and asks for nothing.
    others: Vec<usize>,
    blocks: u64,
}

impl World {
    fn grow(parameters: &Parameters, hidden: bool, seed: u64) -> Self {
        let onion = hidden.then(|| {
            Arc::new(OnionConfig {
                spare: 0,
                ..OnionConfig::default()
            })
        });
        let config = Config {
            onion,
            ..Config::default()
        };
        let settings = Settings {
            config: config.clone(),
            paths: false,
            ..Settings::default()
        };
        let growth = Growth {
            nodes: parameters.nodes - parameters.attackers,
            opennet: OpennetConfig::default(),
            lookahead: Lookahead::On,
            rate: 0.02,
            settling: Duration::from_secs(60),
        };
        let mut world = OpennetWorld::grow_with(&growth, settings, seed);
        let greedy = Arc::new(Config {
            opennet: Some(Arc::new(OpennetConfig {
                peers_max: PEERS_MOST,
                fold_reset_probability: 1.0,
                ..OpennetConfig::default()
            })),
            lookahead: Lookahead::On,
            ..config
        });
        let mut honest: Vec<usize> = (0..world.network.len()).collect();
        let attackers = (0..parameters.attackers).map(|_| {
            let node = world.network.add_stranger();
            let place = world.network.location(node);
            world
                .network
                .replace_router(node, Arc::clone(&greedy), place);
            world.enter(node);
            world.network.run_for(Duration::from_secs(2));
            node
        });
        let attackers: Vec<usize> = attackers.collect();
        world.network.run_for(Duration::from_secs(300));
        honest.shuffle(&mut rng_for(seed, "victims"));
        let others = honest.split_off(parameters.victims);
        Self {
            network: world.network,
            attackers,
            victims: honest,
            others,
            blocks: seed << 32,
        }
    }

    fn attack(mut self, parameters: &Parameters, hidden: bool) -> Vec<Adjacent> {
        let places = (0..self.network.len()).map(|node| (node, self.network.location(node)));
        let ring = Ring::new(places);
        let mut rows = vec![self.look(hidden, 0, &[])];
        let mut handles = Vec::new();
        let step = parameters.requests.div_ceil(LOOKS);
        for number in 1..=parameters.requests {
            let block = self.bait(&ring);
            let began = self.network.now();
            for (group, &victim) in self.victims.iter().enumerate() {
                let anonymity = if hidden {
                    Anonymity::Circuit(Via {
                        level: Level::Six,
                        group: Group(group as u64),
                        role: Role::Part,
                    })
                } else {
                    Anonymity::Off
                };
                let key = block.key();
                let class = Class::Bulk;
                handles.push(self.network.fetch_hidden(victim, key, class, anonymity));
            }
            self.network.run_until_ended(LONGEST);
            let took = self.network.now().since(began);
            self.network.run_for(BETWEEN.saturating_sub(took));
            if number % step == 0 || number == parameters.requests {
                rows.push(self.look(hidden, number, &handles));
            }
        }
        rows
    }

    /// A block that belongs to an attacker, and is there.
    fn bait(&mut self, ring: &Ring) -> ElidedBlock {
        loop {
            let block = ElidedBlock::content(self.blocks);
            self.blocks += 1;
            let home = ring.closest(Location::of_key(&block.key()));
            if self.attackers.contains(&home) {
                self.network.give(home, block.clone());
                return block;
            }
        }
    }

    fn look(&self, hidden: bool, blocks: usize, handles: &[RequestHandle]) -> Adjacent {
        let adjacent = |nodes: &[usize]| {
            let next_to_one = |node: &&usize| {
                self.network
                    .linked_with(**node)
                    .any(|peer| self.attackers.contains(&peer))
            };
            nodes.iter().filter(next_to_one).count()
        };
        let attackers = self.attackers.iter();
        let came = handles
            .iter()
            .filter(|&&handle| self.network.report(handle).is_success());
        Adjacent {
            hidden,
            blocks,
            victims: self.victims.len(),
            of_victims: adjacent(&self.victims),
            others: self.others.len(),
            of_others: adjacent(&self.others),
            peers: attackers
                .map(|&node| self.network.linked_with(node).count())
                .sum(),
            attackers: self.attackers.len(),
            came: came.count(),
            asked: handles.len(),
        }
    }
}

fn report(parameters: &Parameters, rows: &[Adjacent], outcome: &mut Outcome) {
    let mut table = Table::new(
        "insertion",
        "Route insertion: who is linked with an attacker after fetching blocks that only attackers have",
        &[
            "level",
            "blocks",
            "of those who fetch",
            "of the others",
            "peers of an attacker",
            "blocks that came",
        ],
    );
    for row in rows {
        table.row([
            level(row.hidden).into(),
            row.blocks.into(),
            row.victims().into(),
            row.others().into(),
            share(row.peers, row.attackers).into(),
            share(row.came, row.asked).into(),
        ]);
    }
    outcome.table(table);
    let mut plot = Plot::new(
        "insertion",
        "Route insertion: who has an attacker as a peer",
        Axis::linear("blocks fetched from attackers"),
        Axis::linear("part of the nodes"),
    );
    for hidden in [false, true] {
        let of_level = || rows.iter().filter(move |row| row.hidden == hidden);
        let fetch = of_level().map(|row| (count(row.blocks), row.victims()));
        let others = of_level().map(|row| (count(row.blocks), row.others()));
        let name = level(hidden);
        plot = plot
            .curve(Kind::Ours, &format!("{name}, who fetches"), fetch.collect())
            .curve(
                Kind::Ours,
                &format!("{name}, who does not"),
                others.collect(),
            );
        if let Some(row) = of_level().next_back() {
            figure(row, outcome);
        }
    }
    outcome.plot(plot);
    outcome.note(format!(
        "Route insertion: {} opennets of {} routers for each level, {} attackers with up to {PEERS_MOST} peers each, {} victims that fetch {} blocks each. The attackers' nodes answer every request with an \
         invitation of their own. A router takes no invitation for what its own user asked for; what is left is that it passes on requests of others.",
        parameters.networks, parameters.nodes, parameters.attackers, parameters.victims, parameters.requests,
    ));
}

fn figure(row: &Adjacent, outcome: &mut Outcome) {
    let name = format!(
        "insertion, {}: linked with an attacker, those who fetch from them more than others",
        level(row.hidden)
    );
    outcome.figure(
        Figure::new(name, row.victims() - row.others(), "")
            .at_most(3.0 * row.deviation())
            .source("bar: nothing but chance, three deviations"),
    );
    let name = format!("insertion, {}: blocks that came", level(row.hidden));
    outcome.figure(
        Figure::new(name, share(row.came, row.asked), "")
            .at_least(0.9)
            .source("the attack must take place: blocks come from the attackers"),
    );
}

const fn level(hidden: bool) -> &'static str {
    if hidden { "level 6" } else { "level 0" }
}

impl Parameters {
    /// Whether there are enough nodes for all roles.
    pub(super) const fn is_possible(&self) -> bool {
        self.attackers > 0
            && self.victims > 0
            && self.requests > 0
            && self.nodes > 2 * (self.attackers + self.victims)
    }
}
