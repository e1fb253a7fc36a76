//! A peer that is allowed in and then sends garbage.

use bytes::BytesMut;

use super::*;
use crate::link::{
    dial::{Intent, dial},
    frame::put_message,
    greeting::Greeted,
    padding::padding,
    session::CloseCode,
};

const FRESH: Intent = Intent::fresh(false);

/// A connection to `b` of an admitted peer without any code of ours on top.
async fn intruder(b: &mut Node) -> (Node, Greeted) {
    let a = Node::start(1);
    b.endpoint.connect_to(a.id(), Vec::new());
    let greeted = dial(a.endpoint.context(), b.id(), vec![b.address()], FRESH)
        .await
        .unwrap();
    b.up().await;
    (a, greeted)
}

fn padded(message: &[u8]) -> Vec<u8> {
    [message, &padding(message.len())].concat()
}

async fn assert_thrown_out(b: &mut Node, connection: &quinn::Connection) {
    let reason = timeout(PATIENCE, connection.closed()).await.unwrap();
    let quinn::ConnectionError::ApplicationClosed(close) = reason else {
        panic!("{reason:?}");
    };
    assert_eq!(close.error_code, CloseCode::Misbehaved.into());
    loop {
        match b.next().await {
            LinkEvent::Message { .. } => {}
            LinkEvent::Down { .. } => break,
            other => panic!("{other:?}"),
        }
    }
}

async fn assert_alive(b: &mut Node) {
    let mut honest = Node::start(3);
    honest.dial(b);
    let to_b = honest.up().await;
    to_b.send(numbered(1, 5_000), Priority::Bulk).unwrap();
    // The intruder's last words may still come in between.
    loop {
        match b.next().await {
            LinkEvent::Message { peer, bytes } if peer == honest.id() => {
                break assert_eq!(number_in(&bytes), 1);
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_oversized_or_unknown_frame_ends_the_connection() {
    let mut b = Node::start(2);
    let garbage: [&[u8]; 4] = [
        &[0, 0xff, 0xff, 0xff, 1, 2, 3],
        &[9, 0, 0, 0],
        &[2, 0, 0, 3, 1, 2, 3],
        &[1, 0, 0, 0],
    ];
    for frame in garbage {
        let (_a, mut greeted) = intruder(&mut b).await;
        greeted.ordered.send.write_all(frame).await.unwrap();
        assert_thrown_out(&mut b, &greeted.connection).await;
    }
    assert_alive(&mut b).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_without_padding_or_over_the_limit_with_it_ends_the_connection() {
    let mut b = Node::start(2);
    let limit = LinkConfig::default().message_bytes_max;
    for message in [numbered(4, 5_000).to_vec(), padded(&vec![7; limit + 1])] {
        let (_a, greeted) = intruder(&mut b).await;
        let mut stream = greeted.connection.open_uni().await.unwrap();
        stream.write_all(&message).await.unwrap();
        stream.finish().unwrap();
        assert_thrown_out(&mut b, &greeted.connection).await;
    }
    assert_alive(&mut b).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_over_the_limit_ends_the_connection() {
    let mut b = Node::start(2);
    let (_a, greeted) = intruder(&mut b).await;
    let mut stream = greeted.connection.open_uni().await.unwrap();
    stream.write_all(&vec![7; 68_000]).await.unwrap();
    stream.finish().unwrap();
    assert_thrown_out(&mut b, &greeted.connection).await;
    assert_alive(&mut b).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_streams_hold_up_nothing_and_cannot_pile_up() {
    let mut b = Node::start(2);
    let (_a, mut greeted) = intruder(&mut b).await;
    let mut unfinished = Vec::new();
    for _ in 0..100 {
        let mut stream = greeted.connection.open_uni().await.unwrap();
        stream.write_all(&[1; 2_000]).await.unwrap();
        unfinished.push(stream);
    }
    let mut whole = greeted.connection.open_uni().await.unwrap();
    whole.write_all(&padded(&numbered(4, 5_000))).await.unwrap();
    whole.finish().unwrap();
    assert_eq!(number_in(&b.message().await), 4);
    let mut frame = BytesMut::new();
    put_message(&[0, 0, 0, 9], &mut frame);
    greeted.ordered.send.write_all(&frame).await.unwrap();
    assert_eq!(number_in(&b.message().await), 9);
    while let Ok(stream) = timeout(Duration::from_millis(200), greeted.connection.open_uni()).await
    {
        let mut stream = stream.unwrap();
        stream.write_all(&[1]).await.unwrap();
        unfinished.push(stream);
        assert!(unfinished.len() < 256, "more open streams than the limit");
    }
    drop(unfinished);
    assert_alive(&mut b).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_swaps_connections_for_ever_gains_nothing() {
    let mut b = Node::start(2);
    let (a, first) = intruder(&mut b).await;
    let mut held = vec![first];
    let mut restarts = 0;
    for _ in 0..12 {
        let replaces = Intent {
            replaces: held.last().unwrap().terms.name,
            seamless: true,
            stranger: false,
        };
        held.push(
            dial(a.endpoint.context(), b.id(), vec![b.address()], replaces)
                .await
                .unwrap(),
        );
        let mut stream = held.last().unwrap().connection.open_uni().await.unwrap();
        stream
            .write_all(&padded(&numbered(3, 2_000)))
            .await
            .unwrap();
        stream.finish().unwrap();
        loop {
            match b.next().await {
                LinkEvent::Message { .. } => break,
                LinkEvent::Down { .. } => restarts += 1,
                _ => {}
            }
        }
    }
    assert!(restarts >= 2, "b kept all the old connections");
    assert_alive(&mut b).await;
}
