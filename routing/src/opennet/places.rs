//! Who may become a peer, and who must go for it.

use crypto::NodeId;

use super::Opennet;
use super::config::Replacement;
use super::link::{Link, State};
use super::message::{OpennetMessage, Ticket};
use super::ring::{Member, Ring};
use super::send;
use crate::block::Block;
use crate::contact::PeerKind;
use crate::event::PeerId;
use crate::location::Location;
use crate::shared::Shared;
use crate::time::Time;

/// When peers were dropped for better ones.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Drops {
    /// Requests that succeeded since the last one.
    pub(super) successes: u32,
    last: Time,
}

/// Whether a node would be a good peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is one of the nearest on the ring. A peer must go for it if there is no place.
    Neighbour(Option<PeerId>),
    /// There is a place.
    Room,
    /// It would be better than this one.
    Replace(PeerId),
    /// No.
    No,
}

impl Opennet {
    /// Whether `node` at `location` would be a good peer.
    pub(super) fn verdict<B: Block>(
        &self,
        shared: &Shared<B>,
        node: &NodeId,
        location: Location,
    ) -> Verdict {
        if self.acquaintances.shuns(node, shared.now) {
            return Verdict::No;
        }
        let limit = self.limit(shared);
        let ring = self.links.ring();
        let adopted = self.adopted_len();
        if ring.is_neighbour(location, self.config.lattice_each_side) {
            let full = adopted >= limit;
            let victim = || self.victim(shared, ring, location, Newcomer::Neighbour);
            return Verdict::Neighbour(if full { victim() } else { None });
        }
        if adopted + self.expected(node).count() < limit {
            return Verdict::Room;
        }
        if !self.may_drop(shared) {
            return Verdict::No;
        }
        let victim = self.victim(shared, ring, location, Newcomer::Distant);
        victim.map_or(Verdict::No, Verdict::Replace)
    }

    /// How many strangers may be peers: friends take places of strangers, as many as leaves the lattice and as much again.
    pub(super) fn limit<B: Block>(&self, shared: &Shared<B>) -> usize {
        let friends = shared.peers.len().saturating_sub(self.adopted_len());
        let least = (4 * self.config.lattice_each_side).min(self.config.peers_max);
        self.config.peers_max.saturating_sub(friends).max(least)
    }

    pub(super) const fn adopted_len(&self) -> usize {
        self.links.adopted_len()
    }

    /// The places of distant nodes other than `node` that may become peers in a moment.
    pub(super) fn expected(&self, node: &NodeId) -> impl Iterator<Item = Location> {
        let counts = |ticket: Ticket| !matches!(ticket, Ticket::Neighbour | Ticket::Announcing);
        let asked = self.links.values().filter(move |link| match link.state {
            State::Asked(ticket) => counts(ticket) && link.contact.node != *node,
            State::Awaited | State::Guest | State::Adopted => false,
        });
        let dialling = self
            .dialling
            .values()
            .filter(move |dialling| counts(dialling.ticket) && dialling.contact.node != *node);
        let asked = asked.map(|link| link.location);
        asked.chain(dialling.map(|dialling| dialling.contact.location()))
    }

    /// Gives a peer up for a better one.
    pub(super) fn drop_for_better<B: Block>(&mut self, shared: &mut Shared<B>, victim: PeerId) {
        self.drops = Drops {
            successes: 0,
            last: shared.now,
        };
        self.part(shared, victim);
    }

    /// Gives a peer up in good order.
    pub(super) fn part<B: Block>(&mut self, shared: &mut Shared<B>, peer: PeerId) {
        send(shared, peer, OpennetMessage::Declined);
        self.hang_up(shared, peer);
    }

    /// Gives up peers that never answer, whatever their places.
    pub(super) fn drop_hopeless<B: Block>(&mut self, shared: &mut Shared<B>) {
        let is_hopeless = |peer: &PeerId| {
            let known = shared.peers.peer(*peer);
            known.is_some_and(|known| known.merit.is_hopeless())
        };
        let hopeless: Vec<_> = self.links.keys().copied().filter(is_hopeless).collect();
        for peer in hopeless {
            if let Some(link) = self.links.get(&peer) {
                let until = shared.now + self.config.shunned_time;
                self.acquaintances.shun(link.contact.node, until);
            }
            self.hang_up(shared, peer);
        }
    }

    pub(super) fn may_drop<B: Block>(&self, shared: &Shared<B>) -> bool {
        self.drops.successes >= self.config.successes_between_drops
            || shared.now.since(self.drops.last) >= self.config.idle_between_drops
    }

