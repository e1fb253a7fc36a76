//! Walks: from friend to friend that is nearer to a place.

use rand_core::Rng;

use super::message::{Answer, Purpose, SwapMessage, WalkId};
use super::sights::LOOKS;
use super::walks::{Leg, Reason, Role};
use super::{Darknet, Standing, proposal, send};
use crate::block::Block;
use crate::event::PeerId;
use crate::hops_to_live::HopsToLive;
use crate::location::Location;
use crate::shared::Shared;

/// What a walk says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    pub(super) hops: HopsToLive,
    pub(super) target: Location,
    pub(super) purpose: Purpose,
}

impl Darknet {
    /// A walk comes by.
    pub(super) fn walk_arrived<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        from: Leg,
        walk: Walk,
        admitted: bool,
    ) {
        if self.walks.role(from).is_some() {
            return;
        }
        if !admitted {
            let answer = Answer::Nobody;
            send(shared, from.0, SwapMessage::Met { id: from.1, answer });
            return;
        }
        if let Some(next) = self.nearer_friend(shared, from.0, walk) {
            let to = (next, fresh(shared));
            let ends = shared.now + self.config.walk_time;
            self.walks.relay(from, to, ends);
            let hops = walk.hops.less_one();
            Self::send_walk(shared, to, Walk { hops, ..walk });
            return;
        }
        let answer = match walk.purpose {
            Purpose::Swap { .. } if self.standing == Standing::Stays => Answer::Nobody,
            Purpose::Swap { commitment, stage } => {
                self.answer_swap(shared, from, commitment, stage)
            }
            Purpose::Look => self.nearest_known(shared, walk.target),
            Purpose::Find => Answer::Nearest(shared.me),
        };
        send(shared, from.0, SwapMessage::Met { id: from.1, answer });
    }

    /// Something comes over a walk that began, passes or ended here.
    pub(super) fn over_walk<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        leg: Leg,
        message: SwapMessage,
    ) {
        match self.walks.role(leg) {
            None => {}
            Some(Role::Relay { .. }) => {
                if let Some((peer, id)) = self.walks.pass(leg) {
                    send(shared, peer, message.renamed(id));
                }
                if message.is_last() {
                    self.walks.end(leg);
                }
            }
            Some(Role::Swap) => self.over_swap(shared, leg, message),
            Some(Role::Look { target, reason }) => {
                if let SwapMessage::Met { answer, .. } = message {
                    self.walks.end(leg);
                    let found = match answer {
                        Answer::Nearest(at) => Some((target, at)),
                        Answer::Swap { .. } | Answer::Nobody => None,
                    };
                    self.looked(shared, reason, found);
                }
            }
        }
    }

    /// Sends a walk to a place through a random friend. `None` without friends.
    pub(super) fn send_out<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        role: Role,
        target: Location,
        purpose: Purpose,
    ) -> Option<Leg> {
        let friends: Vec<PeerId> = self.friends.keys().copied().collect();
        let first = *proposal::pick(&friends, shared.rng())?;
        let leg = (first, fresh(shared));
        self.walks
            .begin(leg, role, shared.now + self.config.walk_time);
        let hops = self.config.walk_hops;
        Self::send_walk(
            shared,
            leg,
            Walk {
                hops,
                target,
                purpose,
            },
        );
        Some(leg)
    }

    /// Looks at a place through two random friends. How many looks are under way then.
    pub(super) fn look<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        target: Location,
        reason: Reason,
    ) -> usize {
        let purpose = match reason {
            Reason::Offered | Reason::Own | Reason::Room => Purpose::Look,
            Reason::Holder | Reason::Arrival => Purpose::Find,
        };
        let role = Role::Look { target, reason };
        (0..LOOKS)
            .filter_map(|_| self.send_out(shared, role, target, purpose))
            .count()
    }

    /// A look has ended: where it went, and where the node is that it found, if it found any.
    pub(super) fn looked<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        reason: Reason,
        found: Option<(Location, Location)>,
    ) {
        match reason {
            Reason::Offered => {
                // This node may be the nearest itself
                let me = shared.me;
                let nearest = found.filter(|&(target, at)| at != target && at != me);
                let nearest = nearest.map(|(target, at)| target.distance(at));
                self.place_looked_at(shared, nearest);
            }
            Reason::Holder => {
                let held = found.is_some_and(|(target, at)| target == at);
                self.holder_looked_for(shared, held);
            }
            Reason::Own | Reason::Arrival | Reason::Room => self.surveyed(shared, reason, found),
        }
    }

    fn send_walk<B: Block>(shared: &mut Shared<B>, (to, id): Leg, walk: Walk) {
        let Walk {
            hops,
            target,
            purpose,
        } = walk;
        let walk = SwapMessage::Walk {
            id,
            hops,
            target,
            purpose,
        };
        send(shared, to, walk);
    }

    /// The friend that a walk goes on to: the nearest to the target, if that is nearer than this node. A look passes whoever
    /// is exactly at the target, and who looks for a swap passes those that cannot.
    fn nearer_friend<B: Block>(
        &self,
        shared: &Shared<B>,
        from: PeerId,
        walk: Walk,
    ) -> Option<PeerId> {
        if walk.hops == HopsToLive::ZERO {
            return None;
        }
        let passes = walk.purpose == Purpose::Look;
        let counts = |location: Location| !passes || location != walk.target;
        let (friend, location) = self
            .places(shared, Some(from))
            .filter(|&(_, location)| counts(location))
            .min_by_key(|&(peer, location)| (location.distance(walk.target), peer))?;
        let nearer = location.distance(walk.target) < shared.me.distance(walk.target);
        let swaps = matches!(walk.purpose, Purpose::Swap { .. });
        let cannot = swaps && self.standing == Standing::Stays;
        (nearer || cannot || !counts(shared.me)).then_some(friend)
    }

    fn nearest_known<B: Block>(&self, shared: &Shared<B>, target: Location) -> Answer {
        self.places(shared, None)
            .map(|(_, location)| location)
            .chain([shared.me])
            .filter(|&location| location != target)
            .min_by_key(|location| location.distance(target))
            .map_or(Answer::Nobody, Answer::Nearest)
    }
}

fn fresh<B: Block>(shared: &mut Shared<B>) -> WalkId {
    WalkId(shared.rng().next_u64())
}
