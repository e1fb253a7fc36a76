//! One swap of places, from either side.
//!
//! ```text
//! asker     Walk(commitment) >>>                         ...... checks ......   Concluded >>>  moves
//! answerer                       <<< Met(commitment)            <<< Shown(opening, consent)          moves
//! asker                              Show(opening) >>>
//! ```
//! The answerer says whether it consents before it knows whether the asker does. Each side looks at the other's place before it
//! consents: somebody else may be there. And the answerer, to whom anybody may come with any place, looks whether the asker is
//! found where it says that it is: an attacker has no friends there that would send a walk to it. Where `Concluded` is lost two
//! nodes have one place, until one of them moves on: looks pass who is exactly there, since before a swap that is the other side.

use rand_core::Rng;

use super::decision::{Coin, Commitment, Opening, Stage, consents, drift_together};
use super::message::{Answer, Consent, Purpose, SwapMessage};
use super::proposal::{self, Aim};
use super::walks::{Leg, Reason, Role};
use super::{Darknet, send};
use crate::block::Block;
use crate::location::{Distance, Location};
use crate::opennet::rate::Rate;
use crate::shared::Shared;
use crate::time::Time;

/// The swap that a node takes part in.
#[derive(Debug)]
pub(super) struct Swap {
    /// The walk that it goes over.
    leg: Leg,
    side: Side,
    own: Opening,
    /// What the other side has committed to, once that is known.
    committed: Option<Commitment>,
    /// What the other side has shown, once it has.
    theirs: Option<Opening>,
    stage: Stage,
    /// The looks at the other's place that have not been answered, while this node makes up its mind.
    looks: usize,
    /// Whether the other side was found where it says that it is, or need not be.
    held: bool,
    /// When the looks are over.
    decides: Option<Time>,
    /// When the whole swap is.
    ends: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// This node asked, and sent its walk to this place.
    Asker { aim: Aim },
    /// The walk ended here.
    Answerer,
}

impl Swap {
    pub(super) fn next_timeout(&self) -> Time {
        self.decides
            .map_or(self.ends, |decides| decides.min(self.ends))
    }
}

impl Darknet {
    /// Looks for somebody to swap with.
    pub(super) fn ask_for_swap<B: Block>(&mut self, shared: &mut Shared<B>) {
        let stage = self.stage();
        let friends: Vec<Location> = self.places(shared, None).map(|(_, at)| at).collect();
        let drift = self.surroundings.drift();
        let aim = proposal::target(stage, &friends, drift, self.gap, shared.rng());
        let Some(aim) = aim else {
            return;
        };
        let own = self.opening(shared);
        let commitment = own.commitment();
        let purpose = Purpose::Swap { commitment, stage };
        if let Some(leg) = self.send_out(shared, Role::Swap, aim.place(), purpose) {
            let side = Side::Asker { aim };
            self.swap = Some(self.swap_over(shared, leg, side, own, stage));
        }
    }

