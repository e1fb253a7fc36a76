//! The keepers of all links, by peer: who has one, whose calls are taken, and who is dialled.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use crypto::NodeId;
use thiserror::Error;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::{
    acquaintance::{Acquaintance, Arrival},
    endpoint::Context,
    greeting::Greeted,
    peer::{CANDIDATES_MAX, Orders, Peer, Standing},
    routes::real,
};

/// Strangers that are being dialled at most: each dial takes a few seconds, and there is one a second after the first.
const DIALLING_MAX: usize = 64;

/// The keepers of one endpoint.
#[derive(Default)]
pub(crate) struct Keepers(Mutex<BTreeMap<NodeId, Entry>>);

struct Entry {
    orders: watch::Sender<Orders>,
    candidates: mpsc::Sender<Greeted>,
    task: JoinHandle<()>,
    standing: Standing,
}

/// Why a stranger is not even tried.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DialRefused {
    /// Without [`LinkConfig::strangers`](super::LinkConfig::strangers) there are none.
    #[error("this node does not link with strangers")]
    Closed,
    /// It is ourselves, or there is a link already, or one is being made.
    #[error("there is a link with this node, or one is being made")]
    Known,
    /// By [`Endpoint::shun`](super::Endpoint::shun).
    #[error("this node broke the protocol a while ago")]
    Shunned,
    /// The bounds on dials of strangers.
    #[error("too many nodes were dialled lately; try again in a while")]
    TooMany,
    /// None of the addresses can be reached from here.
    #[error("the node has no address that can be dialled from here")]
    NoAddress,
}

/// What becomes of a caller.
pub(crate) enum Reception {
    /// It is a peer that was made known.
    Known,
    /// It is a stranger, and welcome.
    Stranger(Arrival),
    /// Neither.
    Refused,
}

impl Keepers {
    /// Keeps a link to `peer` from now on.
    pub(crate) fn keep(&self, context: &Arc<Context>, peer: NodeId, addresses: Vec<SocketAddr>) {
        let mut entries = self.lock();
        match entries.get(&peer) {
            Some(entry) if entry.is_kept() && !entry.has_ended() => {
                entry
                    .orders
                    .send_modify(|orders| orders.addresses = addresses);
            }
            // The link of a stranger that becomes a friend begins anew.
            _ => insert(&mut entries, context, peer, addresses, Standing::Kept),
        }
    }

    /// Dials a stranger, once.
    pub(crate) fn dial(
        &self,
        context: &Arc<Context>,
        peer: NodeId,
        addresses: Vec<SocketAddr>,
        record: Bytes,
    ) -> Result<(), DialRefused> {
        let mut entries = self.lock();
        if let Some(entry) = entries.get(&peer).filter(|entry| !entry.has_ended()) {
            let Standing::Stranger(acquaintance) = &entry.standing else {
                return Err(DialRefused::Known);
            };
            if acquaintance.has_met() || acquaintance.is_dialling() {
                return Err(DialRefused::Known);
            }
            // It calls in this moment: that is as good, and if it comes to nothing the dial has failed.
            entry
                .orders
                .send_modify(|orders| orders.addresses = addresses);
            return Ok(());
        }
        let dialling = entries.values().filter(|entry| entry.is_dialling());
        if dialling.count() >= DIALLING_MAX {
            return Err(DialRefused::TooMany);
        }
        let standing = Standing::Stranger(Arc::new(Acquaintance::dialled(record)));
        insert(&mut entries, context, peer, addresses, standing);
        Ok(())
    }

    /// Decides on a call from `peer`, at `ip`, before it is greeted.
    pub(crate) fn receive(&self, context: &Arc<Context>, peer: NodeId, ip: IpAddr) -> Reception {
        let mut entries = self.lock();
        if let Some(entry) = entries.get(&peer).filter(|entry| !entry.has_ended()) {
            return match &entry.standing {
                Standing::Kept => Reception::Known,
                Standing::Stranger(acquaintance) => Reception::Stranger(acquaintance.arrives()),
            };
        }
        let Some(place) = context
            .guests
            .as_ref()
            .and_then(|guests| guests.take(ip, false))
        else {
            return Reception::Refused;
        };
        let acquaintance = Arc::new(Acquaintance::guest(place));
        let arrival = acquaintance.arrives();
        let standing = Standing::Stranger(acquaintance);
        insert(&mut entries, context, peer, Vec::new(), standing);
        Reception::Stranger(arrival)
    }

