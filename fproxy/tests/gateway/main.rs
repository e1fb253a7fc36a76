//! The gateway over real connections, in front of a network in memory.

mod client;
mod delivery;
mod double;
mod failures;
mod fetching;
mod hostile;
mod node_pages;
mod origins;
mod pages;
mod publishing;
mod settings;