    /// A walk that looks for somebody to swap with ends here.
    pub(super) fn answer_swap<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        leg: Leg,
        commitment: Commitment,
        stage: Stage,
    ) -> Answer {
        let rate = Rate {
            burst: self.config.answers_burst,
            each: self.config.answers_each,
        };
        if self.swap.is_some()
            || self.is_spreading()
            || (self.stage() == Stage::Settle && !self.answers.take(rate, shared.now))
        {
            return Answer::Nobody;
        }
        let stage = match (stage, self.stage()) {
            (Stage::Drift, Stage::Drift) => Stage::Drift,
            (Stage::Drift | Stage::Settle, Stage::Settle) | (Stage::Settle, Stage::Drift) => {
                Stage::Settle
            }
        };
        let own = self.opening(shared);
        self.walks
            .begin(leg, Role::Swap, shared.now + self.config.walk_time);
        let swap = self.swap_over(shared, leg, Side::Answerer, own, stage);
        self.swap = Some(Swap {
            committed: Some(commitment),
            ..swap
        });
        Answer::Swap {
            commitment: own.commitment(),
            stage,
        }
    }

    /// The other side says something. What does not fit the state ends the swap.
    pub(super) fn over_swap<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        leg: Leg,
        message: SwapMessage,
    ) {
        let Some(swap) = self.swap.as_mut().filter(|swap| swap.leg == leg) else {
            return;
        };
        match (swap.side, message) {
            (Side::Asker { .. }, SwapMessage::Met { answer, .. }) if swap.committed.is_none() => {
                let Answer::Swap { commitment, stage } = answer else {
                    self.end_swap();
                    return;
                };
                swap.committed = Some(commitment);
                // Who has settled does not drift because another says so
                if swap.stage == Stage::Drift {
                    swap.stage = stage;
                }
                let show = SwapMessage::Show {
                    id: leg.1,
                    opening: swap.own,
                };
                send(shared, leg.0, show);
            }
            (Side::Answerer, SwapMessage::Show { opening, .. }) if swap.theirs.is_none() => {
                self.shown(shared, opening, Consent::Given);
            }
            (
                Side::Asker { .. },
                SwapMessage::Shown {
                    opening, consent, ..
                },
            ) if swap.theirs.is_none() => {
                self.shown(shared, opening, consent);
            }
            (Side::Answerer, SwapMessage::Concluded { consent, .. }) => {
                let theirs = swap.theirs.filter(|_| swap.decides.is_none());
                self.end_swap();
                if let Some(theirs) = theirs
                    && consent == Consent::Given
                {
                    self.move_to(shared, theirs.location);
                }
            }
            (
                Side::Asker { .. } | Side::Answerer,
                SwapMessage::Place { .. }
                | SwapMessage::Walk { .. }
                | SwapMessage::Met { .. }
                | SwapMessage::Show { .. }
                | SwapMessage::Shown { .. }
                | SwapMessage::Concluded { .. },
            ) => self.end_swap(),
        }
    }

    /// One look at the other's place has ended.
    pub(super) fn place_looked_at<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        nearest: Option<Distance>,
    ) {
        let Some(swap) = self.swap.as_mut().filter(|swap| swap.decides.is_some()) else {
            return;
        };
        swap.looks = swap.looks.saturating_sub(1);
        if nearest.is_some_and(|nearest| self.gap.is_taken(nearest)) {
            self.conclude(shared, Consent::Refused);
        } else if swap.looks == 0 {
            let consent = Consent::from(swap.held);
            self.conclude(shared, consent);
        }
    }

    /// One look for the other at its place has ended.
    pub(super) fn holder_looked_for<B: Block>(&mut self, shared: &mut Shared<B>, held: bool) {
        if let Some(swap) = self.swap.as_mut().filter(|swap| swap.decides.is_some()) {
            swap.held |= held;
            self.place_looked_at(shared, None);
        }
    }

    pub(super) fn swap_timed_out<B: Block>(&mut self, shared: &mut Shared<B>) {
        let Some(swap) = &self.swap else {
            return;
        };
        if swap.ends <= shared.now {
            self.end_swap();
        } else if swap.decides.is_some_and(|decides| decides <= shared.now) {
            let consent = Consent::from(swap.held);
            self.conclude(shared, consent);
        }
    }

    /// The other side's opening is here: this node makes up its mind.
    fn shown<B: Block>(&mut self, shared: &mut Shared<B>, theirs: Opening, consent: Consent) {
        let Some(swap) = &mut self.swap else {
            return;
        };
        if swap.committed != Some(theirs.commitment()) {
            self.end_swap();
            return;
        }
        swap.theirs = Some(theirs);
        let (own, stage, side) = (swap.own, swap.stage, swap.side);
        let willing = match side {
            Side::Asker { aim } => {
                let on_target = self.gap.is_on_target(aim.place(), theirs.location);
                if let Aim::Anywhere(place) = aim {
                    self.gap.note(place.distance(theirs.location));
                }
                let coins = Coin::both(&own, &theirs);
                consent == Consent::Given
                    && (stage == Stage::Drift || on_target)
                    && self.wants(shared, stage, coins[0], theirs)
            }
            Side::Answerer => {
                let coins = Coin::both(&theirs, &own);
                self.wants(shared, stage, coins[1], theirs)
            }
        };
        if !willing {
            self.conclude(shared, Consent::Refused);
        } else if stage == Stage::Drift {
            self.conclude(shared, Consent::Given);
        } else {
            self.look_before_leaping(shared, theirs.location);
        }
    }

    fn wants<B: Block>(
        &self,
        shared: &Shared<B>,
        stage: Stage,
        coin: Coin,
        theirs: Opening,
    ) -> bool {
        match stage {
            Stage::Drift => {
                let own = (shared.me, self.surroundings.drift());
                drift_together(own, (theirs.location, theirs.drift))
            }
            Stage::Settle => {
                let friends = self.places(shared, None).map(|(_, at)| at);
                consents(coin, self.gap, shared.me, theirs.location, friends)
            }
        }
    }

    fn look_before_leaping<B: Block>(&mut self, shared: &mut Shared<B>, place: Location) {
        let decides = shared.now + self.config.look_time;
        let asked = matches!(&self.swap, Some(swap) if swap.side == Side::Answerer);
        let finds_holder = asked && self.rounds > self.config.holder_rounds;
        let mut looks = self.look(shared, place, Reason::Offered);
        if finds_holder {
            looks += self.look(shared, place, Reason::Holder);
        }
        if let Some(swap) = &mut self.swap {
            swap.decides = Some(decides);
            swap.looks = looks;
            swap.held = !finds_holder;
        }
    }

    /// This node has made up its mind. The asker's word is the last.
    fn conclude<B: Block>(&mut self, shared: &mut Shared<B>, consent: Consent) {
        let Some(swap) = &mut self.swap else {
            return;
        };
        swap.decides = None;
        let (to, id) = swap.leg;
        let theirs = swap.theirs;
        match swap.side {
            Side::Answerer => {
                let opening = swap.own;
                let shown = SwapMessage::Shown {
                    id,
                    opening,
                    consent,
                };
                send(shared, to, shown);
                if consent == Consent::Refused {
                    self.end_swap();
                }
            }
            Side::Asker { .. } => {
                send(shared, to, SwapMessage::Concluded { id, consent });
                self.end_swap();
                if let (Consent::Given, Some(theirs)) = (consent, theirs) {
                    self.move_to(shared, theirs.location);
                }
            }
        }
    }

    fn end_swap(&mut self) {
        if let Some(swap) = self.swap.take() {
            self.walks.end(swap.leg);
        }
    }

    fn opening<B: Block>(&self, shared: &mut Shared<B>) -> Opening {
        let mut nonce = [0; 16];
        shared.rng().fill_bytes(&mut nonce);
        Opening {
            nonce,
            location: shared.me,
            drift: self.surroundings.drift(),
        }
    }

    fn swap_over<B: Block>(
        &self,
        shared: &Shared<B>,
        leg: Leg,
        side: Side,
        own: Opening,
        stage: Stage,
    ) -> Swap {
        Swap {
            leg,
            side,
            own,
            committed: None,
            theirs: None,
            stage,
            looks: 0,
            held: true,
            decides: None,
            ends: shared.now + self.config.walk_time,
        }
    }
}
