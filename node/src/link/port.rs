//! One bound UDP socket with segmentation offload and large buffers.

use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
    task::{Context, Poll, ready},
};

use quinn::udp::{RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};

/// Largest payload of a UDP datagram over IPv4, and so of what one system call may carry in segments.
pub(crate) const UDP_PAYLOAD_MAX: usize = 65_535 - 20 - 8;

/// Segments the kernel cuts one buffer into at most (`UDP_MAX_SEGMENTS` in Linux).
const SEGMENTS_MAX: usize = 64;

/// A local UDP port; `generation` counts the ports that an endpoint had.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) generation: u32,
    io: UdpSocket,
    state: UdpSocketState,
    address: SocketAddr,
}

impl Port {
    pub(crate) fn bind(
        address: SocketAddr,
        buffer_bytes: usize,
        generation: u32,
    ) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if address.is_ipv6() {
            // Where the system refuses, the port serves IPv6 only, which is what was asked for.
            let _ = socket.set_only_v6(false);
        }
        // The system caps the sizes without an error; a refusal leaves its default, which works, slower.
        let _ = socket.set_recv_buffer_size(buffer_bytes);
        let _ = socket.set_send_buffer_size(buffer_bytes);
        socket.bind(&address.into())?;
        let socket: std::net::UdpSocket = socket.into();
        let state = UdpSocketState::new((&socket).into())?;
        let address = socket.local_addr()?;
        let io = UdpSocket::from_std(socket)?;
        Ok(Self {
            generation,
            io,
            state,
            address,
        })
    }

    /// Sends `sealed`, a row of datagrams of `segment` bytes each (the last may be shorter). Only `WouldBlock` before
    /// the first datagram is an error worth a retry; after it the rest counts as lost on the way.
    pub(crate) fn send(
        &self,
        sealed: &[u8],
        segment: usize,
        like: &Transmit<'_>,
        to: SocketAddr,
    ) -> io::Result<()> {
        let Some(destination) = self.reachable(to) else {
            return Ok(());
        };
        let per_call = (UDP_PAYLOAD_MAX / segment).clamp(1, self.segments_max()) * segment;
        for (i, contents) in sealed.chunks(per_call).enumerate() {
            let transmit = Transmit {
                destination,
                ecn: like.ecn,
                contents,
                segment_size: (contents.len() > segment).then_some(segment),
                src_ip: like.src_ip,
            };
            let sent = self.io.try_io(Interest::WRITABLE, || {
                self.state.send((&self.io).into(), &transmit)
            });
            match sent {
                Err(e) if i == 0 && e.kind() == io::ErrorKind::WouldBlock => return Err(e),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // Unreachable for the moment, no buffers, a firewall: for QUIC that is a lost packet.
                Err(e) => tracing::trace!(error = %e, "datagram not sent"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Receives what is there, possibly nothing.
    pub(crate) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.io.poll_recv_ready(cx))?;
            let received = self.io.try_io(Interest::READABLE, || {
                self.state.recv((&self.io).into(), bufs, meta)
            });
            match received {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) if is_passing(&e) => return Poll::Ready(Ok(0)),
                other => return Poll::Ready(other),
            }
        }
    }

    pub(crate) fn seems_writable(&self) -> bool {
        self.io.try_io(Interest::WRITABLE, || Ok(())).is_ok()
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.io.writable().await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }

    pub(crate) fn segments_max(&self) -> usize {
        self.state.max_gso_segments().min(SEGMENTS_MAX)
    }

    /// `to` in the address family of this port.
    fn reachable(&self, to: SocketAddr) -> Option<SocketAddr> {
        match (self.address, to) {
            (SocketAddr::V6(_), SocketAddr::V4(v4)) => {
                Some((v4.ip().to_ipv6_mapped(), v4.port()).into())
            }
            (SocketAddr::V4(_), SocketAddr::V6(_)) => None,
            _ => Some(to),
        }
    }
}

/// What an unconnected socket reports of a vanished interface or in an ICMP message; a dead socket reports other errors.
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
