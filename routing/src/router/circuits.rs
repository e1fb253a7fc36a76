//! What the router's parts and the onion stage have to do with each other.

use std::time::Duration;

use crypto::NodeId;

use super::Router;
use crate::block::Block;
use crate::event::PeerId;
use crate::onion::anonymity::Level;
use crate::onion::memory::OnionMemory;
use crate::onion::view::OnionView;

impl<B: Block> Router<B> {
    /// How the node's circuits are doing; none if it takes no part in them.
    #[must_use]
    pub fn onion(&self) -> Option<OnionView> {
        let onion = self.onion.as_ref()?;
        Some(onion.view(&self.shared))
    }

    /// The driver says who a peer is.
    pub(super) fn known_as(&mut self, peer: PeerId, node: NodeId) {
        if let Some(onion) = &mut self.onion
            && self.shared.peers.peer(peer).is_some()
        {
            onion.known_as(peer, node);
        }
    }

    /// The driver says circuits of which level are to stand by.
    pub(super) fn stand_by(&mut self, level: Option<Level>) {
        if let Some(onion) = &mut self.onion {
            onion.stand_by(level);
        }
    }

    /// The driver brings what was kept `elapsed` ago.
    pub(super) fn recall(&mut self, memory: &OnionMemory, elapsed: Duration) {
        if let Some(onion) = &mut self.onion {
            onion.recall(&mut self.shared, memory, elapsed);
        }
    }

    /// The user's requests that go through circuits.
    pub(super) fn circuit_requests(&self) -> usize {
        self.onion.as_ref().map_or(0, |onion| onion.wants_len())
    }

    /// Hands over what came through circuits, and what goes through them. Whether there was anything.
    pub(super) fn settle_circuits(&mut self) -> bool {
        let Some(onion) = &mut self.onion else {
            self.shared.peers.changed = false;
            return false;
        };
        let any = onion.settle(&mut self.shared, &mut self.fetches, &mut self.inserts);
        onion.look_around(&mut self.shared);
        any
    }
}
