//! How a node looks for peers.

use std::time::Duration;

use rand_core::Rng as _;

use super::Opennet;
use super::announcement::Sought;
use super::config::Seeking;
use super::log_distance::LogDistance;
use super::message::{AnnouncementId, Invitation, Seek, Ticket};
use super::places::Verdict;
use super::ring::Member;
use crate::block::Block;
use crate::location::Location;
use crate::shared::Shared;
use crate::time::Time;

/// What a node does to find peers.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// Whether the node wants to be a part of the network.
    pub(super) joined: bool,
    /// When earlier peers and seeds are dialled again, if there are no peers.
    dial_at: Time,
    dialled: u32,
    /// When the node may announce itself next.
    next_at: Time,
    /// How many announcements have found nobody, in a row.
    fruitless: u32,
    /// When a node that has enough peers looks for a better one.
    improve_at: Option<Time>,
}

impl Search {
    pub(super) fn begin(&mut self, now: Time) {
        *self = Self {
            joined: true,
            dial_at: now,
            next_at: now,
            ..Self::default()
        };
    }

    /// A peer was lost: somebody else may be found.
    pub(super) fn hurry(&mut self, now: Time) {
        self.fruitless = 0;
        self.next_at = self.next_at.min(now + HURRY);
    }

    pub(super) const fn found_peer(&mut self) {
        self.fruitless = 0;
        self.dialled = 0;
    }
}

impl Opennet {
    /// Looks for peers if some are missing and it is time.
    pub(super) fn seek<B: Block>(&mut self, shared: &mut Shared<B>) {
        if !self.search.joined || self.me.is_none() {
            return;
        }
        let hosts = || self.links.values().any(super::link::Link::is_host);
        if self.adopted_len() == 0 && !hosts() {
            self.dial_acquaintances(shared);
            return;
        }
        self.seek_neighbours(shared);
        self.seek_distant(shared);
    }

