//! Whole nodes in one process.

mod friends;
mod hidden;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use crypto::Identity;
use routing::Trust;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Node;
use super::onion_file::OnionFile;
use super::remembered::RememberedFile;
use crate::client;
use crate::config::{ByteSize, Config, Overrides};
use crate::data_dir::DataDir;
use crate::demo::{Demo, DemoConfig, node_dir};
use crate::fcp::node_info::PeerStanding;
use crate::link::{Bond, Endpoint, Link, LinkConfig, LinkEvent, Priority, StrangerLimits};
use crate::reference::Reference;
use crate::store::SharedResources;

/// No step takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_mins(2);

/// A node that takes part in the opennet, or does not.
async fn node(folder: &Path, opennet: bool) -> Node {
    // Too few for circuits
    node_hiding(folder, opennet, 0).await
}

/// The same with circuits of so many hops.
async fn node_hiding(folder: &Path, opennet: bool, hops: u8) -> Node {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let overrides = Overrides {
        link_listen: Some(any),
        opennet: Some(opennet),
        introduce: Some(opennet),
        anonymity: Some(hops),
        allow_anonymity_off: Some(true),
        store_size: Some(ByteSize::mebibytes(8)),
        cache_size: Some(ByteSize::mebibytes(8)),
        fcp_listen: Some(any),
        fproxy_listen: Some(any),
        ..Overrides::default()
    };
    let config = Config::resolve(None, [], &overrides).unwrap();
    let shared = SharedResources::new(1).unwrap();
    Node::start(DataDir::open(folder).unwrap(), config, &shared)
        .await
        .unwrap()
}

/// Somebody with a link layer and nothing on top.
struct Stranger {
    endpoint: Endpoint,
    events: mpsc::Receiver<LinkEvent>,
}

impl Stranger {
    fn start() -> Self {
        let identity = Identity::from_seed(&[9; 32]);
        let config = LinkConfig {
            strangers: Some(StrangerLimits::default()),
            handshake_timeout: Duration::from_secs(2),
            ..LinkConfig::default()
        };
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (endpoint, events) = Endpoint::bind(&identity, any, config).unwrap();
        let own = Reference::sign(&identity, "stranger", &[endpoint.local_addr()], 1).unwrap();
        endpoint.introduce_as(own.to_record());
        Self { endpoint, events }
    }

    fn dial(&self, node: &Node) {
        let reference = node.reference().unwrap();
        let record = reference.to_record();
        let dialled = self.endpoint.dial(node.id(), reference.addresses(), record);
        dialled.unwrap();
    }

    /// The next event that is no message.
    async fn next(&mut self) -> LinkEvent {
        loop {
            match timeout(PATIENCE, self.events.recv()).await {
                Ok(Some(LinkEvent::Message { .. })) => {}
                other => return other.expect("an event in time").expect("a live endpoint"),
            }
        }
    }

    async fn met(&mut self) -> Link {
        match self.next().await {
            LinkEvent::Up {
                link,
                bond: Bond::Stranger { dialled: true, .. },
                ..
            } => link,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_that_sends_garbage_is_shut_out() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(folder.path(), true).await;
    let mut stranger = Stranger::start();
    stranger.dial(&node);
    let link = stranger.met().await;
    link.send(Bytes::from_static(&[0xff; 9]), Priority::Control)
        .unwrap();
    assert!(matches!(stranger.next().await, LinkEvent::Down { .. }));
    stranger.dial(&node);
    let again = stranger.next().await;
    assert!(matches!(again, LinkEvent::DialFailed { .. }), "{again:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_an_opennet_answers_no_stranger() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(folder.path(), false).await;
    let mut stranger = Stranger::start();
    stranger.dial(&node);
    let answer = stranger.next().await;
    assert!(matches!(answer, LinkEvent::DialFailed { .. }), "{answer:?}");
    assert_eq!(node.peers_connected(), 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_find_each_other_from_one_seed_and_write_down_whom_they_found() {
    let folder = tempfile::tempdir().unwrap();
    let config = DemoConfig {
        nodes: 6,
        data_dir: folder.path().to_owned(),
        fcp_port: 0,
        http_port: 0,
        opennet: true,
        anonymity: None,
    };
    let demo = timeout(PATIENCE, Demo::start(&config))
        .await
        .unwrap()
        .unwrap();
    let ids: Vec<_> = demo.nodes().iter().map(Node::id).collect();
    for node in demo.nodes() {
        let peers = node.core.peer_facts().await;
        assert!(peers.iter().all(|peer| peer.id != node.id()));
        assert!(peers.len() >= 4, "{} peers", peers.len());
    }
    demo.stop().await;
    for (index, own) in ids.iter().enumerate() {
        let file = RememberedFile::new(&node_dir(folder.path(), index), *own);
        let remembered = file.read();
        assert!(remembered.len() >= 4, "{} remembered", remembered.len());
        assert!(remembered.iter().all(|contact| ids.contains(&contact.node)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_told_the_new_address_of_a_node_that_moved() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(folder.path(), true).await;
    let before = node.core.endpoint.local_addr();
    node.core.renew_record().await;
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    node.core.endpoint.rebind(any).unwrap();
    let after = node.core.endpoint.local_addr();
    assert_ne!(after, before);
    node.core.renew_record().await;
    let mut stranger = Stranger::start();
    stranger.dial(&node);
    let LinkEvent::Up {
        bond: Bond::Stranger { record, .. },
        ..
    } = stranger.next().await
    else {
        panic!("another event");
    };
    assert_eq!(
        Reference::from_record(&record).unwrap().addresses(),
        [after]
    );
    node.stop().await;
}
