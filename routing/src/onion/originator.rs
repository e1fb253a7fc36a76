//! The node's own circuits and what goes over them: the state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crypto::NodeId;

use super::Onion;
use super::anonymity::Level;
use super::circuit::{Circuit, Purpose};
use super::groups::Groups;
use super::guards::{Guard, Guards, suitability};
use super::list::RelayName;
use super::record::Record;
use super::slowness::Steps;
use super::wants::Wants;
use crate::block::Block;
use crate::contact::PeerKind;
use crate::event::PeerId;
use crate::shared::Shared;
use crate::time::Time;

/// What a node has under way through circuits.
#[derive(Debug)]
pub(super) struct Originator<B> {
    pub(super) circuits: BTreeMap<u64, Circuit>,
    next_circuit: u64,
    pub(super) wants: Wants<B>,
    pub(super) groups: Groups,
    pub(super) guards: Guards,
    pub(super) record: Record,
    pub(super) steps: Steps,
    /// Who the peers are, as far as that is known.
    pub(super) nodes: BTreeMap<PeerId, NodeId>,
    /// Of which level circuits stand by.
    pub(super) stands_by: Option<Level>,
    /// Since when a peer is there that could be a guard.
    some_usable_since: Option<Time>,
    /// Something has changed that may let a circuit be built or a request be dealt.
    pub(super) look_again: bool,
    /// How often in a row circuits came to nothing, those that were built side by side counted once.
    failures: u32,
    /// When one of them last counted.
    failed_at: Time,
    /// No circuit is begun before, unless a request waits for one.
    build_from: Time,
    /// When a guard may be chosen, if that is all that is missing.
    pub(super) guard_from: Option<Time>,
    /// When cover goes along a circuit next.
    pub(super) cover_at: Option<Time>,
    /// Until then the user may be waiting for a page.
    calm_from: Time,
    /// When circuits are begun that were put off because of that.
    pub(super) refill_at: Option<Time>,
    /// How many walks in a row ended where there was no way on.
    pub(super) dead_ends: u32,
}

impl<B> Originator<B> {
    pub(super) fn new(stands_by: Option<Level>) -> Self {
        Self {
            stands_by,
            circuits: BTreeMap::new(),
            next_circuit: 0,
            wants: Wants::new(),
            groups: Groups::default(),
            guards: Guards::default(),
            record: Record::default(),
            steps: Steps::default(),
            nodes: BTreeMap::new(),
            some_usable_since: None,
            look_again: false,
            failures: 0,
            failed_at: Time::ZERO,
            build_from: Time::ZERO,
            guard_from: None,
            cover_at: None,
            calm_from: Time::ZERO,
            refill_at: None,
            dead_ends: 0,
        }
    }

    /// Adds a circuit, and gives its number.
    pub(super) fn add(&mut self, circuit: Circuit) -> u64 {
        let number = self.next_circuit;
        self.next_circuit += 1;
        self.circuits.insert(number, circuit);
        number
    }

    /// How many circuits of this level are being built.
    pub(super) fn growing(&self, level: Level) -> usize {
        let all = self.circuits.values();
        all.filter(|circuit| circuit.is_growing() && circuit.level == level)
            .count()
    }

    /// How many circuits of this level stand by.
    pub(super) fn spare(&self, level: Level) -> usize {
        let all = self.circuits.values();
        all.filter(|circuit| circuit.is_spare(level)).count()
    }

    /// The user asks for something small, or has got it: more may follow.
    pub(super) fn user_waits(&mut self, now: Time) {
        self.calm_from = now + CALM_AFTER;
    }

    /// When the next circuit may be begun.
    pub(super) fn may_build_from(&self) -> Time {
        if self.wants.waiting().is_empty() {
            self.build_from
        } else {
            self.build_from.min(self.failed_at + PAUSE_WANTED_MAX)
        }
    }

    /// How many circuits of this level are to be begun so that `wished` stand by. As long as half of them do and building
    /// succeeds, those that are missing can wait until the user has what he asked for: each takes milliseconds of work, at
    /// this node and at its relays, between which the request would have to squeeze.
    pub(super) fn spares_to_begin(&mut self, level: Level, wished: usize, now: Time) -> usize {
        let missing = wished.saturating_sub(self.spare(level));
        let enough = missing <= wished / 2 && self.failures == 0;
        if missing == 0 || !enough || self.calm_from <= now {
            return missing;
        }
        self.refill_at = Some(self.calm_from);
        0
    }

    /// How many circuits carry requests of this purpose.
    pub(super) fn serving(&self, purpose: Purpose) -> usize {
        let all = self.circuits.values();
        all.filter(|circuit| circuit.is_ready() && circuit.purpose == purpose)
            .count()
    }

    /// How many circuits of one level may be built at a time: after a failure one, to see whether it gets on.
    pub(super) const fn growing_max(&self) -> usize {
        if self.failures > 0 { 1 } else { GROWING_MAX }
    }

    /// A circuit is as long as it should be.
    pub(super) const fn built(&mut self) {
        self.failures = 0;
        self.look_again = true;
    }

