//! Whose handshakes end well.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

use crypto::NodeId;

/// Shunned nodes remembered at most. New identities cost an attacker nothing, so more would not keep more out.
const SHUNNED_MAX: usize = 1024;

/// The nodes that may have a link with us.
#[derive(Debug, Default)]
pub(crate) struct AllowedPeers {
    /// Unknown nodes may call as well.
    strangers: bool,
    lists: RwLock<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    kept: BTreeSet<NodeId>,
    /// Strangers that broke the protocol, and until when they are not spoken to.
    shunned: BTreeMap<NodeId, Instant>,
}

impl AllowedPeers {
    /// With `strangers`, everyone is admitted who is not shunned; without, only those who were made known.
    pub(crate) fn new(strangers: bool) -> Self {
        Self {
            strangers,
            lists: RwLock::default(),
        }
    }

    pub(crate) fn insert(&self, peer: NodeId) {
        self.write().kept.insert(peer);
    }

    pub(crate) fn remove(&self, peer: &NodeId) {
        self.write().kept.remove(peer);
    }

    /// Does not speak to a stranger for a while. Peers that were made known are not concerned.
    pub(crate) fn shun(&self, stranger: NodeId, time: Duration) {
        let now = Instant::now();
        let mut lists = self.write();
        lists.shunned.retain(|_, until| *until > now);
        if lists.shunned.len() >= SHUNNED_MAX {
            let soonest = lists.shunned.iter().min_by_key(|(_, until)| **until);
            if let Some(node) = soonest.map(|(node, _)| *node) {
                lists.shunned.remove(&node);
            }
        }
        lists.shunned.insert(stranger, now + time);
    }

    pub(crate) fn shuns(&self, stranger: &NodeId) -> bool {
        let until = self.read().shunned.get(stranger).copied();
        until.is_some_and(|until| until > Instant::now())
    }

    pub(crate) fn admits(&self, node: &NodeId) -> bool {
        let kept = self.read().kept.contains(node);
        kept || (self.strangers && !self.shuns(node))
    }

    fn read(&self) -> RwLockReadGuard<'_, Lists> {
        // Nothing panics between two changes that belong together.
        self.lists.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Lists> {
        self.lists.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::Identity;

    fn node(number: u16) -> NodeId {
        let mut seed = [0; 32];
        seed[..2].copy_from_slice(&number.to_be_bytes());
        Identity::from_seed(&seed).id()
    }

    #[test]
    fn only_the_known_are_admitted_unless_strangers_are_welcome() {
        let closed = AllowedPeers::new(false);
        closed.insert(node(1));
        assert!(closed.admits(&node(1)) && !closed.admits(&node(2)));
        closed.remove(&node(1));
        assert!(!closed.admits(&node(1)));
        assert!(AllowedPeers::new(true).admits(&node(2)));
    }

    #[test]
    fn a_shunned_stranger_stays_out_for_its_time_and_a_friend_never() {
        let open = AllowedPeers::new(true);
        open.shun(node(1), Duration::from_hours(1));
        assert!(!open.admits(&node(1)) && open.admits(&node(2)));
        open.insert(node(1));
        assert!(open.admits(&node(1)));
        open.shun(node(2), Duration::ZERO);
        assert!(open.admits(&node(2)), "its time is over");
    }

    #[test]
    fn the_list_of_the_shunned_is_bounded_and_loses_who_has_least_left() {
        let open = AllowedPeers::new(true);
        for number in 0..=u16::try_from(SHUNNED_MAX).unwrap() {
            open.shun(node(number), Duration::from_secs(100 + u64::from(number)));
        }
        assert_eq!(open.read().shunned.len(), SHUNNED_MAX);
        assert!(open.admits(&node(0)) && !open.admits(&node(1)));
    }
}
