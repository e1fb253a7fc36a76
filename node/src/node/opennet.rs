//! What the node adds to its router's part in the opennet: how it can be reached, whom to ask first, and where it may dial at
//! others' word.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use crypto::{Identity, NodeId};
use routing::{Contact, Event};

use super::serial;
use crate::reference::{Reference, ReferenceMakeError, Surroundings};

/// The name in what strangers are told. That of the node is for friends.
const NAME_FOR_STRANGERS: &str = "stranger";

/// Nodes whose newest record is known at a time: a few times as many as a node has peers.
const NEWEST_MAX: usize = 256;

/// One node's part in the opennet.
pub(super) struct Opennet {
    own: Contact,
    seeds: Vec<Contact>,
    remembered: Vec<Contact>,
    surroundings: Surroundings,
    newest: Newest,
}

/// Where a stranger is to be dialled.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// In the order of the record.
    pub(super) addresses: Vec<SocketAddr>,
    /// What says so.
    pub(super) record: Bytes,
}

impl Opennet {
    /// For the node with `identity`, which can be reached at `own` addresses.
    ///
    /// # Errors
    /// If there are more addresses than a record can have.
    pub(super) fn new(
        identity: &Identity,
        own: &[SocketAddr],
        seeds: &[Reference],
        remembered: Vec<Contact>,
    ) -> Result<Self, ReferenceMakeError> {
        Ok(Self {
            own: own_contact(identity, own)?,
            seeds: seeds.iter().map(contact).collect(),
            remembered,
            surroundings: Surroundings::of(own),
            newest: Newest::default(),
        })
    }

    /// How strangers can reach this node.
    pub(super) fn record(&self) -> Bytes {
        self.own.record.clone()
    }

    /// The node is reached otherwise from now on.
    pub(super) fn readdress(&mut self, own: Contact) {
        if let Ok(reference) = Reference::from_record(&own.record) {
            self.surroundings = Surroundings::of(reference.addresses());
        }
        self.own = own;
    }

    /// Whether there are former peers.
    pub(super) fn knows_strangers(&self) -> bool {
        !self.remembered.is_empty()
    }

    /// What the router is told first. A node that knows nobody, as the first seed of a network, has nobody to dial, and seeks
    /// its place when others have come.
    pub(super) fn first_events(&mut self) -> [Event; 2] {
        let contact = self.own.clone();
        let remembered = std::mem::take(&mut self.remembered);
        let seeds = self.seeds.clone();
        [
            Event::OwnContact { contact },
            Event::Join { remembered, seeds },
        ]
    }

    /// Where to dial `contact`; nowhere if the record is not its own, or none of its addresses is any business of ours. The
    /// seeds, which the owner chose, are dialled wherever they are.
    pub(super) fn target(&mut self, contact: &Contact) -> Option<Target> {
        let record = self.newest.of(contact);
        let reference = Reference::from_record(&record).ok()?;
        if reference.id() != contact.node {
            return None;
        }
        let is_seed = self.seeds.iter().any(|seed| seed.node == contact.node);
        let mut addresses = reference.addresses().to_vec();
        addresses.retain(|address| is_seed || self.surroundings.may_dial(*address));
        (!addresses.is_empty()).then_some(Target { addresses, record })
    }

    /// Takes note of what a stranger says of itself, which the link has checked.
    pub(super) fn met(&mut self, node: NodeId, record: &Bytes) -> Contact {
        let contact = Contact {
            node,
            record: record.clone(),
        };
        let record = self.newest.of(&contact);
        Contact { node, record }
    }
}

/// What strangers are told of the node with `identity`, which can be reached at `own` addresses.
///
/// # Errors
/// If there are more addresses than a record can have.
pub(super) fn own_contact(
    identity: &Identity,
    own: &[SocketAddr],
) -> Result<Contact, ReferenceMakeError> {
    let reference = Reference::sign(identity, NAME_FOR_STRANGERS, own, serial())?;
    Ok(contact(&reference))
}

fn contact(reference: &Reference) -> Contact {
    Contact {
        node: reference.id(),
        record: reference.to_record(),
    }
}

