//! Nodes that come and go as users' nodes do.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::f64::consts::TAU;
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use routing::Time;

use crate::elided_block::SimBlock;
use crate::network::Network;
use crate::random::rng_for;

/// How long nodes stay and how long they are away. Times are in minutes.
///
/// Sessions and availability are those that Roos et al. measured in Freenet (PETS 2014). They say where the lengths of
/// absences have their bumps, and not how many absences these hold: the shares are guesses, and so is the depth of the
/// night.
#[derive(Clone, Debug)]
pub struct SessionModel {
    /// The mean of the logarithm of a session's length.
    pub session_mu: f64,
    /// The standard deviation of that logarithm.
    pub session_sigma: f64,
    /// Which part of all nodes is online, on average.
    pub availability: f64,
    /// Which part of all nodes never leaves.
    pub always_on: f64,
    /// Absences of typical lengths: a night, a working day with its evening.
    pub bumps: Vec<Bump>,
    /// By how much nodes come more often at their best hour of the day than on average, from 0 to below 1; they come so
    /// much less often half a day later.
    pub daily_swing: f64,
}

/// Absences of about one length.
#[derive(Clone, Copy, Debug)]
pub struct Bump {
    /// Which part of all absences it holds.
    pub share: f64,
    /// The shortest, in minutes.
    pub from: f64,
    /// The longest, in minutes.
    pub to: f64,
}

impl SessionModel {
    /// As measured.
    #[must_use]
    pub fn measured() -> Self {
        Self {
            session_mu: 4.577,
            session_sigma: 1.824,
            availability: 0.2,
            always_on: 0.05,
            bumps: vec![
                Bump {
                    share: 0.15,
                    from: 480.0,
                    to: 600.0,
                },
                Bump {
                    share: 0.1,
                    from: 960.0,
                    to: 1_020.0,
                },
            ],
            daily_swing: 0.5,
        }
    }

    /// How long a session is, in minutes.
    pub fn session(&self, rng: &mut ChaCha8Rng) -> f64 {
        (self.session_mu + self.session_sigma * normal(rng)).exp()
    }

    /// How long an absence is, in minutes, at a time of day when nodes come as often as on average.
    pub fn absence(&self, rng: &mut ChaCha8Rng) -> f64 {
        let mut draw: f64 = rng.random();
        for bump in &self.bumps {
            if draw < bump.share {
                return rng.random_range(bump.from..bump.to);
            }
            draw -= bump.share;
        }
        // As spread as sessions are; the mean makes up for the bumps
        let mu = self.other_absences_mean().ln() - self.session_sigma.powi(2) / 2.0;
        (mu + self.session_sigma * normal(rng)).exp()
    }

    /// When an absence ends that began at minute `began`, for a node that likes to come at minute `best` of the day.
    pub fn comes_back(&self, began: f64, best: f64, rng: &mut ChaCha8Rng) -> f64 {
        // The clock of absences runs fast when nodes like to come, and slowly at night, by a day a day
        let amplitude = self.daily_swing * DAY / TAU;
        let clock = |minute: f64| minute + amplitude * (TAU * (minute - best) / DAY).sin();
        let end = clock(began) + self.absence(rng);
        let (mut low, mut high) = (end - amplitude, end + amplitude);
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            if clock(middle) < end {
                low = middle;
            } else {
                high = middle;
            }
        }
        high.max(began)
    }

    /// What a node does at minute `start` after a long time: whether it is online, when it changes, and its best minute of
    /// the day. `None` for a node that never leaves.
    pub fn history(&self, start: f64, rng: &mut ChaCha8Rng) -> Option<(bool, f64, u16)> {
        if rng.random_bool(self.always_on) {
            return None;
        }
        let hour = EVENING + 3.0 * normal(rng);
        let best = minute_of_day(hour * 60.0);
        let mut online = rng.random_bool(self.availability);
        let mut now = start - HISTORY_DAYS * DAY * rng.random_range(1.0..2.0);
        loop {
            now = if online {
                now + self.session(rng)
            } else {
                self.comes_back(now, f64::from(best), rng)
            };
            if now > start {
                return Some((online, now, best));
            }
            online = !online;
        }
    }

    /// The mean length of the absences that are in no bump, so that the availability is as wanted.
    fn other_absences_mean(&self) -> f64 {
        let session = (self.session_mu + self.session_sigma.powi(2) / 2.0).exp();
        // Of the nodes that come and go, so many are online
        let online = (self.availability - self.always_on) / (1.0 - self.always_on);
        let absence = session * (1.0 - online) / online;
        let bumps = |of: fn(&Bump) -> f64| self.bumps.iter().map(of).sum::<f64>();
        let in_bumps = bumps(|bump| bump.share * f64::midpoint(bump.from, bump.to));
        ((absence - in_bumps) / (1.0 - bumps(|bump| bump.share))).max(1.0)
    }
}

