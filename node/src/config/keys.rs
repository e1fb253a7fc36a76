//! The table of all keys: documentation, default, how a value is taken in and how it is printed.

use super::ByteSize;
use super::settings::{
    AnonymitySettings, FcpSettings, FproxySettings, LimitSettings, LinkSettings, LogLevel,
    LogSettings, NodeSettings, OpennetSettings, Settings, StoreSettings, SyncPolicy,
};
use super::values::{
    absolute_path, address, addresses, cell_delay, cover, flag, is_name, log_level, memory_size,
    opennet_peers, quoted, quoted_list, references, shown_milliseconds, store_size, sync_policy,
    temp_size, text, upload,
};
use crate::client::Hiding;
use std::net::{Ipv4Addr, SocketAddr};

/// A value before it is checked, from whichever source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    List(Vec<String>),
}

/// How a value looks; tells how the text of an environment variable becomes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Flag,
    List,
}

/// One key of the configuration.
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Comment lines above the key in the generated file.
    pub(super) doc: &'static [&'static str],
    /// What may stand there, for errors.
    pub(super) allowed: &'static str,
    /// Takes a value in; `None` if it is not allowed.
    pub(super) set: fn(&mut Settings, &Value) -> Option<()>,
    /// The value as a TOML literal; `None` when nothing is set, which the file shows as a commented example.
    pub(super) show: fn(&Settings) -> Option<String>,
}

impl Key {
    /// `section.name`.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// `WARREN_SECTION_NAME`.
    pub(super) fn variable(&self) -> String {
        format!("WARREN_{}_{}", self.section, self.name).to_ascii_uppercase()
    }
}

/// The configuration when nobody sets anything.
pub(super) fn default_settings() -> Settings {
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Settings {
        node: NodeSettings {
            name: "warren".to_owned(),
        },
        // The generated file names a port drawn once, so that friends find the node again; without it the system's choice.
        link: LinkSettings {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            announce: Vec::new(),
            // 8 Mbit/s: fixed lines that send less have become few. Who has less should say so
            upload: ByteSize::mebibytes(1),
        },
        opennet: OpennetSettings {
            // Strangers learn the node's address, which the owner has to want.
            enabled: false,
            seeds: Vec::new(),
            introduce: false,
            peers_max: None,
        },
        anonymity: AnonymitySettings {
            // Six hops, with which the end of a circuit says next to nothing about its start
            hiding: Hiding::default(),
            allow_off: false,
            delay: None,
            cover: None,
        },
        store: StoreSettings {
            // A guess at what an owner gives without thinking: 5 % of a common 250 GB disk, as Freenet suggests.
            size: ByteSize::gibibytes(10),
            cache: ByteSize::gibibytes(2),
            sync: SyncPolicy::Periodic,
        },
        // 9481 and 8888 are Freenet's ports: existing FCP clients and bookmarks look there.
        fcp: FcpSettings {
            enabled: true,
            listen: loopback(9481),
            allow_remote: false,
        },
        fproxy: FproxySettings {
            enabled: true,
            listen: loopback(8888),
            allow_remote: false,
        },
        // One segment of 128 + 128 blocks takes 8 MiB, and a few are in work at once.
        limits: LimitSettings {
            upload_dir: None,
            // Two documents of the 10 GiB that the client layer is made for, one on its way in and one out.
            temp: ByteSize::gibibytes(20),
            memory: ByteSize::mebibytes(64),
        },
        log: LogSettings {
            level: LogLevel::Info,
        },
    }
}

pub(super) static SECTIONS: [(&str, &str); 9] = [
    ("node", "How this node presents itself to its friends."),
    ("link", "The UDP socket that other nodes reach."),
    (
        "opennet",
        "Links with strangers, which the node finds and chooses by itself. They learn this node's address.",
    ),
    (
        "anonymity",
        "How what you ask for and publish leaves this node.",
    ),
    (
        "store",
        "What this node keeps for the network: encrypted blocks that it cannot read.",
    ),
    (
        "fcp",
        "The Freenet Client Protocol, for programs on this machine.",
    ),
    ("fproxy", "The gateway for browsers on this machine."),
    (
        "limits",
        "What this node's own inserts and fetches may use.",
    ),
    ("log", "What is reported on standard error."),
];

