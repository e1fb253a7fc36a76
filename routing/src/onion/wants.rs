//! What the user wants through circuits, and how far it has come.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crypto::BlockKey;
use smallvec::SmallVec;

use super::anonymity::{Role, Via};
use super::circuit::Purpose;
use super::command::{Ask, Budget};
use super::list::RelayName;
use crate::event::{Class, Effort, FetchFailure, InsertFailure, LocalId, StoreTicket};
use crate::time::Time;

/// The requests, and which of them wait for what.
#[derive(Debug)]
pub(super) struct Wants<B> {
    all: BTreeMap<LocalId, Want<B>>,
    tickets: BTreeMap<StoreTicket, LocalId>,
    /// For a circuit, in the order in which they came.
    waiting: VecDeque<LocalId>,
    deadlines: BTreeSet<(Time, LocalId)>,
}

/// A request of the user.
#[derive(Debug)]
pub(super) struct Want<B> {
    pub(super) class: Class,
    pub(super) via: Via,
    pub(super) goal: Goal<B>,
    pub(super) state: State,
    /// When the state has lasted too long.
    until: Time,
    /// Over how many circuits it was tried.
    pub(super) tries: u8,
    /// Those circuits.
    pub(super) tried: SmallVec<[u64; 4]>,
    pub(super) budget: Budget,
    /// The most telling of what went wrong.
    pub(super) setback: Option<Setback>,
    /// Ends that said that the block is not there.
    pub(super) denied_by: SmallVec<[RelayName; 2]>,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Goal<B> {
    Fetch { key: BlockKey, effort: Effort },
    Insert { block: B },
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The node's own store is asked.
    Store(StoreTicket),
    /// There is no circuit for it yet.
    Waiting,
    /// Those that could be asked are busy.
    Paused,
    /// It went over a circuit.
    Sent {
        circuit: u64,
        ask: Ask,
        at: Time,
        accepted: bool,
    },
}

/// What went wrong with a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setback {
    /// The circuit is gone.
    CircuitLost,
    /// The end works on the same key, or did moments ago.
    Loop,
    TimedOut,
    StoreFailed,
    Congested,
    RecentlyFailed(Duration),
    NotFound,
}

impl<B> Want<B> {
    pub(super) fn new(now: Time, class: Class, via: Via, goal: Goal<B>) -> Self {
        Self {
            class,
            via,
            goal,
            state: State::Waiting,
            until: now,
            tries: 0,
            tried: SmallVec::new(),
            budget: Budget::Ordinary,
            setback: None,
            denied_by: SmallVec::new(),
        }
    }

    /// The key of the block that is wanted, if one is wanted.
    pub(super) const fn key(&self) -> Option<BlockKey> {
        match &self.goal {
            Goal::Fetch { key, .. } => Some(*key),
            Goal::Insert { .. } => None,
        }
    }

    /// What a circuit must be for to carry it.
    pub(super) const fn purpose(&self) -> Purpose {
        match self.via.role {
            Role::Top => Purpose::Top(self.via.group),
            Role::Part => Purpose::Parts(self.via.group),
        }
    }

    /// Whether it is for something that is probably not there.
    pub(super) const fn probes(&self) -> bool {
        matches!(
            self.goal,
            Goal::Fetch {
                effort: Effort::Probe,
                ..
            }
        )
    }

    pub(super) const fn is_part(&self) -> bool {
        matches!(self.via.role, Role::Part)
    }

    /// Keeps what says most about the block or the network.
    pub(super) fn note(&mut self, setback: Setback) {
        let known = self.setback.map_or(0, Setback::weight);
        if setback.weight() >= known {
            self.setback = Some(setback);
        }
    }

    /// What the user of a fetch is told in the end.
    pub(super) const fn fetch_failure(&self) -> FetchFailure {
        match self.setback {
            None => FetchFailure::NoCircuit,
            Some(Setback::NotFound) => FetchFailure::NotFound,
            Some(Setback::RecentlyFailed(retry_after)) => {
                FetchFailure::RecentlyFailed { retry_after }
            }
            Some(Setback::Congested) => FetchFailure::Overloaded,
            Some(Setback::Loop) => FetchFailure::RouteNotFound,
            Some(Setback::TimedOut | Setback::CircuitLost | Setback::StoreFailed) => {
                FetchFailure::TimedOut
            }
        }
    }

