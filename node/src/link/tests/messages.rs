//! What is sent arrives.

use super::*;
use crate::link::{Faults, SendError};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_every_length_arrive_whole_in_both_directions() {
    let (mut a, to_b, mut b, to_a) = pair().await;
    let lengths = [4, 5, 1_199, 1_200, 1_201, 20_000, 32_768, 65_535, 65_536];
    for (number, len) in (0..).zip(lengths) {
        to_b.send(numbered(number, len), Priority::RealTime)
            .unwrap();
        to_a.send(numbered(number, len), Priority::Bulk).unwrap();
    }
    assert!(complete(a.numbers(lengths.len()).await));
    assert!(complete(b.numbers(lengths.len()).await));
    to_a.send(Bytes::new(), Priority::Control).unwrap();
    assert_eq!(a.message().await, Bytes::new());
    assert_eq!(to_a.peer(), a.id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_messages_keep_their_order_and_overtake_blocks() {
    // With a delay, so that the blocks cannot be gone before the rest is said.
    let delay = (Duration::from_millis(10), Duration::from_millis(10));
    let faults = Faults {
        loss: 0.0,
        delay,
        reorder: 0.0,
        seed: 1,
    };
    let (_a, to_b, mut b, _to_a) = pair_with(LinkConfig {
        faults: Some(faults),
        ..LinkConfig::default()
    })
    .await;
    let block = numbered(7_777, 32_900);
    for _ in 0..200 {
        to_b.send(block.clone(), Priority::Bulk).unwrap();
    }
    for number in 0..100 {
        to_b.send(numbered(number, 40), Priority::Control).unwrap();
    }
    let arrived = b.numbers(300).await;
    let control: Vec<u32> = arrived
        .iter()
        .copied()
        .filter(|number| *number < 100)
        .collect();
    assert!(
        control.iter().copied().eq(0..100),
        "out of order: {control:?}"
    );
    let last_control = arrived.iter().rposition(|number| *number < 100).unwrap();
    assert!(
        last_control < 200,
        "{} blocks went before a control message",
        last_control - 99
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outbox_that_nobody_empties_fills_up_and_says_so() {
    let (_a, to_b, b, _to_a) = pair().await;
    let taken = (0..)
        .take_while(|number| to_b.send(numbered(*number, 65_536), Priority::Bulk).is_ok())
        .count();
    // Outbox, both windows and the events that b has room for, and nothing without a bound.
    assert!(
        (100..1_000).contains(&taken),
        "{taken} messages of 64 KiB taken"
    );
    assert_eq!(
        to_b.send(numbered(0, 65_536), Priority::Bulk),
        Err(SendError::Full)
    );
    let too_long = to_b.send(numbered(0, 65_537), Priority::Bulk);
    assert_eq!(
        too_long,
        Err(SendError::TooLong {
            bytes: 65_537,
            max: 65_536
        })
    );
    drop(b);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_dial_each_other_at_once_lose_nothing_and_stay_up() {
    for round in 0..5 {
        let (mut a, mut b) = (Node::start(2 * round), Node::start(2 * round + 1));
        a.endpoint.connect_to(b.id(), vec![b.address()]);
        b.endpoint.connect_to(a.id(), vec![a.address()]);
        let (to_b, to_a) = (a.up().await, b.up().await);
        let ((), (), at_a, at_b) = tokio::join!(
            send_numbered(&to_b, 400),
            send_numbered(&to_a, 400),
            a.numbers(400),
            b.numbers(400)
        );
        assert!(complete(at_a) && complete(at_b));
        a.endpoint.close().await;
        b.down().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forgetting_and_closing_are_seen_at_once_on_both_sides() {
    let config = LinkConfig {
        idle_timeout: 4 * PATIENCE,
        ..LinkConfig::default()
    };
    let (mut a, to_b, mut b, to_a) = pair_with(config).await;
    b.endpoint.forget(&a.id());
    b.down().await;
    a.down().await;
    assert_eq!(
        to_a.send(Bytes::new(), Priority::Control),
        Err(SendError::Closed)
    );
    assert_eq!(
        to_b.send(Bytes::new(), Priority::Control),
        Err(SendError::Closed)
    );
    b.endpoint.connect_to(a.id(), Vec::new());
    let (to_b, to_a) = (a.up().await, b.up().await);
    // Even when both directions are as full as they get.
    let block = numbered(1, 32_900);
    while to_a.send(block.clone(), Priority::Bulk).is_ok()
        && to_b.send(block.clone(), Priority::Bulk).is_ok()
    {}
    b.endpoint.close().await;
    while !matches!(a.next().await, LinkEvent::Down { .. }) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_mesh_of_twelve_nodes_comes_up() {
    let mut nodes: Vec<Node> = (0..12).map(Node::start).collect();
    for a in &nodes {
        for b in &nodes {
            a.endpoint.connect_to(b.id(), vec![b.address()]);
        }
    }
    for node in &mut nodes {
        for _ in 0..11 {
            let link = node.up().await;
            assert_ne!(link.peer(), node.id());
        }
    }
}
