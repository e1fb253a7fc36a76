//! The Warren node: transport, store, client layer, FCP and the programs.

pub mod client;
pub mod config;
pub mod data_dir;
pub mod fcp;
pub mod fcp_cli;
pub mod link;
pub mod peers_file;
pub mod reference;
pub mod store;
