//! Relays that do not do what they should. Blocks still arrive, and the relay is left out afterwards.

use bytes::BytesMut;

use super::*;
use crate::onion::message::CellBody;

/// The relay that misbehaves.
const HOSTILE: usize = 8;

/// How many nodes there are, and blocks to be fetched.
const NODES: usize = 16;
const BLOCKS: u8 = 30;

/// How long circuits live in these tests, so that there are many of them.
const LIFE: Duration = Duration::from_secs(100);

/// Node 0 fetches blocks while `meddle` happens to all that [`HOSTILE`] sends. The blocks arrive, and circuits that are begun
/// afterwards leave the relay out.
fn is_left_out_after(meddle: Meddle) {
    let config = OnionConfig {
        circuit_life: LIFE,
        spare: 2,
        ..OnionConfig::default()
    };
    let (mut world, _) = attacked_for(config, BLOCKS, meddle);
    let hostile = name(&world, HOSTILE);
    assert!(is_left_out(&world));
    world.run(LIFE + secs(10));
    for round in 0..BLOCKS {
        let id = u64::from(BLOCKS + round);
        world.fetch(0, id, block(round).key(), part(id));
        world.run(secs(5));
        let onion = world.routers[0].onion.as_ref().unwrap();
        let circuits = &onion.own.circuits;
        assert!(!circuits.is_empty());
        let led_through = circuits
            .values()
            .any(|circuit| circuit.involved().contains(&hostile));
        assert!(!led_through, "round {round}");
        assert_eq!(world.fetched.get(&id), Some(&Ok(block(round))));
    }
}

/// Node 0 fetches so many blocks while `meddle` happens to all that [`HOSTILE`] sends. Gives the network, and whether node 0
/// ever left the hostile relay out.
fn attacked_for(config: OnionConfig, blocks: u8, meddle: Meddle) -> (World, bool) {
    let mut left_out = false;
    let mut world = World::new(NODES, 7, config);
    world.run(secs(10));
    world.meddler = Some((HOSTILE, meddle));
    for node in 0..NODES {
        for number in 0..blocks {
            let block = block(number);
            world.stores[node].insert(block.key(), block);
        }
    }
    // Those who ask do not have them
    world.stores[0].clear();
    for round in 0..blocks {
        world.fetch(0, round.into(), block(round).key(), part(u64::from(round)));
        world.run(secs(20));
        left_out |= is_left_out(&world);
    }
    for round in 0..blocks {
        let fetched = world.fetched.get(&round.into());
        assert_eq!(fetched, Some(&Ok(block(round))), "block {round}");
    }
    (world, left_out)
}

/// Whether node 0 leaves the hostile relay out.
fn is_left_out(world: &World) -> bool {
    let onion = world.routers[0].onion.as_ref().unwrap();
    onion.is_left_out(world.now, &name(world, HOSTILE))
}

pub(super) fn cell_direction(message: &Message) -> Option<Direction> {
    if let Message::Onion(OnionMessage::Cell { direction, .. }) = message {
        Some(*direction)
    } else {
        None
    }
}

/// The message with its cell changed.
pub(super) fn changed(message: Message) -> Message {
    let Message::Onion(OnionMessage::Cell {
        circuit,
        direction,
        class,
        number,
        body,
    }) = message
    else {
        return message;
    };
    let mut bytes = BytesMut::from(body.bytes().as_ref());
    bytes[1_000] ^= 1;
    Message::Onion(OnionMessage::Cell {
        circuit,
        direction,
        class,
        number,
        body: CellBody::new(bytes.freeze()).unwrap(),
    })
}

#[test]
fn a_relay_that_drops_cells_is_left_out() {
    is_left_out_after(|_, _, message| match cell_direction(&message) {
        Some(Direction::Forward) => None,
        _ => Some(message),
    });
}

#[test]
fn a_relay_that_marks_cells_is_found_out_by_the_next() {
    is_left_out_after(|_, _, message| match cell_direction(&message) {
        Some(Direction::Forward) => Some(changed(message)),
        _ => Some(message),
    });
}

#[test]
fn a_relay_that_changes_answers_is_left_out() {
    is_left_out_after(|_, _, message| match cell_direction(&message) {
        Some(Direction::Backward) => Some(changed(message)),
        _ => Some(message),
    });
}

#[test]
fn a_relay_that_repeats_cells_is_left_out() {
    is_left_out_after(|world, to, message| {
        if cell_direction(&message).is_some() {
            world.post(HOSTILE, to, &message);
        }
        Some(message)
    });
}

/// Node 0 fetches a file at once while `meddle` happens to all that [`HOSTILE`] sends.
fn file_under_attack(meddle: Meddle) {
    let mut world = World::new(NODES, 7, OnionConfig::default());
    world.run(secs(10));
    world.meddler = Some((HOSTILE, meddle));
    for node in 1..NODES {
        for number in 0..BLOCKS {
            let block = block(number);
            world.stores[node].insert(block.key(), block);
        }
    }
    for number in 0..BLOCKS {
        world.fetch(0, number.into(), block(number).key(), part(9));
    }
    world.run(secs(120));
    for number in 0..BLOCKS {
        let fetched = world.fetched.get(&number.into());
        assert_eq!(fetched, Some(&Ok(block(number))), "block {number}");
    }
    let held = world
        .onion_log()
        .any(|(from, _, message)| from == HOSTILE && matches!(message, OnionMessage::Cell { .. }));
    assert!(held, "no circuit led through it");
}

/// Holds the cells of [`HOSTILE`] for longer than all other relays together.
fn held_back(world: &mut World, to: usize, message: Message) -> Option<Message> {
    if cell_direction(&message).is_none() {
        return Some(message);
    }
    world.post_later(secs(3), HOSTILE, to, &message);
    None
}

#[test]
fn a_file_arrives_although_a_relay_holds_cells_for_long() {
    file_under_attack(held_back);
}

#[test]
fn a_relay_that_holds_cells_for_long_is_left_out() {
    is_left_out_after(held_back);
}

#[test]
fn a_file_arrives_although_a_relay_turns_the_order_of_cells_round() {
    file_under_attack(|world, to, message| {
        let Message::Onion(OnionMessage::Cell { number, .. }) = &message else {
            return Some(message);
        };
        // Of eight in a row, the last leaves first
        let held = Duration::from_millis(u64::from(7 - number % 8) * 150);
        world.post_later(held, HOSTILE, to, &message);
        None
    });
}

#[test]
fn a_relay_that_answers_in_the_place_of_others_is_left_out() {
    // It creates no circuits on behind it, and says that it did. As the end, which it is one time in four, it does its work: it
    // takes longer to find out, and it gets another chance when an old circuit is used that ends there
    let config = OnionConfig::default();
    let (_, left_out) = attacked_for(config, 3 * BLOCKS, |world, to, message| {
        let Message::Onion(OnionMessage::Create { circuit, .. }) = message else {
            return Some(message);
        };
        let created = Message::Onion(OnionMessage::Created {
            circuit,
            handshake: Bytes::from(vec![7; crypto::onion::CREATED_LEN]),
        });
        world.post(to, HOSTILE, &created);
        None
    });
    assert!(left_out);
}
