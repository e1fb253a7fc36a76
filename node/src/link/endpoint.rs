//! One UDP port with the links of one node.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use crypto::{Identity, NodeId};
use quinn::TokioRuntime;
use thiserror::Error;
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use super::{
    accept::{AcceptConfigs, accept},
    allowed::AllowedPeers,
    config::LinkConfig,
    dial_budget::DialBudget,
    event::LinkEvent,
    frame::FRAME_BYTES_MAX,
    greeting::Instance,
    keepers::{DialRefused, Keepers},
    padding::padded_len,
    places::Places,
    port::Port,
    routes::Routes,
    session::CloseCode,
    socket::SealedSocket,
    tls::LinkTls,
    transport::{Transports, endpoint_config, server_config},
};

/// How long `close` waits for the goodbyes to get out.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(1);

/// The links of one node. Dropping it ends them all; [`close`](Self::close) does so and waits until the peers are told.
pub struct Endpoint {
    context: Arc<Context>,
    keepers: Arc<Keepers>,
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
    /// The places for strangers that call, if they may.
    pub(crate) guests: Option<Arc<Places>>,
    pub(crate) runtime: Handle,
    socket: Arc<SealedSocket>,
    allowed: Arc<AllowedPeers>,
    dials: DialBudget,
    /// How strangers can reach us.
    record: Mutex<Bytes>,
    closing: watch::Sender<bool>,
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
        if padded_len(config.message_bytes_max) > FRAME_BYTES_MAX {
            return Err(BindError::MessageLimit(config.message_bytes_max));
        }
        let tls = LinkTls::new(identity)?;
        let allowed = Arc::new(AllowedPeers::new(config.strangers.is_some()));
        let transports = Transports::new(&config);
        let open = config.strangers.is_some();
        let configs = accept_configs(&tls, &allowed, &transports, open)?;

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
        let guests = config.strangers.as_ref().map(Places::for_guests);
        let context = Arc::new(Context {
            me,
            instance: Instance::random(),
            guests: guests.map(Arc::new),
            dials: DialBudget::new(Instant::now()),
            record: Mutex::default(),
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
        let keepers = Arc::new(Keepers::default());
        tokio::spawn(accept(Arc::clone(&context), Arc::clone(&keepers), configs));
        Ok((Self { context, keepers }, receiver))
    }

    /// Keeps a link to `peer` from now on: dials it at `addresses` whenever it is not connected, with growing pauses, and
    /// takes its calls. Without addresses it only waits for calls. Called again it replaces the addresses. Our own id is
    /// ignored, and so is every call after `close`.
    pub fn connect_to(&self, peer: NodeId, addresses: Vec<SocketAddr>) {
        if peer == self.context.me || *self.context.closing.borrow() {
            return;
        }
        self.context.allowed.insert(peer);
        self.keepers.keep(&self.context, peer, addresses);
    }

    /// What to tell strangers of ourselves: our record. Until it is set none of them takes our call.
    pub fn introduce_as(&self, record: Bytes) {
        // One value is replaced by another.
        *self
            .context
            .record
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = record;
    }

    /// Dials a stranger once, at all `addresses`; `record` is where they come from. Ends with [`LinkEvent::Up`] or
    /// [`LinkEvent::DialFailed`] after some seconds at most.
    ///
    /// # Errors
    /// [`DialRefused`]; no event follows then.
    pub fn dial(
        &self,
        peer: NodeId,
        addresses: &[SocketAddr],
        record: Bytes,
    ) -> Result<(), DialRefused> {
        let context = &self.context;
        if context.guests.is_none() || *context.closing.borrow() {
            return Err(DialRefused::Closed);
        }
        if peer == context.me {
            return Err(DialRefused::Known);
        }
        if context.allowed.shuns(&peer) {
            return Err(DialRefused::Shunned);
        }
        let mut reachable = addresses.to_vec();
        reachable.retain(|address| context.reaches(*address));
        if reachable.is_empty() {
            return Err(DialRefused::NoAddress);
        }
        let granted = context.dials.take(Instant::now(), &reachable);
        if granted.is_empty() {
            return Err(DialRefused::TooMany);
        }
        self.keepers.dial(context, peer, granted, record)
    }

    /// Lets a stranger stay, with room for as much as any peer, until it is [declined](Self::hang_up) or the link breaks.
    pub fn adopt(&self, peer: &NodeId) {
        self.keepers.adopt(peer);
    }

    /// Ends the link to a stranger when everything that was sent has arrived, or after a few seconds. Peers that were made
    /// known are not concerned. Ends with [`LinkEvent::Down`].
    pub fn hang_up(&self, peer: &NodeId) {
        self.keepers.hang_up(peer);
    }

    /// Ends the link to a stranger at once, and neither dials it nor takes its calls for `time`.
    pub fn shun(&self, stranger: NodeId, time: Duration) {
        self.context.allowed.shun(stranger, time);
        self.keepers.end(&stranger);
    }

    /// Ends the link to `peer`, if any, and takes no more calls from it.
    pub fn forget(&self, peer: &NodeId) {
        self.context.allowed.remove(peer);
        self.keepers.end(peer);
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
        self.keepers.moved();
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
        let tasks = self.keepers.end_all();
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
    pub(crate) fn offer(&self, peer: &NodeId, greeted: super::greeting::Greeted) {
        self.keepers.offer(peer, greeted);
    }

    pub(crate) fn is_known_at(&self, ip: std::net::IpAddr) -> bool {
        self.keepers.is_known_at(ip)
    }

    /// How many strangers have a link or are getting one.
    pub(crate) fn strangers(&self) -> usize {
        self.keepers.strangers()
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
        drop(self.keepers.end_all());
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

    /// What to say of ourselves to somebody who is a `stranger`, or not.
    pub(crate) fn record_for(&self, stranger: bool) -> Bytes {
        if stranger {
            self.record
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        } else {
            Bytes::new()
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

fn accept_configs(
    tls: &LinkTls,
    allowed: &Arc<AllowedPeers>,
    transports: &Transports,
    open: bool,
) -> Result<AcceptConfigs, rustls::Error> {
    let crypto = Arc::new(tls.acceptor(Arc::clone(allowed))?);
    let towards = |address: SocketAddr| {
        let mut config = server_config(Arc::clone(&crypto) as Arc<dyn quinn::crypto::ServerConfig>);
        // Who calls is known only after the handshake.
        config.transport_config(transports.to(address, open));
        Arc::new(config)
    };
    Ok(AcceptConfigs {
        loopback: towards(SocketAddr::from(([127, 0, 0, 1], 0))),
        network: towards(SocketAddr::from(([0, 0, 0, 0], 0))),
    })
}
