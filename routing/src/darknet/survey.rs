//! Looking around: is the own place taken, does anybody arrive at it, and where is there room?
//!
//! Each look is two walks, through friends of which one may be an attacker's. What a node makes of them stands in [`Sights`].

use smallvec::SmallVec;

use super::sights::{Room, Sights};
use super::walks::Reason;
use super::{Darknet, proposal};
use crate::block::Block;
use crate::location::{Distance, Location};
use crate::shared::Shared;
use crate::time::Time;

/// One look around.
#[derive(Debug)]
pub(super) struct Survey {
    /// Walks that have not ended.
    walks: usize,
    sights: Sights,
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
        let friends: Vec<Location> = self.places(shared, None).map(|(_, at)| at).collect();
        let (me, gap) = (shared.me, self.gap);
        let sights = Sights {
            arrivals: SmallVec::new(),
            own: SmallVec::new(),
            better: proposal::better(me, &friends, gap, shared.rng()).map(Room::unseen),
            rooms: proposal::rooms(me, gap, shared.rng()).map(Room::unseen),
        };
        let mut walks = self.look(shared, me, Reason::Arrival);
        walks += self.look(shared, me, Reason::Own);
        for room in sights.rooms.iter().chain(&sights.better) {
            walks += self.look(shared, room.place, Reason::Room);
        }
        self.survey = Some(Survey {
            walks,
            sights,
            ends: shared.now + self.config.look_time,
        });
    }

    /// A walk of the survey has ended: where it went, and who was found there, if anybody was.
    pub(super) fn surveyed<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        reason: Reason,
        found: Option<(Location, Location)>,
    ) {
        let Some(survey) = &mut self.survey else {
            return;
        };
        survey.walks = survey.walks.saturating_sub(1);
        if let Some((target, at)) = found {
            survey.sights.note(shared.me, reason, target, at);
        }
        if survey.walks == 0 {
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
        let Some(Survey { sights, .. }) = self.survey.take() else {
            return;
        };
        let [_, anywhere] = sights.rooms;
        if let Some(distance) = anywhere.nearest {
            self.gap.note(distance);
        }
        let makes_way = shared.one_in(2);
        if let Some(place) = sights.lead_to(self.gap, makes_way)
            && self.swap.is_none()
        {
            self.move_to(shared, place);
        }
    }
}

impl Sights {
    /// A walk to `target` has found a node at `at`. The node may have moved since it sent it.
    fn note(&mut self, me: Location, reason: Reason, target: Location, at: Location) {
        // Looks pass who is exactly there, and a node is not its own neighbour
        let other = (at != target && at != me).then(|| target.distance(at));
        match reason {
            Reason::Arrival if target == me => self.arrivals.push(at == target),
            Reason::Own if target == me => self.own.extend(other),
            Reason::Room => self.note_room(target, other),
            Reason::Arrival | Reason::Own | Reason::Offered | Reason::Holder => {}
        }
    }

    fn note_room(&mut self, place: Location, other: Option<Distance>) {
        let mut rooms = self.rooms.iter_mut().chain(&mut self.better);
        if let Some(room) = rooms.find(|room| room.place == place)
            && let Some(distance) = other
        {
            room.note(distance);
        }
    }
}
