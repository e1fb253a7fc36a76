//! The router: hands each event to the part concerned.

use std::collections::VecDeque;

use crate::config::Config;
use crate::event::{Action, Event, FetchFailure, InsertFailure};
use crate::location::Location;
use crate::time::Time;

/// The protocol core of one node.
#[derive(Debug)]
pub struct Router {
    actions: VecDeque<Action>,
}

impl Router {
    /// A router at `me` that knows no peers. `seed` decides everything random that it does.
    #[must_use]
    pub fn new(_me: Location, _config: Config, _seed: [u8; 32]) -> Self {
        Self {
            actions: VecDeque::new(),
        }
    }

    /// Takes in one event that happened at `now`.
    pub fn handle(&mut self, _now: Time, event: Event) {
        let answer = match event {
            Event::Fetch { id, .. } => Action::FetchDone {
                id,
                result: Err(FetchFailure::RouteNotFound),
            },
            Event::Insert { id, .. } => Action::InsertDone {
                id,
                result: Err(InsertFailure::RouteNotFound),
            },
            Event::PeerUp { .. }
            | Event::PeerDown { .. }
            | Event::Message { .. }
            | Event::Cancel { .. }
            | Event::LookupDone { .. }
            | Event::StoreDone { .. } => return,
        };
        self.actions.push_back(answer);
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, _now: Time) {}

    /// The next thing to do, if any. To be called until it gives nothing, after every other `&mut self` call.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Router::handle_timeout`] is next due.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Time> {
        None
    }
}
