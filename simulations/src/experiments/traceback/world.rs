//! One network, requests in it, and an adversary that asks around.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crypto::BlockKey;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use routing::{
    Anonymity, Block, Class, Group, HopsToLive, Level, Location, Message, OnionConfig, PeerId,
    Refusal, RequestId, Role, Time, Via,
};

use super::Parameters;
use crate::behaviour::{Behaviour, Direction, Reply};
use crate::elided_block::ElidedBlock;
use crate::experiments::rows::Row;
use crate::link_model::LinkModel;
use crate::network::{Network, Settings};
use crate::random::rng_for;
use crate::ring::Ring;
use crate::statistics::share;
use crate::topology::Topology;

/// What the adversary asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// "Have you seen this id?", where requests keep one id on their whole way, and each node says truly (the historic model:
    /// it refused an id that it knew as a loop). This is no message of ours: the adversary is told who has had the request.
    ConstantId,
    /// The same of our routers: a request for something else under the id that was seen.
    FreshId,
    /// A request for the same key without hops to live: who works on it refuses it as a loop, who has the block sends it.
    Key,
}

/// A set-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trial {
    pub(super) question: Question,
    /// Whether requests go through circuits of the routers.
    pub(super) hidden: bool,
    /// Whether the blocks that are asked for exist.
    pub(super) exists: bool,
    /// Seconds between what the adversary sees and its first probe.
    pub(super) delay: f64,
}

/// How one request was traced.
#[derive(Clone, Debug)]
struct Trace {
    requester: usize,
    /// How many probes were sent when the trace had come to a node, and the node.
    steps: Vec<(usize, usize)>,
    /// How many were sent in all.
    probes: usize,
}

/// What came of all requests that the adversary saw.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    trial: Trial,
    /// How many requests were made.
    made: usize,
    traces: Vec<Trace>,
}

impl Row for Measured {
    fn is_like(&self, other: &Self) -> bool {
        self.trial == other.trial
    }

    fn add(&mut self, other: Self) {
        self.made += other.made;
        self.traces.extend(other.traces);
    }
}

impl Measured {
    /// Which part of all requests the adversary saw.
    pub(super) const fn seen(&self) -> f64 {
        share(self.traces.len(), self.made)
    }

    pub(super) const fn requests(&self) -> usize {
        self.traces.len()
    }

    /// How often the last node is the requester's if the adversary stops after so many probes.
    pub(super) fn right(&self, probes: usize) -> f64 {
        let right = self.traces.iter().filter(|trace| {
            let within = trace.steps.iter().take_while(|(sent, _)| *sent <= probes);
            within
                .last()
                .is_some_and(|&(_, node)| node == trace.requester)
        });
        share(right.count(), self.traces.len())
    }

    pub(super) fn probes(&self) -> f64 {
        let sent = self.traces.iter().map(|trace| trace.probes).sum();
        share(sent, self.traces.len())
    }
}

/// Makes requests until the adversary has seen so many, and traces each.
pub(super) fn measure(parameters: &Parameters, trial: Trial, seed: u64) -> Measured {
    let mut world = World::new(parameters, trial.hidden, seed);
    let (mut made, mut traces) = (0, Vec::new());
    while traces.len() < parameters.requests && made < 50 * parameters.requests {
        made += 1;
        traces.extend(world.request(trial));
        world.network.run_for(BETWEEN);
    }
    Measured {
        trial,
        made,
        traces,
    }
}

struct World {
    network: Network<ElidedBlock>,
    ring: Ring,
    nodes: usize,
    /// The adversary's nodes on the way.
    watching: BTreeSet<usize>,
    /// The adversary's node that asks: it is linked with everybody, the strongest position there is.
    spy: usize,
    blocks: u64,
    probes: u64,
    rng: ChaCha8Rng,
}