    /// The peer that goes for a newcomer, if any should.
    fn victim<B: Block>(
        &self,
        shared: &Shared<B>,
        ring: &Ring,
        location: Location,
        newcomer: Newcomer,
    ) -> Option<PeerId> {
        let each_side = self.config.lattice_each_side;
        let ring = ring.with(Member {
            peer: None,
            location,
        });
        let gaps = ring.gaps_without(each_side);
        let safe = |peer: &PeerId| match newcomer {
            Newcomer::Neighbour => false,
            Newcomer::Distant => self
                .links
                .get(peer)
                .is_none_or(|link| self.is_new(link, shared.now)),
        };
        let candidates = gaps
            .iter()
            .filter_map(|&(member, gap)| Some((member.peer?, gap)));
        let candidates: Vec<_> = candidates
            .filter(|(peer, _)| {
                let guards = shared.peers.peer(*peer).is_some_and(|known| known.guard);
                !safe(peer) && !guards
            })
            .collect();
        let merit = |peer: PeerId| {
            shared
                .peers
                .peer(peer)
                .map(|known| known.merit)
                .unwrap_or_default()
        };
        match self.config.replacement {
            Replacement::LogGap => {}
            Replacement::LeastRecentlyUseful => {
                let peers = candidates.into_iter().map(|(peer, _)| peer);
                return peers.min_by_key(|&peer| merit(peer).found_at);
            }
            Replacement::TwoBuckets => {
                return self
                    .least_useful_of_bucket(shared, candidates.into_iter().map(|(peer, _)| peer));
            }
        }
        let mean = self.mean_success(shared);
        let useless = |peer: PeerId| merit(peer).is_bad() || merit(peer).success() * 4 < mean;
        if let Some(&(peer, _)) = candidates.iter().find(|&&(peer, _)| useless(peer)) {
            return Some(peer);
        }
        let &(_, least) = candidates.iter().min_by_key(|&&(_, gap)| gap)?;
        if newcomer == Newcomer::Distant {
            let own = gaps.iter().find(|(member, _)| member.peer.is_none());
            let &(_, own) = own?;
            if own <= least + least / BETTER_BY {
                return None;
            }
        }
        let ties = candidates
            .into_iter()
            .filter(|&(_, gap)| gap <= least + least / NEARLY);
        ties.min_by_key(|&(peer, gap)| (merit(peer).success(), gap))
            .map(|(peer, _)| peer)
    }

    fn least_useful_of_bucket<B: Block>(
        &self,
        shared: &Shared<B>,
        candidates: impl Iterator<Item = PeerId>,
    ) -> Option<PeerId> {
        let is_near = |location: Location| location.distance(shared.me).as_fraction() < NEAR;
        let adopted = self.links.values().filter(|link| link.is_adopted());
        let near = adopted.filter(|link| is_near(link.location)).count();
        let too_many_near = near * 10 > self.adopted_len() * 7;
        let of_bucket = |peer: &PeerId| {
            self.links
                .get(peer)
                .is_some_and(|link| is_near(link.location) == too_many_near)
        };
        let found_at = |peer: &PeerId| shared.peers.peer(*peer).map(|known| known.merit.found_at);
        candidates.filter(of_bucket).min_by_key(found_at)
    }

    fn mean_success<B: Block>(&self, shared: &Shared<B>) -> u16 {
        let adopted = self.links.iter().filter(|(_, link)| link.is_adopted());
        let success =
            adopted.filter_map(|(&peer, _)| Some(shared.peers.peer(peer)?.merit.success()));
        let (sum, count) = success.fold((0_u32, 0_u32), |(sum, count), one| {
            (sum + u32::from(one), count + 1)
        });
        u16::try_from(sum / count.max(1)).unwrap_or(u16::MAX)
    }

    fn is_new(&self, link: &Link, now: Time) -> bool {
        now.since(link.since) < self.config.grace
    }

    /// Whether a friend is at this very place, which is then most likely the same node.
    pub(super) fn is_friend<B: Block>(shared: &Shared<B>, location: Location) -> bool {
        shared.peers.iter().any(|(_, peer)| {
            matches!(peer.kind, PeerKind::Friend { .. }) && peer.location == location
        })
    }
}

/// What sort of newcomer a place is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Newcomer {
    Neighbour,
    Distant,
}

/// A newcomer must be better than who goes by one part in so many: else two of a kind would replace each other forever.
const BETTER_BY: u32 = 4;

/// Gaps within one part in so many are as good as equal, and merit decides.
const NEARLY: u32 = 10;

/// Late Freenet's border between near and distant peers.
const NEAR: f64 = 0.01;