const SIZE: &str = "a size such as \"10 GiB\", at least 8 MiB";
const SWITCH: &str = "true or false";
const LISTEN: &str = "an IP address and a port, such as \"127.0.0.1:9481\" or \"[::1]:9481\"";

pub(super) static KEYS: [Key; 25] = [
    Key {
        section: "node",
        name: "name",
        kind: Kind::Text,
        doc: &["Shown to your friends beside the identity; part of the reference you give them."],
        allowed: "1 to 64 bytes of printable text on one line",
        set: |s, v| {
            text(v)
                .filter(|name| is_name(name))
                .map(|name| s.node.name = name.to_owned())
        },
        show: |s| Some(quoted(&s.node.name)),
    },
    Key {
        section: "link",
        name: "listen",
        kind: Kind::Text,
        doc: &[
            "Address and UDP port for other nodes. The port was drawn once when this file was written; keep it, since",
            "your friends know it. 0 lets the system choose one at every start.",
        ],
        allowed: "an IP address and a port, such as \"0.0.0.0:23456\" or \"[::]:23456\"",
        set: |s, v| address(v).map(|listen| s.link.listen = listen),
        show: |s| Some(quoted(s.link.listen)),
    },
    Key {
        section: "link",
        name: "announce",
        kind: Kind::List,
        doc: &[
            "Addresses to name in your reference besides those the node finds by itself, such as the outer address of a",
            "router that forwards the port: [\"203.0.113.7:23456\"]. At most 8.",
        ],
        allowed: "a list of at most 8 IP addresses with ports, such as [\"203.0.113.7:23456\"]",
        set: |s, v| addresses(v).map(|announce| s.link.announce = announce),
        show: |s| Some(quoted_list(&s.link.announce)),
    },
    Key {
        section: "link",
        name: "upload",
        kind: Kind::Text,
        doc: &[
            "What this node may send, in bytes a second. It takes on as many requests of others as it can send the blocks for",
            "within a second (4 s where nobody waits), and refuses the rest; the same number decides how many strangers are",
            "peers. Links adapt to the line by themselves, and your own inserts and fetches come on top.",
        ],
        allowed: "a size such as \"500 KiB\", at least 16 KiB",
        set: |s, v| upload(v).map(|upload| s.link.upload = upload),
        show: |s| Some(quoted(s.link.upload)),
    },
    Key {
        section: "opennet",
        name: "enabled",
        kind: Kind::Flag,
        doc: &[
            "Whether this node links with strangers. Without it only your friends know that it exists, and it needs some.",
        ],
        allowed: SWITCH,
        set: |s, v| flag(v).map(|on| s.opennet.enabled = on),
        show: |s| Some(s.opennet.enabled.to_string()),
    },
    Key {
        section: "opennet",
        name: "seeds",
        kind: Kind::List,
        doc: &[
            "References (warren:...) of nodes that introduce newcomers, at most 32. Needed for the first start; later the",
            "node asks its former peers first. A seed learns that this node exists, as every peer does.",
        ],
        allowed: "a list of at most 32 references, such as [\"warren:AbC...\"], as `warren seed` prints them",
        set: |s, v| references(v).map(|seeds| s.opennet.seeds = seeds),
        show: |s| Some(quoted_list(&s.opennet.seeds)),
    },
    Key {
        section: "opennet",
        name: "introduce",
        kind: Kind::Flag,
        doc: &[
            "Whether this node is a seed: newcomers that know nobody else may announce themselves through it.",
        ],
        allowed: SWITCH,
        set: |s, v| flag(v).map(|on| s.opennet.introduce = on),
        show: |s| Some(s.opennet.introduce.to_string()),
    },
    Key {
        section: "opennet",
        name: "peers_max",
        kind: Kind::Text,
        doc: &[
            "Strangers that this node links with, friends not counted. \"auto\": what suits `upload` of [link], such as 20 for",
            "140 kB/s and 54 for 1 MB/s. More make routes shorter, and this node passes more on.",
        ],
        allowed: "a number from 10 to 85, or \"auto\"",
        set: |s, v| opennet_peers(v).map(|peers| s.opennet.peers_max = peers),
        show: |s| {
            Some(
                s.opennet
                    .peers_max
                    .map_or_else(|| quoted("auto"), |peers| peers.to_string()),
            )
        },
    },
    Key {
        section: "anonymity",
        name: "hops",
        kind: Kind::Text,
        doc: &[
            "Your requests travel sealed over so many other nodes (a circuit) before they begin. Who is next to you sees that you",
            "use Warren and how much, but not for what; the node where they begin sees for what, but not who.",
            "8: most hidden, slowest. 6: usual. 4 and 2: faster, and fewer nodes have to work together to find you out.",
            "0: fastest; every neighbour can read the keys you ask for and count that they come from you. Each hop costs the",
            "network one more transfer of every block. With few peers circuits are longer than this, in tiny networks shorter;",
            "`warren status` says so. Single requests can say otherwise: `fcp get --anonymity 4`.",
        ],
        allowed: "0, 2, 4, 6 or 8",
        set: |s, v| {
            text(v)
                .and_then(Hiding::from_text)
                .map(|hiding| s.anonymity.hiding = hiding)
        },
        show: |s| Some(s.anonymity.hiding.hops().to_string()),
    },
    Key {
        section: "anonymity",
        name: "allow_off",
        kind: Kind::Flag,
        doc: &[
            "Needed before `hops` may be 0: the nodes next to this one then see what its user asks for.",
        ],
        allowed: SWITCH,
        set: |s, v| flag(v).map(|on| s.anonymity.allow_off = on),
        show: |s| Some(s.anonymity.allow_off.to_string()),
    },
    Key {
        section: "anonymity",
        name: "delay_ms",
        kind: Kind::Text,
        doc: &[
            "Slow and strong, part one: every node on the way holds each of your cells for a random time, so many milliseconds on",
            "the average. Who sees cells come and go then cannot match them so easily by their times. 0: they are passed on at",
            "once. Price over six hops: a request takes eleven times this longer (100: about 1.1 s, and a page needs several).",
        ],
        allowed: "0, or a number from 1 to 1000",
        set: |s, v| cell_delay(v).map(|delay| s.anonymity.delay = delay),
        show: |s| Some(shown_milliseconds(s.anonymity.delay)),
    },
    Key {
        section: "anonymity",
        name: "cover_ms",
        kind: Kind::Text,
        doc: &[
            "Slow and strong, part two: each time so many milliseconds have passed, an empty cell goes along one of your circuits,",
            "and another comes back. The link to your first node is never silent then, so that a small request does not show.",
            "A large download still shows. 0: never. Price at 1000: 2.3 KB a second each way over each hop, 200 MB a day.",
        ],
        allowed: "0, or a number from 100 to 60000",
        set: |s, v| cover(v).map(|cover| s.anonymity.cover = cover),
        show: |s| Some(shown_milliseconds(s.anonymity.cover)),
    },
    Key {
        section: "store",
        name: "size",
        kind: Kind::Text,
        doc: &["For blocks whose place in the network is near this node."],
        allowed: SIZE,
        set: |s, v| store_size(v).map(|size| s.store.size = size),
        show: |s| Some(quoted(s.store.size)),
    },
    Key {
        section: "store",
        name: "cache",
        kind: Kind::Text,
        doc: &["For blocks that passed through this node."],
        allowed: SIZE,
        set: |s, v| store_size(v).map(|size| s.store.cache = size),
        show: |s| Some(quoted(s.store.cache)),
    },
    Key {
        section: "store",
        name: "sync",
        kind: Kind::Text,
        doc: &[
            "When blocks are forced to the disk. \"periodic\": every second; a loss of power takes at most the last second.",
            "\"always\": before each acknowledgement, which is slower. A killed process loses nothing either way.",
        ],
        allowed: "\"periodic\" or \"always\"",
        set: |s, v| sync_policy(v).map(|sync| s.store.sync = sync),
        show: |s| Some(quoted(s.store.sync)),
    },
    Key {
        section: "fcp",
        name: "enabled",
        kind: Kind::Flag,
        doc: &["Whether programs can reach the node over FCP; the `fcp` program needs it."],
        allowed: SWITCH,
        set: |s, v| flag(v).map(|on| s.fcp.enabled = on),
        show: |s| Some(s.fcp.enabled.to_string()),
    },
    Key {
        section: "fcp",
        name: "listen",
        kind: Kind::Text,
        doc: &["Address and TCP port. Whoever reaches it controls the node."],
        allowed: LISTEN,
        set: |s, v| address(v).map(|listen| s.fcp.listen = listen),
        show: |s| Some(quoted(s.fcp.listen)),
    },
    Key {
        section: "fcp",
        name: "allow_remote",
        kind: Kind::Flag,
        doc: &["Needed before `listen` may be an address that other machines reach."],
        allowed: SWITCH,
        set: |s, v| flag(v).map(|on| s.fcp.allow_remote = on),
        show: |s| Some(s.fcp.allow_remote.to_string()),
    },
    Key {
        section: "fproxy",
        name: "enabled",
        kind: Kind::Flag,
        doc: &["Whether browsers can read and publish through this node."],
        allowed: SWITCH,
        set: |s, v| flag(v).map(|on| s.fproxy.enabled = on),
        show: |s| Some(s.fproxy.enabled.to_string()),
    },
    Key {
        section: "fproxy",
        name: "listen",
        kind: Kind::Text,
        doc: &["Address and TCP port. Whoever reaches it controls the node."],
        allowed: LISTEN,
        set: |s, v| address(v).map(|listen| s.fproxy.listen = listen),
        show: |s| Some(quoted(s.fproxy.listen)),
    },
    Key {
        section: "fproxy",
        name: "allow_remote",
        kind: Kind::Flag,
        doc: &["Needed before `listen` may be an address that other machines reach."],
        allowed: SWITCH,
        set: |s, v| flag(v).map(|on| s.fproxy.allow_remote = on),
        show: |s| Some(s.fproxy.allow_remote.to_string()),
    },
    Key {
        section: "limits",
        name: "upload_dir",
        kind: Kind::Text,
        doc: &[
            "Where uploads wait until they are inserted, in a folder of the node's own. They lie there in the clear.",
            "Default: `temp` in the data folder.",
        ],
        allowed: "the absolute path of a folder",
        set: |s, v| absolute_path(v).map(|path| s.limits.upload_dir = Some(path)),
        show: |s| {
            s.limits
                .upload_dir
                .as_ref()
                .map(|path| quoted(path.display()))
        },
    },
    Key {
        section: "limits",
        name: "temp",
        kind: Kind::Text,
        doc: &[
            "Disk for documents that wait in that folder on their way from or to programs (FCP), all together. Beside it",
            "512 MiB of the disk are left free.",
        ],
        allowed: "a size such as \"20 GiB\", at least 64 MiB",
        set: |s, v| temp_size(v).map(|size| s.limits.temp = size),
        show: |s| Some(quoted(s.limits.temp)),
    },
    Key {
        section: "limits",
        name: "memory",
        kind: Kind::Text,
        doc: &["Working memory of all inserts and fetches together."],
        allowed: "a size from 16 MiB to 64 GiB",
        set: |s, v| memory_size(v).map(|size| s.limits.memory = size),
        show: |s| Some(quoted(s.limits.memory)),
    },
    Key {
        section: "log",
        name: "level",
        kind: Kind::Text,
        doc: &[
            "\"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\". Only \"trace\" may show keys and addresses.",
        ],
        allowed: "\"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
        set: |s, v| log_level(v).map(|level| s.log.level = level),
        show: |s| Some(quoted(s.log.level)),
    },
];
