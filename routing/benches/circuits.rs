//! What a block through a circuit of six hops costs, all nodes together on one core: `cargo bench -p routing`.
//!
//! Beside it are the limits: the cipher alone for as many hops, and the handshakes of a circuit, of which there is one for each
//! 32 blocks of a file of this length. The rest is the routers, commands, encoding, and copies. Then: what circuits take of memory.
#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
#![expect(clippy::disallowed_methods, reason = "a measurement reads a clock")]

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crypto::onion::{CellSize, CircuitKeys, Handshake, OnionKey, OnionSecret, RelayKeys, answer};
use crypto::{BlockKey, ContentExtra, ContentKey, FileKey, VerifiedBlock};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use routing::{
    Action, Anonymity, Class, Config, Effort, Event, Group, Level, LocalId, Location, LookupResult,
    OnionConfig, PeerId, PeerKind, Role, Router, StoreResult, Time, Trust, Via, decode, encode,
};

const NODES: u32 = 30;
/// To both sides, so that each has 18 peers: with fewer, circuits are longer.
const LINKS: u32 = 9;
const BLOCKS: u64 = 1_000;

fn main() {
    memory();
    let set_up = set_up_alone();
    let limit = cipher_alone();
    let through = network(Anonymity::Circuit(Via {
        level: Level::Six,
        group: Group(1),
        role: Role::Part,
    }));
    let direct = network(Anonymity::Off);
    let rate = |took: Duration| {
        let bytes = f64::from(u32::try_from(BLOCKS).unwrap_or(u32::MAX)) * 32_768.0;
        bytes / 1e6 / took.as_secs_f64()
    };
    let each = |took: Duration| took / u32::try_from(BLOCKS).unwrap_or(u32::MAX);
    for (what, took) in [
        ("cipher alone, six hops back", limit),
        ("fetch through six hops", through),
        ("fetch without a circuit", direct),
    ] {
        println!("{what}: {:.1} MB/s, {:?} a block", rate(took), each(took));
    }
    println!(
        "handshakes of a circuit of six hops: {set_up:?}, {:?} a block",
        set_up / 32
    );
}

/// What circuits take in the memory of all nodes, as the system sees it.
fn memory() {
    let before = resident();
    let none = ready(0);
    let idle = resident();
    drop(none);
    let many = ready(40);
    let busy = resident();
    let relayed: usize = many
        .routers
        .iter()
        .filter_map(|router| Some(router.onion()?.relayed))
        .sum();
    let taken = busy.saturating_sub(before.max(idle));
    println!(
        "{relayed} circuits relayed, the originators' own parts included: {taken} KiB, {} bytes each",
        taken * 1024 / relayed.max(1)
    );
}

/// KiB of this process in memory; zero where there is no `/proc`.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// All handshakes of a circuit, on both sides.
fn set_up_alone() -> Duration {
    let secrets = secrets();
    let start = Instant::now();
    for _ in 0..40 {
        circuit(&secrets);
    }
    start.elapsed() / 40
}

/// Six relays' onion keys.
fn secrets() -> Vec<OnionSecret> {
    let mut rng = ChaCha8Rng::from_seed([2; 32]);
    (0..6).map(|_| OnionSecret::generate(&mut rng)).collect()
}

/// A circuit of six hops: the relays' keys, and the originator's.
fn circuit(secrets: &[OnionSecret]) -> (Vec<RelayKeys>, CircuitKeys) {
    let mut rng = ChaCha8Rng::from_seed([1; 32]);
    let mut relays: Vec<RelayKeys> = Vec::new();
    let mut circuit: Option<CircuitKeys> = None;
    for secret in secrets {
        // As it comes in a list
        let key = OnionKey::from_bytes(*secret.key().as_bytes()).expect("it is a key");
        let (handshake, create) = Handshake::begin(key, &mut rng);
        let (created, keys) = answer([secret], &create, &mut rng).expect("it is for this key");
        let hop = handshake.finish(&created).expect("it is the answer");
        relays.push(keys);
        match &mut circuit {
            Some(circuit) => circuit.push(hop).expect("six hops fit"),
            None => circuit = Some(CircuitKeys::new(hop)),
        }
    }
    (relays, circuit.expect("it has six hops"))
}

/// A block cell through five layers and the end's, and all of them taken off.
fn cipher_alone() -> Duration {
    let (mut relays, mut circuit) = circuit(&secrets());
    let payload = vec![7; 32_800];
    let (end, before) = relays.split_last_mut().expect("there are six");
    let start = Instant::now();
    for number in 0..u32::try_from(BLOCKS).unwrap_or(u32::MAX) {
        let mut cell = end
            .seal_backward(number, CellSize::Block, &payload)
            .expect("it fits");
        for relay in before.iter_mut().rev() {
            relay.wrap_backward(number, &mut cell).expect("it is new");
        }
        circuit
            .open_backward(number, &mut cell)
            .expect("it is from the end");
    }
    start.elapsed()
}

