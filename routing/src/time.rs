//! Time as the router sees it: an input.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Microseconds since the driver started its clock.
///
/// The router compares and adds times and reads no clock, so that a test can write one down and a simulation can run
/// hours in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The moment at which the driver's clock starts.
    pub const ZERO: Self = Self(0);

    /// The moment `micros` microseconds after the start.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the start.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    /// Saturates at the end of time, 584 000 years after the start.
    fn add(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)),
        )
    }
}

impl Sub for Time {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_differences_saturate() {
        let start = Time::from_micros(1_500_000);
        assert_eq!((start + Duration::from_secs(2)).as_micros(), 3_500_000);
        assert_eq!(start - Time::ZERO, Duration::from_millis(1500));
        assert_eq!(Time::ZERO - start, Duration::ZERO);
        assert_eq!(
            (Time::from_micros(u64::MAX) + Duration::MAX).as_micros(),
            u64::MAX
        );
        assert_eq!(start.to_string(), "1.500000s");
    }
}
