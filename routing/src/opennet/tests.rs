//! Small opennets in memory, with the test as the driver of all nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crypto::{Identity, NodeId};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::config::OpennetConfig;
use crate::config::Config;
use crate::contact::{Contact, PeerKind};
use crate::event::{Action, Event, PeerId};
use crate::location::Location;
use crate::router::Router;
use crate::time::Time;

mod forming;
mod hostile;

/// Nodes that dial each other, in virtual time. Each link has a handle of its own, the same on both sides.
struct World {
    now: Time,
    nodes: Vec<Node>,
    by_id: BTreeMap<NodeId, usize>,
    /// What will happen, by time and number.
    schedule: BTreeMap<(Time, u64), (usize, Happening)>,
    scheduled: u64,
    /// The two ends of each link.
    links: BTreeMap<PeerId, (usize, usize)>,
    next_link: u32,
    rng: ChaCha8Rng,
    messages: u64,
}

struct Node {
    router: Router,
    contact: Contact,
    running: bool,
}

enum Happening {
    Tell(Event),
    Wake,
    Dialled { contact: Contact },
}

impl World {
    /// A seed of the network, node 0, and nobody else.
    fn new(config: &OpennetConfig) -> Self {
        let mut world = Self {
            now: Time::ZERO,
            nodes: Vec::new(),
            by_id: BTreeMap::new(),
            schedule: BTreeMap::new(),
            scheduled: 0,
            links: BTreeMap::new(),
            next_link: 0,
            rng: ChaCha8Rng::from_seed([5; 32]),
            messages: 0,
        };
        let seed = OpennetConfig {
            seed: true,
            ..config.clone()
        };
        world.add(&seed);
        world
    }

    /// A further node, which joins through node 0.
    fn add(&mut self, config: &OpennetConfig) -> usize {
        let index = self.nodes.len();
        let mut secret = [7; 32];
        secret[..8].copy_from_slice(&(index as u64).to_le_bytes());
        let contact = Contact {
            node: Identity::from_seed(&secret).id(),
            record: Bytes::from_static(b"somewhere"),
        };
        let config = Config {
            opennet: Some(Arc::new(config.clone())),
            ..Config::default()
        };
        let router = Router::new(contact.location(), config, secret);
        self.by_id.insert(contact.node, index);
        self.nodes.push(Node {
            router,
            contact: contact.clone(),
            running: true,
        });
        self.tell(index, Event::OwnContact { contact });
        let seeds = if index == 0 {
            Vec::new()
        } else {
            vec![self.nodes[0].contact.clone()]
        };
        let remembered = Vec::new();
        self.tell(index, Event::Join { remembered, seeds });
        index
    }

    fn tell(&mut self, node: usize, event: Event) {
        if !self.nodes[node].running {
            return;
        }
        self.nodes[node].router.handle(self.now, event);
        self.carry_out(node);
    }

    fn run_for(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(entry) = self.schedule.first_entry()
            && entry.key().0 <= until
        {
            let ((at, _), (node, happening)) = entry.remove_entry();
            self.now = at;
            match happening {
                Happening::Tell(Event::Message { from, message }) => {
                    if self.links.contains_key(&from) {
                        self.tell(node, Event::Message { from, message });
                    }
                }
                Happening::Tell(event) => self.tell(node, event),
                Happening::Wake => {
                    let due = self.nodes[node].router.next_timeout();
                    if self.nodes[node].running && due.is_some_and(|due| due <= at) {
                        self.nodes[node].router.handle_timeout(at);
                        self.carry_out(node);
                    }
                }
                Happening::Dialled { contact } => self.dialled(node, contact),
            }
        }
        self.now = until;
    }

