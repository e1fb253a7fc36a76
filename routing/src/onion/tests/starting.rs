//! A network whose links come up one after the other.

use super::*;

const NODES: usize = 16;

#[test]
fn every_node_soon_has_circuits_where_links_come_up_seconds_apart() {
    let mut world = World::new(NODES, 0, OnionConfig::default());
    for step in 1..=5 {
        for node in 0..NODES {
            world.link(node, (node + step + usize::from(step > 2)) % NODES);
            world.run(Duration::from_millis(120));
        }
    }
    let mut waits = [0_u32; NODES];
    for _ in 0..60 {
        world.run(secs(1));
        for (node, wait) in waits.iter_mut().enumerate() {
            *wait += u32::from(world.routers[node].onion().unwrap().ready == 0);
        }
    }
    assert!(waits.iter().all(|&wait| wait <= 5), "{waits:?}");
}
