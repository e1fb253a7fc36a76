//! One circuit of the node's own.

use std::collections::BTreeMap;
use std::time::Duration;

use crypto::onion::{CircuitKeys, Handshake};
use smallvec::SmallVec;

use super::anonymity::{Group, Level};
use super::command::Ask;
use super::comparing::Looking;
use super::list::{NeighbourList, RelayName};
use super::message::CircuitId;
use crate::event::{LocalId, PeerId};
use crate::time::Time;

/// A circuit that this node began.
#[derive(Debug)]
pub(super) struct Circuit {
    /// The first relay.
    pub(super) guard: PeerId,
    /// The circuit's name on the link to it.
    pub(super) link: CircuitId,
    pub(super) level: Level,
    /// How many hops it should get.
    pub(super) wished: u8,
    /// The relays with which keys are agreed on, nearest first.
    pub(super) relays: SmallVec<[RelayName; 8]>,
    /// None until the first relay has answered.
    pub(super) keys: Option<CircuitKeys>,
    pub(super) growing: Growing,
    /// What the end says of its neighbours, once that is known.
    pub(super) list: Option<NeighbourList>,
    /// The list of the relay that was asked, where it has overtaken its answer.
    pub(super) early: Option<NeighbourList>,
    /// Relays behind the end that did not answer.
    pub(super) refused: SmallVec<[RelayName; 2]>,
    /// Of the next cell to the end.
    pub(super) number: u32,
    /// From which number on the end answers.
    pub(super) answer_from: u32,
    /// The highest number of an answer so far.
    pub(super) heard_number: u32,
    pub(super) born: Time,
    /// It takes no new requests from then on.
    pub(super) until: Time,
    /// When the step of building that runs began.
    pub(super) step_from: Time,
    /// How long the one before it took.
    pub(super) step_took: Duration,
    /// When the step of building that runs should be over.
    pub(super) step_until: Time,
    pub(super) purpose: Purpose,
    /// How many requests it was given.
    pub(super) dealt: u32,
    /// Whether the end did anything that it was asked for.
    pub(super) useful: bool,
    /// When something last came back.
    pub(super) heard: Time,
    /// It takes no more requests, and ends with its last one.
    pub(super) retired: bool,
    /// Its end was asked for the lists of its peers.
    pub(super) looking: Option<Looking>,
    pub(super) running: BTreeMap<Ask, LocalId>,
    next_ask: u32,
}

/// What becomes of the circuit's length.
#[derive(Debug)]
pub(super) enum Growing {
    /// A relay was asked.
    Asked {
        handshake: Box<Handshake>,
        name: RelayName,
    },
    /// The list of the end is awaited, to choose the next from.
    NeedsList,
    /// It is as long as it should be, or as it can be.
    Done,
}

/// For what it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// Nothing yet.
    Spare,
    /// What a group is found by.
    Top(Group),
    /// The rest of a group.
    Parts(Group),
}

impl Circuit {
    /// A circuit whose first relay was asked.
    pub(super) fn new(
        (guard, link): (PeerId, CircuitId),
        (level, wished): (Level, u8),
        growing: Growing,
        (number, answer_from): (u32, u32),
        now: Time,
        (step_until, until): (Time, Time),
    ) -> Self {
        Self {
            guard,
            link,
            level,
            wished,
            relays: SmallVec::new(),
            keys: None,
            growing,
            list: None,
            early: None,
            refused: SmallVec::new(),
            number,
            answer_from,
            heard_number: answer_from,
            born: now,
            until,
            step_from: now,
            step_took: Duration::ZERO,
            step_until,
            purpose: Purpose::Spare,
            dealt: 0,
            useful: false,
            heard: now,
            retired: false,
            looking: None,
            running: BTreeMap::new(),
            next_ask: 0,
        }
    }

    /// Whether it can carry requests.
    pub(super) const fn is_ready(&self) -> bool {
        matches!(self.growing, Growing::Done) && !self.retired
    }

    pub(super) const fn is_growing(&self) -> bool {
        !matches!(self.growing, Growing::Done)
    }

    pub(super) fn is_spare(&self, level: Level) -> bool {
        self.is_ready() && self.purpose == Purpose::Spare && self.level == level
    }

    /// A step of building is over. Gives how much longer it took than the one before it.
    pub(super) fn stepped(&mut self, now: Time) -> Duration {
        let took = now.since(self.step_from);
        let before = std::mem::replace(&mut self.step_took, took);
        took.saturating_sub(before)
    }

    /// Whether nothing ever went over it, although it could have.
    pub(super) fn is_unused(&self) -> bool {
        self.is_ready() && self.purpose == Purpose::Spare && self.dealt == 0
    }

    /// When something is due: a step of building is late, the circuit is old, or its end has answered for the last time.
    pub(super) fn next_due(&self) -> Option<Time> {
        if self.is_growing() {
            Some(self.step_until)
        } else if let Some(looking) = &self.looking {
            Some(looking.until())
        } else {
            (!self.retired).then_some(self.until)
        }
    }

    /// All relays that are to do with it, the one that was asked last included.
    pub(super) fn involved(&self) -> SmallVec<[RelayName; 8]> {
        let mut all = self.relays.clone();
        if let Growing::Asked { name, .. } = &self.growing {
            all.push(*name);
        }
        all
    }

    /// A request goes over it under this name.
    pub(super) fn take(&mut self, id: LocalId) -> Ask {
        let ask = Ask(self.next_ask);
        self.next_ask = self.next_ask.wrapping_add(1);
        self.dealt += 1;
        self.running.insert(ask, id);
        ask
    }
}
