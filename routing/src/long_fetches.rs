//! Fetches with more than the ordinary budget: the user's own second try, and how many of them a peer may make.
//!
//! A long fetch may visit almost three times as many nodes as an ordinary one, so it is paid for: every hop of a peer's
//! ordinary fetches earns it a part of a hop beyond the ordinary budget. One that it has not earned is worked on with the
//! ordinary budget, and the peer gets the rest back when that is spent.

use crate::block::Block;
use crate::caching;
use crate::event::PeerId;
use crate::hops_to_live::HopsToLive;
use crate::shared::Shared;

impl<B: Block> Shared<B> {
    /// The budget of the user's own fetch when it is tried once more: as if it came over one more link, with its own draw.
    pub(crate) fn own_long_hops_to_live(&self) -> HopsToLive {
        let max = self.long_max();
        max.after_hop(self.peers.draw(self.me), max)
    }

    /// The budget with which a peer's fetch is worked on here, and what of it may not be spent here.
    pub(crate) fn budget_from(&self, peer: PeerId, sent: HopsToLive) -> (HopsToLive, u8) {
        let ordinary = self.after_hop_from(peer, sent);
        let max = self.config.hops_to_live_max;
        let Some(peer) = self.peers.peer(peer).filter(|_| sent > max) else {
            return (ordinary, 0);
        };
        let long = sent.after_hop(peer.draw, self.long_max());
        let beyond = long.get().saturating_sub(max.get());
        if u16::from(beyond) <= peer.long_hops {
            (long, 0)
        } else {
            (long.min(max), beyond)
        }
    }

    /// Counts a fetch of a peer that is worked on with the budget `given`.
    pub(crate) fn charge_hops(&mut self, peer: PeerId, sent: HopsToLive, given: HopsToLive) {
        let max = self.config.hops_to_live_max;
        let earned = u16::from(sent.min(max).get()) / self.config.long_share.max(1);
        let spent = given.get().saturating_sub(max.get());
        if let Some(peer) = self.peers.peer_mut(peer) {
            let saved = peer.long_hops.saturating_add(earned);
            peer.long_hops = saved
                .saturating_sub(spent.into())
                .min(self.config.long_hops_max);
        }
    }

    /// Lets a peer make a few long fetches before it has earned any.
    pub(crate) fn give_first_long_hops(&mut self, peer: PeerId) {
        let hops = self.config.long_hops_max / 4;
        if let Some(peer) = self.peers.peer_mut(peer) {
            peer.long_hops = hops;
        }
    }

    /// Whether a found block is cached here, by what is left of the budget. Near where it was asked for it is not, be the
    /// budget an ordinary or a long one.
    pub(crate) fn caches_fetched(&self, hops_to_live: HopsToLive) -> bool {
        let ordinary = self.config.hops_to_live_max;
        let max = if hops_to_live > ordinary {
            self.long_max()
        } else {
            ordinary
        };
        caching::caches_fetched(hops_to_live, max)
    }

    fn long_max(&self) -> HopsToLive {
        self.config
            .hops_to_live_long
            .max(self.config.hops_to_live_max)
    }
}
