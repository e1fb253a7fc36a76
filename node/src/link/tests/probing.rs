//! What an outsider sees: noise, and silence.

use std::net::UdpSocket;

use rand::{Rng, RngExt};

use super::{relay::Relay, *};
use crate::link::{
    seal::{AcceptorKeys, NONCE_LEN},
    tls::{LinkTls, SERVER_NAME},
};

/// The first datagram of a connection by bare QUIC.
async fn plain_initial(dialled: NodeId) -> Vec<u8> {
    let catcher = tokio::net::UdpSocket::bind(loopback(0)).await.unwrap();
    let tls = LinkTls::new(&identity(9))
        .unwrap()
        .dialler(dialled)
        .unwrap();
    let dialler = quinn::Endpoint::client(loopback(0)).unwrap();
    let config = quinn::ClientConfig::new(Arc::new(tls));
    let _connecting = dialler
        .connect_with(config, catcher.local_addr().unwrap(), SERVER_NAME)
        .unwrap();
    let mut datagram = vec![0; 2_000];
    let len = timeout(PATIENCE, catcher.recv(&mut datagram))
        .await
        .unwrap()
        .unwrap();
    datagram.truncate(len);
    datagram
}

fn sealed(packet: &[u8], keys: &AcceptorKeys) -> Vec<u8> {
    let mut nonce = [0; NONCE_LEN];
    rand::rng().fill_bytes(&mut nonce);
    let mut datagram = Vec::new();
    keys.to_acceptor.seal(nonce, packet, &mut datagram);
    datagram
}

