//! The values of a node's configuration and their defaults.

use super::ByteSize;
use crate::client::Hiding;
use crate::reference::Reference;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Longest name of a node, in bytes. Long enough for a full name, short enough for one line of a peer list.
pub const NAME_LEN_MAX: usize = 64;

/// Smallest size of the store and of the cache. Below it one batch of writes would replace everything.
pub const STORE_SIZE_MIN: ByteSize = ByteSize::mebibytes(8);

/// Everything the owner can set. Checked as a whole only inside a [`Config`](super::Config).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `[node]`
    pub node: NodeSettings,
    /// `[link]`
    pub link: LinkSettings,
    /// `[opennet]`
    pub opennet: OpennetSettings,
    /// `[anonymity]`
    pub anonymity: AnonymitySettings,
    /// `[store]`
    pub store: StoreSettings,
    /// `[fcp]`
    pub fcp: FcpSettings,
    /// `[fproxy]`
    pub fproxy: FproxySettings,
    /// `[limits]`
    pub limits: LimitSettings,
    /// `[log]`
    pub log: LogSettings,
}

/// `[node]`: how the node presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    /// Shown to friends beside the identity. 1 to [`NAME_LEN_MAX`] bytes of printable text.
    pub name: String,
}

/// `[link]`: the UDP socket that other nodes reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkSettings {
    /// Where the socket is bound. Port 0 lets the system choose at every start.
    pub listen: SocketAddr,
    /// Addresses to name in the reference in addition to those the node finds by itself. At most 8.
    pub announce: Vec<SocketAddr>,
    /// What this node's line can send, in bytes a second: 16 KiB or more. Decides how much work for others is accepted, and
    /// how many strangers are peers.
    pub upload: ByteSize,
}

/// Below it one block takes two seconds: a node would be of no use to others.
pub(super) const UPLOAD_MIN: ByteSize = ByteSize::bytes(16 << 10);

/// `[opennet]`: whether the node finds peers by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpennetSettings {
    /// Whether it links with strangers at all.
    pub enabled: bool,
    /// Nodes through which it finds its place. At most [`SEEDS_MAX`].
    pub seeds: Vec<Reference>,
    /// Whether nodes that know nobody may announce themselves here.
    pub introduce: bool,
    /// Strangers that are peers at a time, at most: [`OPENNET_PEERS_MIN`] to [`OPENNET_PEERS_MAX`]. `None`: as many as
    /// the upload suits.
    pub peers_max: Option<u16>,
}

/// Seeds of one node at most: one suffices, and more only help when that is gone.
pub const SEEDS_MAX: usize = 32;

/// With fewer, routes need more than twice the hops of 20 peers (docs/ROUTING.md).
pub const OPENNET_PEERS_MIN: u16 = 10;

/// Freenet's bound: beyond, upkeep costs more than shorter routes save.
pub const OPENNET_PEERS_MAX: u16 = 85;

/// `[anonymity]`: how the user's requests leave the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnonymitySettings {
    /// How hidden they are, unless they say it themselves.
    pub hiding: Hiding,
    /// The owner accepts that neighbours see what is asked for.
    pub allow_off: bool,
    /// The mean of the random time for which every hop of the node's own circuits holds each cell: up to
    /// a second. None: cells are passed on at once.
    pub delay: Option<Duration>,
    /// How often an empty cell goes along one of the node's own circuits and back: 100 ms to a minute. None: never.
    pub cover: Option<Duration>,
}

/// Relays hold no cell for longer on the average.
pub(super) const CELL_DELAY_MAX: Duration = Duration::from_secs(1);

/// 23 KB a second each way over the link to the guard, and over each hop of some circuit.
pub(super) const COVER_MIN: Duration = Duration::from_millis(100);

/// A link that is silent for longer between two cells hides nothing.
pub(super) const COVER_MAX: Duration = Duration::from_mins(1);

/// `[store]`: what the node keeps for the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSettings {
    /// For blocks whose place is near this node.
    pub size: ByteSize,
    /// For blocks that passed through.
    pub cache: ByteSize,
    /// When written blocks are forced to the disk.
    pub sync: SyncPolicy,
}

/// When acknowledged blocks are forced from the system's memory to the disk. A killed process loses nothing under
/// either; they differ in what a loss of power or a crash of the system can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncPolicy {
    /// About once a second: a loss of power takes at most what was written since.
    Periodic,
    /// Before every acknowledgement: slower by the disk's sync time per batch.
    Always,
}

/// `[fcp]`: the protocol for programs on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FcpSettings {
    /// Whether to listen at all.
    pub enabled: bool,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The owner accepts that other machines control the node through `listen`.
    pub allow_remote: bool,
}

/// `[fproxy]`: the gateway for browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FproxySettings {
    /// Whether to listen at all.
    pub enabled: bool,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The owner accepts that other machines control the node through `listen`.
    pub allow_remote: bool,
}

/// `[limits]`: what the client side may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    /// Where uploads wait until they are inserted, in a folder of the node's own; `None` is `temp` in the data folder.
    pub upload_dir: Option<PathBuf>,
    /// Disk for the temporary files of all inserts and fetches over FCP together.
    pub temp: ByteSize,
    /// Working memory of all inserts and fetches together.
    pub memory: ByteSize,
}

/// `[log]`: what is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    /// The least severe level that is written.
    pub level: LogLevel,
}

/// How much is reported, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Defects of the node.
    Error,
    /// What the owner should look at.
    Warn,
    /// Milestones.
    Info,
    /// Steps, for developers.
    Debug,
    /// Single messages and packets. The only level that may show keys and addresses.
    Trace,
}

impl Default for Settings {
    fn default() -> Self {
        super::keys::default_settings()
    }
}

impl LogLevel {
    /// The name as it stands in the file, which is also the name `tracing` filters use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for SyncPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Periodic => "periodic",
            Self::Always => "always",
        })
    }
}
