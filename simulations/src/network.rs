//! The world: nodes, links and virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use crypto::{BlockKey, VerifiedBlock};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use routing::{
    Action, Class, Config, Event, LocalId, Location, LookupResult, Message, PeerId, PeerKind,
    Router, StoreTicket, Time, Trust, decode, encode,
};

use crate::elided_block::{SimBlock, sent_len};
use crate::link_model::LinkModel;
use crate::measure::{Counters, Ended, Report};
use crate::random::{rng_for, seed_for};
use crate::sim_node::{Sabotage, SimNode};
use crate::topology::Topology;

/// How a network is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of every router.
    pub config: Config,
    /// Of every link.
    pub links: LinkModel,
    /// How long a store takes to answer.
    pub store_delay: Duration,
    /// A planted fault.
    pub sabotage: Sabotage,
    /// Whether messages are encoded, put into the trace, and decoded. It costs time; without, the trace says nothing.
    pub traced: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config: Config::default(),
            links: LinkModel::default(),
            store_delay: Duration::from_micros(300),
            sabotage: Sabotage::None,
            traced: true,
        }
    }
}

/// Many routers in virtual time. A large one routes [`ElidedBlock`](crate::ElidedBlock)s.
#[derive(Debug)]
pub struct Network<B = VerifiedBlock> {
    settings: Settings,
    seed: u64,
    now: Time,
    nodes: Vec<SimNode<B>>,
    topology: Topology,
    /// What will happen, in order; things at one time happen in the order in which they were scheduled.
    schedule: BTreeMap<(Time, u64), Happening<B>>,
    scheduled: u64,
    rng: ChaCha8Rng,
    trace: blake3::Hasher,
    counters: Counters,
    reports: Vec<Report<B>>,
}

/// Names a request of a node's user. It is the request's index among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestHandle(usize);

#[derive(Debug)]
enum Happening<B> {
    Arrival {
        to: usize,
        from: usize,
        message: Message,
    },
    LookupDone {
        node: usize,
        life: u32,
        ticket: StoreTicket,
        key: BlockKey,
    },
    StoreDone {
        node: usize,
        life: u32,
        event: Event<B>,
    },
    Wake {
        node: usize,
    },
}

impl<B: SimBlock> Network<B> {
    /// A network whose nodes and links are all up. `seed` decides everything random.
    #[must_use]
    pub fn new(topology: &Topology, settings: Settings, seed: u64) -> Self {
        let mut network = Self {
            now: Time::ZERO,
            nodes: Vec::with_capacity(topology.locations.len()),
            topology: topology.clone(),
            schedule: BTreeMap::new(),
            scheduled: 0,
            rng: rng_for(seed, "links"),
            trace: blake3::Hasher::new(),
            counters: Counters::default(),
            reports: Vec::new(),
            seed,
            settings,
        };
        for (index, &location) in topology.locations.iter().enumerate() {
            let router = network.new_router(index, location, 1);
            network.nodes.push(SimNode::new(router, location));
        }
        for &(a, b) in &topology.links {
            network.connect(a, b);
        }
        network
    }

    /// A node's user asks for a block.
    pub fn fetch(&mut self, node: usize, key: BlockKey) -> RequestHandle {
        let handle = self.begin(node, key);
        self.handle(
            node,
            Event::Fetch {
                id: local_id(handle),
                key,
                class: Class::RealTime,
            },
        );
        handle
    }

    /// A node's user publishes a block.
    pub fn insert(&mut self, node: usize, block: B) -> RequestHandle {
        let handle = self.begin(node, block.key());
        self.handle(
            node,
            Event::Insert {
                id: local_id(handle),
                block,
                class: Class::RealTime,
            },
        );
        handle
    }

    /// A node's user wants a request no more.
    pub fn cancel(&mut self, handle: RequestHandle) {
        let node = self.report(handle).node;
        self.handle(
            node,
            Event::Cancel {
                id: local_id(handle),
            },
        );
    }

    /// Lets time pass until nothing is left to happen.
    pub fn run(&mut self) {
        while self.step() {}
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let until = self.now + duration;
        while self
            .schedule
            .first_key_value()
            .is_some_and(|(&(at, _), _)| at <= until)
        {
            self.step();
        }
        self.now = until;
    }

