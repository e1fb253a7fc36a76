//! Which request, insert or question to the store an id belongs to.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crypto::BlockKey;
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

use crate::event::{Class, LocalId, PeerId, StoreTicket};
use crate::message::RequestId;

/// What runs for a key. There is at most one fetch and one insert for each key at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) operation: Operation,
    pub(crate) key: BlockKey,
}

/// What is done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Fetch,
    Insert,
    /// Its copies elsewhere are counted.
    Repair,
}

/// Whom to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    Peer(PeerId, RequestId),
    User(LocalId),
}

/// Whose request a question to the store counts as, should it outlive what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payer {
    Peer(PeerId),
    /// A peer that is gone. It counts among all peers' requests.
    LostPeer,
    User,
}

impl From<Asker> for Payer {
    fn from(asker: Asker) -> Self {
        match asker {
            Asker::Peer(peer, _) => Self::Peer(peer),
            Asker::User(_) => Self::User,
        }
    }
}

impl Asker {
    pub(crate) fn is_peer(&self, peer: PeerId) -> bool {
        matches!(*self, Self::Peer(id, _) if id == peer)
    }
}

/// A name of a request on a link: the peer's handle, and the id that the asking side chose.
type OnLink = (PeerId, RequestId);

/// The ids in use.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// Peers' requests.
    incoming: BTreeMap<OnLink, (Target, Class)>,
    /// What peers are asked. A fetch or an insert asks one peer at a time.
    outgoing: BTreeMap<OnLink, (Target, Class)>,
    /// Requests of the node's own user.
    local: BTreeMap<LocalId, Target>,
    /// What the store is asked.
    tickets: BTreeMap<StoreTicket, Target>,
    /// What the store was asked for those who have gone since and has not answered: it still has the work.
    late: BTreeMap<StoreTicket, Payer>,
    /// How many of these the user pays for.
    late_of_user: usize,
    next_ticket: u64,
}

impl Requests {
    /// Notes whom a running request belongs to. The id must not be in use.
    pub(crate) fn begin(&mut self, asker: Asker, target: Target, class: Class) {
        let in_use = match asker {
            Asker::Peer(peer, id) => self.incoming.insert((peer, id), (target, class)).is_some(),
            Asker::User(id) => self.local.insert(id, target).is_some(),
        };
        assert!(
            !in_use,
            "the id of a running request was used again: {asker:?}"
        );
    }

    /// Forgets a request that was answered, and gives its class if a peer made it.
    pub(crate) fn end(&mut self, asker: Asker) -> Option<Class> {
        match asker {
            Asker::Peer(peer, id) => self.incoming.remove(&(peer, id)).map(|(_, class)| class),
            Asker::User(id) => {
                self.local.remove(&id);
                None
            }
        }
    }

    pub(crate) fn incoming(&self, peer: PeerId, id: RequestId) -> Option<Target> {
        self.incoming.get(&(peer, id)).map(|&(target, _)| target)
    }

    pub(crate) fn incoming_len(&self) -> usize {
        self.incoming.len()
    }

    /// Peers' requests, with those that have ended and that the store still works for.
    pub(crate) fn peers_work(&self) -> usize {
        self.incoming.len() + self.late.len() - self.late_of_user
    }

    /// The user's requests, with those that have ended and that the store still works for.
    pub(crate) fn users_work(&self) -> usize {
        self.local.len() + self.late_of_user
    }

    pub(crate) fn local(&self, id: LocalId) -> Option<Target> {
        self.local.get(&id).copied()
    }

    pub(crate) fn local_len(&self) -> usize {
        self.local.len()
    }

    /// A fresh id for asking `peer`.
    pub(crate) fn ask(
        &mut self,
        peer: PeerId,
        target: Target,
        class: Class,
        rng: &mut ChaCha8Rng,
    ) -> RequestId {
        loop {
            let id = RequestId(rng.next_u64());
            if let Entry::Vacant(entry) = self.outgoing.entry((peer, id)) {
                entry.insert((target, class));
                return id;
            }
        }
    }

    /// What `peer` was asked under `id`, if it has not answered yet.
    pub(crate) fn asked(&self, peer: PeerId, id: RequestId) -> Option<Target> {
        self.outgoing.get(&(peer, id)).map(|&(target, _)| target)
    }

    /// How urgent what `peer` was asked under `id` is, if it has not answered yet.
    pub(crate) fn class_asked(&self, peer: PeerId, id: RequestId) -> Option<Class> {
        self.outgoing.get(&(peer, id)).map(|&(_, class)| class)
    }

    /// Forgets a question that was answered or is not waited for any longer, and gives its class.
    pub(crate) fn answered(&mut self, peer: PeerId, id: RequestId) -> Option<Class> {
        self.outgoing.remove(&(peer, id)).map(|(_, class)| class)
    }

    /// A fresh ticket for asking the store.
    pub(crate) fn ask_store(&mut self, target: Target) -> StoreTicket {
        let ticket = self.unwatched_ticket();
        self.tickets.insert(ticket, target);
        ticket
    }

    /// A ticket whose answer nobody waits for.
    pub(crate) const fn unwatched_ticket(&mut self) -> StoreTicket {
        self.next_ticket += 1;
        StoreTicket(self.next_ticket)
    }

    /// What the store was asked, once.
    pub(crate) fn store_answered(&mut self, ticket: StoreTicket) -> Option<Target> {
        self.tickets.remove(&ticket)
    }

    /// Nobody waits for this answer any longer. `false` if it has come already.
    pub(crate) fn abandon(&mut self, ticket: StoreTicket, payer: Payer) -> bool {
        let open = self.tickets.remove(&ticket).is_some();
        if open {
            self.late.insert(ticket, payer);
            self.late_of_user += usize::from(payer == Payer::User);
        }
        open
    }

    /// Who paid for an answer for which nobody waited, once.
    pub(crate) fn late_answer(&mut self, ticket: StoreTicket) -> Option<Payer> {
        let payer = self.late.remove(&ticket)?;
        self.late_of_user -= usize::from(payer == Payer::User);
        Some(payer)
    }

    /// A peer is gone, and can pay for nothing.
    pub(crate) fn lose_payer(&mut self, peer: PeerId) {
        for payer in self.late.values_mut() {
            if *payer == Payer::Peer(peer) {
                *payer = Payer::LostPeer;
            }
        }
    }

    /// What a peer that has gone had asked for.
    pub(crate) fn incoming_of(&self, peer: PeerId) -> Vec<(RequestId, Target)> {
        on_link(&self.incoming, peer)
    }

    /// What a peer that has gone was asked.
    pub(crate) fn outgoing_of(&self, peer: PeerId) -> Vec<(RequestId, Target)> {
        on_link(&self.outgoing, peer)
    }

    /// Whether nothing is in progress.
    pub(crate) fn is_empty(&self) -> bool {
        self.incoming.is_empty()
            && self.outgoing.is_empty()
            && self.local.is_empty()
            && self.tickets.is_empty()
            && self.late.is_empty()
    }
}

fn on_link(requests: &BTreeMap<OnLink, (Target, Class)>, peer: PeerId) -> Vec<(RequestId, Target)> {
    let all_ids = (peer, RequestId(0))..=(peer, RequestId(u64::MAX));
    requests
        .range(all_ids)
        .map(|(&(_, id), &(target, _))| (id, target))
        .collect()
}