    /// Somebody invites this node after its announcement.
    pub(super) fn accept_invitation<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        id: AnnouncementId,
        Invitation { contact, token }: Invitation,
    ) {
        let verdict = self.verdict(shared, &contact.node, contact.location());
        let welcome = !matches!(verdict, Verdict::No);
        if welcome
            && self.dial(shared, contact, Ticket::Invited(token))
            && let Some(route) = self.routes.get_mut(id)
        {
            route.fruitful = true;
        }
    }

    /// An own announcement has been everywhere.
    pub(super) fn own_announcement_ended<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        seek: Seek,
        fruitful: bool,
    ) {
        if let Seek::Near(_) = seek {
            let (shortest, longest) = self.config.announcement_interval;
            self.search.fruitless = if fruitful {
                0
            } else {
                (self.search.fruitless + 1).min(DOUBLINGS_MAX)
            };
            let interval = (shortest * (1 << self.search.fruitless)).min(longest);
            let interval = if fruitful {
                shortest
            } else {
                shared.half_or_more(interval)
            };
            self.search.next_at = shared.now + interval;
        }
    }

    /// Without peers: first those that were peers before, and seeds if these are not enough.
    fn dial_acquaintances<B: Block>(&mut self, shared: &mut Shared<B>) {
        if self.search.dial_at > shared.now {
            self.wake_by(self.search.dial_at);
            return;
        }
        let first = self.search.dialled == 0;
        self.search.dialled = (self.search.dialled + 1).min(DOUBLINGS_MAX);
        let pause = DIAL_PAUSE * (1 << (self.search.dialled - 1));
        self.search.dial_at = shared.now + shared.half_or_more(pause.min(DIAL_PAUSE_MAX));
        self.wake_by(self.search.dial_at);
        let remembered: Vec<_> = self
            .acquaintances
            .remembered()
            .take(self.config.peers_max)
            .cloned()
            .collect();
        let known_before = !remembered.is_empty();
        for contact in remembered {
            self.dial(shared, contact, Ticket::Returning);
        }
        if first && known_before {
            return;
        }
        let seeds = self.acquaintances.seeds();
        if seeds.is_empty() {
            return;
        }
        let start = shared.below(seeds.len());
        let seeds: Vec<_> = seeds
            .iter()
            .cycle()
            .skip(start)
            .take(SEEDS_AT_ONCE.min(seeds.len()))
            .cloned()
            .collect();
        for seed in seeds {
            self.dial(shared, seed, Ticket::Announcing);
        }
    }

    /// Announces this node to its neighbours on both sides, if that is due.
    fn seek_neighbours<B: Block>(&mut self, shared: &mut Shared<B>) {
        let Some(at) = self.lattice.check_at else {
            // The first peers, or the first seed
            self.check_lattice_by(shared.now);
            return self.seek_neighbours(shared);
        };
        if at > shared.now {
            self.wake_by(at);
            return;
        }
        self.lattice.check_at = None;
        // A newcomer may have come at the same time as its neighbours
        let soon = FIRST_CHECK * (1 << self.lattice.checks);
        let interval = soon.min(self.config.lattice_check_interval);
        let interval = shared.half_or_more(interval);
        self.check_lattice_by(shared.now + interval);
        let alone = self.adopted_len() < 2 * self.config.lattice_each_side;
        if !alone {
            self.lattice.checks = (self.lattice.checks + 1).min(DOUBLINGS_MAX);
        }
        let missing = self.limit(shared).saturating_sub(self.adopted_len());
        let wanted = if missing > self.config.peers_max / 2 {
            INVITATIONS_AT_FIRST
        } else {
            1
        };
        for seek in [Seek::Above, Seek::Below] {
            self.announce_towards(shared, seek, wanted);
        }
    }

    /// Announces this node where its distances leave the widest gap, if it has places and that is due.
    fn seek_distant<B: Block>(&mut self, shared: &mut Shared<B>) {
        let limit = self.limit(shared);
        let enough = limit - limit / ENOUGH;
        let busy = self.routes.own_len() >= self.config.own_announcements_max;
        if self.adopted_len() == 0 || busy {
            return;
        }
        if self.adopted_len() >= enough {
            self.seek_better(shared);
            return;
        }
        let nobody = self.me.as_ref().map(|me| me.node);
        let expected = nobody.map_or(0, |me| self.expected(&me).count());
        if self.adopted_len() + expected >= enough {
            return;
        }
        if self.search.next_at > shared.now {
            self.wake_by(self.search.next_at);
            return;
        }
        let (shortest, _) = self.config.announcement_interval;
        self.search.next_at = shared.now + shortest;
        let target = self.target(shared);
        self.announce_towards(shared, Seek::Near(target), 1);
        self.wake_by(self.search.next_at);
    }

    /// Announces this node, which has enough peers, in its widest gap now and then, if somebody there would be worth much
    /// more than the peer that would go. Peers come as they find each other; what makes their distances even comes later.
    fn seek_better<B: Block>(&mut self, shared: &mut Shared<B>) {
        let (_, longest) = self.config.announcement_interval;
        let due = self.search.improve_at.is_some_and(|at| at <= shared.now);
        if due || self.search.improve_at.is_none() {
            self.search.improve_at = Some(shared.now + shared.half_or_more(longest));
        }
        if let Some(at) = self.search.improve_at {
            self.wake_by(at);
        }
        let wanted = due
            && self.config.seeking == Seeking::LargestGap
            && self.may_drop(shared)
            && self.links.ring().is_uneven(self.config.lattice_each_side);
        if wanted {
            let target = self.target(shared);
            self.announce_towards(shared, Seek::Near(target), 1);
        }
    }

    /// A place in the middle half of the widest gap, those counted in that may become peers in a moment.
    fn target<B: Block>(&self, shared: &mut Shared<B>) -> Location {
        if self.config.seeking == Seeking::OwnPlace {
            return shared.me;
        }
        let mut ring = self.links.ring().clone();
        let targets = self.routes.own_targets();
        let expected = self
            .me
            .iter()
            .flat_map(|me| self.expected(&me.node))
            .chain(targets);
        for location in expected {
            ring.insert(Member {
                peer: None,
                location,
            });
        }
        let gap = ring.widest_gap(self.config.lattice_each_side);
        let (width, draw) = (u64::from(gap.width()), u64::from(shared.rng().next_u32()));
        let within = width / 4 + ((width / 2 * draw) >> 32);
        let within = u32::try_from(within).unwrap_or(u32::MAX);
        ring.place_at(gap.side, LogDistance(gap.from.0.saturating_add(within)))
    }

    fn announce_towards<B: Block>(&mut self, shared: &mut Shared<B>, seek: Seek, wanted: u8) {
        let Some(me) = self.me.clone() else {
            return;
        };
        let id = AnnouncementId(shared.rng().next_u64());
        let sought = Sought {
            newcomer: me,
            seek,
            hops_to_live: self.config.announcement_hops,
            wanted,
        };
        self.announce(shared, id, sought);
    }
}

/// How long after the loss of a peer another is sought: others may go in the same moment.
const HURRY: Duration = Duration::from_secs(1);

/// How long the first acquaintances get to answer.
const DIAL_PAUSE: Duration = Duration::from_secs(10);

/// A node that reaches nobody at all is probably cut off, and seeds are few.
const DIAL_PAUSE_MAX: Duration = Duration::from_secs(600);

/// So many seeds are asked in one go (Freenet's lower number).
const SEEDS_AT_ONCE: usize = 3;

/// Keeps the doubling within the numbers; the longest pause is reached before.
const DOUBLINGS_MAX: u32 = 12;

/// Nodes on the way to its neighbours are the first distant peers of a newcomer: half of its places, over two ways.
const INVITATIONS_AT_FIRST: u8 = 5;

/// How soon a node looks again for neighbours after it has joined; then at twice the time, and so on.
const FIRST_CHECK: Duration = Duration::from_secs(10);

/// One place in so many is left for those who ask: if all looked for the last one, each would take it from another.
const ENOUGH: usize = 10;
