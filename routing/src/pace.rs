//! How many of its own requests a node has under way at a time.
//!
//! More each time one is answered, half as many when the network says that it has too much to do: additive increase,
//! multiplicative decrease, by which many who know nothing of each other come to equal shares (Chiu and Jain, 1989). The
//! others wait here, where they cost the network nothing.

use std::collections::VecDeque;
use std::time::Duration;

use crate::event::LocalId;
use crate::time::Time;

/// The user's requests of one class.
#[derive(Debug)]
pub(crate) struct Pace<T> {
    /// How many may be under way; its fraction counts towards the next.
    window: f64,
    /// It never falls below.
    least: u16,
    /// Until the first congestion the window doubles with each round of answers.
    congested_once: bool,
    /// Until when a further sign of congestion is about the same one.
    halved_until: Time,
    /// How long an answer takes, on average.
    round: Duration,
    under_way: Vec<(LocalId, Time)>,
    /// Whether those that wait are fresh for a time only.
    impatient: bool,
    /// With the times at which they came, in this order.
    waiting: VecDeque<(LocalId, Time, T)>,
}

/// What an end says about the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It worked on the request.
    Answered,
    /// It had too much to do, or did not answer in time.
    Congested,
    /// Nothing.
    None,
}

impl<T> Pace<T> {
    /// A pace that never lets fewer than `least` be under way.
    pub(crate) fn new(least: u16) -> Self {
        Self {
            least,
            window: WINDOW_START.max(least.into()),
            congested_once: false,
            halved_until: Time::ZERO,
            round: ROUND_START,
            under_way: Vec::new(),
            impatient: false,
            waiting: VecDeque::new(),
        }
    }

    /// The same, for users that do not wait for long: who has waited for more than [`FRESH`] goes after those who have not. Where
    /// more is asked for than can be had, all would otherwise be served at the end of their patience, or after it.
    pub(crate) fn impatient(mut self) -> Self {
        self.impatient = true;
        self
    }

