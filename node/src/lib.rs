//! The Warren node: transport, store, client layer, FCP and the programs.
//!
//! [`node::Node`] is one whole node; [`demo::Demo`] is a network of them in one process. [`warren_cli`] and [`fcp_cli`]
//! are the programs. `docs/ARCHITECTURE.md` tells the life of a fetch and of an insert.

pub mod bench;
pub mod client;
pub mod config;
pub mod data_dir;
pub mod demo;
pub mod fcp;
pub mod fcp_cli;
pub mod link;
pub mod logging;
pub mod node;
pub mod peers_file;
pub mod reference;
pub mod store;
mod temp_dir;
pub mod trust;
pub mod warren_cli;
