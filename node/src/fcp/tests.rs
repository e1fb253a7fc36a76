//! The server over real sockets, with the client layer on a network that is a table in memory.

mod disk;
mod handshake;
mod node_messages;
mod requests;
mod sites;
pub(crate) mod support;