/// What is known of the request that is traced.
struct Seen {
    key: BlockKey,
    /// Whoever has had it, seen from above.
    had_it: BTreeSet<usize>,
    /// The first that one of the adversary's nodes saw: from whom, and under which id.
    first: Option<(usize, RequestId)>,
}

/// Takes no part: refuses what it is asked for, and says nothing.
#[derive(Debug)]
struct Spy;

impl Behaviour for Spy {
    fn receive(
        &mut self,
        _now: Time,
        from: PeerId,
        message: Message,
        replies: &mut Vec<Reply>,
    ) -> Option<Message> {
        if let Message::Fetch { id, .. } = message {
            let reason = Refusal::Loop;
            replies.push(Reply {
                to: from,
                message: Message::Refused { id, reason },
                class: Class::RealTime,
            });
        }
        None
    }

    fn send(&mut self, _now: Time, _to: PeerId, _message: Message) -> Option<Message> {
        None
    }
}

impl World {
    fn new(parameters: &Parameters, hidden: bool, seed: u64) -> Self {
        let nodes = parameters.nodes;
        let mut topology = Topology::small_world(nodes, parameters.long_links, seed);
        let ring = Ring::new(topology.locations.iter().copied().enumerate());
        let spy = nodes;
        topology.locations.push(Location::from_fraction(0.5));
        for node in 0..nodes {
            topology.link(node, spy);
        }
        let mut settings = Settings {
            links: LinkModel::internet(),
            traced: false,
            ..Settings::default()
        };
        if hidden {
            // Circuits that stand by would be built by all, and are of no use to those who do not ask
            settings.config.onion = Some(Arc::new(OnionConfig {
                spare: 0,
                ..OnionConfig::default()
            }));
        }
        let mut network = Network::new(&topology, settings, seed);
        network.set_behaviour(spy, Box::new(Spy));
        (0..=spy).for_each(|node| network.watch(node));
        network.run_for(if hidden { SETTLE_LISTS } else { SETTLE });
        network.take_observations();
        let mut rng = rng_for(seed, "adversary");
        let share = parameters.watching;
        let watching = (0..nodes).filter(|_| rng.random_bool(share)).collect();
        Self {
            network,
            ring,
            nodes,
            watching,
            spy,
            blocks: 0,
            probes: 0,
            rng,
        }
    }

    /// One request, and what the adversary makes of it, if it sees it.
    fn request(&mut self, trial: Trial) -> Option<Trace> {
        let requester = self.innocent();
        let block = ElidedBlock::content(self.blocks);
        self.blocks += 1;
        let key = block.key();
        if trial.exists {
            let home = self.ring.closest(Location::of_key(&key));
            self.network.give(home, block);
        }
        let mut seen = Seen {
            key,
            had_it: BTreeSet::new(),
            first: None,
        };
        if trial.hidden {
            let through = Anonymity::Circuit(Via {
                level: Level::Six,
                group: Group(self.blocks),
                role: Role::Part,
            });
            let class = Class::RealTime;
            self.network.fetch_hidden(requester, key, class, through);
        } else {
            seen.had_it.insert(requester);
            self.network.fetch(requester, key);
        }
        while seen.first.is_none() && self.network.open_requests() > 0 && self.network.step() {
            self.observe(&mut seen);
        }
        let (from, id) = seen.first?;
        self.run_for(Duration::from_secs_f64(trial.delay), &mut seen);
        let mut trace = Trace {
            requester,
            steps: vec![(0, from)],
            probes: 0,
        };
        self.trace(trial.question, id, &mut seen, &mut trace);
        Some(trace)
    }

