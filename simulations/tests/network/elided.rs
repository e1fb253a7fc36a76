use simulations::{Counters, ElidedBlock, Network, Settings, SimBlock, Topology, content_block};

/// The same requests for the same keys, once with whole blocks and once with stand-ins.
#[test]
fn stand_ins_take_the_ways_of_whole_blocks_and_are_counted_in_full() {
    let whole = counted((0..10).map(content_block));
    let elided = counted((0..10).map(|number| ElidedBlock::of_key(content_block(number).key())));
    assert_eq!(whole, elided);
    assert!(whole.bytes > whole.blocks * 32_768, "{whole:?}");
}

fn counted<B: SimBlock>(blocks: impl Iterator<Item = B>) -> Counters {
    let topology = Topology::small_world(100, 6, 1);
    let mut network = Network::new(&topology, Settings::default(), 1);
    for block in blocks {
        let key = block.key();
        let publisher = network.random_node(None);
        network.insert(publisher, block);
        network.run();
        let reader = network.random_node(Some(publisher));
        let fetch = network.fetch(reader, key);
        network.run();
        assert!(network.report(fetch).is_success());
    }
    network.counters()
}
