//! Opens what a port received and drops the rest without a trace.

use std::{collections::VecDeque, io::IoSliceMut, net::SocketAddr, sync::Arc};

use quinn::udp::RecvMeta;

use super::{
    port::UDP_PAYLOAD_MAX,
    replay::ReplayFilter,
    routes::{Origin, Routes, RoutesFrom, real},
    seal::{AcceptorKeys, OVERHEAD, nonce_of},
};

/// Set in the first byte of the QUIC packets of a handshake (RFC 9000, 17.2).
const LONG_HEADER: u8 = 0x80;

/// The receiving half of a [`SealedSocket`](super::socket::SealedSocket).
pub(crate) struct Intake {
    own_keys: Arc<AcceptorKeys>,
    routes: Arc<Routes>,
    replays: ReplayFilter,
    packet: Box<[u8]>,
    /// Packets of another connection than the first of their buffer, for the next call. One batch fills it at most.
    left_over: VecDeque<(RecvMeta, Box<[u8]>)>,
}

/// How far the packets of one buffer have been put together again.
struct Row {
    address: Option<SocketAddr>,
    len: usize,
    stride: usize,
    /// A packet shorter than the others ends a row.
    ended: bool,
}

impl Intake {
    pub(crate) fn new(own_keys: Arc<AcceptorKeys>, routes: Arc<Routes>) -> Self {
        Self {
            own_keys,
            routes,
            replays: ReplayFilter::new(),
            packet: vec![0; UDP_PAYLOAD_MAX].into(),
            left_over: VecDeque::new(),
        }
    }

    #[cfg(test)]
    pub(crate) fn sizes(&self) -> [usize; 2] {
        [self.replays.len(), self.left_over.len()]
    }

    /// Hands over packets that an earlier call of [`open`](Self::open) had no place for.
    pub(crate) fn deliver_left_over(
        &mut self,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Option<usize> {
        let count = self.left_over.len().min(bufs.len());
        let packets = self.left_over.drain(..count);
        for ((buf, meta), (of_packet, packet)) in bufs.iter_mut().zip(meta).zip(packets) {
            buf[..packet.len()].copy_from_slice(&packet);
            *meta = of_packet;
        }
        (count > 0).then_some(count)
    }

    /// Opens the datagrams in `bufs` in place; whether any did open. A buffer of noise ends with length 0.
    pub(crate) fn open(
        &mut self,
        port: u32,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> bool {
        let mut any = false;
        for (buf, meta) in bufs.iter_mut().zip(meta) {
            self.open_row(port, buf, meta);
            any |= meta.len > 0;
        }
        any || !self.left_over.is_empty()
    }

    /// One buffer holds one datagram, or a row of them from one sender that the kernel coalesced.
    fn open_row(&mut self, port: u32, buf: &mut [u8], meta: &mut RecvMeta) {
        let sender = real(meta.addr);
        let routes = self.routes.from(sender);
        let mut row = Row {
            address: None,
            len: 0,
            stride: 0,
            ended: false,
        };
        let (received, stride) = (meta.len, meta.stride.max(1));
        for start in (0..received).step_by(stride) {
            let end = received.min(start + stride);
            let Some((origin, len)) = self.open_datagram(port, &buf[start..end], routes.as_deref())
            else {
                continue;
            };
            let address = origin.mark(sender);
            if row.takes(address, len) {
                buf[row.len..row.len + len].copy_from_slice(&self.packet[..len]);
                row.push(address, len);
            } else {
                let of_packet = RecvMeta {
                    addr: address,
                    len,
                    stride: len,
                    ..*meta
                };
                self.left_over
                    .push_back((of_packet, self.packet[..len].into()));
            }
        }
        meta.len = row.len;
        meta.stride = row.stride;
        if let Some(address) = row.address {
            meta.addr = address;
        }
    }

    /// Leaves the packet in `self.packet`.
    fn open_datagram(
        &mut self,
        port: u32,
        datagram: &[u8],
        routes: Option<&RoutesFrom>,
    ) -> Option<(Origin, usize)> {
        if datagram.len() <= OVERHEAD {
            return None;
        }
        let Some(routes) = routes else {
            return self.open_accepted(port, datagram);
        };
        let guess_accepted = routes.accepted_last();
        let opened = if guess_accepted {
            self.open_accepted(port, datagram)
                .or_else(|| self.open_dialled(datagram, routes))
        } else {
            self.open_dialled(datagram, routes)
                .or_else(|| self.open_accepted(port, datagram))
        };
        if let Some((origin, _)) = opened {
            routes.guess_accepted(matches!(origin, Origin::Accepted { .. }));
        }
        opened
    }

    fn open_accepted(&mut self, port: u32, datagram: &[u8]) -> Option<(Origin, usize)> {
        let len = self.own_keys.to_acceptor.open(datagram, &mut self.packet)?;
        let opens_connection = self.packet[0] & LONG_HEADER != 0;
        if opens_connection && !self.replays.insert(nonce_of(datagram)?) {
            return None;
        }
        Some((Origin::Accepted { port }, len))
    }

    fn open_dialled(&mut self, datagram: &[u8], routes: &RoutesFrom) -> Option<(Origin, usize)> {
        routes.iter().find_map(|route| {
            let len = route.keys.from_acceptor.open(datagram, &mut self.packet)?;
            Some((
                Origin::Dialled {
                    route: route.number,
                },
                len,
            ))
        })
    }
}

impl Row {
    fn takes(&self, address: SocketAddr, len: usize) -> bool {
        self.address
            .is_none_or(|first| first == address && !self.ended && len <= self.stride)
    }

    fn push(&mut self, address: SocketAddr, len: usize) {
        if self.address.is_none() {
            self.address = Some(address);
            self.stride = len;
        }
        self.ended |= len < self.stride;
        self.len += len;
    }
}
