//! The opennet: links that the routers choose themselves.
//!
//! A node's place is fixed by its identity. It keeps links to its nearest neighbours on the ring (the *lattice*), and
//! others spread evenly over the logarithm of the distance, as short routes need them. It finds both by *announcing*
//! itself, learns of nearer neighbours by *introductions*, and gets better links from requests that succeed (*folding*).
//! `docs/ROUTING.md` has the rules with their reasons.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crypto::NodeId;

use crate::block::Block;
use crate::contact::{Contact, RECORD_LEN_MAX};
use crate::event::{Class, PeerId};
use crate::location::Location;
use crate::message::{Message, RequestId};
use crate::shared::Shared;
use crate::time::Time;
use acquaintances::Acquaintances;
use announcement::Routes;
use config::OpennetConfig;
use invitations::Invitations;
use lattice::Lattice;
use link::{Link, State};
use links::Links;
use message::{Invitation, OpennetMessage, Ticket};
use places::Drops;
use rate::{Allowance, Rate};
use seeking::Search;

mod acquaintances;
mod adoption;
mod announcement;
pub(crate) mod config;
mod folding;
mod invitations;
mod lattice;
mod link;
mod links;
mod log_distance;
pub(crate) mod message;
mod places;
pub(crate) mod rate;
mod ring;
mod seeking;

/// The links to strangers of one node.
#[derive(Debug)]
pub(crate) struct Opennet {
    config: Arc<OpennetConfig>,
    /// How this node can be reached. Until that is known it neither announces itself nor invites.
    me: Option<Contact>,
    /// The links to strangers, of all stages.
    links: Links,
    /// The links that are to come.
    dialling: BTreeMap<NodeId, Dialling>,
    dials: Allowance,
    acquaintances: Acquaintances,
    invitations: Invitations,
    /// Announcements that came by, and own ones.
    routes: Routes,
    drops: Drops,
    lattice: Lattice,
    search: Search,
    /// Invitations that came just before a block.
    folds: BTreeMap<(PeerId, RequestId), Invitation>,
    /// When something is to be done next. It may turn out to be nothing.
    wake: Option<Time>,
}

/// A link that was asked of the driver.
#[derive(Clone, Debug)]
struct Dialling {
    contact: Contact,
    ticket: Ticket,
    ends: Time,
}

impl Opennet {
    /// Of a node at `me`, where it stays.
    pub(crate) fn new(config: Arc<OpennetConfig>, me: Location) -> Self {
        Self {
            config,
            me: None,
            links: Links::around(me),
            dialling: BTreeMap::new(),
            dials: Allowance::default(),
            acquaintances: Acquaintances::default(),
            invitations: Invitations::default(),
            routes: Routes::default(),
            drops: Drops::default(),
            lattice: Lattice::default(),
            search: Search::default(),
            folds: BTreeMap::new(),
            wake: None,
        }
    }

    /// How this node can be reached from now on.
    pub(crate) fn reachable_as<B: Block>(&mut self, shared: &mut Shared<B>, contact: Contact) {
        self.me = Some(contact);
        self.settle(shared);
    }

