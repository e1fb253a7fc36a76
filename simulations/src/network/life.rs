//! Nodes that come, go and misbehave.

use std::sync::Arc;

use bytes::Bytes;
use crypto::Identity;
use routing::{Config, Contact, Event, Location};

use super::{Happening, Network, index, number, peer_id};
use crate::bandwidth::{Bandwidth, Pipe};
use crate::behaviour::Behaviour;
use crate::elided_block::SimBlock;
use crate::random::{mix, seed_for};
use crate::sim_node::{Access, SimNode};
use crate::sim_store::SimStore;

impl<B: SimBlock> Network<B> {
    /// Adds a running node without links at any place, as a darknet has them. Gives its number.
    pub fn add_node(&mut self, location: Location) -> usize {
        self.friends.locations.push(location);
        self.push_node(location)
    }

    /// Adds a running node without links at the place that its identity decides, as the opennet has them. The identity is
    /// decided by the network's seed and the node's number.
    pub fn add_stranger(&mut self) -> usize {
        let contact = self.new_contact(self.nodes.len());
        let node = self.add_node(contact.location());
        self.nodes[node].contact = Some(Box::new(contact));
        node
    }

    /// Who a node is in the opennet, and how to dial it.
    pub fn contact(&mut self, node: usize) -> Contact {
        if self.nodes[node].contact.is_none() {
            self.nodes[node].contact = Some(Box::new(self.new_contact(node)));
        }
        let contact = self.nodes[node].contact.as_deref();
        contact.expect("it was made above").clone()
    }

    /// The node that a contact names, if it is one of this network's.
    #[must_use]
    pub fn node_of(&self, contact: &Contact) -> Option<usize> {
        let (number, _) = contact.record.split_first_chunk::<4>()?;
        let node = index(routing::PeerId(u32::from_le_bytes(*number)));
        let known = self.nodes.get(node)?.contact.as_deref()?;
        (known.node == contact.node).then_some(node)
    }

    /// Stops a node as if its owner did: its peers notice at once, its store remains.
    pub fn stop_node(&mut self, node: usize) {
        self.set_running(node, false);
        for link in std::mem::take(&mut self.nodes[node].links) {
            self.link_ended(link.other, number(node), link.number);
        }
    }

    /// Stops a node as if its power failed: its peers notice when they have not heard of it for
    /// [`Settings::link_timeout`](crate::Settings::link_timeout); its store remains.
    pub fn crash_node(&mut self, node: usize) {
        self.set_running(node, false);
        for link in std::mem::take(&mut self.nodes[node].links) {
            let timed_out = Happening::LinkTimedOut {
                node: link.other,
                other: number(node),
                number: link.number,
            };
            self.after(self.settings.link_timeout, timed_out);
        }
    }

    /// Makes a node silent: it takes no part any more, and its peers do not notice.
    pub fn mute_node(&mut self, node: usize) {
        self.set_running(node, false);
    }

    /// Starts a stopped node again, with its store and without any memory else. It is linked with its friends that run.
    pub fn restart_node(&mut self, node: usize) {
        let SimNode { location, life, .. } = self.nodes[node];
        let router = self.new_router(node, life + 1, location);
        let stopped = &mut self.nodes[node];
        stopped.router = router;
        stopped.life += 1;
        stopped.wakes = None;
        let old = std::mem::take(&mut stopped.links);
        self.set_running(node, true);
        // Those that had not noticed that it was gone do so now
        for link in old {
            self.link_ended(link.other, number(node), link.number);
        }
        for friend in self.friends.neighbours(node).collect::<Vec<_>>() {
            if self.nodes[friend].running {
                self.link_friends(node, friend);
            }
        }
    }

    /// Gives a node that has no links yet a router with its own numbers, at another place.
    pub fn replace_router(&mut self, node: usize, config: Arc<Config>, location: Location) {
        let life = self.nodes[node].life + 1;
        self.friends.locations[node] = location;
        self.nodes[node].config = Some(config);
        let router = self.new_router(node, life, location);
        let replaced = &mut self.nodes[node];
        replaced.router = router;
        replaced.location = location;
        replaced.life = life;
        replaced.wakes = None;
    }

    /// Makes two nodes friends, now and after restarts.
    pub fn connect(&mut self, a: usize, b: usize) {
        self.friends.link(a, b);
        if a != b && self.nodes[a].running && self.nodes[b].running {
            self.link_friends(a, b);
        }
    }

    /// Ends the link of two nodes, and their friendship if they are friends. Both notice at once.
    pub fn disconnect(&mut self, a: usize, b: usize) {
        self.friends.unlink(a, b);
        for (node, other) in [(a, b), (b, a)] {
            if self.nodes[node].remove_link(number(other)).is_some() {
                let peer = peer_id(other);
                self.tell(node, Event::PeerDown { peer });
            }
        }
    }

    /// Sets what a node's access carries; none: everything at once. What is waiting there is lost.
    pub fn set_bandwidth(&mut self, node: usize, bandwidth: Option<Bandwidth>) {
        self.nodes[node].access = bandwidth.map(|Bandwidth { up, down }| {
            let (up, down) = (Pipe::new(up), Pipe::new(down));
            Box::new(Access { up, down })
        });
    }

    /// Puts something between a node's router and its links.
    pub fn set_behaviour(&mut self, node: usize, behaviour: Box<dyn Behaviour>) {
        self.behaviours.insert(node, behaviour);
    }

    /// Writes down what a node sends and gets, for [`Network::take_observations`].
    pub fn watch(&mut self, node: usize) {
        self.nodes[node].watched = true;
    }

    /// Puts a block into a node's store, as if an insert had left it there, whatever the store's limit is.
    pub fn give(&mut self, node: usize, block: B) {
        self.nodes[node].store.give(block);
    }

    /// A node's store and cache are empty from now on, as if another node had come to its place.
    pub fn empty_store(&mut self, node: usize) {
        self.nodes[node].store.clear();
    }

    /// How many strangers a node is linked with at most, from now on.
    pub const fn set_strangers_max(&mut self, strangers: usize) {
        self.settings.strangers_max = strangers;
    }

    pub(super) fn push_node(&mut self, location: Location) -> usize {
        let node = self.nodes.len();
        let router = self.new_router(node, 1, location);
        let seed = mix(self.seed ^ u64::from(number(node)));
        let store = SimStore::new(self.settings.stores, location, seed);
        self.nodes.push(SimNode::new(router, location, store));
        self.running += 1;
        self.set_bandwidth(node, self.settings.bandwidth);
        node
    }

    fn set_running(&mut self, node: usize, running: bool) {
        let was = std::mem::replace(&mut self.nodes[node].running, running);
        self.running = self.running + usize::from(running) - usize::from(was);
        if !running {
            let of_node = (node, 0)..=(node, u64::MAX);
            let open: Vec<_> = self.open.range(of_node).copied().collect();
            for request in open {
                self.open.remove(&request);
            }
        }
    }

    fn new_contact(&self, node: usize) -> Contact {
        let seed = seed_for(self.seed, &format!("identity {node}"));
        let mut record = number(node).to_le_bytes().to_vec();
        record.resize(RECORD_LEN, 0);
        Contact {
            node: Identity::from_seed(&seed).id(),
            record: Bytes::from(record),
        }
    }
}

/// A signature, a public key, two addresses and some numbers, in bytes. The simulated record is the node's number, and
/// then zeros.
const RECORD_LEN: usize = 160;
