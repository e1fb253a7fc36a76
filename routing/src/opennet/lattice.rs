//! The nearest neighbours on the ring, and how they find each other.
//!
//! Each node tells its neighbours who its others are. A node that learns of one nearer than its own dials it. So, whoever
//! is linked with one node of a neighbourhood finds its own neighbours step by step, as in Chord's stabilisation.

use super::Opennet;
use super::message::{CONTACTS_MAX, Contacts, OpennetMessage, Ticket};
use super::places::Verdict;
use super::send;
use crate::block::Block;
use crate::contact::Contact;
use crate::event::PeerId;
use crate::shared::Shared;
use crate::time::Time;

/// What a node knew of its neighbourhood last.
#[derive(Debug, Default)]
pub(super) struct Lattice {
    /// In the order of their handles.
    known: Vec<PeerId>,
    /// When they are told of each other.
    pub(super) introduce_at: Option<Time>,
    /// When this node looks whether they are the nearest.
    pub(super) check_at: Option<Time>,
    /// How often it did since it has peers.
    pub(super) checks: u32,
}

impl Opennet {
    /// Notices changes, and does what is due.
    pub(super) fn watch_lattice<B: Block>(&mut self, shared: &mut Shared<B>) {
        if self.links.take_changed() {
            self.notice_neighbours(shared);
        }
        if self.lattice.introduce_at.is_some_and(|at| at <= shared.now) {
            self.lattice.introduce_at = None;
            self.introduce_neighbours(shared);
            if !self.lattice.known.is_empty() {
                self.introduce_by(shared.now + self.config.introduction_interval);
            }
        }
    }

    /// Peers have come or gone.
    fn notice_neighbours<B: Block>(&mut self, shared: &Shared<B>) {
        let ring = self.links.ring();
        let mut now_known: Vec<_> = ring
            .lattice(self.config.lattice_each_side)
            .filter_map(|member| member.peer)
            .collect();
        now_known.sort_unstable();
        if now_known != self.lattice.known {
            let departed = self
                .lattice
                .known
                .iter()
                .any(|peer| !self.links.contains_key(peer));
            if departed {
                // Those beyond may be unknown here
                self.check_lattice_by(shared.now + self.config.introduction_delay);
            }
            self.introduce_by(shared.now + self.config.introduction_delay);
            self.lattice.known = now_known;
        }
    }

    /// Somebody says that a node is near.
    pub(super) fn introduced<B: Block>(&mut self, shared: &mut Shared<B>, contact: Contact) {
        let location = contact.location();
        let neighbour = matches!(
            self.verdict(shared, &contact.node, location),
            Verdict::Neighbour(_)
        );
        if neighbour && self.search.joined {
            self.dial(shared, contact, Ticket::Neighbour);
        }
    }

    /// Tells a stranger, who believed to be a neighbour, who is nearer to it.
    pub(super) fn introduce_nearer<B: Block>(&self, shared: &mut Shared<B>, to: PeerId) {
        let Some(link) = self.links.get(&to) else {
            return;
        };
        let distance = |location| link.location.distance(location);
        let own = distance(shared.me);
        let nearer = self
            .links
            .values()
            .filter(|other| other.is_adopted() && distance(other.location) < own);
        let mut nearer: Vec<_> = nearer.collect();
        nearer.sort_by_key(|other| distance(other.location));
        let contacts = nearer.into_iter().take(2 * self.config.lattice_each_side);
        introduce(
            shared,
            to,
            contacts.map(|other| other.contact.clone()).collect(),
        );
    }

    pub(super) fn check_lattice_by(&mut self, time: Time) {
        let at = self.lattice.check_at.map_or(time, |at| at.min(time));
        self.lattice.check_at = Some(at);
        self.wake_by(at);
    }

    fn introduce_by(&mut self, time: Time) {
        let at = self.lattice.introduce_at.map_or(time, |at| at.min(time));
        self.lattice.introduce_at = Some(at);
        self.wake_by(at);
    }

    fn introduce_neighbours<B: Block>(&self, shared: &mut Shared<B>) {
        for &to in &self.lattice.known {
            let others = self.lattice.known.iter().filter(|&&peer| peer != to);
            let others = others.filter_map(|peer| self.links.get(peer));
            introduce(
                shared,
                to,
                others.map(|link| link.contact.clone()).collect(),
            );
        }
    }
}

fn introduce<B: Block>(shared: &mut Shared<B>, to: PeerId, mut contacts: Contacts) {
    contacts.truncate(CONTACTS_MAX);
    if !contacts.is_empty() {
        send(shared, to, OpennetMessage::Introduce { contacts });
    }
}
