//! Every number that a router can be given, with its source.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crate::darknet::config::DarknetConfig;
use crate::event::Class;
use crate::hops_to_live::HopsToLive;
use crate::message::Copies;
use crate::onion::config::OnionConfig;
use crate::opennet::config::OpennetConfig;

/// The router's numbers.
#[derive(Clone, Debug)]
pub struct Config {
    /// The budget of the node's own requests, and the most that a peer's may have.
    pub hops_to_live_max: HopsToLive,
    /// The budget with which the user's fetch is tried once more if it found nothing; no more than that of ordinary ones
    /// means never. The most that a peer's fetch may have within [`Config::long_share`].
    pub hops_to_live_long: HopsToLive,
    /// How many hops beyond the ordinary budget a peer's fetches may have, for each hop of its ordinary ones: one in so many.
    pub long_share: u16,
    /// The most that a peer may save up of them, and, divided by four, with what it begins.
    pub long_hops_max: u16,
    /// How many nodes should store an inserted block.
    pub copies: Copies,
    /// Peers' fetches and inserts in progress, in all. At the bound, new ones are refused as overloaded.
    pub requests_max: usize,
    /// Of those, how many may be inserts, each of which holds a block in memory (32 KiB).
    pub inserts_max: usize,
    /// Fetches and inserts in progress for one peer.
    pub requests_per_peer_max: usize,
    /// Fetches and inserts in progress for the node's own user.
    pub local_requests_max: usize,
    /// Of those, how many of each class are under way at least, however congested the network is. One or more.
    pub own_requests_min: u16,
    /// What the node can send, in bytes a second. `None`: as much as is asked of it.
    pub upload: Option<NonZeroU64>,
    /// For how long blocks of a class may wait to be sent: so much work is accepted from peers.
    pub backlog: ByClass,
    /// How long a peer may take to accept a request, its look into its store included.
    pub accept_timeout: ByClass,
    /// How long the block of an accepted offer may take to arrive.
    pub block_timeout: ByClass,
    /// How long each node that a search or an insert may still visit is given.
    pub hop_timeout: ByClass,
    /// How much longer than a peer's own limit an answer is awaited, for the way back.
    pub answer_slack: ByClass,
    /// How long the user's fetch waits at first when all peers are busy with the very key; later twice as long each time.
    pub busy_pause: ByClass,
    /// For how long a finished search refuses the same key: long enough for a search to come back around.
    pub loop_memory: Duration,
    /// For how long a peer's failure to find a key counts.
    pub recently_failed: Duration,
    /// Keys remembered as recently failed, in all. The oldest is dropped at the bound.
    pub recently_failed_max: usize,
    /// How long those are remembered who asked for a block that was not there, to be told when it comes.
    pub askers_remembered: Duration,
    /// How long a peer's subscription lasts unless it is renewed. The user's is renewed twice in that time.
    pub subscription: Duration,
    /// To how many keys the user may subscribe.
    pub subscriptions_max: usize,
    /// Keys that somebody waits for, in all. What would be over first is dropped at the bound.
    pub interests_max: usize,
    /// How many of them one peer may cause.
    pub interests_per_peer_max: usize,
    /// How long a node waits between two blocks of its store of which it counts the copies elsewhere; none: it does not.
    pub repair_interval: Option<Duration>,
    /// How long it waits at the end of the store before it begins again.
    pub repair_pause: Duration,
    /// Whether peers tell each other roughly where their peers are, and choose ways by it.
    pub lookahead: Lookahead,
    /// How long after a peer came or went the others are told.
    pub neighbours_settle: Duration,
    /// They are told no more often.
    pub neighbours_interval: Duration,
    /// How the node finds peers by itself. `None`: it does not, and strangers are hung up on.
    pub opennet: Option<Arc<OpennetConfig>>,
    /// How a node that has friends only finds its place. With an opennet as well: how it helps its friends to find theirs, while
    /// it stays where its identity puts it. `None`: it stays where it was put, and knows nothing of friends that move.
    pub darknet: Option<Arc<DarknetConfig>>,
    /// How the node relays circuits and builds its own. `None`: it takes no part, and its user's requests begin at the node.
    pub onion: Option<Arc<OnionConfig>>,
}

