//! Keys not to ask for again yet.
//!
//! A failed search leaves two traces for a short time: that this node took part, which sends a search that comes back
//! around away at once, and which peers did not find the block, which keeps peers from asking again and again for
//! what is not there. A block that passes erases both. The node's own user is never refused because of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crypto::BlockKey;
use smallvec::SmallVec;

use crate::config::Config;
use crate::event::PeerId;
use crate::hops_to_live::HopsToLive;
use crate::message::Refusal;
use crate::time::Time;

/// The keys whose search failed lately. Bounded; entries expire by themselves.
#[derive(Debug)]
pub(crate) struct RecentlyFailed {
    by_key: BTreeMap<BlockKey, Entry>,
    by_expiry: BTreeSet<(Time, BlockKey)>,
    loop_memory: Duration,
    lifetime: Duration,
    keys_max: usize,
}

#[derive(Debug)]
struct Entry {
    expires: Time,
    /// This node searched with so many hops to live; a search as strong or weaker is a loop until then.
    searched: Option<Trace>,
    peers: SmallVec<[(PeerId, Trace); 4]>,
}

#[derive(Clone, Copy, Debug)]
struct Trace {
    hops_to_live: HopsToLive,
    until: Time,
}

impl Trace {
    /// Whether it says anything about a search with `hops_to_live`: a stronger one may find what a weaker did not.
    fn counts(&self, hops_to_live: HopsToLive, now: Time) -> bool {
        self.until > now && self.hops_to_live >= hops_to_live
    }
}

impl RecentlyFailed {
    pub(crate) const fn new(config: &Config) -> Self {
        Self {
            by_key: BTreeMap::new(),
            by_expiry: BTreeSet::new(),
            loop_memory: config.loop_memory,
            lifetime: config.recently_failed,
            keys_max: config.recently_failed_max,
        }
    }

    /// Notes that a search of this node ended without the block.
    pub(crate) fn searched(&mut self, key: BlockKey, hops_to_live: HopsToLive, now: Time) {
        let until = now + self.loop_memory;
        let Some(entry) = self.entry(key, until) else {
            return;
        };
        entry.searched = Some(Trace {
            hops_to_live,
            until,
        });
    }

    /// Notes that `peer` did not find the block, in a search of this node with `hops_to_live`.
    pub(crate) fn peer_failed(
        &mut self,
        key: BlockKey,
        peer: PeerId,
        hops_to_live: HopsToLive,
        now: Time,
    ) {
        let until = now + self.lifetime;
        let Some(entry) = self.entry(key, until) else {
            return;
        };
        entry
            .peers
            .retain(|(id, trace)| *id != peer && trace.until > now);
        if entry.peers.len() < PEERS_MAX {
            entry.peers.push((
                peer,
                Trace {
                    hops_to_live,
                    until,
                },
            ));
        }
    }

    /// Why a peer's fetch with `hops_to_live` should not be worked on, at a node with so many peers.
    pub(crate) fn refusal(
        &self,
        key: &BlockKey,
        hops_to_live: HopsToLive,
        peers_connected: usize,
        now: Time,
    ) -> Option<Refusal> {
        let entry = self.by_key.get(key)?;
        if entry
            .searched
            .is_some_and(|trace| trace.counts(hops_to_live, now))
        {
            return Some(Refusal::Loop);
        }
        let mut ends: SmallVec<[Time; PEERS_MAX]> = entry
            .peers
            .iter()
            .filter(|(_, trace)| trace.counts(hops_to_live, now))
            .map(|(_, trace)| trace.until)
            .collect();
        ends.sort_unstable_by(|a, b| b.cmp(a));
        let below_threshold_at = *ends.get(threshold(peers_connected) - 1)?;
        Some(Refusal::recently_failed(below_threshold_at - now))
    }

    /// Whether `peer` failed to find the block lately in a search at least as strong.
    pub(crate) fn has_failed(
        &self,
        key: &BlockKey,
        peer: PeerId,
        hops_to_live: HopsToLive,
        now: Time,
    ) -> bool {
        self.by_key.get(key).is_some_and(|entry| {
            entry
                .peers
                .iter()
                .any(|(id, trace)| *id == peer && trace.counts(hops_to_live, now))
        })
    }

    /// Forgets what is known of a key, because its block passed.
    pub(crate) fn clear(&mut self, key: &BlockKey) {
        if let Some(entry) = self.by_key.remove(key) {
            self.by_expiry.remove(&(entry.expires, *key));
        }
    }

