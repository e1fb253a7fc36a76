//! Announcements of others on their way, and how they are answered.
//!
//! An announcement goes from node to node, each closer to where the newcomer wants peers. Nodes that would take it answer
//! with invitations, which travel back the same way. At the end of the way it wanders around there as long as nobody
//! invites.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use smallvec::SmallVec;

use super::message::{AnnouncementId, Invitation, OpennetMessage, Seek};
use super::places::Verdict;
use super::{Opennet, send};
use crate::block::Block;
use crate::contact::Contact;
use crate::event::PeerId;
use crate::hops_to_live::HopsToLive;
use crate::location::Location;
use crate::shared::Shared;
use crate::time::Time;

/// What an announcement asks for.
#[derive(Clone, Debug)]
pub(super) struct Sought {
    pub(super) newcomer: Contact,
    pub(super) seek: Seek,
    pub(super) hops_to_live: HopsToLive,
    pub(super) wanted: u8,
}

/// One announcement at one node.
#[derive(Debug)]
pub(super) struct Route {
    /// Over which link it came; own ones over none.
    pub(super) from: Option<PeerId>,
    pub(super) sought: Sought,
    /// Where the newcomer is.
    place: Location,
    /// Invitations that may still be passed back.
    passing: u8,
    tried: SmallVec<[PeerId; 3]>,
    pub(super) waiting: Option<PeerId>,
    /// Where it goes no further, it is remembered until then.
    ends: Time,
    /// Of an own one: whether anybody invited.
    pub(super) fruitful: bool,
}

/// The announcements that came by lately.
#[derive(Debug, Default)]
pub(super) struct Routes {
    by_id: BTreeMap<AnnouncementId, Route>,
    /// The same by when they are forgotten.
    by_end: BTreeSet<(Time, AnnouncementId)>,
    own: usize,
}

impl Routes {
    pub(super) fn next_end(&self) -> Option<Time> {
        self.by_end.first().map(|&(end, _)| end)
    }

    /// Own ones under way.
    pub(super) const fn own_len(&self) -> usize {
        self.own
    }

    /// The places that own announcements look around.
    pub(super) fn own_targets(&self) -> impl Iterator<Item = Location> {
        let own = self
            .by_id
            .values()
            .filter(|route| route.from.is_none() && route.waiting.is_some());
        own.filter_map(|route| match route.sought.seek {
            Seek::Near(place) => Some(place),
            Seek::Above | Seek::Below => None,
        })
    }

    fn insert(&mut self, id: AnnouncementId, route: Route) {
        let end = route.ends;
        if let Some(earlier) = self.by_id.insert(id, route) {
            self.by_end.remove(&(earlier.ends, id));
        }
        self.by_end.insert((end, id));
    }

    /// Takes the first away whose time is over.
    fn pop_late(&mut self, now: Time) -> Option<Route> {
        let &(end, id) = self.by_end.first()?;
        if end > now {
            return None;
        }
        self.by_end.pop_first();
        self.by_id.remove(&id)
    }

    pub(super) fn get_mut(&mut self, id: AnnouncementId) -> Option<&mut Route> {
        self.by_id.get_mut(&id)
    }
}

impl Route {
    pub(super) fn new(from: Option<PeerId>, sought: Sought, ends: Time) -> Self {
        Self {
            from,
            place: sought.newcomer.location(),
            passing: sought.wanted,
            sought,
            tried: SmallVec::new(),
            waiting: None,
            ends,
            fruitful: false,
        }
    }

    /// How far a place is from where the announcement goes.
    fn distance(&self, location: Location) -> u64 {
        match self.sought.seek {
            Seek::Above => self.place.clockwise_to(location),
            Seek::Below => location.clockwise_to(self.place),
            Seek::Near(target) => target.distance(location).to_bits(),
        }
    }

    /// Whether a place is about where the newcomer wants a peer.
    fn is_about(&self, location: Location) -> bool {
        match self.sought.seek {
            Seek::Above | Seek::Below => false,
            Seek::Near(target) => {
                target.distance(location).to_bits() <= target.distance(self.place).to_bits() / ABOUT
            }
        }
    }

    const fn seeks_lattice(&self) -> bool {
        matches!(self.sought.seek, Seek::Above | Seek::Below)
    }
}

