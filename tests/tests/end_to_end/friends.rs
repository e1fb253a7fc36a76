//! What an owner says of friends and is told of them.

use std::time::Duration;

use serde_json::Value;
use tests::{Node, eventually};

/// Time for a link to come up, and for a node to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// The only line of `warren peer ls --json`.
fn only_peer(node: &Node) -> Value {
    let text = node.warren(&["peer", "ls", "--json"]);
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn trust_in_a_friend_is_set_changed_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(&folder.path().join("node"));
    let friend = Node::start(&folder.path().join("friend"));
    node.befriend(&friend);
    eventually("the link is up", PATIENCE, || {
        (node.peers_connected() == 1).then_some(())
    });
    assert_eq!(only_peer(&node)["trust"], "normal");

    let reference = friend.warren(&["reference"]);
    let wrong = node.warren_finished(&["peer", "add", reference.trim(), "--trust", "much"]);
    assert_ne!(wrong.code, Some(0));
    assert!(
        wrong.stderr.contains("low, normal or high"),
        "{}",
        wrong.stderr
    );
    let _ = node.warren(&["peer", "add", reference.trim(), "--trust", "high"]);
    let peer = only_peer(&node);
    assert_eq!(
        (&peer["trust"], &peer["kind"]),
        (&"high".into(), &"friend".into())
    );
    assert!(
        peer["location"].is_f64() && peer["credit"]["bulk"].is_u64(),
        "{peer}"
    );

    node.process().interrupt();
    let _ = node.process().wait(PATIENCE);
    assert_eq!(only_peer(&node)["trust"], "high");
    let listed = node.warren(&["peer", "ls"]);
    assert!(listed.contains("friend (high)"), "{listed}");
}
