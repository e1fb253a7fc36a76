//! How requests end at this node: its own and those of others.
//!
//! An answer does not say how far away it was found: whoever is on the way could tell from that who asked. So of its own
//! requests a node knows how long they took, and of those that pass how far they had come.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use routing::{
    Effort, FetchFailure, HopsToLive, InsertFailure, InsertStage, Message, PeerId, Refusal,
    RequestId,
};

/// Follows requests to their ends.
#[derive(Debug, Default)]
pub(super) struct Answers {
    counts: Counts,
    /// How far the requests of peers had come that are in progress; of offers that only see to copies nothing.
    passing: BTreeMap<(PeerId, RequestId), Option<u8>>,
}

/// How many requests have ended how since the start. Not counted are those that were cancelled, and searches for what is
/// probably not there, such as the next edition of a site, if it is not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Fetches of this node's own user, with milliseconds until they succeeded.
    pub(crate) own_fetches: Ended,
    /// Inserts of this node's own user, with milliseconds until they succeeded.
    pub(crate) own_inserts: Ended,
    /// Fetches of peers, with hops before this node.
    pub(crate) peer_fetches: Ended,
    /// Inserts of peers, with hops before this node.
    pub(crate) peer_inserts: Ended,
    /// Requests of peers that were refused because there was too much to do.
    pub(crate) refused_overloaded: u64,
}

/// Requests of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended {
    /// Well, since the start.
    pub(crate) succeeded: u64,
    /// Not.
    pub(crate) failed: u64,
    /// The last ones: whether they went well, and what was measured if so.
    recent: VecDeque<(bool, Option<u32>)>,
}

/// What came of the last requests of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Recent {
    /// All.
    pub(crate) ended: u64,
    /// Those that went well.
    pub(crate) succeeded: u64,
    /// What was measured of these, on the average; none without any.
    pub(crate) mean: Option<f64>,
}

/// The requests that count as recent.
const RECENT_MAX: usize = 256;

/// Requests of peers whose way is remembered at a time: twice as many as a router works on.
const PASSING_MAX: usize = 4096;

impl Answers {
    /// What came of them.
    pub(super) const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// A fetch of the user has ended, after `took`. Who looks whether something new is there has not failed if it is not.
    pub(super) fn fetched(
        &mut self,
        effort: Effort,
        failure: Option<&FetchFailure>,
        took: Duration,
    ) {
        let missing = matches!(
            failure,
            Some(FetchFailure::NotFound | FetchFailure::RecentlyFailed { .. })
        );
        let as_expected = effort == Effort::Probe && missing;
        if failure != Some(&FetchFailure::Cancelled) && !as_expected {
            self.counts
                .own_fetches
                .count(failure.is_none(), Some(millis(took)));
        }
    }

    /// An insert of the user has ended, after `took`.
    pub(super) fn inserted(&mut self, failure: Option<&InsertFailure>, took: Duration) {
        if !matches!(failure, Some(InsertFailure::Cancelled)) {
            self.counts
                .own_inserts
                .count(failure.is_none(), Some(millis(took)));
        }
    }

    /// A peer says something, which may be a request.
    pub(super) fn heard(&mut self, from: PeerId, message: &Message) {
        let way = match message {
            Message::Fetch { hops_to_live, .. }
            | Message::Offer {
                stage: InsertStage::Seek(hops_to_live),
                ..
            } => Some(hops_before(*hops_to_live)),
            Message::Offer {
                stage: InsertStage::Repair,
                ..
            } => None,
            Message::Cancel { id } => {
                self.passing.remove(&(from, *id));
                return;
            }
            _ => return,
        };
        if let Some(id) = message.id()
            && self.passing.len() < PASSING_MAX
        {
            self.passing.insert((from, id), way);
        }
    }

    /// A message goes to a peer, which may be the answer to a request of it.
    pub(super) fn sent(&mut self, to: PeerId, message: &Message) {
        let (kind, well) = match message {
            Message::Found { .. } => (Some(&mut self.counts.peer_fetches), true),
            Message::NotFound { .. } => (Some(&mut self.counts.peer_fetches), false),
            Message::Stored { .. } => (Some(&mut self.counts.peer_inserts), true),
            Message::StoreFailed { .. } => (Some(&mut self.counts.peer_inserts), false),
            Message::Congested { .. } => (None, false),
            Message::Refused { reason, .. } => {
                self.counts.refused_overloaded += u64::from(*reason == Refusal::Overloaded);
                (None, false)
            }
            _ => return,
        };
        let passing = message.id().and_then(|id| self.passing.remove(&(to, id)));
        let sees_to_copies = passing == Some(None);
        if let Some(kind) = kind.filter(|_| !sees_to_copies) {
            kind.count(well, passing.flatten().map(u32::from));
        }
    }

    /// A link is gone.
    pub(super) fn lost(&mut self, peer: PeerId) {
        self.passing.retain(|(from, _), _| *from != peer);
    }
}

impl Ended {
    /// What came of the last [`RECENT_MAX`].
    pub(crate) fn recent(&self) -> Recent {
        let succeeded = self.recent.iter().filter(|(well, _)| *well);
        let measured = self.recent.iter().filter_map(|(_, measured)| *measured);
        let (count, sum) = measured.fold((0_u32, 0.0), |(count, sum), one| {
            (count + 1, sum + f64::from(one))
        });
        Recent {
            ended: self.recent.len() as u64,
            succeeded: succeeded.count() as u64,
            mean: (count > 0).then(|| sum / f64::from(count)),
        }
    }

    fn count(&mut self, well: bool, measured: Option<u32>) {
        if well {
            self.succeeded += 1;
        } else {
            self.failed += 1;
        }
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((well, measured.filter(|_| well)));
    }
}

