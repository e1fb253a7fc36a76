//! One whole node: links, store, router, client layer, FCP and web interface, started and stopped together.

mod answers;
mod beginning;
mod block_network;
mod command;
mod control;
mod event_loop;
mod gateway_port;
mod groups;
mod hiding_file;
mod onion_file;
mod open_links;
mod opennet;
mod place_file;
mod remembered;
mod start_error;
pub(crate) mod survey;
mod upkeep;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crypto::{Identity, NodeId};
use fproxy::{Gateway, GatewayConfig};
use routing::{PeerId, Trust};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use self::beginning::begin;
use self::block_network::NodeNetwork;
use self::command::Command;
use self::event_loop::{EventLoop, LinkedPeer};
use self::hiding_file::HidingFile;
use self::open_links::OpenLinks;
use self::opennet::{Opennet, own_contact};
pub(crate) use self::remembered::FILE_NAME as REMEMBERED_FILE_NAME;
use self::remembered::RememberedFile;
pub use self::start_error::StartError;
use self::survey::Survey;
use self::upkeep::{quarantine, remember_now_and_then};
use crate::client::{Client, ClientConfig, Hiding};
use crate::config::Config;
use crate::data_dir::{DataDir, RunFile, RunningGuard};
use crate::fcp::node_info::NodeControl;
use crate::fcp::{FcpDependencies, FcpServer};
use crate::link::Endpoint;
use crate::peers_file::{PeerAddError, PeerRemoveError, PeersFile};
use crate::reference::{Reference, ReferenceMakeError, public_addresses, reachable_addresses};
use crate::store::{
    BlockStore, DriverConfig, RocksStore, SharedResources, StoreConfig, StoreHandle,
};
use crate::temp_dir;

/// A running node. Dropping it without [`Node::stop`] leaves the clean-up to the process's end, which loses nothing
/// that was acknowledged.
pub struct Node {
    core: Arc<Core>,
    client: Arc<Client>,
    fcp: Option<FcpServer>,
    gateway: Option<Gateway>,
    event_loop: JoinHandle<()>,
    /// Keep the node's place among its friends, and its guards; end after the loop.
    keepers: Vec<JoinHandle<()>>,
    stop_loop: oneshot::Sender<()>,
    _running: RunningGuard,
    _data_dir: DataDir,
}

/// What the node's parts share.
struct Core {
    identity: Arc<Identity>,
    config: Config,
    endpoint: Arc<Endpoint>,
    store: Arc<StoreHandle>,
    links: watch::Receiver<BTreeMap<PeerId, LinkedPeer>>,
    peers: Mutex<PeersFile>,
    commands: mpsc::Sender<Command>,
    /// Where the peers of the opennet are kept, if the node takes part in it.
    remembered: Option<RememberedFile>,
    knows_strangers: bool,
    /// How hidden the user's requests are.
    hiding: HidingFile,
    /// The addresses that strangers were told last.
    told: Mutex<Vec<SocketAddr>>,
    started: Instant,
    shutdown_wanted: Notify,
}

impl Node {
    /// Starts a node on `data_dir`: opens its store, links with its friends, and listens for clients.
    ///
    /// # Errors
    /// [`StartError`] says what stands in the way and what to do.
    pub async fn start(
        data_dir: DataDir,
        config: Config,
        shared: &SharedResources,
    ) -> Result<Self, StartError> {
        let identity = Arc::new(data_dir.identity()?);
        let secrets = data_dir.secrets()?;
        let peers = PeersFile::open(data_dir.path(), identity.id())?;
        let upload_dir = config.limits.upload_dir.as_deref();
        let temp_dir = temp_dir::prepare(&data_dir, upload_dir, &identity.id())?;
        let store = open_store(&data_dir, &config, &secrets.store_salt, shared)?;
        let links = OpenLinks::open(&data_dir, &identity, &config)?;
        let knows_strangers = links.opennet.as_ref().is_some_and(Opennet::knows_strangers);
        let endpoint = Arc::new(links.endpoint);
        let (beginning, keepers) = begin(&data_dir, &identity.id(), &config, &peers, links.opennet);
        let hiding = beginning.hiding.clone();
        let (event_loop, wires) = EventLoop::new(
            beginning,
            Arc::clone(&store),
            Arc::clone(&endpoint),
            links.events,
        );
        let told = public_addresses(endpoint.local_addr(), &config.link.announce);
        let core = Arc::new(Core {
            identity,
            config,
            endpoint,
            store,
            links: wires.links,
            peers: Mutex::new(peers),
            commands: wires.commands,
            remembered: links.remembered,
            knows_strangers,
            hiding,
            told: Mutex::new(told),
            started: wires.started,
            shutdown_wanted: Notify::new(),
        });
        tokio::spawn(quarantine(Arc::downgrade(&core), wires.offenders));
        tokio::spawn(remember_now_and_then(Arc::downgrade(&core)));
        for peer in core.peers().peers() {
            let friend = &peer.reference;
            core.endpoint
                .connect_to(friend.id(), friend.addresses().to_vec());
        }
        let (stop_loop, stopped) = oneshot::channel();
        let event_loop = tokio::spawn(event_loop.run(stopped));
        let client = core.client(&temp_dir);
        let fcp = start_fcp(&core, &client, &temp_dir).await?;
        let gateway = start_gateway(&core, &client, &temp_dir, secrets.fproxy_labels).await?;
        let run = core.run_file(fcp.as_ref(), gateway.as_ref());
        let running = data_dir.announce_running(&run)?;
        Ok(Self {
            core,
            client,
            fcp,
            gateway,
            event_loop,
            keepers,
            stop_loop,
            _running: running,
            _data_dir: data_dir,
        })
    }

