//! Many routers, with the test as their network.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use crypto::{BlockKey, ContentExtra, ContentKey, FileKey, VerifiedBlock};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::anonymity::{Anonymity, Group, Role, Via};
use super::*;
use crate::config::Config;
use crate::contact::{PeerKind, Trust};
use crate::event::{
    Action, Class, Effort, Event, FetchFailure, InsertFailure, InsertSuccess, LocalId,
    LookupResult, StoreResult,
};
use crate::location::Location;
use crate::message::Message;
use crate::onion::message::{Direction, OnionMessage};
use crate::router::Router;
use crate::wire::{decode, encode};

mod bounds;
mod guarding;
mod hostile;
mod lying;
mod relaying;
mod starting;

/// Routers that are friends. Messages take 10 to 30 ms and overtake each other.
struct World {
    now: Time,
    routers: Vec<Router>,
    stores: Vec<BTreeMap<BlockKey, VerifiedBlock>>,
    under_way: BTreeMap<(Time, u64), (usize, usize, Bytes)>,
    sent: u64,
    fetched: BTreeMap<u64, Result<VerifiedBlock, FetchFailure>>,
    inserted: BTreeMap<u64, Result<InsertSuccess, InsertFailure>>,
    remembered: BTreeMap<usize, memory::OnionMemory>,
    /// All that was sent: from, to, what.
    log: Vec<(usize, usize, Message)>,
    /// What becomes of a message of a node.
    meddler: Option<(usize, Meddle)>,
}

/// Changes a message that a node sends, or drops it.
type Meddle = fn(&mut World, usize, Message) -> Option<Message>;

impl World {
    /// A ring in which each is a friend of the next `links` on both sides.
    fn new(nodes: usize, links: usize, onion: OnionConfig) -> Self {
        let config = Config {
            onion: Some(Arc::new(onion)),
            ..Config::default()
        };
        Self::with(nodes, links, &config)
    }

    fn with(nodes: usize, links: usize, config: &Config) -> Self {
        let config = Arc::new(config.clone());
        let seed = |node: usize| [u8::try_from(node + 1).unwrap(); 32];
        let place = |node: usize| {
            let places = f64::from(u32::try_from(nodes).unwrap());
            Location::from_fraction(f64::from(u32::try_from(node).unwrap()) / places)
        };
        let routers = (0..nodes)
            .map(|node| Router::new(place(node), Arc::clone(&config), seed(node)))
            .collect();
        let mut world = Self {
            now: Time::ZERO,
            routers,
            stores: vec![BTreeMap::new(); nodes],
            under_way: BTreeMap::new(),
            sent: 0,
            fetched: BTreeMap::new(),
            inserted: BTreeMap::new(),
            remembered: BTreeMap::new(),
            log: Vec::new(),
            meddler: None,
        };
        for node in 0..nodes {
            for step in 1..=links {
                let other = (node + step) % nodes;
                world.link(node, other);
            }
        }
        world
    }

    fn link(&mut self, one: usize, other: usize) {
        for (node, peer) in [(one, other), (other, one)] {
            let location = self.routers[peer].location();
            let up = Event::PeerUp {
                peer: PeerId(u32::try_from(peer).unwrap()),
                location,
                kind: PeerKind::Friend {
                    trust: Trust::Normal,
                },
            };
            self.tell(node, up);
        }
    }

    /// A node learns who its friends are, among these.
    fn introduce(&mut self, to: usize, friends: impl IntoIterator<Item = usize>) {
        for friend in friends {
            let seed = [u8::try_from(friend).unwrap(); 32];
            let known = Event::KnownAs {
                peer: PeerId(u32::try_from(friend).unwrap()),
                node: crypto::Identity::from_seed(&seed).id(),
            };
            self.tell(to, known);
        }
    }

    /// A node is gone, and all its friends notice.
    fn stop(&mut self, node: usize) {
        let friends: Vec<_> = self.routers[node].peers().map(|view| view.peer).collect();
        for peer in friends {
            let other = usize::try_from(peer.0).unwrap();
            let gone = PeerId(u32::try_from(node).unwrap());
            self.tell(other, Event::PeerDown { peer: gone });
            self.tell(node, Event::PeerDown { peer });
        }
    }

    fn tell(&mut self, node: usize, event: Event) {
        self.routers[node].handle(self.now, event);
        self.carry_out(node);
    }

