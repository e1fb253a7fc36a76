//! One router, with the test as its driver and all of its peers.

use std::time::Duration;

use bytes::Bytes;
use crypto::{
    BlockKey, BlockKind, ContentExtra, ContentKey, FileKey, RoutingKey, SubspaceSecret,
    VerifiedBlock,
};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::*;
use crate::config::Lookahead;
use crate::contact::{PeerKind, Trust};
use crate::event::{
    Class, Effort, Existing, FetchFailure, InsertFailure, InsertSuccess, LocalId, Place,
};
use crate::hops_to_live::HopsToLive;
use crate::message::{BlockBytes, Copies, InsertStage, Refusal};

mod abuse;
mod fetching;
mod finding;
mod inserting;
mod load;
mod outward;
mod publishing;
mod repairing;
mod waiting;

/// A router at a tenth of the ring and what it did.
struct Bench {
    router: Router,
    now: Time,
}

impl Bench {
    /// A router whose peers 1, 2, 3, … are at these places.
    fn new(places: &[f64]) -> Self {
        let config = Config {
            lookahead: Lookahead::Off,
            ..Config::default()
        };
        Self::with_config(config, places)
    }

    fn with_config(config: Config, places: &[f64]) -> Self {
        let mut bench = Self {
            router: Router::new(Location::from_fraction(0.1), config, [7; 32]),
            now: Time::ZERO,
        };
        for (peer, &place) in (1..).map(PeerId).zip(places) {
            bench.tell(Event::PeerUp {
                peer,
                location: Location::from_fraction(place),
                kind: PeerKind::Friend {
                    trust: Trust::Normal,
                },
            });
        }
        bench
    }

    fn tell(&mut self, event: Event) -> Vec<Action> {
        self.router.handle(self.now, event);
        self.actions()
    }

    /// A peer says something.
    fn hear(&mut self, from: u32, message: Message) -> Vec<Action> {
        self.tell(Event::Message {
            from: PeerId(from),
            message,
        })
    }

    /// Time passes, in one step.
    fn wait(&mut self, duration: Duration) -> Vec<Action> {
        self.now = self.now + duration;
        self.router.handle_timeout(self.now);
        self.actions()
    }

    /// A peer asks for `key`; the store does not have it.
    fn asked_for(&mut self, from: u32, id: u64, key: BlockKey, hops: u8) -> Vec<Action> {
        let mut actions = self.hear(from, fetch(id, key, hops));
        actions.extend(self.miss(&actions));
        actions
    }

    /// The user asks for `key`; the store does not have it.
    fn user_fetches(&mut self, id: u64, key: BlockKey) -> Vec<Action> {
        let mut actions = self.tell(Event::Fetch {
            id: LocalId(id),
            key,
            class: Class::RealTime,
            effort: Effort::Once,
            anonymity: crate::Anonymity::Off,
        });
        actions.extend(self.miss(&actions));
        actions
    }

    fn user_inserts(&mut self, id: u64, block: &VerifiedBlock) -> Vec<Action> {
        self.tell(Event::Insert {
            id: LocalId(id),
            block: block.clone(),
            class: Class::RealTime,
            anonymity: crate::Anonymity::Off,
        })
    }

    /// Answers every lookup among `actions` with nothing.
    fn miss(&mut self, actions: &[Action]) -> Vec<Action> {
        self.answer_lookups(actions, &LookupResult::Missing)
    }

    /// Answers every lookup among `actions` as an overworked store does.
    fn unavailable(&mut self, actions: &[Action]) -> Vec<Action> {
        self.answer_lookups(actions, &LookupResult::Unavailable)
    }

    fn answer_lookups(&mut self, actions: &[Action], result: &LookupResult) -> Vec<Action> {
        let tickets: Vec<_> = actions
            .iter()
            .filter_map(|action| {
                if let Action::Lookup { ticket, .. } = action {
                    Some(*ticket)
                } else {
                    None
                }
            })
            .collect();
        tickets
            .into_iter()
            .flat_map(|ticket| {
                self.tell(Event::LookupDone {
                    ticket,
                    result: result.clone(),
                })
            })
            .collect()
    }

    /// Answers every store among `actions`.
    fn kept(&mut self, actions: &[Action], result: StoreResult) -> Vec<Action> {
        let tickets: Vec<_> = actions
            .iter()
            .filter_map(|action| {
                if let Action::Store { ticket, .. } = action {
                    Some(*ticket)
                } else {
                    None
                }
            })
            .collect();
        tickets
            .into_iter()
            .flat_map(|ticket| self.tell(Event::StoreDone { ticket, result }))
            .collect()
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.router.poll_action()).collect()
    }
}

/// The messages among `actions`, with their receivers.
fn sent(actions: &[Action]) -> Vec<(u32, &Message)> {
    actions
        .iter()
        .filter_map(|action| {
            if let Action::Send { to, message, .. } = action {
                Some((to.0, message))
            } else {
                None
            }
        })
        .collect()
}

/// The one question to a peer among `actions`, with its id.
fn question(actions: &[Action]) -> (u32, RequestId) {
    let questions: Vec<_> = sent(actions)
        .into_iter()
        .filter(|(_, message)| matches!(message, Message::Fetch { .. } | Message::Offer { .. }))
        .filter_map(|(to, message)| Some((to, message.id()?)))
        .collect();
    assert_eq!(questions.len(), 1, "{actions:?}");
    questions[0]
}

/// The places into which blocks are stored.
fn places(actions: &[Action]) -> Vec<Place> {
    actions
        .iter()
        .filter_map(|action| {
            if let Action::Store { place, .. } = action {
                Some(*place)
            } else {
                None
            }
        })
        .collect()
}

fn fetch(id: u64, key: BlockKey, hops: u8) -> Message {
    let hops_to_live = HopsToLive::new(hops).unwrap();
    Message::Fetch {
        id: RequestId(id),
        key,
        hops_to_live,
        tie_break: 300,
        class: Class::RealTime,
    }
}

fn offer(id: u64, key: BlockKey, stage: InsertStage) -> Message {
    Message::Offer {
        id: RequestId(id),
        key,
        stage,
        class: Class::RealTime,
    }
}

fn seek(hops: u8) -> InsertStage {
    InsertStage::Seek(HopsToLive::new(hops).unwrap())
}

/// The key at a place on the ring.
fn key_at(place: f64) -> BlockKey {
    let mut routing_key = [0; 32];
    routing_key[..8].copy_from_slice(&Location::from_fraction(place).to_bits().to_be_bytes());
    BlockKey {
        kind: BlockKind::Content,
        routing_key: RoutingKey::from_bytes(routing_key),
    }
}

fn content() -> VerifiedBlock {
    let file_key = FileKey::random(&mut ChaCha8Rng::seed_from_u64(1));
    ContentKey::seal(file_key, ContentExtra::default(), b"content")
        .unwrap()
        .1
}

fn signed(payload: &[u8]) -> VerifiedBlock {
    SubspaceSecret::generate(&mut ChaCha8Rng::seed_from_u64(1))
        .seal("name", payload)
        .unwrap()
}

fn bytes_of(block: &VerifiedBlock) -> BlockBytes {
    BlockBytes(block.bytes().clone())
}

/// Places for peers so that peer 1 is closest to `key`, then 2, and so on; the router itself is farther than the first
/// `closer` of them, which works for any key away from the router.
fn around(key: &BlockKey, peers: u8) -> Vec<f64> {
    let place = Location::of_key(key).as_fraction();
    (1..=peers)
        .map(|peer| place + f64::from(peer) * 0.001)
        .collect()
}
