//! What the router's parts and the onion stage have to do with each other.

use super::Router;
use crate::block::Block;
use crate::event::{Class, Event, LocalId};
use crate::onion::anonymity::Anonymity;
use crate::onion::dealing::Wanted;
use crate::onion::view::OnionView;
use crate::own::{Unbegun, Wish};

impl<B: Block> Router<B> {
    /// How the node's circuits are doing; none if it takes no part in them.
    #[must_use]
    pub fn onion(&self) -> Option<OnionView> {
        let onion = self.onion.as_ref()?;
        Some(onion.view(&self.shared))
    }

    /// Something happened that only the onion stage is concerned with.
    pub(super) fn onion_event(&mut self, event: Event<B>) {
        let Some(onion) = &mut self.onion else {
            return;
        };
        match event {
            Event::KnownAs { peer, node } => {
                if self.shared.peers.peer(peer).is_some() {
                    onion.known_as(peer, node);
                }
            }
            Event::StandBy { level } => onion.stand_by(level),
            Event::Recall { memory, elapsed } => {
                onion.recall(&mut self.shared, &memory, elapsed);
            }
            Event::PeerUp { .. }
            | Event::DialFailed { .. }
            | Event::OwnContact { .. }
            | Event::Join { .. }
            | Event::PeerDown { .. }
            | Event::Message { .. }
            | Event::Fetch { .. }
            | Event::Insert { .. }
            | Event::Cancel { .. }
            | Event::Subscribe { .. }
            | Event::Unsubscribe { .. }
            | Event::NextStored { .. }
            | Event::LookupDone { .. }
            | Event::StoreDone { .. } => {}
        }
    }

    /// Begins what is to go through a circuit there, and gives back what is not. There is no way from here to the other: what
    /// finds no circuit fails.
    pub(super) fn begin_in_circuit(
        &mut self,
        id: LocalId,
        class: Class,
        wish: Wish<B>,
    ) -> Option<Wish<B>> {
        let anonymity = match &wish {
            Wish::Fetch { anonymity, .. } | Wish::Insert { anonymity, .. } => *anonymity,
        };
        let via = match anonymity {
            Anonymity::Off => return Some(wish),
            Anonymity::Circuit(via) => via,
        };
        let Some(onion) = &mut self.onion else {
            let told = wish.refused(id, Unbegun::NoCircuit);
            self.shared.actions.push_back(told);
            return None;
        };
        let wanted = match wish {
            Wish::Fetch { key, effort, .. } => Wanted::Fetch { key, effort },
            Wish::Insert { block, .. } => Wanted::Insert { block },
        };
        onion.user_wants(&mut self.shared, id, class, via, wanted);
        None
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
