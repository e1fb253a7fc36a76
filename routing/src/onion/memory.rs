//! What a node keeps of its onion stage from one start to the next.

use std::fmt;
use std::time::Duration;

use crypto::NodeId;
use crypto::onion::OnionSecret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Onion;
use super::guards::{Guard, Guards};
use super::keys::OwnKeys;
use super::list::RelayName;
use crate::block::Block;
use crate::event::Action;
use crate::shared::Shared;
use crate::time::Time;

/// A node's onion keys and guards. Secret: the keys open what is said to the node, and the guards are where its own circuits
/// begin. Prints nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct OnionMemory(Zeroizing<Vec<u8>>);

/// Bytes that were not written by [`OnionMemory::as_bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "what was kept of the onion stage is damaged; without it the node chooses new keys and a new guard"
)]
pub struct BadOnionMemory;

impl OnionMemory {
    /// As it was kept.
    ///
    /// # Errors
    /// If it was not kept whole.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadOnionMemory> {
        let memory = Self(Zeroizing::new(bytes.to_vec()));
        memory.kept().map(|_| memory)
    }

    /// To be kept where only the owner can read it; at most a few KiB.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn kept(&self) -> Result<Kept, BadOnionMemory> {
        let (kept, rest): (Kept, _) =
            postcard::take_from_bytes(&self.0).map_err(|_| BadOnionMemory)?;
        let fits = rest.is_empty() && kept.version == VERSION && kept.guards.len() <= GUARDS_MAX;
        fits.then_some(kept).ok_or(BadOnionMemory)
    }
}

impl fmt::Debug for OnionMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnionMemory([redacted])")
    }
}

impl<B: Block> Onion<B> {
    /// Has the driver keep what has changed.
    pub(super) fn remember(&self, shared: &mut Shared<B>) {
        let now = shared.now;
        let left = |until: Time| until.since(now).as_secs();
        let secret = |secret: &OnionSecret, until: Time| KeptKey {
            seed: *secret.seed(),
            left_s: left(until),
        };
        let guards = self.own.guards.all().iter();
        let kept = Kept {
            version: VERSION,
            current: secret(self.keys.current(), self.keys.current_until()),
            former: self
                .keys
                .former()
                .map(|(former, until)| secret(former, *until)),
            number: self.keys.number(),
            guards: guards
                .filter_map(|guard| {
                    Some(KeptGuard {
                        node: *guard.node?.as_bytes(),
                        left_s: left(guard.until),
                        seconds: guard.seconds.to_vec(),
                    })
                })
                .collect(),
        };
        let bytes = postcard::to_allocvec(&kept).expect("memory can be allocated");
        let memory = OnionMemory(Zeroizing::new(bytes));
        shared.actions.push_back(Action::Remember { memory });
    }

    /// Goes on with what was kept `elapsed` ago.
    pub(crate) fn recall(
        &mut self,
        shared: &mut Shared<B>,
        memory: &OnionMemory,
        elapsed: Duration,
    ) {
        let Ok(kept) = memory.kept() else {
            return;
        };
        let now = shared.now;
        let until = |left_s: u64| {
            let left = Duration::from_secs(left_s.min(LEFT_MAX_S));
            now + left.saturating_sub(elapsed)
        };
        let secret = |kept: &KeptKey| (OnionSecret::from_seed(&kept.seed), until(kept.left_s));
        let (current, current_until) = secret(&kept.current);
        let former = kept.former.as_ref().map(secret);
        self.keys = OwnKeys::restored(current, current_until, former, kept.number);
        let guards = kept.guards.iter().filter_map(|guard| {
            Some(Guard {
                node: Some(NodeId::from_bytes(guard.node).ok()?),
                peer: None,
                until: until(guard.left_s),
                seconds: guard.seconds.iter().copied().collect(),
            })
        });
        self.own.guards = Guards::restored(guards.collect());
        for (&peer, &node) in &self.own.nodes {
            self.own.guards.peer_is(peer, node);
        }
        self.reach.renew(now);
    }
}

/// The format of [`OnionMemory`].
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u8,
    current: KeptKey,
    former: Option<KeptKey>,
    number: u64,
    guards: Vec<KeptGuard>,
}

#[derive(Serialize, Deserialize)]
struct KeptKey {
    seed: [u8; 32],
    left_s: u64,
}

#[derive(Serialize, Deserialize)]
struct KeptGuard {
    node: [u8; 32],
    left_s: u64,
    seconds: Vec<RelayName>,
}

impl Drop for KeptKey {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.seed);
    }
}

const VERSION: u8 = 1;

/// More than are ever kept.
const GUARDS_MAX: usize = 8;

/// A year: longer than anything is kept.
const LEFT_MAX_S: u64 = 366 * 24 * 60 * 60;
