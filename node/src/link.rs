//! Authenticated, obfuscated links to other nodes.
//!
//! An [`Endpoint`] owns one UDP port and keeps a [`Link`] to every peer it was told of: it dials, redials, accepts, and reports
//! what happens as [`LinkEvent`]s. A message is any string of bytes up to [`LinkConfig::message_bytes_max`]; it arrives once, whole and
//! verified to come from that peer, or not at all when the link goes down. Messages overtake each other:
//! only small ones ([`Link::send`]) keep their order among themselves.
//!
//! With [`LinkConfig::strangers`] it also dials nodes it does not keep to, once, and takes calls from everybody within
//! bounds: the links of an opennet.
//!
//! Underneath is QUIC with TLS 1.3, both ends authenticated by their identity keys, and around every
//! datagram a seal that makes it look like noise. Bottom up: `seal` and `replay` (one datagram), `port`, `ports`, `routes`,
//! `intake`, `socket` (what quinn takes for a UDP socket), `tls`,
//! `congestion` and `transport` (the set-up of QUIC), `padding`, `frame` and
//! `greeting` (what is said first), `outbox` and `session` (messages over one connection), `dial`, `verdict` and `peer` (which
//! connection serves a peer), `acquaintance`, `allowed`, `dial_budget` and `places` (what strangers may), `keepers`, `accept`
//! and `endpoint`. `docs/TRANSPORT.md` gives the reasons and the limits.

mod accept;
mod acquaintance;
mod allowed;
pub mod bench;
mod config;
mod congestion;
mod dial;
mod dial_budget;
mod endpoint;
mod event;
mod faults;
mod frame;
mod greeting;
mod intake;
mod keepers;
mod outbox;
mod padding;
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
mod verdict;

#[cfg(test)]
mod tests;

pub use config::{Faults, LinkConfig, StrangerLimits};
pub use endpoint::{BindError, Endpoint};
pub use event::{Bond, Link, LinkEvent, LinkStats, Priority, SendError};
pub use keepers::DialRefused;
