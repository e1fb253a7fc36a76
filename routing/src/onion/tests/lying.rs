//! Relays that lie about whom they reach.

use std::collections::BTreeSet;

use super::*;
use crate::onion::list::NeighbourList;

/// The relay that lies.
const LIAR: usize = 8;

/// Two nodes that are always in its lists. In an attack they would belong to it.
const FRIENDS: [usize; 2] = [12, 13];

const NODES: usize = 16;

/// A network in which circuits are renewed often, and the liar's lists are changed by `meddle`.
fn network(meddle: Option<Meddle>) -> World {
    let config = OnionConfig {
        circuit_life: secs(60),
        spare: 2,
        ..OnionConfig::default()
    };
    let mut world = World::new(NODES, 7, config);
    world.meddler = meddle.map(|meddle| (LIAR, meddle));
    world
}

/// A list of the liar's with nobody in it but its friends and one node, as that node is to see it.
fn list_for(world: &World, node: usize, number: u64) -> Message {
    let secret = world.routers[LIAR].onion.as_ref().unwrap().keys.current();
    let names = FRIENDS.into_iter().chain([node]);
    let names = names.map(|node| name(world, node)).collect();
    Message::Onion(OnionMessage::Neighbours(NeighbourList::sign(
        secret, number, names,
    )))
}

fn number_of(message: &Message) -> Option<u64> {
    if let Message::Onion(OnionMessage::Neighbours(list)) = message {
        Some(list.number())
    } else {
        None
    }
}

/// Whether a node lists the liar, and whether the liar is in one of its circuits.
fn uses_liar(world: &World, node: usize) -> (bool, bool) {
    let liar = name(world, LIAR);
    let onion = world.routers[node].onion.as_ref().unwrap();
    let listed = onion.reach.own_list().unwrap().contains(&liar);
    let circuits = onion.own.circuits.values();
    let mut involved = circuits.map(|circuit| circuit.involved().contains(&liar));
    (listed, involved.any(|has_it| has_it))
}

/// Those of the liar's neighbours who are not its friends.
fn deceived(world: &World) -> Vec<usize> {
    let peers = world.routers[LIAR].peers();
    peers
        .map(|view| usize::try_from(view.peer.0).unwrap())
        .filter(|node| !FRIENDS.contains(node))
        .collect()
}

/// Whether a guard or a second hop of a node belongs to the liar. Such a node sees what they let it see.
fn is_held(world: &World, node: usize) -> bool {
    let onion = world.routers[node].onion.as_ref().unwrap();
    let mut theirs = FRIENDS.into_iter().chain([LIAR]);
    theirs.any(|other| {
        let (peer, name) = (PeerId(u32::try_from(other).unwrap()), name(world, other));
        let mut guards = onion.own.guards.all().iter();
        guards.any(|guard| guard.peer == Some(peer) || guard.seconds.contains(&name))
    })
}

fn everybody_finds_out(meddle: Meddle) {
    let mut world = network(Some(meddle));
    let deceived = deceived(&world);
    assert_eq!(deceived.len(), 12);
    // Some find out soon
    let mut taken_in: BTreeSet<usize> = BTreeSet::new();
    for _ in 0..20 {
        world.run(secs(1));
        taken_in.extend(deceived.iter().filter(|&&node| uses_liar(&world, node).0));
    }
    assert_eq!(taken_in.len(), 12, "only {taken_in:?}");
    world.run(secs(900));
    let (held, free): (Vec<usize>, Vec<usize>) = deceived
        .into_iter()
        .partition(|&node| is_held(&world, node));
    assert!(
        free.len() >= 3,
        "{} of 12 are held: too few are left to show anything",
        held.len()
    );
    for node in free {
        assert_eq!(uses_liar(&world, node), (false, false), "node {node}");
    }
}

#[test]
fn a_relay_that_tells_each_peer_another_list_is_left_out_by_those_it_tells_it_to() {
    everybody_finds_out(|world, to, message| {
        let Some(number) = number_of(&message) else {
            return Some(message);
        };
        // No two have the same number
        let number = number * 100 + u64::try_from(to).unwrap();
        Some(list_for(world, to, number))
    });
}

#[test]
fn two_lists_under_one_number_are_seen_as_such() {
    everybody_finds_out(|world, to, message| {
        let Some(number) = number_of(&message) else {
            return Some(message);
        };
        Some(list_for(world, to, number))
    });
}

