//! How many messages a relay handles in a second, on one core: `cargo bench -p routing`.
//!
//! The figures are for the router alone, encoding and decoding included; sending and storing are the node's.
#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
#![expect(clippy::disallowed_methods, reason = "a measurement reads a clock")]

use std::time::Instant;

use bytes::Bytes;
use crypto::{BlockKey, BlockKind, ContentExtra, ContentKey, FileKey, RoutingKey, VerifiedBlock};
use routing::{
    Action, BlockBytes, Class, Config, Copies, Event, HopsToLive, InsertStage, Location,
    LookupResult, Message, PeerId, PeerKind, RequestId, Router, StoreResult, Time, Trust, decode,
    encode,
};

const ROUNDS: u64 = 20_000;

fn main() {
    measure("fetches that miss (4 messages each)", miss);
    let block = content();
    measure(
        "fetches of a 32 KiB block through a relay (5 messages each)",
        |relay, number| {
            hit(relay, number, &block);
        },
    );
    measure(
        "inserts of a 32 KiB block through a relay (8 messages each)",
        |relay, number| {
            insert(relay, number, &block);
        },
    );
}

/// A router with twenty peers, and the number of messages in and out.
struct Relay {
    router: Router,
    now: Time,
    messages: u64,
}

fn measure(what: &str, round: impl Fn(&mut Relay, u64)) {
    let mut relay = Relay {
        router: Router::new(Location::from_fraction(0.5), Config::default(), [1; 32]),
        now: Time::ZERO,
        messages: 0,
    };
    for peer in 0..20 {
        let location = Location::from_fraction(f64::from(peer) / 20.0);
        relay.tell(Event::PeerUp {
            peer: PeerId(peer),
            location,
            kind: PeerKind::Friend {
                trust: Trust::Normal,
            },
        });
    }
    let start = Instant::now();
    for number in 0..ROUNDS {
        round(&mut relay, number);
        relay.now = Time::from_micros(number * 1_000);
        relay.router.handle_timeout(relay.now);
    }
    let seconds = start.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let messages = relay.messages as f64;
    println!(
        "{what}: {:.0} messages/s, {:.1} us each",
        messages / seconds,
        seconds / messages * 1e6
    );
    assert!(relay.router.is_idle(), "{:?}", relay.router.load());
}

fn miss(relay: &mut Relay, number: u64) {
    let mut routing_key = [0; 32];
    routing_key[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    let key = BlockKey {
        kind: BlockKind::Content,
        routing_key: RoutingKey::from_bytes(routing_key),
    };
    let (peer, id) = relay.fetch(number, key);
    relay.hear(
        peer,
        &Message::NotFound {
            id,
            left: HopsToLive::ZERO,
        },
    );
}

fn hit(relay: &mut Relay, number: u64, block: &VerifiedBlock) {
    let (peer, id) = relay.fetch(number, block.key());
    relay.hear(peer, &Message::Accepted { id });
    relay.hear(
        peer,
        &Message::Found {
            id,
            block: bytes(block),
        },
    );
}

fn insert(relay: &mut Relay, number: u64, block: &VerifiedBlock) {
    let from = asker(number);
    let stage = InsertStage::Replicate(Copies::new(2).expect("within the bounds"));
    let offer = Message::Offer {
        id: RequestId(number),
        key: block.key(),
        stage,
        class: Class::Bulk,
    };
    relay.hear(from, &offer);
    let actions = relay.hear(
        from,
        &Message::Block {
            id: RequestId(number),
            block: bytes(block),
        },
    );
    let (peer, id) = question(&actions);
    relay.hear(peer, &Message::Accepted { id });
    relay.hear(
        peer,
        &Message::Stored {
            id,
            copies: 1.try_into().expect("not zero"),
        },
    );
    for action in actions {
        if let Action::Store { ticket, .. } = action {
            relay.tell(Event::StoreDone {
                ticket,
                result: StoreResult::Kept,
            });
        }
    }
}

impl Relay {
    /// A peer asks for what the store does not have; gives the peer that is asked next.
    fn fetch(&mut self, number: u64, key: BlockKey) -> (PeerId, RequestId) {
        let hops_to_live = HopsToLive::new(10).expect("within the bounds");
        let fetch = Message::Fetch {
            id: RequestId(number),
            key,
            hops_to_live,
            tie_break: 300,
            class: Class::Bulk,
        };
        let actions = self.hear(asker(number), &fetch);
        let Some(Action::Lookup { ticket, .. }) = actions.first() else {
            panic!("no lookup: {actions:?}")
        };
        question(&self.tell(Event::LookupDone {
            ticket: *ticket,
            result: LookupResult::Missing,
        }))
    }

    fn hear(&mut self, from: PeerId, message: &Message) -> Vec<Action> {
        let message = decode(&encode(message)).expect("a message comes back from its bytes");
        self.messages += 1;
        self.tell(Event::Message { from, message })
    }

    fn tell(&mut self, event: Event) -> Vec<Action> {
        self.router.handle(self.now, event);
        let actions: Vec<_> = std::iter::from_fn(|| self.router.poll_action()).collect();
        for action in &actions {
            if let Action::Send { message, .. } = action {
                self.messages += 1;
                std::hint::black_box(encode(message));
            }
        }
        actions
    }
}

fn question(actions: &[Action]) -> (PeerId, RequestId) {
    let questions = actions.iter().find_map(|action| match action {
        Action::Send {
            to,
            message: message @ (Message::Fetch { .. } | Message::Offer { .. }),
            ..
        } => Some((*to, message.id()?)),
        _ => None,
    });
    questions.unwrap_or_else(|| panic!("nobody is asked: {actions:?}"))
}

fn asker(number: u64) -> PeerId {
    PeerId(u32::try_from(number % 20).expect("below 20"))
}

fn bytes(block: &VerifiedBlock) -> BlockBytes {
    BlockBytes(Bytes::clone(block.bytes()))
}

fn content() -> VerifiedBlock {
    let sealed = ContentKey::seal(
        FileKey::convergent(&[1; 32]),
        ContentExtra::default(),
        &[1; 1_000],
    );
    sealed.expect("a payload within the bound").1
}