    /// Forgets what is too old.
    pub(crate) fn expire(&mut self, now: Time) {
        while let Some(&(expires, key)) = self.by_expiry.first()
            && expires <= now
        {
            self.by_expiry.pop_first();
            self.by_key.remove(&key);
        }
    }

    /// When [`RecentlyFailed::expire`] has something to do next.
    pub(crate) fn next_expiry(&self) -> Option<Time> {
        self.by_expiry.first().map(|&(expires, _)| expires)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The entry of `key`, made if there is none and there may be any, kept until `until` at least.
    fn entry(&mut self, key: BlockKey, until: Time) -> Option<&mut Entry> {
        if self.keys_max == 0 {
            return None;
        }
        if !self.by_key.contains_key(&key) && self.by_key.len() >= self.keys_max {
            let (_, oldest) = self.by_expiry.pop_first()?;
            self.by_key.remove(&oldest);
        }
        let entry = self.by_key.entry(key).or_insert(Entry {
            expires: until,
            searched: None,
            peers: SmallVec::new(),
        });
        self.by_expiry.remove(&(entry.expires, key));
        entry.expires = entry.expires.max(until);
        self.by_expiry.insert((entry.expires, key));
        Some(entry)
    }
}

/// How many peers must have failed before other peers' requests are refused: Freenet's numbers.
fn threshold(peers_connected: usize) -> usize {
    (peers_connected / 4).clamp(3, 10)
}

/// More than the largest threshold says nothing more.
const PEERS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use crypto::{BlockKind, RoutingKey};

    use super::*;

    const MAX: HopsToLive = HopsToLive::MAX;

    #[test]
    fn a_finished_search_is_a_loop_for_a_moment_and_only_for_weaker_ones() {
        let mut table = RecentlyFailed::new(&Config::default());
        let [five, six] = [5, 6].map(|hops| HopsToLive::new(hops).unwrap());
        table.searched(key(1), five, at(0));
        assert_eq!(table.refusal(&key(1), five, 20, at(1)), Some(Refusal::Loop));
        assert_eq!(table.refusal(&key(1), six, 20, at(1)), None);
        assert_eq!(table.refusal(&key(2), five, 20, at(1)), None);
        assert_eq!(table.refusal(&key(1), five, 20, at(2_000)), None);
    }

    #[test]
    fn enough_failed_peers_refuse_a_key_until_the_time_is_over_or_the_block_passes() {
        let mut table = RecentlyFailed::new(&Config::default());
        for peer in 0..3 {
            assert_eq!(
                table.refusal(&key(1), MAX, 20, at(5_000)),
                None,
                "{peer} of 5"
            );
            table.peer_failed(key(1), PeerId(peer), MAX, at(1_000 * u64::from(peer)));
            table.peer_failed(key(2), PeerId(0), MAX, at(1_000));
        }
        assert_eq!(
            table.refusal(&key(1), MAX, 24, at(5_000)),
            None,
            "24 peers make the threshold 6"
        );
        table.peer_failed(key(1), PeerId(3), MAX, at(3_000));
        // Four have failed and three are needed: the second failure's end decides
        let refusal = Refusal::RecentlyFailed {
            retry_after_ms: 11_000,
        };
        assert_eq!(table.refusal(&key(1), MAX, 12, at(5_000)), Some(refusal));
        assert_eq!(table.refusal(&key(1), MAX, 12, at(16_000)), None);
        assert_eq!(
            table.refusal(&key(2), MAX, 12, at(5_000)),
            None,
            "one peer many times is one peer"
        );
        table.clear(&key(1));
        assert_eq!(table.refusal(&key(1), MAX, 12, at(5_000)), None);
    }

    #[test]
    fn the_table_is_bounded_and_empties_itself() {
        let mut table = RecentlyFailed::new(&Config {
            recently_failed_max: 10,
            ..Config::default()
        });
        for number in 0..100 {
            table.peer_failed(key(number), PeerId(1), MAX, at(u64::from(number)));
        }
        assert_eq!(table.len(), 10);
        assert!(table.has_failed(&key(99), PeerId(1), MAX, at(100)));
        assert!(!table.has_failed(&key(1), PeerId(1), MAX, at(100)));
        table.expire(table.next_expiry().unwrap());
        assert_eq!(table.len(), 9);
        table.expire(at(60_000));
        assert_eq!((table.len(), table.next_expiry()), (0, None));
    }

    fn key(number: u8) -> BlockKey {
        BlockKey {
            kind: BlockKind::Content,
            routing_key: RoutingKey::from_bytes([number; 32]),
        }
    }

    fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }
}
