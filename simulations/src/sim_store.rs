//! What a simulated node keeps: a store and a cache apart, each within its limit.
//!
//! As in the product's store: the router says which of the two a block belongs to; what is in the store is not put into the
//! cache as well; putting a block that is there, and finding one for a peer, count as use, a look for the node's own user
//! does not. Limits count blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crypto::BlockKey;
use routing::{Block, Existing, Location, Origin, Place, StoreResult};

use crate::random::mix;

/// How much a node keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreLimits {
    /// The most blocks in the store; none: no bound.
    pub store: Option<usize>,
    /// The most blocks in the cache; none: no bound.
    pub cache: Option<usize>,
    /// Which block goes from a full store.
    pub store_eviction: Eviction,
    /// Which block goes from a full cache.
    pub cache_eviction: Eviction,
}

/// Which block makes room for a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Eviction {
    /// The one that was put or found for a peer the longest time ago, as in the product.
    #[default]
    LeastRecentlyUsed,
    /// The one that came first.
    FirstInFirstOut,
    /// Any.
    Random,
    /// The one whose key is farthest from the node.
    Farthest,
}

/// A node's store and its cache.
#[derive(Debug)]
pub(crate) struct SimStore<B> {
    store: Shelf<B>,
    cache: Shelf<B>,
}

/// Blocks within one limit.
#[derive(Debug)]
struct Shelf<B> {
    blocks: BTreeMap<BlockKey, Held<B>>,
    /// Boxed: most simulated nodes have no limit.
    limit: Option<Box<Limit>>,
}

#[derive(Debug)]
struct Held<B> {
    block: B,
    /// The block's rank in [`Limit::ranks`], or its place in [`Limit::listed`].
    rank: u64,
}

#[derive(Debug)]
struct Limit {
    blocks: usize,
    eviction: Eviction,
    /// Of the node, from which distances count.
    place: Location,
    /// What happened so far, and, finished, what is random.
    clock: u64,
    /// In the order in which blocks go.
    ranks: BTreeSet<(u64, BlockKey)>,
    /// All, in no order, where one is drawn.
    listed: Vec<BlockKey>,
}

impl<B: Block> SimStore<B> {
    /// An empty one of a node at `place`; `seed` decides which blocks go at random.
    pub(crate) fn new(limits: StoreLimits, place: Location, seed: u64) -> Self {
        let shelf = |blocks: Option<usize>, eviction, seed| Shelf {
            blocks: BTreeMap::new(),
            limit: blocks.map(|blocks| Box::new(Limit::new(blocks, eviction, place, seed))),
        };
        Self {
            store: shelf(limits.store, limits.store_eviction, mix(seed)),
            cache: shelf(limits.cache, limits.cache_eviction, mix(!seed)),
        }
    }

    /// Keeps a block as a node's real store does: another one under its key stays, unless it is to be replaced.
    pub(crate) fn keep(&mut self, block: B, place: Place, existing: Existing) -> StoreResult {
        let key = block.key();
        for shelf in [&mut self.store, &mut self.cache] {
            let other = shelf.get(&key).is_some_and(|held| *held != block);
            match existing {
                Existing::Keep if other => return StoreResult::Failed,
                Existing::Replace if other => shelf.remove(&key),
                Existing::Keep | Existing::Replace => {}
            }
        }
        self.store.use_block(&key);
        self.cache.use_block(&key);
        match place {
            Place::Store => self.store.put(block),
            Place::Cache if self.store.get(&key).is_none() => self.cache.put(block),
            Place::Cache => {}
        }
        StoreResult::Kept
    }

    /// Puts a block into the store whatever its limit is, where it stays until blocks that come later press it out.
    pub(crate) fn give(&mut self, block: B) {
        self.store.add(block);
    }

    /// The block under a key, from the store or else from the cache. It counts as used if a peer wants it.
    pub(crate) fn look_up(&mut self, key: &BlockKey, origin: Origin) -> Option<&B> {
        let shelf = if self.store.get(key).is_some() {
            &mut self.store
        } else {
            &mut self.cache
        };
        match origin {
            Origin::Peer => shelf.use_block(key),
            Origin::User => {}
        }
        shelf.get(key)
    }