    /// From each node that has had the request, asks those around it which of them have; goes on with one that has.
    fn trace(&mut self, question: Question, id: RequestId, seen: &mut Seen, trace: &mut Trace) {
        let (_, first) = trace.steps[0];
        let mut asked = BTreeSet::from([first, self.spy]);
        asked.extend(&self.watching);
        let mut at = first;
        loop {
            let around = self.network.topology().neighbours(at);
            let around: Vec<usize> = around.filter(|&node| asked.insert(node)).collect();
            trace.probes += around.len();
            let hits = self.ask(question, id, &around, seen);
            if hits.is_empty() {
                break;
            }
            at = hits[self.rng.random_range(0..hits.len())];
            trace.steps.push((trace.probes, at));
        }
    }

    /// Which of these nodes give away that they have had the request.
    fn ask(
        &mut self,
        question: Question,
        id: RequestId,
        nodes: &[usize],
        seen: &mut Seen,
    ) -> Vec<usize> {
        if question == Question::ConstantId {
            self.run_for(ROUND, seen);
            let had_it = nodes.iter().filter(|node| seen.had_it.contains(node));
            return had_it.copied().collect();
        }
        let mut asked = BTreeMap::new();
        for &node in nodes {
            self.probes += 1;
            let (id, key) = match question {
                Question::Key => (RequestId(self.probes), seen.key),
                Question::FreshId | Question::ConstantId => {
                    (id, ElidedBlock::content(PROBES + self.probes).key())
                }
            };
            asked.insert(node, id);
            let probe = Message::Fetch {
                id,
                key,
                hops_to_live: HopsToLive::ZERO,
                tie_break: 0,
                class: Class::RealTime,
            };
            self.network.inject(self.spy, node, probe);
        }
        let until = self.network.now() + PATIENCE;
        let mut hits = Vec::new();
        while !asked.is_empty() && self.network.now() < until && self.network.step() {
            for (node, answer) in self.observe(seen) {
                let open = answer.id().is_some_and(|id| asked.get(&node) == Some(&id));
                if !open || matches!(answer, Message::Accepted { .. }) {
                    continue;
                }
                asked.remove(&node);
                let loops = matches!(
                    answer,
                    Message::Refused {
                        reason: Refusal::Loop,
                        ..
                    }
                );
                if loops || matches!(answer, Message::Found { .. }) {
                    hits.push(node);
                }
            }
        }
        hits
    }

    fn run_for(&mut self, duration: Duration, seen: &mut Seen) {
        self.network.run_for(duration);
        self.observe(seen);
    }

    /// Takes in what was seen lately. Gives what nodes said to the spy.
    fn observe(&mut self, seen: &mut Seen) -> Vec<(usize, Message)> {
        let mut answers = Vec::new();
        for seen_now in self.network.take_observations() {
            if seen_now.node == self.spy {
                if seen_now.direction == Direction::In {
                    answers.push((seen_now.other, seen_now.message));
                }
                continue;
            }
            let Message::Fetch { id, key, .. } = seen_now.message else {
                continue;
            };
            // A probe that arrives is no request
            if key != seen.key || seen_now.other == self.spy || seen_now.direction == Direction::Out
            {
                continue;
            }
            seen.had_it.insert(seen_now.node);
            if seen.first.is_none() && self.watching.contains(&seen_now.node) {
                seen.first = Some((seen_now.other, id));
            }
        }
        answers
    }

    fn innocent(&mut self) -> usize {
        loop {
            let node = self.rng.random_range(0..self.nodes);
            if !self.watching.contains(&node) {
                return node;
            }
        }
    }
}

/// Numbers of blocks that nobody asks for.
const PROBES: u64 = 1 << 40;

/// Peers tell each other of their peers two seconds after they came.
const SETTLE: Duration = Duration::from_secs(4);

/// They tell each other of whom they reach after that: two intervals, and the time of grace.
const SETTLE_LISTS: Duration = Duration::from_secs(150);

/// Between two requests: what was learned of the last one does not matter.
const BETWEEN: Duration = Duration::from_secs(30);

/// A question and its answer.
const ROUND: Duration = Duration::from_millis(120);

/// How long the adversary waits for answers.
const PATIENCE: Duration = Duration::from_secs(1);
