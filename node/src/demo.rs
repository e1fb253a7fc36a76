//! A whole network in one process: full nodes over real loopback sockets, each with its own data folder.

mod sample_site;
mod topology;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use routing::Location;
use tokio::task::JoinSet;

pub use sample_site::{SampleSiteError, publish};

use crate::config::{ByteSize, Config, ConfigError, Overrides};
use crate::data_dir::{DataDir, DataDirError};
use crate::node::{Node, REMEMBERED_FILE_NAME, StartError};
use crate::peers_file::{PEERS_FILE_NAME, PeerAddError};
use crate::reference::{Reference, ReferenceMakeError};
use crate::store::SharedResources;

/// A node alone has nobody to publish to.
pub const NODES_MIN: usize = 2;

/// Most nodes in one process: each takes two TCP ports, a UDP port and some 30 MiB.
pub const NODES_MAX: usize = 64;

/// What a demonstration network looks like.
#[derive(Clone, Debug)]
pub struct DemoConfig {
    /// How many nodes, [`NODES_MIN`] to [`NODES_MAX`].
    pub nodes: usize,
    /// Folder for everything; node `i` lives in `node-i`.
    pub data_dir: PathBuf,
    /// FCP port of node 0; node `i` has the `i`-th after it. 0 lets the system choose for every node.
    pub fcp_port: u16,
    /// HTTP port of node 0; likewise.
    pub http_port: u16,
    /// The nodes find each other, starting from node 0, instead of being linked as friends.
    pub opennet: bool,
    /// How hidden requests are: 0, 2, 4, 6 or 8 hops. `None`: as usual, and not at all in a network of two, which has no way
    /// to hide anything.
    pub anonymity: Option<u8>,
}

/// Links that every node of an opennet has before it is called ready: its two neighbours on each side, which make every
/// block findable.
const OPENNET_LINKS: usize = 4;

/// Time for that. It takes some seconds; this is for a busy machine.
const OPENNET_TIME_MAX: Duration = Duration::from_mins(2);

/// A running demonstration network.
pub struct Demo {
    nodes: Vec<Node>,
}

/// Why the network does not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The number of nodes or of ports makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A data folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The settings of a node are refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// RocksDB gives no resources.
    #[error("the store cannot be set up: {0}")]
    Store(#[from] rocksdb::Error),
    /// A node does not start.
    #[error("node {index} does not start: {source}")]
    Start {
        /// Which.
        index: usize,
        /// Why.
        source: StartError,
    },
    /// Two nodes cannot be linked.
    #[error("the nodes cannot be linked: {0}")]
    Reference(#[from] ReferenceMakeError),
    /// The opennet does not form.
    #[error(
        "only {linked} of {nodes} nodes found their peers within {} s; the machine may be too busy, try fewer nodes",
        OPENNET_TIME_MAX.as_secs()
    )]
    NotJoined {
        /// Nodes with enough links.
        linked: usize,
        /// All.
        nodes: usize,
    },
    /// The list of peers cannot be changed.
    #[error("the nodes cannot be linked: {0}")]
    Peer(#[from] PeerAddError),
}

impl Demo {
    /// Starts the nodes, links them as a small world, or lets them find each other, and waits until the links are up.
    ///
    /// # Errors
    /// [`DemoError`]; the nodes that had started are stopped.
    pub async fn start(config: &DemoConfig) -> Result<Self, DemoError> {
        check(config)?;
        let shared = SharedResources::new(config.nodes)?;
        let mut demo = Self { nodes: Vec::new() };
        for index in 0..config.nodes {
            match demo.start_node(config, index, &shared).await {
                Ok(node) => demo.nodes.push(node),
                Err(error) => {
                    demo.stop().await;
                    return Err(error);
                }
            }
        }
        let linked = if config.opennet {
            demo.meet().await
        } else {
            demo.link().await
        };
        match linked {
            Ok(()) => Ok(demo),
            Err(error) => {
                demo.stop().await;
                Err(error)
            }
        }
    }

    /// The nodes, in the order of their ports.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Stops all nodes, side by side: each waits a moment for its peers to hear of it.
    pub async fn stop(self) {
        let mut stopping: JoinSet<()> = self.nodes.into_iter().map(Node::stop).collect();
        while stopping.join_next().await.is_some() {}
    }

    /// Waits until the nodes have found each other.
    async fn meet(&self) -> Result<(), DemoError> {
        let wanted = OPENNET_LINKS.min(self.nodes.len() - 1);
        let deadline = tokio::time::Instant::now() + OPENNET_TIME_MAX;
        let mut linked = 0;
        for node in &self.nodes {
            let links = node.peers_adopted(wanted);
            if tokio::time::timeout_at(deadline, links).await.is_ok() {
                linked += 1;
            }
        }
        if linked == self.nodes.len() {
            return Ok(());
        }
        let nodes = self.nodes.len();
        Err(DemoError::NotJoined { linked, nodes })
    }

