//! Nodes that know nobody but a seed find each other, and what is published among them is found while they come and go.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tests::{Demo, Node, bytes, digest, eventually};

/// Time to join on a busy machine. (Alone on a machine it takes a few seconds.)
const JOIN_MAX: Duration = Duration::from_secs(120);

/// Links that carry requests are the node's neighbours on both sides of the ring at least.
const LINKS: usize = 4;

/// Strangers that the node and they have agreed to link with.
fn strangers(node: &Node) -> Vec<Value> {
    let mut status = node.status();
    let peers = status["peers"].take();
    let Value::Array(peers) = peers else {
        panic!("the status has no list of peers: {status}");
    };
    let adopted = |peer: &Value| peer["kind"] == "stranger" && peer["status"] == "CONNECTED";
    peers.into_iter().filter(adopted).collect()
}

fn until_joined(node: &Node) {
    eventually("the node has found its peers", JOIN_MAX, || {
        (strangers(node).len() >= LINKS).then_some(())
    });
}

fn join(folder: &Path, number: usize, seed: &str) -> Node {
    let node = Node::start_joining(&folder.join(format!("node-{number}")), Some(seed));
    until_joined(&node);
    node
}

fn publish(folder: &Path, node: &Node, number: u64) -> (String, String) {
    let content = bytes(number, 700_000);
    let file = folder.join(format!("{number}.bin"));
    std::fs::write(&file, &content).expect("the folder of the test can be written");
    (node.fcp().put(&file, &[]), digest(&content))
}

#[test]
fn nodes_that_know_one_seed_find_each_other_and_files_outlive_who_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let seed = Node::start_seed(&folder.join("seed"));
    let reference = seed.warren(&["reference"]).trim().to_owned();
    let mut nodes: Vec<Node> = (0..7)
        .map(|number| Node::start_joining(&folder.join(format!("node-{number}")), Some(&reference)))
        .collect();
    for node in &nodes {
        until_joined(node);
    }
    let first = publish(folder, &nodes[0], 1);
    assert_eq!(digest(&nodes[4].fcp().get(&first.0)), first.1);

    // One dies without a word, another says goodbye.
    nodes[6].process().kill();
    nodes[5].process().interrupt();
    drop(nodes.drain(5..));
    let second = publish(folder, &nodes[1], 2);
    for published in [&first, &second] {
        assert_eq!(digest(&nodes[3].fcp().get(&published.0)), published.1);
    }

    // A newcomer finds what was published before it came, and others what it publishes.
    let newcomer = join(folder, 7, &reference);
    for published in [&first, &second] {
        assert_eq!(digest(&newcomer.fcp().get(&published.0)), published.1);
    }
    let third = publish(folder, &newcomer, 3);
    assert_eq!(digest(&nodes[2].fcp().get(&third.0)), third.1);

    for peer in strangers(&newcomer) {
        let location = peer["location"].as_f64().expect("a place on the ring");
        assert!((0.0..1.0).contains(&location), "{peer}");
        assert!(
            peer["trust"].is_null() && peer["sent_bytes"].as_u64() > Some(0),
            "{peer}"
        );
    }
    let requests = &newcomer.status()["requests"];
    assert!(
        requests["own_fetches"]["succeeded"].as_u64() > Some(20),
        "{requests}"
    );
    assert!(
        requests["own_inserts"]["succeeded"].as_u64() > Some(20),
        "{requests}"
    );
}

#[test]
fn a_node_comes_back_through_its_former_peers_when_the_seed_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut seed = Node::start_seed(&folder.join("seed"));
    let reference = seed.warren(&["reference"]).trim().to_owned();
    let mut nodes: Vec<Node> = (0..6)
        .map(|number| Node::start_joining(&folder.join(format!("node-{number}")), Some(&reference)))
        .collect();
    for node in &nodes {
        until_joined(node);
    }
    let mut leaving = nodes.pop().expect("there are six");
    leaving.process().interrupt();
    assert!(leaving.process().wait(JOIN_MAX).success());
    seed.process().kill();
    let back = Node::start_joining(leaving.data_dir(), None);
    until_joined(&back);
    let (uri, content) = publish(folder, &nodes[0], 1);
    assert_eq!(digest(&back.fcp().get(&uri)), content);
}

#[test]
fn a_seed_without_an_opennet_and_a_text_that_is_no_reference_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start_seed(&folder.path().join("seed"));
    let reference = node.warren(&["reference"]).trim().to_owned();
    let other = folder.path().join("other");
    for (arguments, told) in [
        (["run", "--seed", &reference], "--opennet"),
        (["run", "--opennet", "--seed=nobody"], "nobody"),
    ] {
        let finished = tests::warren(&arguments, &other);
        assert_ne!(finished.code, Some(0), "{arguments:?}");
        assert!(finished.stderr.contains(told), "{}", finished.stderr);
    }
}

#[test]
fn the_demo_forms_an_opennet_from_one_seed() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start_with(12, &folder.path().join("network"), &["--opennet"]);
    let content = bytes(1, 1 << 20);
    let file = folder.path().join("file.bin");
    std::fs::write(&file, &content).unwrap();
    let uri = demo.fcp(2).put(&file, &[]);
    for node in [0, 5, 11] {
        assert_eq!(digest(&demo.fcp(node).get(&uri)), digest(&content));
    }
    // One more joins by what the demo leaves for it.
    let seed = folder.path().join("network/seed.txt");
    let seed = seed.to_str().expect("the tests' paths are text");
    let one_more = Node::start_joining(&folder.path().join("one-more"), Some(seed));
    until_joined(&one_more);
    assert_eq!(digest(&one_more.fcp().get(&uri)), digest(&content));
}