    /// What the user of an insert is told in the end.
    pub(super) const fn insert_failure(&self) -> InsertFailure<B> {
        match self.setback {
            None => InsertFailure::NoCircuit,
            Some(Setback::Congested) => InsertFailure::Overloaded,
            Some(Setback::StoreFailed | Setback::NotFound) => InsertFailure::StoreFailed,
            Some(Setback::Loop | Setback::RecentlyFailed(_)) => InsertFailure::RouteNotFound,
            Some(Setback::TimedOut | Setback::CircuitLost) => InsertFailure::TimedOut,
        }
    }
}

impl Setback {
    const fn weight(self) -> u8 {
        match self {
            Self::CircuitLost => 1,
            Self::Loop => 2,
            Self::TimedOut => 3,
            Self::StoreFailed => 4,
            Self::Congested => 5,
            Self::RecentlyFailed(_) => 6,
            Self::NotFound => 7,
        }
    }
}

impl<B> Wants<B> {
    pub(super) const fn new() -> Self {
        Self {
            all: BTreeMap::new(),
            tickets: BTreeMap::new(),
            waiting: VecDeque::new(),
            deadlines: BTreeSet::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Adds a request that is in the state `state` until then.
    ///
    /// # Panics
    /// If one of that id is there already.
    pub(super) fn add(&mut self, id: LocalId, want: Want<B>, state: State, until: Time) {
        let earlier = self.all.insert(id, want);
        assert!(
            earlier.is_none(),
            "the id of a running request was used again: {id:?}"
        );
        self.enter(id, state, until);
    }

    pub(super) fn get(&self, id: LocalId) -> Option<&Want<B>> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: LocalId) -> Option<&mut Want<B>> {
        self.all.get_mut(&id)
    }

    /// Takes a request out.
    pub(super) fn remove(&mut self, id: LocalId) -> Option<Want<B>> {
        let want = self.all.remove(&id)?;
        self.leave(id, want.state, want.until);
        Some(want)
    }

    /// From now until then a request is in this state.
    pub(super) fn set(&mut self, id: LocalId, state: State, until: Time) {
        if let Some(want) = self.all.get(&id) {
            let (old, old_until) = (want.state, want.until);
            self.leave(id, old, old_until);
            self.enter(id, state, until);
        }
    }

    /// The request that asked the store under this ticket.
    pub(super) fn of_ticket(&self, ticket: StoreTicket) -> Option<LocalId> {
        self.tickets.get(&ticket).copied()
    }

    /// Those that wait for a circuit, in order.
    pub(super) const fn waiting(&self) -> &VecDeque<LocalId> {
        &self.waiting
    }

    /// A request whose state has lasted too long.
    pub(super) fn due(&self, now: Time) -> Option<LocalId> {
        let &(until, id) = self.deadlines.first()?;
        (until <= now).then_some(id)
    }

    /// When one is [`Wants::due`].
    pub(super) fn next_due(&self) -> Option<Time> {
        self.deadlines.first().map(|&(until, _)| until)
    }

    fn enter(&mut self, id: LocalId, state: State, until: Time) {
        match state {
            State::Store(ticket) => drop(self.tickets.insert(ticket, id)),
            State::Waiting => self.waiting.push_back(id),
            State::Paused | State::Sent { .. } => {}
        }
        self.deadlines.insert((until, id));
        if let Some(want) = self.all.get_mut(&id) {
            want.state = state;
            want.until = until;
        }
    }

    fn leave(&mut self, id: LocalId, state: State, until: Time) {
        match state {
            State::Store(ticket) => drop(self.tickets.remove(&ticket)),
            State::Waiting => self.waiting.retain(|waiting| *waiting != id),
            State::Paused | State::Sent { .. } => {}
        }
        self.deadlines.remove(&(until, id));
    }
}
