//! The UDP socket that quinn sees: everything that leaves is sealed, and only what opens comes in.

use std::{
    cell::RefCell,
    fmt,
    future::Future,
    io::{self, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
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
    ports::{Ports, Traits},
    routes::{Origin, Routes, real},
    seal::{AcceptorKeys, DatagramKey, NONCE_LEN, OVERHEAD},
};

/// Batches without one datagram that opens after which the receiver lets other tasks run: a flood of noise must not
/// occupy a thread.
const EMPTY_BATCHES_MAX: usize = 8;

/// A UDP socket of sealed datagrams.
pub(crate) struct SealedSocket {
    pub(crate) ports: Ports,
    routes: Arc<Routes>,
    own_keys: Arc<AcceptorKeys>,
    intake: Mutex<Intake>,
    faults: Option<FaultInjector>,
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
            ports: Ports::new(port),
            intake: Mutex::new(Intake::new(Arc::clone(&own_keys), Arc::clone(&routes))),
            routes,
            own_keys,
            faults: faults.map(FaultInjector::new),
        }
    }

    #[cfg(test)]
    pub(crate) fn intake_sizes(&self) -> [usize; 2] {
        self.intake
            .lock()
            .expect("no holder of the lock panics")
            .sizes()
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
        let (port, route) = match Origin::of(transmit.destination) {
            Origin::Accepted { port } => (self.ports.of_generation(port), None),
            // Without a route the peer was forgotten long ago, and nothing is owed to it.
            Origin::Dialled { route } => match self.routes.by_number(route) {
                Some(route) => (self.ports.current(), Some(route)),
                None => return Ok(()),
            },
        };
        // Without a port we are closed, and every datagram is lost.
        let Some(port) = port else {
            return Ok(());
        };
        let key = route
            .as_ref()
            .map_or(&self.own_keys.from_acceptor, |route| {
                &route.keys.to_acceptor
            });
        self.send_sealed(&port, key, transmit)
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
        for _ in 0..EMPTY_BATCHES_MAX {
            let mut idle = true;
            for port in self.ports.open() {
                let Poll::Ready(received) = port.poll_recv(cx, bufs, meta)? else {
                    continue;
                };
                idle = false;
                let (bufs, meta) = (&mut bufs[..received], &mut meta[..received]);
                if intake.open(port.generation, bufs, meta) {
                    return Poll::Ready(Ok(received));
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
        let Traits {
            address,
            generation,
            ..
        } = self.ports.traits();
        Ok(Origin::Accepted { port: generation }.mark(address))
    }

    fn max_transmit_segments(&self) -> usize {
        self.ports.current().map_or(1, |port| port.segments_max())
    }

    /// One: with the largest datagram size in the endpoint's configuration each receive buffer has 64 KiB, which is
    /// all that a row of coalesced segments can have.
    fn max_receive_segments(&self) -> usize {
        1
    }

    fn may_fragment(&self) -> bool {
        self.ports.traits().may_fragment
    }
}

impl fmt::Debug for SealedSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSocket").finish_non_exhaustive()
    }
}

/// Waits until the current port takes datagrams again.
struct WritePoller {
    socket: Arc<SealedSocket>,
    waiting: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>>,
}

impl UdpPoller for WritePoller {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(port) = self.socket.ports.current() else {
            return Poll::Ready(Ok(()));
        };
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