impl Opennet {
    /// A peer passes an announcement on, or a guest announces itself.
    pub(super) fn announced<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        id: AnnouncementId,
        sought: Sought,
    ) {
        let Some(link) = self.links.get(&from) else {
            return;
        };
        let entitled =
            link.is_adopted() || (link.is_guest() && link.contact.node == sought.newcomer.node);
        if !entitled {
            return;
        }
        let Sought {
            hops_to_live,
            wanted,
            ..
        } = sought;
        let known = self.routes.by_id.contains_key(&id);
        let full = self.routes.by_id.len() >= self.config.announcements_max;
        if known || full || self.is_me(&sought.newcomer.node) {
            send(
                shared,
                from,
                OpennetMessage::AnnouncementEnded {
                    id,
                    hops_to_live,
                    wanted,
                },
            );
            return;
        }
        let sought = Sought {
            hops_to_live: hops_to_live.less_one().min(self.config.announcement_hops),
            wanted: wanted.min(WANTED_MAX),
            ..sought
        };
        let ends = shared.now + self.patience(sought.hops_to_live);
        let mut route = Route::new(Some(from), sought, ends);
        self.invite_newcomer(shared, from, id, &mut route);
        self.routes.insert(id, route);
        self.wake_by(ends);
        self.pass_on(shared, id);
    }

    /// An announcement has been everywhere behind a peer.
    pub(super) fn announcement_ended<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        id: AnnouncementId,
        hops_to_live: HopsToLive,
        wanted: u8,
    ) {
        let Some(route) = self
            .routes
            .by_id
            .get_mut(&id)
            .filter(|route| route.waiting == Some(from))
        else {
            return;
        };
        route.waiting = None;
        let sought = &mut route.sought;
        sought.hops_to_live = sought.hops_to_live.min(hops_to_live);
        sought.wanted = sought.wanted.min(wanted);
        self.pass_on(shared, id);
    }

    /// A node would take the newcomer.
    pub(super) fn invited<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        id: AnnouncementId,
        invitation: Invitation,
    ) {
        let Some(route) = self.routes.by_id.get_mut(&id) else {
            return;
        };
        if !route.tried.contains(&from) || route.passing == 0 {
            return;
        }
        route.passing -= 1;
        match route.from {
            Some(to) if self.links.contains_key(&to) => {
                send(shared, to, OpennetMessage::Invite { id, invitation });
            }
            Some(_) => {}
            None => self.accept_invitation(shared, id, invitation),
        }
    }

    /// Starts an announcement of this node.
    pub(super) fn announce<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        id: AnnouncementId,
        sought: Sought,
    ) {
        let ends = shared.now + self.patience(sought.hops_to_live);
        self.routes.insert(id, Route::new(None, sought, ends));
        self.routes.own += 1;
        self.wake_by(ends);
        self.pass_on(shared, id);
    }

    /// A link is gone: what waited for an answer over it goes on, and what came over it ends.
    pub(super) fn route_lost<B: Block>(&mut self, shared: &mut Shared<B>, peer: PeerId) {
        self.forget_folds(peer);
        let waiting = self
            .routes
            .by_id
            .iter()
            .filter(|(_, route)| route.waiting == Some(peer));
        let waiting: Vec<_> = waiting.map(|(&id, _)| id).collect();
        for id in waiting {
            if let Some(route) = self.routes.by_id.get_mut(&id) {
                route.waiting = None;
            }
            self.pass_on(shared, id);
        }
    }

    pub(super) fn end_late_routes(&mut self, now: Time) {
        while let Some(route) = self.routes.pop_late(now) {
            if route.from.is_none() && route.waiting.is_some() {
                self.routes.own = self.routes.own.saturating_sub(1);
            }
        }
    }

    /// Invites the newcomer, if this node is where it looks, or has a place and is on the way to its neighbours.
    fn invite_newcomer<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        id: AnnouncementId,
        route: &mut Route,
    ) {
        let node = route.sought.newcomer.node;
        if route.sought.wanted == 0 || self.has_link_with(&node) && !self.is_guest_with(&node) {
            return;
        }
        let at_end = self.next_of_route(shared, route).is_none();
        let invites = match self.verdict(shared, &node, route.place) {
            Verdict::Neighbour(_) => at_end || route.seeks_lattice() || route.is_about(shared.me),
            // The last one is for a neighbour
            Verdict::Room | Verdict::Replace(_) if route.seeks_lattice() => route.sought.wanted > 1,
            Verdict::Room | Verdict::Replace(_) => at_end || route.is_about(shared.me),
            Verdict::No => false,
        };
        if !invites {
            return;
        }
        if let Some(invitation) = self.invite(shared) {
            route.sought.wanted -= 1;
            route.passing = route.passing.saturating_sub(1);
            send(shared, from, OpennetMessage::Invite { id, invitation });
        }
    }

    /// Passes an announcement on, or says that it has ended.
    fn pass_on<B: Block>(&mut self, shared: &mut Shared<B>, id: AnnouncementId) {
        let Some(route) = self.routes.by_id.get(&id) else {
            return;
        };
        let goes_on = route.sought.wanted > 0 && route.sought.hops_to_live > HopsToLive::ZERO;
        let next = goes_on
            .then(|| {
                self.next_of_route(shared, route)
                    .or_else(|| self.next_around(route))
            })
            .flatten();
        let (from, sought) = (route.from, route.sought.clone());
        let Some(route) = self.routes.by_id.get_mut(&id) else {
            return;
        };
        let Sought {
            newcomer,
            seek,
            hops_to_live,
            wanted,
        } = sought;
        if let Some(next) = next {
            route.tried.push(next);
            route.waiting = Some(next);
            let message = OpennetMessage::Announce {
                id,
                newcomer,
                seek,
                hops_to_live,
                wanted,
            };
            send(shared, next, message);
            return;
        }
        match from {
            Some(from) if self.links.contains_key(&from) => {
                send(
                    shared,
                    from,
                    OpennetMessage::AnnouncementEnded {
                        id,
                        hops_to_live,
                        wanted,
                    },
                );
            }
            Some(_) => {}
            None => {
                let fruitful = route.fruitful;
                self.routes.own = self.routes.own.saturating_sub(1);
                self.own_announcement_ended(shared, seek, fruitful);
            }
        }
    }

    /// The peer that is closest to where an announcement goes, if that is closer than this node. The newcomer's own goes
    /// to the closest of all.
    fn next_of_route<B: Block>(&self, shared: &Shared<B>, route: &Route) -> Option<PeerId> {
        if !route.tried.is_empty() {
            return None;
        }
        let next = self.closest_to_route(route)?;
        let closer = |&(distance, _): &(u64, PeerId)| {
            route.from.is_none() || distance < route.distance(shared.me)
        };
        Some(next).filter(closer).map(|(_, peer)| peer)
    }

    /// The next peer around the end of the way.
    fn next_around(&self, route: &Route) -> Option<PeerId> {
        if route.seeks_lattice() || route.tried.len() >= TRIED_MAX {
            return None;
        }
        self.closest_to_route(route).map(|(_, peer)| peer)
    }

    fn closest_to_route(&self, route: &Route) -> Option<(u64, PeerId)> {
        let own = route.from.is_none();
        let usable = self.links.iter().filter(|&(peer, link)| {
            (link.is_adopted() || own && link.is_host())
                && Some(*peer) != route.from
                && link.contact.node != route.sought.newcomer.node
                && !route.tried.contains(peer)
        });
        usable
            .map(|(&peer, link)| (route.distance(link.location), peer))
            .min()
    }

    fn is_guest_with(&self, node: &crypto::NodeId) -> bool {
        self.links
            .values()
            .any(|link| link.is_guest() && link.contact.node == *node)
    }

    fn patience(&self, hops_to_live: HopsToLive) -> Duration {
        self.config.announcement_hop_timeout * (u32::from(hops_to_live.get()) + 2)
    }
}

/// A node invites if it is nearer to the place sought than the newcomer by this factor: its distance from the newcomer is
/// then about as wanted.
const ABOUT: u64 = 4;

/// So many peers are tried one after the other at one node.
const TRIED_MAX: usize = 3;

/// No newcomer gets more invitations by one announcement.
const WANTED_MAX: u8 = 16;