#[test]
fn nobody_is_taken_for_a_liar_while_nodes_come_and_go() {
    let mut world = network(None);
    world.run(secs(20));
    for round in 0..6 {
        let node = round * 5 % NODES;
        let peers: Vec<_> = world.routers[node]
            .peers()
            .map(|view| usize::try_from(view.peer.0).unwrap())
            .collect();
        world.stop(node);
        world.run(secs(60));
        for peer in peers {
            world.link(node, peer);
        }
        world.run(secs(60));
    }
    for node in 0..NODES {
        let onion = world.routers[node].onion.as_ref().unwrap();
        for other in 0..NODES {
            assert!(!onion.reach.is_liar(world.now, &name(&world, other)));
        }
    }
}

#[test]
fn the_end_of_a_circuit_that_was_not_used_shows_the_lists_of_its_peers() {
    let mut world = network(None);
    let mut most = 0;
    for _ in 0..400 {
        world.run(Duration::from_millis(200));
        let onion = world.routers[0].onion.as_ref().unwrap();
        let seen = onion.own.circuits.values();
        let seen = seen.filter_map(|circuit| Some(circuit.looking?.seen()));
        most = seen.max().unwrap_or(0).max(most);
    }
    assert!(most > 5, "{most} lists");
}

#[test]
fn who_asks_for_lists_twice_is_shown_none_the_second_time() {
    let mut world = network(None);
    let asked = |world: &World, least: usize| {
        let onion = world.routers[0].onion.as_ref().unwrap();
        let mut all = onion.own.circuits.iter();
        all.find(|(_, circuit)| {
            circuit
                .looking
                .is_some_and(|looking| looking.seen() >= least)
        })
        .map(|(&number, _)| number)
    };
    let step = Duration::from_millis(200);
    let mut number = None;
    while number.is_none() {
        world.run(step);
        number = asked(&world, 6);
    }
    // It forgets that it has asked
    world.run(secs(1));
    let number = number.unwrap();
    let own = &mut world.routers[0].onion.as_mut().unwrap().own;
    let circuit = own.circuits.get_mut(&number).unwrap();
    (circuit.looking, circuit.retired, circuit.until) = (None, false, world.now);
    for _ in 0..10 {
        world.run(step);
        assert_ne!(asked(&world, 1), Some(number));
    }
    let own = &world.routers[0].onion.as_ref().unwrap().own;
    assert!(!own.circuits.contains_key(&number), "its end has ended it");
}

#[test]
fn who_makes_up_the_list_of_another_is_blamed_and_the_other_is_not() {
    let mut world = network(None);
    world.run(secs(20));
    // What the liar holds of all its peers is forged, and passed on as if it were not. It begins no circuits itself, or it would
    // believe of its peers what it has made up
    world.tell(LIAR, Event::StandBy { level: None });
    let onion = world.routers[LIAR].onion.as_mut().unwrap();
    onion.reach.forge_all();
    world.run(secs(600));
    let liar = name(&world, LIAR);
    let mut found = 0;
    for node in (0..NODES).filter(|&node| node != LIAR) {
        let record = &world.routers[node].onion.as_ref().unwrap().own.record;
        found += usize::from(record.is_bad(world.now, &liar));
        let others = (0..NODES).filter(|&other| other != LIAR);
        for other in others {
            assert!(
                !record.is_bad(world.now, &name(&world, other)),
                "{other} by {node}"
            );
        }
    }
    assert!(found > NODES / 2, "{found} have noticed");
}

#[test]
fn a_relay_that_lists_only_some_is_left_out_by_the_others() {
    // Its list names nodes that are not there, as an accomplice's would
    let accomplices = |world: &World| {
        let own = world.routers[LIAR].onion.as_ref().unwrap();
        let names = (1..9).map(|name| list::RelayName::from_bytes([name; 32]));
        NeighbourList::sign(own.keys.current(), u64::MAX, names.collect())
    };
    let mut world = World::new(NODES, 7, OnionConfig::default());
    world.run(secs(10));
    let lie = OnionMessage::Neighbours(accomplices(&world));
    for other in 0..NODES {
        let peer = PeerId(u32::try_from(other).unwrap());
        if other != LIAR && world.routers[LIAR].peers().any(|view| view.peer == peer) {
            world.post(LIAR, other, &Message::Onion(lie.clone()));
        }
    }
    // Longer than a new peer counts as one that reciprocates
    world.run(secs(200));
    let hostile = name(&world, LIAR);
    for node in (0..NODES).filter(|&node| node != LIAR) {
        let now = world.routers[node].onion.as_ref().unwrap();
        let listed = now.reach.own_list().unwrap().contains(&hostile);
        assert!(!listed, "node {node} still lists it");
    }
    world.log.clear();
    world.run(secs(900));
    let created = world
        .onion_log()
        .any(|(_, to, message)| to == LIAR && matches!(message, OnionMessage::Create { .. }));
    assert!(!created, "nobody extends to it");
}
