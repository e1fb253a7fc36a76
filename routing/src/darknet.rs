//! The darknet: nodes that are linked with friends only, and find places on the ring that suit those links.
//!
//! A node is asked to be near its friends, so that requests that go to nearer and nearer friends arrive. It gets there by
//! *swaps* of places with nodes that it meets on *walks*, and it *surveys* the ring now and then, so that places that
//! attackers, or crashes, have doubled or emptied are evened out. `docs/ROUTING.md` has the rules with their reasons. What is
//! decided is decided by the functions of [`decision`], [`drift`], [`gap`], [`proposal`] and [`sights`], which know no messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::block::Block;
use crate::event::{Action, Class, PeerId};
use crate::location::Location;
use crate::message::Message;
use crate::opennet::rate::{Allowance, Rate};
use crate::shared::Shared;
use crate::time::Time;
use config::DarknetConfig;
use decision::Stage;
use drift::{Drift, Surroundings};
use gap::Gap;
use message::SwapMessage;
use survey::Survey;
use swap::Swap;
use walks::{Role, Walks};

pub(crate) mod config;
pub(crate) mod decision;
pub(crate) mod drift;
pub(crate) mod gap;
mod logarithm;
pub(crate) mod message;
mod outward;
pub(crate) mod proposal;
pub(crate) mod sights;
mod survey;
mod swap;
mod walking;
mod walks;

/// The search of one node for its place.
#[derive(Debug)]
pub(crate) struct Darknet {
    config: Arc<DarknetConfig>,
    standing: Standing,
    /// Rounds since the router was made.
    rounds: u32,
    surroundings: Surroundings,
    gap: Gap,
    friends: BTreeMap<PeerId, Friend>,
    walks: Walks,
    /// The swap that this node takes part in: one at a time.
    swap: Option<Swap>,
    survey: Option<Survey>,
    /// How often a settled node answers those who look for a swap.
    answers: Allowance,
    /// When the next round begins; none without friends.
    next_round: Option<Time>,
}

/// Whether a node may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has friends only.
    Swaps,
    /// Strangers know it at the place that its identity decides. It hears where its friends are, and passes their walks on.
    Stays,
}

#[derive(Debug)]
struct Friend {
    drift: Drift,
    /// From it to a node with strangers.
    steps_out: u8,
    walks: Allowance,
    places: Allowance,
}

impl Darknet {
    pub(crate) fn new(config: Arc<DarknetConfig>, standing: Standing) -> Self {
        Self {
            standing,
            rounds: 0,
            surroundings: Surroundings::default(),
            gap: Gap::START,
            friends: BTreeMap::new(),
            walks: Walks::default(),
            swap: None,
            survey: None,
            answers: Allowance::default(),
            next_round: None,
            config,
        }
    }

    /// A friend is there.
    pub(crate) fn friend_up<B: Block>(&mut self, shared: &mut Shared<B>, peer: PeerId) {
        let friend = Friend {
            drift: Drift::default(),
            steps_out: outward::NO_WAY,
            walks: Allowance::default(),
            places: Allowance::default(),
        };
        self.friends.insert(peer, friend);
        self.tell_place(shared, peer);
        if self.standing == Standing::Swaps && self.next_round.is_none() {
            self.plan_round(shared);
        }
    }

    /// A friend is gone.
    pub(crate) fn friend_down<B: Block>(&mut self, shared: &mut Shared<B>, peer: PeerId) {
        self.friends.remove(&peer);
        self.note_ways_out(shared);
        for (_, role) in self.walks.lose(peer) {
            match role {
                Role::Relay { .. } => {}
                Role::Swap => self.swap = None,
                Role::Look { reason, .. } => self.looked(shared, reason, None),
            }
        }
        if self.friends.is_empty() {
            self.next_round = None;
        }
    }

