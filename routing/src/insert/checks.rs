//! Offers of blocks that this node should have already, by a peer that counts the copies.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use super::{Inserts, Offer, target};
use crate::block::Block;
use crate::event::{Class, LookupResult, Origin, PeerId, StoreTicket};
use crate::location::Location;
use crate::message::{Copies, InsertStage, Message, Refusal, RequestId};
use crate::requests::{Asker, Payer};
use crate::shared::Shared;
use crate::time::Time;

/// Offers for which the store is asked whether the block is there.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// All have the same time, so the first is over first.
    running: BTreeMap<StoreTicket, Check>,
}

#[derive(Clone, Copy, Debug)]
struct Check {
    from: PeerId,
    offer: Offer,
    until: Time,
}

impl Checks {
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    pub(super) fn take(&mut self, ticket: StoreTicket) -> Option<(PeerId, Offer)> {
        let Check { from, offer, .. } = self.running.remove(&ticket)?;
        Some((from, offer))
    }

    /// When the first is over.
    pub(super) fn first_deadline(&self) -> Option<Time> {
        self.running.first_key_value().map(|(_, check)| check.until)
    }

    /// Takes the offer of a peer that does not wait for the answer any longer.
    pub(super) fn take_of(&mut self, peer: PeerId, id: RequestId) -> Option<StoreTicket> {
        let found = self
            .running
            .iter()
            .find(|(_, check)| check.from == peer && check.offer.id == id);
        let ticket = found.map(|(&ticket, _)| ticket)?;
        self.running.remove(&ticket);
        Some(ticket)
    }
}

impl<B: Block> Inserts<B> {
    /// Asks the store whether a block is there that a peer says should be. The offer has been admitted.
    pub(super) fn check(&mut self, shared: &mut Shared<B>, from: PeerId, offer: Offer) {
        if !is_near(shared, &offer) {
            shared.refuse(from, offer.id, Refusal::Overloaded, offer.class);
            return;
        }
        shared.begin(Asker::Peer(from, offer.id), target(offer.key), offer.class);
        // That a peer counts copies is no use of a block
        let ticket = shared.look_up(target(offer.key), Origin::User);
        let until = shared.now + shared.config.accept_timeout.of(Class::Bulk);
        let check = Check { from, offer, until };
        self.checks.running.insert(ticket, check);
    }

    /// The store did not answer some in time.
    pub(super) fn end_late_checks(&mut self, shared: &mut Shared<B>) {
        while let Some((&ticket, &check)) = self.checks.running.first_key_value()
            && check.until <= shared.now
        {
            self.checks.running.remove(&ticket);
            let Check { from, offer, .. } = check;
            shared.abandon(ticket, Payer::Peer(from));
            shared.end(Asker::Peer(from, offer.id));
            shared.refuse(from, offer.id, Refusal::Overloaded, offer.class);
        }
    }

    /// The store says whether the block is there.
    pub(super) fn checked(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        offer: Offer,
        result: &LookupResult<B>,
    ) {
        let Offer { id, key, class, .. } = offer;
        let one = Copies::new(1).expect("one is within the bounds");
        let stage = InsertStage::Replicate(one);
        match result {
            LookupResult::Missing
                if !self.running.contains_key(&key) && !self.open.has(key, from) =>
            {
                let until = shared.now + shared.config.block_timeout.of(class);
                self.open.add(from, Offer { stage, ..offer }, until);
                shared.send(from, Message::Accepted { id }, class);
            }
            LookupResult::Found(_) => {
                shared.end(Asker::Peer(from, id));
                let copies = NonZeroU8::MIN;
                shared.send(from, Message::Stored { id, copies }, class);
            }
            LookupResult::Missing | LookupResult::Unavailable => {
                shared.end(Asker::Peer(from, id));
                shared.refuse(from, id, Refusal::Overloaded, class);
            }
        }
    }

    /// Forgets a check for which nobody waits any longer. `false` if there is none.
    pub(super) fn drop_check(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        id: RequestId,
    ) -> bool {
        let ticket = self.checks.take_of(from, id);
        if let Some(ticket) = ticket {
            shared.abandon(ticket, Payer::Peer(from));
        }
        ticket.is_some()
    }
}

/// Whether this node is among those that may be asked to keep a block: nobody can fill its store with what belongs
/// elsewhere.
fn is_near<B: Block>(shared: &Shared<B>, offer: &Offer) -> bool {
    let place = Location::of_key(&offer.key);
    let own = shared.me.distance(place);
    let closer = shared.peers.places();
    let closer = closer.filter(|(_, location)| location.distance(place) < own);
    closer.count() < 2 * usize::from(shared.config.copies.get())
}
