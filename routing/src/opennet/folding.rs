//! Better links from requests that succeed.
//!
//! Who has a block invites one of the nodes on the way back to become its peer. Requests end near their keys, so links
//! to where they end are what makes the network a small world (Sandberg's thesis, algorithm 2.5).

use rand_core::Rng as _;

use super::Opennet;
use super::message::{Invitation, Ticket, Token};
use super::places::Verdict;
use crate::block::Block;
use crate::event::PeerId;
use crate::message::RequestId;
use crate::requests::Operation;
use crate::shared::Shared;

impl Opennet {
    /// The node's own invitation for whoever asked for a block that it has.
    pub(crate) fn fold_of_own<B: Block>(&mut self, shared: &mut Shared<B>) -> Option<Invitation> {
        let open = self.adopted_len() < self.limit(shared) || self.may_drop(shared);
        if !open || self.config.fold_probability == 0.0 {
            return None;
        }
        self.invite(shared)
    }

    /// Somebody who had a block, or somebody on the way, would be the peer of one node on the way.
    pub(super) fn fold_offered<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        request: RequestId,
        invitation: Invitation,
    ) {
        let asked = shared.requests.asked(from, request);
        if asked.is_some_and(|target| target.operation == Operation::Fetch) {
            if self.folds.len() >= FOLDS_MAX {
                self.folds.pop_first();
            }
            self.folds.insert((from, request), invitation);
        }
    }

    /// The answer to a request came. The invitation that came before it, if any, is to be dealt with now or never.
    pub(crate) fn take_fold(&mut self, from: PeerId, request: RequestId) -> Option<Invitation> {
        self.folds.remove(&(from, request))
    }

    /// Takes an invitation, or gives what is to be passed on in its place.
    pub(crate) fn fold_passes<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        invitation: Invitation,
    ) -> Option<Invitation> {
        if shared.chance(self.config.fold_probability) {
            let contact = &invitation.contact;
            let verdict = self.verdict(shared, &contact.node, contact.location());
            let welcome = !matches!(verdict, Verdict::No);
            if welcome
                && self.dial(
                    shared,
                    invitation.contact.clone(),
                    Ticket::Invited(invitation.token),
                )
            {
                return None;
            }
        }
        if shared.chance(self.config.fold_reset_probability) {
            return self.fold_of_own(shared).or(Some(invitation));
        }
        Some(invitation)
    }

    /// A fresh invitation, if this node can be reached.
    pub(super) fn invite<B: Block>(&mut self, shared: &mut Shared<B>) -> Option<Invitation> {
        let contact = self.me.clone()?;
        let token = Token(shared.rng().next_u64());
        let until = shared.now + self.config.invitation_life;
        self.invitations
            .issue(token, until, self.config.invitations_max);
        self.wake_by(until);
        Some(Invitation { contact, token })
    }

    /// Forgets what came over a link that is gone.
    pub(super) fn forget_folds(&mut self, peer: PeerId) {
        self.folds.retain(|&(from, _), _| from != peer);
    }
}

/// Blocks follow at once, so that few wait. What waits in vain makes room at the bound.
const FOLDS_MAX: usize = 256;
