//! The Warren node: transport, store, client layer, FCP and the programs.

pub mod client;
pub mod config;
pub mod fcp;
pub mod link;
pub mod reference;
pub mod store;
