use super::*;

#[test]
fn twelve_nodes_find_each_other_from_one_seed_within_ten_seconds() {
    let config = OpennetConfig::default();
    let mut world = World::new(&config);
    for _ in 1..12 {
        world.add(&config);
    }
    world.run_for(Duration::from_secs(10));
    println!(
        "lattice {} degree {} messages {}",
        world.lattice(),
        world.mean_degree(),
        world.messages
    );
    assert_eq!(world.lattice(), 1.0);
    assert_eq!(world.routes(200).0, 1.0);
}

#[test]
fn a_grown_network_has_its_lattice_and_short_ways() {
    let config = OpennetConfig::default();
    let mut world = World::new(&config);
    for _ in 1..500 {
        world.add(&config);
        world.run_for(Duration::from_millis(500));
    }
    for _ in 0..10 {
        let routes = world.routes(1000);
        println!(
            "{}: lattice {} degree {} routes {routes:?} messages {}",
            world.now,
            world.lattice(),
            world.mean_degree(),
            world.messages
        );
        world.run_for(Duration::from_secs(60));
    }
    assert!(world.lattice() > 0.99);

    for node in (0..500).filter(|node| node % 10 == 3) {
        world.stop(node);
    }
    world.run_for(Duration::from_secs(120));
    let routes = world.routes(1000);
    println!(
        "lattice {} degree {} routes {routes:?} messages {}",
        world.lattice(),
        world.mean_degree(),
        world.messages
    );
    assert!(world.lattice() > 0.99);
}