    /// The same, and nobody uses it.
    pub(crate) fn peek(&self, key: &BlockKey) -> Option<&B> {
        self.store.get(key).or_else(|| self.cache.get(key))
    }

    /// Whether the store has it; the cache does not count.
    pub(crate) fn stores(&self, key: &BlockKey) -> bool {
        self.store.get(key).is_some()
    }

    /// How many blocks the store and the cache have.
    pub(crate) fn lens(&self) -> (usize, usize) {
        (self.store.blocks.len(), self.cache.blocks.len())
    }

    /// The key that comes next in the store.
    pub(crate) fn next_stored(&self, after: Option<BlockKey>) -> Option<BlockKey> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut next = self.store.blocks.range((from, Bound::Unbounded));
        next.next().map(|(&key, _)| key)
    }

    /// Everything is gone.
    pub(crate) fn clear(&mut self) {
        self.store.clear();
        self.cache.clear();
    }
}

impl<B: Block> Shelf<B> {
    fn get(&self, key: &BlockKey) -> Option<&B> {
        self.blocks.get(key).map(|held| &held.block)
    }

    fn put(&mut self, block: B) {
        self.add(block);
        while let Some(limit) = &mut self.limit
            && self.blocks.len() > limit.blocks
            && let Some(key) = limit.victim()
        {
            self.remove(&key);
        }
    }

    fn add(&mut self, block: B) {
        let key = block.key();
        if self.blocks.contains_key(&key) {
            return;
        }
        let rank = self.limit.as_mut().map_or(0, |limit| limit.added(key));
        self.blocks.insert(key, Held { block, rank });
    }

    fn remove(&mut self, key: &BlockKey) {
        let Some(held) = self.blocks.remove(key) else {
            return;
        };
        let Some(limit) = &mut self.limit else {
            return;
        };
        if let Some((moved, rank)) = limit.removed(*key, held.rank)
            && let Some(held) = self.blocks.get_mut(&moved)
        {
            held.rank = rank;
        }
    }

    fn use_block(&mut self, key: &BlockKey) {
        let Some(limit) = &mut self.limit else {
            return;
        };
        if limit.eviction == Eviction::LeastRecentlyUsed
            && let Some(held) = self.blocks.get_mut(key)
        {
            limit.removed(*key, held.rank);
            held.rank = limit.added(*key);
        }
    }

    fn clear(&mut self) {
        self.blocks.clear();
        if let Some(limit) = &mut self.limit {
            limit.ranks.clear();
            limit.listed.clear();
        }
    }
}

impl Limit {
    const fn new(blocks: usize, eviction: Eviction, place: Location, seed: u64) -> Self {
        Self {
            blocks,
            eviction,
            place,
            clock: match eviction {
                Eviction::Random => seed,
                _ => 0,
            },
            ranks: BTreeSet::new(),
            listed: Vec::new(),
        }
    }

    /// Notes a block, and gives its rank.
    fn added(&mut self, key: BlockKey) -> u64 {
        self.clock = self.clock.wrapping_add(1);
        let rank = match self.eviction {
            Eviction::LeastRecentlyUsed | Eviction::FirstInFirstOut => self.clock,
            Eviction::Random => {
                self.listed.push(key);
                return self.listed.len() as u64 - 1;
            }
            Eviction::Farthest => {
                let ahead = Location::of_key(&key).to_bits();
                let ahead = ahead.wrapping_sub(self.place.to_bits());
                !ahead.min(ahead.wrapping_neg())
            }
        };
        self.ranks.insert((rank, key));
        rank
    }

    /// Forgets a block. Gives the one that has another rank now, if any.
    fn removed(&mut self, key: BlockKey, rank: u64) -> Option<(BlockKey, u64)> {
        if self.eviction != Eviction::Random {
            self.ranks.remove(&(rank, key));
            return None;
        }
        let place = usize::try_from(rank).ok()?;
        self.listed.swap_remove(place);
        self.listed.get(place).map(|&moved| (moved, rank))
    }

