//! The settings of QUIC.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use quinn::{
    Connection, ConnectionId, ConnectionIdGenerator, EndpointConfig, IdleTimeout,
    MtuDiscoveryConfig, ServerConfig, TransportConfig, VarInt,
};
use quinn_proto::InvalidCid;
use rand::Rng;

use super::{
    config::LinkConfig, congestion::YieldingConfig, padding::padded_len, port::UDP_PAYLOAD_MAX,
    seal::OVERHEAD,
};

/// Message streams that a peer may have open at once. Eight megabytes of 32 KiB blocks are 256.
const STREAMS_MAX: u32 = 256;

/// Bytes of one link that the receiver holds while they are not read: at 100 ms round trip 80 MB/s.
const RECEIVE_WINDOW: u32 = 8 << 20;

/// Bytes of one link that are sent or queued inside QUIC but not acknowledged. Smaller than the receive window, so that
/// what queues up does so in our outbox, where it still can be put in order by priority.
const SEND_WINDOW: u64 = 4 << 20;

/// Room for a length beside the longest message in one stream.
const STREAM_ROOM: usize = 1 << 10;

/// Largest packet tried on paths through real networks: Ethernet jumbo frames of 9000 bytes less IPv6, UDP and seal.
const NETWORK_PACKET_MAX: usize = 9_000 - 40 - 8 - OVERHEAD;

/// Largest packet tried within one machine, where datagrams of 64 KiB pass. Four of these fill one system call, which measured
/// fastest (see `docs/TRANSPORT.md`).
const LOOPBACK_PACKET_MAX: usize = UDP_PAYLOAD_MAX / 4 - OVERHEAD;

/// First guess of the round-trip time. A third of RFC 9002's: on a lossy path the first packet is repeated
/// after 0.3 s instead of 1 s, and too early a repetition costs one packet.
const INITIAL_RTT: Duration = Duration::from_millis(100);

/// Handshakes that wait for our attention at most.
const INCOMING_MAX: usize = 64;

/// Bytes that unfinished handshakes may hold, each and in sum.
const INCOMING_BYTES_MAX: u64 = 16 << 10;
const INCOMING_BYTES_SUM_MAX: u64 = 1 << 20;

/// Message streams that a stranger may have open before it is trusted with requests, and bytes of it that are held
/// unread: a few messages, so that two hundred strangers hold 50 MiB at most.
const GUEST_STREAMS_MAX: u32 = 4;
const GUEST_RECEIVE_WINDOW: u32 = 256 << 10;

/// How we treat a connection, depending on where the other end is and whether we know who it is.
#[derive(Clone, Debug)]
pub(crate) struct Transports {
    network: Arc<TransportConfig>,
    loopback: Arc<TransportConfig>,
    guests_network: Arc<TransportConfig>,
    guests_loopback: Arc<TransportConfig>,
}

impl Transports {
    pub(crate) fn new(config: &LinkConfig) -> Self {
        let guest = |packet_max| {
            let mut transport = transport(config, packet_max);
            transport
                .max_concurrent_uni_streams(GUEST_STREAMS_MAX.into())
                .receive_window(GUEST_RECEIVE_WINDOW.into());
            Arc::new(transport)
        };
        Self {
            network: Arc::new(transport(config, NETWORK_PACKET_MAX)),
            loopback: Arc::new(transport(config, LOOPBACK_PACKET_MAX)),
            guests_network: guest(NETWORK_PACKET_MAX),
            guests_loopback: guest(LOOPBACK_PACKET_MAX),
        }
    }

    /// For a connection to or from `address`, of somebody who may be a `stranger`.
    pub(crate) fn to(&self, address: SocketAddr, stranger: bool) -> Arc<TransportConfig> {
        let loopback = address.ip().to_canonical().is_loopback();
        Arc::clone(match (loopback, stranger) {
            (true, false) => &self.loopback,
            (false, false) => &self.network,
            (true, true) => &self.guests_loopback,
            (false, true) => &self.guests_network,
        })
    }
}

/// Lets who turned out to be no stranger, or is one no more, send as much as any peer.
pub(crate) fn widen(connection: &Connection) {
    connection.set_max_concurrent_uni_streams(STREAMS_MAX.into());
    connection.set_receive_window(RECEIVE_WINDOW.into());
}

/// Our settings with packets of up to `packet_max` bytes.
pub(crate) fn transport(config: &LinkConfig, packet_max: usize) -> TransportConfig {
    let mut discovery = MtuDiscoveryConfig::default();
    discovery.upper_bound(u16::try_from(packet_max).expect("UDP_PAYLOAD_MAX fits 16 bits"));
    let stream_window = padded_len(config.message_bytes_max) + STREAM_ROOM;
    let idle =
        IdleTimeout::try_from(config.idle_timeout).expect("an idle time-out is seconds, not aeons");
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_uni_streams(STREAMS_MAX.into())
        .max_concurrent_bidi_streams(0u32.into())
        .datagram_receive_buffer_size(None)
        .stream_receive_window(
            VarInt::try_from(stream_window as u64).expect("a message is far below 2^62 bytes"),
        )
        .receive_window(RECEIVE_WINDOW.into())
        .send_window(SEND_WINDOW)
        // Blocks of one class are finished one after the other: the first is of use while the last is on its way.
        .send_fairness(false)
        .keep_alive_interval(Some(config.keep_alive))
        .max_idle_timeout(Some(idle))
        .congestion_controller_factory(Arc::new(YieldingConfig::default()))
        .initial_rtt(INITIAL_RTT)
        .mtu_discovery_config(Some(discovery));
    transport
}

pub(crate) fn endpoint_config() -> EndpointConfig {
    let mut config = EndpointConfig::default();
    config
        .max_udp_payload_size(u16::try_from(UDP_PAYLOAD_MAX).expect("UDP_PAYLOAD_MAX fits 16 bits"))
        .expect("UDP_PAYLOAD_MAX is within QUIC's limits")
        .cid_generator(|| Box::new(SilentIds));
    config
}

pub(crate) fn server_config(crypto: Arc<dyn quinn::crypto::ServerConfig>) -> ServerConfig {
    let mut config = ServerConfig::with_crypto(crypto);
    config
        .max_incoming(INCOMING_MAX)
        .incoming_buffer_size(INCOMING_BYTES_MAX)
        .incoming_buffer_size_total(INCOMING_BYTES_SUM_MAX);
    config
}

/// Random connection ids, none of which is worth a stateless reset: a recorded datagram of a connection that has ended gets
/// no answer.
struct SilentIds;

/// Length of a connection id. Eight random bytes do not collide among the connections of one node.
const CONNECTION_ID_LEN: usize = 8;

impl ConnectionIdGenerator for SilentIds {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; CONNECTION_ID_LEN];
        rand::rng().fill_bytes(&mut id);
        ConnectionId::new(&id)
    }

    fn validate(&self, _cid: &ConnectionId) -> Result<(), InvalidCid> {
        Err(InvalidCid)
    }

    fn cid_len(&self) -> usize {
        CONNECTION_ID_LEN
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}