/// Routers in one process, and messages without latency.
struct World {
    now: Time,
    routers: Vec<Router>,
    stores: Vec<BTreeMap<BlockKey, VerifiedBlock>>,
    under_way: VecDeque<(u32, u32, Bytes)>,
    done: u64,
}

/// A network of a minute, in which each node has so many circuits standing by.
fn ready(spare: usize) -> World {
    let config = Arc::new(Config {
        onion: Some(Arc::new(OnionConfig {
            spare,
            ..OnionConfig::default()
        })),
        ..Config::default()
    });
    let seed = |node: u32| [u8::try_from(node).unwrap_or(0); 32];
    let mut world = World {
        now: Time::ZERO,
        routers: (0..NODES)
            .map(|node| Router::new(place(node), Arc::clone(&config), seed(node)))
            .collect(),
        stores: (0..NODES).map(|_| BTreeMap::new()).collect(),
        under_way: VecDeque::new(),
        done: 0,
    };
    world.link_all();
    for second in 1..60 {
        world.pass(Duration::from_secs(second));
    }
    world
}

fn network(anonymity: Anonymity) -> Duration {
    let mut world = ready(OnionConfig::default().spare);
    let view = world.routers[0].onion().expect("it is on");
    assert_eq!(view.hops_least, Some(6), "that is what is measured");
    let blocks: Vec<VerifiedBlock> = (0..BLOCKS).map(content).collect();
    for block in &blocks {
        for store in world.stores.iter_mut().skip(1) {
            store.insert(block.key(), block.clone());
        }
    }
    let start = Instant::now();
    for (id, block) in (0..).map(LocalId).zip(&blocks) {
        let fetch = Event::Fetch {
            id,
            key: block.key(),
            class: Class::Bulk,
            effort: Effort::Once,
            anonymity,
        };
        world.tell(0, fetch);
        world.deliver();
    }
    let mut second = 60;
    while world.done < BLOCKS && second < 200 {
        world.pass(Duration::from_secs(second));
        second += 1;
    }
    assert_eq!(world.done, BLOCKS, "every block arrives");
    start.elapsed()
}

impl World {
    /// Each is a friend of the next few on both sides.
    fn link_all(&mut self) {
        for node in 0..NODES {
            for step in 1..=LINKS {
                let other = (node + step) % NODES;
                for (one, peer) in [(node, other), (other, node)] {
                    let kind = PeerKind::Friend {
                        trust: Trust::Normal,
                    };
                    let (peer, location) = (PeerId(peer), place(peer));
                    self.tell(
                        one,
                        Event::PeerUp {
                            peer,
                            location,
                            kind,
                        },
                    );
                }
            }
        }
    }

    fn tell(&mut self, node: u32, event: Event) {
        self.routers[node as usize].handle(self.now, event);
        self.carry_out(node);
    }

    /// Time goes on to `since_start`, and everything happens that follows.
    fn pass(&mut self, since_start: Duration) {
        self.now = Time::ZERO + since_start;
        for node in 0..NODES {
            self.routers[node as usize].handle_timeout(self.now);
            self.carry_out(node);
        }
        self.deliver();
    }

    fn deliver(&mut self) {
        while let Some((from, to, bytes)) = self.under_way.pop_front() {
            let message = decode(&bytes).expect("a router's message comes back");
            drop(bytes);
            let from = PeerId(from);
            self.tell(to, Event::Message { from, message });
        }
    }

    fn carry_out(&mut self, node: u32) {
        while let Some(action) = self.routers[node as usize].poll_action() {
            match action {
                Action::Send { to, message, .. } => {
                    self.under_way.push_back((node, to.0, encode(&message)));
                }
                Action::Lookup { ticket, key, .. } => {
                    let held = self.stores[node as usize].get(&key).cloned();
                    let result = held.map_or(LookupResult::Missing, LookupResult::Found);
                    self.tell(node, Event::LookupDone { ticket, result });
                }
                Action::Store { ticket, .. } => {
                    let result = StoreResult::Kept;
                    self.tell(node, Event::StoreDone { ticket, result });
                }
                Action::FetchDone { result, .. } => {
                    result.expect("the block is there");
                    self.done += 1;
                }
                _ => {}
            }
        }
    }
}

fn place(node: u32) -> Location {
    Location::from_fraction(f64::from(node) / f64::from(NODES))
}

fn content(number: u64) -> VerifiedBlock {
    let file_key = FileKey::random(&mut ChaCha8Rng::seed_from_u64(number));
    ContentKey::seal(file_key, ContentExtra::default(), &[7; 32_768])
        .expect("it is as long as a block may be")
        .1
}
