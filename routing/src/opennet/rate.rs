//! How often something may happen.

use std::time::Duration;

use crate::time::Time;

/// Something that may happen so many times at once, and once for each span of time after that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) burst: u32,
    pub(crate) each: Duration,
}

/// What is left of a [`Rate`]: the moment until which it is used up, as if each time took its span.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allowance {
    used_until: Time,
}

impl Allowance {
    /// Whether it may happen once more at `now`; if so, it counts.
    pub(crate) fn take(&mut self, rate: Rate, now: Time) -> bool {
        let used_until = self.used_until.max(now) + rate.each;
        let within = used_until.since(now) <= rate.each * rate.burst;
        if within {
            self.used_until = used_until;
        }
        within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_one_for_each_span() {
        let rate = Rate {
            burst: 3,
            each: Duration::from_secs(10),
        };
        let mut allowance = Allowance::default();
        let mut passed = |seconds: u64| {
            let now = Time::from_micros(seconds * 1_000_000);
            (0..5).filter(|_| allowance.take(rate, now)).count()
        };
        assert_eq!(
            [100, 105, 110, 112, 130, 1000].map(&mut passed),
            [3, 0, 1, 0, 2, 3]
        );
    }
}
