//! Telling those who wait that a block has come, and asking to be told.

use crypto::BlockKey;

use super::{Bounds, Expired, SOURCE_REMEMBERED, Wanted};
use crate::block::Block;
use crate::event::{Action, Class, PeerId};
use crate::finding::Finding;
use crate::location::Location;
use crate::message::Message;
use crate::shared::Shared;
use crate::time::Time;

impl<B: Block> Shared<B> {
    /// A peer's search for `key` failed here: it will be told if the block comes soon.
    pub(crate) fn remember_asker(&mut self, key: BlockKey, peer: PeerId) {
        let wanted = Wanted {
            peer,
            until: self.now + self.config.askers_remembered,
            subscribed: false,
        };
        self.interests.want(key, wanted, self.bounds());
    }

    /// A peer that was asked for `key` does not have it: it may say if the block comes soon.
    pub(crate) fn expect_news(&mut self, key: BlockKey, peer: PeerId) {
        let until = self.now + self.config.askers_remembered + self.config.askers_remembered / 8;
        self.interests.may_tell(key, peer, until, self.bounds());
    }

    /// The block of `key` can be had here or from where this node asks: all who wait for it are told, but for `from`.
    pub(crate) fn appeared(&mut self, key: BlockKey, from: Option<PeerId>) {
        let (wanted, user) = self.interests.take_wanted(&key, self.now);
        for Wanted { peer, .. } in wanted {
            if Some(peer) != from && self.peers.peer(peer).is_some() {
                let message = Message::Finding(Finding::Appeared { key });
                self.send(peer, message, Class::RealTime);
            }
        }
        if user {
            self.actions.push_back(Action::Appeared { key });
        }
    }

    /// A peer says that a block has come. One that was not asked for it does not do what it should.
    pub(crate) fn hear_of(&mut self, key: BlockKey, from: PeerId) {
        if !self.interests.take_expected(&key, from, self.now) {
            self.peers.failed(from);
            return;
        }
        self.recently_failed.clear(&key);
        let until = self.now + SOURCE_REMEMBERED;
        if let Some(interest) = self.interests.by_key.get_mut(&key) {
            interest.source = Some((from, until));
            interest.upstream = None;
        }
        self.interests.look_after(key, until);
        self.appeared(key, Some(from));
    }

    /// The user wants to know when the block of `key` comes. Too many such keys are ignored.
    pub(crate) fn user_subscribes(&mut self, key: BlockKey) {
        let bounds = self.bounds();
        let renewal = self.next_renewal();
        let interests = &mut self.interests;
        if interests.subscribed >= self.config.subscriptions_max {
            return;
        }
        let Some(interest) = interests.entry(key, renewal, bounds.keys_max) else {
            return;
        };
        interests.subscribed += usize::from(!std::mem::replace(&mut interest.user, true));
        self.renew_at(key, renewal);
        self.subscribe_upstream(key);
    }

    /// The user does not want to know any longer.
    pub(crate) fn user_unsubscribes(&mut self, key: BlockKey) {
        let Some(interest) = self.interests.by_key.get_mut(&key) else {
            return;
        };
        if std::mem::take(&mut interest.user) {
            self.interests.subscribed -= 1;
            self.leave_upstream(key);
        }
    }

    /// A peer wants to know when the block of `key` comes.
    pub(crate) fn peer_subscribes(&mut self, key: BlockKey, from: PeerId) {
        let wanted = Wanted {
            peer: from,
            until: self.now + self.config.subscription,
            subscribed: true,
        };
        if self.interests.want(key, wanted, self.bounds()) {
            self.subscribe_upstream(key);
        }
    }

    /// A peer does not want to know any longer.
    pub(crate) fn peer_unsubscribes(&mut self, key: BlockKey, from: PeerId) {
        let interests = &mut self.interests;
        let Some(interest) = interests.by_key.get_mut(&key) else {
            return;
        };
        let before = interest.wanted_by.len();
        interest.wanted_by.retain(|wanted| wanted.peer != from);
        if interest.wanted_by.len() < before {
            super::release(&mut interests.by_peer, from);
            self.leave_upstream(key);
        }
    }

    /// A peer is gone: what was subscribed to at it is subscribed to elsewhere.
    pub(crate) fn interests_lose(&mut self, peer: PeerId) {
        for key in self.interests.forget(peer) {
            self.subscribe_upstream(key);
        }
    }

    /// Does what is due: drops what is over, renews what the user still waits for.
    pub(crate) fn look_after_interests(&mut self) {
        while let Some(expired) = self.interests.expire_one(self.now) {
            if let Expired::Renew(key) = expired {
                let renewal = self.next_renewal();
                self.renew_at(key, renewal);
                self.subscribe_upstream(key);
            }
        }
    }

    /// Subscribes to `key` at the next node on its way, if there is one and it was not done lately.
    ///
    /// It is one that is closer to the key than this node, so the chain of subscriptions ends where the block will be
    /// stored, and cannot close.
    fn subscribe_upstream(&mut self, key: BlockKey) {
        let Some(interest) = self.interests.by_key.get(&key) else {
            return;
        };
        let lately = interest.upstream.is_some_and(|(_, next)| next > self.now);
        if lately || !interest.is_subscribed() {
            return;
        }
        let target = Location::of_key(&key);
        let own_distance = self.me.distance(target);
        let next = self.next_peer(&key, |_, place| place.distance(target) < own_distance);
        let Some(peer) = next.map(|next| next.peer) else {
            return;
        };
        let until = self.now + self.config.subscription + self.config.subscription / 8;
        self.interests.may_tell(key, peer, until, self.bounds());
        // However often others renew, this node does it four times in a subscription's life at most
        let next = self.now + self.config.subscription / 4;
        if let Some(interest) = self.interests.by_key.get_mut(&key) {
            interest.upstream = Some((peer, next));
        }
        let message = Message::Finding(Finding::Subscribe { key });
        self.send(peer, message, Class::RealTime);
    }

    /// Ends this node's own subscription if nobody behind it subscribes any longer.
    fn leave_upstream(&mut self, key: BlockKey) {
        let Some(interest) = self.interests.by_key.get_mut(&key) else {
            return;
        };
        if interest.is_subscribed() {
            return;
        }
        if let Some((peer, _)) = interest.upstream.take() {
            let message = Message::Finding(Finding::Unsubscribe { key });
            self.send(peer, message, Class::RealTime);
        }
    }

    /// Renews the user's subscription at `at`.
    fn renew_at(&mut self, key: BlockKey, at: Time) {
        let interests = &mut self.interests;
        if let Some(interest) = interests.by_key.get_mut(&key) {
            interests.by_due.remove(&(interest.due, key));
            interest.due = at;
            interests.by_due.insert((at, key));
        }
    }

    /// When a subscription made now is to be renewed: at some time in the second quarter of its life, so that the times
    /// say little about who began it.
    fn next_renewal(&mut self) -> Time {
        let half = self.config.subscription / 2;
        self.now + self.half_or_more(half)
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            keys_max: self.config.interests_max,
            per_peer_max: self.config.interests_per_peer_max,
        }
    }
}
