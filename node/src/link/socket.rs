//! The UDP socket that quinn sees: everything that leaves is sealed, and only what opens comes in.

use std::{
    cell::RefCell,
    fmt,
    future::Future,
    io::{self, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, RwLock},
    task::{Context, Poll},
};

use crypto::NodeId;
use quinn::{
    AsyncUdpSocket, UdpPoller,
    udp::{RecvMeta, Transmit},
};
use rand::Rng;

use super::{
    config::Faults,
    faults::FaultInjector,
    intake::Intake,
    port::Port,
    routes::{Origin, Routes, real},
    seal::{AcceptorKeys, DatagramKey, NONCE_LEN, OVERHEAD},
};

/// Batches without one datagram that opens after which the receiver lets other tasks run: a flood of noise must not
/// occupy a thread.
const EMPTY_BATCHES_MAX: usize = 8;

/// A sealed UDP socket, on one local port or, for a while after a change of address, on two.
pub(crate) struct SealedSocket {
    ports: RwLock<Ports>,
    routes: Arc<Routes>,
    own_keys: Arc<AcceptorKeys>,
    intake: Mutex<Intake>,
    faults: Option<FaultInjector>,
}

#[derive(Clone, Debug)]
struct Ports {
    current: Arc<Port>,
    /// The port before the last change of address; connections accepted there stay there until they are replaced.
    previous: Option<Arc<Port>>,
}

impl SealedSocket {
    pub(crate) fn new(
        me: &NodeId,
        port: Port,
        routes: Arc<Routes>,
        faults: Option<Faults>,
    ) -> Self {
        let own_keys = Arc::new(AcceptorKeys::of(me));
        Self {
            ports: RwLock::new(Ports {
                current: Arc::new(port),
                previous: None,
            }),
            intake: Mutex::new(Intake::new(Arc::clone(&own_keys), Arc::clone(&routes))),
            routes,
            own_keys,
            faults: faults.map(FaultInjector::new),
        }
    }

    /// Sends from `port` from now on and still receives at the old one.
    pub(crate) fn change_port(&self, port: Port) {
        let mut ports = self.ports.write().expect("no holder of the lock panics");
        let old = std::mem::replace(&mut ports.current, Arc::new(port));
        ports.previous = Some(old);
    }

    /// Lets the port before the one of `generation` go.
    pub(crate) fn drop_port_before(&self, generation: u32) {
        let mut ports = self.ports.write().expect("no holder of the lock panics");
        if ports.current.generation == generation {
            ports.previous = None;
        }
    }

    pub(crate) fn port_generation(&self) -> u32 {
        self.current().generation
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.current().address()
    }

    fn current(&self) -> Arc<Port> {
        Arc::clone(
            &self
                .ports
                .read()
                .expect("no holder of the lock panics")
                .current,
        )
    }

    /// The port of `generation`, or the current one when that is gone.
    fn port(&self, generation: u32) -> Arc<Port> {
        let ports = self.ports.read().expect("no holder of the lock panics");
        let previous = ports
            .previous
            .as_ref()
            .filter(|port| port.generation == generation);
        Arc::clone(previous.unwrap_or(&ports.current))
    }

    fn send_sealed(
        &self,
        port: &Arc<Port>,
        key: &DatagramKey,
        transmit: &Transmit<'_>,
    ) -> io::Result<()> {
        thread_local! {
            static SEALED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        let segment = transmit
            .segment_size
            .unwrap_or(transmit.contents.len())
            .max(1);
        let to = real(transmit.destination);
        SEALED.with_borrow_mut(|sealed| {
            sealed.clear();
            let mut random = rand::rng();
            for packet in transmit.contents.chunks(segment) {
                let mut nonce = [0; NONCE_LEN];
                random.fill_bytes(&mut nonce);
                key.seal(nonce, packet, sealed);
            }
            match &self.faults {
                Some(faults) => faults.send(port, sealed, segment + OVERHEAD, transmit, to),
                None => return port.send(sealed, segment + OVERHEAD, transmit, to),
            }
            Ok(())
        })
    }
}

impl AsyncUdpSocket for SealedSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(WritePoller {
            socket: self,
            waiting: None,
        })
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        match Origin::of(transmit.destination) {
            Origin::Accepted { port } => {
                self.send_sealed(&self.port(port), &self.own_keys.from_acceptor, transmit)
            }
            Origin::Dialled { route } => match self.routes.by_number(route) {
                Some(route) => self.send_sealed(&self.current(), &route.keys.to_acceptor, transmit),
                // The peer was forgotten long ago: nothing is owed to it.
                None => Ok(()),
            },
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut intake = self.intake.lock().expect("no holder of the lock panics");
        if let Some(delivered) = intake.deliver_left_over(bufs, meta) {
            return Poll::Ready(Ok(delivered));
        }
        let ports = self
            .ports
            .read()
            .expect("no holder of the lock panics")
            .clone();
        for _ in 0..EMPTY_BATCHES_MAX {
            let mut idle = true;
            for port in std::iter::once(&ports.current).chain(&ports.previous) {
                match port.poll_recv(cx, bufs, meta) {
                    Poll::Pending => {}
                    Poll::Ready(Ok(received)) => {
                        idle = false;
                        if intake.open(
                            port.generation,
                            &mut bufs[..received],
                            &mut meta[..received],
                        ) {
                            return Poll::Ready(Ok(received));
                        }
                    }
                    // What an unconnected socket reports here (a vanished interface, an ICMP message) passes; only
                    // a dead socket is the end, and that shows on every call.
                    Poll::Ready(Err(e)) if is_passing(&e) => idle = false,
                    Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                }
            }
            if idle {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Always an IPv6 address, since every address shown to quinn is one.
    fn local_addr(&self) -> io::Result<SocketAddr> {
        let port = self.current();
        Ok(Origin::Accepted {
            port: port.generation,
        }
        .mark(port.address()))
    }

    fn max_transmit_segments(&self) -> usize {
        self.current().segments_max()
    }

    /// One: with the largest datagram size in the endpoint's configuration each receive buffer has 64 KiB, which is
    /// all that a row of coalesced segments can have.
    fn max_receive_segments(&self) -> usize {
        1
    }

    fn may_fragment(&self) -> bool {
        self.current().may_fragment()
    }
}

impl fmt::Debug for SealedSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSocket").finish_non_exhaustive()
    }
}

fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted,
        NetworkDown, NetworkUnreachable,
    };
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | HostUnreachable
            | Interrupted
            | NetworkDown
            | NetworkUnreachable
    )
}

/// Waits until the current port takes datagrams again.
struct WritePoller {
    socket: Arc<SealedSocket>,
    waiting: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>>,
}

impl UdpPoller for WritePoller {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let port = self.socket.current();
        if self.waiting.is_none() && port.seems_writable() {
            return Poll::Ready(Ok(()));
        }
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(async move { port.writable().await }));
        let result = waiting.as_mut().poll(cx);
        if result.is_ready() {
            self.waiting = None;
        }
        result
    }
}

impl fmt::Debug for WritePoller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WritePoller").finish_non_exhaustive()
    }
}