/// Whether a node looks one hop ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookahead {
    /// It tells its peers about its other peers, and believes, within limits, what they tell.
    On,
    /// It tells nothing and ignores what it is told.
    Off,
}

impl Lookahead {
    pub(crate) fn is_on(self) -> bool {
        self == Self::On
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            // Freenet's
            hops_to_live_max: HopsToLive::MAX,
            hops_to_live_long: HopsToLive::LONG_MAX,
            // What a peer can cost others rises by a quarter at most
            long_share: 4,
            // Eight long fetches in a row, and two from the start
            long_hops_max: 256,
            // Freenet stores a block at about three nodes; one more lets any three of them fail
            copies: const { Copies::new(4).expect("four is within the bounds") },
            // A state takes some 300 bytes: half a megabyte
            requests_max: 2_048,
            // 17 MiB of blocks
            inserts_max: 512,
            // 256 blocks in flight fill 80 MB/s at 100 ms for the whole way
            requests_per_peer_max: 256,
            local_requests_max: 1_024,
            // Who cannot get even one through waits for the answer before it tries again
            own_requests_min: 1,
            upload: None,
            // A page is slow after a second; a file is not after four
            backlog: ByClass {
                real_time: Duration::from_secs(1),
                bulk: Duration::from_secs(4),
            },
            // Freenet's is 10 s. Where somebody waits, a peer that needs longer than 3 s is slower than the next best
            accept_timeout: ByClass {
                real_time: Duration::from_secs(3),
                bulk: Duration::from_secs(10),
            },
            // A block of 32 KiB at 3 KiB/s, or behind 8 MB in a queue of 256 KiB/s
            block_timeout: ByClass {
                real_time: Duration::from_secs(10),
                bulk: Duration::from_secs(30),
            },
            // A guess: three round trips around the world, and time in queues. At 18 hops 20 s and 80 s
            hop_timeout: ByClass {
                real_time: Duration::from_secs(1),
                bulk: Duration::from_secs(4),
            },
            answer_slack: ByClass {
                real_time: Duration::from_secs(2),
                bulk: Duration::from_secs(10),
            },
            // About as long as a fetch takes
            busy_pause: ByClass {
                real_time: Duration::from_millis(100),
                bulk: Duration::from_millis(400),
            },
            // Twenty nodes at 100 ms each
            loop_memory: Duration::from_secs(2),
            // Freenet's 10 min hid freshly inserted blocks from those who asked too early
            recently_failed: Duration::from_secs(15),
            // Up to 200 bytes each
            recently_failed_max: 2_048,
            // Longer than most inserts take; Freenet's is an hour, for want of subscriptions
            askers_remembered: Duration::from_secs(600),
            // A message of 34 bytes for each hop and 15 minutes
            subscription: Duration::from_secs(1_800),
            subscriptions_max: 1_024,
            // Up to 300 bytes each: a megabyte
            interests_max: 4_096,
            // A 16th, so that no few peers fill the table
            interests_per_peer_max: 256,
            // Only a driver that can list its store answers. At 1 s a store of 10 GiB takes four days
            repair_interval: None,
            // A store that is almost empty need not be walked through all the time
            repair_pause: Duration::from_secs(600),
            // A quarter to a third fewer hops for 40 bytes a peer
            lookahead: Lookahead::On,
            // The peers of a node that starts come one shortly after the other
            neighbours_settle: Duration::from_secs(2),
            // 20 peers, 50 bytes each: 33 bytes a second while peers come and go all the time
            neighbours_interval: Duration::from_secs(30),
            opennet: None,
            darknet: None,
            onion: None,
        }
    }
}

/// A duration for each class of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByClass {
    /// For [`Class::RealTime`].
    pub real_time: Duration,
    /// For [`Class::Bulk`].
    pub bulk: Duration,
}

impl ByClass {
    /// The duration for `class`.
    #[must_use]
    pub const fn of(&self, class: Class) -> Duration {
        match class {
            Class::RealTime => self.real_time,
            Class::Bulk => self.bulk,
        }
    }
}
