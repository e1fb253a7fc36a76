use blake3::Hash;

use crate::{assert_at_rest, insert_somewhere, settings_with_loss, twelve_nodes};

#[test]
fn one_seed_gives_one_trace_and_another_seed_another() {
    assert_eq!(trace(1), trace(1));
    assert_ne!(trace(1), trace(2));
}

fn trace(seed: u64) -> Hash {
    let mut network = twelve_nodes(settings_with_loss(0.05), seed);
    for number in 0..10 {
        let (node, _) = insert_somewhere(&mut network, number);
        let reader = network.random_node(Some(node));
        network.fetch(reader, simulations::content_block(number).key());
    }
    network.run();
    assert_at_rest(&network, seed);
    network.trace()
}
