//! One node: a router and a store in memory.

use std::sync::Arc;

use rand::RngExt;
use routing::{Block, Config, Contact, Existing, Location, Place, Router, StoreResult, Time};

use crate::bandwidth::Pipe;
use crate::network::Parcel;
use crate::random::rng_for;
use crate::sim_store::SimStore;

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
    /// Its own router's numbers, if they are not the network's.
    pub(crate) config: Option<Arc<Config>>,
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
    pub(crate) store: SimStore<B>,
}

/// One end of a live link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The node at the other end.
    pub(crate) other: u32,
    /// Tells this link from an earlier one between the same nodes, whose messages may still be under way.
    pub(crate) number: u16,
    pub(crate) stranger: bool,
    /// When the last small message that was sent from this end arrives.
    pub(crate) small_until: Time,
}

/// Both directions of a node's access.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) up: Pipe<Parcel>,
    pub(crate) down: Pipe<Parcel>,
}

impl<B: Block> SimNode<B> {
    pub(crate) const fn new(router: Router<B>, location: Location, store: SimStore<B>) -> Self {
        Self {
            router,
            location,
            config: None,
            running: true,
            watched: false,
            life: 1,
            wakes: None,
            links: Vec::new(),
            contact: None,
            access: None,
            store,
        }
    }

    /// The live link with `other`.
    pub(crate) fn link(&self, other: u32) -> Option<Link> {
        let place = self.links.binary_search_by_key(&other, |link| link.other);
        place.ok().map(|place| self.links[place])
    }

    /// The live link with `other`, to be changed.
    pub(crate) fn link_mut(&mut self, other: u32) -> Option<&mut Link> {
        let place = self.links.binary_search_by_key(&other, |link| link.other);
        self.links.get_mut(place.ok()?)
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

    /// Keeps a block as a node's real store does, unless that is sabotaged.
    pub(crate) fn keep(
        &mut self,
        block: B,
        place: Place,
        existing: Existing,
        sabotage: Sabotage,
    ) -> StoreResult {
        match sabotage {
            Sabotage::FailingStores => StoreResult::Failed,
            Sabotage::ForgetfulStores => StoreResult::Kept,
            Sabotage::None | Sabotage::WrongPlaces => self.store.keep(block, place, existing),
        }
    }
}
