//! The lists that come through the node's own circuits, and whether relays say the same to everybody.
//!
//! A relay could tell each peer a list made for it: that peer, so that the peer lists it in return, and accomplices. What comes
//! to it would never leave the accomplices. But lists are told beforehand, and a node that meets the list of one of its peers
//! at the end of a circuit sees what the peer told somebody else, who did not know who would ask. If the node is not in it,
//! and the peer goes on telling the node otherwise, the peer is left out.
//!
//! Only the lists of a node's own peers are compared so: only a peer knows whether the link is there. It is enough, as all
//! walks to a liar come from its peers, and each of them sees to it that none comes from there.
//!
//! Some lists come along with the building of circuits. For more, the end of a circuit that was never used is asked for all
//! lists that it has, before the circuit is given up. It does not learn by that whose list is meant: which peers a node has
//! tells who it is.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Onion;
use super::circuit::{Growing, Purpose};
use super::command::{Answer, Command, Side};
use super::liars::Lie;
use super::list::{NeighbourList, RelayName};
use super::record::{Blame, Worth};
use super::relays::Before;
use crate::block::Block;
use crate::event::Class;
use crate::shared::Shared;
use crate::time::Time;

/// A circuit whose end was asked for the lists of its peers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looking {
    until: Time,
    /// So many may still come.
    left: usize,
}

impl Looking {
    /// Whether there is nothing more to wait for.
    pub(super) fn is_over(&self, now: Time) -> bool {
        self.left == 0 || self.until <= now
    }

    pub(super) const fn until(&self) -> Time {
        self.until
    }
}

impl<B: Block> Onion<B> {
    /// The list of a relay has come, from that relay or from the one before it.
    pub(super) fn listed(
        &mut self,
        shared: &mut Shared<B>,
        number: u64,
        list: NeighbourList,
        speaker: usize,
    ) {
        let Some(circuit) = self.own.circuits.get_mut(&number) else {
            return;
        };
        let relay = list.relay();
        if matches!(&circuit.growing, Growing::Asked { name, .. } if *name == relay) {
            // Whoever else speaks of it has guessed
            if speaker + 1 == circuit.relays.len() {
                circuit.early = Some(list);
            }
            return;
        }
        let Some(place) = circuit.relays.iter().position(|name| *name == relay) else {
            return;
        };
        let named = |place: usize| circuit.relays.get(place).copied();
        let (before, teller) = (place.checked_sub(1).and_then(named), named(speaker));
        let itself = speaker == place;
        if !itself && speaker + 1 != place {
            // Nobody else has a list of it to show
            self.fail(shared, number, teller.as_slice(), Blame::Certain);
            return;
        }
        if !self.believes(shared, number, &list, teller) {
            return;
        }
        if let Some(before) = before.filter(|before| !list.contains(before)) {
            // It does not name the relay that reached it: perhaps their link is new, perhaps it leaves others out
            let (now, grace) = (shared.now, self.config.lists_grace);
            let record = &self.own.record;
            let is_late = record.has_named_for(now, &before, &relay, grace);
            let blamed: &[RelayName] = if is_late { &[relay] } else { &[] };
            self.fail(shared, number, blamed, Blame::Shared);
            return;
        }
        let Some(circuit) = self.own.circuits.get_mut(&number) else {
            return;
        };
        let is_end = circuit.relays.last() == Some(&relay);
        // Where cells are held, one that asks to extend could overtake the one that asks to hold
        let in_order = self.config.delay.is_none() || itself;
        if is_end && in_order && matches!(circuit.growing, Growing::NeedsList) {
            circuit.list = Some(list);
            self.grow(shared, number);
        }
    }

