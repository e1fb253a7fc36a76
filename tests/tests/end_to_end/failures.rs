//! Nodes that die without notice, and come back.

use std::path::Path;
use std::time::Duration;

use tests::{Node, any_port, bytes, digest, eventually};

const NODES: usize = 12;
const MEBIBYTE: usize = 1 << 20;
const LINKS_MAX: Duration = Duration::from_secs(60);

/// Who is linked with whom: neighbours on a circle, the next but one, and across.
fn small_world() -> Vec<(usize, usize)> {
    let steps = [1, 2, 5];
    let links = (0..NODES).flat_map(|node| steps.map(|step| (node, (node + step) % NODES)));
    links.collect()
}

#[test]
fn files_survive_the_death_of_a_quarter_of_the_nodes_and_restarted_nodes_rejoin() {
    let folder = tempfile::tempdir().unwrap();
    let mut nodes = linked_nodes(folder.path());
    let contents: Vec<Vec<u8>> = (0..4)
        .map(|seed| bytes(seed, (MEBIBYTE / 2) << seed))
        .collect();
    let uris: Vec<String> = contents
        .iter()
        .enumerate()
        .map(|(index, content)| {
            let file = folder.path().join(format!("{index}.bin"));
            std::fs::write(&file, content).unwrap();
            nodes[index].fcp().put(&file, &[])
        })
        .collect();
    let all_there = |nodes: &[Node], readers: &[usize]| {
        for ((uri, content), reader) in uris.iter().zip(&contents).zip(readers) {
            let fetched = nodes[*reader].fcp().get(uri);
            assert_eq!(digest(&fetched), digest(content), "through node {reader}");
        }
    };

    let dead = [2, 6, 9];
    for index in dead {
        nodes[index].process().kill();
    }
    all_there(&nodes, &[5, 8, 11, 0]);

    for index in dead {
        let link = nodes[index].addresses().link;
        let data_dir = nodes[index].data_dir().to_owned();
        nodes[index] = Node::start_seen_at(&data_dir, link);
    }
    for index in dead {
        all_links_up(&nodes, index);
    }
    all_there(&nodes, &[2, 6, 9, 2]);
}

fn linked_nodes(folder: &Path) -> Vec<Node> {
    let nodes: Vec<Node> = (0..NODES)
        .map(|index| Node::start_seen_at(&folder.join(format!("node-{index}")), any_port()))
        .collect();
    for (a, b) in small_world() {
        nodes[a].befriend(&nodes[b]);
    }
    for index in 0..NODES {
        all_links_up(&nodes, index);
    }
    nodes
}

fn all_links_up(nodes: &[Node], index: usize) {
    let wanted = small_world()
        .iter()
        .filter(|(a, b)| *a == index || *b == index)
        .count() as u64;
    eventually(
        &format!("all {wanted} links of node {index}"),
        LINKS_MAX,
        || (nodes[index].peers_connected() == wanted).then_some(()),
    );
}
