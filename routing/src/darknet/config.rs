//! The numbers of the darknet, with their sources.

use std::time::Duration;

use super::decision::Stage;
use crate::hops_to_live::HopsToLive;

/// How a node that has friends only finds its place.
#[derive(Clone, Debug)]
pub struct DarknetConfig {
    /// Whether the node's place is from an earlier run ([`Stage::Settle`]) or a random one.
    pub stage: Stage,
    /// In so many rounds at first a node that begins in [`Stage::Drift`] stays where it is, and only learns where its surroundings
    /// are.
    pub spread_rounds: u32,
    /// After so many rounds, these included, it settles.
    pub drift_rounds: u32,
    /// The longest time between rounds; the shortest is half of it. In each the node looks once for somebody to swap with.
    pub interval: Duration,
    /// One round in so many is used to look around: whether the own place is taken, whether anybody arrives at it, and where
    /// there is room.
    pub survey_rounds: u32,
    /// After so many rounds a node that is asked for a swap wants the asker to be found at its place. Earlier walks do not find
    /// enough.
    pub holder_rounds: u32,
    /// Swaps that others may ask of a settled node at once,
    pub answers_burst: u32,
    /// and one more after each such time.
    pub answers_each: Duration,
    /// How many nodes a walk may visit.
    pub walk_hops: HopsToLive,
    /// How long a walk may take, with everything that is said over it.
    pub walk_time: Duration,
    /// Of that, how long looking around may take.
    pub look_time: Duration,
    /// Walks that pass, or end or begin here, at a time.
    pub walks_max: usize,
    /// Walks that a friend may send at once,
    pub walks_burst: u32,
    /// and one more after each such time.
    pub walks_each: Duration,
    /// Changes of place that a friend may tell at once,
    pub places_burst: u32,
    /// and one more after each such time.
    pub places_each: Duration,
}

impl Default for DarknetConfig {
    fn default() -> Self {
        Self {
            stage: Stage::Drift,
            // Four sevenths of these count. Reckoned for friends at distances by 1/d: on a ring of 64 000 nodes the second wave
            // fades by 7 % a round against the first
            spread_rounds: 70,
            drift_rounds: 160,
            // Freenet's is 8 s to 1 min. A round costs its node and those on its ways some 30 messages of 50 bytes
            interval: Duration::from_secs(30),
            // It must be more frequent than swaps with attackers, of whom each settled node meets some in a hundred rounds
            survey_rounds: 20,
            holder_rounds: 400,
            // Each node is asked once a round on the average; more often only if somebody asks more than his share
            answers_burst: 3,
            answers_each: Duration::from_secs(20),
            walk_hops: const { HopsToLive::new(18).expect("18 is within the bounds") },
            walk_time: Duration::from_secs(30),
            look_time: Duration::from_secs(8),
            // 60 bytes each, and as many in two indices
            walks_max: 512,
            // A node with ten friends passes five walks a round on, with looks ten: from one friend one or two. Hubs pass more
            walks_burst: 20,
            walks_each: Duration::from_secs(5),
            places_burst: 10,
            places_each: Duration::from_secs(10),
        }
    }
}
