use simulations::{Network, Sabotage, Settings, Topology, content_block};

const BLOCKS: usize = 150;

#[test]
fn a_thousand_routers_find_all_that_others_inserted() {
    for seed in 1..=2 {
        let found = found_by_routing(Sabotage::None, seed);
        assert_eq!(found, BLOCKS, "seed {seed}");
    }
}

/// The test above can fail: each of these faults is one of its premises broken.
#[test]
fn wrong_distances_or_forgetful_stores_lose_blocks() {
    let lost_way = found_by_routing(Sabotage::WrongPlaces, 1);
    assert!(
        lost_way < BLOCKS / 2,
        "{lost_way} of {BLOCKS} found with wrong distances"
    );
    assert_eq!(found_by_routing(Sabotage::ForgetfulStores, 1), 0);
}

/// Each block is inserted by one random node and fetched by another.
fn found_by_routing(sabotage: Sabotage, seed: u64) -> usize {
    let settings = Settings {
        sabotage,
        traced: false,
        ..Settings::default()
    };
    let mut network = Network::new(&Topology::small_world(1000, 8, seed), settings, seed);
    let mut publishers = Vec::new();
    for number in 0..BLOCKS as u64 {
        let block = content_block(number);
        let publisher = network.random_node(None);
        let insert = network.insert(publisher, block.clone());
        network.run();
        assert!(
            network.report(insert).is_success(),
            "{:?}",
            network.report(insert).ended
        );
        publishers.push((publisher, block.key()));
    }
    publishers
        .into_iter()
        .filter(|&(publisher, key)| {
            let mut reader = network.random_node(Some(publisher));
            while network.stored(reader, &key).is_some() {
                reader = network.random_node(Some(publisher));
            }
            let fetch = network.fetch(reader, key);
            network.run();
            network.report(fetch).is_routed_success()
        })
        .count()
}
