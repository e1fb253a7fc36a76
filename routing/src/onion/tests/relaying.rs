//! What all nodes together do.

use super::*;
use crate::Level;

#[test]
fn circuits_are_built_before_anybody_needs_them() {
    let mut world = World::new(30, 9, OnionConfig::default());
    world.run(secs(20));
    for router in &world.routers {
        let view = router.onion().unwrap();
        assert_eq!(view.ready, OnionConfig::default().spare, "{view:?}");
        assert_eq!(
            (view.hops_wished, view.hops_least),
            (6, Some(6)),
            "{view:?}"
        );
        assert!(view.guard.is_some() && view.relays == 18, "{view:?}");
    }
}

#[test]
fn nodes_that_start_at_once_have_circuits_as_soon_as_their_lists_are_there() {
    let mut world = World::new(12, 3, OnionConfig::default());
    world.run(secs(3));
    for router in &world.routers {
        let view = router.onion().unwrap();
        assert!(view.hops_least >= Some(6), "{view:?}");
        assert_eq!(view.ready, OnionConfig::default().spare, "{view:?}");
    }
}

#[test]
fn with_few_peers_circuits_are_longer_but_not_where_the_whole_network_is_small() {
    let wished = |nodes: usize| {
        let mut world = World::new(nodes, 3, OnionConfig::default());
        world.run(secs(10));
        let mut routers = world.routers.iter();
        let first = routers.next().unwrap().onion().unwrap().hops_wished;
        assert!(routers.all(|router| router.onion().unwrap().hops_wished == first));
        first
    };
    assert_eq!(wished(12), 6);
    assert_eq!(wished(40), 10);
}

#[test]
fn circuits_of_the_level_that_the_user_chooses_stand_by() {
    let mut world = World::new(30, 9, OnionConfig::default());
    world.run(secs(20));
    let ready = |world: &World| {
        let view = world.routers[0].onion().unwrap();
        (view.ready, view.hops_promised, view.hops_least)
    };
    for (level, expected) in [
        (Some(Level::Two), (6, 2, Some(2))),
        (None, (0, 0, None)),
        (Some(Level::Eight), (6, 8, Some(8))),
    ] {
        world.tell(0, Event::StandBy { level });
        world.run(secs(5));
        assert_eq!(ready(&world), expected);
    }
}

#[test]
fn a_block_goes_in_and_comes_out_through_six_hops_and_the_neighbours_never_see_its_key() {
    let mut world = World::new(30, 8, OnionConfig::default());
    world.run(secs(20));
    world.log.clear();
    let wanted = block(1);
    world.insert(0, 1, wanted.clone(), part(1));
    world.run(secs(20));
    assert!(
        matches!(world.inserted.get(&1), Some(Ok(_))),
        "{:?}",
        world.inserted
    );
    let end = world.first_to_ask(&wanted.key()).unwrap();
    assert!(end != 0 && world.guard(0) != Some(end), "{end}");
    world.log.clear();
    let fetcher = (1..30)
        .find(|&node| !world.stores[node].contains_key(&wanted.key()))
        .unwrap();
    world.fetch(fetcher, 2, wanted.key(), part(2));
    world.run(secs(20));
    assert_eq!(world.fetched.get(&2), Some(&Ok(wanted.clone())));
    if let Some(end) = world.first_to_ask(&wanted.key()) {
        assert!(end != fetcher && world.guard(fetcher) != Some(end), "{end}");
    }
    assert!(
        !world.stores[fetcher].contains_key(&wanted.key()),
        "who asks keeps nothing"
    );
    for router in &world.routers {
        assert!(router.is_idle());
    }
}

#[test]
fn a_file_arrives_while_relays_come_to_an_end() {
    let mut world = World::new(30, 8, OnionConfig::default());
    for number in 0..60 {
        let block = block(number);
        for holder in [5, 12, 19, 26] {
            world.stores[holder].insert(block.key(), block.clone());
        }
    }
    world.run(secs(20));
    for number in 0..60 {
        world.fetch(0, number.into(), block(number).key(), part(9));
    }
    let guard = world.guard(0).unwrap();
    for gone in [3, 14, guard] {
        world.stop(gone);
        world.run(secs(2));
    }
    world.run(secs(120));
    for number in 0..60 {
        let fetched = world.fetched.get(&number.into());
        assert_eq!(fetched, Some(&Ok(block(number))), "block {number}");
    }
    assert_ne!(world.guard(0), Some(guard));
}

#[test]
fn no_end_gets_more_than_its_share_of_a_file() {
    let mut world = World::new(30, 8, OnionConfig::default());
    for number in 0..200 {
        let block = block(number);
        for holder in [8, 12, 17, 23] {
            world.stores[holder].insert(block.key(), block.clone());
        }
    }
    world.run(secs(20));
    for number in 0..200 {
        world.fetch(0, number.into(), block(number).key(), part(9));
        world.run(Duration::from_millis(50));
    }
    world.run(secs(60));
    let failed: Vec<_> = world
        .fetched
        .values()
        .filter_map(|got| got.as_ref().err())
        .collect();
    assert_eq!((world.fetched.len(), failed), (200, vec![]));
    let own = &world.routers[0].onion.as_ref().unwrap().own;
    let most = OnionConfig::default().blocks_per_circuit;
    assert!(own.circuits.values().all(|circuit| circuit.dealt <= most));
}

