//! The one task that owns the router: events go in, actions are carried out. Nothing else happens here.

mod friends;
mod storing;
mod strangers;
mod subscriptions;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crypto::{BlockKey, NodeId};
use rand::RngExt as _;
use routing::{
    Action, Class, Effort, Event, LocalId, Location, OnionMemory, PeerId, Router, StoreTicket,
    Time, Trust,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep_until;

use super::answers::Answers;
use super::command::{Command, FetchAnswer, InsertAnswer};
use super::hiding_file::HidingFile;
use super::onion_file::Keep;
use super::opennet::Opennet;
use super::place_file::KeptPlace;
use super::survey::Survey;
use crate::link::{Bond, Endpoint, Link, LinkEvent, Priority};
use crate::peers_file::PEERS_MAX;
use crate::store::{GetResult, PutResult, StoreHandle};
use subscriptions::Subscriptions;

/// Link events taken at once before the router's actions are carried out: enough to spare wake-ups, few
/// enough that a command never waits long.
const BATCH_MAX: usize = 64;

/// Requests of the node's own user that wait for the event loop to take them.
const COMMANDS_MAX: usize = 1024;

/// Answers of the store that wait for the event loop; the store's threads wait when it is full.
const STORE_ANSWERS_MAX: usize = 1024;

/// What the store answered.
pub(super) enum StoreAnswer {
    /// To a lookup.
    Looked(StoreTicket, GetResult),
    /// To a put.
    Put(StoreTicket, PutResult),
    /// To the question which key comes next.
    Next(Option<BlockKey>),
}

/// A link that is up, for the status.
#[derive(Clone, Debug)]
pub(super) struct LinkedPeer {
    /// Who.
    pub(super) node: NodeId,
    /// The way to it.
    pub(super) link: Link,
    /// Since when.
    pub(super) since: Instant,
    /// It is a node of the opennet, not a friend.
    pub(super) stranger: bool,
    /// The link carries requests. (A friend's does at once.)
    pub(super) adopted: bool,
}

/// Everything the loop owns.
pub(super) struct EventLoop {
    router: Router,
    store: Arc<StoreHandle>,
    store_answers: mpsc::Receiver<StoreAnswer>,
    store_answer_sender: mpsc::Sender<StoreAnswer>,
    commands: mpsc::Receiver<Command>,
    endpoint: Arc<Endpoint>,
    link_events: mpsc::Receiver<LinkEvent>,
    links: watch::Sender<BTreeMap<PeerId, LinkedPeer>>,
    /// The handles of the links that are up.
    handles: BTreeMap<NodeId, PeerId>,
    /// Strangers that the router has not adopted.
    guests: BTreeMap<PeerId, NodeId>,
    opennet: Option<Opennet>,
    /// How far the friends are trusted, where that is not the usual.
    trust: BTreeMap<NodeId, Trust>,
    /// Where the node's place is told to be kept, if it is not its identity's.
    place: Option<watch::Sender<KeptPlace>>,
    /// Where the node's guards are told to be kept.
    remember: Keep,
    answers: Answers,
    offenders: mpsc::Sender<NodeId>,
    waiting: Waiting,
    subscriptions: Subscriptions,
    /// Answers in the name of a store whose queue was full.
    refused: VecDeque<Event>,
    started: Instant,
    next_peer: u32,
}

/// What the rest of the node holds of the loop.
pub(super) struct Wires {
    /// Takes requests.
    pub(super) commands: mpsc::Sender<Command>,
    /// Shows the links that are up.
    pub(super) links: watch::Receiver<BTreeMap<PeerId, LinkedPeer>>,
    /// Tells the peers that broke the protocol, whose links are closed.
    pub(super) offenders: mpsc::Receiver<NodeId>,
    /// Zero of the router's clock.
    pub(super) started: Instant,
}

/// How a node begins.
pub(super) struct Beginning {
    /// Its place on the ring.
    pub(super) location: Location,
    /// The router's numbers.
    pub(super) config: routing::Config,
    /// Its part in the opennet, if it has one.
    pub(super) opennet: Option<Opennet>,
    /// How far each friend is trusted; whoever is missing, as usual.
    pub(super) trust: BTreeMap<NodeId, Trust>,
    /// Where its place is told to be kept, if it is not its identity's.
    pub(super) place: Option<watch::Sender<KeptPlace>>,
    /// How hidden its user's requests are.
    pub(super) hiding: HidingFile,
    /// The keys and guards of its circuits, and how old they are.
    pub(super) recalled: Option<(OnionMemory, Duration)>,
    /// Where they are told to be kept.
    pub(super) remember: Keep,
}

/// The users' requests that the router works on, and when they began.
#[derive(Default)]
struct Waiting {
    fetches: BTreeMap<LocalId, (FetchAnswer, Effort, Instant)>,
    inserts: BTreeMap<LocalId, (InsertAnswer, Instant)>,
}

impl EventLoop {
    /// A loop that has not begun to run.
    pub(super) fn new(
        beginning: Beginning,
        store: Arc<StoreHandle>,
        endpoint: Arc<Endpoint>,
        link_events: mpsc::Receiver<LinkEvent>,
    ) -> (Self, Wires) {
        let (command_sender, commands) = mpsc::channel(COMMANDS_MAX);
        let (links, links_receiver) = watch::channel(BTreeMap::new());
        let (offender_sender, offenders) = mpsc::channel(PEERS_MAX);
        let (store_answer_sender, store_answers) = mpsc::channel(STORE_ANSWERS_MAX);
        let started = Instant::now();
        let seed = rand::rng().random();
        let Beginning {
            location,
            config,
            opennet,
            trust,
            place,
            hiding,
            recalled,
            remember,
        } = beginning;
        let mut router = Router::new(location, config, seed);
        if let Some((memory, elapsed)) = recalled {
            // Before the first peer
            router.handle(Time::ZERO, Event::Recall { memory, elapsed });
        }
        let level = hiding.usual().get().level();
        router.handle(Time::ZERO, Event::StandBy { level });
        let event_loop = Self {
            router,
            store,
            store_answers,
            store_answer_sender,
            commands,
            endpoint,
            link_events,
            links,
            handles: BTreeMap::new(),
            guests: BTreeMap::new(),
            opennet,
            trust,
            place,
            remember,
            answers: Answers::default(),
            offenders: offender_sender,
            waiting: Waiting::default(),
            subscriptions: Subscriptions::default(),
            refused: VecDeque::new(),
            started,
            next_peer: 0,
        };
        let wires = Wires {
            commands: command_sender,
            links: links_receiver,
            offenders,
            started,
        };
        (event_loop, wires)
    }

    /// Runs until it is told to stop, or told nothing ever again.
    pub(super) async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        self.join();
        loop {
            let deadline = self.router.next_timeout().map(|time| self.instant(time));
            tokio::select! {
                _ = &mut stop => break,
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => break,
                },
                Some(answer) = self.store_answers.recv() => self.store_answer(answer),
                count = self.link_events.recv_many(&mut batch, BATCH_MAX) => {
                    if count == 0 {
                        break;
                    }
                    for event in batch.drain(..) {
                        self.link_event(event);
                    }
                }
                () = sleep_until(deadline.unwrap_or(self.started).into()), if deadline.is_some() => {
                    let now = self.now();
                    self.router.handle_timeout(now);
                    self.carry_out();
                }
            }
        }
        self.keep_place();
    }

    fn now(&self) -> Time {
        let elapsed = self.started.elapsed().as_micros();
        Time::from_micros(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    fn instant(&self, time: Time) -> Instant {
        self.started + Duration::from_micros(time.as_micros())
    }

    fn handle(&mut self, event: Event) {
        let now = self.now();
        self.router.handle(now, event);
        self.carry_out();
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Fetch {
                id,
                key,
                class,
                effort,
                anonymity,
                answer,
            } => {
                let begun = Instant::now();
                self.waiting.fetches.insert(id, (answer, effort, begun));
                self.handle(Event::Fetch {
                    id,
                    key,
                    class,
                    effort,
                    anonymity,
                });
            }
            Command::Insert {
                id,
                block,
                class,
                anonymity,
                answer,
            } => {
                self.waiting.inserts.insert(id, (answer, Instant::now()));
                self.handle(Event::Insert {
                    id,
                    block,
                    class,
                    anonymity,
                });
            }
            Command::Cancel { id } => {
                let fetch = self.waiting.fetches.remove(&id).is_some();
                let insert = self.waiting.inserts.remove(&id).is_some();
                if fetch || insert {
                    self.handle(Event::Cancel { id });
                }
            }
            Command::Forget { peer } => {
                self.trust.remove(&peer);
                self.down(peer);
            }
            Command::Readdress { own } => self.readdress(own),
            Command::Subscribe { key, appeared } => self.subscribe(key, appeared),
            Command::Unsubscribe { key } => self.unsubscribe(key),
            Command::Trust { peer, trust } => self.trust(peer, trust),
            Command::StandBy { level } => self.handle(Event::StandBy { level }),
            // Who asked may have gone.
            Command::Survey { answer } => drop(answer.send(self.survey())),
            Command::Remembered { answer } => drop(answer.send(self.remembered())),
        }
    }

    fn link_event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Up { peer, link, bond } => self.up(peer, link, bond),
            LinkEvent::DialFailed { peer } => self.handle(Event::DialFailed { node: peer }),
            LinkEvent::Down { peer } => self.down(peer),
            LinkEvent::Message { peer, bytes } => self.message(peer, bytes),
        }
    }

    fn up(&mut self, node: NodeId, link: Link, bond: Bond) {
        self.down(node);
        let peer = PeerId(self.next_peer);
        self.next_peer = self.next_peer.wrapping_add(1);
        let stranger = bond != Bond::Kept;
        let linked = LinkedPeer {
            node,
            link,
            since: Instant::now(),
            stranger,
            adopted: !stranger,
        };
        self.links.send_modify(|links| {
            links.insert(peer, linked);
        });
        self.handles.insert(node, peer);
        if stranger {
            self.guests.insert(peer, node);
        }
        let location = Location::of_node(&node);
        let kind = self.kind_of(node, bond);
        self.handle(Event::PeerUp {
            peer,
            location,
            kind,
        });
        if !stranger {
            self.handle(Event::KnownAs { peer, node });
        }
    }

    fn down(&mut self, node: NodeId) {
        if let Some(peer) = self.handles.get(&node).copied() {
            self.unlink(peer);
            self.handle(Event::PeerDown { peer });
        }
    }

    /// Forgets a link that is down, or soon will be.
    fn unlink(&mut self, peer: PeerId) -> Option<LinkedPeer> {
        self.guests.remove(&peer);
        self.answers.lost(peer);
        let mut unlinked = None;
        self.links
            .send_modify(|links| unlinked = links.remove(&peer));
        if let Some(linked) = &unlinked {
            self.handles.remove(&linked.node);
        }
        unlinked
    }

    fn survey(&self) -> Survey {
        Survey::new(&self.router, self.answers.counts().clone())
    }

    fn message(&mut self, node: NodeId, bytes: Bytes) {
        let Some(from) = self.handles.get(&node).copied() else {
            return;
        };
        let decoded = routing::decode(&bytes);
        // Cells are opened in place if nobody else holds their bytes
        drop(bytes);
        match decoded {
            Ok(message) => {
                self.answers.heard(from, &message);
                self.handle(Event::Message { from, message });
                self.note_adoption(from);
            }
            Err(error) => self.disconnect(from, &error),
        }
    }

    fn disconnect(&self, peer: PeerId, reason: &dyn std::fmt::Display) {
        let links = self.links.borrow();
        let Some(linked) = links.get(&peer) else {
            return;
        };
        tracing::warn!(%reason, "a peer broke the protocol; its link is closed for a while");
        if linked.stranger {
            self.shun(linked.node);
        } else {
            self.endpoint.forget(&linked.node);
            // With a full queue it stays forgotten until the next start.
            let _ = self.offenders.try_send(linked.node);
        }
    }

    /// Does what the router asks for, and tells it what the store had no room for.
    fn carry_out(&mut self) {
        self.carry_out_actions();
        while let Some(event) = self.refused.pop_front() {
            let now = self.now();
            self.router.handle(now, event);
            self.carry_out_actions();
        }
    }

    fn carry_out_actions(&mut self) {
        while let Some(action) = self.router.poll_action() {
            match action {
                Action::Send { to, message, class } => self.send(to, &message, class),
                Action::Lookup {
                    ticket,
                    key,
                    origin,
                } => self.lookup(ticket, key, origin),
                Action::Store {
                    ticket,
                    block,
                    place,
                    existing,
                } => self.put(ticket, block, place, existing),
                Action::FetchDone { id, result } => {
                    if let Some((answer, effort, begun)) = self.waiting.fetches.remove(&id) {
                        self.answers
                            .fetched(effort, result.as_ref().err(), begun.elapsed());
                        // The user may have gone in the same moment.
                        let _ = answer.send(result);
                    }
                }
                Action::InsertDone { id, result } => {
                    if let Some((answer, begun)) = self.waiting.inserts.remove(&id) {
                        self.answers
                            .inserted(result.as_ref().err(), begun.elapsed());
                        let _ = answer.send(result);
                    }
                }
                Action::Moved { .. } => self.keep_place(),
                Action::Remember { memory } => drop(self.remember.send_replace(Some(memory))),
                Action::Dial { contact } => self.dial(&contact),
                Action::HangUp { peer } => self.hang_up(peer),
                Action::Appeared { key } => self.appeared(key),
                Action::NextStored { after } => self.next_stored(after),
                Action::Disconnect { peer, reason } => self.disconnect(peer, &reason),
            }
        }
    }

    /// A message that does not fit into the link's queue is lost, as on any network; the router's time-outs deal with it.
    fn send(&mut self, to: PeerId, message: &routing::Message, class: Class) {
        self.answers.sent(to, message);
        let links = self.links.borrow();
        let Some(linked) = links.get(&to) else { return };
        let priority = match (message.carries_block(), class) {
            (false, _) => Priority::Control,
            (true, Class::RealTime) => Priority::RealTime,
            (true, Class::Bulk) => Priority::Bulk,
        };
        if let Err(error) = linked.link.send(routing::encode(message), priority) {
            tracing::debug!(%error, "a message could not be queued");
        }
    }
}
