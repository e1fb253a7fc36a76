//! A link to a stranger.

use crate::contact::Contact;
use crate::location::Location;
use crate::opennet::message::Ticket;
use crate::opennet::rate::Allowance;
use crate::time::Time;

/// What is known of a link to a stranger.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) contact: Contact,
    pub(super) location: Location,
    pub(super) dialled: bool,
    pub(super) state: State,
    /// Of the present state.
    pub(super) since: Time,
    /// When it is given up. A peer's is not.
    pub(super) ends: Option<Time>,
    pub(super) dealings: Dealings,
}

/// How much the other side has asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dealings {
    pub(super) announcements: Allowance,
    pub(super) introductions: Allowance,
    /// Messages beyond what is allowed.
    pub(super) annoyances: u16,
}

/// What both sides have agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing: this node has asked to be adopted.
    Asked(Ticket),
    /// Nothing: the stranger has yet to ask.
    Awaited,
    /// One side announces itself through the other.
    Guest,
    /// The link carries requests.
    Adopted,
}

impl Link {
    pub(super) fn is_adopted(&self) -> bool {
        self.state == State::Adopted
    }

    /// Whether this node announces itself over it.
    pub(super) fn is_host(&self) -> bool {
        self.state == State::Guest && self.dialled
    }

    /// Whether the stranger announces itself over it.
    pub(super) fn is_guest(&self) -> bool {
        self.state == State::Guest && !self.dialled
    }
}