    /// Hands a connection from `peer` to its keeper; drops it when there is none or too many wait.
    pub(crate) fn offer(&self, peer: &NodeId, greeted: Greeted) {
        if let Some(entry) = self.lock().get(peer) {
            let _ = entry.candidates.try_send(greeted);
        }
    }

    /// Whether one of the peers that were made known has an address with this IP.
    pub(crate) fn is_known_at(&self, ip: IpAddr) -> bool {
        let is_at = |entry: &Entry| {
            let orders = entry.orders.borrow();
            let mut ips = orders.addresses.iter().map(|address| real(*address).ip());
            entry.is_kept() && !orders.ended && ips.any(|known| known == ip)
        };
        self.lock().values().any(is_at)
    }

    /// Ends the link at once.
    pub(crate) fn end(&self, peer: &NodeId) {
        self.order(peer, |orders| orders.ended = true);
    }

    /// Ends a stranger's link after what was sent.
    pub(crate) fn hang_up(&self, peer: &NodeId) {
        self.order(peer, |orders| orders.hang_up = true);
    }

    /// Lets a stranger stay.
    pub(crate) fn adopt(&self, peer: &NodeId) {
        self.order(peer, |orders| orders.adoptions += 1);
    }

    pub(crate) fn end_all(&self) -> Vec<JoinHandle<()>> {
        let entries = std::mem::take(&mut *self.lock());
        let end = |entry: Entry| {
            entry.orders.send_modify(|orders| orders.ended = true);
            entry.task
        };
        entries.into_values().map(end).collect()
    }

    /// Our own address has changed.
    pub(crate) fn moved(&self) {
        for entry in self.lock().values() {
            entry.orders.send_modify(|orders| orders.moves += 1);
        }
    }

    /// How many strangers have a link or are getting one.
    #[cfg(test)]
    pub(crate) fn strangers(&self) -> usize {
        let entries = self.lock();
        let strangers = entries.values().filter(|entry| !entry.is_kept());
        strangers.filter(|entry| !entry.has_ended()).count()
    }

    fn order(&self, peer: &NodeId, change: impl FnOnce(&mut Orders)) {
        if let Some(entry) = self.lock().get(peer) {
            entry.orders.send_modify(change);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, Entry>> {
        // Nothing panics between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    const fn is_kept(&self) -> bool {
        matches!(self.standing, Standing::Kept)
    }

    fn is_dialling(&self) -> bool {
        let Standing::Stranger(acquaintance) = &self.standing else {
            return false;
        };
        acquaintance.is_dialling() && !self.has_ended()
    }

    /// Whether it takes no more calls.
    fn has_ended(&self) -> bool {
        if let Standing::Stranger(acquaintance) = &self.standing
            && acquaintance.is_over()
        {
            return true;
        }
        let orders = self.orders.borrow();
        orders.ended || orders.hang_up || self.task.is_finished()
    }
}

/// Starts a keeper, after the end of the one that was there.
fn insert(
    entries: &mut BTreeMap<NodeId, Entry>,
    context: &Arc<Context>,
    peer: NodeId,
    addresses: Vec<SocketAddr>,
    standing: Standing,
) {
    entries.retain(|_, entry| !entry.task.is_finished());
    // Its `Down` must come before the new keeper's `Up`.
    let old = entries.remove(&peer).map(|entry| {
        entry.orders.send_modify(|orders| orders.ended = true);
        entry.task
    });
    let (orders, orders_out) = watch::channel(Orders {
        addresses,
        ..Orders::default()
    });
    let (candidates, candidates_out) = mpsc::channel(CANDIDATES_MAX);
    let keeper = Peer::new(
        Arc::clone(context),
        peer,
        standing.clone(),
        orders_out,
        candidates_out,
    );
    let task = context.runtime.spawn(async move {
        if let Some(old) = old {
            let _ = old.await;
        }
        keeper.run().await;
    });
    let entry = Entry {
        orders,
        candidates,
        task,
        standing,
    };
    entries.insert(peer, entry);
}
