//! Which relays this node reaches, and what it says of them.
//!
//! Each node gives all its peers a list of the relays that it reaches. It lists a peer, and passes circuits on to it, only if
//! that peer's list has this node in it as well (the reciprocal neighbour policy of PISCES: Mittal, Wright and Borisov, 2012).
//! So a relay that wants to send all walks to its accomplices has to leave its honest neighbours out, is left out by them,
//! and gets no walks. What is said to neighbours is what is said to those who walk: the relay before it passes the list on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::config::OnionConfig;
use super::keys::OwnKeys;
use super::liars::Liars;
use super::list::{NeighbourList, RelayName};
use super::message::OnionMessage;
use crate::block::Block;
use crate::event::{Class, PeerId};
use crate::message::Message;
use crate::shared::Shared;
use crate::time::Time;
use contradictions::Suspicion;

mod contradictions;

/// What the peers said, and what they were told.
#[derive(Debug, Default)]
pub(super) struct Reach {
    known: BTreeMap<PeerId, Known>,
    /// The adopted peers that were told a list.
    told: BTreeSet<PeerId>,
    /// Those who tell others something else.
    liars: Liars,
    /// When the first of those who may do so is judged.
    verdict: Option<Time>,
    list: Option<NeighbourList>,
    /// When the next list is due.
    due: Option<Time>,
    earliest: Time,
    /// How many lists were told to all, as far as that matters.
    lists: u8,
}

/// What a peer says.
#[derive(Debug)]
struct Known {
    list: NeighbourList,
    /// The name that it had before.
    former: Option<RelayName>,
    since: Time,
    /// This node's name, and the number of the first of its lists that this node was told, if all since have that name in them.
    listed_from: Option<(RelayName, u64)>,
    /// Whether the signature is right, once that was looked at.
    genuine: Option<bool>,
    /// It may tell others something else.
    suspicion: Option<Suspicion>,
}

impl Reach {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A peer tells its list. Whether that is news.
    pub(super) fn hear(
        &mut self,
        now: Time,
        config: &OnionConfig,
        keys: &OwnKeys,
        from: PeerId,
        list: NeighbourList,
    ) -> bool {
        let own: RelayName = keys.current().key().into();
        let listed_from = list.contains(&own).then(|| (own, list.number()));
        let Some(known) = self.known.get_mut(&from) else {
            let known = Known {
                list,
                former: None,
                since: now,
                listed_from,
                genuine: None,
                suspicion: None,
            };
            self.known.insert(from, known);
            self.changed(now, config);
            return true;
        };
        let same_relay = known.list.relay() == list.relay();
        if same_relay && known.list.number() >= list.number() {
            // One that was overtaken may say that this node was missing for a while
            if let Some((_, from)) = &mut known.listed_from
                && listed_from.is_none()
                && *from <= list.number()
            {
                *from = known.list.number();
            }
            return false;
        }
        if !same_relay {
            self.liars.rename(&known.list.relay(), list.relay());
            known.former = Some(known.list.relay());
            known.listed_from = None;
            known.suspicion = None;
        }
        let earlier = known.listed_from.filter(|&(name, _)| name == own);
        known.listed_from = listed_from.map(|now| earlier.unwrap_or(now));
        known.list = list;
        known.genuine = None;
        self.changed(now, config);
        true
    }

    pub(super) fn peer_down(&mut self, now: Time, config: &OnionConfig, peer: PeerId) {
        self.told.remove(&peer);
        if self.known.remove(&peer).is_some() {
            self.changed(now, config);
        }
    }

    /// The keys of this node have changed.
    pub(super) fn renew(&mut self, now: Time) {
        self.list = None;
        self.due = Some(now);
    }