    /// Lets the next thing happen, if there is any.
    pub fn step(&mut self) -> bool {
        let Some(((at, _), happening)) = self.schedule.pop_first() else {
            return false;
        };
        self.now = at;
        match happening {
            Happening::Arrival { to, from, message } => {
                self.handle(
                    to,
                    Event::Message {
                        from: peer_id(from),
                        message,
                    },
                );
            }
            Happening::LookupDone {
                node,
                life,
                ticket,
                key,
            } if life == self.nodes[node].life => {
                let block = self.nodes[node].look_up(&key).cloned();
                let result = block.map_or(LookupResult::Missing, LookupResult::Found);
                self.handle(node, Event::LookupDone { ticket, result });
            }
            Happening::StoreDone { node, life, event } if life == self.nodes[node].life => {
                self.handle(node, event);
            }
            Happening::LookupDone { .. } | Happening::StoreDone { .. } => {}
            Happening::Wake { node } => self.wake(node),
        }
        true
    }

    /// Stops a node as if its power failed: its peers notice, its store remains.
    pub fn stop_node(&mut self, node: usize) {
        self.nodes[node].running = false;
        for peer in self.topology.neighbours(node).collect::<Vec<_>>() {
            self.handle(
                peer,
                Event::PeerDown {
                    peer: peer_id(node),
                },
            );
        }
    }

    /// Starts a stopped node again, with its store and without any memory else.
    pub fn restart_node(&mut self, node: usize) {
        let SimNode { location, life, .. } = self.nodes[node];
        let router = self.new_router(node, location, life + 1);
        let stopped = &mut self.nodes[node];
        stopped.router = router;
        stopped.life += 1;
        stopped.running = true;
        stopped.wakes = None;
        for peer in self.topology.neighbours(node).collect::<Vec<_>>() {
            if self.nodes[peer].running {
                self.connect(node, peer);
            }
        }
    }

    /// Makes a node silent: it takes no part any more, and its peers do not notice.
    pub fn mute_node(&mut self, node: usize) {
        self.nodes[node].running = false;
    }

    /// Puts a block into a node's store, as if an insert had left it there.
    pub fn give(&mut self, node: usize, block: B) {
        self.nodes[node].store.insert(block.key(), block);
    }

    /// Sends `message` to `to` in the name of its neighbour `from`, as a hostile node would.
    pub fn inject(&mut self, from: usize, to: usize, message: Message) {
        self.deliver(from, to, message);
    }

    /// Who is linked with whom, stopped nodes included.
    #[must_use]
    pub const fn topology(&self) -> &Topology {
        &self.topology
    }

    /// What became of a request.
    #[must_use]
    pub fn report(&self, handle: RequestHandle) -> &Report<B> {
        &self.reports[handle.0]
    }

    /// What became of all requests, in the order in which they were begun.
    #[must_use]
    pub fn reports(&self) -> &[Report<B>] {
        &self.reports
    }

    /// The virtual time.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// What was sent so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// A hash over every message so far: when, from where, to where, and each byte.
    #[must_use]
    pub fn trace(&self) -> blake3::Hash {
        self.trace.finalize()
    }

    /// A node's router.
    #[must_use]
    pub fn router(&self, node: usize) -> &Router<B> {
        &self.nodes[node].router
    }

