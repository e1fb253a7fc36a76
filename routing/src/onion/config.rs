//! The numbers of the onion stage, with their sources.

use std::time::Duration;

use super::anonymity::Level;
use crate::config::ByClass;
use crate::event::Class;

/// How a node relays for others, and how it hides what its own user asks for.
#[derive(Clone, Debug)]
pub struct OnionConfig {
    /// The level for which circuits are built before anybody needs them.
    pub level: Level,
    /// How many circuits stand by unused. None: circuits are built when they are needed.
    pub spare: usize,
    /// Circuits of one group that carry requests at a time.
    pub circuits_per_group_max: usize,
    /// Own circuits in all, those being built included. Above half of it, one that does nothing ends for each that begins.
    pub circuits_max: usize,
    /// How long a circuit takes new requests.
    pub circuit_life: Duration,
    /// Own requests in progress on one circuit.
    pub requests_per_circuit: usize,
    /// Up to so many blocks of a group go over one circuit, however few the group has.
    pub blocks_per_circuit: u32,
    /// How long the answer to one step of building may take.
    pub step_timeout: Duration,
    /// How long a request may wait for a circuit.
    pub circuit_wait: ByClass,
    /// Over how many circuits one request is tried.
    pub tries: u8,
    /// How long a guard is kept.
    pub guard_life: Duration,
    /// How long to wait for known guards before another is chosen.
    pub guard_patience: Duration,
    /// Among how many second hops circuits are dealt.
    pub second_hops: usize,
    /// How long a node uses one onion key.
    pub key_life: Duration,
    /// How long the former key still answers.
    pub former_key_life: Duration,
    /// How long after a change of its peers a node tells its list.
    pub lists_settle: Duration,
    /// It tells its list no more often than this, but for the first times: the pauses between these begin with
    /// [`Self::lists_settle`], and double after a few.
    pub lists_interval: Duration,
    /// For how long a peer counts as one that lists this node before it has said so.
    pub lists_grace: Duration,
    /// Circuits of others in all.
    pub relayed_max: usize,
    /// Circuits of others that one peer may have created.
    pub relayed_per_peer_max: usize,
    /// New circuits that a peer may create in a second, after twice as many at once.
    pub creates_per_second: u32,
    /// How long a circuit of others may be silent.
    pub relayed_idle: Duration,
    /// Requests in progress at the end of one circuit.
    pub end_requests_max: usize,
    /// Which part of [`Config::upload`](crate::Config::upload) all circuits of others may use, in percent.
    pub relay_share: u8,
    /// The mean of the random delay at each hop of the node's own circuits. None: cells are passed on at once.
    pub delay: Option<Duration>,
    /// One cell goes to the guard each time so long has passed, with something in it or nothing. None: cells go when there is
    /// something to say.
    pub cover: Option<Duration>,
}

impl Default for OnionConfig {
    fn default() -> Self {
        Self {
            level: Level::Six,
            // A page and its pictures, and a site that is opened while it loads
            spare: 6,
            // E10 of the experiments: with 32 no exit looks like a downloader
            circuits_per_group_max: 32,
            // Three large files and a few pages; 10 KiB each
            circuits_max: 128,
            // Tor's
            circuit_life: Duration::from_secs(600),
            // Half a megabyte on its way: 2.5 MB/s a circuit at 200 ms
            requests_per_circuit: 16,
            // A thousandth of a file of 1000 blocks at each of 32 ends is what E10 found to be safe
            blocks_per_circuit: 32,
            // Six hops there and back at 250 ms are 3 s, and a busy relay
            step_timeout: Duration::from_secs(8),
            circuit_wait: ByClass {
                real_time: Duration::from_secs(20),
                bulk: Duration::from_secs(60),
            },
            tries: 4,
            // Between the 30 and the 120 days of Tor's guards
            guard_life: Duration::from_secs(60 * DAY),
            // A node that starts finds its peers within this time
            guard_patience: Duration::from_secs(30),
            second_hops: 1,
            // As long as a guard: second hops are kept as long as their keys. Where they change every week, those who own a
            // tenth of all nodes know nearly every guard within a year (A10 of the experiments)
            key_life: Duration::from_secs(60 * DAY),
            former_key_life: Duration::from_secs(DAY),
            // The links of a node that starts come up within this time of each other, and its first circuit waits for it
            lists_settle: Duration::from_millis(500),
            lists_interval: Duration::from_secs(30),
            // Two intervals and the way
            lists_grace: Duration::from_secs(70),
            // Below 1 KiB each
            relayed_max: 1_024,
            // An eighth: no few peers fill the table
            relayed_per_peer_max: 128,
            // Each takes 0.3 ms
            creates_per_second: 16,
            // Half as long again as a circuit lives
            relayed_idle: Duration::from_secs(900),
            end_requests_max: 64,
            // The rest is for requests that begin or end here
            relay_share: 80,
            delay: None,
            cover: None,
        }
    }
}

impl OnionConfig {
    /// How long the end of a circuit may take to say that it works on a request.
    pub(crate) fn accept_wait(&self, accept_timeout: &ByClass, class: Class) -> Duration {
        accept_timeout.of(class) + self.step_timeout / 2
    }
}

const DAY: u64 = 24 * 60 * 60;
