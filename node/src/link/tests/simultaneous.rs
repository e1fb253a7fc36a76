//! Two connections between the same two nodes, and messages on their way on the one that goes.

use super::*;
use crate::link::{
    Faults,
    dial::{Intent, dial},
};

const FRESH: Intent = Intent::fresh(false);

/// Slow enough that much is under way at any time.
fn slow() -> LinkConfig {
    let delay = (Duration::from_millis(20), Duration::from_millis(30));
    let faults = Faults {
        loss: 0.005,
        delay,
        reorder: 0.01,
        seed: 3,
    };
    LinkConfig {
        faults: Some(faults),
        idle_timeout: 4 * PATIENCE,
        ..LinkConfig::default()
    }
}

/// A connection dialled by `dialler`, with both keepers told of it, as if it had been dialled before the link was up.
async fn connect(dialler: &Node, acceptor: &Node) {
    let context = dialler.endpoint.context();
    let greeted = dial(context, acceptor.id(), vec![acceptor.address()], FRESH);
    let greeted = greeted.await.unwrap();
    dialler.endpoint.offer(&acceptor.id(), greeted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_connection_in_the_middle_of_a_transfer_costs_no_message() {
    for first_dialled_by_a in [true, false] {
        let mut a = Node::start_with(1, loopback(0), slow());
        let mut b = Node::start_with(2, loopback(0), slow());
        a.endpoint.connect_to(b.id(), Vec::new());
        b.endpoint.connect_to(a.id(), Vec::new());
        let (first, second) = if first_dialled_by_a {
            (&a, &b)
        } else {
            (&b, &a)
        };
        connect(first, second).await;
        let (a_address, b_address) = (a.address(), b.address());
        let (to_b, to_a) = (a.up().await, b.up().await);
        let block = numbered(0, 32_900);
        let under_way = 120;
        for _ in 0..under_way {
            to_a.send(block.clone(), Priority::Bulk).unwrap();
            to_b.send(block.clone(), Priority::Bulk).unwrap();
        }
        let (first, second) = if first_dialled_by_a {
            (&a, &b)
        } else {
            (&b, &a)
        };
        connect(second, first).await;
        let (at_a, at_b) = tokio::join!(a.numbers(under_way), b.numbers(under_way));
        assert_eq!(at_a, at_b);
        // Both ends use the same connection: it leads to the same two ports.
        assert_eq!(to_b.stats().remote_address, b_address);
        assert_eq!(to_a.stats().remote_address, a_address);
        send_numbered(&to_b, 50).await;
        assert!(complete(b.numbers(50).await));
    }
}