    /// A friend says something about places.
    pub(crate) fn handle<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        message: SwapMessage,
    ) {
        let Some(friend) = self.friends.get_mut(&from) else {
            return;
        };
        match message {
            SwapMessage::Place {
                location,
                drift,
                steps_out,
            } => {
                let rate = Rate {
                    burst: self.config.places_burst,
                    each: self.config.places_each,
                };
                if friend.places.take(rate, shared.now) {
                    friend.drift = drift;
                    let known = std::mem::replace(&mut friend.steps_out, steps_out);
                    if known != steps_out {
                        self.note_ways_out(shared);
                    }
                    if shared.peers.move_to(from, location) {
                        shared.neighbours_changed();
                    }
                }
            }
            SwapMessage::Walk {
                id,
                hops,
                target,
                purpose,
            } => {
                let rate = Rate {
                    burst: self.config.walks_burst,
                    each: self.config.walks_each,
                };
                let admitted = friend.walks.take(rate, shared.now)
                    && self.walks.len() + 2 <= self.config.walks_max;
                self.walk_arrived(
                    shared,
                    (from, id),
                    walking::Walk {
                        hops,
                        target,
                        purpose,
                    },
                    admitted,
                );
            }
            SwapMessage::Met { id, .. }
            | SwapMessage::Show { id, .. }
            | SwapMessage::Shown { id, .. }
            | SwapMessage::Concluded { id, .. } => self.over_walk(shared, (from, id), message),
        }
    }

    /// Does what is due.
    pub(crate) fn timed_out<B: Block>(&mut self, shared: &mut Shared<B>) {
        self.walks.expire(shared.now);
        self.swap_timed_out(shared);
        self.survey_timed_out(shared);
        if self.next_round.is_some_and(|due| due <= shared.now) {
            self.round(shared);
        }
    }

    pub(crate) fn next_timeout(&self) -> Option<Time> {
        let swap = self.swap.as_ref().map(Swap::next_timeout);
        let survey = self.survey.as_ref().map(Survey::ends);
        let all = [self.walks.next_end(), swap, survey, self.next_round];
        all.into_iter().flatten().min()
    }

    /// Whether it has done with drifting.
    pub(crate) fn is_settled(&self) -> bool {
        self.standing == Standing::Stays || self.stage() == Stage::Settle
    }

    /// How this node decides now.
    fn stage(&self) -> Stage {
        match self.config.stage {
            Stage::Drift if self.rounds <= self.config.drift_rounds => Stage::Drift,
            Stage::Drift | Stage::Settle => Stage::Settle,
        }
    }

    /// Whether it learns where its surroundings are before it goes there.
    fn is_spreading(&self) -> bool {
        self.stage() == Stage::Drift && self.rounds.max(1) <= self.config.spread_rounds
    }

    /// Looks for a better place, or whether the present one is free.
    fn round<B: Block>(&mut self, shared: &mut Shared<B>) {
        self.plan_round(shared);
        self.rounds = self.rounds.saturating_add(1);
        let among = self.friends.iter().filter_map(|(&peer, friend)| {
            let known = shared.peers.peer(peer)?;
            Some((known.location, friend.drift))
        });
        self.surroundings = match self.stage() {
            Stage::Drift => {
                let round = (self.rounds, self.config.spread_rounds);
                self.surroundings.after(round, shared.me, among)
            }
            Stage::Settle => Surroundings::among(among),
        };
        self.tell_all(shared);
        if self.is_spreading() {
            return;
        }
        if self.stage() == Stage::Settle && shared.one_in(self.config.survey_rounds) {
            self.begin_survey(shared);
        } else if self.swap.is_none() && self.survey.is_none() {
            self.ask_for_swap(shared);
        }
    }

    fn plan_round<B: Block>(&mut self, shared: &mut Shared<B>) {
        self.next_round = Some(shared.now + shared.half_or_more(self.config.interval));
    }

    /// Goes to another place.
    fn move_to<B: Block>(&mut self, shared: &mut Shared<B>, location: Location) {
        shared.me = location;
        shared.actions.push_back(Action::Moved { location });
        self.tell_all(shared);
    }

    fn tell_all<B: Block>(&self, shared: &mut Shared<B>) {
        for &peer in self.friends.keys() {
            self.tell_place(shared, peer);
        }
    }

    fn tell_place<B: Block>(&self, shared: &mut Shared<B>, to: PeerId) {
        let place = SwapMessage::Place {
            location: shared.me,
            drift: self.surroundings.drift(),
            steps_out: self.steps_out(),
        };
        send(shared, to, place);
    }

    /// Where the friends are, except `without`.
    fn places<'a, B: Block>(
        &'a self,
        shared: &'a Shared<B>,
        without: Option<PeerId>,
    ) -> impl Iterator<Item = (PeerId, Location)> + Clone + 'a {
        self.friends.keys().filter_map(move |&peer| {
            let known = shared.peers.peer(peer)?;
            (Some(peer) != without).then_some((peer, known.location))
        })
    }
}

fn send<B: Block>(shared: &mut Shared<B>, to: PeerId, message: SwapMessage) {
    shared.send(to, Message::Swap(message), Class::Bulk);
}

#[cfg(test)]
mod tests;
