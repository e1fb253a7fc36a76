//! The numbers of the opennet, with their sources.

use std::time::Duration;

use crate::hops_to_live::HopsToLive;

/// How a router chooses its links.
#[derive(Clone, Debug)]
pub struct OpennetConfig {
    /// Strangers that are peers at a time, at most. See [`peers_for_bandwidth`].
    pub peers_max: usize,
    /// Neighbours on each side of the ring whose links are never given up. Without any, greedy routes end before their
    /// target.
    pub lattice_each_side: usize,
    /// How the peer is chosen that is dropped for a new one.
    pub replacement: Replacement,
    /// Where a node looks for peers.
    pub seeking: Seeking,
    /// With which probability a node on the way of a found block takes the invitation of the one that had it.
    pub fold_probability: f64,
    /// With which probability a node on the way puts its own invitation in the place of the one that passes.
    pub fold_reset_probability: f64,
    /// A node that is full drops a peer for a better one only after so many successful requests since the last drop,
    pub successes_between_drops: u32,
    /// or after so long.
    pub idle_between_drops: Duration,
    /// How long a new peer is safe from being dropped for others.
    pub grace: Duration,
    /// Whether nodes that know nobody may announce themselves here.
    pub seed: bool,
    /// Of these, at a time.
    pub guests_max: usize,
    /// How long one may stay.
    pub guest_time: Duration,
    /// Links over which neither side has agreed yet to become peers, at a time, and links that are being dialled.
    pub provisional_max: usize,
    /// How long a link may stay like that, and how long dialling may take.
    pub adoption_timeout: Duration,
    /// How far an announcement goes.
    pub announcement_hops: HopsToLive,
    /// How long each node of its way is given.
    pub announcement_hop_timeout: Duration,
    /// Announcements of others that are remembered at a time.
    pub announcements_max: usize,
    /// Own announcements under way at a time.
    pub own_announcements_max: usize,
    /// The shortest and the longest time between own announcements. It doubles with each that finds nobody.
    pub announcement_interval: (Duration, Duration),
    /// How often a node looks whether its neighbours on the ring are still the nearest.
    pub lattice_check_interval: Duration,
    /// How often a node tells its neighbours of each other, besides when they change.
    pub introduction_interval: Duration,
    /// How long a node waits with telling a change, as more may follow.
    pub introduction_delay: Duration,
    /// How long an invitation is good.
    pub invitation_life: Duration,
    /// Invitations that are good at a time. The oldest lapses at the bound.
    pub invitations_max: usize,
    /// Earlier peers that are remembered.
    pub remembered_max: usize,
    /// How long a node is not dialled again after it could not be reached or turned out bad.
    pub shunned_time: Duration,
}

impl Default for OpennetConfig {
    fn default() -> Self {
        Self {
            // Hops fall with 1/degree and upkeep grows with it; at a million nodes 20 peers give 12 hops
            peers_max: 20,
            // Two, so that the ring holds when one goes
            lattice_each_side: 2,
            replacement: Replacement::LogGap,
            seeking: Seeking::LargestGap,
            // Sandberg's simulations; more destroys what was learned faster than it is learned
            fold_probability: 0.1,
            // Freenet's
            fold_reset_probability: 0.05,
            // Freenet's
            successes_between_drops: 10,
            // A network without requests must take shape too; and still a flood of newcomers needs a quarter of an hour
            // for the sixteen peers of a node that are not reserved
            idle_between_drops: Duration::from_secs(60),
            // Freenet's
            grace: Duration::from_secs(300),
            seed: false,
            // One newcomer a second
            guests_max: 64,
            guest_time: Duration::from_secs(60),
            provisional_max: 64,
            // Dialling retries at 1, 2, 4 and 8 s
            adoption_timeout: Duration::from_secs(20),
            announcement_hops: HopsToLive::MAX,
            announcement_hop_timeout: Duration::from_secs(1),
            // 160 bytes each
            announcements_max: 1_024,
            own_announcements_max: 3,
            // A guess: twenty peers within half a minute; a node that finds nobody asks six times an hour
            announcement_interval: (Duration::from_secs(1), Duration::from_secs(600)),
            lattice_check_interval: Duration::from_secs(600),
            introduction_interval: Duration::from_secs(300),
            introduction_delay: Duration::from_secs(1),
            // An announcement comes back within 20 s, and dialling takes time
            invitation_life: Duration::from_secs(60),
            invitations_max: 64,
            // Freenet keeps 25
            remembered_max: 50,
            shunned_time: Duration::from_secs(300),
        }
    }
}

/// Which peer is dropped for a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// The one whose loss leaves the smallest gap between its neighbours in the logarithm of the distance, the new one
    /// among them.
    LogGap,
    /// The one that has not found a block for the longest time, always (early Freenet).
    LeastRecentlyUseful,
    /// The same within the near peers (below 0.01) or the distant ones, whichever are more than seven tenths or three
    /// tenths of all (late Freenet).
    TwoBuckets,
}

/// Where a node looks for peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeking {
    /// Around itself, and then where its distances leave the largest gap.
    LargestGap,
    /// Around itself only.
    OwnPlace,
}

/// How many strangers a node with so many bytes per second to give should have as peers: Freenet's square-root rule,
/// within 10 and 85.
#[must_use]
pub fn peers_for_bandwidth(bytes_per_second: u64) -> usize {
    let peers = (bytes_per_second.saturating_mul(3) / 1000).isqrt();
    usize::try_from(peers)
        .unwrap_or(PEERS_MAX)
        .clamp(PEERS_MIN, PEERS_MAX)
}

/// With fewer, routes need more than twice the hops of 20 peers.
const PEERS_MIN: usize = 10;

/// Freenet's: beyond, upkeep costs more than shorter routes save.
const PEERS_MAX: usize = 85;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_grow_with_the_root_of_the_bandwidth_within_bounds() {
        let peers = [0, 20_000, 140_000, 1_000_000, 2_500_000, u64::MAX].map(peers_for_bandwidth);
        assert_eq!(peers, [10, 10, 20, 54, 85, 85]);
    }
}
