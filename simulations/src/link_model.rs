//! What links do to messages.

use std::ops::Range;
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// How long messages take and how many are lost.
#[derive(Clone, Debug)]
pub struct LinkModel {
    /// Each message takes a time from this range. A wide range reorders.
    pub delay: Range<Duration>,
    /// The probability with which a message never arrives.
    pub loss: f64,
}

impl Default for LinkModel {
    /// A continent: 10 to 50 ms, nothing lost.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10)..Duration::from_millis(50),
            loss: 0.0,
        }
    }
}

impl LinkModel {
    /// How long the next message takes, or `None` if it is lost.
    pub(crate) fn draw(&self, rng: &mut ChaCha8Rng) -> Option<Duration> {
        if rng.random_bool(self.loss) {
            return None;
        }
        Some(if self.delay.is_empty() {
            self.delay.start
        } else {
            rng.random_range(self.delay.clone())
        })
    }
}