    /// A circuit came to nothing that was begun at `born`: the next one waits, longer each time. What had begun before the last
    /// one failed says nothing new.
    pub(super) fn not_built(
        &mut self,
        born: Time,
        now: Time,
        jitter: impl FnOnce(Duration) -> Duration,
    ) {
        self.look_again = true;
        if self.failures > 0 && born <= self.failed_at {
            return;
        }
        self.failed_at = now;
        self.failures = self.failures.saturating_add(1);
        let pause = PAUSE_FIRST * (1 << self.failures.min(PAUSE_DOUBLINGS));
        self.build_from = self.build_from.max(now + jitter(pause));
    }

    /// When something is due.
    pub(super) fn next_timeout(&self) -> Option<Time> {
        let circuits = self.circuits.values().filter_map(Circuit::next_due);
        let waits_to_build = self.look_again.then(|| self.may_build_from());
        let others = [
            self.wants.next_due(),
            self.guard_from,
            self.cover_at,
            self.refill_at,
            waits_to_build,
        ];
        circuits.chain(others.into_iter().flatten()).min()
    }
}

impl<B: Block> Onion<B> {
    /// A link is there.
    pub(crate) fn peer_up(&mut self, peer: PeerId, kind: &PeerKind) {
        match kind {
            PeerKind::Stranger { contact, .. } => self.known_as(peer, contact.node),
            PeerKind::Friend { .. } => {}
        }
    }

    /// Circuits of this level stand by from now on. Those of another that were never used end.
    pub(crate) fn stand_by(&mut self, level: Option<Level>) {
        self.own.stands_by = level;
        for circuit in self.own.circuits.values_mut() {
            circuit.retired |= circuit.purpose == Purpose::Spare && Some(circuit.level) != level;
        }
        self.own.look_again = true;
    }

    /// The driver says who a peer is.
    pub(crate) fn known_as(&mut self, peer: PeerId, node: NodeId) {
        self.own.nodes.insert(peer, node);
        self.own.guards.peer_is(peer, node);
        self.own.look_again = true;
    }

    /// Nobody needs to know any longer who a peer was.
    pub(super) fn forget_node(&mut self, peer: PeerId) {
        self.own.nodes.remove(&peer);
    }

    /// The first relay for a circuit, if one is there and it is time to choose one.
    pub(super) fn guard(&mut self, shared: &mut Shared<B>) -> Option<(PeerId, RelayName)> {
        let now = shared.now;
        let config = Arc::clone(&self.config);
        if self.own.guards.expire(now) {
            self.remember(shared);
        }
        let usable: BTreeMap<PeerId, RelayName> = self
            .reach
            .usable(shared, &config, &self.keys)
            .into_iter()
            .filter(|(_, name)| !self.own.record.is_bad(now, name))
            .filter(|(peer, _)| self.leads_on(*peer))
            .collect();
        self.own.guard_from = None;
        let first = self.own.guards.first(|peer| usable.contains_key(&peer));
        if let Some(peer) = first.and_then(|guard| guard.peer) {
            let name = usable.get(&peer)?;
            keep_link(shared, peer);
            return Some((peer, *name));
        }
        if usable.is_empty() {
            self.own.some_usable_since = None;
            return None;
        }
        let since = *self.own.some_usable_since.get_or_insert(now);
        let from = match self.own.guards.lost_since(now) {
            // Those that are left out for what they did are not worth waiting for
            Some(_)
                if self
                    .own
                    .guards
                    .are_all(|peer| self.has_done_wrong(now, peer)) =>
            {
                now
            }
            Some(lost) => lost + config.guard_patience,
            None if usable.len() >= CHOICE_MIN => now,
            None => since + CHOICE_WAIT,
        };
        if from > now {
            self.own.guard_from = Some(from);
            return None;
        }
        self.choose_guard(shared, &usable)
    }

    /// Whether a peer is no guard for what it did. One that is only slow stays.
    fn has_done_wrong(&self, now: Time, peer: PeerId) -> bool {
        self.reach.list_of(peer).is_some_and(|list| {
            let name = list.relay();
            self.own.record.is_bad(now, &name) || self.reach.is_liar(now, &name)
        })
    }

    /// Whether a relay has no part in own circuits, for what it did.
    pub(super) fn is_left_out(&self, now: Time, name: &RelayName) -> bool {
        self.own.record.is_bad(now, name)
            || self.reach.is_liar(now, name)
            || self.own.steps.leaves_out(now, name)
    }

    /// Whether a peer reaches anybody but this node, as far as it has said.
    fn leads_on(&self, peer: PeerId) -> bool {
        let list = self.reach.list_of(peer);
        list.is_some_and(|list| list.neighbours().any(|name| !self.keys.is_own(&name)))
    }