    /// Tells those of the adopted peers a list who were told none, and all if that is due.
    pub(super) fn tell<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        config: &OnionConfig,
        keys: &mut OwnKeys,
    ) {
        let adopted: Vec<PeerId> = shared.peers.iter().map(|(peer, _)| peer).collect();
        if self.due.is_some_and(|due| due <= shared.now) {
            self.due = None;
            self.tell_all(shared, config, keys, &adopted);
        }
        for peer in adopted {
            if self.told.insert(peer) {
                let list = self.list(shared, config, keys);
                send(shared, peer, list);
            }
        }
    }

    /// When [`Reach::tell`] is due.
    pub(super) const fn due(&self) -> Option<Time> {
        self.due
    }

    /// What this node says of its neighbours.
    pub(super) fn list<B: Block>(
        &mut self,
        shared: &Shared<B>,
        config: &OnionConfig,
        keys: &mut OwnKeys,
    ) -> NeighbourList {
        if let Some(list) = &self.list {
            return list.clone();
        }
        let names = self.names(shared, config, keys);
        let number = keys.next_number();
        let list = NeighbourList::sign(keys.current(), number, names);
        self.list = Some(list.clone());
        list
    }

    /// The peer of this name, if circuits may be passed on to it.
    pub(super) fn peer_of<B: Block>(
        &self,
        shared: &Shared<B>,
        config: &OnionConfig,
        keys: &OwnKeys,
        name: &RelayName,
    ) -> Option<PeerId> {
        let is_it = |known: &Known| known.list.relay() == *name || known.former == Some(*name);
        let mut all = self.known.iter();
        all.find(|&(&peer, known)| {
            is_it(known) && self.is_usable(shared, config, keys, peer, known)
        })
        .map(|(&peer, _)| peer)
    }

    /// The peers that circuits may be passed on to, with their names.
    pub(super) fn usable<B: Block>(
        &self,
        shared: &Shared<B>,
        config: &OnionConfig,
        keys: &OwnKeys,
    ) -> Vec<(PeerId, RelayName)> {
        let all = self.known.iter();
        all.filter(|&(&peer, known)| self.is_usable(shared, config, keys, peer, known))
            .map(|(&peer, known)| (peer, known.list.relay()))
            .collect()
    }

    /// What the peers say.
    pub(super) fn lists(&self) -> impl Iterator<Item = &NeighbourList> {
        self.known.values().map(|known| &known.list)
    }

    /// The list of a peer, to be used by this node itself.
    pub(super) fn list_of(&self, peer: PeerId) -> Option<&NeighbourList> {
        self.known.get(&peer).map(|known| &known.list)
    }

    /// The list of a peer, to be passed on: only if its signature is right.
    pub(super) fn genuine_list_of(&mut self, peer: PeerId) -> Option<NeighbourList> {
        let known = self.known.get_mut(&peer)?;
        known.is_genuine().then(|| known.list.clone())
    }

    /// The adopted peers that have told a list.
    pub(super) fn tellers<B: Block>(&self, shared: &Shared<B>) -> Vec<PeerId> {
        let adopted = |peer: &PeerId| shared.peers.peer(*peer).is_some_and(|peer| peer.adopted);
        self.known.keys().copied().filter(adopted).collect()
    }

    #[cfg(test)]
    pub(super) const fn own_list(&self) -> Option<&NeighbourList> {
        self.list.as_ref()
    }

    /// Changes a bit in every list, and takes them for right.
    #[cfg(test)]
    pub(super) fn forge_all(&mut self) {
        for known in self.known.values_mut() {
            let mut bytes = known.list.bytes().to_vec();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            let forged = NeighbourList::from_bytes(bytes.into());
            known.list = forged.expect("the signature is not looked at");
            known.genuine = Some(true);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    fn tell_all<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        config: &OnionConfig,
        keys: &mut OwnKeys,
        adopted: &[PeerId],
    ) {
        self.lists = self.lists.saturating_add(1);
        self.earliest = shared.now + pause_after(self.lists, config);
        let names = self.names(shared, config, keys);
        let same = self.list.as_ref().is_some_and(|list| {
            let own = keys.current().key();
            list.relay() == own.into() && list.neighbours().eq(names.iter().copied())
        });
        self.look_after_grace(shared, config, keys);
        if same {
            return;
        }
        self.list = None;
        let list = self.list(shared, config, keys);
        for &peer in adopted {
            self.told.insert(peer);
            send(shared, peer, list.clone());
        }
    }

    /// A peer that still counts as one that lists this node, and does not, will not count when its time is over.
    fn look_after_grace<B: Block>(
        &mut self,
        shared: &Shared<B>,
        config: &OnionConfig,
        keys: &OwnKeys,
    ) {
        let silent = self
            .known
            .values()
            .filter(|known| !lists(keys, &known.list));
        let ends = silent.map(|known| known.since + config.lists_grace);
        if let Some(end) = ends.filter(|end| *end > shared.now).min() {
            let due = self.due.map_or(end, |due| due.min(end));
            self.due = Some(due.max(self.earliest));
        }
    }

    fn names<B: Block>(
        &self,
        shared: &Shared<B>,
        config: &OnionConfig,
        keys: &OwnKeys,
    ) -> Vec<RelayName> {
        let mut names: Vec<_> = self
            .usable(shared, config, keys)
            .into_iter()
            .map(|(_, name)| name)
            .take(NeighbourList::NEIGHBOURS_MAX)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether circuits may be passed on to a peer: it carries requests, says the same to everybody as far as is known, and
    /// lists this node, or may not have had the time to.
    fn is_usable<B: Block>(
        &self,
        shared: &Shared<B>,
        config: &OnionConfig,
        keys: &OwnKeys,
        peer: PeerId,
        known: &Known,
    ) -> bool {
        let adopted = shared.peers.peer(peer).is_some_and(|peer| peer.adopted);
        let new = shared.now.since(known.since) < config.lists_grace;
        let relay = known.list.relay();
        adopted
            && !keys.is_own(&relay)
            && !self.liars.has(shared.now, &relay)
            && (new || lists(keys, &known.list))
    }

    fn changed(&mut self, now: Time, config: &OnionConfig) {
        let soon = (now + config.lists_settle).max(self.earliest);
        // It may only be due when somebody's grace ends
        self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
    }
}

impl Known {
    /// Whether the list is signed by the relay that it names.
    fn is_genuine(&mut self) -> bool {
        *self.genuine.get_or_insert_with(|| self.list.is_genuine())
    }
}

/// Whether a relay says that it reaches this node.
fn lists(keys: &OwnKeys, list: &NeighbourList) -> bool {
    keys.names().any(|name| list.contains(&name))
}

fn send<B: Block>(shared: &mut Shared<B>, to: PeerId, list: NeighbourList) {
    let message = Message::Onion(OnionMessage::Neighbours(list));
    shared.send(to, message, Class::RealTime);
}

/// How long the next list is held back after so many.
fn pause_after(lists: u8, config: &OnionConfig) -> Duration {
    let doublings = u32::from(lists.saturating_sub(QUICK));
    let pause = 1_u32
        .checked_shl(doublings)
        .and_then(|times| config.lists_settle.checked_mul(times));
    pause.map_or(config.lists_interval, |pause| {
        pause.min(config.lists_interval)
    })
}

/// The peers of a node that starts come one after the other: the first few lists are hardly held back, and those that follow
/// longer each time.
const QUICK: u8 = 4;
