//! One node: a router and a store in memory.

use std::collections::BTreeMap;
use std::ops::Bound;

use crypto::BlockKey;
use rand::RngExt;
use routing::{Block, Contact, Existing, Location, Place, Router, StoreResult, Time};

use crate::bandwidth::Pipe;
use crate::network::Parcel;
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
pub(crate) struct SimNode<B> {
    pub(crate) router: Router<B>,
    pub(crate) location: Location,
    /// Whether it takes part. A stopped node keeps its store.
    pub(crate) running: bool,
    /// Whether what it sends and gets is written down.
    pub(crate) watched: bool,
    /// How often it was started. What an earlier life asked its store for is not answered to a later one.
    pub(crate) life: u32,
    /// When it will be woken next.
    pub(crate) wakes: Option<Time>,
    /// Its live links, by the other node.
    pub(crate) links: Vec<Link>,
    /// Who it is in the opennet, once somebody asked.
    pub(crate) contact: Option<Box<Contact>>,
    /// What its access carries, if that is bounded.
    pub(crate) access: Option<Box<Access>>,
    pub(crate) store: BTreeMap<BlockKey, B>,
    pub(crate) cache: BTreeMap<BlockKey, B>,
}

/// One end of a live link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The node at the other end.
    pub(crate) other: u32,
    /// Tells this link from an earlier one between the same nodes, whose messages may still be under way.
    pub(crate) number: u16,
    pub(crate) stranger: bool,
}

/// Both directions of a node's access.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) up: Pipe<Parcel>,
    pub(crate) down: Pipe<Parcel>,
}

impl<B: Block> SimNode<B> {
    pub(crate) const fn new(router: Router<B>, location: Location) -> Self {
        Self {
            router,
            location,
            running: true,
            watched: false,
            life: 1,
            wakes: None,
            links: Vec::new(),
            contact: None,
            access: None,
            store: BTreeMap::new(),
            cache: BTreeMap::new(),
        }
    }

    /// The live link with `other`.
    pub(crate) fn link(&self, other: u32) -> Option<Link> {
        let place = self.links.binary_search_by_key(&other, |link| link.other);
        place.ok().map(|place| self.links[place])
    }

    /// Notes a live link, in the place of an earlier one with the same node.
    pub(crate) fn add_link(&mut self, link: Link) {
        match self
            .links
            .binary_search_by_key(&link.other, |link| link.other)
        {
            Ok(place) => self.links[place] = link,
            Err(place) => self.links.insert(place, link),
        }
    }

    /// Forgets a link.
    pub(crate) fn remove_link(&mut self, other: u32) -> Option<Link> {
        let place = self.links.binary_search_by_key(&other, |link| link.other);
        place.ok().map(|place| self.links.remove(place))
    }

    /// The key that comes next in the store.
    pub(crate) fn next_stored(&self, after: Option<BlockKey>) -> Option<BlockKey> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut next = self.store.range((from, Bound::Unbounded));
        next.next().map(|(&key, _)| key)
    }

    pub(crate) fn look_up(&self, key: &BlockKey) -> Option<&B> {
        self.store.get(key).or_else(|| self.cache.get(key))
    }

    /// Keeps a block as a node's real store does: another one under its key stays, unless it is to be replaced.
    pub(crate) fn keep(
        &mut self,
        block: B,
        place: Place,
        existing: Existing,
        sabotage: Sabotage,
    ) -> StoreResult {
        match sabotage {
            Sabotage::FailingStores => return StoreResult::Failed,
            Sabotage::ForgetfulStores => return StoreResult::Kept,
            Sabotage::None | Sabotage::WrongPlaces => {}
        }
        let key = block.key();
        for part in [&mut self.store, &mut self.cache] {
            let other = part.get(&key).is_some_and(|held| *held != block);
            match existing {
                Existing::Keep if other => return StoreResult::Failed,
                Existing::Replace if other => drop(part.remove(&key)),
                Existing::Keep | Existing::Replace => {}
            }
        }
        match place {
            Place::Store => self.store.insert(key, block),
            Place::Cache => self.cache.insert(key, block),
        };
        StoreResult::Kept
    }
}
