//! Only the right peers get a link.

use super::*;
use crate::link::{
    allowed::AllowedPeers,
    dial::{DialError, Intent, dial},
    tls::{LinkTls, SERVER_NAME, peer_of},
};

const FRESH: Intent = Intent::fresh(false);

fn impatient() -> LinkConfig {
    LinkConfig {
        handshake_timeout: Duration::from_millis(500),
        ..LinkConfig::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_dialled_by_another_identity_does_not_answer() {
    let a = Node::start_with(1, loopback(0), impatient());
    let b = Node::start(2);
    b.endpoint.connect_to(a.id(), Vec::new());
    let result = dial(
        a.endpoint.context(),
        identity(3).id(),
        vec![b.address()],
        FRESH,
    )
    .await;
    assert!(matches!(result, Err(DialError::TimedOut)), "{result:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_peer_is_not_admitted_until_it_is_made_known() {
    let mut a = Node::start_with(1, loopback(0), impatient());
    let mut b = Node::start(2);
    let result = dial(a.endpoint.context(), b.id(), vec![b.address()], FRESH).await;
    assert!(
        matches!(result, Err(DialError::Greet(_) | DialError::Connection(_))),
        "{result:?}"
    );
    assert!(b.events.try_recv().is_err(), "b took notice of a stranger");
    a.dial(&b);
    assert_eq!((a.up().await.peer(), b.up().await.peer()), (b.id(), a.id()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_at_the_address_of_another_does_not_disturb_it() {
    let (mut a, _to_b, b, to_a) = pair().await;
    // Both dial the same address for a third identity that is not there, while the link is in use.
    a.endpoint.connect_to(identity(3).id(), vec![b.address()]);
    b.endpoint.connect_to(identity(3).id(), vec![a.address()]);
    let ((), numbers) = tokio::join!(send_numbered(&to_a, 2_000), a.numbers(2_000));
    assert!(complete(numbers));
}

/// TLS alone, without the seal that already keeps most of the wrong ones out.
async fn handshake(
    dialler: u8,
    dialled: u8,
    acceptor: u8,
    allowed: u8,
) -> (Option<NodeId>, Option<NodeId>) {
    let peers = Arc::new(AllowedPeers::default());
    peers.insert(identity(allowed).id());
    let accept = LinkTls::new(&identity(acceptor))
        .unwrap()
        .acceptor(peers)
        .unwrap();
    let dial = LinkTls::new(&identity(dialler))
        .unwrap()
        .dialler(identity(dialled).id())
        .unwrap();
    let server = quinn::Endpoint::server(
        quinn::ServerConfig::with_crypto(Arc::new(accept)),
        loopback(0),
    )
    .unwrap();
    let client = quinn::Endpoint::client(loopback(0)).unwrap();
    let config = quinn::ClientConfig::new(Arc::new(dial));
    let connecting = client
        .connect_with(config, server.local_addr().unwrap(), SERVER_NAME)
        .unwrap();
    let accepting = async { server.accept().await.unwrap().await.ok() };
    // The dialler may be done before the acceptor has refused it; its first stream shows.
    let dialling = async {
        let connection = connecting.await.ok()?;
        let mut stream = connection.open_uni().await.ok()?;
        stream.write_all(b"hello").await.ok()?;
        stream.finish().ok()?;
        stream.stopped().await.ok()?;
        peer_of(&connection)
    };
    let (by_dialler, by_acceptor) = timeout(PATIENCE, async { tokio::join!(dialling, accepting) })
        .await
        .unwrap();
    (
        by_dialler,
        by_acceptor.and_then(|connection| peer_of(&connection)),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_admits_exactly_the_dialled_acceptor_and_the_allowed_dialler() {
    assert_eq!(
        handshake(1, 2, 2, 1).await,
        (Some(identity(2).id()), Some(identity(1).id()))
    );
    assert_eq!(
        handshake(1, 3, 2, 1).await,
        (None, None),
        "another node answered"
    );
    assert_eq!(
        handshake(1, 2, 2, 3).await,
        (None, None),
        "a stranger called"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_addresses_of_peers_are_known_as_long_as_they_are_peers() {
    let a = Node::start(1);
    let [one, other] = [1, 2].map(|last| SocketAddr::from(([192, 0, 2, last], 9)));
    let is_known = |address: SocketAddr| a.endpoint.is_known_at(address.ip());
    assert!(!is_known(one));
    a.endpoint.connect_to(identity(2).id(), vec![one]);
    assert!(is_known(one) && !is_known(other));
    a.endpoint.connect_to(identity(2).id(), vec![other]);
    assert!(!is_known(one) && is_known(other));
    a.endpoint.forget(&identity(2).id());
    assert!(!is_known(other));
}
