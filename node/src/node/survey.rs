//! What the node tells of its router: where it is, the state of the peers, and how requests ended.

use std::collections::BTreeMap;

use routing::{Load, Location, OnionView, PeerCredit, PeerId, PeerMerit, Router};

use super::answers::Counts;

/// A look at the router.
#[derive(Clone, Debug, Default)]
pub(crate) struct Survey {
    /// How much it has to do.
    pub(crate) load: Load,
    /// Where the node is on the ring; unknown when it is stopping.
    pub(crate) location: Option<Location>,
    /// The linked peers.
    pub(crate) peers: BTreeMap<PeerId, SurveyedPeer>,
    /// How the user's requests are hidden; none when the node is stopping.
    pub(crate) onion: Option<OnionView>,
    /// How requests have ended since the start.
    pub(crate) counts: Counts,
}

/// What the router knows of one peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SurveyedPeer {
    /// Where it is on the ring.
    pub(crate) location: Location,
    /// The link carries requests.
    pub(crate) adopted: bool,
    /// Its requests in progress here.
    pub(crate) requests: usize,
    /// How well it did what it was asked.
    pub(crate) merit: PeerMerit,
    /// How much it may be asked for.
    pub(crate) credit: PeerCredit,
}

impl Survey {
    pub(super) fn new(router: &Router, counts: Counts) -> Self {
        let peers = router.peers().map(|view| {
            let surveyed = SurveyedPeer {
                location: view.location,
                adopted: view.adopted,
                requests: view.requests,
                merit: view.merit,
                credit: view.credit,
            };
            (view.peer, surveyed)
        });
        Self {
            load: router.load(),
            location: Some(router.location()),
            peers: peers.collect(),
            onion: router.onion(),
            counts,
        }
    }
}
