//! Blocks that come to rest in a darknet are sent out of it as well.

use crypto::BlockKey;

use super::placement::Placement;
use crate::block::Block;
use crate::hops_to_live::HopsToLive;
use crate::message::InsertStage;
use crate::shared::Shared;

impl<B: Block> Placement<B> {
    /// Offers the block to the next friend by whom it gets out of the darknet, if it should and there is one.
    pub(super) fn sends_out(&mut self, shared: &mut Shared<B>, key: BlockKey) -> bool {
        let hops_to_live = self.out.filter(|&hops| hops != HopsToLive::ZERO);
        let way = hops_to_live.zip(shared.way_out(&key, |peer| self.is_free(peer)));
        let Some((hops_to_live, peer)) = way else {
            self.out = None;
            return false;
        };
        self.asked_out = Some(peer);
        self.offer(shared, key, peer, InsertStage::Outward(hops_to_live));
        true
    }

    /// A peer wanted this node to send the block out, which is being placed here: when the peers that were asked have answered.
    pub(super) fn send_out_later(&mut self, hops_to_live: HopsToLive) {
        if self.inside {
            self.out = Some(hops_to_live);
        }
    }
}

/// What an offer means here: out of a darknet leads nothing where there is no way out, or none is needed.
pub(super) fn stage_here<B: Block>(shared: &Shared<B>, stage: InsertStage) -> InsertStage {
    match stage {
        InsertStage::Inside(hops) | InsertStage::Outward(hops) if shared.outward.is_empty() => {
            InsertStage::Seek(hops)
        }
        InsertStage::Seek(_)
        | InsertStage::Inside(_)
        | InsertStage::Outward(_)
        | InsertStage::Replicate(_)
        | InsertStage::Repair => stage,
    }
}
