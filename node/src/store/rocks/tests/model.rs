//! A store of little room against what must be true of it, under drawn steps.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
enum Step {
    Put(Vec<(Place, u32)>),
    Get(u32),
    Sync,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let place = prop_oneof![Just(Place::Store), Just(Place::Cache)];
    prop_oneof![
        6 => proptest::collection::vec((place, 0..POOL), 1..5).prop_map(Step::Put),
        6 => (0..POOL).prop_map(Step::Get),
        1 => Just(Step::Sync),
        1 => Just(Step::Reopen),
    ]
}

/// Blocks to draw from: below [`CONTENTS`] content, then pairs of signed blocks under one key.
const POOL: u32 = 36;
const CONTENTS: u32 = 16;
/// Blocks of each family that have room.
const ROOM: u64 = 7;

fn pooled(i: u32) -> VerifiedBlock {
    if i < CONTENTS {
        content(i)
    } else {
        signed(i / 2, i % 2)
    }
}

/// What must be true of a store of little room, whatever was done with it.
#[derive(Default)]
struct Model {
    /// Counts the writes: what happens between two of them happens at the same time.
    now: u64,
    /// For each family and key, when it was surely there and used for the last time.
    surely: BTreeMap<(Family, BlockKey), u64>,
    /// When it may have been there and used for the last time.
    perhaps: BTreeMap<(Family, BlockKey), u64>,
}

impl Model {
    /// A block was put, or looked for in both places.
    fn met(&mut self, key: BlockKey) {
        for place in PLACES {
            let family = Family::of(place, key.kind);
            self.perhaps.insert((family, key), self.now);
        }
    }

    fn surely_used(&mut self, place: Place, key: BlockKey) {
        self.surely
            .insert((Family::of(place, key.kind), key), self.now);
    }

    /// Whether at most as many blocks as have room can have been used since this one was.
    fn must_be_in(&self, place: Place, key: BlockKey) -> bool {
        let family = Family::of(place, key.kind);
        let Some(used) = self.surely.get(&(family, key)) else {
            return false;
        };
        let since = self
            .perhaps
            .iter()
            .filter(|((other, _), time)| *other == family && *time >= used);
        (since.count() as u64) <= ROOM
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn what_was_used_lately_is_there_and_nothing_else_ever_was(steps in proptest::collection::vec(step(), 1..60)) {
        let folder = TempDir::new().unwrap();
        let mut store = open(&folder, tight());
        let mut model = Model::default();
        let mut ever_put: BTreeSet<u32> = BTreeSet::new();
        for step in steps {
            match step {
                Step::Put(blocks) => {
                    model.now += 1;
                    let blocks: Vec<_> = blocks.into_iter().map(|(place, i)| (place, i, pooled(i))).collect();
                    let put: Vec<_> = blocks.iter().map(|(place, _, block)| (*place, block.clone())).collect();
                    let outcomes = store.put_many(&put).unwrap();
                    for ((place, i, block), outcome) in blocks.iter().zip(outcomes) {
                        match outcome {
                            PutOutcome::Stored => {
                                prop_assert!(!model.must_be_in(Place::Store, block.key()) && !model.must_be_in(*place, block.key()));
                                ever_put.insert(*i);
                                model.surely_used(*place, block.key());
                            }
                            PutOutcome::AlreadyThere => {
                                prop_assert!(ever_put.contains(i));
                                if *place == Place::Store {
                                    model.surely_used(*place, block.key());
                                }
                            }
                            PutOutcome::Collision(other) => {
                                prop_assert_eq!(other.key(), block.key());
                                prop_assert!(&other != block && *i >= CONTENTS && ever_put.contains(&(i ^ 1)));
                            }
                        }
                        model.met(block.key());
                    }
                }
                Step::Get(i) => {
                    let key = pooled(i).key();
                    let must = PLACES.into_iter().find(|place| model.must_be_in(*place, key));
                    match store.get(&key).unwrap() {
                        Some(block) => prop_assert!(ever_put.iter().any(|i| pooled(*i) == block)),
                        None => prop_assert_eq!(must, None),
                    }
                    if must == Some(Place::Store) {
                        model.surely_used(Place::Store, key);
                    }
                    model.met(key);
                }
                Step::Sync => store.sync().unwrap(),
                Step::Reopen => {
                    drop(store);
                    store = open(&folder, tight());
                }
            }
            for figures in store.stats().families {
                prop_assert!(figures.bytes <= figures.bytes_max);
            }
            check_index(&store);
        }
    }
}

/// Limits with room for [`ROOM`] blocks in each family.
fn tight() -> FamilyLimits {
    FamilyLimits::of(|family| ROOM * family.block_len())
}
