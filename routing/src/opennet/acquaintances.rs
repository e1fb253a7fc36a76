//! Nodes that are no peers: earlier ones, seeds, and those to keep away from.

use std::collections::VecDeque;

use crypto::NodeId;

use crate::contact::{Contact, RECORD_LEN_MAX};
use crate::time::Time;

/// What is remembered of nodes.
#[derive(Debug, Default)]
pub(super) struct Acquaintances {
    /// Earlier peers, the latest first.
    remembered: VecDeque<Contact>,
    seeds: Vec<Contact>,
    /// Not to be dialled, nor adopted, until then.
    shunned: VecDeque<(NodeId, Time)>,
}

impl Acquaintances {
    /// Notes a peer. At the bound the one noted first is forgotten.
    pub(super) fn remember(&mut self, contact: Contact, max: usize) {
        if contact.record.len() > RECORD_LEN_MAX {
            return;
        }
        self.forget(&contact.node);
        self.remembered.push_front(contact);
        self.remembered.truncate(max);
    }

    pub(super) fn forget(&mut self, node: &NodeId) {
        self.remembered.retain(|contact| contact.node != *node);
    }

    pub(super) fn remembers(&self, node: &NodeId) -> bool {
        self.remembered.iter().any(|contact| contact.node == *node)
    }

    pub(super) fn remembered(&self) -> impl Iterator<Item = &Contact> {
        self.remembered.iter()
    }

    pub(super) fn add_seeds(&mut self, seeds: Vec<Contact>) {
        for seed in seeds {
            let known = self.seeds.iter().any(|known| known.node == seed.node);
            let fits = self.seeds.len() < SEEDS_MAX && seed.record.len() <= RECORD_LEN_MAX;
            if !known && fits {
                self.seeds.push(seed);
            }
        }
    }

    pub(super) fn seeds(&self) -> &[Contact] {
        &self.seeds
    }

    pub(super) fn shun(&mut self, node: NodeId, until: Time) {
        self.forget(&node);
        self.shunned.retain(|(shunned, _)| *shunned != node);
        self.shunned.push_back((node, until));
        if self.shunned.len() > SHUNNED_MAX {
            self.shunned.pop_front();
        }
    }

    pub(super) fn shuns(&self, node: &NodeId, now: Time) -> bool {
        let shunned = |&(shunned, until): &(NodeId, Time)| shunned == *node && until > now;
        self.shunned.iter().any(shunned)
    }

    pub(super) fn expire(&mut self, now: Time) {
        self.shunned.retain(|&(_, until)| until > now);
    }

    pub(super) fn next_expiry(&self) -> Option<Time> {
        self.shunned.iter().map(|&(_, until)| until).min()
    }
}

/// More are not asked.
const SEEDS_MAX: usize = 64;

/// Twice as many as a node has peers at most.
const SHUNNED_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use crypto::Identity;

    use super::*;

    fn contact(seed: u8) -> Contact {
        Contact {
            node: Identity::from_seed(&[seed; 32]).id(),
            record: Bytes::new(),
        }
    }

    #[test]
    fn the_latest_peers_are_remembered_once_each() {
        let mut acquaintances = Acquaintances::default();
        for seed in [1, 2, 1, 3, 4] {
            acquaintances.remember(contact(seed), 3);
        }
        let remembered: Vec<_> = acquaintances.remembered().cloned().collect();
        assert_eq!(remembered, [contact(4), contact(3), contact(1)]);
        let long = Contact {
            record: vec![0; RECORD_LEN_MAX + 1].into(),
            ..contact(5)
        };
        acquaintances.remember(long.clone(), 3);
        acquaintances.add_seeds(vec![long]);
        assert!(!acquaintances.remembers(&contact(5).node) && acquaintances.seeds().is_empty());
    }

    #[test]
    fn a_shunned_node_is_forgotten_and_kept_away_for_a_while() {
        let at = Time::from_micros;
        let mut acquaintances = Acquaintances::default();
        let node = contact(1).node;
        acquaintances.remember(contact(1), 3);
        acquaintances.shun(node, at(10));
        assert!(!acquaintances.remembers(&node));
        assert!(acquaintances.shuns(&node, at(9)) && !acquaintances.shuns(&node, at(10)));
        for seed in 0..=u8::MAX {
            acquaintances.shun(contact(seed).node, at(20));
        }
        assert_eq!(acquaintances.shunned.len(), SHUNNED_MAX);
        acquaintances.expire(at(20));
        assert_eq!(acquaintances.next_expiry(), None);
    }
}
