//! Relays that do not do what they should. Blocks still arrive, and the relay is left out afterwards.

use bytes::BytesMut;

use super::*;
use crate::onion::message::CellBody;

/// The relay that misbehaves.
const HOSTILE: usize = 8;

/// How many nodes there are, and blocks to be fetched.
const NODES: usize = 16;
const BLOCKS: u8 = 30;

/// Node 0 fetches blocks while `meddle` happens to all that [`HOSTILE`] sends. Gives the network.
fn under_attack(meddle: Meddle) -> World {
    attacked_for(BLOCKS, meddle).0
}

/// The same with so many blocks. Also gives whether node 0 ever left the hostile relay out.
fn attacked_for(blocks: u8, meddle: Meddle) -> (World, bool) {
    let mut left_out = false;
    let mut world = World::new(NODES, 7, OnionConfig::default());
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
    let hostile = world.routers[HOSTILE].onion.as_ref().unwrap();
    let name = hostile.keys.current().key().into();
    let own = world.routers[0].onion.as_ref().unwrap();
    own.own.record.is_bad(world.now, &name)
}

fn cell_direction(message: &Message) -> Option<Direction> {
    if let Message::Onion(OnionMessage::Cell { direction, .. }) = message {
        Some(*direction)
    } else {
        None
    }
}

/// The message with its cell changed.
fn changed(message: Message) -> Message {
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
    let world = under_attack(|_, _, message| match cell_direction(&message) {
        Some(Direction::Forward) => None,
        _ => Some(message),
    });
    assert!(is_left_out(&world));
}

#[test]
fn a_relay_that_marks_cells_is_found_out_by_the_next() {
    let world = under_attack(|_, _, message| match cell_direction(&message) {
        Some(Direction::Forward) => Some(changed(message)),
        _ => Some(message),
    });
    assert!(is_left_out(&world));
}

#[test]
fn a_relay_that_changes_answers_is_left_out() {
    let world = under_attack(|_, _, message| match cell_direction(&message) {
        Some(Direction::Backward) => Some(changed(message)),
        _ => Some(message),
    });
    assert!(is_left_out(&world));
}

#[test]
fn a_relay_that_repeats_cells_is_left_out() {
    let world = under_attack(|world, to, message| {
        if cell_direction(&message).is_some() {
            world.post(HOSTILE, to, &message);
        }
        Some(message)
    });
    assert!(is_left_out(&world));
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

#[test]
fn a_file_arrives_although_a_relay_holds_cells_for_long() {
    file_under_attack(|world, to, message| {
        let held = match cell_direction(&message) {
            Some(_) => secs(3),
            None => return Some(message),
        };
        world.post_later(held, HOSTILE, to, &message);
        None
    });
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
    let (_, left_out) = attacked_for(3 * BLOCKS, |world, to, message| {
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

#[test]
fn a_relay_that_lists_only_some_is_left_out_by_the_others() {
    // Its list names nodes that are not there, as an accomplice's would
    let accomplices = |world: &World| {
        let own = world.routers[HOSTILE].onion.as_ref().unwrap();
        let names = (1..9).map(|name| list::RelayName::from_bytes([name; 32]));
        list::NeighbourList::sign(own.keys.current(), u64::MAX, names.collect())
    };
    let mut world = World::new(NODES, 7, OnionConfig::default());
    world.run(secs(10));
    let lie = OnionMessage::Neighbours(accomplices(&world));
    for other in 0..NODES {
        let peer = PeerId(u32::try_from(other).unwrap());
        if other != HOSTILE && world.routers[HOSTILE].peers().any(|view| view.peer == peer) {
            world.post(HOSTILE, other, &Message::Onion(lie.clone()));
        }
    }
    // Longer than a new peer counts as one that reciprocates
    world.run(secs(200));
    let hostile: list::RelayName = {
        let own = world.routers[HOSTILE].onion.as_ref().unwrap();
        own.keys.current().key().into()
    };
    for node in (0..NODES).filter(|&node| node != HOSTILE) {
        let now = world.routers[node].onion.as_ref().unwrap();
        let listed = now.reach.own_list().unwrap().contains(&hostile);
        assert!(!listed, "node {node} still lists it");
    }
    world.log.clear();
    world.run(secs(900));
    let created = world
        .onion_log()
        .any(|(_, to, message)| to == HOSTILE && matches!(message, OnionMessage::Create { .. }));
    assert!(!created, "nobody extends to it");
}