#[test]
fn one_small_thing_after_the_other_never_runs_out_of_circuits() {
    let config = OnionConfig {
        circuits_max: 8,
        spare: 2,
        ..OnionConfig::default()
    };
    let mut world = World::new(30, 9, config);
    world.run(secs(10));
    for number in 0..12 {
        for store in &mut world.stores[1..] {
            store.insert(block(number).key(), block(number));
        }
        let group = u64::from(number);
        world.fetch(0, group, block(number).key(), part(group));
        world.run(secs(4));
        let fetched = world.fetched.get(&group);
        assert!(matches!(fetched, Some(Ok(_))), "{number}: {fetched:?}");
    }
}

#[test]
fn circuits_for_later_are_begun_after_the_page_or_when_half_of_them_are_gone() {
    let begun = |world: &World| {
        let all = world.onion_log().filter(|(from, _, message)| {
            *from == 0 && matches!(message, OnionMessage::Create { .. })
        });
        all.count()
    };
    for (groups, at_once) in [(3, 0), (4, 4)] {
        let mut world = World::new(30, 9, OnionConfig::default());
        world.run(secs(20));
        world.log.clear();
        for number in 0..groups {
            for store in &mut world.stores[1..] {
                store.insert(block(number).key(), block(number));
            }
            let group = u64::from(number);
            world.fetch(0, group, block(number).key(), part(group));
        }
        world.run(Duration::from_millis(249));
        assert_eq!(begun(&world), at_once);
        world.run(secs(5));
        let fetched = |result: &Result<_, _>| result.is_ok();
        assert!(world.fetched.values().all(fetched), "{:?}", world.fetched);
        assert_eq!(begun(&world), usize::from(groups));
    }
}

#[test]
fn what_should_go_through_a_circuit_goes_nowhere_else() {
    // Two nodes: there is no circuit of two hops
    let mut world = World::new(2, 1, OnionConfig::default());
    world.run(secs(20));
    world.fetch(0, 1, block(1).key(), part(1));
    world.insert(0, 2, block(2), part(1));
    world.run(secs(60));
    assert_eq!(world.fetched.get(&1), Some(&Err(FetchFailure::NoCircuit)));
    assert_eq!(world.inserted.get(&2), Some(&Err(InsertFailure::NoCircuit)));
    for number in [1, 2] {
        assert_eq!(world.first_to_ask(&block(number).key()), None);
    }
}

#[test]
fn all_that_is_said_about_circuits_has_one_of_two_lengths() {
    let mut world = World::new(30, 8, OnionConfig::default());
    world.run(secs(20));
    world.insert(0, 1, block(1), part(1));
    world.run(secs(20));
    let mut lengths: Vec<usize> = world
        .onion_log()
        .filter(|(_, _, message)| !matches!(message, OnionMessage::Neighbours(_)))
        .map(|(_, _, message)| encode(&Message::Onion(message.clone())).len())
        .collect();
    lengths.sort_unstable();
    lengths.dedup();
    assert_eq!(lengths.len(), 2, "{lengths:?}");
}

#[test]
fn a_guard_and_the_keys_outlive_a_restart() {
    let mut world = World::new(30, 8, OnionConfig::default());
    world.introduce(0, 0..30);
    world.run(secs(20));
    let guard = world.guard(0).unwrap();
    let key = world.routers[0]
        .onion
        .as_ref()
        .unwrap()
        .keys
        .current()
        .key();
    let memory = world.remembered[&0].clone();
    let memory = memory::OnionMemory::from_bytes(memory.as_bytes()).unwrap();
    world.stop(0);
    let config = Config {
        onion: Some(Arc::new(OnionConfig::default())),
        ..Config::default()
    };
    world.routers[0] = Router::new(world.routers[0].location(), config, [99; 32]);
    let elapsed = secs(3_600);
    world.tell(0, Event::Recall { memory, elapsed });
    let friends = [22, 23, 24, 25, 26, 27, 28, 29, 1, 2, 3, 4, 5, 6, 7, 8];
    for friend in friends {
        world.link(0, friend);
        world.introduce(0, [friend]);
    }
    world.run(secs(60));
    assert_eq!(world.guard(0), Some(guard));
    let onion = world.routers[0].onion.as_ref().unwrap();
    assert_eq!(onion.keys.current().key(), key);
    assert_eq!(onion.own.guards.all().len(), 1, "no other was chosen");
}

#[test]
fn slow_circuits_with_cover_carry_blocks_too() {
    let config = OnionConfig {
        delay: Some(Duration::from_millis(100)),
        cover: Some(secs(1)),
        ..OnionConfig::default()
    };
    let mut world = World::new(30, 8, config);
    world.run(secs(60));
    world.stores[15].insert(block(1).key(), block(1));
    let began = world.now;
    world.fetch(0, 1, block(1).key(), part(1));
    while !world.fetched.contains_key(&1) && world.now.since(began) < secs(60) {
        world.run(Duration::from_millis(100));
    }
    assert_eq!(world.fetched.get(&1), Some(&Ok(block(1))));
    // Six hops there and five back are held 100 ms each on average
    assert!(world.now.since(began) > Duration::from_millis(400));
    world.log.clear();
    world.run(secs(10));
    let guard = world.guard(0);
    let covered = world.onion_log().filter(|(from, to, message)| {
        *from == 0 && Some(*to) == guard && matches!(message, OnionMessage::Cell { .. })
    });
    assert!(covered.count() >= 9, "one each second");
}
