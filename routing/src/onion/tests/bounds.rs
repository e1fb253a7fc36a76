//! What a relay lends to circuits of others, and no more.

use std::num::NonZeroU64;

use super::*;
use crate::onion::message::CircuitId;

/// What the relay of these tests can send, in bytes a second.
const UPLOAD: u64 = 100_000;

/// The flooded relay.
const RELAY: usize = 8;

const NODES: usize = 16;

/// What it may send for circuits within so many seconds: 80 % of what it can, after 64 blocks at once.
fn allowed(secs: u64) -> u64 {
    let block = crypto::onion::CellSize::Block.len() as u64;
    UPLOAD / 100 * 80 * secs + 64 * block
}

fn config(upload: Option<u64>) -> Config {
    let onion = OnionConfig {
        // Nobody has circuits without a need: what the relay sends is for others
        spare: 0,
        ..OnionConfig::default()
    };
    Config {
        upload: upload.and_then(NonZeroU64::new),
        onion: Some(Arc::new(onion)),
        ..Config::default()
    }
}

/// The bytes of cells and all else about circuits that the relay has sent, but for lists.
fn sent(world: &World) -> u64 {
    let all = world.onion_log().filter(|(from, _, message)| {
        *from == RELAY && !matches!(message, OnionMessage::Neighbours(_))
    });
    all.map(|(_, _, message)| encode(&Message::Onion(message.clone())).len() as u64)
        .sum()
}

/// Gives what the relay sends for circuits in ten seconds, in which everybody fetches all that they may at a time.
fn flooded(upload: Option<u64>) -> u64 {
    let mut world = World::with(NODES, 7, &config(None));
    let own = Arc::new(config(upload));
    let location = world.routers[RELAY].location();
    let friends: Vec<_> = world.routers[RELAY]
        .peers()
        .map(|view| usize::try_from(view.peer.0).unwrap())
        .collect();
    world.stop(RELAY);
    world.routers[RELAY] = Router::new(location, own, [99; 32]);
    for friend in friends {
        world.link(RELAY, friend);
    }
    for number in 0..40 {
        let block = block(number);
        for holder in [3, 5, 11, 13] {
            world.stores[holder].insert(block.key(), block.clone());
        }
    }
    world.run(secs(10));
    world.log.clear();
    for number in 0..40 {
        for node in (0..NODES).filter(|node| ![RELAY, 3, 5, 11, 13].contains(node)) {
            let id = u64::from(number) * 100 + u64::try_from(node).unwrap();
            world.fetch(node, id, block(number).key(), part(u64::from(number) / 10));
        }
    }
    world.run(secs(10));
    sent(&world)
}

#[test]
fn a_flooded_relay_stays_within_its_share() {
    let unbounded = flooded(None);
    // Messages have a head of 14 bytes besides the cell
    let most = allowed(10) * 101 / 100;
    assert!(unbounded > most, "no flood: {unbounded} bytes");
    let bounded = flooded(Some(UPLOAD));
    assert!(bounded <= most, "{bounded} bytes, {most} allowed");
    assert!(bounded > most / 4, "it does carry something: {bounded}");
}

#[test]
fn who_speaks_of_circuits_that_are_not_there_gets_no_more_answers_than_others_get_cells() {
    let mut world = World::with(2, 1, &config(Some(UPLOAD)));
    world.run(secs(1));
    world.log.clear();
    let from = PeerId(1);
    for number in 0..20_000_u64 {
        let circuit = CircuitId(number);
        let body = Bytes::from(vec![7; crypto::onion::CellSize::Control.len()]);
        let message = if number % 2 == 0 {
            let handshake = body.slice(..crypto::onion::CREATE_LEN);
            OnionMessage::Create { circuit, handshake }
        } else {
            OnionMessage::Cell {
                circuit,
                direction: Direction::Forward,
                class: Class::Bulk,
                number: 1,
                body: message::CellBody::new(body).unwrap(),
            }
        };
        let message = Message::Onion(message);
        world.routers[0].handle(world.now, Event::Message { from, message });
        world.carry_out(0);
    }
    let answered: u64 = world
        .onion_log()
        .filter(|(from, ..)| *from == 0)
        .map(|(_, _, message)| encode(&Message::Onion(message.clone())).len() as u64)
        .sum();
    let most = allowed(1) * 101 / 100;
    assert!(answered <= most, "{answered} bytes, {most} allowed");
    assert!(answered > 0, "the first are answered");
}
