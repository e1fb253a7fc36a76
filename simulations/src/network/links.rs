//! Links that come up and go down.

use routing::{Contact, Event, PeerKind, Trust};

use super::{Happening, Network, number, peer_id};
use crate::elided_block::SimBlock;
use crate::network::traffic::{Cargo, Parcel};
use crate::sim_node::Link;

impl<B: SimBlock> Network<B> {
    /// Links two nodes as strangers at once, as if the first had dialled the second. The bound on links does not count.
    pub fn introduce(&mut self, dialler: usize, other: usize) {
        self.link_strangers(dialler, other);
    }

    /// Links two running nodes as friends.
    pub(super) fn link_friends(&mut self, a: usize, b: usize) {
        let number = self.next_link();
        for (node, other) in [(a, b), (b, a)] {
            self.come_up(
                node,
                other,
                number,
                PeerKind::Friend {
                    trust: Trust::Normal,
                },
            );
        }
    }

    /// A node dials another. Whether there is a link is known after one round trip, or when the dial has timed out.
    pub(super) fn dial(&mut self, from: usize, contact: &Contact) {
        let life = self.nodes[from].life;
        let from = number(from);
        let target = self.node_of(contact).map(number);
        let Some(to) = target.filter(|&to| to != from) else {
            let failed = Happening::DialFailed {
                from,
                life,
                node: contact.node,
            };
            self.after(self.settings.dial_timeout, failed);
            return;
        };
        let links = &self.settings.links;
        // The transport repeats what is lost
        let ways = [(from, to), (to, from)].map(|(a, b)| {
            std::iter::repeat_with(|| links.draw(self.seed, a, b, &mut self.rng))
                .flatten()
                .next()
        });
        let round_trip = ways.into_iter().flatten().sum();
        self.after(round_trip, Happening::Dialled { from, life, to });
    }

    /// A round trip after a node has dialled another.
    pub(super) fn dialled(&mut self, from: u32, life: u32, to: u32) {
        let (dialler, other) = (&self.nodes[from as usize], &self.nodes[to as usize]);
        if life != dialler.life || !dialler.running {
            return;
        }
        let node = other.contact.as_deref().map(|contact| contact.node);
        let node = node.expect("only nodes with contacts are dialled");
        if !other.running {
            let failed = Happening::DialFailed { from, life, node };
            self.after(self.settings.dial_timeout, failed);
            return;
        }
        let strangers = other.links.iter().filter(|link| link.stranger).count();
        let linked = dialler.link(to).is_some() || other.link(from).is_some();
        if linked || strangers >= self.settings.strangers_max {
            self.tell(from as usize, Event::DialFailed { node });
        } else {
            self.link_strangers(from as usize, to as usize);
        }
    }

    /// A router gives up a link: the other end learns of it after everything that was sent over it.
    pub(super) fn hang_up(&mut self, node: usize, other: usize) {
        if let Some(link) = self.nodes[node].remove_link(number(other)) {
            self.post(node, other, link.number, Cargo::End);
        }
    }

    /// A router cuts a link: the other end learns of it, and nothing that waits is sent over it.
    pub(super) fn cut(&mut self, node: usize, other: usize) {
        let (from, to) = (number(node), number(other));
        if let Some(link) = self.nodes[node].remove_link(to) {
            let way = self.settings.links.longest(self.seed, from, to);
            let parcel = Parcel {
                from,
                to,
                link: link.number,
                cargo: Cargo::End,
            };
            self.after(way, Happening::Arrival { to, parcel });
        }
    }

    /// A node learns that the other end of a link is gone.
    pub(super) fn link_ended(&mut self, node: u32, other: u32, number: u16) {
        let ends = &mut self.nodes[node as usize];
        if ends.link(other).is_some_and(|link| link.number == number) {
            ends.remove_link(other);
            let peer = peer_id(other as usize);
            self.tell(node as usize, Event::PeerDown { peer });
        }
    }

    fn link_strangers(&mut self, dialler: usize, other: usize) {
        let contacts = [dialler, other].map(|node| self.contact(node));
        let [of_dialler, of_other] = contacts;
        let number = self.next_link();
        for (node, peer, contact, dialled) in [
            (other, dialler, of_dialler, false),
            (dialler, other, of_other, true),
        ] {
            self.come_up(node, peer, number, PeerKind::Stranger { contact, dialled });
        }
    }

    fn come_up(&mut self, node: usize, other: usize, number_of_link: u16, kind: PeerKind) {
        self.nodes[node].add_link(Link {
            other: number(other),
            number: number_of_link,
            stranger: matches!(kind, PeerKind::Stranger { .. }),
            small_until: self.now,
        });
        let sabotage = self.settings.sabotage;
        let location = sabotage.believed(node, self.nodes[other].location);
        let peer = peer_id(other);
        let is_friend = matches!(kind, PeerKind::Friend { .. });
        let up = Event::PeerUp {
            peer,
            location,
            kind,
        };
        self.tell(node, up);
        // A guard is known again by who it is; else nobody asks
        if is_friend && self.settings.config.onion.is_some() {
            let friend = self.contact(other).node;
            self.tell(node, Event::KnownAs { peer, node: friend });
        }
    }

    const fn next_link(&mut self) -> u16 {
        self.links_made = self.links_made.wrapping_add(1);
        self.links_made
    }
}