    /// The nodes through which to become a part of the network.
    pub(crate) fn join<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        remembered: Vec<Contact>,
        seeds: Vec<Contact>,
    ) {
        for contact in remembered.into_iter().rev() {
            self.acquaintances
                .remember(contact, self.config.remembered_max);
        }
        self.acquaintances.add_seeds(seeds);
        self.search.begin(shared.now);
        self.settle(shared);
    }

    /// Contacts of the present peers, and then of earlier ones.
    pub(crate) fn remembered(&self) -> impl Iterator<Item = &Contact> {
        let present = self.links.values().filter(|link| link.is_adopted());
        let earlier = self.acquaintances.remembered();
        let earlier = earlier.filter(|contact| !self.has_link_with(&contact.node));
        present.map(|link| &link.contact).chain(earlier)
    }

    /// A message about links.
    pub(crate) fn handle<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        message: OpennetMessage,
    ) {
        if !self.links.contains_key(&from) {
            return;
        }
        let too_long = |contact: &Contact| contact.record.len() > RECORD_LEN_MAX;
        if message.contacts().iter().any(too_long) || !self.admits(shared, from, &message) {
            self.annoyed_by(shared, from);
            return;
        }
        match message {
            OpennetMessage::Adopt { ticket } => self.adoption_asked(shared, from, ticket),
            OpennetMessage::Adopted => self.adoption_agreed(shared, from),
            OpennetMessage::Guest => self.received_as_guest(shared, from),
            OpennetMessage::Declined => self.declined(shared, from),
            OpennetMessage::Announce {
                id,
                newcomer,
                seek,
                hops_to_live,
                wanted,
            } => self.announced(
                shared,
                from,
                id,
                announcement::Sought {
                    newcomer,
                    seek,
                    hops_to_live,
                    wanted,
                },
            ),
            OpennetMessage::Invite { id, invitation } => {
                self.invited(shared, from, id, invitation);
            }
            OpennetMessage::AnnouncementEnded {
                id,
                hops_to_live,
                wanted,
            } => self.announcement_ended(shared, from, id, hops_to_live, wanted),
            OpennetMessage::Introduce { contacts } => {
                for contact in contacts {
                    self.introduced(shared, contact);
                }
            }
            OpennetMessage::Fold {
                request,
                invitation,
            } => self.fold_offered(shared, from, request, invitation),
        }
        self.settle(shared);
    }

    /// A peer sent something else than a message about links: to it the link carries requests. Its
    /// [`OpennetMessage::Adopted`] may be late or lost.
    pub(crate) fn link_used<B: Block>(&mut self, shared: &mut Shared<B>, from: PeerId) {
        if self
            .links
            .get(&from)
            .is_some_and(|link| matches!(link.state, State::Asked(_)))
        {
            self.adoption_agreed(shared, from);
            self.settle(shared);
        }
    }

    /// Does what is due.
    pub(crate) fn timed_out<B: Block>(&mut self, shared: &mut Shared<B>) {
        if shared.peers.take_hopeless() {
            self.drop_hopeless(shared);
            self.settle(shared);
        }
        if self.wake.is_none_or(|wake| wake > shared.now) {
            return;
        }
        self.wake = None;
        self.expire(shared);
        self.settle(shared);
        self.wake_by_all();
    }

    pub(crate) const fn next_timeout(&self) -> Option<Time> {
        self.wake
    }

    /// A request succeeded.
    pub(crate) const fn note_success(&mut self) {
        self.drops.successes = self.drops.successes.saturating_add(1);
    }

    /// Does what follows from changed links.
    fn settle<B: Block>(&mut self, shared: &mut Shared<B>) {
        self.watch_lattice(shared);
        self.seek(shared);
    }

    fn expire<B: Block>(&mut self, shared: &mut Shared<B>) {
        let now = shared.now;
        self.dialling.retain(|_, dialling| dialling.ends > now);
        self.invitations.expire(now);
        self.acquaintances.expire(now);
        self.end_late_routes(now);
        let late = |link: &Link| link.ends.is_some_and(|ends| ends <= now);
        let late: Vec<_> = self
            .links
            .iter()
            .filter_map(|(&peer, link)| late(link).then_some(peer))
            .collect();
        for peer in late {
            self.hang_up(shared, peer);
        }
    }

    /// Sees that [`Opennet::timed_out`] is called at `time` or before.
    fn wake_by(&mut self, time: Time) {
        self.wake = Some(self.wake.map_or(time, |wake| wake.min(time)));
    }

    fn wake_by_all(&mut self) {
        let links = self.links.values().filter_map(|link| link.ends);
        let dialling = self.dialling.values().map(|dialling| dialling.ends);
        let all = links.chain(dialling).chain(self.invitations.next_expiry());
        let all = all.chain(self.acquaintances.next_expiry());
        let all = all.chain(self.routes.next_end());
        if let Some(first) = all.min() {
            self.wake_by(first);
        }
    }

    fn has_link_with(&self, node: &NodeId) -> bool {
        self.links.values().any(|link| link.contact.node == *node)
    }

    fn is_me(&self, node: &NodeId) -> bool {
        self.me.as_ref().is_some_and(|me| me.node == *node)
    }

    /// Whether a peer stays within what a node may be asked to do for it.
    fn admits<B: Block>(
        &mut self,
        shared: &Shared<B>,
        from: PeerId,
        message: &OpennetMessage,
    ) -> bool {
        let adopted = self.links.get(&from).is_some_and(Link::is_adopted);
        let Some(dealings) = self.links.dealings(from) else {
            return false;
        };
        let (allowance, rate) = match message {
            OpennetMessage::Announce { .. } if adopted => {
                (&mut dealings.announcements, ANNOUNCEMENTS)
            }
            OpennetMessage::Announce { .. } => (&mut dealings.announcements, GUESTS_ANNOUNCEMENTS),
            OpennetMessage::Introduce { .. } => (&mut dealings.introductions, INTRODUCTIONS),
            OpennetMessage::Adopt { .. }
            | OpennetMessage::Adopted
            | OpennetMessage::Guest
            | OpennetMessage::Declined
            | OpennetMessage::Invite { .. }
            | OpennetMessage::AnnouncementEnded { .. }
            | OpennetMessage::Fold { .. } => return true,
        };
        allowance.take(rate, shared.now)
    }

    /// A peer does what it should not, and loses merit. Whoever goes on with it is left.
    fn annoyed_by<B: Block>(&mut self, shared: &mut Shared<B>, from: PeerId) {
        shared.peers.failed(from);
        let Some(dealings) = self.links.dealings(from) else {
            return;
        };
        dealings.annoyances += 1;
        if dealings.annoyances >= ANNOYANCES_MAX {
            let until = shared.now + self.config.shunned_time;
            if let Some(link) = self.links.get(&from) {
                self.acquaintances.shun(link.contact.node, until);
            }
            self.wake_by(until);
            self.hang_up(shared, from);
        }
    }
}

fn send<B: Block>(shared: &mut Shared<B>, to: PeerId, message: OpennetMessage) {
    shared.send(to, Message::Opennet(message), Class::RealTime);
}

/// Over one link. The busiest is that from a seed where many nodes join.
const ANNOUNCEMENTS: Rate = Rate {
    burst: 64,
    each: Duration::from_millis(500),
};

/// Of one newcomer.
const GUESTS_ANNOUNCEMENTS: Rate = Rate {
    burst: 8,
    each: Duration::from_secs(10),
};

/// Over one link: changes of the neighbourhood come in bursts.
const INTRODUCTIONS: Rate = Rate {
    burst: 32,
    each: Duration::from_secs(2),
};

/// After so many messages beyond the allowance a link is given up.
const ANNOYANCES_MAX: u16 = 64;

#[cfg(test)]
mod tests;
