//! One UDP port with the links of one node.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use crypto::{Identity, NodeId};
use quinn::TokioRuntime;
use thiserror::Error;
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    accept::{AcceptConfigs, accept},
    config::LinkConfig,
    event::LinkEvent,
    frame::FRAME_BYTES_MAX,
    greeting::{Greeted, Instance},
    peer::{CANDIDATES_MAX, Orders, Peer},
    port::Port,
    routes::{Routes, real},
    session::CloseCode,
    socket::SealedSocket,
    tls::{AllowedPeers, LinkTls},
    transport::{Transports, endpoint_config, server_config},
};

/// How long `close` waits for the goodbyes to get out.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(1);

/// The links of one node. Dropping it ends them all; [`close`](Self::close) does so and waits until the peers are told.
pub struct Endpoint {
    context: Arc<Context>,
    peers: Arc<Peers>,
}

/// What all parts of an endpoint need.
pub(crate) struct Context {
    pub(crate) me: NodeId,
    pub(crate) instance: Instance,
    pub(crate) config: LinkConfig,
    pub(crate) quinn: quinn::Endpoint,
    pub(crate) routes: Arc<Routes>,
    pub(crate) tls: LinkTls,
    pub(crate) transports: Transports,
    pub(crate) events: mpsc::Sender<LinkEvent>,
    socket: Arc<SealedSocket>,
    allowed: Arc<AllowedPeers>,
    runtime: Handle,
    closing: watch::Sender<bool>,
}

/// The keepers of all links.
#[derive(Default)]
pub(crate) struct Peers(Mutex<BTreeMap<NodeId, Entry>>);

struct Entry {
    orders: watch::Sender<Orders>,
    candidates: mpsc::Sender<Greeted>,
    task: JoinHandle<()>,
}

/// Why an endpoint has no port.
#[derive(Debug, Error)]
pub enum BindError {
    /// The system refused.
    #[error(
        "cannot use UDP address {address}: {source}; choose another port or stop the program that has it"
    )]
    Port {
        /// The wanted address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The identity key is not usable, or the cryptographic library is broken.
    #[error("TLS refuses the identity key: {0}")]
    Tls(#[from] rustls::Error),
    /// The message limit exceeds what a frame carries.
    #[error(
        "message_bytes_max is {0}, more than the {FRAME_BYTES_MAX} bytes that a frame carries; lower it"
    )]
    MessageLimit(usize),
}

impl Endpoint {
    /// Opens a UDP port at `address` (port 0: any free one) for the node with `identity`. The events come in
    /// the receiver, which must be read: links wait when it is full. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`] says which.
    pub fn bind(
        identity: &Identity,
        address: SocketAddr,
        config: LinkConfig,
    ) -> Result<(Self, mpsc::Receiver<LinkEvent>), BindError> {
        if config.message_bytes_max > FRAME_BYTES_MAX {
            return Err(BindError::MessageLimit(config.message_bytes_max));
        }
        let tls = LinkTls::new(identity)?;
        let allowed = Arc::new(AllowedPeers::default());
        let transports = Transports::new(&config);
        let configs = accept_configs(&tls, &allowed, &transports)?;

        let failed = |source| BindError::Port { address, source };
        let port = Port::bind(address, config.socket_buffer_bytes, 0).map_err(failed)?;
        let routes = Arc::new(Routes::default());
        let me = identity.id();
        let socket = Arc::new(SealedSocket::new(
            &me,
            port,
            Arc::clone(&routes),
            config.faults.clone(),
        ));
        let quinn = quinn::Endpoint::new_with_abstract_socket(
            endpoint_config(),
            Some((*configs.network).clone()),
            Arc::clone(&socket) as Arc<dyn quinn::AsyncUdpSocket>,
            Arc::new(TokioRuntime),
        )
        .map_err(failed)?;

        let (events, receiver) = mpsc::channel(config.events_max.max(1));
        let context = Arc::new(Context {
            me,
            instance: Instance::random(),
            config,
            quinn,
            routes,
            tls,
            transports,
            events,
            socket,
            allowed,
            runtime: Handle::current(),
            closing: watch::Sender::new(false),
        });
        let peers = Arc::new(Peers::default());
        tokio::spawn(accept(Arc::clone(&context), Arc::clone(&peers), configs));
        Ok((Self { context, peers }, receiver))
    }

