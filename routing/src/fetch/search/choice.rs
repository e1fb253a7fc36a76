//! Whom a search asks next.

use crypto::BlockKey;

use super::Search;
use crate::block::Block;
use crate::event::PeerId;
use crate::fetch::Rank;
use crate::lookahead::NextPeer;
use crate::shared::Shared;

impl Search {
    /// The best peer that was not asked, whether it takes on more or not.
    pub(super) fn next_peer<B: Block>(
        &self,
        shared: &Shared<B>,
        key: &BlockKey,
    ) -> Option<NextPeer> {
        let left = Rank {
            hops_to_live: self.left,
            ..self.rank
        };
        let free = |peer: PeerId| {
            // Whoever began with a rank as high as this search has by now, or higher, would refuse
            let searching = self
                .searching
                .iter()
                .any(|&(id, sent)| id == peer && sent >= left);
            !self.is_waited_for_by(peer) && !searching && !self.asked.contains(&peer)
        };
        if let Some(peer) = shared
            .interests
            .source(key, shared.now)
            .filter(|&peer| free(peer))
        {
            return Some(NextPeer {
                peer,
                by_claim: false,
            });
        }
        let failed = |peer: PeerId| {
            shared
                .recently_failed
                .has_failed(key, peer, self.rank.hops_to_live, shared.now)
        };
        let failed = |peer: PeerId| failed(peer) || self.asked_before.contains(&peer);
        let promising = shared.next_peer(key, |peer, _| free(peer) && !failed(peer));
        let next = promising.or_else(|| shared.next_peer(key, |peer, _| free(peer)))?;
        if next.by_claim || shared.is_closer(next.peer, key) {
            return Some(next);
        }
        // Nobody is closer: the way out of a darknet comes before farther friends
        let way_out = shared.way_out(key, |peer| free(peer) && !failed(peer));
        Some(way_out.map_or(next, |peer| NextPeer {
            peer,
            by_claim: false,
        }))
    }
}
