//! A bad network for tests: loses, delays and reorders outgoing datagrams.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use quinn::udp::{EcnCodepoint, Transmit};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{config::Faults, port::Port};

/// Datagrams under way at most; more are lost, as in a full router.
const UNDER_WAY_MAX: usize = 4096;

/// What reordering adds at least: longer than the pause between two datagrams of a burst.
const OVERTAKEN_MIN: Duration = Duration::from_millis(2);

/// Decides on every outgoing datagram.
pub(crate) struct FaultInjector {
    faults: Faults,
    draws: Mutex<ChaCha8Rng>,
    under_way: mpsc::Sender<UnderWay>,
}

/// A datagram that leaves later. Ordered by time, then by number.
struct UnderWay {
    leaves: Instant,
    number: u64,
    port: Arc<Port>,
    to: SocketAddr,
    ecn: Option<EcnCodepoint>,
    sealed: Vec<u8>,
}

impl FaultInjector {
    /// Must be called within a tokio runtime.
    pub(crate) fn new(faults: Faults) -> Self {
        let (under_way, arrivals) = mpsc::channel(UNDER_WAY_MAX);
        tokio::spawn(forward(arrivals));
        Self {
            draws: Mutex::new(ChaCha8Rng::seed_from_u64(faults.seed)),
            faults,
            under_way,
        }
    }

    /// Lets the datagrams in `sealed`, of `segment` bytes each, meet their fate.
    pub(crate) fn send(
        &self,
        port: &Arc<Port>,
        sealed: &[u8],
        segment: usize,
        like: &Transmit<'_>,
        to: SocketAddr,
    ) {
        for datagram in sealed.chunks(segment) {
            let Some(delay) = self.draw() else {
                continue;
            };
            // A full channel is a full router: the datagram is lost.
            let _ = self.under_way.try_send(UnderWay {
                leaves: Instant::now() + delay,
                number: 0,
                port: Arc::clone(port),
                to,
                ecn: like.ecn,
                sealed: datagram.to_vec(),
            });
        }
    }

    /// How long a datagram is held back; `None` when it is lost.
    fn draw(&self) -> Option<Duration> {
        let mut draws = self.draws.lock().expect("no holder of the lock panics");
        let (shortest, longest) = self.faults.delay;
        let lost = draws.random_bool(self.faults.loss);
        let delay = shortest + longest.saturating_sub(shortest).mul_f64(draws.random());
        let overtaken = draws.random_bool(self.faults.reorder);
        let extra = if overtaken {
            (longest * 2).max(OVERTAKEN_MIN)
        } else {
            Duration::ZERO
        };
        (!lost).then_some(delay + extra)
    }
}

/// Sends each datagram when its time has come.
async fn forward(mut arrivals: mpsc::Receiver<UnderWay>) {
    let mut waiting = BinaryHeap::<Reverse<UnderWay>>::new();
    let mut number = 0;
    loop {
        let next = waiting.peek().map(|Reverse(first)| first.leaves);
        tokio::select! {
            arrival = arrivals.recv(), if waiting.len() < UNDER_WAY_MAX => {
                let Some(arrival) = arrival else { return };
                number += 1;
                waiting.push(Reverse(UnderWay { number, ..arrival }));
            }
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                if let Some(Reverse(datagram)) = waiting.pop() {
                    datagram.send();
                }
            }
        }
    }
}

impl UnderWay {
    fn send(self) {
        let transmit = Transmit {
            destination: self.to,
            ecn: self.ecn,
            contents: &self.sealed,
            segment_size: None,
            src_ip: None,
        };
        // A full send buffer loses the datagram, which is what this module is for.
        let _ = self
            .port
            .send(&self.sealed, self.sealed.len(), &transmit, self.to);
    }

    fn rank(&self) -> (Instant, u64) {
        (self.leaves, self.number)
    }
}

impl PartialEq for UnderWay {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for UnderWay {}

impl PartialOrd for UnderWay {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UnderWay {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_seed_gives_one_series_of_fates() {
        let faults = Faults {
            loss: 0.3,
            delay: (Duration::from_millis(1), Duration::from_millis(9)),
            reorder: 0.2,
            seed: 5,
        };
        let series = |faults: &Faults| {
            let injector = FaultInjector::new(faults.clone());
            (0..1000).map(|_| injector.draw()).collect::<Vec<_>>()
        };
        let first = series(&faults);
        assert_eq!(first, series(&faults));
        let lost = first.iter().filter(|fate| fate.is_none()).count();
        assert!((250..350).contains(&lost), "{lost} of 1000 lost at 30 %");
        assert!(
            first
                .iter()
                .flatten()
                .all(|delay| (1..=27).contains(&delay.as_millis()))
        );
        assert!(
            first.iter().flatten().any(|delay| delay.as_millis() > 18),
            "some are overtaken"
        );
    }
}
