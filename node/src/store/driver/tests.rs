use super::*;
use crate::store::StoreStats;
use crypto::{ContentExtra, ContentKey, FileKey};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};

#[test]
fn a_lookup_sees_what_was_acknowledged_before() {
    let fake = Fake::open();
    let handle = start(&fake, DriverConfig::default());
    let (sent, answers) = channel();
    handle
        .put(Place::Store, block(1), move |result| {
            sent.send(result).unwrap();
        })
        .unwrap();
    assert!(matches!(answers.recv().unwrap(), Ok(PutOutcome::Stored)));
    let (sent, answers) = channel();
    for i in [1, 2] {
        let sent = sent.clone();
        handle
            .lookup(block(i).key(), Origin::Peer, move |found| {
                sent.send((i, found.unwrap())).unwrap();
            })
            .unwrap();
    }
    let mut found = [answers.recv().unwrap(), answers.recv().unwrap()];
    found.sort_by_key(|(i, _)| *i);
    assert_eq!(found, [(1, Some(block(1))), (2, None)]);
}

#[test]
fn only_what_the_user_looks_for_is_peeked_at() {
    let fake = Fake::open();
    let handle = start(&fake, DriverConfig::default());
    put_all(&handle, 0..1).recv().unwrap().unwrap();
    for (origin, peeks) in [(Origin::Peer, 0), (Origin::User, 1)] {
        let (sent, answers) = channel();
        let done = move |found| sent.send(found).unwrap();
        handle.lookup(block(0).key(), origin, done).unwrap();
        assert_eq!(answers.recv().unwrap().unwrap(), Some(block(0)));
        assert_eq!(*fake.peeks.lock().unwrap(), peeks);
    }
}

#[test]
fn keys_are_listed_one_after_the_other() {
    let fake = Fake::open();
    let handle = start(&fake, DriverConfig::default());
    assert!(put_all(&handle, 0..3).iter().all(|result| result.is_ok()));
    let mut listed = Vec::new();
    loop {
        let (sent, answers) = channel();
        let after = listed.last().copied();
        let done = move |next| sent.send(next).unwrap();
        handle.next_stored(after, done).unwrap();
        match answers.recv().unwrap().unwrap() {
            Some(key) => listed.push(key),
            None => break,
        }
    }
    assert_eq!(listed.len(), 3);
    assert!(listed.is_sorted());
}

#[test]
fn what_waits_is_written_as_one_batch() {
    let fake = Fake::held();
    let handle = start(&fake, DriverConfig::default());
    let answers = put_all(&handle, 0..1);
    fake.entered.lock().unwrap().recv().unwrap();
    let more = put_all(&handle, 1..40);
    fake.release();
    assert_eq!(
        answers
            .iter()
            .chain(more.iter())
            .filter(|result| result.is_ok())
            .count(),
        40
    );
    handle.close();
    assert_eq!(*fake.batches.lock().unwrap(), [1, 39]);
}

#[test]
fn a_block_that_replaces_another_is_written_in_its_turn() {
    let fake = Fake::held();
    let handle = start(&fake, DriverConfig::default());
    let first = put_all(&handle, 0..1);
    fake.entered.lock().unwrap().recv().unwrap();
    let before = put_all(&handle, 1..4);
    let (sent, replaced) = channel();
    handle
        .keep(Place::Store, block(1), Existing::Replace, move |result| {
            sent.send(result).unwrap();
        })
        .unwrap();
    let after = put_all(&handle, 4..6);
    fake.release();
    let answers = [first, before, replaced, after].map(|answers| answers.iter().count());
    assert_eq!(answers, [1, 3, 1, 2]);
    handle.close();
    assert_eq!(*fake.batches.lock().unwrap(), [1, 3, 0, 2]);
}

#[test]
fn a_full_queue_refuses_at_once_and_forgets_the_callback() {
    let fake = Fake::held();
    let handle = start(
        &fake,
        DriverConfig {
            puts_max: 2,
            ..DriverConfig::default()
        },
    );
    let first = put_all(&handle, 0..1);
    fake.entered.lock().unwrap().recv().unwrap();
    let waiting = put_all(&handle, 1..3);
    let refused = handle.put(Place::Store, block(3), |_| {
        panic!("a refused job is not answered")
    });
    assert_eq!(refused, Err(StoreBusy::Full));
    fake.release();
    assert_eq!(first.iter().count() + waiting.iter().count(), 3);
}

#[test]
fn closing_answers_everything_syncs_and_refuses_the_rest() {
    let fake = Fake::held();
    let handle = start(
        &fake,
        DriverConfig {
            sync_interval: Duration::from_secs(3600),
            ..DriverConfig::default()
        },
    );
    let first = put_all(&handle, 0..1);
    fake.entered.lock().unwrap().recv().unwrap();
    let waiting = put_all(&handle, 1..9);
    fake.release();
    handle.close();
    assert_eq!(first.try_iter().count() + waiting.try_iter().count(), 9);
    assert_eq!(*fake.syncs.lock().unwrap(), 1);
    assert_eq!(
        handle.put(Place::Store, block(1), |_| ()),
        Err(StoreBusy::Closed)
    );
    assert_eq!(
        handle.lookup(block(1).key(), Origin::Peer, |_| ()),
        Err(StoreBusy::Closed)
    );
    handle.close();
}

