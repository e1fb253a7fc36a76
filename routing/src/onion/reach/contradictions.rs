//! What the lists that others were told say against those that a peer tells this node.

use super::{OnionConfig, OwnKeys, Reach, RelayName, Time};
use crate::onion::liars::Lie;
use crate::onion::list::NeighbourList;

/// A list of a peer's left this node out, although the peer tells this node otherwise.
///
/// That may be because it has given up the link, and this node does not know yet. Then the link is gone soon, or a list comes
/// that says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspicion {
    /// The number of that list.
    number: u64,
    /// When the peer has had the time to say so.
    until: Time,
}

impl Reach {
    /// Whether a list that came through a circuit shows that its relay, a peer, tells this node something else.
    ///
    /// Numbers say what comes after what: a list from before the first one that has this node in it shows nothing, and neither
    /// does one from before this node had its present name.
    pub(in crate::onion) fn contradicted_by(
        &mut self,
        keys: &OwnKeys,
        list: &NeighbourList,
    ) -> Option<Lie> {
        let relay = list.relay();
        let mut all = self.known.values_mut();
        let known = all.find(|known| known.list.relay() == relay)?;
        let lie = if known.list.number() == list.number() {
            (known.list != *list).then_some(Lie::TwoLists)
        } else {
            let from = known.listed_from(keys)?;
            let left_out = list.number() >= from && !list.contains(&name(keys));
            left_out.then_some(Lie::LeavesOut)
        }?;
        (known.is_genuine() && list.is_genuine()).then_some(lie)
    }

    /// A list with this number left this node out: the peer is judged when it has had the time to say the same here.
    pub(in crate::onion) fn suspect(
        &mut self,
        now: Time,
        config: &OnionConfig,
        relay: &RelayName,
        number: u64,
    ) {
        let until = now + config.lists_grace;
        let mut all = self.known.values_mut();
        if let Some(known) = all.find(|known| known.list.relay() == *relay) {
            known.suspicion.get_or_insert(Suspicion { number, until });
            self.verdict.get_or_insert(until);
        }
    }

    /// When [`Reach::convict`] has something to do.
    pub(in crate::onion) const fn next_verdict(&self) -> Option<Time> {
        self.verdict
    }

    /// Those suspects who still tell this node that they reach it.
    pub(in crate::onion) fn convict(&mut self, now: Time, keys: &OwnKeys) -> Vec<RelayName> {
        if self.verdict.is_none_or(|verdict| verdict > now) {
            return Vec::new();
        }
        let mut convicted = Vec::new();
        for known in self.known.values_mut() {
            let Some(suspicion) = known.suspicion.filter(|one| one.until <= now) else {
                continue;
            };
            known.suspicion = None;
            // Since before that list, and without a break
            if known
                .listed_from(keys)
                .is_some_and(|from| from <= suspicion.number)
            {
                convicted.push(known.list.relay());
            }
        }
        let rest = self.known.values().filter_map(|known| known.suspicion);
        self.verdict = rest.map(|suspicion| suspicion.until).min();
        convicted
    }

    /// Leaves out a relay that was caught, and says so at the next opportunity by not listing it.
    pub(in crate::onion) fn leave_out(
        &mut self,
        now: Time,
        config: &OnionConfig,
        relay: RelayName,
        lie: Lie,
    ) {
        self.liars.add(now, relay, lie);
        self.changed(now, config);
    }

    pub(in crate::onion) fn is_liar(&self, now: Time, relay: &RelayName) -> bool {
        self.liars.has(now, relay)
    }
}

impl super::Known {
    /// The number of the first list that had this node in it under its present name, as all have since.
    fn listed_from(&self, keys: &OwnKeys) -> Option<u64> {
        let (own, from) = self.listed_from?;
        (own == name(keys)).then_some(from)
    }
}

/// What this node is called now.
fn name(keys: &OwnKeys) -> RelayName {
    keys.current().key().into()
}

#[cfg(test)]
mod tests;
