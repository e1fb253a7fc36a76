//! Which relays are much slower than others.
//!
//! Cells cannot say where they were held. But each step of building a circuit takes longer than the one before it by a link
//! there and back and the work of a relay; if it takes very much longer, one of the last three relays has held a cell. Who
//! has a part in many such steps is left out. These are counted apart from other failures: the end of a circuit has no part
//! in any, and would make up for them by working well.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::bounded::make_room;
use super::list::RelayName;
use super::record::{FORGIVEN, RELAYS_MAX, REMEMBERED};
use crate::time::Time;

/// How much longer each step of building a circuit took than the one before it, and who had a part in it.
#[derive(Debug, Default)]
pub(super) struct Steps {
    last: VecDeque<Duration>,
    relays: BTreeMap<RelayName, Timed>,
}

/// The steps in which one relay had a part.
#[derive(Clone, Copy, Debug, Default)]
struct Timed {
    steps: u16,
    slow: u16,
    at: Time,
}

impl Steps {
    /// Takes in one step, and who had a part in it. Whether it was slow.
    pub(super) fn note(&mut self, now: Time, more: Duration, relays: &[RelayName]) -> bool {
        let limit = self.limit();
        if self.last.len() >= COMPARED {
            self.last.pop_front();
        }
        self.last.push_back(more);
        let Some(limit) = limit else {
            return false;
        };
        let is_slow = more > limit;
        for relay in relays {
            let timed = self.timed(now, *relay);
            timed.steps += 1;
            timed.slow += u16::from(is_slow);
            timed.fade();
        }
        is_slow
    }

    /// Whether a relay is better left alone.
    pub(super) fn leaves_out(&self, now: Time, relay: &RelayName) -> bool {
        self.relays.get(relay).is_some_and(|timed| {
            now.since(timed.at) < FORGIVEN
                && timed.slow >= SLOW_COUNT
                && timed.slow * SLOW_PART >= timed.steps
        })
    }

    /// Compared with what is usual here: where all is slow, nobody is to blame. Not before enough is known.
    fn limit(&self) -> Option<Duration> {
        if self.last.len() < COMPARED {
            return None;
        }
        let mut sorted: Vec<_> = self.last.iter().collect();
        sorted.sort_unstable();
        let median = **sorted.get(COMPARED / 2)?;
        Some((median * SLOW_TIMES).max(SLOW_MIN))
    }

    fn timed(&mut self, now: Time, relay: RelayName) -> &mut Timed {
        make_room(&mut self.relays, RELAYS_MAX, &relay, |timed| timed.at);
        let timed = self.relays.entry(relay).or_default();
        if now.since(timed.at) >= FORGIVEN {
            *timed = Timed::default();
        }
        timed.at = now;
        timed
    }
}

impl Timed {
    /// Half of what was long ago is forgotten.
    const fn fade(&mut self) {
        if self.steps >= REMEMBERED {
            self.steps /= 2;
            self.slow /= 2;
        }
    }
}

/// Four circuits' worth: the median is not moved by one relay.
const COMPARED: usize = 15;

/// A link around the world takes a few times as long as most.
const SLOW_TIMES: u32 = 8;

/// Nobody is held to more than that, for busy machines.
const SLOW_MIN: Duration = Duration::from_secs(2);

/// Fewer slow steps say little.
const SLOW_COUNT: u16 = 4;

/// A relay that holds all cells makes half of its steps slow: the one after it in each circuit in which it is not the last.
/// With a fifth of all relays doing so, an honest one has a part in slow steps two times in fifteen.
const SLOW_PART: u16 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u16) -> RelayName {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_le_bytes());
        RelayName::from_bytes(bytes)
    }

    /// One that knows what is usual.
    fn settled(usual: Duration) -> Steps {
        let mut steps = Steps::default();
        for _ in 0..COMPARED {
            assert!(!steps.note(Time::ZERO, usual, &[]), "nothing is known yet");
        }
        steps
    }

    #[test]
    fn one_among_many_is_slow_and_in_a_slow_network_none_is() {
        for (usual_ms, expected) in [(100, true), (500, false)] {
            let mut steps = settled(Duration::from_millis(usual_ms));
            let slow = Duration::from_millis(2_100);
            assert_eq!(steps.note(Time::ZERO, slow, &[]), expected, "{usual_ms}");
        }
    }

    #[test]
    fn who_has_a_part_in_many_slow_steps_is_left_out_for_a_while() {
        let (usual, slow) = (Duration::from_millis(100), Duration::from_secs(3));
        let mut steps = settled(usual);
        let (holds, honest) = (name(1), name(2));
        for round in 0..SLOW_COUNT {
            assert!(!steps.leaves_out(Time::ZERO, &holds), "round {round}");
            steps.note(Time::ZERO, slow, &[holds, honest]);
            for _ in 0..3 {
                steps.note(Time::ZERO, usual, &[honest]);
            }
            steps.note(Time::ZERO, usual, &[holds]);
        }
        assert!(steps.leaves_out(Time::ZERO, &holds));
        assert!(!steps.leaves_out(Time::ZERO, &honest));
        assert!(!steps.leaves_out(Time::ZERO + FORGIVEN, &holds));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut steps = settled(Duration::ZERO);
        for number in 0..2_000 {
            steps.note(Time::ZERO, Duration::ZERO, &[name(number)]);
        }
        assert_eq!(steps.last.len(), COMPARED);
        assert_eq!(steps.relays.len(), RELAYS_MAX);
    }
}