#[test]
fn acknowledged_blocks_are_synced_when_the_interval_has_passed() {
    let fake = Fake::open();
    let handle = start(
        &fake,
        DriverConfig {
            sync_interval: Duration::ZERO,
            ..DriverConfig::default()
        },
    );
    assert!(put_all(&handle, 0..1).recv().unwrap().is_ok());
    fake.synced
        .lock()
        .unwrap()
        .recv_timeout(Duration::from_secs(20))
        .unwrap();
}

#[test]
fn a_failing_disk_is_told_to_everybody_who_waits() {
    let fake = Fake::held();
    let handle = start(&fake, DriverConfig::default());
    let first = put_all(&handle, 0..1);
    fake.entered.lock().unwrap().recv().unwrap();
    *fake.fails.lock().unwrap() = true;
    let waiting = put_all(&handle, 1..5);
    fake.release();
    assert!(
        first
            .iter()
            .chain(waiting.iter())
            .all(|result| result.is_err())
    );
    let (sent, answers) = channel();
    handle
        .lookup(block(0).key(), Origin::Peer, move |found| {
            sent.send(found).unwrap();
        })
        .unwrap();
    assert!(answers.recv().unwrap().is_err());
}

/// A store in memory whose first batch can be held up, and that can fail.
struct Fake {
    blocks: Mutex<BTreeMap<BlockKey, VerifiedBlock>>,
    batches: Mutex<Vec<usize>>,
    fails: Mutex<bool>,
    syncs: Mutex<u32>,
    peeks: Mutex<u32>,
    entering: Sender<()>,
    entered: Mutex<Receiver<()>>,
    gate: Mutex<Option<Receiver<()>>>,
    key: Mutex<Option<Sender<()>>>,
    syncing: Sender<()>,
    synced: Mutex<Receiver<()>>,
}

impl Fake {
    fn held() -> Arc<Self> {
        let (entering, entered) = channel();
        let (key, gate) = channel();
        let (syncing, synced) = channel();
        Arc::new(Self {
            blocks: Mutex::default(),
            batches: Mutex::default(),
            fails: Mutex::new(false),
            syncs: Mutex::new(0),
            peeks: Mutex::new(0),
            entering,
            entered: Mutex::new(entered),
            gate: Mutex::new(Some(gate)),
            key: Mutex::new(Some(key)),
            syncing,
            synced: Mutex::new(synced),
        })
    }

    fn open() -> Arc<Self> {
        let fake = Self::held();
        fake.release();
        fake
    }

    fn release(&self) {
        self.key.lock().unwrap().take();
    }

    fn check(&self) -> Result<(), StoreError> {
        let failure = || StoreError {
            action: "write",
            reason: "the test says so".to_owned(),
        };
        self.fails().then(failure).map_or(Ok(()), Err)
    }

    fn fails(&self) -> bool {
        *self.fails.lock().unwrap()
    }
}

#[expect(
    clippy::unwrap_in_result,
    reason = "a lock in a test is never poisoned"
)]
impl BlockStore for Fake {
    fn get(&self, key: &BlockKey) -> Result<Option<VerifiedBlock>, StoreError> {
        self.check()?;
        Ok(self.blocks.lock().unwrap().get(key).cloned())
    }

    fn peek(&self, key: &BlockKey) -> Result<Option<VerifiedBlock>, StoreError> {
        *self.peeks.lock().unwrap() += 1;
        self.get(key)
    }

    fn put_many(&self, blocks: &[(Place, VerifiedBlock)]) -> Result<Vec<PutOutcome>, StoreError> {
        self.entering.send(()).unwrap();
        if let Some(gate) = self.gate.lock().unwrap().take() {
            // Ends when the other side is dropped.
            let _ = gate.recv();
        }
        self.check()?;
        self.batches.lock().unwrap().push(blocks.len());
        for (_, block) in blocks {
            self.blocks
                .lock()
                .unwrap()
                .insert(block.key(), block.clone());
        }
        Ok(vec![PutOutcome::Stored; blocks.len()])
    }

    fn replace(&self, _place: Place, block: &VerifiedBlock) -> Result<(), StoreError> {
        self.check()?;
        self.batches.lock().unwrap().push(0);
        let mut blocks = self.blocks.lock().unwrap();
        blocks.insert(block.key(), block.clone());
        Ok(())
    }

    fn next_stored(&self, after: Option<&BlockKey>) -> Result<Option<BlockKey>, StoreError> {
        let blocks = self.blocks.lock().unwrap();
        let mut keys = blocks.keys();
        let next = match after {
            None => keys.next(),
            Some(after) => keys.find(|key| *key > after),
        };
        Ok(next.copied())
    }

    fn sync(&self) -> Result<(), StoreError> {
        *self.syncs.lock().unwrap() += 1;
        self.syncing.send(()).unwrap();
        Ok(())
    }

    fn stats(&self) -> StoreStats {
        unreachable!("the driver asks for no figures")
    }
}

fn start(fake: &Arc<Fake>, config: DriverConfig) -> StoreHandle {
    StoreHandle::start(Arc::<Fake>::clone(fake), config).unwrap()
}

/// Puts these blocks; the answers come out of the receiver, which ends after the last.
fn put_all(handle: &StoreHandle, blocks: std::ops::Range<u8>) -> Receiver<PutResult> {
    let (sent, answers) = channel();
    for i in blocks {
        let sent = sent.clone();
        handle
            .put(Place::Store, block(i), move |result| {
                sent.send(result).unwrap();
            })
            .unwrap();
    }
    answers
}

fn block(i: u8) -> VerifiedBlock {
    ContentKey::seal(FileKey::from_bytes([i; 32]), ContentExtra::default(), &[i])
        .unwrap()
        .1
}
