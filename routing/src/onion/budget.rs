//! How many bytes of others a node carries.

use std::num::NonZeroU64;
use std::time::Duration;

use crypto::onion::CellSize;

use crate::time::Time;

/// What flows in evenly and may be taken in bursts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    taken: u64,
    at: Time,
}

/// How fast a [`Bucket`] is emptied, and how full it may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    per_second: u64,
    burst: u64,
}

impl Flow {
    /// So many bytes a second, and two seconds' worth at once, but never less than a few dozen blocks.
    pub(super) fn bytes(per_second: u64) -> Self {
        Self {
            per_second,
            burst: (per_second * 2).max(BURST_MIN),
        }
    }

    /// So many things a second, and twice as many at once.
    pub(super) const fn things(per_second: u32) -> Self {
        Self {
            per_second: per_second as u64,
            burst: per_second as u64 * 2,
        }
    }

    /// `percent` of what the node can send, of which `part` may have one part.
    pub(super) fn share(upload: NonZeroU64, percent: u8, part: u64) -> Self {
        Self::bytes(upload.get() / 100 * u64::from(percent) / part)
    }
}

impl Bucket {
    pub(super) const fn new(now: Time) -> Self {
        Self { taken: 0, at: now }
    }

    /// Takes so much out, if it is there.
    pub(super) fn take(&mut self, now: Time, flow: Flow, amount: u64) -> bool {
        let passed = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        let flowed = u128::from(passed) * u128::from(flow.per_second) / 1_000_000;
        if flowed > 0 {
            let flowed = u64::try_from(flowed).unwrap_or(u64::MAX);
            self.taken = self.taken.saturating_sub(flowed);
            self.at = now;
        }
        let taken = self.taken.saturating_add(amount);
        let fits = taken <= flow.burst;
        if fits {
            self.taken = taken;
        }
        fits
    }
}

/// What one circuit may have on its way: 64 requests.
const BURST_MIN: u64 = 64 * CellSize::Block.len() as u64;

/// Of what a node carries, one peer gets at most one part in so many.
pub(super) const PEER_PART: u64 = 2;

/// Of what a node carries, one circuit gets at most one part in so many.
pub(super) const CIRCUIT_PART: u64 = 4;

/// How often a node looks whether circuits of others are silent.
pub(super) const SWEEP: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let flow = Flow::bytes(10_000_000);
        let mut bucket = Bucket::new(at(0));
        assert!(bucket.take(at(0), flow, 20_000_000));
        assert!(!bucket.take(at(0), flow, 1));
        assert!(bucket.take(at(100), flow, 1_000_000));
        assert!(!bucket.take(at(100), flow, 1));
        let mut taken = 0;
        for millis in 101..10_101 {
            while bucket.take(at(millis), flow, 1_000) {
                taken += 1_000;
            }
        }
        assert!((99_000_000..=101_000_000).contains(&taken), "{taken}");
    }
}
