//! Stopping in order, and starting again.

use std::time::Duration;

use tests::{Demo, Node, bytes, digest, follow};

const STOP_MAX: Duration = Duration::from_secs(30);

#[test]
fn a_network_that_was_stopped_still_has_what_was_published() {
    let folder = tempfile::tempdir().unwrap();
    let network = folder.path().join("network");
    let content = bytes(1, 3_000_000);
    let file = folder.path().join("a.bin");
    std::fs::write(&file, &content).unwrap();

    let mut demo = Demo::start(8, &network);
    let uri = demo.fcp(0).put(&file, &[]);
    let sample = site_of(demo.page());
    demo.process().interrupt();
    let status = demo.process().wait(STOP_MAX);
    assert!(matches!(status.code(), Some(0 | 130)), "{status}");
    drop(demo);

    let demo = Demo::start(8, &network);
    assert_eq!(digest(&demo.fcp(6).get(&uri)), digest(&content));
    assert_eq!(
        site_of(demo.page()),
        sample,
        "the sample site keeps its address"
    );
    let page = follow(demo.nodes()[2].http, &sample);
    assert!(
        page.status == 200 && page.text().contains("Warren"),
        "{}",
        page.status
    );
}

#[test]
fn a_node_stops_at_an_interrupt_and_keeps_its_identity_and_ports() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("node");
    let mut node = Node::start(&data_dir);
    let (id, link) = (node.status()["id"].clone(), node.addresses().link);

    node.process().interrupt();
    let status = node.process().wait(STOP_MAX);

    assert!(matches!(status.code(), Some(0 | 130)), "{status}");
    let unreachable = node.warren_finished(&["status"]);
    assert_eq!(unreachable.code, Some(8), "{}", unreachable.stderr);
    let again = Node::start_at(&data_dir, link);
    assert_eq!(again.status()["id"], id);
    assert_eq!(again.addresses().link, link);
}

/// The site's key with its path, from the address that the demo prints.
fn site_of(page: &str) -> String {
    let key = page
        .find("USK@")
        .unwrap_or_else(|| panic!("no key in {page}"));
    page[key..].to_owned()
}