/// Comes back when `target` has looked at everything that was sent to it before.
async fn until_seen(target: &mut Node, seed: u8) {
    let mut caller = Node::start(seed);
    caller.dial(target);
    caller.up().await;
    while !matches!(target.next().await, LinkEvent::Up { peer, .. } if peer == caller.id()) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prober_who_does_not_know_the_identity_gets_no_answer() {
    let mut target = Node::start(1);
    let prober = UdpSocket::bind(loopback(0)).unwrap();
    prober.set_nonblocking(true).unwrap();
    let mut random = rand::rng();
    for _ in 0..2_000 {
        let mut noise = vec![0; random.random_range(0..1_500)];
        random.fill_bytes(&mut noise);
        prober.send_to(&noise, target.address()).unwrap();
    }
    let initial = plain_initial(target.id()).await;
    assert!(
        initial.len() >= 1_200 && initial[0] & 0x80 != 0,
        "a QUIC Initial to probe with"
    );
    let mut unknown_version = initial.clone();
    unknown_version[1..5].copy_from_slice(&[0x1a, 0x2a, 0x3a, 0x4a]);
    let wrong_key = AcceptorKeys::of(&identity(9).id());
    for probe in [
        &initial,
        &unknown_version,
        &sealed(&initial, &wrong_key),
        &sealed(&unknown_version, &wrong_key),
    ] {
        prober.send_to(probe, target.address()).unwrap();
    }
    until_seen(&mut target, 3).await;
    assert!(
        prober.recv(&mut [0; 2_000]).is_err(),
        "the prober got an answer"
    );

    // The probe itself is sound: under the right key the same packet is answered.
    let right_key = AcceptorKeys::of(&target.id());
    prober
        .send_to(&sealed(&unknown_version, &right_key), target.address())
        .unwrap();
    until_seen(&mut target, 4).await;
    assert!(prober.recv(&mut [0; 2_000]).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_datagrams_sent_again_get_no_answer() {
    let (mut a, mut b) = (Node::start(1), Node::start(2));
    let relay = Relay::start(b.address()).await;
    b.endpoint.connect_to(a.id(), Vec::new());
    a.endpoint.connect_to(b.id(), vec![relay.address]);
    let to_b = a.up().await;
    b.up().await;
    send_numbered(&to_b, 50).await;
    assert!(complete(b.numbers(50).await));
    a.endpoint.close().await;
    b.down().await;
    // Until then the old connection itself would swallow what is sent again.
    b.endpoint.context().quinn.wait_idle().await;

    let prober = UdpSocket::bind(loopback(0)).unwrap();
    prober.set_nonblocking(true).unwrap();
    let record = relay.recorded();
    assert!(record.to_acceptor.len() > 3 && record.from_acceptor.len() > 3);
    for datagram in record.to_acceptor.iter().chain(&record.from_acceptor) {
        prober.send_to(datagram, b.address()).unwrap();
    }
    until_seen(&mut b, 3).await;
    assert!(
        prober.recv(&mut [0; 2_000]).is_err(),
        "the prober got an answer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_byte_of_every_datagram_looks_random() {
    let (mut a, mut b) = (Node::start(1), Node::start(2));
    let relay = Relay::start(b.address()).await;
    b.endpoint.connect_to(a.id(), Vec::new());
    a.endpoint.connect_to(b.id(), vec![relay.address]);
    let (to_b, to_a) = (a.up().await, b.up().await);
    let mut record = relay.recorded();
    let first = [
        record.to_acceptor[0].clone(),
        record.from_acceptor[0].clone(),
    ];
    while record.to_acceptor.len() < 6_000 || record.from_acceptor.len() < 6_000 {
        // One message at a time, so that there are many datagrams.
        to_b.send(Bytes::from_static(&[0; 40]), Priority::Control)
            .unwrap();
        b.message().await;
        to_a.send(Bytes::from_static(&[0; 40]), Priority::Control)
            .unwrap();
        a.message().await;
        let more = relay.recorded();
        record.to_acceptor.extend(more.to_acceptor);
        record.from_acceptor.extend(more.from_acceptor);
    }
    for datagrams in [&record.to_acceptor, &record.from_acceptor] {
        for position in 0..24 {
            assert_uniform(
                datagrams.iter().map(|datagram| datagram[position]),
                &format!("byte {position}"),
            );
        }
        for from_end in 1..=40 {
            let bytes = datagrams
                .iter()
                .map(|datagram| datagram[datagram.len() - from_end]);
            assert_uniform(bytes, &format!("byte {from_end} from the end"));
        }
    }
    for datagram in &first {
        assert_uniform(datagram.iter().copied(), "the first datagram");
    }
}

/// Chi-square over the 256 values of a byte. The statistic has mean 255 and standard deviation 22.6; beyond eight of
/// these, honest randomness fails once in more than 10^10 tests.
fn assert_uniform(bytes: impl Iterator<Item = u8>, what: &str) {
    let mut counts = [0_u32; 256];
    bytes.for_each(|byte| counts[usize::from(byte)] += 1);
    let expected = f64::from(counts.iter().sum::<u32>()) / 256.0;
    let chi_square: f64 = counts
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum();
    assert!(
        chi_square < 255.0 + 8.0 * 22.6,
        "{what}: chi-square {chi_square:.0} over {expected:.1} a value"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_noise_leaves_no_state_and_the_link_works() {
    let (_a, to_b, mut b, _to_a) = pair().await;
    let before = b.endpoint.table_sizes();
    let flood = {
        let target = b.address();
        tokio::task::spawn_blocking(move || {
            let sockets: Vec<UdpSocket> = (0..20)
                .map(|_| UdpSocket::bind(loopback(0)).unwrap())
                .collect();
            let mut random = rand::rng();
            let mut noise = [0; 400];
            for i in 0..200_000 {
                random.fill_bytes(&mut noise);
                let len = 1 + i % noise.len();
                // Where the target's buffer is full the system drops it, which is part of a flood.
                let _ = sockets[i % sockets.len()].send_to(&noise[..len], target);
            }
        })
    };
    send_numbered(&to_b, 500).await;
    assert!(
        complete(b.numbers(500).await),
        "messages got through during the flood"
    );
    timeout(PATIENCE, flood).await.unwrap().unwrap();
    assert_eq!(b.endpoint.table_sizes(), before);
    to_b.send(numbered(0, 32_900), Priority::Bulk).unwrap();
    assert_eq!(number_in(&b.message().await), 0);
}
