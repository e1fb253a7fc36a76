//! The guard is not given up for what others do.

use super::*;
use crate::onion::liars::Lie;
use crate::onion::list::RelayName;

const NODES: usize = 16;

impl World {
    /// The node that goes by this name.
    fn named(&self, name: &RelayName) -> usize {
        let mut all = 0..self.routers.len();
        all.find(|&node| super::name(self, node) == *name).unwrap()
    }

    /// The second relay of a node's circuits.
    fn second(&self, node: usize) -> usize {
        let own = &self.routers[node].onion.as_ref().unwrap().own;
        let circuit = own.circuits.values().find(|circuit| circuit.is_ready());
        self.named(&circuit.unwrap().relays[1])
    }

    fn leaves_out(&self, node: usize, relay: usize) -> bool {
        let onion = self.routers[node].onion.as_ref().unwrap();
        onion.is_left_out(self.now, &name(self, relay))
    }

    /// The link between two nodes breaks.
    fn unlink(&mut self, one: usize, other: usize) {
        for (node, peer) in [(one, other), (other, one)] {
            let peer = PeerId(u32::try_from(peer).unwrap());
            self.tell(node, Event::PeerDown { peer });
        }
    }
}

/// A network in which node 0 has circuits, its guard, and its second relay.
fn settled() -> (World, usize, usize) {
    let mut world = World::new(NODES, 7, OnionConfig::default());
    world.introduce(0, 1..NODES);
    for node in 1..NODES {
        for number in 0..100 {
            let block = block(number);
            world.stores[node].insert(block.key(), block);
        }
    }
    world.run(secs(10));
    let (guard, second) = (world.guard(0).unwrap(), world.second(0));
    (world, guard, second)
}

/// Node 0 fetches a block within so long.
fn fetches(world: &mut World, number: u8, within: Duration) {
    let key = block(number).key();
    world.fetch(0, number.into(), key, part(u64::from(number)));
    world.run(within);
    let fetched = world.fetched.get(&number.into());
    assert_eq!(fetched, Some(&Ok(block(number))), "block {number}");
}

#[test]
fn a_guard_whose_link_behind_it_breaks_stays_the_guard() {
    let (mut world, guard, second) = settled();
    world.unlink(guard, second);
    world.run(secs(2));
    fetches(&mut world, 1, secs(8));
    assert!(!world.leaves_out(0, guard));
    assert_eq!(world.guard(0), Some(guard));
}

#[test]
fn a_guard_that_comes_back_is_the_guard_again() {
    let (mut world, guard, _) = settled();
    world.unlink(0, guard);
    world.run(secs(5));
    world.link(0, guard);
    world.introduce(0, [guard]);
    world.run(secs(5));
    assert!(!world.leaves_out(0, guard));
    fetches(&mut world, 1, secs(8));
    assert_eq!(world.guard(0), Some(guard));
}

#[test]
fn a_guard_that_lies_is_not_waited_for() {
    let (mut world, guard, _) = settled();
    let (now, liar) = (world.now, name(&world, guard));
    let onion = world.routers[0].onion.as_mut().unwrap();
    let config = Arc::clone(&onion.config);
    onion.reach.leave_out(now, &config, liar, Lie::TwoLists);
    // Half of the circuits go, so that others are built at once
    for number in 0..4 {
        let key = block(number).key();
        world.fetch(0, number.into(), key, part(number.into()));
    }
    world.run(secs(10));
    assert_ne!(world.guard(0), Some(guard));
}

#[test]
fn a_guard_is_not_given_up_for_a_second_relay_that_drops_cells() {
    let (mut world, guard, second) = settled();
    world.meddler = Some((second, |_, _, message| {
        let is_cell = matches!(message, Message::Onion(OnionMessage::Cell { .. }));
        (!is_cell).then_some(message)
    }));
    for number in 0..12 {
        let key = block(number).key();
        world.fetch(0, number.into(), key, part(u64::from(number)));
        world.run(secs(30));
    }
    assert!(world.leaves_out(0, second));
    assert!(!world.leaves_out(0, guard));
    assert_eq!(world.guard(0), Some(guard));
    fetches(&mut world, 50, secs(8));
}

#[test]
fn a_guard_behind_which_every_second_relay_fails_is_left_out() {
    let (mut world, guard, _) = settled();
    world.meddler = Some((guard, |_, _, message| {
        let forward = hostile::cell_direction(&message) == Some(Direction::Forward);
        Some(if forward {
            hostile::changed(message)
        } else {
            message
        })
    }));
    for number in 0..60 {
        let key = block(number).key();
        world.fetch(0, number.into(), key, part(u64::from(number)));
        world.run(secs(20));
    }
    assert!(world.leaves_out(0, guard));
    fetches(&mut world, 90, secs(8));
}
