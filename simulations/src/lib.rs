//! Whole networks of Warren routers in virtual time.
//!
//! A [`Network`] drives many [`routing::Router`]s, the same code that a node runs, over links that delay, reorder and lose
//! messages, with stores in memory. Nothing reads a clock or draws from anywhere but the one seed, so that a run can be
//! repeated exactly: [`Network::trace`] says whether it was.
//!
//! It does not model the transport's own retransmission: a message arrives after a while or never.
//!
//! ```
//! use simulations::{Network, Settings, Topology};
//!
//! let topology = Topology::small_world(50, 4, 1);
//! let mut network = Network::new(&topology, Settings::default(), 1);
//! let block = simulations::content_block(7);
//!
//! let insert = network.insert(3, block.clone());
//! network.run();
//! assert!(network.report(insert).is_success());
//!
//! let fetch = network.fetch(40, block.key());
//! network.run();
//! assert!(network.report(fetch).is_success());
//! ```
//!
//! Read [`network`](Network) first, then [`Topology`] and [`LinkModel`].

pub mod anonymity;
mod bandwidth;
mod behaviour;
mod blocks;
pub mod chart;
pub mod churn;
pub mod cli;
mod elided_block;
pub mod experiment;
pub mod experiments;
pub mod friend_graph;
pub mod friend_world;
pub mod link_graph;
mod link_model;
mod measure;
mod network;
pub mod opennet_world;
mod random;
pub mod replay;
mod resources;
pub mod results;
mod ring;
pub mod ring_graph;
pub mod scenario;
mod schedule;
mod sim_node;
mod sim_store;
pub mod statistics;
mod topology;

pub use bandwidth::Bandwidth;
pub use behaviour::{Behaviour, Direction, Hostile, Observation, Reply};
pub use blocks::{content_block, signed_block};
pub use elided_block::{ElidedBlock, SimBlock};
pub use link_model::{BaseLatency, LinkModel};
pub use measure::{Counters, Ended, Report};
pub use network::{Network, RequestHandle, Settings};
pub use random::rng_for;
pub use resources::{resident_bytes, thread_time};
pub use ring::Ring;
pub use sim_node::Sabotage;
pub use sim_store::{Eviction, StoreLimits};
pub use topology::Topology;