    /// Keeps a link to `peer` from now on: dials it at `addresses` whenever it is not connected, with growing pauses, and
    /// takes its calls. Without addresses it only waits for calls. Called again it replaces the addresses. Our own id is
    /// ignored, and so is every call after `close`.
    pub fn connect_to(&self, peer: NodeId, addresses: Vec<SocketAddr>) {
        if peer == self.context.me || *self.context.closing.borrow() {
            return;
        }
        self.context.allowed.insert(peer);
        self.peers.keep(&self.context, peer, addresses);
    }

    /// Ends the link to `peer`, if any, and takes no more calls from it.
    pub fn forget(&self, peer: &NodeId) {
        self.context.allowed.remove(peer);
        self.peers.end(peer);
    }

    /// The UDP address in use.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.context.socket.ports.traits().address
    }

    /// Moves to another UDP address. The links stay up; messages under way still arrive as long as the old
    /// address works.
    ///
    /// # Errors
    /// [`BindError::Port`]; the endpoint then stays where it is.
    pub fn rebind(&self, address: SocketAddr) -> Result<(), BindError> {
        let failed = |source| BindError::Port { address, source };
        let context = &self.context;
        let generation = context.socket.ports.traits().generation + 1;
        let port =
            Port::bind(address, context.config.socket_buffer_bytes, generation).map_err(failed)?;
        context.socket.ports.change(port);
        // The same socket object again: this makes every connection tell its peer of the new path.
        let socket = Arc::clone(&context.socket) as Arc<dyn quinn::AsyncUdpSocket>;
        context.quinn.rebind_abstract(socket).map_err(failed)?;
        self.peers.moved();
        let (socket, old_port_time) = (Arc::clone(&context.socket), context.config.idle_timeout);
        context.runtime.spawn(async move {
            sleep(old_port_time).await;
            socket.ports.drop_before(generation);
        });
        Ok(())
    }

    /// Ends all links and waits until the peers are told, one second at most. Then the UDP address is free.
    pub async fn close(&self) {
        self.context.closing.send_replace(true);
        let tasks = self.peers.end_all();
        let told = async {
            for task in tasks {
                // A keeper that panicked has nothing more to say.
                let _ = task.await;
            }
            self.context.quinn.close(CloseCode::Done.into(), &[]);
            self.context.quinn.wait_idle().await;
        };
        // Who does not hear it in this time notices by the silence.
        let _ = timeout(CLOSE_TIME_MAX, told).await;
        // Datagrams that the tests' faults hold back keep a port a little longer.
        let _ = timeout(CLOSE_TIME_MAX, self.context.socket.ports.close()).await;
    }
}

#[cfg(test)]
impl Endpoint {
    pub(crate) fn context(&self) -> Arc<Context> {
        Arc::clone(&self.context)
    }

    /// Hands a connection to the keeper of `peer`, as accepting one does.
    pub(crate) fn offer(&self, peer: &NodeId, greeted: Greeted) {
        self.peers.offer(peer, greeted);
    }

    pub(crate) fn is_known_at(&self, ip: IpAddr) -> bool {
        self.peers.is_known_at(ip)
    }

    /// How many routes, remembered nonces and left-over packets there are.
    pub(crate) fn table_sizes(&self) -> [usize; 3] {
        let [nonces, left_over] = self.context.socket.intake_sizes();
        [self.context.routes.len(), nonces, left_over]
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.context.closing.send_replace(true);
        drop(self.peers.end_all());
        self.context.quinn.close(CloseCode::Done.into(), &[]);
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("me", &self.context.me)
            .finish_non_exhaustive()
    }
}

