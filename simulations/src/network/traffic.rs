//! Messages on their way.

use routing::{Class, Event, Message, Time, decode, encode};

use super::{Happening, Network, index, number, peer_id};
use crate::bandwidth::Priority;
use crate::behaviour::{Direction, Observation, Reply};
use crate::elided_block::{SimBlock, sent_len};

/// Something under way over a link.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(super) from: u32,
    pub(super) to: u32,
    /// The link's number: a later link between the same nodes does not bring it.
    pub(super) link: u16,
    pub(super) cargo: Cargo,
}

#[derive(Debug)]
pub(super) enum Cargo {
    Message {
        message: Message,
        class: Class,
    },
    /// The link's end, after everything else.
    End,
}

impl Parcel {
    /// How many bytes its way takes, and how urgent it is.
    fn size<B: SimBlock>(&self) -> (usize, Priority) {
        match &self.cargo {
            Cargo::Message { message, class } => {
                let priority = match class {
                    _ if !message.carries_block() => Priority::Small,
                    Class::RealTime => Priority::RealTime,
                    Class::Bulk => Priority::Bulk,
                };
                (sent_len::<B>(message) + DATAGRAM_LEN, priority)
            }
            Cargo::End => (DATAGRAM_LEN, Priority::Bulk),
        }
    }
}

impl<B: SimBlock> Network<B> {
    /// Sends `message` to `to` in the name of its neighbour `from`, as a hostile node would.
    pub fn inject(&mut self, from: usize, to: usize, message: Message) {
        self.transmit(from, to, message, Class::RealTime);
    }

    /// A router sends a message.
    pub(super) fn send(&mut self, from: usize, to: usize, message: Message, class: Class) {
        let message = match self.behaviours.get_mut(&from) {
            Some(behaviour) => behaviour.send(self.now, peer_id(to), message),
            None => Some(message),
        };
        if let Some(message) = message {
            self.transmit(from, to, message, class);
        }
    }

    fn transmit(&mut self, from: usize, to: usize, message: Message, class: Class) {
        let Some(link) = self.nodes[from].link(number(to)) else {
            return;
        };
        self.counters
            .count(&message, sent_len::<B>(&message) as u64);
        if self.settings.paths
            && let Message::Fetch { key, .. } = &message
        {
            self.paths.asks(number(from), number(to), key);
        }
        let message = if self.settings.traced {
            self.through_the_wire(from, to, &message)
        } else {
            message
        };
        if self.nodes[from].watched {
            self.observe(from, to, Direction::Out, &message);
        }
        self.post(from, to, link.number, Cargo::Message { message, class });
    }

    /// Gives a parcel to the node's access, or to the link if nothing bounds that.
    pub(super) fn post(&mut self, from: usize, to: usize, link: u16, cargo: Cargo) {
        let parcel = Parcel {
            from: number(from),
            to: number(to),
            link,
            cargo,
        };
        if let Some(access) = &mut self.nodes[from].access {
            let (len, priority) = parcel.size::<B>();
            access.up.push(parcel, len, priority);
            self.upload(from);
        } else {
            self.travel(parcel, std::time::Duration::ZERO);
        }
    }

    pub(super) fn uploaded(&mut self, node: u32) {
        if let Some(access) = &mut self.nodes[node as usize].access {
            access.up.done();
            self.upload(node as usize);
        }
    }

    /// A parcel is at the receiver's access.
    pub(super) fn arrive(&mut self, to: u32, parcel: Parcel) {
        if let Some(access) = &mut self.nodes[to as usize].access {
            let (len, priority) = parcel.size::<B>();
            access.down.push(parcel, len, priority);
            self.download(to as usize);
        } else {
            self.receive(parcel);
        }
    }

    pub(super) fn downloaded(&mut self, node: u32, parcel: Parcel) {
        if let Some(access) = &mut self.nodes[node as usize].access {
            access.down.done();
            self.download(node as usize);
        }
        self.receive(parcel);
    }

    fn upload(&mut self, node: usize) {
        let access = self.nodes[node].access.as_mut();
        if let Some((parcel, took)) = access.and_then(|access| access.up.start()) {
            self.travel(parcel, took);
            let node = number(node);
            self.after(took, Happening::Uploaded { node });
        }
    }

    fn download(&mut self, node: usize) {
        let access = self.nodes[node].access.as_mut();
        if let Some((parcel, took)) = access.and_then(|access| access.down.start()) {
            let node = number(node);
            self.after(took, Happening::Downloaded { node, parcel });
        }
    }

    /// A parcel crosses the network, `wait` from now.
    fn travel(&mut self, parcel: Parcel, wait: std::time::Duration) {
        let Parcel { from, to, .. } = parcel;
        let links = &self.settings.links;
        let way = match &parcel.cargo {
            Cargo::Message { .. } => links.draw(self.seed, from, to, &mut self.rng),
            // Nothing that was sent before may come after it
            Cargo::End => Some(links.longest(self.seed, from, to)),
        };
        match way {
            Some(way) => {
                let at = self.in_order(&parcel, self.now + wait + way);
                self.schedule.push(at, Happening::Arrival { to, parcel });
            }
            None => self.counters.lost += 1,
        }
    }

    /// When a parcel arrives that would arrive at `at` by itself. What carries no block goes over the transport's ordered
    /// stream, ahead of everything, and is not overtaken.
    fn in_order(&mut self, parcel: &Parcel, at: Time) -> Time {
        let Cargo::Message { message, .. } = &parcel.cargo else {
            return at;
        };
        let link = self.nodes[parcel.from as usize].link_mut(parcel.to);
        let link = link.filter(|link| link.number == parcel.link && self.settings.links.ordered);
        let Some(link) = link else {
            return at;
        };
        let at = at.max(link.small_until);
        if !message.carries_block() {
            link.small_until = at;
        }
        at
    }

    /// A parcel has come all the way.
    fn receive(&mut self, parcel: Parcel) {
        let Parcel {
            from,
            to,
            link,
            cargo,
        } = parcel;
        let node = &self.nodes[to as usize];
        let current = node.link(from).is_some_and(|known| known.number == link);
        if !current || !node.running {
            return;
        }
        let (node, other) = (to as usize, from as usize);
        match cargo {
            Cargo::End => self.link_ended(to, from, link),
            Cargo::Message { message, .. } => {
                if self.nodes[node].watched {
                    self.observe(node, other, Direction::In, &message);
                }
                if let Some(message) = self.behave(node, other, message) {
                    let from = peer_id(other);
                    self.tell(node, Event::Message { from, message });
                }
            }
        }
    }

    /// What a node's router sees of a message, if anything. Most nodes' see everything.
    fn behave(&mut self, node: usize, other: usize, message: Message) -> Option<Message> {
        let Some(behaviour) = self.behaviours.get_mut(&node) else {
            return Some(message);
        };
        let mut replies = Vec::new();
        let passed = behaviour.receive(self.now, peer_id(other), message, &mut replies);
        for Reply { to, message, class } in replies {
            self.transmit(node, index(to), message, class);
        }
        passed
    }

    fn observe(&mut self, node: usize, other: usize, direction: Direction, message: &Message) {
        self.observations.push(Observation {
            at: self.now,
            node,
            other,
            direction,
            message: message.clone(),
        });
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
}

/// What the transport adds to a message, in bytes: the heads of IP, UDP and QUIC with its tag, and a stream's.
const DATAGRAM_LEN: usize = 80;