    /// Whether a list is what its relay says to everybody. If not, the circuit ends.
    fn believes(
        &mut self,
        shared: &mut Shared<B>,
        number: u64,
        list: &NeighbourList,
        teller: Option<RelayName>,
    ) -> bool {
        let relay = list.relay();
        match self.own.record.check(shared.now, list) {
            Worth::Right if self.compare(shared, list) => {
                self.fail(shared, number, &[], Blame::Shared);
            }
            Worth::Right => return true,
            Worth::Outdated => {
                let others = teller.filter(|teller| *teller != relay);
                let blamed: SmallVec<[RelayName; 2]> = others.into_iter().chain([relay]).collect();
                self.fail(shared, number, &blamed, Blame::Shared);
            }
            // Who passes a list on has seen to it that it is right
            Worth::Forged => self.fail(shared, number, teller.as_slice(), Blame::Certain),
            Worth::Contradicted => {
                self.caught(shared, relay, Lie::TwoLists);
                self.fail(shared, number, &[], Blame::Shared);
            }
        }
        false
    }

    /// Asks the end of a circuit for the lists of its peers. The circuit is for nothing else from now on.
    pub(super) fn look_at_lists(&mut self, shared: &mut Shared<B>, number: u64) {
        let until = shared.now + self.config.step_timeout + self.slack();
        let Some(circuit) = self.own.circuits.get_mut(&number) else {
            return;
        };
        debug_assert!(circuit.purpose == Purpose::Spare, "it carried requests");
        circuit.retired = true;
        circuit.looking = Some(Looking {
            until,
            left: LISTS_MAX,
        });
        self.command(shared, number, Class::RealTime, &Command::Lists);
    }

    /// The end of such a circuit answers with one of them.
    pub(super) fn shown(&mut self, shared: &mut Shared<B>, number: u64, list: &NeighbourList) {
        self.compare(shared, list);
        let Some(circuit) = self.own.circuits.get_mut(&number) else {
            return;
        };
        if let Some(looking) = &mut circuit.looking {
            looking.left = looking.left.saturating_sub(1);
            if looking.left == 0 {
                self.end(shared, number);
            }
        }
    }

    /// Somebody's list came through a circuit. Whether it is that of a peer that tells this node something else.
    fn compare(&mut self, shared: &mut Shared<B>, list: &NeighbourList) -> bool {
        let relay = list.relay();
        let lie = self.reach.contradicted_by(&self.keys, list);
        match lie {
            Some(Lie::TwoLists) => self.caught(shared, relay, Lie::TwoLists),
            Some(Lie::LeavesOut) => {
                let (now, number) = (shared.now, list.number());
                self.reach.suspect(now, &self.config, &relay, number);
            }
            None => {}
        }
        lie.is_some()
    }

    /// Leaves out those peers who have had the time to say here, too, what they say to others, and have not done so.
    pub(super) fn judge(&mut self, shared: &mut Shared<B>) {
        for relay in self.reach.convict(shared.now, &self.keys) {
            self.caught(shared, relay, Lie::LeavesOut);
        }
    }

    /// Leaves a relay out of everything that is to do with circuits.
    pub(super) fn caught(&mut self, shared: &mut Shared<B>, relay: RelayName, lie: Lie) {
        let config = Arc::clone(&self.config);
        self.reach.leave_out(shared.now, &config, relay, lie);
        for circuit in self.own.circuits.values_mut() {
            circuit.retired |= circuit.relays.contains(&relay);
        }
        self.own.look_again = true;
    }

    /// Tells the originator of a circuit that ends here the lists of this node's peers, once. Also those of peers that were
    /// found to be liars: others have yet to find it out.
    pub(super) fn show_lists(&mut self, shared: &mut Shared<B>, before: Before) {
        let Some(relayed) = self.relays.get_mut(before) else {
            return;
        };
        if std::mem::replace(&mut relayed.shown, true) {
            self.break_circuit(shared, before, Side::Before);
            return;
        }
        let mut peers = self.reach.tellers(shared);
        for _ in 0..LISTS_MAX.min(peers.len()) {
            let peer = peers.swap_remove(shared.below(peers.len()));
            if let Some(list) = self.reach.genuine_list_of(peer) {
                self.speak(shared, before, Class::RealTime, &Answer::Neighbours(list));
            }
        }
    }
}

/// As many as take no more than a block.
const LISTS_MAX: usize = 16;

#[cfg(test)]
impl Looking {
    /// How many lists have come.
    pub(super) const fn seen(&self) -> usize {
        LISTS_MAX - self.left
    }
}
