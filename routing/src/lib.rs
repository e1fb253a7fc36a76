#![doc = include_str!("../README.md")]
#![warn(clippy::wildcard_enum_match_arm, clippy::indexing_slicing)]

mod block;
mod caching;
mod config;
mod contact;
mod darknet;
mod deadlines;
mod event;
mod fetch;
mod finding;
mod hops_to_live;
mod insert;
mod interests;
mod load;
mod location;
mod long_fetches;
mod lookahead;
mod merit;
mod message;
mod neighbours;
mod next_hop;
mod onion;
mod opennet;
mod own;
mod pace;
mod peers;
mod recently_failed;
mod repair;
mod requests;
mod router;
mod shared;
mod short_map;
mod time;
mod wire;

pub use block::Block;
pub use config::{ByClass, Config, Lookahead};
pub use contact::{Contact, PeerKind, RECORD_LEN_MAX, Trust};
pub use darknet::config::DarknetConfig;
pub use darknet::message::{Answer, Consent, Purpose, SwapMessage, WalkId};
pub use event::{
    Action, Class, Effort, Event, Existing, FetchFailure, InsertFailure, InsertSuccess, LocalId,
    LookupResult, Misbehaviour, Origin, PeerId, Place, StoreResult, StoreTicket,
};
pub use finding::{CoarseLocation, Finding, Neighbourhood};
pub use hops_to_live::{HopsToLive, OutOfRange};
pub use load::PeerCredit;
pub use location::{Distance, Location};
pub use merit::PeerMerit;
pub use message::{BlockBytes, Copies, InsertStage, Message, Refusal, RequestId};
pub use onion::anonymity::{Anonymity, Group, Level, Role, Via};
pub use onion::config::OnionConfig;
pub use onion::list::{NeighbourList, RelayName};
pub use onion::memory::{BadOnionMemory, OnionMemory};
pub use onion::message::{CellBody, CircuitId, Direction, OnionMessage};
pub use onion::view::OnionView;
pub use opennet::config::{OpennetConfig, Replacement, Seeking, peers_for_bandwidth};
pub use opennet::message::{
    AnnouncementId, CONTACTS_MAX, Contacts, Invitation, OpennetMessage, Seek, Ticket, Token,
};
pub use router::{Load, PeerView, Router};
pub use time::Time;
pub use wire::{DecodeError, MESSAGE_LEN_MAX, decode, encode, encoded_len};

/// What decides about places in the darknet, without messages: for simulations that are too large for routers.
pub mod places {
    pub use crate::darknet::decision::{
        Coin, Commitment, Opening, Stage, badness, consents, drift_together,
    };
    pub use crate::darknet::drift::{Drift, Surroundings};
    pub use crate::darknet::gap::Gap;
    pub use crate::darknet::proposal::{Aim, anywhere, better, rooms, target};
    pub use crate::darknet::sights::{Room, Sights};
}
