//! What goes over the links of somebody who uses circuits, byte by byte.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crypto::{BlockKey, VerifiedBlock};
use routing::{
    Anonymity, Class, Config, Group, Level, Message, OnionConfig, OnionMessage, Role, Time, Via,
    encode,
};
use simulations::{Direction, Network, Observation, Settings, Topology, content_block};

const NODES: usize = 60;

/// So many that six hops are enough.
const LONG_LINKS: usize = 20;

/// The user's node.
const USER: usize = 7;

/// Lists are told twice, and grace is over.
const SETTLING: Duration = Duration::from_secs(150);

const LONGEST: Duration = Duration::from_secs(300);

/// All that is seen while a user fetches some blocks and publishes others.
struct Seen {
    observations: Vec<Observation>,
    lookups: Vec<(Time, usize, BlockKey)>,
    blocks: Vec<VerifiedBlock>,
}

fn seen() -> Seen {
    let onion = OnionConfig {
        spare: 0,
        ..OnionConfig::default()
    };
    let settings = Settings {
        config: Config {
            onion: Some(Arc::new(onion)),
            ..Config::default()
        },
        ..Settings::default()
    };
    let mut network = Network::new(&Topology::small_world(NODES, LONG_LINKS, 3), settings, 3);
    let fetched: Vec<_> = (0..24).map(content_block).collect();
    for block in &fetched {
        network.insert(USER + 1, block.clone());
    }
    network.run_for(SETTLING);
    // A store of its own would answer first
    network.empty_store(USER);
    (0..NODES).for_each(|node| network.watch(node));
    network.take_lookups();
    let published: Vec<_> = (100..112).map(content_block).collect();
    let through = |group| {
        Anonymity::Circuit(Via {
            level: Level::Six,
            group: Group(group),
            role: Role::Part,
        })
    };
    for block in &fetched {
        network.fetch_hidden(USER, block.key(), Class::Bulk, through(1));
    }
    for block in &published {
        network.insert_hidden(USER, block.clone(), Class::Bulk, through(2));
    }
    assert!(network.run_until_ended(LONGEST));
    let reports = network.reports();
    assert!(
        reports.iter().all(|report| report.is_success()),
        "{reports:?}"
    );
    Seen {
        observations: network.take_observations(),
        lookups: network.take_lookups(),
        blocks: fetched.into_iter().chain(published).collect(),
    }
}

impl Seen {
    fn keys(&self) -> BTreeSet<BlockKey> {
        self.blocks.iter().map(VerifiedBlock::key).collect()
    }

    /// What arrived at or left a node, in order.
    fn of(&self, node: usize, direction: Direction) -> impl Iterator<Item = &Observation> {
        let all = self.observations.iter();
        all.filter(move |seen| seen.node == node && seen.direction == direction)
    }
}

/// The key that somebody asks for, or offers a block of, in the open.
const fn asked_for(message: &Message) -> Option<&BlockKey> {
    match message {
        Message::Fetch { key, .. } | Message::Offer { key, .. } => Some(key),
        _ => None,
    }
}

/// Which way a cell goes.
const fn cell(message: &Message) -> Option<routing::Direction> {
    match message {
        Message::Onion(OnionMessage::Cell { direction, .. }) => Some(*direction),
        _ => None,
    }
}

#[test]
fn a_users_requests_leave_the_node_in_cells_only() {
    let seen = seen();
    let keys = seen.keys();
    let mut asked: BTreeSet<&BlockKey> = BTreeSet::new();
    for one in seen.observations.iter().filter(|one| one.node == USER) {
        let Some(key) = asked_for(&one.message).filter(|key| keys.contains(key)) else {
            continue;
        };
        match one.direction {
            Direction::In => drop(asked.insert(key)),
            Direction::Out => assert!(
                asked.contains(key),
                "nobody had asked the user's node for what it asks for: {one:?}"
            ),
        }
    }
    let cells = seen.of(USER, Direction::Out);
    let cells = cells.filter(|one| cell(&one.message).is_some()).count();
    assert!(
        cells >= keys.len(),
        "{cells} cells for {} blocks",
        keys.len()
    );
}

#[test]
fn the_first_hop_learns_no_key() {
    let seen = seen();
    let keys = seen.keys();
    let first: BTreeSet<usize> = seen
        .of(USER, Direction::Out)
        .filter(|one| cell(&one.message).is_some())
        .map(|one| one.other)
        .collect();
    assert!(!first.is_empty());
    for &hop in &first {
        let from_user: BTreeSet<Time> = seen
            .of(hop, Direction::In)
            .filter(|one| one.other == USER && cell(&one.message).is_some())
            .map(|one| one.at)
            .collect();
        let looked_up = seen
            .lookups
            .iter()
            .find(|(at, node, key)| *node == hop && from_user.contains(at) && keys.contains(key));
        assert!(
            looked_up.is_none(),
            "the first hop opens cells: {looked_up:?}"
        );
        let told = seen.of(hop, Direction::Out).find(|one| {
            from_user.contains(&one.at)
                && asked_for(&one.message).is_some_and(|key| keys.contains(key))
        });
        assert!(told.is_none(), "the first hop opens cells: {told:?}");
    }
}

#[test]
fn no_cell_shows_a_key_or_a_block_on_any_link() {
    let seen = seen();
    let mut secrets: BTreeSet<[u8; 16]> = BTreeSet::new();
    for block in &seen.blocks {
        let bytes: &[u8] = block.bytes();
        for secret in [block.key().routing_key.as_bytes().as_slice(), bytes] {
            secrets.insert(*secret.first_chunk().expect("longer than that"));
        }
    }
    let shows = |bytes: &[u8]| bytes.windows(16).any(|window| secrets.contains(window));
    let mut others = 0;
    for one in seen.observations {
        if one.direction == Direction::In {
            continue;
        }
        let bytes = encode(&one.message);
        if matches!(one.message, Message::Onion(_)) {
            assert!(
                !shows(&bytes),
                "{} to {}: {:?}",
                one.node,
                one.other,
                one.message
            );
        } else {
            others += usize::from(shows(&bytes));
        }
    }
    assert!(
        others > 0,
        "behind the ends, keys are in the open: the test can see"
    );
}

#[test]
fn what_circuits_send_has_two_sizes_and_a_relay_changes_none() {
    let seen = seen();
    let mut sizes = BTreeSet::new();
    let mut passed_on = 0;
    let mut came: Option<&Observation> = None;
    for one in &seen.observations {
        let Message::Onion(message) = &one.message else {
            continue;
        };
        let len = encode(&one.message).len();
        if !matches!(message, OnionMessage::Neighbours(_)) {
            sizes.insert(len);
        }
        let Some(direction) = cell(&one.message) else {
            continue;
        };
        if one.direction == Direction::In {
            came = Some(one);
            continue;
        }
        // A relay passes a cell on at once, and in the direction in which it came
        let same = |before: &&Observation| {
            (before.at, before.node) == (one.at, one.node)
                && cell(&before.message) == Some(direction)
        };
        if let Some(before) = came.take().filter(same) {
            passed_on += 1;
            assert_eq!(encode(&before.message).len(), len, "{before:?} {one:?}");
        }
    }
    assert_eq!(Vec::from_iter(sizes), [2_062, 33_074]);
    assert!(passed_on > 400, "{passed_on} cells were passed on");
}