fn millis(took: Duration) -> u32 {
    u32::try_from(took.as_millis()).unwrap_or(u32::MAX)
}

/// How many nodes a request with so many hops to live has visited at least: each takes one off, but some do not at either
/// end of the scale.
fn hops_before(left: HopsToLive) -> u8 {
    let most = if left > HopsToLive::MAX {
        HopsToLive::LONG_MAX
    } else {
        HopsToLive::MAX
    };
    most.get().saturating_sub(left.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::{BlockKey, BlockKind, RoutingKey};
    use routing::Class;

    const PEER: PeerId = PeerId(1);

    fn asked(id: u64, hops_to_live: u8) -> Message {
        Message::Fetch {
            id: RequestId(id),
            key: BlockKey {
                kind: BlockKind::Content,
                routing_key: RoutingKey::from_bytes([1; 32]),
            },
            hops_to_live: HopsToLive::new(hops_to_live).unwrap(),
            tie_break: 0,
            class: Class::Bulk,
        }
    }

    fn missing(id: u64) -> Message {
        Message::NotFound {
            id: RequestId(id),
            left: HopsToLive::ZERO,
        }
    }

    fn counts(ended: &Ended) -> (u64, u64) {
        (ended.succeeded, ended.failed)
    }

    #[test]
    fn answers_are_counted_by_kind_and_cancelled_requests_not_at_all() {
        let mut answers = Answers::default();
        let took = Duration::from_millis(40);
        let missing = Some(&FetchFailure::NotFound);
        answers.fetched(Effort::Thorough, None, took);
        answers.fetched(Effort::Thorough, missing, took);
        answers.fetched(Effort::Thorough, Some(&FetchFailure::Cancelled), took);
        answers.fetched(Effort::Probe, missing, took);
        answers.inserted(Some(&InsertFailure::Cancelled), took);
        answers.inserted(Some(&InsertFailure::TimedOut), took);
        let id = RequestId(1);
        answers.sent(PEER, &Message::StoreFailed { id });
        answers.sent(PEER, &Message::Accepted { id });
        let reason = Refusal::Overloaded;
        answers.sent(PEER, &Message::Refused { id, reason });
        assert_eq!(counts(&answers.counts.own_fetches), (1, 1));
        assert_eq!(counts(&answers.counts.own_inserts), (0, 1));
        assert_eq!(counts(&answers.counts.peer_fetches), (0, 0));
        assert_eq!(counts(&answers.counts.peer_inserts), (0, 1));
        assert_eq!(answers.counts.refused_overloaded, 1);
        let recent = Recent {
            ended: 2,
            succeeded: 1,
            mean: Some(40.0),
        };
        assert_eq!(answers.counts.own_fetches.recent(), recent);
    }

    #[test]
    fn who_looks_for_a_new_edition_has_failed_only_if_that_cannot_be_known() {
        let mut answers = Answers::default();
        let retry_after = Duration::from_secs(9);
        for expected in [
            FetchFailure::NotFound,
            FetchFailure::RecentlyFailed { retry_after },
        ] {
            answers.fetched(Effort::Probe, Some(&expected), Duration::ZERO);
        }
        assert_eq!(counts(&answers.counts.own_fetches), (0, 0));
        let failure = Some(&FetchFailure::NoCircuit);
        answers.fetched(Effort::Probe, failure, Duration::ZERO);
        answers.fetched(Effort::Probe, None, Duration::ZERO);
        assert_eq!(counts(&answers.counts.own_fetches), (1, 1));
    }

    #[test]
    fn of_requests_that_pass_it_is_known_how_far_they_had_come() {
        let mut answers = Answers::default();
        for (id, hops_to_live) in [(1, 18), (2, 14), (3, 45), (4, 10)] {
            answers.heard(PEER, &asked(id, hops_to_live));
        }
        for id in [1, 2, 3].map(RequestId) {
            let copies = std::num::NonZeroU8::MIN;
            answers.sent(PEER, &Message::Stored { id, copies });
        }
        assert_eq!(answers.counts.peer_inserts.recent().mean, Some(3.0));
        answers.sent(PEER, &missing(4));
        assert_eq!(answers.counts.peer_fetches.recent().mean, None);
        assert_eq!(counts(&answers.counts.peer_inserts), (3, 0));
        assert!(answers.passing.is_empty());
    }

    #[test]
    fn who_only_sees_to_copies_inserts_nothing() {
        let mut answers = Answers::default();
        let id = RequestId(1);
        let offer = Message::Offer {
            id,
            key: BlockKey {
                kind: BlockKind::Content,
                routing_key: RoutingKey::from_bytes([1; 32]),
            },
            stage: InsertStage::Repair,
            class: Class::Bulk,
        };
        answers.heard(PEER, &offer);
        let copies = std::num::NonZeroU8::MIN;
        answers.sent(PEER, &Message::Stored { id, copies });
        assert_eq!(counts(&answers.counts.peer_inserts), (0, 0));
        assert!(answers.passing.is_empty());
    }

    #[test]
    fn only_so_many_ways_are_remembered_and_those_of_lost_links_not() {
        let mut answers = Answers::default();
        for id in 0..2 * PASSING_MAX as u64 {
            answers.heard(PEER, &asked(id, 9));
        }
        assert_eq!(answers.passing.len(), PASSING_MAX);
        answers.lost(PEER);
        assert!(answers.passing.is_empty());
        for id in 0..2 * RECENT_MAX as u64 {
            answers.sent(PEER, &missing(id));
        }
        assert_eq!(
            answers.counts.peer_fetches.recent().ended,
            RECENT_MAX as u64
        );
    }
}
