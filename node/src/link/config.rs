//! What the owner of an endpoint may set, each with the reason for its default.

use std::time::Duration;

/// Settings of one [`Endpoint`](super::Endpoint). All peers of a network must agree on `message_bytes_max`;
/// everything else is a local matter.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Longest message in bytes, sent or received. 64 KiB: a 32 KiB block with its header fits twice over.
    pub message_bytes_max: usize,
    /// Bytes that may wait to be sent on one link before [`Link::send`](super::Link::send) answers `Full`. 8 MiB: 256 blocks.
    pub outbox_bytes_max: usize,
    /// Events that may wait for the reader; beyond it the links stop reading. 256: at most 16 MiB of messages.
    pub events_max: usize,
    /// A silent link sends something this often. 3 s keeps the address translation of home routers open (30 s and up).
    pub keep_alive: Duration,
    /// A link is down when nothing came for this long. 10 s: three keep-alives may be lost.
    pub idle_timeout: Duration,
    /// A handshake, to the greeting, must end within this time. 5 s: four transmissions of the first packet.
    pub handshake_timeout: Duration,
    /// First pause after a failed dial; it doubles from there, with jitter.
    pub dial_pause_min: Duration,
    /// Longest pause between dials. 30 s: a returned peer is found soon, a gone one costs little.
    pub dial_pause_max: Duration,
    /// Wanted socket buffer in bytes, each way. 4 MiB is what a burst of two links needs; the system may grant less.
    pub socket_buffer_bytes: usize,
    /// Whether nodes that were not made known may link with us, and how many. `None`: they get no answer.
    pub strangers: Option<StrangerLimits>,
    /// Losses, delays and reordering to inflict on outgoing datagrams. Only for tests.
    pub faults: Option<Faults>,
}

/// What strangers may take of a node of the opennet.
#[derive(Clone, Copy, Debug)]
pub struct StrangerLimits {
    /// Guests at once: strangers that dialled us and were neither [adopted](super::Endpoint::adopt) nor declined yet.
    /// Further ones are turned away.
    pub guests_max: usize,
    /// Of those, how many may come from one address (of IPv6: one network of 64 bits). On this machine there is no limit.
    pub guests_per_source_max: usize,
    /// A stranger that is not adopted in this time is hung up on.
    pub guest_time: Duration,
}

impl Default for StrangerLimits {
    fn default() -> Self {
        Self {
            // The router's own bounds, 64 that announce themselves and 64 that it has not decided on, come first
            guests_max: 128,
            // Some nodes behind one router
            guests_per_source_max: 4,
            // Longer than the router lets any stay
            guest_time: Duration::from_secs(90),
        }
    }
}

impl StrangerLimits {
    /// For a node whose work is to introduce others: twice the guests.
    #[must_use]
    pub fn of_a_seed() -> Self {
        let usual = Self::default();
        Self {
            guests_max: 2 * usual.guests_max,
            guests_per_source_max: 2 * usual.guests_per_source_max,
            ..usual
        }
    }
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            message_bytes_max: 64 << 10,
            outbox_bytes_max: 8 << 20,
            events_max: 256,
            keep_alive: Duration::from_secs(3),
            idle_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(5),
            dial_pause_min: Duration::from_millis(250),
            dial_pause_max: Duration::from_secs(30),
            socket_buffer_bytes: 4 << 20,
            strangers: None,
            faults: None,
        }
    }
}

/// A bad network, for tests: what happens to each outgoing datagram. The n-th datagram meets the same fate
/// in every run with the same seed; which datagram is the n-th depends on the timing of the machine.
#[derive(Clone, Debug)]
pub struct Faults {
    /// Probability that a datagram is lost, 0 to 1.
    pub loss: f64,
    /// Every datagram is held back by a time drawn evenly from this range (shortest, longest).
    pub delay: (Duration, Duration),
    /// Probability that a datagram is held back for twice the longest delay on top (at least 2 ms), so that
    /// later ones overtake it, 0 to 1.
    pub reorder: f64,
    /// Seed of the draws.
    pub seed: u64,
}
