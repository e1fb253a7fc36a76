//! Authenticated, obfuscated links to other nodes.
//!
//! An [`Endpoint`] owns one UDP port and keeps a [`Link`] to every peer it was told of: it dials, redials, accepts, and reports
//! what happens as [`LinkEvent`]s. A message is any string of bytes up to [`LinkConfig::message_bytes_max`]; it arrives once, whole and
//! verified to come from that peer, or not at all when the link goes down. Messages overtake each other:
//! only small ones ([`Link::send`]) keep their order among themselves.
//!
//! Underneath is QUIC with TLS 1.3, both ends authenticated by their identity keys, and around every
//! datagram a seal that makes it look like noise. Bottom up: `seal` and `replay` (one datagram), `port`, `ports`, `routes`,
//! `intake`, `socket` (what quinn takes for a UDP socket), `tls`,
//! `congestion` and `transport` (the set-up of QUIC), `frame` and
//! `greeting` (what is said first), `outbox` and `session` (messages over one connection), `dial` and `peer` (which
//! connection serves a peer), `places`, `accept` and `endpoint`. `docs/TRANSPORT.md` gives the reasons and the limits.

mod accept;
pub mod bench;
mod config;
mod congestion;
mod dial;
mod endpoint;
mod event;
mod faults;
mod frame;
mod greeting;
mod intake;
mod outbox;
mod peer;
mod places;
mod port;
mod ports;
mod replay;
mod routes;
mod seal;
mod session;
mod socket;
mod tls;
mod transport;

#[cfg(test)]
mod tests;

pub use config::{Faults, LinkConfig};
pub use endpoint::{BindError, Endpoint};
pub use event::{Link, LinkEvent, LinkStats, Priority, SendError};
