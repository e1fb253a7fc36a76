//! How many hops a circuit is to have.

use std::collections::BTreeMap;

use super::Onion;
use super::anonymity::Level;
use super::list::{NeighbourList, RelayName};
use crate::block::Block;
use crate::shared::Shared;

/// Networks up to this size gain nothing from longer walks: six hops leave as many nodes suspect as ten do (with 12 nodes that
/// have 5.5 peers each .84 of the others, with 32 nodes of six peers .74 and .75; with 64 it begins to differ, .66 and .69).
const SMALL_MAX: usize = 32;

impl<B: Block> Onion<B> {
    /// How many hops a circuit of this level is to have: more where the node has few peers, unless it has seen the whole
    /// network and that is small.
    pub(super) fn hops_wished(&self, shared: &Shared<B>, level: Level) -> u8 {
        if self.has_seen_all() {
            level.hops()
        } else {
            level.hops_at(shared.peers.len())
        }
    }

    /// Whether the node has the list of every relay that is named in any list, and they are few. To make that up, all peers of
    /// the node would have to lie.
    fn has_seen_all(&self) -> bool {
        let mut lists: BTreeMap<RelayName, &NeighbourList> = BTreeMap::new();
        for list in self.reach.lists().chain(self.own.record.lists()) {
            lists.insert(list.relay(), list);
            if lists.len() > SMALL_MAX {
                return false;
            }
        }
        let is_seen = |name: RelayName| lists.contains_key(&name) || self.keys.is_own(&name);
        let mut named = lists.values().flat_map(|list| list.neighbours());
        !lists.is_empty() && named.all(is_seen)
    }
}
