//! One node: a router and a store in memory.

use std::collections::BTreeMap;

use crypto::{BlockKey, VerifiedBlock};
use rand::RngExt;
use routing::{Location, Place, Router, StoreResult, Time};

use crate::random::rng_for;

/// A fault planted in every node, to see that a test notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sabotage {
    /// None.
    #[default]
    None,
    /// Each node has its own wrong belief of where its peers are.
    WrongPlaces,
    /// Stores confirm and keep nothing.
    ForgetfulStores,
    /// Stores fail to keep anything, and say so.
    FailingStores,
}

impl Sabotage {
    /// Where `node` believes a peer at `location` to be.
    pub(crate) fn believed(self, node: usize, location: Location) -> Location {
        match self {
            Self::WrongPlaces => {
                let mut rng = rng_for(node as u64, &format!("belief {location:?}"));
                Location::from_fraction(rng.random())
            }
            Self::None | Self::ForgetfulStores | Self::FailingStores => location,
        }
    }
}

#[derive(Debug)]
pub(crate) struct SimNode {
    pub(crate) router: Router,
    pub(crate) location: Location,
    /// Whether it takes part. A stopped node keeps its store.
    pub(crate) running: bool,
    /// How often it was started. What an earlier life asked its store for is not answered to a later one.
    pub(crate) life: u32,
    /// When it will be woken next.
    pub(crate) wakes: Option<Time>,
    pub(crate) store: BTreeMap<BlockKey, VerifiedBlock>,
    pub(crate) cache: BTreeMap<BlockKey, VerifiedBlock>,
}

impl SimNode {
    pub(crate) const fn new(router: Router, location: Location) -> Self {
        Self {
            router,
            location,
            running: true,
            life: 1,
            wakes: None,
            store: BTreeMap::new(),
            cache: BTreeMap::new(),
        }
    }

    pub(crate) fn look_up(&self, key: &BlockKey) -> Option<&VerifiedBlock> {
        self.store.get(key).or_else(|| self.cache.get(key))
    }

    pub(crate) fn keep(
        &mut self,
        block: VerifiedBlock,
        place: Place,
        sabotage: Sabotage,
    ) -> StoreResult {
        match (sabotage, place) {
            (Sabotage::FailingStores, _) => return StoreResult::Failed,
            (Sabotage::ForgetfulStores, _) => {}
            (Sabotage::None | Sabotage::WrongPlaces, Place::Store) => {
                self.store.insert(block.key(), block);
            }
            (Sabotage::None | Sabotage::WrongPlaces, Place::Cache) => {
                self.cache.insert(block.key(), block);
            }
        }
        StoreResult::Kept
    }
}
