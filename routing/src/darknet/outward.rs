//! Where the way out is: to the nearest node that has strangers as peers, too.
//!
//! A few friends behind one node that takes part in the opennet are a small network of their own: a block that one of them
//! publishes would come to rest with the one of them that is closest to the key, where nobody else ever looks. So
//! friends tell each other how many steps it is to such a node, and where nobody is closer a node sends the block out, too, and
//! looks there first when it fetches. Who lies about it sees what is sent out, and can keep it back, as any peer can that is
//! asked; a copy stays where the block came to rest.

use super::{Darknet, Standing};
use crate::block::Block;
use crate::shared::Shared;

/// So many steps from friend to friend, or more, are no way out: requests do not go farther.
pub(crate) const NO_WAY: u8 = 18;

impl Darknet {
    /// How many steps it is from here: none if this node has strangers as peers.
    pub(super) fn steps_out(&self) -> u8 {
        match self.standing {
            Standing::Stays => 0,
            Standing::Swaps => self.friends_steps_out().saturating_add(1).min(NO_WAY),
        }
    }

    /// Friends came, went, or know other ways.
    pub(super) fn note_ways_out<B: Block>(&self, shared: &mut Shared<B>) {
        let least = self.friends_steps_out();
        let leads_out = self.standing == Standing::Swaps && least < NO_WAY;
        let nearest = self
            .friends
            .iter()
            .filter(|(_, friend)| leads_out && friend.steps_out == least);
        shared.outward = nearest.map(|(&peer, _)| peer).collect();
    }

    fn friends_steps_out(&self) -> u8 {
        let steps = self.friends.values().map(|friend| friend.steps_out);
        steps.min().unwrap_or(NO_WAY)
    }
}
