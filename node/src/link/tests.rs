//! Links over real loopback sockets: the harness, and a topic a file.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use crypto::{Identity, NodeId};
use tokio::{sync::mpsc, time::timeout};

use super::{Endpoint, Link, LinkConfig, LinkEvent, Priority};

mod admission;
mod bad_network;
mod messages;
mod misbehaviour;
mod moving;
mod probing;
mod relay;
mod simultaneous;
mod strangers;
mod throughput;

/// No step takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

struct Node {
    identity: Arc<Identity>,
    endpoint: Endpoint,
    events: mpsc::Receiver<LinkEvent>,
}

impl Node {
    fn start(seed: u8) -> Self {
        Self::start_with(seed, loopback(0), LinkConfig::default())
    }

    fn start_with(seed: u8, address: SocketAddr, config: LinkConfig) -> Self {
        let identity = Arc::new(identity(seed));
        let (endpoint, events) = Endpoint::bind(&identity, address, config).unwrap();
        Self {
            identity,
            endpoint,
            events,
        }
    }

    fn id(&self) -> NodeId {
        self.identity.id()
    }

    fn address(&self) -> SocketAddr {
        self.endpoint.local_addr()
    }

    /// Dials `other`, which knows us but waits.
    fn dial(&self, other: &Self) {
        other.endpoint.connect_to(self.id(), Vec::new());
        self.endpoint.connect_to(other.id(), vec![other.address()]);
    }

    async fn next(&mut self) -> LinkEvent {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("an event in time")
            .expect("the endpoint lives")
    }

    async fn up(&mut self) -> Link {
        match self.next().await {
            LinkEvent::Up { link, .. } => link,
            other => panic!("{other:?} instead of Up"),
        }
    }

    async fn down(&mut self) {
        match self.next().await {
            LinkEvent::Down { .. } => {}
            other => panic!("{other:?} instead of Down"),
        }
    }

    async fn message(&mut self) -> Bytes {
        match self.next().await {
            LinkEvent::Message { bytes, .. } => bytes,
            other => panic!("{other:?} instead of a message"),
        }
    }

    /// The numbers in the next `count` messages, in order of arrival.
    async fn numbers(&mut self, count: usize) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(count);
        for _ in 0..count {
            numbers.push(number_in(&self.message().await));
        }
        numbers
    }
}

/// Two connected nodes; the first has dialled.
async fn pair() -> (Node, Link, Node, Link) {
    pair_with(LinkConfig::default()).await
}

async fn pair_with(config: LinkConfig) -> (Node, Link, Node, Link) {
    let mut a = Node::start_with(1, loopback(0), config.clone());
    let mut b = Node::start_with(2, loopback(0), config);
    a.dial(&b);
    let (to_b, to_a) = (a.up().await, b.up().await);
    (a, to_b, b, to_a)
}

fn identity(seed: u8) -> Identity {
    Identity::from_seed(&[seed; 32])
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A message of `len` bytes that carries `number` and can be checked for damage.
fn numbered(number: u32, len: usize) -> Bytes {
    let pattern = number.to_be_bytes();
    pattern.into_iter().cycle().take(len.max(4)).collect()
}

fn number_in(message: &[u8]) -> u32 {
    let number = *message.first_chunk::<4>().expect("a numbered message");
    assert!(
        message.iter().eq(number.iter().cycle().take(message.len())),
        "a damaged message"
    );
    u32::from_be_bytes(number)
}

/// Sends `count` numbered messages of lengths from four bytes to a block, as room comes.
async fn send_numbered(link: &Link, count: u32) {
    for number in 0..count {
        let len = [4, 300, 5_000, 32_900][number as usize % 4];
        let message = numbered(number, len);
        while link.send(message.clone(), Priority::Bulk).is_err() {
            tokio::task::yield_now().await;
        }
    }
}

/// Each number from zero exactly once.
fn complete(mut numbers: Vec<u32>) -> bool {
    numbers.sort_unstable();
    numbers.iter().copied().eq((0..).take(numbers.len()))
}
