//! Addresses change and nodes restart; links go on.

use tokio::runtime::Runtime;

use super::*;

/// Would show as a hanging test if anything waited for silence to end.
fn never_idle() -> LinkConfig {
    LinkConfig {
        idle_timeout: 4 * PATIENCE,
        ..LinkConfig::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialler_that_changes_its_address_loses_nothing_and_stays_up() {
    let (mut a, to_b, mut b, to_a) = pair_with(never_idle()).await;
    for _ in 0..3 {
        let before = a.address();
        let sending = tokio::join!(
            send_numbered(&to_b, 300),
            send_numbered(&to_a, 300),
            async {
                a.endpoint.rebind(loopback(0)).unwrap();
            }
        );
        let ((), (), ()) = sending;
        let (at_a, at_b) = tokio::join!(a.numbers(300), b.numbers(300));
        assert!(complete(at_a) && complete(at_b));
        assert_ne!(a.address(), before);
        assert_eq!(to_a.stats().remote_address, a.address());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acceptor_that_changes_its_address_loses_nothing_and_stays_up() {
    let (mut a, to_b, mut b, to_a) = pair_with(never_idle()).await;
    for _ in 0..3 {
        let ((), (), ()) = tokio::join!(
            send_numbered(&to_b, 300),
            send_numbered(&to_a, 300),
            async {
                b.endpoint.rebind(loopback(0)).unwrap();
            }
        );
        let (at_a, at_b) = tokio::join!(a.numbers(300), b.numbers(300));
        assert!(complete(at_a) && complete(at_b));
        // The link has moved once messages flow while the old address is gone.
        while to_b.stats().remote_address != b.address() {
            send_numbered(&to_b, 1).await;
            b.message().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_restarts_without_a_word_replaces_its_old_link_at_once() {
    let mut a = Node::start_with(1, loopback(0), never_idle());
    let a_address = a.address();
    let a_id = a.id();
    a.endpoint.connect_to(identity(2).id(), Vec::new());
    let start_b = move || {
        let runtime = Runtime::new().unwrap();
        let b = runtime.block_on(async move {
            let b = Node::start_with(2, loopback(0), never_idle());
            b.endpoint.connect_to(a_id, vec![a_address]);
            b
        });
        (runtime, b)
    };
    let (runtime, dead) = tokio::task::spawn_blocking(start_b).await.unwrap();
    a.up().await;
    // All its tasks stop where they are: nothing is said to the peer.
    tokio::task::spawn_blocking(|| runtime.shutdown_timeout(PATIENCE))
        .await
        .unwrap();
    let (runtime, mut b) = tokio::task::spawn_blocking(start_b).await.unwrap();
    a.down().await;
    let to_b = a.up().await;
    to_b.send(numbered(5, 2_000), Priority::RealTime).unwrap();
    b.up().await;
    assert_eq!(number_in(&b.message().await), 5);
    runtime.shutdown_background();
    drop(dead);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialler_finds_a_peer_that_comes_back_later() {
    let (mut a, _to_b, b, _to_a) = pair().await;
    let address = b.address();
    b.endpoint.close().await;
    a.down().await;
    let mut b = Node::start_with(2, address, LinkConfig::default());
    b.endpoint.connect_to(a.id(), Vec::new());
    a.up().await;
    b.up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_addresses_the_one_that_answers_is_found() {
    let mut a = Node::start(1);
    let mut b = Node::start(2);
    let silent = std::net::UdpSocket::bind(loopback(0)).unwrap();
    let unusable = ["[::1]:1".parse().unwrap(), "0.0.0.0:0".parse().unwrap()];
    b.endpoint.connect_to(a.id(), Vec::new());
    let addresses = [&unusable[..], &[silent.local_addr().unwrap(), b.address()]].concat();
    a.endpoint.connect_to(b.id(), addresses);
    a.up().await;
    b.up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_meet_over_ipv6_and_across_address_families() {
    let any_v6 = "[::]:0".parse().unwrap();
    let mut a = Node::start_with(1, any_v6, LinkConfig::default());
    let mut b = Node::start(2);
    a.dial(&b);
    a.up().await;
    b.up().await;
    let mut c = Node::start_with(3, any_v6, LinkConfig::default());
    c.endpoint.connect_to(
        a.id(),
        vec![SocketAddr::from((
            std::net::Ipv6Addr::LOCALHOST,
            a.address().port(),
        ))],
    );
    a.endpoint.connect_to(c.id(), Vec::new());
    a.up().await;
    c.up().await;
}
