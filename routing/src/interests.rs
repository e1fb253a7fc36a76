//! Who waits for a block that is not there yet, and who would say that it has come.
//!
//! A peer whose search failed here is remembered for a while, and a subscriber for as long as it renews. When the block
//! comes by, each is told once, by a few bytes without the block: whoever still wants it fetches it. What a peer says in
//! this way is believed only if it was asked for that key and did not have it, once for each time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crypto::BlockKey;
use smallvec::SmallVec;

use crate::event::PeerId;
use crate::time::Time;

mod news;

/// The keys that somebody waits for. Bounded; entries expire by themselves.
#[derive(Debug, Default)]
pub(crate) struct Interests {
    by_key: BTreeMap<BlockKey, Interest>,
    /// When to look after which key.
    by_due: BTreeSet<(Time, BlockKey)>,
    /// How many entries each peer has caused, in all keys.
    by_peer: BTreeMap<PeerId, usize>,
    /// To how many keys the user subscribes.
    subscribed: usize,
}

/// All that is known of one key that is not there.
#[derive(Debug, Default)]
struct Interest {
    due: Time,
    /// The node's own user subscribes.
    user: bool,
    /// Peers that want to know.
    wanted_by: SmallVec<[Wanted; 2]>,
    /// Peers that may say that it has come.
    asked: SmallVec<[(PeerId, Time); 2]>,
    /// To whom this node subscribes, and when it may do so again.
    upstream: Option<(PeerId, Time)>,
    /// Who said that it has come, and until when that is remembered.
    source: Option<(PeerId, Time)>,
}

#[derive(Clone, Copy, Debug)]
struct Wanted {
    peer: PeerId,
    until: Time,
    /// It asked to be told; otherwise its search failed.
    subscribed: bool,
}

/// The bounds of [`Interests`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) keys_max: usize,
    pub(crate) per_peer_max: usize,
}

