//! What a person, or a program that measures, may see of the onion stage.

use super::Onion;
use super::anonymity::Level;
use super::circuit::Circuit;
use crate::block::Block;
use crate::event::PeerId;
use crate::shared::Shared;

/// How the node's onion stage is doing. Nothing in it says what anybody asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnionView {
    /// Own circuits that can carry requests.
    pub ready: usize,
    /// Own circuits that are being built.
    pub building: usize,
    /// How many hops the level promises of which circuits stand by; 0 if none do.
    pub hops_promised: u8,
    /// How many a circuit of that level should have, given how many peers the node has.
    pub hops_wished: u8,
    /// How many the shortest ready circuit of that level has; none if there is none.
    pub hops_least: Option<u8>,
    /// Circuits of others that lead through this node or end here.
    pub relayed: usize,
    /// Peers that take part in circuits.
    pub relays: usize,
    /// The first relay of all own circuits, while it is there.
    pub guard: Option<PeerId>,
}

impl OnionView {
    /// Whether circuits are shorter than their level promises, because the network is too small or too thin.
    #[must_use]
    pub fn is_shortened(&self) -> bool {
        self.hops_least
            .is_some_and(|least| least < self.hops_promised)
    }
}

impl<B: Block> Onion<B> {
    pub(crate) fn view(&self, shared: &Shared<B>) -> OnionView {
        let level = self.own.stands_by;
        let ready = || self.own.circuits.values().filter(|one| one.is_ready());
        let usual = ready().filter(|one| Some(one.level) == level);
        let least = usual.map(|one| one.relays.len()).min();
        // Others of the guards may be there too, and not be used
        let last = self.own.circuits.values().next_back();
        let guards = self.own.guards.all().iter();
        OnionView {
            ready: ready().count(),
            building: self
                .own
                .circuits
                .values()
                .filter(|one| Circuit::is_growing(one))
                .count(),
            hops_promised: level.map_or(0, Level::hops),
            hops_wished: level.map_or(0, |level| self.hops_wished(shared, level)),
            hops_least: least.and_then(|least| u8::try_from(least).ok()),
            relayed: self.relays.len(),
            relays: self.reach.len(),
            guard: last
                .map(|one| one.guard)
                .or_else(|| guards.filter_map(|guard| guard.peer).next()),
        }
    }
}