/// Starts and stops the nodes of a network.
#[derive(Debug)]
pub struct Churn {
    model: SessionModel,
    rng: ChaCha8Rng,
    /// When which node comes or goes, in microseconds, and its best minute of the day.
    changes: BinaryHeap<Reverse<(u64, usize, u16)>>,
    /// Who comes and goes no more.
    forgotten: BTreeSet<usize>,
}

/// What a node did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It started, with the store that it had.
    Came,
    /// It stopped.
    Left,
}

impl Churn {
    /// Stops the nodes that are away at first, as after sixty days of coming and going. Those in `staying` never leave, for
    /// example seed nodes.
    pub fn begin<B: SimBlock>(
        network: &mut Network<B>,
        model: SessionModel,
        staying: &[usize],
        seed: u64,
    ) -> Self {
        let mut churn = Self {
            model,
            rng: rng_for(seed, "churn"),
            changes: BinaryHeap::new(),
            forgotten: BTreeSet::new(),
        };
        let start = minutes(network.now());
        for node in 0..network.len() {
            if staying.contains(&node) {
                continue;
            }
            if let Some((online, change, best)) = churn.model.history(start, &mut churn.rng) {
                if !online {
                    network.stop_node(node);
                }
                churn.changes.push(Reverse((micros(change), node, best)));
            }
        }
        churn
    }

    /// A node that has just come for the first time stays for a session, and comes and goes from then on, unless it is one of
    /// those that never leave.
    pub fn add<B: SimBlock>(&mut self, network: &Network<B>, node: usize) {
        let now = minutes(network.now());
        if let Some((_, _, best)) = self.model.history(now, &mut self.rng) {
            let leaves = now + self.model.session(&mut self.rng);
            self.changes.push(Reverse((micros(leaves), node, best)));
        }
    }

    /// A node comes and goes no more: it stays as it is.
    pub fn forget(&mut self, node: usize) {
        let Self {
            changes, forgotten, ..
        } = self;
        if changes.iter().any(|Reverse((_, other, _))| *other == node) {
            forgotten.insert(node);
        }
    }

    /// Lets so much time pass, while nodes come and go. `changed` is called after each change, for example to let a node
    /// that came announce itself.
    pub fn run_for<B: SimBlock>(
        &mut self,
        network: &mut Network<B>,
        duration: Duration,
        mut changed: impl FnMut(&mut Network<B>, usize, Change),
    ) {
        let until = (network.now() + duration).as_micros();
        while let Some(&Reverse((at, node, best))) = self.changes.peek()
            && at <= until
        {
            self.changes.pop();
            if self.forgotten.remove(&node) {
                continue;
            }
            network.run_for(Time::from_micros(at).since(network.now()));
            let now = minutes(network.now());
            let (change, next) = if network.is_running(node) {
                network.stop_node(node);
                let back = self.model.comes_back(now, f64::from(best), &mut self.rng);
                (Change::Left, back)
            } else {
                network.restart_node(node);
                (Change::Came, now + self.model.session(&mut self.rng))
            };
            self.changes.push(Reverse((micros(next), node, best)));
            changed(network, node, change);
        }
        network.run_for(Time::from_micros(until).since(network.now()));
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 1439 after the remainder"
)]
fn minute_of_day(minute: f64) -> u16 {
    minute.rem_euclid(DAY) as u16
}

/// A normally distributed number (Box and Muller).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (TAU * rng.random::<f64>()).cos()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "far below 2^52 microseconds, 142 years"
)]
fn minutes(time: Time) -> f64 {
    time.as_micros() as f64 / 60e6
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and the cast saturates"
)]
fn micros(minutes: f64) -> u64 {
    (minutes * 60e6) as u64
}

/// Minutes.
const DAY: f64 = 1_440.0;

/// The hour at which most nodes like to come best.
const EVENING: f64 = 20.0;

/// Three times the mean time from one session to the next is six days; ten times that forgets where it began.
const HISTORY_DAYS: f64 = 60.0;

#[cfg(test)]
mod tests;