    /// Waits until a client asks the node to stop.
    pub async fn shutdown_wanted(&self) {
        self.core.shutdown_wanted.notified().await;
    }

    /// Stops everything in order; what was acknowledged is on the disk afterwards.
    pub async fn stop(self) {
        if let Some(gateway) = self.gateway {
            gateway.shutdown().await;
        }
        if let Some(fcp) = self.fcp {
            fcp.shutdown().await;
        }
        self.core.remember().await;
        self.core.endpoint.close().await;
        // Either may have ended already.
        let _ = self.stop_loop.send(());
        let _ = self.event_loop.await;
        for keeper in self.keepers {
            let _ = keeper.await;
        }
        let store = Arc::clone(&self.core.store);
        // A panic in there has been logged by its thread.
        let _ = tokio::task::spawn_blocking(move || store.close()).await;
    }

    /// The node's identity.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.core.identity.id()
    }

    /// The node's own reference.
    ///
    /// # Errors
    /// If the configured name or addresses do not fit into one.
    pub fn reference(&self) -> Result<Reference, ReferenceMakeError> {
        self.core.reference()
    }

    /// Adds a friend, renews its reference or changes how far it is trusted, and connects to it. Without a `trust` a new
    /// friend gets the usual and a known one keeps its own.
    ///
    /// # Errors
    /// [`PeerAddError`].
    pub async fn add_peer(
        &self,
        reference: Reference,
        trust: Option<Trust>,
    ) -> Result<(), PeerAddError> {
        self.core.add_peer(reference, trust).await
    }

    /// Peers with a link that is up.
    #[must_use]
    pub fn peers_connected(&self) -> usize {
        self.core.links.borrow().len()
    }

    /// Waits until `count` links are up.
    pub async fn connected_to(&self, count: usize) {
        let mut links = self.core.links.clone();
        // The loop holds the sender as long as the node runs.
        let _ = links.wait_for(|links| links.len() >= count).await;
    }

    /// Waits until `count` links are there that carry requests.
    pub async fn peers_adopted(&self, count: usize) {
        let adopted = |links: &BTreeMap<PeerId, LinkedPeer>| {
            links.values().filter(|linked| linked.adopted).count()
        };
        let mut links = self.core.links.clone();
        let _ = links.wait_for(|links| adopted(links) >= count).await;
    }

    /// Whether there were strangers to link with again when the node started.
    #[must_use]
    pub fn knows_strangers(&self) -> bool {
        self.core.knows_strangers
    }

    /// Fetches and inserts documents through this node.
    #[must_use]
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Where FCP listens.
    #[must_use]
    pub fn fcp_address(&self) -> Option<SocketAddr> {
        self.fcp.as_ref().map(FcpServer::local_addr)
    }

    /// Where the web interface listens.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.gateway.as_ref().map(Gateway::local_addr)
    }
}

