//! A small darknet that one node links with the opennet.

use std::sync::Arc;
use std::time::Duration;

use routing::{Block, Config, DarknetConfig, Lookahead, OpennetConfig};

use super::shares::random_place;
use super::{Found, Parameters};
use crate::elided_block::ElidedBlock;
use crate::friend_graph::FriendGraph;
use crate::network::RequestHandle;
use crate::opennet_world::{Growth, OpennetWorld};
use crate::random::rng_for;

/// What is wrong with the bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bridge {
    Sound,
    /// A fault: it takes no part in the darknet, so that nobody there knows the way out.
    Deaf,
    /// A fault: it has no friends there.
    Closed,
}

/// What was found, by who published it and who asked for it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    /// Published in the opennet.
    pub(super) open_by_open: Found,
    pub(super) open_by_dark: Found,
    /// Published in the darknet.
    pub(super) dark_by_open: Found,
    pub(super) dark_by_dark: Found,
    /// The bridge itself asks for what the opennet published.
    pub(super) open_by_bridge: Found,
}

/// An opennet with a darknet behind one node.
struct Bridged {
    world: OpennetWorld,
    open: Vec<usize>,
    bridge: usize,
    dark: Vec<usize>,
    blocks: u64,
}

/// Builds a network, fills it, and asks from both sides.
pub(super) fn measure(parameters: &Parameters, bridge: Bridge, seed: u64) -> Measured {
    let mut network = Bridged::new(parameters, bridge, seed);
    let documents = parameters.bridge_documents;
    let (open, dark) = (network.open.clone(), network.dark.clone());
    let published_open = network.publish(&open, documents);
    let published_dark = network.publish(&dark, documents);
    network.world.network.run_for(Duration::from_secs(20));
    // Each side asks for other halves, so that the one leaves no copies for the other
    let (first, second) = published_open.split_at(documents / 2);
    let bridge = [network.bridge];
    let open_by_open = network.ask(&open, first);
    let open_by_dark = network.ask(&dark, second);
    let (first, second) = published_dark.split_at(documents / 2);
    Measured {
        dark_by_open: network.ask(&open, first),
        dark_by_dark: network.ask(&dark, second),
        open_by_open,
        open_by_dark,
        open_by_bridge: {
            let further = network.publish(&open, documents / 2);
            network.ask(&bridge, &further)
        },
    }
}

impl Bridged {
    fn new(parameters: &Parameters, bridge: Bridge, seed: u64) -> Self {
        let growth = Growth {
            nodes: parameters.opennet,
            opennet: OpennetConfig::default(),
            lookahead: Lookahead::On,
            rate: 0.02,
            settling: Duration::from_secs(parameters.settling),
        };
        let mut world = OpennetWorld::grow(&growth, seed);
        let node = world.network.add_stranger();
        let place = world.network.location(node);
        let opennet = Some(Arc::new(OpennetConfig::default()));
        let darknet = Some(Arc::new(DarknetConfig::default()));
        let hybrid = Config {
            opennet,
            darknet: darknet.clone().filter(|_| bridge != Bridge::Deaf),
            ..Config::default()
        };
        world.network.replace_router(node, Arc::new(hybrid), place);
        world.enter(node);
        let config = Arc::new(Config {
            darknet,
            ..Config::default()
        });
        let mut rng = rng_for(seed, "darknet behind a bridge");
        let friends = FriendGraph::clustered(parameters.behind, 2, 0, &mut rng);
        let dark: Vec<usize> = (0..parameters.behind)
            .map(|_| {
                let place = random_place(&mut rng);
                let node = world.network.add_node(place);
                world
                    .network
                    .replace_router(node, Arc::clone(&config), place);
                node
            })
            .collect();
        for (number, &one) in dark.iter().enumerate() {
            for friend in friends.friends(number).filter(|&friend| friend < number) {
                world.network.connect(one, dark[friend]);
            }
        }
        if bridge != Bridge::Closed {
            for &friend in dark.iter().take(parameters.bridge_friends) {
                world.network.connect(node, friend);
            }
        }
        world
            .network
            .run_for(Duration::from_secs(parameters.bridge_settling));
        Self {
            open: (0..parameters.opennet).collect(),
            bridge: node,
            dark,
            blocks: 0,
            world,
        }
    }

    /// Random ones of these nodes publish documents of one block.
    fn publish(&mut self, among: &[usize], documents: usize) -> Vec<(usize, crypto::BlockKey)> {
        let mut published = Vec::with_capacity(documents);
        for number in 0..documents {
            let block = ElidedBlock::content(BLOCKS + self.blocks);
            self.blocks += 1;
            let node = among[number % among.len()];
            published.push((node, block.key()));
            self.world.network.insert(node, block);
            if (number + 1) % AT_ONCE == 0 {
                self.world.network.run_until_ended(REQUEST_MAX);
            }
        }
        self.world.network.run_until_ended(REQUEST_MAX);
        published
    }

    /// These nodes ask in turns for what others published.
    fn ask(&mut self, among: &[usize], published: &[(usize, crypto::BlockKey)]) -> Found {
        let mut handles: Vec<RequestHandle> = Vec::with_capacity(published.len());
        for (number, &(publisher, key)) in published.iter().enumerate() {
            let mut reader = among[(7 * number + 3) % among.len()];
            if reader == publisher {
                reader = among[(7 * number + 4) % among.len()];
            }
            handles.push(self.world.network.fetch(reader, key));
            if (number + 1) % AT_ONCE == 0 {
                self.world.network.run_until_ended(REQUEST_MAX);
            }
        }
        self.world.network.run_until_ended(REQUEST_MAX);
        Found::of(&self.world.network, handles.iter())
    }
}

/// Numbers of blocks that nobody else in the network uses.
const BLOCKS: u64 = 1 << 32;

/// Requests under way at a time.
const AT_ONCE: usize = 10;

/// Longer than any request takes.
const REQUEST_MAX: Duration = Duration::from_secs(600);
