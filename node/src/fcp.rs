//! The Freenet Client Protocol, version 2.0: what programs on this machine use to put and get documents.
//!
//! The protocol is lines of text over TCP: a name, `Key=Value` fields, a terminator, and for some messages a
//! payload of announced length. [`FcpServer`] speaks the node's side of it and [`client::FcpClient`] the
//! program's; both share the framing ([`reader`], [`message`]). `docs/FCP.md` lists what is supported and
//! where Warren differs.
//!
//! Everything a client announces is bounded before memory is taken for it: see [`limits`].

pub mod client;
pub mod disk_share;
pub mod failure;
pub mod folder;
pub mod limits;
pub mod message;
pub mod node_info;
pub mod protocol_error;
pub mod reader;
pub mod spool;

mod connection;
mod dda;
mod dispatch;
mod get;
mod hello;
mod outbox;
mod peers;
mod proved_folder;
mod put;
mod put_folder;
mod requests;
mod running;
mod server;

pub use node_info::NodeControl;
pub use server::{FcpDependencies, FcpServer};

#[cfg(test)]
pub(crate) mod tests;
