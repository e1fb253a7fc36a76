//! The world: nodes, links and virtual time.

mod life;
mod links;
mod paths;
mod requests;
mod traffic;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crypto::{BlockKey, NodeId, VerifiedBlock};
use rand_chacha::ChaCha8Rng;
use routing::{
    Action, Config, Effort, Event, LookupResult, Origin, PeerId, Router, StoreResult, StoreTicket,
    Time,
};

use crate::bandwidth::Bandwidth;
use crate::behaviour::{Behaviour, Observation};
use crate::elided_block::SimBlock;
use crate::link_model::LinkModel;
use crate::measure::{Counters, Ended, Report};
use crate::random::{rng_for, seed_for};
use crate::schedule::Schedule;
use crate::sim_node::{Sabotage, SimNode};
use crate::sim_store::StoreLimits;
use crate::topology::Topology;
use paths::Paths;

pub use requests::RequestHandle;
pub(crate) use traffic::Parcel;

/// How a network is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of every router.
    pub config: Config,
    /// Of every link.
    pub links: LinkModel,
    /// Of every node's access to the network; none: no bound. [`Network::set_bandwidth`] changes it for a node.
    pub bandwidth: Option<Bandwidth>,
    /// How long a store takes to answer.
    pub store_delay: Duration,
    /// How much each node keeps, and what goes when that is full.
    pub stores: StoreLimits,
    /// How long a dial waits for a node that does not answer.
    pub dial_timeout: Duration,
    /// How long a link is silent until a node believes that the other has crashed.
    pub link_timeout: Duration,
    /// With how many strangers a node's links reach its bound: more who dial it are turned away.
    pub strangers_max: usize,
    /// A planted fault.
    pub sabotage: Sabotage,
    /// Whether messages are encoded, put into the trace, and decoded. It costs time; without, the trace says nothing.
    pub traced: bool,
    /// Whether reports say how far fetches went. It costs some time.
    pub paths: bool,
    /// How thoroughly users search: what is measured of one search needs [`Effort::Once`].
    pub effort: Effort,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config: Config::default(),
            links: LinkModel::default(),
            bandwidth: None,
            store_delay: Duration::from_micros(300),
            stores: StoreLimits::default(),
            // Transports' usual bounds
            dial_timeout: Duration::from_secs(10),
            link_timeout: Duration::from_secs(30),
            strangers_max: 60,
            sabotage: Sabotage::None,
            traced: true,
            paths: true,
            effort: Effort::Once,
        }
    }
}

/// Many routers in virtual time. A large one routes [`ElidedBlock`](crate::ElidedBlock)s.
///
/// Nodes have numbers from 0, and a router's handle of a peer is the peer's number.
#[derive(Debug)]
pub struct Network<B = VerifiedBlock> {
    settings: Settings,
    config: Arc<Config>,
    seed: u64,
    now: Time,
    nodes: Vec<SimNode<B>>,
    /// How many of them run.
    running: usize,
    /// Who is a friend of whom, stopped nodes included.
    friends: Topology,
    schedule: Schedule<Happening>,
    rng: ChaCha8Rng,
    trace: blake3::Hasher,
    counters: Counters,
    reports: Vec<Report<B>>,
    /// Requests of running nodes that have not ended: the node, and the request's index.
    open: BTreeSet<(usize, u64)>,
    paths: Paths,
    links_made: u16,
    behaviours: BTreeMap<usize, Box<dyn Behaviour>>,
    observations: Vec<Observation>,
    /// What watched nodes looked up in their stores.
    lookups: Vec<(Time, usize, BlockKey)>,
    appeared: Vec<(usize, BlockKey)>,
}

#[derive(Debug)]
enum Happening {
    Arrival {
        to: u32,
        parcel: Parcel,
    },
    /// A node's access has carried something out.
    Uploaded {
        node: u32,
    },
    /// A node's access has carried something in.
    Downloaded {
        node: u32,
        parcel: Parcel,
    },
    LookupDone {
        node: u32,
        life: u32,
        ticket: StoreTicket,
        key: BlockKey,
        origin: Origin,
    },
    StoreDone {
        node: u32,
        life: u32,
        ticket: StoreTicket,
        result: StoreResult,
    },
    Listed {
        node: u32,
        life: u32,
        key: Option<BlockKey>,
    },
    Wake {
        node: u32,
    },
    /// The answer to a dial should be there.
    Dialled {
        from: u32,
        life: u32,
        to: u32,
    },
    DialFailed {
        from: u32,
        life: u32,
        node: NodeId,
    },
    /// A node notices that the other end of a link has crashed.
    LinkTimedOut {
        node: u32,
        other: u32,
        number: u16,
    },
}

impl<B: SimBlock> Network<B> {
    /// A network whose nodes and links are all up, as friends. `seed` decides everything random.
    #[must_use]
    pub fn new(topology: &Topology, settings: Settings, seed: u64) -> Self {
        let mut network = Self {
            now: Time::ZERO,
            nodes: Vec::with_capacity(topology.locations.len()),
            running: 0,
            friends: topology.clone(),
            schedule: Schedule::default(),
            rng: rng_for(seed, "links"),
            trace: blake3::Hasher::new(),
            counters: Counters::default(),
            reports: Vec::new(),
            open: BTreeSet::new(),
            paths: Paths::default(),
            links_made: 0,
            behaviours: BTreeMap::new(),
            observations: Vec::new(),
            lookups: Vec::new(),
            appeared: Vec::new(),
            seed,
            config: Arc::new(settings.config.clone()),
            settings,
        };
        for &location in &topology.locations {
            network.push_node(location);
        }
        for (a, b) in topology.links() {
            network.link_friends(a, b);
        }
        network
    }