/// The newest records of the nodes that we had to do with lately, the latest last.
#[derive(Default)]
struct Newest(VecDeque<(NodeId, u64, Bytes)>);

impl Newest {
    /// The newest record of a node, of those known and the given one.
    fn of(&mut self, contact: &Contact) -> Bytes {
        let given = Reference::from_record(&contact.record).ok();
        let given = given.filter(|reference| reference.id() == contact.node);
        let place = self.0.iter().position(|(node, ..)| *node == contact.node);
        let known = place.and_then(|place| self.0.remove(place));
        let newest = match (known, given) {
            (Some(known), Some(given)) if given.serial() <= known.1 => known,
            (_, Some(given)) => (contact.node, given.serial(), contact.record.clone()),
            (Some(known), None) => known,
            (None, None) => return contact.record.clone(),
        };
        let record = newest.2.clone();
        if self.0.len() >= NEWEST_MAX {
            self.0.pop_front();
        }
        self.0.push_back(newest);
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(seed: u16) -> Identity {
        let mut bytes = [7; 32];
        bytes[..2].copy_from_slice(&seed.to_be_bytes());
        Identity::from_seed(&bytes)
    }

    fn at(seed: u16, address: &str, serial: u64) -> Reference {
        Reference::sign(&identity(seed), "node", &[address.parse().unwrap()], serial).unwrap()
    }

    fn public(seeds: &[Reference]) -> Opennet {
        let own = ["203.0.113.1:9".parse().unwrap()];
        Opennet::new(&identity(1), &own, seeds, Vec::new()).unwrap()
    }

    #[test]
    fn an_inner_address_is_dialled_only_where_the_owner_chose_it() {
        let inner = at(2, "127.0.0.1:9", 1);
        assert_eq!(public(&[]).target(&contact(&inner)), None);
        let chosen = public(std::slice::from_ref(&inner)).target(&contact(&inner));
        assert_eq!(chosen.unwrap().addresses, inner.addresses());
        let outer = at(3, "198.51.100.1:9", 1);
        assert!(public(&[]).target(&contact(&outer)).is_some());
    }

    #[test]
    fn nobody_is_dialled_by_the_record_of_another() {
        let mut forged = contact(&at(2, "198.51.100.1:9", 1));
        forged.node = identity(3).id();
        assert_eq!(public(&[]).target(&forged), None);
    }

    #[test]
    fn the_record_with_the_highest_serial_number_holds() {
        let mut opennet = public(&[]);
        let [old, new] =
            [("198.51.100.1:9", 1), ("198.51.100.2:9", 2)].map(|(ip, serial)| at(2, ip, serial));
        opennet.met(old.id(), &new.to_record());
        let target = opennet.target(&contact(&old)).unwrap();
        assert_eq!(target.addresses, new.addresses());
        assert_eq!(opennet.met(old.id(), &old.to_record()), contact(&new));
    }

    #[test]
    fn the_memory_of_records_is_bounded() {
        let mut opennet = public(&[]);
        for seed in 0..2 * u16::try_from(NEWEST_MAX).unwrap() {
            opennet.target(&contact(&at(seed, "198.51.100.1:9", 1)));
        }
        assert_eq!(opennet.newest.0.len(), NEWEST_MAX);
    }

    #[test]
    fn former_peers_are_told_once_and_seeds_with_them() {
        let [seed, friend] = [2, 3].map(|seed| at(seed, "198.51.100.1:9", 1));
        let own = ["203.0.113.1:9".parse().unwrap()];
        let former = vec![contact(&friend)];
        let seeds = [seed.clone()];
        let mut opennet = Opennet::new(&identity(1), &own, &seeds, former.clone()).unwrap();
        assert!(opennet.knows_strangers());
        let [
            Event::OwnContact { contact: told },
            Event::Join { remembered, seeds },
        ] = opennet.first_events()
        else {
            panic!("other events");
        };
        assert_eq!(told.record, opennet.record());
        assert_eq!((remembered, seeds), (former, vec![contact(&seed)]));
    }
}
