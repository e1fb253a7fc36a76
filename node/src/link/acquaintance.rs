//! What an endpoint knows of a stranger while there is a link with it, or is going to be one.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use bytes::Bytes;
use crypto::NodeId;

use super::{greeting::Greeted, places::Place};
use crate::reference::Reference;

/// Shared by the keeper of a stranger's link and by who takes calls.
#[derive(Default)]
pub(crate) struct Acquaintance {
    /// We are dialling it, or it was dialling us when we reached it: a call from it now is one of two that crossed.
    crossing: AtomicBool,
    /// Our dial has not ended.
    dialling: AtomicBool,
    /// There has been a link.
    met: AtomicBool,
    /// There is nothing to come: the next call or dial is of a new acquaintance.
    over: AtomicBool,
    /// Calls from it that are being greeted.
    arriving: AtomicUsize,
    /// Its place among the guests, until it is adopted.
    place: Mutex<Option<Place>>,
    /// How it was to be reached when we dialled it; empty if it dialled.
    dialled_record: Bytes,
}

/// A call that is being greeted.
pub(crate) struct Arrival {
    acquaintance: Arc<Acquaintance>,
    /// What to say of two calls that cross.
    pub(crate) crossing: bool,
}

impl Acquaintance {
    /// Of a stranger that has called.
    pub(crate) fn guest(place: Place) -> Self {
        Self {
            place: Mutex::new(Some(place)),
            ..Self::default()
        }
    }

    /// Of a stranger that we are about to dial by `record`.
    pub(crate) fn dialled(record: Bytes) -> Self {
        Self {
            crossing: AtomicBool::new(true),
            dialling: AtomicBool::new(true),
            dialled_record: record,
            ..Self::default()
        }
    }

    /// Notes that a call from the stranger is being greeted.
    pub(crate) fn arrives(self: &Arc<Self>) -> Arrival {
        self.arriving.fetch_add(1, Ordering::Relaxed);
        Arrival {
            crossing: self.crossing.load(Ordering::Relaxed),
            acquaintance: Arc::clone(self),
        }
    }

    pub(crate) fn is_arriving(&self) -> bool {
        self.arriving.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn is_dialling(&self) -> bool {
        self.dialling.load(Ordering::Relaxed)
    }

    /// The dial has ended, and this is whether there is a link now.
    pub(crate) fn has_dialled(&self, met: bool) {
        self.met.store(met, Ordering::Relaxed);
        self.dialling.store(false, Ordering::Relaxed);
    }

    pub(crate) fn has_met(&self) -> bool {
        self.met.load(Ordering::Relaxed)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// To be said before anybody is told of the end, so that whoever hears of it may dial at once.
    pub(crate) fn ends(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.is_no_guest();
    }

    /// Whether a call from it would be one of two that crossed.
    pub(crate) fn set_crossing(&self, crossing: bool) {
        self.crossing.store(crossing, Ordering::Relaxed);
    }

    /// Gives the place among the guests to the next.
    pub(crate) fn is_no_guest(&self) {
        // What is kept here is one value.
        drop(
            self.place
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    /// The record to tell of a connection: what the stranger says itself, or else what we dialled by.
    pub(crate) fn record_of(&self, peer: &NodeId, greeted: &Greeted) -> Bytes {
        if is_record_of(peer, &greeted.record) {
            greeted.record.clone()
        } else {
            self.dialled_record.clone()
        }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.acquaintance.arriving.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether `record` is signed by `node`.
pub(crate) fn is_record_of(node: &NodeId, record: &[u8]) -> bool {
    Reference::from_record(record).is_ok_and(|reference| reference.id() == *node)
}
