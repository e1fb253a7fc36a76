//! A file that is much larger than the memory that moving it may take.
//!
//! 128 MiB here. The same with 1 GiB, as `docs/MEASURING.md` tells: `WARREN_LARGE_FILE_MIB=1024 cargo test -p tests --test
//! end_to_end large_file`.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use tests::{Node, bytes, eventually, memory_peak};

const MEBIBYTE: usize = 1 << 20;
/// Most memory that either node may have had.
const MEMORY_MAX: u64 = 200 << 20;

#[test]
fn a_large_file_goes_in_and_out_with_little_memory() {
    let mebibytes =
        std::env::var("WARREN_LARGE_FILE_MIB").map_or(128, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (source, copy) = (
        folder.path().join("large.bin"),
        folder.path().join("copy.bin"),
    );
    write_large(&source, mebibytes);
    let mut nodes: Vec<Node> = (0..4)
        .map(|index| Node::start(&folder.path().join(format!("node-{index}"))))
        .collect();
    for (a, b) in [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)] {
        nodes[a].befriend(&nodes[b]);
    }
    for (index, links) in [2, 3, 3, 2].into_iter().enumerate() {
        eventually("all links", std::time::Duration::from_secs(60), || {
            (nodes[index].peers_connected() == links).then_some(())
        });
    }

    let uri = nodes[0].fcp().put(&source, &[]);
    let _ = nodes[3]
        .fcp()
        .run(&["get", &uri, "-o", copy.to_str().unwrap()])
        .expect_done();

    same_content(&source, &copy);
    for index in [0, 3] {
        let Some(peak) = memory_peak(nodes[index].process().id()) else {
            println!("SKIPPED: this system does not tell how much memory a process has had");
            return;
        };
        println!("node {index}: {} MiB at most", peak >> 20);
        assert!(peak < MEMORY_MAX, "node {index} took {} MiB", peak >> 20);
    }
}

fn write_large(path: &Path, mebibytes: usize) {
    let mut file = File::create(path).expect("a file can be made");
    for seed in 0..mebibytes {
        file.write_all(&bytes(seed as u64, MEBIBYTE))
            .expect("the disk has room");
    }
}

fn same_content(one: &Path, other: &Path) {
    let lengths = [one, other].map(|path| path.metadata().expect("the file is there").len());
    assert_eq!(lengths[0], lengths[1]);
    let mut files = [one, other].map(|path| File::open(path).expect("the file is there"));
    let mut parts = [vec![0; MEBIBYTE], vec![0; MEBIBYTE]];
    for part in 0..lengths[0] / MEBIBYTE as u64 {
        for (file, part) in files.iter_mut().zip(&mut parts) {
            file.read_exact(part).expect("both are as long as they say");
        }
        assert!(parts[0] == parts[1], "mebibyte {part} differs");
    }
}