    /// The block that goes next.
    fn victim(&mut self) -> Option<BlockKey> {
        if self.eviction != Eviction::Random {
            return self.ranks.first().map(|&(_, key)| key);
        }
        self.clock = self.clock.wrapping_add(1);
        let length = self.listed.len() as u64;
        let place = mix(self.clock).checked_rem(length)?;
        self.listed.get(usize::try_from(place).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elided_block::ElidedBlock;

    #[test]
    fn a_full_cache_loses_the_block_that_its_rule_names_and_the_store_none() {
        for (eviction, gone) in [
            (Eviction::LeastRecentlyUsed, 1),
            (Eviction::FirstInFirstOut, 0),
        ] {
            let mut store = limited(eviction);
            let kept = ElidedBlock::content(9);
            store.keep(kept.clone(), Place::Store, Existing::Keep);
            fill(&mut store, 0..4);
            assert!(store.look_up(&key(0), Origin::Peer).is_some());
            assert!(store.look_up(&key(1), Origin::User).is_some());
            fill(&mut store, 4..5);
            let left: Vec<_> = (0..5).filter(|&n| store.peek(&key(n)).is_some()).collect();
            let expected: Vec<_> = (0..5).filter(|&n| n != gone).collect();
            assert_eq!(left, expected, "{eviction:?}");
            assert_eq!(store.peek(&kept.key()), Some(&kept));
            assert_eq!(store.lens(), (1, 4));
        }
    }

    #[test]
    fn the_farthest_block_goes_and_a_new_one_that_is_farther_does_not_come() {
        let mut store = limited(Eviction::Farthest);
        fill(&mut store, 0..100);
        let distance = |n: &u64| Location::of_key(&key(*n)).distance(here());
        let mut nearest: Vec<u64> = (0..100).collect();
        nearest.sort_by_key(distance);
        nearest.truncate(4);
        nearest.sort_unstable();
        let left: Vec<_> = (0..100)
            .filter(|&n| store.peek(&key(n)).is_some())
            .collect();
        assert_eq!(left, nearest);
    }

    #[test]
    fn at_random_each_block_stays_about_as_often() {
        let mut stayed = [0_u32; 8];
        for seed in 0..4_000 {
            let limits = StoreLimits {
                cache: Some(4),
                cache_eviction: Eviction::Random,
                ..StoreLimits::default()
            };
            let mut store = SimStore::new(limits, here(), seed);
            fill(&mut store, 0..8);
            assert_eq!(store.lens(), (0, 4));
            for (n, stayed) in (0..).zip(&mut stayed) {
                *stayed += u32::from(store.peek(&key(n)).is_some());
            }
        }
        // A new block may be the one that goes at once: of five, each stays four times; the first four survive four draws
        let expected = |draws: i32| 4_000.0 * 0.8_f64.powi(draws);
        for (n, &stayed) in stayed.iter().enumerate() {
            let draws = [4, 4, 4, 4, 4, 3, 2, 1][n];
            let off = f64::from(stayed) - expected(draws);
            assert!(off.abs() < 150.0, "block {n}: {stayed}");
        }
    }

    #[test]
    fn what_is_in_the_store_is_not_cached_and_a_cache_of_nothing_keeps_nothing() {
        let mut store = SimStore::new(StoreLimits::default(), here(), 1);
        let block = ElidedBlock::content(1);
        store.keep(block.clone(), Place::Store, Existing::Keep);
        store.keep(block.clone(), Place::Cache, Existing::Keep);
        assert_eq!(store.lens(), (1, 0));
        let none = StoreLimits {
            cache: Some(0),
            ..StoreLimits::default()
        };
        let mut store = SimStore::new(none, here(), 1);
        assert_eq!(
            store.keep(block, Place::Cache, Existing::Keep),
            StoreResult::Kept
        );
        assert_eq!(store.lens(), (0, 0));
    }

    fn here() -> Location {
        Location::from_fraction(0.5)
    }

    fn limited(cache_eviction: Eviction) -> SimStore<ElidedBlock> {
        let limits = StoreLimits {
            cache: Some(4),
            cache_eviction,
            ..StoreLimits::default()
        };
        SimStore::new(limits, here(), 1)
    }

    fn fill(store: &mut SimStore<ElidedBlock>, numbers: std::ops::Range<u64>) {
        for number in numbers {
            store.keep(ElidedBlock::content(number), Place::Cache, Existing::Keep);
        }
    }

    fn key(number: u64) -> BlockKey {
        ElidedBlock::content(number).key()
    }
}