impl Interests {
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// When something is next to be looked after.
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.by_due.first().map(|&(due, _)| due)
    }

    /// Notes that a peer wants to know of a key. `false` if there is no room for it.
    fn want(&mut self, key: BlockKey, wanted: Wanted, bounds: Bounds) -> bool {
        let Wanted { peer, until, .. } = wanted;
        let caused = self.by_peer.get(&peer).copied().unwrap_or(0);
        let known = self.by_key.get_mut(&key).and_then(|interest| {
            interest
                .wanted_by
                .iter_mut()
                .find(|known| known.peer == peer)
        });
        if let Some(known) = known {
            known.until = known.until.max(until);
            known.subscribed |= wanted.subscribed;
            self.look_after(key, until);
            return true;
        }
        if caused >= bounds.per_peer_max {
            return false;
        }
        let Some(interest) = self.entry(key, until, bounds.keys_max) else {
            return false;
        };
        if interest.wanted_by.len() >= WANTED_BY_MAX {
            return false;
        }
        interest.wanted_by.push(wanted);
        *self.by_peer.entry(peer).or_default() += 1;
        true
    }

    /// Notes that a peer was asked for a key and does not have it: it may say when it has come.
    fn may_tell(&mut self, key: BlockKey, peer: PeerId, until: Time, bounds: Bounds) {
        let Some(interest) = self.entry(key, until, bounds.keys_max) else {
            return;
        };
        interest.asked.retain(|(known, _)| *known != peer);
        if interest.asked.len() < ASKED_MAX {
            interest.asked.push((peer, until));
        }
    }

    /// Whether `peer` was asked for `key` and may say, once, that it has come.
    fn take_expected(&mut self, key: &BlockKey, peer: PeerId, now: Time) -> bool {
        let Some(interest) = self.by_key.get_mut(key) else {
            return false;
        };
        let asked = &mut interest.asked;
        let found = asked
            .iter()
            .position(|&(known, until)| known == peer && until > now);
        found.map(|place| asked.swap_remove(place)).is_some()
    }

    /// Takes out all who want to know of a key, and whether the user subscribes to it.
    fn take_wanted(&mut self, key: &BlockKey, now: Time) -> (SmallVec<[Wanted; 2]>, bool) {
        let Some(interest) = self.by_key.get_mut(key) else {
            return (SmallVec::new(), false);
        };
        let mut wanted = std::mem::take(&mut interest.wanted_by);
        let user = std::mem::take(&mut interest.user);
        self.subscribed -= usize::from(user);
        for wanted in &wanted {
            release(&mut self.by_peer, wanted.peer);
        }
        wanted.retain(|wanted| wanted.until > now);
        (wanted, user)
    }

    /// Who said lately that the block has come.
    pub(crate) fn source(&self, key: &BlockKey, now: Time) -> Option<PeerId> {
        let (peer, until) = self.by_key.get(key)?.source?;
        (until > now).then_some(peer)
    }

    /// Forgets a peer. Gives the keys for which this node subscribed to it and somebody still waits.
    fn forget(&mut self, peer: PeerId) -> Vec<BlockKey> {
        let mut orphans = Vec::new();
        for (key, interest) in &mut self.by_key {
            interest.wanted_by.retain(|wanted| wanted.peer != peer);
            interest.asked.retain(|(known, _)| *known != peer);
            interest.source = interest.source.filter(|(known, _)| *known != peer);
            if interest.upstream.is_some_and(|(known, _)| known == peer) {
                interest.upstream = None;
                if interest.is_subscribed() {
                    orphans.push(*key);
                }
            }
        }
        self.by_peer.remove(&peer);
        orphans
    }

    /// Drops what is over by now from the key that is due first. Gives the key if the user's subscription is to be renewed.
    fn expire_one(&mut self, now: Time) -> Option<Expired> {
        let &(due, key) = self.by_due.first()?;
        if due > now {
            return None;
        }
        self.by_due.pop_first();
        let interest = self.by_key.get_mut(&key)?;
        let by_peer = &mut self.by_peer;
        interest.wanted_by.retain(|wanted| {
            let stays = wanted.until > now;
            if !stays {
                release(by_peer, wanted.peer);
            }
            stays
        });
        interest.asked.retain(|(_, until)| *until > now);
        interest.source = interest.source.filter(|&(_, until)| until > now);
        if interest.user {
            return Some(Expired::Renew(key));
        }
        match interest.last_end() {
            Some(end) => {
                interest.due = end;
                self.by_due.insert((end, key));
            }
            None => drop(self.by_key.remove(&key)),
        }
        Some(Expired::Dropped)
    }

    /// Sees that `key` is looked after at `at` or, if that is later, when it would have been.
    fn look_after(&mut self, key: BlockKey, at: Time) {
        if let Some(interest) = self.by_key.get_mut(&key)
            && (interest.due < at && !interest.user)
        {
            self.by_due.remove(&(interest.due, key));
            interest.due = at;
            self.by_due.insert((at, key));
        }
    }

    /// The entry of `key`, made if there is none and room for one. Where there is none, what would be over first goes,
    /// unless it is the user's.
    fn entry(&mut self, key: BlockKey, until: Time, keys_max: usize) -> Option<&mut Interest> {
        if !self.by_key.contains_key(&key) {
            while self.by_key.len() >= keys_max {
                let by_key = &self.by_key;
                let mut oldest = self.by_due.iter();
                let &(due, oldest) =
                    oldest.find(|(_, key)| by_key.get(key).is_some_and(|known| !known.user))?;
                self.by_due.remove(&(due, oldest));
                for wanted in self.by_key.remove(&oldest)?.wanted_by {
                    release(&mut self.by_peer, wanted.peer);
                }
            }
            let interest = Interest {
                due: until,
                ..Interest::default()
            };
            self.by_key.insert(key, interest);
            self.by_due.insert((until, key));
        }
        self.look_after(key, until);
        self.by_key.get_mut(&key)
    }
}

/// What became of the key that was due.
enum Expired {
    /// The user still waits for it.
    Renew(BlockKey),
    Dropped,
}

impl Interest {
    fn is_subscribed(&self) -> bool {
        self.user || self.wanted_by.iter().any(|wanted| wanted.subscribed)
    }

    /// When the last of what is known is over.
    fn last_end(&self) -> Option<Time> {
        let wanted = self.wanted_by.iter().map(|wanted| wanted.until);
        let asked = self.asked.iter().map(|&(_, until)| until);
        let source = self.source.iter().map(|&(_, until)| until);
        wanted.chain(asked).chain(source).max()
    }
}

fn release(by_peer: &mut BTreeMap<PeerId, usize>, peer: PeerId) {
    if let Some(caused) = by_peer.get_mut(&peer) {
        *caused -= 1;
        if *caused == 0 {
            by_peer.remove(&peer);
        }
    }
}

/// A key for which more peers wait than this will be asked for again anyway.
const WANTED_BY_MAX: usize = 32;

/// No search asks many more peers than this in vain.
const ASKED_MAX: usize = 16;

/// For how long a peer that said that a block has come is asked first.
const SOURCE_REMEMBERED: Duration = Duration::from_secs(60);