impl Core {
    fn peers(&self) -> MutexGuard<'_, PeersFile> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self, temp_dir: &std::path::Path) -> Arc<Client> {
        let network = NodeNetwork::new(self.commands.clone(), Arc::clone(&self.store));
        let config = ClientConfig {
            hiding: Arc::clone(self.hiding.usual()),
            ..ClientConfig::new(temp_dir.to_owned())
        };
        Client::new(Arc::new(network), config)
    }

    fn reference(&self) -> Result<Reference, ReferenceMakeError> {
        let addresses = reachable_addresses(self.endpoint.local_addr(), &self.config.link.announce);
        Reference::sign(&self.identity, &self.config.node.name, &addresses, serial())
    }

    async fn add_peer(
        &self,
        reference: Reference,
        trust: Option<Trust>,
    ) -> Result<(), PeerAddError> {
        let (peer, addresses) = (reference.id(), reference.addresses().to_vec());
        self.peers().add(reference, trust)?;
        if let Some(trust) = trust {
            // The event loop has gone only when the node is stopping.
            let _ = self.commands.send(Command::Trust { peer, trust }).await;
        }
        self.endpoint.connect_to(peer, addresses);
        Ok(())
    }

    /// Hides requests so from now on, and after a restart.
    ///
    /// # Errors
    /// If that cannot be written down; it holds all the same until the node stops.
    async fn hide(&self, hiding: Hiding) -> io::Result<()> {
        self.hiding.usual().set(hiding);
        let level = hiding.level();
        // The event loop has gone only when the node is stopping.
        let _ = self.commands.send(Command::StandBy { level }).await;
        let file = self.hiding.clone();
        let written = tokio::task::spawn_blocking(move || file.write(hiding)).await;
        written.map_err(io::Error::other)?
    }

    /// Links with `id` if it is still a friend.
    fn reconnect(&self, id: NodeId) {
        let peers = self.peers();
        let mut friends = peers.peers().iter().map(|peer| &peer.reference);
        if let Some(friend) = friends.find(|friend| friend.id() == id) {
            self.endpoint.connect_to(id, friend.addresses().to_vec());
        }
    }

    async fn remove_peer(&self, id: NodeId) -> Result<(), PeerRemoveError> {
        self.peers().remove(&id.to_string())?;
        self.endpoint.forget(&id);
        // The event loop has gone only when the node is stopping.
        let _ = self.commands.send(Command::Forget { peer: id }).await;
        Ok(())
    }

    fn run_file(&self, fcp: Option<&FcpServer>, gateway: Option<&Gateway>) -> RunFile {
        RunFile {
            pid: std::process::id(),
            identity: self.identity.id(),
            link: self.endpoint.local_addr(),
            fcp: fcp.map(FcpServer::local_addr),
            fproxy: gateway.map(Gateway::local_addr),
        }
    }

    /// What the router says of itself; nothing when the node is stopping.
    async fn survey(&self) -> Survey {
        let (answer, survey) = oneshot::channel();
        // The event loop has gone only when the node is stopping; then the answer fails.
        let _ = self.commands.send(Command::Survey { answer }).await;
        survey.await.unwrap_or_default()
    }

    /// Signs a new record if this machine's addresses, or the port, have changed, and tells it to strangers from now on.
    async fn renew_record(&self) {
        let own = public_addresses(self.endpoint.local_addr(), &self.config.link.announce);
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if *told == own {
                return;
            }
            told.clone_from(&own);
        }
        match own_contact(&self.identity, &own) {
            Ok(own) => {
                self.endpoint.introduce_as(own.record.clone());
                // The event loop has gone only when the node is stopping.
                let _ = self.commands.send(Command::Readdress { own }).await;
            }
            Err(error) => {
                tracing::warn!(%error, "strangers cannot be told this machine's new addresses");
            }
        }
    }

    /// Writes down which strangers to link with after a restart.
    async fn remember(&self) {
        let Some(file) = self.remembered.clone() else {
            return;
        };
        let (answer, records) = oneshot::channel();
        let _ = self.commands.send(Command::Remembered { answer }).await;
        let Ok(records) = records.await else { return };
        let written = tokio::task::spawn_blocking(move || file.write(&records)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, "the peers of the opennet cannot be kept; after a restart the node asks its seeds");
        }
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Serial number of a reference made now: milliseconds since 1970, so that a node which restarts at once has a newer one.
pub(crate) fn serial() -> u64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since_epoch.map_or(0, |time| {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    })
}

fn open_store(
    data_dir: &DataDir,
    config: &Config,
    salt: &[u8; 32],
    shared: &SharedResources,
) -> Result<Arc<StoreHandle>, StartError> {
    let path = data_dir.subfolder("store")?;
    let store: Arc<dyn BlockStore> = Arc::new(RocksStore::open(
        &path,
        salt,
        StoreConfig::new(&config.store),
        shared,
    )?);
    let handle = StoreHandle::start(store, DriverConfig::default()).map_err(StartError::Threads)?;
    Ok(Arc::new(handle))
}

async fn start_fcp(
    core: &Arc<Core>,
    client: &Arc<Client>,
    temp_dir: &std::path::Path,
) -> Result<Option<FcpServer>, StartError> {
    if !core.config.fcp.enabled {
        return Ok(None);
    }
    let address = core.config.fcp.listen;
    let dependencies = FcpDependencies {
        client: Arc::clone(client),
        node: Arc::<Core>::clone(core) as Arc<dyn NodeControl>,
        spool_folder: temp_dir.to_owned(),
        spool_max: core.config.limits.temp.as_bytes(),
    };
    let server = FcpServer::bind(address, dependencies).await;
    server.map(Some).map_err(|source| StartError::Listen {
        what: "the Freenet Client Protocol",
        address,
        source,
        option: "--fcp-listen (in a demo network --fcp-port)",
    })
}

async fn start_gateway(
    core: &Arc<Core>,
    client: &Arc<Client>,
    temp_dir: &std::path::Path,
    label_secret: Zeroizing<[u8; 32]>,
) -> Result<Option<Gateway>, StartError> {
    if !core.config.fproxy.enabled {
        return Ok(None);
    }
    let address = core.config.fproxy.listen;
    let port = gateway_port::GatewayPort::new(Arc::clone(core), Arc::clone(client));
    let config = GatewayConfig::new(label_secret, temp_dir.to_owned());
    let gateway = Gateway::bind(address, Arc::new(port), config).await;
    gateway.map(Some).map_err(|source| StartError::Listen {
        what: "the web interface",
        address,
        source,
        option: "--http-listen (in a demo network --http-port)",
    })
}

#[cfg(test)]
mod tests;
