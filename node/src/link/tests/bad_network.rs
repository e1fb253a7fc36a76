//! Loss, delay and reordering.

use super::*;
use crate::link::Faults;

fn bad(seed: u64, loss: f64) -> LinkConfig {
    let faults = Faults {
        loss,
        delay: (Duration::from_millis(1), Duration::from_millis(10)),
        reorder: 0.05,
        seed,
    };
    LinkConfig {
        faults: Some(faults),
        ..LinkConfig::default()
    }
}

async fn exchange(seed: u64, loss: f64, messages: u32) {
    let (mut a, to_b, mut b, to_a) = pair_with(bad(seed, loss)).await;
    let count = messages as usize;
    let ((), (), at_a, at_b) = tokio::join!(
        send_numbered(&to_b, messages),
        send_numbered(&to_a, messages),
        a.numbers(count),
        b.numbers(count),
    );
    assert!(complete(at_a) && complete(at_b), "seed {seed}");
    assert!(
        to_b.stats().lost_packets > 0,
        "seed {seed}: the network was perfect"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_arrives_once_at_five_percent_loss_with_delay_and_reordering() {
    for seed in 1..4 {
        exchange(seed, 0.05, 600).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_comes_up_at_thirty_percent_loss() {
    exchange(7, 0.3, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_peer_is_down_after_the_idle_time() {
    let config = LinkConfig {
        keep_alive: Duration::from_millis(100),
        idle_timeout: Duration::from_millis(600),
        ..LinkConfig::default()
    };
    let mut a = Node::start_with(1, loopback(0), config.clone());
    let relayed = Node::start_with(2, loopback(0), config);
    let relay = relay::Relay::start(relayed.address()).await;
    relayed.endpoint.connect_to(a.id(), Vec::new());
    a.endpoint.connect_to(relayed.id(), vec![relay.address]);
    a.up().await;
    // Keep-alives hold the link for several idle times.
    let quiet = timeout(Duration::from_millis(1_500), a.events.recv()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    drop(relay);
    a.down().await;
}