    async fn link(&self) -> Result<(), DemoError> {
        let locations: Vec<f64> = self
            .nodes
            .iter()
            .map(|node| Location::of_node(&node.id()).as_fraction())
            .collect();
        let links = topology::small_world(&locations);
        for (a, b) in &links {
            let (first, second) = (&self.nodes[*a], &self.nodes[*b]);
            befriend(first, second).await?;
            befriend(second, first).await?;
        }
        for (index, node) in self.nodes.iter().enumerate() {
            let degree = links
                .iter()
                .filter(|(a, b)| *a == index || *b == index)
                .count();
            node.connected_to(degree).await;
        }
        Ok(())
    }

    async fn start_node(
        &self,
        config: &DemoConfig,
        index: usize,
        shared: &SharedResources,
    ) -> Result<Node, DemoError> {
        let data_dir = DataDir::open(&node_dir(&config.data_dir, index))?;
        let mut overrides = overrides(config, index);
        if config.opennet {
            // The ports of the last start are gone, and nobody here is a friend.
            for stale in [REMEMBERED_FILE_NAME, PEERS_FILE_NAME] {
                let _ = std::fs::remove_file(data_dir.path().join(stale));
            }
            let seed: Option<Reference> = self.nodes.first().map(Node::reference).transpose()?;
            overrides.opennet = Some(true);
            overrides.introduce = Some(index == 0);
            overrides.seeds = Some(seed.into_iter().collect());
        }
        let settings = Config::resolve(None, [], &overrides)?;
        Node::start(data_dir, settings, shared)
            .await
            .map_err(|source| DemoError::Start { index, source })
    }
}

/// A second start finds the friends in the list, with references that name the ports of the first start.
async fn befriend(node: &Node, friend: &Node) -> Result<(), DemoError> {
    match node.add_peer(friend.reference()?, None).await {
        Ok(()) | Err(PeerAddError::AlreadyKnown { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn check(config: &DemoConfig) -> Result<(), DemoError> {
    if config.nodes < NODES_MIN || config.nodes > NODES_MAX {
        let text = format!(
            "--nodes takes {NODES_MIN} to {NODES_MAX}, not {}",
            config.nodes
        );
        return Err(DemoError::Usage(text));
    }
    let ports_end = |first: u16| usize::from(first) + config.nodes;
    for (option, first) in [
        ("--fcp-port", config.fcp_port),
        ("--http-port", config.http_port),
    ] {
        if first != 0 && ports_end(first) > usize::from(u16::MAX) + 1 {
            let text = format!("{option} {first} leaves no room for {} nodes", config.nodes);
            return Err(DemoError::Usage(text));
        }
    }
    let apart = config.fcp_port.abs_diff(config.http_port);
    if config.fcp_port != 0 && config.http_port != 0 && usize::from(apart) < config.nodes {
        let text = format!(
            "--fcp-port and --http-port must be {} or more apart",
            config.nodes
        );
        return Err(DemoError::Usage(text));
    }
    Ok(())
}

/// The settings of node `index`.
fn overrides(config: &DemoConfig, index: usize) -> Overrides {
    let loopback = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let port = |first: u16| {
        let offset = u16::try_from(index).expect("checked against NODES_MAX");
        if first == 0 { 0 } else { first + offset }
    };
    Overrides {
        name: Some(format!("demo-{index}")),
        link_listen: Some(loopback(0)),
        // What loopback carries: no line is to be spared.
        upload: Some(ByteSize::mebibytes(256)),
        anonymity: config.anonymity.or_else(|| (config.nodes < 3).then_some(0)),
        allow_anonymity_off: Some(true),
        // Room for some gigabytes of experiments, so that nothing published vanishes while one plays.
        store_size: Some(ByteSize::gibibytes(4)),
        cache_size: Some(ByteSize::gibibytes(1)),
        fcp_listen: Some(loopback(port(config.fcp_port))),
        fproxy_listen: Some(loopback(port(config.http_port))),
        ..Overrides::default()
    }
}

/// The data folder of node `index`.
#[must_use]
pub fn node_dir(demo_dir: &Path, index: usize) -> PathBuf {
    demo_dir.join(format!("node-{index}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(nodes: usize, fcp_port: u16, http_port: u16) -> DemoConfig {
        DemoConfig {
            nodes,
            data_dir: PathBuf::new(),
            fcp_port,
            http_port,
            opennet: false,
            anonymity: None,
        }
    }

    #[test]
    fn overlapping_or_missing_ports_are_refused() {
        assert!(check(&config(12, 9481, 8888)).is_ok());
        assert!(check(&config(12, 0, 0)).is_ok());
        assert!(check(&config(12, 9481, 9485)).is_err());
        assert!(check(&config(12, 65_530, 8888)).is_err());
        assert!(check(&config(1, 9481, 8888)).is_err());
        assert!(check(&config(NODES_MAX + 1, 9481, 8888)).is_err());
    }
}
