//! The node's own keys as a relay.

use std::time::Duration;

use crypto::onion::OnionSecret;
use rand_chacha::ChaCha8Rng;

use super::list::RelayName;
use crate::time::Time;

/// The present key, and the one before it for a while.
#[derive(Debug)]
pub(super) struct OwnKeys {
    current: OnionSecret,
    /// When the next one is due.
    until: Time,
    former: Option<(OnionSecret, Time)>,
    /// Of the last list signed.
    number: u64,
}

impl OwnKeys {
    pub(super) fn new(now: Time, life: Duration, rng: &mut ChaCha8Rng) -> Self {
        Self {
            current: OnionSecret::generate(rng),
            until: now + life,
            former: None,
            number: 0,
        }
    }

    /// Keys from an earlier start: the present one with what is left of its life, the former one likewise.
    pub(super) fn restored(
        current: OnionSecret,
        until: Time,
        former: Option<(OnionSecret, Time)>,
        number: u64,
    ) -> Self {
        Self {
            current,
            until,
            former,
            // Lists may have been signed since it was written down
            number: number.saturating_add(NUMBERS_SKIPPED),
        }
    }

    /// Changes keys if it is time. Whether it did.
    pub(super) fn rotate(
        &mut self,
        now: Time,
        life: Duration,
        former_life: Duration,
        rng: &mut ChaCha8Rng,
    ) -> bool {
        if self.former.as_ref().is_some_and(|&(_, until)| until <= now) {
            self.former = None;
        }
        if self.until > now {
            return false;
        }
        let old = std::mem::replace(&mut self.current, OnionSecret::generate(rng));
        self.former = Some((old, now + former_life));
        self.until = now + life;
        true
    }

    /// When [`OwnKeys::rotate`] has something to do.
    pub(super) fn next_change(&self) -> Time {
        let former = self.former.as_ref().map(|&(_, until)| until);
        former.map_or(self.until, |former| former.min(self.until))
    }

    pub(super) const fn current(&self) -> &OnionSecret {
        &self.current
    }

    pub(super) const fn current_until(&self) -> Time {
        self.until
    }

    pub(super) const fn former(&self) -> Option<&(OnionSecret, Time)> {
        self.former.as_ref()
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The number of the next list.
    pub(super) const fn next_number(&mut self) -> u64 {
        self.number = self.number.saturating_add(1);
        self.number
    }

    /// All for which handshakes are answered.
    pub(super) fn all(&self) -> impl Iterator<Item = &OnionSecret> {
        let former = self.former.iter().map(|(secret, _)| secret);
        std::iter::once(&self.current).chain(former)
    }

    /// Whether a relay of this name is this node.
    pub(super) fn is_own(&self, name: &RelayName) -> bool {
        self.all()
            .any(|secret| secret.key().as_bytes() == name.as_bytes())
    }

    /// Names of this node.
    pub(super) fn names(&self) -> impl Iterator<Item = RelayName> {
        self.all().map(|secret| secret.key().into())
    }
}

/// More lists than a node signs between two times that its keys are written down: one in half a minute for 20 days.
const NUMBERS_SKIPPED: u64 = 1 << 16;