    /// How many there are, under way and waiting.
    pub(crate) fn len(&self) -> usize {
        self.under_way.len() + self.waiting.len()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes a request in. [`Pace::next`] says when it is its turn.
    pub(crate) fn add(&mut self, now: Time, id: LocalId, request: T) {
        self.waiting.push_back((id, now, request));
    }

    /// The next request whose turn it is.
    pub(crate) fn next(&mut self, now: Time) -> Option<(LocalId, T)> {
        if !self.has_room() {
            return None;
        }
        let first = self.first_fresh(now).unwrap_or(0);
        let (id, _, request) = self.waiting.remove(first)?;
        self.under_way.push((id, now));
        Some((id, request))
    }

    fn first_fresh(&self, now: Time) -> Option<usize> {
        let is_stale = |came: Time| self.impatient && now.since(came) > FRESH;
        let stale = self.waiting.partition_point(|&(_, came, _)| is_stale(came));
        (stale < self.waiting.len()).then_some(stale)
    }

    /// Takes a request out that waits.
    pub(crate) fn withdraw(&mut self, id: LocalId) -> Option<T> {
        let mut waiting = self.waiting.iter();
        let place = waiting.position(|(waiting, ..)| *waiting == id)?;
        self.waiting.remove(place).map(|(.., request)| request)
    }

    /// A request under way has ended. `false` if it is not of this class.
    pub(crate) fn ended(&mut self, id: LocalId, sign: Sign, now: Time) -> bool {
        let Some(place) = self.under_way.iter().position(|(one, _)| *one == id) else {
            return false;
        };
        let full = !self.has_room();
        let (_, began) = self.under_way.swap_remove(place);
        match sign {
            Sign::Answered => {
                let took = now.since(began);
                self.round = self.round.mul_f64(1.0 - ROUND_WEIGHT) + took.mul_f64(ROUND_WEIGHT);
                // A window that is not used up says nothing about a larger one
                if full {
                    self.grow();
                }
            }
            Sign::Congested => self.shrink(now),
            Sign::None => {}
        }
        true
    }

    fn has_room(&self) -> bool {
        // Conversion of a small length is exact
        let under_way = u32::try_from(self.under_way.len()).unwrap_or(u32::MAX);
        f64::from(under_way) + 1.0 <= self.window
    }

    fn grow(&mut self) {
        let step = if self.congested_once {
            1.0 / self.window
        } else {
            1.0
        };
        self.window = (self.window + step).min(WINDOW_MAX);
    }

    fn shrink(&mut self, now: Time) {
        if now < self.halved_until {
            return;
        }
        self.window = (self.window / 2.0).max(self.least.into());
        self.congested_once = true;
        self.halved_until = now + self.round;
    }
}

/// As long as an answer of real time may wait for its upload.
const FRESH: Duration = Duration::from_secs(1);

/// As many blocks as a page of moderate size has.
const WINDOW_START: f64 = 32.0;

/// As many as a node asks of its peers at 40 MB/s and a second for each answer.
const WINDOW_MAX: f64 = 1024.0;

/// Before anything is measured: about what a fetch takes over a few hops.
const ROUND_START: Duration = Duration::from_secs(1);

/// TCP's weight of a new measurement of the round trip (RFC 6298).
const ROUND_WEIGHT: f64 = 0.125;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1000)
    }

    fn begin_all(pace: &mut Pace<()>, now: Time) -> Vec<LocalId> {
        std::iter::from_fn(|| pace.next(now))
            .map(|(id, ())| id)
            .collect()
    }

    #[test]
    fn the_window_grows_while_it_is_used_and_halves_once_for_each_congestion() {
        let mut pace = Pace::new(1);
        for id in 0..1000 {
            pace.add(at(0), LocalId(id), ());
        }
        let begun = begin_all(&mut pace, at(0));
        assert_eq!(begun.len(), 32);
        for id in &begun {
            assert!(pace.ended(*id, Sign::Answered, at(500)));
        }
        let begun = begin_all(&mut pace, at(500));
        assert!((33..=64).contains(&begun.len()), "{}", begun.len());
        let before = pace.window;
        for id in begun {
            pace.ended(id, Sign::Congested, at(900));
        }
        assert!((pace.window - before / 2.0).abs() < 1.0, "halved once");
        let begun = begin_all(&mut pace, at(5000));
        pace.ended(begun[0], Sign::Congested, at(5000));
        assert!(pace.window < before / 3.0, "halved again");
        for step in 1..100 {
            let id = pace.under_way[0].0;
            pace.ended(id, Sign::Congested, at(5000 + 5000 * step));
            begin_all(&mut pace, at(5000 + 5000 * step));
        }
        assert_eq!(pace.under_way.len(), 1, "one at a time is always tried");
    }

    #[test]
    fn a_window_that_is_not_used_up_stays() {
        let mut pace = Pace::new(1);
        for id in 0..100 {
            pace.add(at(id), LocalId(id), ());
            assert!(pace.next(at(id)).is_some());
            pace.ended(LocalId(id), Sign::Answered, at(id));
        }
        assert!((pace.window - WINDOW_START).abs() < f64::EPSILON);
    }

    #[test]
    fn what_waits_can_be_taken_back_and_strangers_ids_are_not_counted() {
        let mut pace = Pace::new(1);
        pace.add(at(0), LocalId(1), "one");
        assert_eq!((pace.len(), pace.waiting()), (1, 1));
        assert_eq!(pace.withdraw(LocalId(1)), Some("one"));
        assert_eq!(pace.withdraw(LocalId(1)), None);
        assert!(!pace.ended(LocalId(9), Sign::Congested, at(1)));
        assert_eq!(pace.len(), 0);
    }

    #[test]
    fn who_has_waited_for_too_long_goes_after_those_who_have_not() {
        let order = |mut pace: Pace<()>| {
            let taken = begin_after_a_pause(&mut pace);
            taken.map(|id| id.0)
        };
        assert_eq!(order(Pace::new(1)), [100, 101, 102, 103]);
        let impatient = Pace::new(1).impatient();
        assert_eq!(order(impatient), [102, 103, 100, 101]);
    }

    /// Two come, and after two seconds two more; then there is room for them one by one.
    fn begin_after_a_pause(pace: &mut Pace<()>) -> [LocalId; 4] {
        for id in 0..32 {
            pace.add(at(0), LocalId(id), ());
            pace.next(at(0)).unwrap();
        }
        for id in 100..104 {
            let came = if id < 102 { at(0) } else { at(2_000) };
            pace.add(came, LocalId(id), ());
            assert_eq!(pace.next(came), None, "no room");
        }
        [0, 1, 2, 3].map(|id| {
            pace.ended(LocalId(id), Sign::None, at(2_000));
            pace.next(at(2_000)).unwrap().0
        })
    }
}