    fn choose_guard(
        &mut self,
        shared: &mut Shared<B>,
        usable: &BTreeMap<PeerId, RelayName>,
    ) -> Option<(PeerId, RelayName)> {
        let new = usable
            .iter()
            .filter(|(peer, _)| !self.own.guards.has(**peer));
        let suited: Vec<_> = new
            .filter_map(|(&peer, &name)| {
                let known = shared.peers.peer(peer)?;
                Some((suitability(known), peer, name))
            })
            .collect();
        let best = suited.iter().map(|&(suitability, ..)| suitability).max()?;
        let best: Vec<_> = suited
            .into_iter()
            .filter(|&(suitability, ..)| suitability == best)
            .collect();
        let &(_, peer, name) = best.get(shared.below(best.len()))?;
        self.own.guards.add(Guard {
            node: self.own.nodes.get(&peer).copied(),
            peer: Some(peer),
            until: shared.now + self.config.guard_life,
            seconds: smallvec::SmallVec::new(),
        });
        self.remember(shared);
        keep_link(shared, peer);
        Some((peer, name))
    }

    /// The second relay of a circuit: one that was used before, if it is there, or one of `candidates`, to be used from now
    /// on.
    pub(super) fn second_relay(
        &mut self,
        shared: &mut Shared<B>,
        guard: PeerId,
        candidates: &[RelayName],
    ) -> Option<RelayName> {
        let count = self.config.second_hops.max(1);
        let reached: BTreeSet<RelayName> = candidates.iter().copied().collect();
        let guard = self.own.guards.first(|peer| peer == guard)?;
        let kept: Vec<_> = guard.seconds(&reached, count).collect();
        if kept.len() >= count {
            return kept.get(shared.below(kept.len())).copied();
        }
        let new: Vec<_> = candidates
            .iter()
            .filter(|name| !kept.contains(name))
            .collect();
        let Some(&&name) = new.get(shared.below(new.len())) else {
            return kept.first().copied();
        };
        guard.add_second(name);
        self.remember(shared);
        Some(name)
    }
}

/// The link to a guard is not given up for a better one.
fn keep_link<B: Block>(shared: &mut Shared<B>, guard: PeerId) {
    if let Some(known) = shared.peers.peer_mut(guard) {
        known.guard = true;
    }
}

/// With so many peers to choose from, the first guard is chosen at once.
const CHOICE_MIN: usize = 3;

/// With fewer, others may come within this time.
const CHOICE_WAIT: Duration = Duration::from_secs(10);

/// So long after a request for something small was made or answered, no circuits are built for later: time for a page and
/// its pictures where answers come fast, and next to nothing where they take seconds.
const CALM_AFTER: Duration = Duration::from_millis(250);

/// Circuits of one level that are built at a time while all goes well.
const GROWING_MAX: usize = 8;

/// After one circuit that came to nothing, the next is begun so much later; then twice as much, and so on.
const PAUSE_FIRST: Duration = Duration::from_millis(100);

/// At most 25 s.
const PAUSE_DOUBLINGS: u32 = 8;

/// Where a request waits for a circuit, the next one is begun at the latest so long after one came to nothing: the request
/// waits for 20 s only.
const PAUSE_WANTED_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::{BlockKey, BlockKind, RoutingKey, VerifiedBlock};

    use crate::event::{Class, Effort, LocalId};
    use crate::onion::anonymity::{Group, Role, Via};
    use crate::onion::wants::{Goal, State, Want};

    #[test]
    fn circuits_that_fail_side_by_side_count_once() {
        let mut own = Originator::<VerifiedBlock>::new(None);
        let at = |millis: u64| Time::ZERO + Duration::from_millis(millis);
        for _ in 0..8 {
            own.not_built(at(1), at(10), |pause| pause);
        }
        assert_eq!(own.build_from, at(10) + 2 * PAUSE_FIRST);
        own.not_built(at(11), at(500), |pause| pause);
        assert_eq!(own.build_from, at(500) + 4 * PAUSE_FIRST);
        own.built();
        own.not_built(at(12), at(1_000), |pause| pause);
        assert_eq!(own.build_from, at(1_000) + 2 * PAUSE_FIRST);
    }

    #[test]
    fn whoever_waits_for_a_circuit_does_not_wait_for_long_pauses() {
        let mut own = Originator::<VerifiedBlock>::new(None);
        let at = |secs: u64| Time::ZERO + Duration::from_secs(secs);
        for time in 1..20 {
            own.not_built(at(time), at(time), |pause| pause);
        }
        assert_eq!(own.may_build_from(), at(19) + Duration::from_millis(25_600));
        let via = Via {
            level: Level::Six,
            group: Group(1),
            role: Role::Top,
        };
        let goal = Goal::Fetch {
            key: BlockKey {
                kind: BlockKind::Content,
                routing_key: RoutingKey::from_bytes([1; 32]),
            },
            effort: Effort::Thorough,
        };
        let want = Want::new(at(20), Class::RealTime, via, goal);
        own.wants.add(LocalId(1), want, State::Waiting, at(40));
        assert_eq!(own.may_build_from(), at(20));
        own.built();
        own.not_built(at(21), at(22), |pause| pause);
        own.wants.set(LocalId(1), State::Waiting, at(40));
        assert_eq!(own.may_build_from(), at(23));
    }
}
