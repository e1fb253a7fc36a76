//! How often strangers are dialled. A stranger signs its own addresses, but nothing keeps it from signing those of a third
//! party; so what this node sends to any one address at others' word is bounded.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{places::source, routes::real};

/// Dials at once after a quiet time: a node that joins links with about twenty, and asks some in vain.
const BURST: u32 = 64;

/// Further ones, one in this time.
const REFILL: Duration = Duration::from_secs(1);

/// Dials of one address (IPv6: one network of 64 bits) in [`TARGET_TIME`]. A dial in vain sends some 5 KB in 5 s, so nobody
/// gets more than 70 bytes a second from us.
const TARGET_DIALS_MAX: u8 = 8;
const TARGET_TIME: Duration = Duration::from_mins(10);

/// Addresses that are counted at most; beyond it none is dialled. With a dial a second and one or two addresses each it is
/// not reached.
const TARGETS_MAX: usize = 1024;

/// The dials of one endpoint in the last minutes.
pub(crate) struct DialBudget(Mutex<Spent>);

struct Spent {
    left: u32,
    refilled: Instant,
    targets: HashMap<IpAddr, Target>,
}

struct Target {
    since: Instant,
    dials: u8,
}

impl DialBudget {
    pub(crate) fn new(now: Instant) -> Self {
        Self(Mutex::new(Spent {
            left: BURST,
            refilled: now,
            targets: HashMap::new(),
        }))
    }

    /// Which of `addresses` may be dialled now, in one dial; all of it counts.
    pub(crate) fn take(&self, now: Instant, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        // A panic could at worst leave a dial uncounted.
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spent.refill(now);
        if spent.left == 0 {
            return Vec::new();
        }
        let mut granted = addresses.to_vec();
        granted.retain(|address| spent.takes_target(now, real(*address).ip()));
        if !granted.is_empty() {
            spent.left -= 1;
        }
        granted
    }
}

impl Spent {
    fn refill(&mut self, now: Instant) {
        while self.refilled + REFILL <= now && self.left < BURST {
            self.left += 1;
            self.refilled += REFILL;
        }
        if self.left == BURST {
            self.refilled = now;
        }
        self.targets
            .retain(|_, target| target.since + TARGET_TIME > now);
    }

    /// Counts one more dial of `ip`, if it may be dialled.
    fn takes_target(&mut self, now: Instant, ip: IpAddr) -> bool {
        // On this machine many nodes share the address, and it is nobody else's.
        if ip.is_loopback() {
            return true;
        }
        let ip = source(ip);
        if self.targets.len() >= TARGETS_MAX && !self.targets.contains_key(&ip) {
            return false;
        }
        let fresh = Target {
            since: now,
            dials: 0,
        };
        let target = self.targets.entry(ip).or_insert(fresh);
        let room = target.dials < TARGET_DIALS_MAX;
        target.dials += u8::from(room);
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([198, 51, 100, number], port))
    }

    #[test]
    fn a_burst_is_granted_and_then_one_dial_in_a_while() {
        let begin = Instant::now();
        let budget = DialBudget::new(begin);
        let granted = |at: Instant| {
            (0..200)
                .take_while(|number| !budget.take(at, &[address(*number, 9)]).is_empty())
                .count()
        };
        assert_eq!(granted(begin), BURST as usize);
        assert_eq!(granted(begin + REFILL / 2), 0);
        assert_eq!(granted(begin + REFILL * 3), 3);
        assert_eq!(granted(begin + REFILL * 1_000_000), BURST as usize);
    }

    #[test]
    fn one_address_is_dialled_a_few_times_whoever_names_it() {
        let begin = Instant::now();
        let budget = DialBudget::new(begin);
        let victim = |port| address(1, port);
        let minute = Duration::from_mins(1);
        let granted = (0..100u16)
            .filter(|port| {
                // The victim among others, each time with another port.
                let named = [victim(1000 + port), address(2, 9)];
                let at = begin + minute * u32::from(*port) / 20;
                budget.take(at, &named).contains(&named[0])
            })
            .count();
        assert_eq!(granted, usize::from(TARGET_DIALS_MAX));
        assert_eq!(budget.take(begin + 2 * TARGET_TIME, &[victim(1)]).len(), 1);
    }

    #[test]
    fn the_list_of_targets_is_bounded() {
        let begin = Instant::now();
        let budget = DialBudget::new(begin);
        for round in 0..40u32 {
            let many: Vec<SocketAddr> = (0..100u8)
                .map(|number| {
                    let network = u8::try_from(round).unwrap();
                    SocketAddr::from(([100, network, 0, number], 9))
                })
                .collect();
            let _ = budget.take(begin + REFILL * round, &many);
        }
        let targets = budget.0.lock().unwrap().targets.len();
        assert_eq!(targets, TARGETS_MAX);
    }
}
