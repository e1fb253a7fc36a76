//! How a link to a stranger begins and ends.

use std::time::Duration;

use crypto::NodeId;

use super::link::{Dealings, Link, State};
use super::message::{OpennetMessage, Ticket};
use super::places::Verdict;
use super::rate::Rate;
use super::{Dialling, Opennet, send};
use crate::block::Block;
use crate::contact::Contact;
use crate::event::{Action, PeerId};
use crate::shared::Shared;

impl Opennet {
    /// A link to a stranger is there. Whoever dialled says why it should be kept.
    pub(crate) fn link_up<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        peer: PeerId,
        contact: Contact,
        dialled: bool,
    ) {
        // Where both have dialled, what this node dialled is yet to come
        let own = dialled.then(|| self.dialling.remove(&contact.node));
        let ticket = own.flatten().map(|dialling| dialling.ticket);
        let awaited = self
            .links
            .values()
            .filter(|link| link.state == State::Awaited);
        let unwanted = self.acquaintances.shuns(&contact.node, shared.now)
            || self.is_me(&contact.node)
            || (dialled && ticket.is_none())
            || (!dialled && awaited.count() >= self.config.provisional_max);
        if unwanted || !self.is_better_link(shared, &contact, dialled) {
            shared.hang_up(peer);
            return;
        }
        let state = ticket.map_or(State::Awaited, State::Asked);
        let ends = shared.now + self.config.adoption_timeout;
        let link = Link {
            location: contact.location(),
            contact,
            dialled,
            state,
            since: shared.now,
            ends: Some(ends),
            dealings: Dealings::default(),
        };
        self.links.insert(peer, link);
        self.wake_by(ends);
        if let State::Asked(ticket) = state {
            send(shared, peer, OpennetMessage::Adopt { ticket });
        }
        self.settle(shared);
    }

    /// A link to a stranger is gone.
    pub(crate) fn link_down<B: Block>(&mut self, shared: &mut Shared<B>, peer: PeerId) {
        let Some(link) = self.links.remove(&peer) else {
            return;
        };
        if link.is_adopted() {
            self.acquaintances
                .remember(link.contact, self.config.remembered_max);
            self.search.hurry(shared.now);
        }
        self.route_lost(shared, peer);
        self.settle(shared);
    }

    /// The driver could not link with a node.
    pub(crate) fn dial_failed<B: Block>(&mut self, shared: &mut Shared<B>, node: NodeId) {
        if self.dialling.remove(&node).is_none() {
            return;
        }
        let until = shared.now + self.config.shunned_time;
        // A seed is asked again when it is its turn. Where both have dialled at the same time, the other's link may be there
        let is_seed = self
            .acquaintances
            .seeds()
            .iter()
            .any(|seed| seed.node == node);
        if !is_seed && !self.has_link_with(&node) {
            self.acquaintances.shun(node, until);
            self.wake_by(until);
        }
        self.settle(shared);
    }

    /// Asks the driver for a link, unless there is one or there were too many lately. Whether it did.
    pub(super) fn dial<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        contact: Contact,
        ticket: Ticket,
    ) -> bool {
        let node = contact.node;
        let needless = self.is_me(&node)
            || self.has_link_with(&node)
            || self.dialling.contains_key(&node)
            || self.acquaintances.shuns(&node, shared.now)
            || Self::is_friend(shared, contact.location());
        let full = self.dialling.len() >= self.config.provisional_max;
        if needless || full || !self.dials.take(DIALS, shared.now) {
            return false;
        }
        let ends = shared.now + self.config.adoption_timeout;
        let dialling = Dialling {
            contact: contact.clone(),
            ticket,
            ends,
        };
        self.dialling.insert(node, dialling);
        self.wake_by(ends);
        shared.actions.push_back(Action::Dial { contact });
        true
    }

    /// The stranger that dialled says why it should be adopted.
    pub(super) fn adoption_asked<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        ticket: Ticket,
    ) {
        let Some(link) = self
            .links
            .get(&from)
            .filter(|link| link.state == State::Awaited)
        else {
            return;
        };
        let (node, location) = (link.contact.node, link.location);
        let welcome = match ticket {
            Ticket::Invited(token) => self.invitations.redeem(token, shared.now),
            Ticket::Returning => self.acquaintances.remembers(&node),
            Ticket::Neighbour => false,
            // The first nodes of a network know nobody but the seed
            Ticket::Announcing => self.config.seed,
        };
        match self.verdict(shared, &node, location) {
            Verdict::Neighbour(victim) => self.adopt(shared, from, victim),
            Verdict::Room if welcome => self.adopt(shared, from, None),
            Verdict::Replace(victim) if welcome && ticket != Ticket::Announcing => {
                self.adopt(shared, from, Some(victim));
            }
            Verdict::Room | Verdict::Replace(_) | Verdict::No => {
                self.receive_or_decline(shared, from, ticket);
            }
        }
    }

    /// The stranger that this node dialled would be its peer. Much may have happened since this node dialled it.
    pub(super) fn adoption_agreed<B: Block>(&mut self, shared: &mut Shared<B>, from: PeerId) {
        let Some(link) = self.links.get(&from) else {
            return;
        };
        let asked = matches!(link.state, State::Asked(_)) || link.is_host();
        if !asked {
            return;
        }
        let (node, location) = (link.contact.node, link.location);
        match self.verdict(shared, &node, location) {
            Verdict::Neighbour(victim) => self.adopt(shared, from, victim),
            Verdict::Room => self.adopt(shared, from, None),
            Verdict::Replace(victim) => self.adopt(shared, from, Some(victim)),
            Verdict::No => self.part(shared, from),
        }
    }

    /// The seed lets this node announce itself.
    pub(super) fn received_as_guest<B: Block>(&mut self, shared: &mut Shared<B>, from: PeerId) {
        let ends = shared.now + self.config.guest_time;
        if let Some(link) = self.links.get(&from)
            && matches!(link.state, State::Asked(_))
        {
            self.links.host(from, shared.now, ends);
            self.wake_by(ends);
        }
    }

    /// The other side does not want the link, or not any longer.
    pub(super) fn declined<B: Block>(&mut self, shared: &mut Shared<B>, from: PeerId) {
        if let Some(link) = self.links.get(&from)
            && link.is_adopted()
        {
            self.acquaintances.forget(&link.contact.node);
            self.search.hurry(shared.now);
        }
        self.hang_up(shared, from);
    }

    /// Closes a link to a stranger.
    pub(super) fn hang_up<B: Block>(&mut self, shared: &mut Shared<B>, peer: PeerId) {
        if self.links.remove(&peer).is_some() {
            shared.hang_up(peer);
            self.route_lost(shared, peer);
        }
    }

    fn adopt<B: Block>(&mut self, shared: &mut Shared<B>, peer: PeerId, victim: Option<PeerId>) {
        if let Some(victim) = victim {
            self.drop_for_better(shared, victim);
        }
        let Some(link) = self.links.adopt(peer, shared.now) else {
            return;
        };
        let contact = link.contact.clone();
        let dialled = link.dialled;
        self.acquaintances
            .remember(contact, self.config.remembered_max);
        shared.peers.adopt(peer);
        shared.neighbours_changed();
        if !dialled {
            send(shared, peer, OpennetMessage::Adopted);
        }
        self.search.found_peer();
        self.leave_hosts(shared);
    }

    /// There is no place for a stranger. A seed lets it announce itself; others tell it who is nearer, in case that it
    /// believed to be a neighbour.
    fn receive_or_decline<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        ticket: Ticket,
    ) {
        let guests = self.links.values().filter(|link| link.is_guest()).count();
        let announces = matches!(ticket, Ticket::Announcing | Ticket::Returning);
        if announces && self.config.seed && guests < self.config.guests_max {
            let ends = shared.now + self.config.guest_time;
            self.links.host(from, shared.now, ends);
            self.wake_by(ends);
            send(shared, from, OpennetMessage::Guest);
            return;
        }
        if ticket == Ticket::Neighbour {
            self.introduce_nearer(shared, from);
        }
        self.part(shared, from);
    }

    /// Whether a new link to a node is to be kept beside or instead of the one that there may be. Both sides decide the
    /// same where both have dialled at the same time.
    fn is_better_link<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        contact: &Contact,
        dialled: bool,
    ) -> bool {
        let same = |link: &Link| link.contact.node == contact.node;
        let Some((&peer, link)) = self.links.iter().find(|(_, link)| same(link)) else {
            return true;
        };
        let crossed = shared.now.since(link.since) < self.config.adoption_timeout;
        let own_is_kept = self.me.as_ref().is_none_or(|me| me.node < contact.node);
        let better = if link.dialled == dialled || !crossed {
            // It has forgotten the earlier link, or this node has
            true
        } else {
            own_is_kept == dialled
        };
        if better {
            self.hang_up(shared, peer);
        }
        better
    }

    /// A node with peers of its own does not keep a seed's place from others.
    fn leave_hosts<B: Block>(&mut self, shared: &mut Shared<B>) {
        if self.adopted_len() < PEERS_WITHOUT_HOST {
            return;
        }
        let hosts: Vec<_> = self
            .links
            .iter()
            .filter_map(|(&peer, link)| link.is_host().then_some(peer))
            .collect();
        for host in hosts {
            self.part(shared, host);
        }
    }
}

/// So many links are asked for at once and over time: more would let introductions make a node knock at strangers' doors.
const DIALS: Rate = Rate {
    burst: 40,
    each: Duration::from_secs(1),
};

/// With so many peers announcements need no seed.
const PEERS_WITHOUT_HOST: usize = 4;