    /// Lets time pass until nothing is left to happen. Does not end where routers have something to do for ever, as in an
    /// opennet: there, [`Network::run_until_ended`] does.
    pub fn run(&mut self) {
        while self.step() {}
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let until = self.now + duration;
        while self.schedule.first().is_some_and(|at| at <= until) {
            self.step();
        }
        self.now = until;
    }

    /// Lets time pass until every request of a running node's user has ended, at most so long. Says whether all have.
    pub fn run_until_ended(&mut self, longest: Duration) -> bool {
        let until = self.now + longest;
        while !self.open.is_empty() && self.schedule.first().is_some_and(|at| at <= until) {
            self.step();
        }
        self.open.is_empty()
    }

    /// Lets the next thing happen, if there is any.
    pub fn step(&mut self) -> bool {
        let Some((at, happening)) = self.schedule.pop() else {
            return false;
        };
        self.now = at;
        match happening {
            Happening::Arrival { to, parcel } => self.arrive(to, parcel),
            Happening::Uploaded { node } => self.uploaded(node),
            Happening::Downloaded { node, parcel } => self.downloaded(node, parcel),
            Happening::LookupDone {
                node,
                life,
                ticket,
                key,
                origin,
            } => {
                if life == self.nodes[node as usize].life {
                    self.looked_up(node as usize, ticket, &key, origin);
                }
            }
            Happening::StoreDone {
                node,
                life,
                ticket,
                result,
            } => {
                if life == self.nodes[node as usize].life {
                    self.tell(node as usize, Event::StoreDone { ticket, result });
                }
            }
            Happening::Listed { node, life, key } => {
                if life == self.nodes[node as usize].life {
                    self.tell(node as usize, Event::NextStored { key });
                }
            }
            Happening::Wake { node } => self.wake(node as usize),
            Happening::Dialled { from, life, to } => self.dialled(from, life, to),
            Happening::DialFailed { from, life, node } => {
                if life == self.nodes[from as usize].life {
                    self.tell(from as usize, Event::DialFailed { node });
                }
            }
            Happening::LinkTimedOut {
                node,
                other,
                number,
            } => self.link_ended(node, other, number),
        }
        true
    }

    /// Tells a node's router something, if the node runs, and does what that asks for.
    pub fn tell(&mut self, node: usize, event: Event<B>) {
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

    fn looked_up(&mut self, node: usize, ticket: StoreTicket, key: &BlockKey, origin: Origin) {
        let block = self.nodes[node].store.look_up(key, origin).cloned();
        if block.is_some() && self.settings.paths {
            self.paths.found(number(node), key);
        }
        let result = block.map_or(LookupResult::Missing, LookupResult::Found);
        self.tell(node, Event::LookupDone { ticket, result });
    }

    /// Does what a router asks for.
    fn carry_out(&mut self, node: usize) {
        while let Some(action) = self.nodes[node].router.poll_action() {
            self.act(node, action);
        }
        let Some(due) = self.nodes[node].router.next_timeout() else {
            return;
        };
        if self.nodes[node].wakes.is_none_or(|wakes| due < wakes) {
            self.nodes[node].wakes = Some(due);
            let node = number(node);
            self.schedule.push(due, Happening::Wake { node });
        }
    }

    fn act(&mut self, node: usize, action: Action<B>) {
        let life = self.nodes[node].life;
        match action {
            Action::Send { to, message, class } => self.send(node, index(to), message, class),
            Action::Lookup {
                ticket,
                key,
                origin,
            } => {
                if self.nodes[node].watched {
                    self.lookups.push((self.now, node, key));
                }
                let node = number(node);
                let done = Happening::LookupDone {
                    node,
                    life,
                    ticket,
                    key,
                    origin,
                };
                self.after(self.settings.store_delay, done);
            }
            Action::Store {
                ticket,
                block,
                place,
                existing,
            } => {
                let sabotage = self.settings.sabotage;
                let result = self.nodes[node].keep(block, place, existing, sabotage);
                let node = number(node);
                let done = Happening::StoreDone {
                    node,
                    life,
                    ticket,
                    result,
                };
                self.after(self.settings.store_delay, done);
            }
            Action::FetchDone { id, result } => self.ended(id, Ended::Fetch(result)),
            Action::InsertDone { id, result } => self.ended(id, Ended::Insert(result)),
            Action::Moved { .. } | Action::Remember { .. } => {}
            Action::Dial { contact } => self.dial(node, &contact),
            Action::Appeared { key } => self.appeared.push((node, key)),
            Action::NextStored { after } => {
                let key = self.nodes[node].store.next_stored(after);
                let node = number(node);
                self.after(
                    self.settings.store_delay,
                    Happening::Listed { node, life, key },
                );
            }
            Action::HangUp { peer } => self.hang_up(node, index(peer)),
            Action::Disconnect { peer, .. } => self.cut(node, index(peer)),
        }
    }

    fn new_router(&self, node: usize, life: u32, location: routing::Location) -> Router<B> {
        let seed = seed_for(self.seed, &format!("router {node}, life {life}"));
        let own = self.nodes.get(node).and_then(|node| node.config.as_ref());
        Router::new(location, Arc::clone(own.unwrap_or(&self.config)), seed)
    }

    fn after(&mut self, delay: Duration, happening: Happening) {
        self.schedule.push(self.now + delay, happening);
    }
}

/// A node's number as links and what will happen have it.
fn number(node: usize) -> u32 {
    u32::try_from(node).expect("a simulated network has fewer than 2^32 nodes")
}

fn peer_id(node: usize) -> PeerId {
    PeerId(number(node))
}

const fn index(PeerId(node): PeerId) -> usize {
    node as usize
}

#[cfg(test)]
mod tests;
