//! Looking around: is the own place taken, and where is there room?
//!
//! Swaps keep the places as they are, as long as everybody is honest. Attackers that keep their place and give it away again
//! and again double some places and lose others. A node that finds another too near to its own place, by looks through two friends
//! (one may be an attacker's), goes to the emptier of two random places, one time in two: the other node may go as well. It
//! swaps its way back to its friends from there.

use smallvec::SmallVec;

use super::walks::Reason;
use super::{Darknet, proposal};
use crate::block::Block;
use crate::location::{Distance, Location};
use crate::shared::Shared;
use crate::time::Time;

/// What a node has seen on one look around.
#[derive(Debug)]
pub(super) struct Survey {
    /// Looks that have not been answered.
    looks: usize,
    /// From the own place to the nearest other node.
    own: SmallVec<[Distance; 2]>,
    /// Where it may go, and from each place to the nearest node.
    rooms: [(Location, Option<Distance>); 2],
    ends: Time,
}

impl Survey {
    pub(super) const fn ends(&self) -> Time {
        self.ends
    }
}

impl Darknet {
    pub(super) fn begin_survey<B: Block>(&mut self, shared: &mut Shared<B>) {
        if self.survey.is_some() {
            return;
        }
        let rooms = proposal::rooms(shared.me, self.gap, shared.rng()).map(|place| (place, None));
        let mut looks = self.look(shared, shared.me, Reason::Own);
        for &(place, _) in &rooms {
            looks += self.look(shared, place, Reason::Room);
        }
        self.survey = Some(Survey {
            looks,
            own: SmallVec::new(),
            rooms,
            ends: shared.now + self.config.look_time,
        });
    }

    /// A look of the survey has ended.
    pub(super) fn surveyed<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        reason: Reason,
        found: Option<(Location, Location)>,
    ) {
        let Some(survey) = &mut self.survey else {
            return;
        };
        survey.looks = survey.looks.saturating_sub(1);
        if let Some((target, at)) = found.filter(|(target, at)| target != at) {
            let distance = target.distance(at);
            // The node may have moved since it looked
            if reason == Reason::Own && target == shared.me {
                survey.own.push(distance);
            } else if let Some((_, nearest)) =
                survey.rooms.iter_mut().find(|(place, _)| *place == target)
            {
                *nearest = Some(nearest.map_or(distance, |nearest| nearest.min(distance)));
            }
        }
        if survey.looks == 0 {
            self.end_survey(shared);
        }
    }

    pub(super) fn survey_timed_out<B: Block>(&mut self, shared: &mut Shared<B>) {
        if self
            .survey
            .as_ref()
            .is_some_and(|survey| survey.ends <= shared.now)
        {
            self.end_survey(shared);
        }
    }

    fn end_survey<B: Block>(&mut self, shared: &mut Shared<B>) {
        let Some(survey) = self.survey.take() else {
            return;
        };
        let [_, anywhere] = survey.rooms;
        if let Some(distance) = anywhere.1 {
            self.gap.note(distance);
        }
        let gap = self.gap;
        let taken = survey.own.len() >= OWN_LOOKS_MIN
            && survey.own.iter().all(|&nearest| gap.is_crowded(nearest));
        if let Some(place) = proposal::free_room(gap, survey.rooms)
            && taken
            && self.swap.is_none()
            && shared.one_in(2)
        {
            self.move_to(shared, place);
        }
    }
}

/// Fewer looks at the own place do not count: one alone may be an attacker's lie.
const OWN_LOOKS_MIN: usize = 2;
