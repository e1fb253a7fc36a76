//! Offers of peers that were accepted and whose blocks have not come yet.
//!
//! Several peers may have offered one block. Nothing is done for an offer, and so nobody can learn from it who else
//! places the block: when it is placed, whoever brought it, all other offers are refused as they would be from then on.

use std::collections::{BTreeMap, BTreeSet};

use crypto::BlockKey;

use super::Offer;
use crate::event::PeerId;
use crate::message::RequestId;
use crate::time::Time;

/// The open offers: at most one for each key and peer.
#[derive(Debug, Default)]
pub(super) struct OpenOffers {
    by_key: BTreeMap<(BlockKey, PeerId), OpenOffer>,
    by_time: BTreeSet<(Time, BlockKey, PeerId)>,
}

#[derive(Debug)]
struct OpenOffer {
    offer: Offer,
    /// When the block must have come.
    until: Time,
}

impl OpenOffers {
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn has(&self, key: BlockKey, from: PeerId) -> bool {
        self.by_key.contains_key(&(key, from))
    }

    /// Adds an offer; there must be none of the same key and peer.
    pub(super) fn add(&mut self, from: PeerId, offer: Offer, until: Time) {
        self.by_time.insert((until, offer.key, from));
        self.by_key
            .insert((offer.key, from), OpenOffer { offer, until });
    }

    /// Takes out the offer that a peer made under `id`.
    pub(super) fn take(&mut self, key: BlockKey, from: PeerId, id: RequestId) -> Option<Offer> {
        let open = self.by_key.get(&(key, from))?;
        if open.offer.id != id {
            return None;
        }
        self.remove(key, from)
    }

    /// Takes out an offer of this block, until there is none.
    pub(super) fn pop(&mut self, key: BlockKey) -> Option<(PeerId, Offer)> {
        let all_peers = (key, PeerId(0))..=(key, PeerId(u32::MAX));
        let (&(_, from), _) = self.by_key.range(all_peers).next()?;
        self.remove(key, from).map(|offer| (from, offer))
    }

    /// Takes out an offer whose block should have come by `now`, until there is none.
    pub(super) fn pop_due(&mut self, now: Time) -> Option<(PeerId, Offer)> {
        let &(until, key, from) = self.by_time.first()?;
        if until > now {
            return None;
        }
        self.remove(key, from).map(|offer| (from, offer))
    }

    /// When the next block should have come.
    pub(super) fn first_deadline(&self) -> Option<Time> {
        self.by_time.first().map(|&(until, ..)| until)
    }

    fn remove(&mut self, key: BlockKey, from: PeerId) -> Option<Offer> {
        let OpenOffer { offer, until } = self.by_key.remove(&(key, from))?;
        self.by_time.remove(&(until, key, from));
        Some(offer)
    }
}
