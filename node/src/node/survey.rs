//! What the node tells of its router: the state of the peers, and how recent requests ended.

use std::collections::BTreeMap;

use routing::{
    FetchFailure, InsertFailure, Load, Location, Message, PeerId, PeerMerit, Refusal, Router,
};

/// A look at the router.
#[derive(Clone, Debug, Default)]
pub(crate) struct Survey {
    /// How much it has to do.
    pub(crate) load: Load,
    /// Where the node is on the ring; unknown when it is stopping.
    pub(crate) location: Option<Location>,
    /// The linked peers.
    pub(crate) peers: BTreeMap<PeerId, SurveyedPeer>,
    /// How requests have ended since the start.
    pub(crate) answers: Answers,
}

/// What the router knows of one peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SurveyedPeer {
    /// Where it is on the ring.
    pub(crate) location: Location,
    /// The link carries requests.
    pub(crate) adopted: bool,
    /// Its requests in progress here.
    pub(crate) requests: usize,
    /// How well it did what it was asked.
    pub(crate) merit: PeerMerit,
}

/// How many requests have ended how since the start. Those that were cancelled are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    /// Fetches of this node's own user.
    pub(crate) own_fetches: Ended,
    /// Inserts of this node's own user.
    pub(crate) own_inserts: Ended,
    /// Fetches of peers.
    pub(crate) peer_fetches: Ended,
    /// Inserts of peers.
    pub(crate) peer_inserts: Ended,
    /// Requests of peers that were refused because there was too much to do.
    pub(crate) refused_overloaded: u64,
}

/// Requests of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Well.
    pub(crate) succeeded: u64,
    /// Not.
    pub(crate) failed: u64,
}

impl Survey {
    pub(super) fn new(router: &Router, answers: Answers) -> Self {
        let peers = router.peers().map(|view| {
            let surveyed = SurveyedPeer {
                location: view.location,
                adopted: view.adopted,
                requests: view.requests,
                merit: view.merit,
            };
            (view.peer, surveyed)
        });
        Self {
            load: router.load(),
            location: Some(router.location()),
            peers: peers.collect(),
            answers,
        }
    }
}

impl Answers {
    /// A fetch of the user has ended.
    pub(super) fn fetched(&mut self, failure: Option<&FetchFailure>) {
        if failure != Some(&FetchFailure::Cancelled) {
            self.own_fetches.count(failure.is_none());
        }
    }

    /// An insert of the user has ended.
    pub(super) fn inserted(&mut self, failure: Option<&InsertFailure>) {
        if !matches!(failure, Some(InsertFailure::Cancelled)) {
            self.own_inserts.count(failure.is_none());
        }
    }

    /// A message goes to a peer, which may be the answer to a request of it.
    pub(super) fn sent(&mut self, message: &Message) {
        match message {
            Message::Found { .. } => self.peer_fetches.count(true),
            Message::NotFound { .. } => self.peer_fetches.count(false),
            Message::Stored { .. } => self.peer_inserts.count(true),
            Message::StoreFailed { .. } => self.peer_inserts.count(false),
            Message::Refused {
                reason: Refusal::Overloaded,
                ..
            } => self.refused_overloaded += 1,
            _ => {}
        }
    }
}

impl Ended {
    const fn count(&mut self, well: bool) {
        if well {
            self.succeeded += 1;
        } else {
            self.failed += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::RequestId;

    #[test]
    fn answers_are_counted_by_kind_and_cancelled_requests_not_at_all() {
        let mut answers = Answers::default();
        answers.fetched(None);
        answers.fetched(Some(&FetchFailure::NotFound));
        answers.fetched(Some(&FetchFailure::Cancelled));
        answers.inserted(Some(&InsertFailure::Cancelled));
        answers.inserted(Some(&InsertFailure::TimedOut));
        let id = RequestId(1);
        answers.sent(&Message::StoreFailed { id });
        answers.sent(&Message::Accepted { id });
        let reason = Refusal::Overloaded;
        answers.sent(&Message::Refused { id, reason });
        let ended = |succeeded, failed| Ended { succeeded, failed };
        let expected = Answers {
            own_fetches: ended(1, 1),
            own_inserts: ended(0, 1),
            peer_fetches: ended(0, 0),
            peer_inserts: ended(0, 1),
            refused_overloaded: 1,
        };
        assert_eq!(answers, expected);
    }
}