impl Context {
    /// Hands an event to the owner; while closing nobody may be there to take it.
    pub(crate) async fn emit(&self, event: LinkEvent) {
        let mut closing = self.closing.subscribe();
        tokio::select! {
            biased;
            place = self.events.reserve() => if let Ok(place) = place {
                place.send(event);
            },
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }

    /// Whether our port can send to `address` at all.
    pub(crate) fn reaches(&self, address: SocketAddr) -> bool {
        let usable = address.port() != 0 && !address.ip().is_unspecified();
        usable
            && (self.socket.ports.traits().address.is_ipv6()
                || address.ip().to_canonical().is_ipv4())
    }
}

impl Peers {
    fn keep(&self, context: &Arc<Context>, peer: NodeId, addresses: Vec<SocketAddr>) {
        let mut peers = self.lock();
        peers.retain(|_, entry| !entry.task.is_finished());
        let old = match peers.remove(&peer) {
            Some(entry) if !entry.orders.borrow().ended => {
                entry
                    .orders
                    .send_modify(|orders| orders.addresses = addresses);
                peers.insert(peer, entry);
                return;
            }
            // Its `Down` must come before the new keeper's `Up`.
            ending => ending.map(|entry| entry.task),
        };
        let (orders, orders_out) = watch::channel(Orders {
            addresses,
            ..Orders::default()
        });
        let (candidates, candidates_out) = mpsc::channel(CANDIDATES_MAX);
        let keeper = Peer::new(Arc::clone(context), peer, orders_out, candidates_out);
        let task = context.runtime.spawn(async move {
            if let Some(old) = old {
                let _ = old.await;
            }
            keeper.run().await;
        });
        peers.insert(
            peer,
            Entry {
                orders,
                candidates,
                task,
            },
        );
    }

    /// Hands a connection from `peer` to its keeper; drops it when there is none or too many wait.
    pub(crate) fn offer(&self, peer: &NodeId, greeted: Greeted) {
        if let Some(entry) = self.lock().get(peer) {
            let _ = entry.candidates.try_send(greeted);
        }
    }

    /// Whether one of the peers has an address with this IP.
    pub(crate) fn is_known_at(&self, ip: IpAddr) -> bool {
        let is_at = |entry: &Entry| {
            let orders = entry.orders.borrow();
            let mut ips = orders.addresses.iter().map(|address| real(*address).ip());
            !orders.ended && ips.any(|known| known == ip)
        };
        self.lock().values().any(is_at)
    }

    fn end(&self, peer: &NodeId) {
        if let Some(entry) = self.lock().get(peer) {
            entry.orders.send_modify(|orders| orders.ended = true);
        }
    }

    fn end_all(&self) -> Vec<JoinHandle<()>> {
        let entries = std::mem::take(&mut *self.lock());
        let end = |entry: Entry| {
            entry.orders.send_modify(|orders| orders.ended = true);
            entry.task
        };
        entries.into_values().map(end).collect()
    }

    fn moved(&self) {
        for entry in self.lock().values() {
            entry.orders.send_modify(|orders| orders.moves += 1);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<NodeId, Entry>> {
        self.0.lock().expect("no holder of the lock panics")
    }
}

fn accept_configs(
    tls: &LinkTls,
    allowed: &Arc<AllowedPeers>,
    transports: &Transports,
) -> Result<AcceptConfigs, rustls::Error> {
    let crypto = Arc::new(tls.acceptor(Arc::clone(allowed))?);
    let towards = |address: SocketAddr| {
        let mut config = server_config(Arc::clone(&crypto) as Arc<dyn quinn::crypto::ServerConfig>);
        config.transport_config(transports.to(address));
        Arc::new(config)
    };
    Ok(AcceptConfigs {
        loopback: towards(SocketAddr::from(([127, 0, 0, 1], 0))),
        network: towards(SocketAddr::from(([0, 0, 0, 0], 0))),
    })
}
