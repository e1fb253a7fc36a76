//! Circuits: the node's own requests begin somewhere else.
//!
//! A circuit is a chain of neighbours. Whoever begins it agrees on keys with one relay after the other, through those before
//! it, and then talks with the last one, the *end*, which treats what it is asked for as if the peer before it had asked.
//! `docs/ONION.md` has the design, the formats, and what all this does not hide.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::block::Block;
use crate::event::PeerId;
use crate::shared::Shared;
use crate::time::Time;
use budget::SWEEP;
use config::OnionConfig;
use ending::Ends;
use holding::Held;
use keys::OwnKeys;
use message::CircuitId;
use originator::Originator;
use reach::Reach;
use relaying::tell_destroyed_before;
use relays::{Before, Next, Relays};

pub(crate) mod anonymity;
mod bounded;
mod budget;
mod building;
mod circuit;
mod command;
mod comparing;
pub(crate) mod config;
pub(crate) mod dealing;
pub(crate) mod diverted;
mod ending;
mod failing;
mod groups;
mod guards;
mod holding;
mod keys;
mod length;
mod liars;
pub(crate) mod list;
pub(crate) mod memory;
pub(crate) mod message;
mod originator;
mod outcomes;
mod reach;
mod record;
mod relaying;
mod relays;
mod slowness;
pub(crate) mod view;
mod wants;

/// The onion stage of one node: what it relays for others, and its own circuits.
#[derive(Debug)]
pub(crate) struct Onion<B> {
    config: Arc<OnionConfig>,
    keys: OwnKeys,
    reach: Reach,
    relays: Relays,
    /// Circuits that this node created on links, for others or for itself.
    onward: BTreeMap<(PeerId, CircuitId), Onward>,
    ends: Ends<B>,
    own: Originator<B>,
    /// Cells that wait here, in the slow mode of their originators.
    held: Held,
    /// When it is looked again whether circuits of others are silent.
    sweep: Option<Time>,
}

/// For whom this node created a circuit on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Onward {
    /// For whoever is before it.
    Relayed(Before),
    /// For itself: the circuit's number.
    Own(u64),
}

impl<B: Block> Onion<B> {
    pub(crate) fn new(shared: &mut Shared<B>, config: Arc<OnionConfig>) -> Self {
        let now = shared.now;
        Self {
            keys: OwnKeys::new(now, config.key_life, shared.rng()),
            reach: Reach::new(),
            relays: Relays::new(),
            onward: BTreeMap::new(),
            ends: Ends::new(),
            own: Originator::new(Some(config.level)),
            held: Held::default(),
            sweep: None,
            config,
        }
    }

    /// A peer is gone, and with it all circuits over its link.
    pub(crate) fn peer_down(&mut self, shared: &mut Shared<B>, peer: PeerId) {
        for before in self.relays.of_peer(peer) {
            self.ended_before(shared, before);
        }
        self.relays.forget_peer(peer);
        shared.diverted.lose(peer);
        let all = (peer, CircuitId(0))..=(peer, CircuitId(u64::MAX));
        let onward: Vec<_> = self.onward.range(all).map(|(&name, _)| name).collect();
        for (peer, circuit) in onward {
            match self.onward.get(&(peer, circuit)) {
                Some(&Onward::Own(number)) => self.unlinked(shared, number),
                Some(Onward::Relayed(_)) | None => self.ended_behind(shared, peer, circuit),
            }
        }
        let config = Arc::clone(&self.config);
        self.reach.peer_down(shared.now, &config, peer);
        self.own.guards.peer_down(shared.now, peer);
        self.forget_node(peer);
    }

    /// Does what is due.
    pub(crate) fn timed_out(&mut self, shared: &mut Shared<B>) {
        let now = shared.now;
        let config = Arc::clone(&self.config);
        let (life, former_life) = (config.key_life, config.former_key_life);
        if self.keys.rotate(now, life, former_life, shared.rng()) {
            self.reach.renew(now);
            self.remember(shared);
        }
        while let Some(before) = self.relays.pop_late(now) {
            self.not_extended(shared, before);
        }
        if self.sweep.is_some_and(|sweep| sweep <= now) {
            self.sweep = None;
            self.end_silent(shared);
        }
        self.judge(shared);
        self.release(shared);
        self.cover(shared);
        self.originate(shared);
    }

    /// Does what follows from all that has happened: tells lists, builds circuits and deals requests.
    pub(crate) fn look_around(&mut self, shared: &mut Shared<B>) {
        let config = Arc::clone(&self.config);
        if std::mem::take(&mut shared.peers.changed)
            || self.reach.due().is_some_and(|due| due <= shared.now)
        {
            self.reach.tell(shared, &config, &mut self.keys);
            self.own.look_again = true;
        }
        if self.sweep.is_none() && self.relays.len() > 0 {
            self.sweep = Some(shared.now + SWEEP);
        }
        self.deal(shared);
    }

    /// When [`Onion::timed_out`] is next due.
    pub(crate) fn next_timeout(&self) -> Option<Time> {
        let all = [
            self.reach.due(),
            self.reach.next_verdict(),
            self.relays.next_late(),
            self.sweep,
            self.held.first(),
            self.own.next_timeout(),
            Some(self.keys.next_change()),
        ];
        all.into_iter().flatten().min()
    }

    fn end_silent(&mut self, shared: &mut Shared<B>) {
        let silent = self.relays.silent(shared.now, self.config.relayed_idle);
        for before in silent {
            tell_destroyed_before(shared, before);
            self.ended_before(shared, before);
        }
    }

    /// What is behind this node on a circuit of others.
    fn next_of(&self, before: Before) -> Option<Next> {
        self.relays.get(before).map(|relayed| relayed.next)
    }
}

#[cfg(test)]
mod tests;