    fn carry_out(&mut self, node: usize) {
        while let Some(action) = self.routers[node].poll_action() {
            match action {
                Action::Send { to, message, .. } => {
                    let to = usize::try_from(to.0).unwrap();
                    self.send(node, to, message);
                }
                Action::Lookup { ticket, key, .. } => {
                    let held = self.stores[node].get(&key).cloned();
                    let result = held.map_or(LookupResult::Missing, LookupResult::Found);
                    self.tell(node, Event::LookupDone { ticket, result });
                }
                Action::Store { ticket, block, .. } => {
                    self.stores[node].insert(block.key(), block);
                    let result = StoreResult::Kept;
                    self.tell(node, Event::StoreDone { ticket, result });
                }
                Action::FetchDone { id, result } => {
                    assert!(self.fetched.insert(id.0, result).is_none(), "ended twice");
                }
                Action::InsertDone { id, result } => {
                    assert!(self.inserted.insert(id.0, result).is_none(), "ended twice");
                }
                Action::Remember { memory } => drop(self.remembered.insert(node, memory)),
                Action::Disconnect { reason, .. } => panic!("disconnected: {reason}"),
                Action::NextStored { .. }
                | Action::Moved { .. }
                | Action::Appeared { .. }
                | Action::Dial { .. }
                | Action::HangUp { .. } => {}
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, message: Message) {
        let message = match self.meddler {
            Some((meddler, meddle)) if meddler == from => meddle(self, to, message),
            Some(_) | None => Some(message),
        };
        if let Some(message) = message {
            self.post(from, to, &message);
        }
    }

    fn post(&mut self, from: usize, to: usize, message: &Message) {
        self.post_later(Duration::ZERO, from, to, message);
    }

    fn post_later(&mut self, held: Duration, from: usize, to: usize, message: &Message) {
        self.sent += 1;
        let way = Duration::from_millis(10 + self.sent * 7_919 % 21);
        let at = (self.now + held + way, self.sent);
        let bytes = encode(message);
        self.log.push((from, to, decode(&bytes).unwrap()));
        self.under_way.insert(at, (from, to, bytes));
    }

    /// Lets so much time pass.
    fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let timers = self.routers.iter().enumerate();
            let timer = timers
                .filter_map(|(node, router)| Some((router.next_timeout()?, node)))
                .min();
            let arrival = self.under_way.first_key_value().map(|(&at, _)| at);
            let timer_first = match (timer, arrival) {
                (Some((due, _)), Some((at, _))) => due <= at,
                (Some(_), None) => true,
                (None, _) => false,
            };
            let next = if timer_first {
                timer.map(|(due, _)| due)
            } else {
                arrival.map(|(at, _)| at)
            };
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            if timer_first {
                let (_, node) = timer.unwrap();
                self.routers[node].handle_timeout(self.now);
                self.carry_out(node);
            } else if let Some((_, (from, to, bytes))) = self.under_way.pop_first() {
                let message = decode(&bytes).unwrap();
                drop(bytes);
                let from = PeerId(u32::try_from(from).unwrap());
                self.tell(to, Event::Message { from, message });
            }
        }
    }

    fn fetch(&mut self, node: usize, id: u64, key: BlockKey, via: Via) {
        let fetch = Event::Fetch {
            id: LocalId(id),
            key,
            class: Class::RealTime,
            effort: Effort::Thorough,
            anonymity: Anonymity::Circuit(via),
        };
        self.tell(node, fetch);
    }

    fn insert(&mut self, node: usize, id: u64, block: VerifiedBlock, via: Via) {
        let insert = Event::Insert {
            id: LocalId(id),
            block,
            class: Class::RealTime,
            anonymity: Anonymity::Circuit(via),
        };
        self.tell(node, insert);
    }

    fn guard(&self, node: usize) -> Option<usize> {
        let guard = self.routers[node].onion()?.guard?;
        usize::try_from(guard.0).ok()
    }

    /// Cells and everything else about circuits, with sender and receiver.
    fn onion_log(&self) -> impl Iterator<Item = (usize, usize, &OnionMessage)> {
        self.log.iter().filter_map(|(from, to, message)| {
            if let Message::Onion(message) = message {
                Some((*from, *to, message))
            } else {
                None
            }
        })
    }

    /// The node that was the first to ask its peers for this key.
    fn first_to_ask(&self, wanted: &BlockKey) -> Option<usize> {
        let mut all = self.log.iter();
        let asks = |message: &Message| {
            let (Message::Fetch { key, .. } | Message::Offer { key, .. }) = message else {
                return false;
            };
            key == wanted
        };
        all.find(|(_, _, message)| asks(message))
            .map(|(from, ..)| *from)
    }
}

/// A node's name as a relay.
fn name(world: &World, node: usize) -> list::RelayName {
    let onion = world.routers[node].onion.as_ref().unwrap();
    onion.keys.current().key().into()
}

fn part(group: u64) -> Via {
    Via {
        level: anonymity::Level::Six,
        group: Group(group),
        role: Role::Part,
    }
}

fn block(number: u8) -> VerifiedBlock {
    let file_key = FileKey::random(&mut ChaCha8Rng::seed_from_u64(number.into()));
    ContentKey::seal(file_key, ContentExtra::default(), &[number; 1_000])
        .unwrap()
        .1
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