    fn carry_out(&mut self, node: usize) {
        while let Some(action) = self.nodes[node].router.poll_action() {
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "whatever else there is fails the test"
            )]
            match action {
                Action::Send { to, message, .. } => {
                    self.messages += 1;
                    if let Some(other) = self.other_end(to, node) {
                        self.later(other, Happening::Tell(Event::Message { from: to, message }));
                    }
                }
                Action::Dial { contact } => self.later(node, Happening::Dialled { contact }),
                Action::HangUp { peer } | Action::Disconnect { peer, .. } => {
                    if let Some(other) = self.other_end(peer, node) {
                        // What was sent before arrives before
                        let at = self.now + DELAY_MAX;
                        self.at(at, other, Happening::Tell(Event::PeerDown { peer }));
                    }
                }
                other => panic!("nobody asks for blocks: {other:?}"),
            }
        }
        if let Some(due) = self.nodes[node].router.next_timeout() {
            self.at(due.max(self.now), node, Happening::Wake);
        }
    }

    fn dialled(&mut self, node: usize, contact: Contact) {
        let other = self.by_id.get(&contact.node).copied();
        let Some(other) = other.filter(|&other| self.nodes[other].running) else {
            self.tell(node, Event::DialFailed { node: contact.node });
            return;
        };
        let peer = PeerId(self.next_link);
        self.next_link += 1;
        self.links.insert(peer, (node, other));
        let up = |contact: Contact, dialled| Event::PeerUp {
            peer,
            location: Location::from_fraction(0.123),
            kind: PeerKind::Stranger { contact, dialled },
        };
        let caller = self.nodes[node].contact.clone();
        self.tell(other, up(caller, false));
        self.tell(node, up(contact, true));
    }

    /// Stops a node; the others notice after a while.
    fn stop(&mut self, node: usize) {
        self.nodes[node].running = false;
        let ends = self
            .links
            .iter()
            .filter(|(_, (a, b))| *a == node || *b == node);
        let lost: Vec<_> = ends
            .map(|(&peer, &(a, b))| (peer, if a == node { b } else { a }))
            .collect();
        for (peer, other) in lost {
            self.later(other, Happening::Tell(Event::PeerDown { peer }));
        }
    }

    fn later(&mut self, node: usize, happening: Happening) {
        let micros = 10_000 + self.rng.next_u64() % 40_000;
        let at = self.now + Duration::from_micros(micros);
        self.at(at, node, happening);
    }

    fn at(&mut self, at: Time, node: usize, happening: Happening) {
        self.scheduled += 1;
        self.schedule
            .insert((at, self.scheduled), (node, happening));
    }

    fn other_end(&self, peer: PeerId, node: usize) -> Option<usize> {
        let &(a, b) = self.links.get(&peer)?;
        Some(if a == node { b } else { a })
    }

    fn alive(&self) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|&node| self.nodes[node].running)
            .collect()
    }

    /// The nodes whose links with this one carry requests, as it sees it.
    fn peers(&self, node: usize) -> BTreeSet<usize> {
        let adopted = self.nodes[node].router.peers().filter(|peer| peer.adopted);
        adopted
            .filter_map(|peer| self.other_end(peer.peer, node))
            .collect()
    }

    /// Which part of the nodes is linked with all of the two nearest on each side.
    fn lattice(&self) -> f64 {
        let mut ring = self.alive();
        ring.sort_by_key(|&node| self.nodes[node].contact.location());
        let len = ring.len();
        let complete = (0..len).filter(|&place| {
            let peers = self.peers(ring[place]);
            [1, 2, len - 2, len - 1]
                .iter()
                .all(|step| peers.contains(&ring[(place + step) % len]))
        });
        complete.count() as f64 / len as f64
    }

    /// Greedy routes between random nodes: which part arrives, and in how many hops.
    fn routes(&mut self, count: usize) -> (f64, f64) {
        let alive = self.alive();
        let (mut arrived, mut hops) = (0_usize, 0_usize);
        for _ in 0..count {
            let mut pick = || alive[self.rng.next_u32() as usize % alive.len()];
            let (mut at, to) = (pick(), pick());
            let target = self.nodes[to].contact.location();
            let distance = |node: usize| self.nodes[node].contact.location().distance(target);
            let mut way = 0;
            while at != to && way < 50 {
                let Some(next) = self
                    .peers(at)
                    .into_iter()
                    .min_by_key(|&peer| distance(peer))
                else {
                    break;
                };
                if distance(next) >= distance(at) {
                    break;
                }
                (at, way) = (next, way + 1);
            }
            arrived += usize::from(at == to);
            hops += way;
        }
        (arrived as f64 / count as f64, hops as f64 / count as f64)
    }

    fn mean_degree(&self) -> f64 {
        let alive = self.alive();
        let sum: usize = alive.iter().map(|&node| self.peers(node).len()).sum();
        sum as f64 / alive.len() as f64
    }
}

const DELAY_MAX: Duration = Duration::from_millis(51);
