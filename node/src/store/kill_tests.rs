//! What survives `kill -9`: another process writes and says what was acknowledged, and is killed without warning.

use super::{
    BlockStore, DriverConfig, FamilyLimits, Place, PutOutcome, RocksStore, SharedResources,
    StoreBusy, StoreConfig, StoreHandle,
};
use crate::config::{ByteSize, SyncPolicy};
use crypto::{
    CONTENT_PAYLOAD_MAX, ContentExtra, FileKey, Layout, SubspaceSecret, VerifiedBlock, seal_content,
};
use rand::RngExt;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;

/// Names the folder to the child; without it the child's test does nothing.
const FOLDER: &str = "WARREN_TEST_KILLED_STORE";
const FIRST: &str = "WARREN_TEST_KILLED_STORE_FIRST";

#[test]
fn a_killed_process_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<u64> = Vec::new();
    for round in 0..6 {
        let first = acknowledged.iter().max().map_or(0, |last| last + 1);
        // From before the first buffer is written out to after several were: 16 MiB are 512 content blocks.
        let patience = rand::rng().random_range(1..1500);
        let new = write_until_killed(folder.path(), first, patience);
        assert!(
            new.len() >= patience,
            "round {round}: {} of {patience}",
            new.len()
        );
        acknowledged.extend(new);
        let store = open(folder.path());
        for number in &acknowledged {
            let block = block(*number);
            let found = store.get(&block.key()).unwrap();
            assert!(
                found == Some(block),
                "round {round}: block {number} of {} is lost",
                acknowledged.len()
            );
        }
        let stats = store.stats();
        assert_eq!(stats.damaged, 0);
        assert!(
            stats.blocks(Place::Store) + stats.blocks(Place::Cache) >= acknowledged.len() as u64
        );
    }
}

/// Starts the child, kills it after so many acknowledgements, and returns all it gave.
fn write_until_killed(folder: &Path, first: u64, patience: usize) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::kill_tests::the_process_that_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    // What stands in the pipe after the kill was acknowledged before; the last line may be cut short.
    while let Some(Ok(line)) = lines.next() {
        let Some(number) = line
            .strip_prefix("ack ")
            .and_then(|rest| rest.strip_suffix('.'))
        else {
            continue;
        };
        acknowledged.push(number.parse().unwrap());
        if acknowledged.len() == patience {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success());
    acknowledged
}

#[test]
#[ignore = "runs in the process that the other test starts"]
fn the_process_that_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let store = open(Path::new(&folder));
    let handle = StoreHandle::start(Arc::new(store), DriverConfig::default()).unwrap();
    let (done, acknowledged) = channel();
    let mut out = std::io::stdout();
    for number in first.. {
        let block = block(number);
        loop {
            let done = done.clone();
            let put = handle.put(place(number), block.clone(), move |result| {
                done.send((number, result)).unwrap();
            });
            match put {
                Ok(()) => break,
                Err(StoreBusy::Closed) => panic!("nobody closes the store"),
                Err(StoreBusy::Full) => {
                    let (number, result) = acknowledged.recv().unwrap();
                    assert!(matches!(
                        result.unwrap(),
                        PutOutcome::Stored | PutOutcome::AlreadyThere
                    ));
                    writeln!(out, "ack {number}.").unwrap();
                }
            }
        }
    }
}

fn open(folder: &Path) -> RocksStore {
    let limits = FamilyLimits::new(ByteSize::gibibytes(100), ByteSize::gibibytes(100));
    let config = StoreConfig {
        limits,
        sync: SyncPolicy::Periodic,
    };
    RocksStore::open(folder, &[9; 32], config, &SharedResources::new(1).unwrap()).unwrap()
}

fn place(number: u64) -> Place {
    if number % 5 < 3 {
        Place::Store
    } else {
        Place::Cache
    }
}

/// Three in four are content.
fn block(number: u64) -> VerifiedBlock {
    if number % 4 == 3 {
        let secret = SubspaceSecret::from_parts(&[1; 32], &[2; 32]);
        return secret.seal(&number.to_string(), b"signed").unwrap();
    }
    let payload = vec![1; CONTENT_PAYLOAD_MAX];
    seal_content(
        &FileKey::from_bytes([3; 32]),
        &Layout::single(ContentExtra::default()),
        number,
        &payload,
    )
    .unwrap()
}