    /// The running nodes whose routers still have something in progress.
    pub fn busy_nodes(&self) -> impl Iterator<Item = usize> {
        self.nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.running && !node.router.is_idle())
            .map(|(index, _)| index)
    }

    /// The nodes that have a block in their store (their cache does not count), running or not.
    pub fn holders(&self, key: &BlockKey) -> impl Iterator<Item = usize> {
        self.nodes
            .iter()
            .enumerate()
            .filter(move |(_, node)| node.store.contains_key(key))
            .map(|(index, _)| index)
    }

    /// A node's store or cache.
    #[must_use]
    pub fn stored(&self, node: usize, key: &BlockKey) -> Option<&B> {
        self.nodes[node].look_up(key)
    }

    /// A random node that runs and is not `excluded`.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn random_node(&mut self, excluded: Option<usize>) -> usize {
        let nodes = &self.nodes;
        let choice: Vec<usize> = (0..nodes.len())
            .filter(|&node| nodes[node].running && Some(node) != excluded)
            .collect();
        choice[self.rng.random_range(0..choice.len())]
    }

    fn begin(&mut self, node: usize, key: BlockKey) -> RequestHandle {
        let local = self.nodes[node].look_up(&key).is_some();
        self.reports.push(Report {
            node,
            key,
            local,
            began: self.now,
            ended: None,
        });
        RequestHandle(self.reports.len() - 1)
    }

    fn new_router(&self, node: usize, location: Location, life: u32) -> Router<B> {
        let seed = seed_for(self.seed, &format!("router {node}, life {life}"));
        Router::new(location, self.settings.config.clone(), seed)
    }

    fn connect(&mut self, a: usize, b: usize) {
        for (node, other) in [(a, b), (b, a)] {
            let location = self
                .settings
                .sabotage
                .believed(node, self.nodes[other].location);
            self.handle(
                node,
                Event::PeerUp {
                    peer: peer_id(other),
                    location,
                    kind: PeerKind::Friend {
                        trust: Trust::Normal,
                    },
                },
            );
        }
    }

    fn handle(&mut self, node: usize, event: Event<B>) {
        if self.nodes[node].running {
            self.nodes[node].router.handle(self.now, event);
            self.carry_out(node);
        }
    }

    fn wake(&mut self, node: usize) {
        if self.nodes[node].wakes != Some(self.now) {
            return;
        }
        self.nodes[node].wakes = None;
        if self.nodes[node].running {
            self.nodes[node].router.handle_timeout(self.now);
            self.carry_out(node);
        }
    }

    /// Does what a router asks for.
    fn carry_out(&mut self, node: usize) {
        while let Some(action) = self.nodes[node].router.poll_action() {
            match action {
                Action::Send { to, message, .. } => self.deliver(node, index(to), message),
                Action::Lookup { ticket, key, .. } => {
                    self.after(
                        self.settings.store_delay,
                        Happening::LookupDone {
                            node,
                            life: self.nodes[node].life,
                            ticket,
                            key,
                        },
                    );
                }
                Action::Store {
                    ticket,
                    block,
                    place,
                    existing,
                } => {
                    let sabotage = self.settings.sabotage;
                    let result = self.nodes[node].keep(block, place, existing, sabotage);
                    let event = Event::StoreDone { ticket, result };
                    self.after(
                        self.settings.store_delay,
                        Happening::StoreDone {
                            node,
                            life: self.nodes[node].life,
                            event,
                        },
                    );
                }
                Action::FetchDone { id, result } => self.ended(id, Ended::Fetch(result)),
                Action::InsertDone { id, result } => self.ended(id, Ended::Insert(result)),
                Action::Dial { contact } => {
                    self.handle(node, Event::DialFailed { node: contact.node });
                }
                Action::HangUp { peer } | Action::Disconnect { peer, .. } => {
                    let event = Event::PeerDown {
                        peer: peer_id(node),
                    };
                    self.handle(index(peer), event);
                }
            }
        }
        let Some(due) = self.nodes[node].router.next_timeout() else {
            return;
        };
        if self.nodes[node].wakes.is_none_or(|wakes| due < wakes) {
            self.nodes[node].wakes = Some(due);
            self.at(due, Happening::Wake { node });
        }
    }

    fn deliver(&mut self, from: usize, to: usize, message: Message) {
        self.counters.count(&message);
        self.counters.bytes += sent_len::<B>(&message) as u64;
        let message = if self.settings.traced {
            self.through_the_wire(from, to, &message)
        } else {
            message
        };
        match self.settings.links.draw(&mut self.rng) {
            Some(delay) => self.after(delay, Happening::Arrival { to, from, message }),
            None => self.counters.lost += 1,
        }
    }

    fn through_the_wire(&mut self, from: usize, to: usize, message: &Message) -> Message {
        let bytes = encode(message);
        for number in [
            self.now.as_micros(),
            from as u64,
            to as u64,
            bytes.len() as u64,
        ] {
            self.trace.update(&number.to_le_bytes());
        }
        self.trace.update(&bytes);
        decode(&bytes).expect("a router's message comes back from its bytes")
    }

    fn ended(&mut self, LocalId(id): LocalId, ended: Ended<B>) {
        let report = &mut self.reports[usize::try_from(id).expect("ids are indices of reports")];
        assert!(report.ended.is_none(), "a request ended twice: {report:?}");
        report.ended = Some((self.now, ended));
    }

    fn after(&mut self, delay: Duration, happening: Happening<B>) {
        self.at(self.now + delay, happening);
    }

    fn at(&mut self, time: Time, happening: Happening<B>) {
        self.scheduled += 1;
        self.schedule.insert((time, self.scheduled), happening);
    }
}

const fn local_id(RequestHandle(index): RequestHandle) -> LocalId {
    LocalId(index as u64)
}

fn peer_id(node: usize) -> PeerId {
    PeerId(u32::try_from(node).expect("a simulated network has fewer than 2^32 nodes"))
}

const fn index(PeerId(node): PeerId) -> usize {
    node as usize
}
