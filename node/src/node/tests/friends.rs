//! Whole nodes that are friends, in one process.

use std::sync::Arc;

use crypto::{BlockKey, ContentExtra, ContentKey, FileKey, VerifiedBlock};
use routing::{Location, Place};
use tempfile::TempDir;
use tokio::time::{interval, timeout};

use super::*;
use crate::client::{Anonymity, BlockFetchError, BlockNetwork as _, Class, Effort};
use crate::node::block_network::NodeNetwork;

/// Nodes that are all friends of each other.
struct Friends {
    nodes: Vec<Node>,
    folder: TempDir,
}

impl Friends {
    /// Nodes that know nobody yet.
    async fn alone(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut nodes = Vec::new();
        for number in 0..count {
            nodes.push(node(&folder.path().join(number.to_string()), false).await);
        }
        Self { nodes, folder }
    }

    async fn link(&self) {
        for (place, one) in self.nodes.iter().enumerate() {
            for (_, other) in self.nodes.iter().enumerate().filter(|(at, _)| *at != place) {
                let reference = other.reference().unwrap();
                one.add_peer(reference, None).await.unwrap();
            }
        }
        for node in &self.nodes {
            let linked = node.connected_to(self.nodes.len() - 1);
            timeout(PATIENCE, linked).await.expect("links in time");
        }
    }

    async fn stop(self) {
        for node in self.nodes {
            node.stop().await;
        }
    }
}

fn network(node: &Node) -> NodeNetwork {
    NodeNetwork::new(node.core.commands.clone(), Arc::clone(&node.core.store))
}

fn content(number: u8) -> VerifiedBlock {
    let key = FileKey::from_bytes([number; 32]);
    let sealed = ContentKey::seal(key, ContentExtra::default(), &[number]);
    sealed.unwrap().1
}

fn has(node: &Node, key: &BlockKey) -> bool {
    node.core.store.store().peek(key).unwrap().is_some()
}

/// Nothing tells when a store gets a block for others.
async fn until_stored(node: &Node, key: &BlockKey) {
    let mut looks = interval(Duration::from_millis(50));
    let stored = async {
        while !has(node, key) {
            looks.tick().await;
        }
    };
    timeout(PATIENCE, stored).await.expect("a copy in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_whose_other_holders_are_gone_is_copied_to_the_closest_nodes_and_outlives_its_last_one()
 {
    let mut friends = Friends::alone(3).await;
    let place = |node: &Node| Location::of_node(&node.id());
    let holder = place(&friends.nodes[0]);
    let is_closest = |block: &VerifiedBlock| {
        let key = Location::of_key(&block.key());
        let mut others = friends.nodes[1..].iter();
        others.all(|other| holder.distance(key) < place(other).distance(key))
    };
    let block = (0..=255).map(content).find(is_closest).unwrap();
    let key = block.key();
    let store = friends.nodes[0].core.store.store();
    store.put(Place::Store, &block).unwrap();
    friends.link().await;
    for other in &friends.nodes[1..] {
        until_stored(other, &key).await;
    }
    friends.nodes.remove(0).stop().await;
    let found = network(&friends.nodes[0])
        .fetch(key, Class::RealTime, Effort::Thorough, Anonymity::Off)
        .await;
    assert_eq!(found.unwrap().bytes(), block.bytes());
    friends.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_block_hears_of_it_when_it_comes() {
    let friends = Friends::alone(3).await;
    friends.link().await;
    let block = content(1);
    let key = block.key();
    let [reader, writer] = [0, 1].map(|place| network(&friends.nodes[place]));
    let missing = reader
        .fetch(key, Class::RealTime, Effort::Once, Anonymity::Off)
        .await;
    assert_eq!(missing.unwrap_err(), BlockFetchError::NotFound);
    let waiting = tokio::spawn(async move {
        reader.appeared(key).await;
        reader
            .fetch(key, Class::RealTime, Effort::Thorough, Anonymity::Off)
            .await
    });
    writer
        .insert(block.clone(), Class::RealTime, Anonymity::Off)
        .await
        .unwrap();
    let found = timeout(PATIENCE, waiting).await.expect("news in time");
    assert_eq!(found.unwrap().unwrap().bytes(), block.bytes());
    friends.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_where_it_was_after_a_restart_and_tells_its_friends() {
    let friends = Friends::alone(1).await;
    let folder = friends.folder.path().join("moved");
    std::fs::create_dir(&folder).unwrap();
    let kept = "location = \"4000000000000000\"\nsettled = true\n";
    std::fs::write(folder.join("darknet.place"), kept).unwrap();
    let moved = node(&folder, false).await;
    let location = moved.core.survey().await.location;
    assert_eq!(location.map(Location::as_fraction), Some(0.25));
    let friend = &friends.nodes[0];
    friend
        .add_peer(moved.reference().unwrap(), Some(Trust::Low))
        .await
        .unwrap();
    let reference = friend.reference().unwrap();
    moved.add_peer(reference, None).await.unwrap();
    timeout(PATIENCE, friend.connected_to(1)).await.unwrap();
    let mut looks = interval(Duration::from_millis(50));
    let heard = async {
        loop {
            let facts = friend.core.peer_facts().await.remove(0);
            if (facts.location - 0.25).abs() < 1e-9 {
                return facts;
            }
            looks.tick().await;
        }
    };
    let facts = timeout(PATIENCE, heard).await.expect("its place in time");
    let trust = Trust::Low;
    assert_eq!(facts.standing, PeerStanding::Friend { trust });
    moved.stop().await;
    let text = std::fs::read_to_string(folder.join("darknet.place")).unwrap();
    assert!(text.contains("settled = true"), "{text}");
    friends.stop().await;
}
