//! How fast a link is, next to bare QUIC on the same machine.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use crypto::Identity;
use quinn::{ClientConfig, TokioRuntime};
use tokio::sync::mpsc;

use super::{
    Endpoint, Link, LinkConfig, LinkEvent, Priority, SendError,
    allowed::AllowedPeers,
    port::UDP_PAYLOAD_MAX,
    tls::{LinkTls, SERVER_NAME},
    transport::{endpoint_config, server_config, transport},
};

/// Length of the messages that are sent: a block with its header.
pub const MESSAGE_BYTES: usize = 32_768 + 64;

/// What went through, and how long it took.
#[derive(Clone, Copy, Debug)]
pub struct Throughput {
    /// Bytes of messages delivered.
    pub bytes: u64,
    /// From the first message sent to the last one delivered.
    pub elapsed: Duration,
}

impl Throughput {
    /// Megabytes (10^6 bytes) a second.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a figure for people, with three digits"
    )]
    pub fn megabytes_per_second(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.elapsed.as_secs_f64()
    }
}

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A port or the set-up of TLS failed.
    #[error(transparent)]
    Bind(#[from] super::BindError),
    /// TLS failed.
    #[error("TLS set-up: {0}")]
    Tls(#[from] rustls::Error),
    /// The loopback interface is not usable.
    #[error("UDP on 127.0.0.1: {0}")]
    Io(#[from] std::io::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// Sends at least `bytes` bytes as messages of [`MESSAGE_BYTES`] over a link between two endpoints of this process.
///
/// # Errors
/// [`BenchError`], when loopback UDP is not usable.
pub async fn measure_throughput(bytes: u64) -> Result<Throughput, BenchError> {
    let (ours, theirs) = (Identity::from_seed(&[1; 32]), Identity::from_seed(&[2; 32]));
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let (sender, mut sender_events) = Endpoint::bind(&ours, loopback, LinkConfig::default())?;
    let (receiver, mut receiver_events) = Endpoint::bind(&theirs, loopback, LinkConfig::default())?;
    receiver.connect_to(ours.id(), Vec::new());
    sender.connect_to(theirs.id(), vec![receiver.local_addr()]);
    let link = match sender_events.recv().await {
        Some(LinkEvent::Up { link, .. }) => link,
        other => return Err(BenchError::Broken(format!("{other:?} instead of a link"))),
    };
    let messages = bytes.div_ceil(MESSAGE_BYTES as u64);
    let start = Instant::now();
    let sending = tokio::spawn(async move { send_messages(&link, messages).await });
    let received = receive_messages(&mut receiver_events, messages).await;
    let elapsed = start.elapsed();
    sending.abort();
    sender.close().await;
    receiver.close().await;
    Ok(Throughput {
        bytes: received?,
        elapsed,
    })
}

async fn send_messages(link: &Link, messages: u64) {
    let message = Bytes::from(vec![0x5a; MESSAGE_BYTES]);
    for _ in 0..messages {
        while link.send(message.clone(), Priority::Bulk) == Err(SendError::Full) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn receive_messages(
    events: &mut mpsc::Receiver<LinkEvent>,
    messages: u64,
) -> Result<u64, BenchError> {
    let (mut count, mut bytes) = (0, 0);
    while count < messages {
        match events.recv().await {
            Some(LinkEvent::Message { bytes: message, .. }) => {
                count += 1;
                bytes += message.len() as u64;
            }
            Some(LinkEvent::Up { .. }) => {}
            Some(LinkEvent::Down { .. } | LinkEvent::DialFailed { .. }) | None => {
                return Err(BenchError::Broken("the link went down".into()));
            }
        }
    }
    Ok(bytes)
}

/// The same over QUIC with the same windows but without the seal, messages or events, and with the packet size that
/// suits bare quinn best: what the machine can do.
///
/// # Errors
/// [`BenchError`], when loopback UDP is not usable.
pub async fn measure_plain_quic(bytes: u64) -> Result<Throughput, BenchError> {
    let (ours, theirs) = (Identity::from_seed(&[1; 32]), Identity::from_seed(&[2; 32]));
    let config = LinkConfig::default();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    // quinn sends ten packets in one system call, which takes no more than one full datagram.
    let transport = Arc::new(transport(&config, UDP_PAYLOAD_MAX / 10));
    let allowed = Arc::new(AllowedPeers::default());
    allowed.insert(ours.id());
    let mut accept = server_config(Arc::new(LinkTls::new(&theirs)?.acceptor(allowed)?));
    accept.transport_config(Arc::clone(&transport));
    let mut dial = ClientConfig::new(Arc::new(LinkTls::new(&ours)?.dialler(theirs.id())?));
    dial.transport_config(transport);

    let acceptor = quinn_endpoint(Some(accept), loopback, &config)?;
    let dialler = quinn_endpoint(None, loopback, &config)?;
    let address = acceptor.local_addr()?;
    let broken = |e: &dyn std::fmt::Display| BenchError::Broken(e.to_string());
    let connecting = dialler
        .connect_with(dial, address, SERVER_NAME)
        .map_err(|e| broken(&e))?;
    let incoming = acceptor
        .accept()
        .await
        .ok_or_else(|| broken(&"no connection came"))?;
    let (sending, receiving) =
        tokio::try_join!(connecting, async { incoming.await }).map_err(|e| broken(&e))?;

    let messages = bytes.div_ceil(MESSAGE_BYTES as u64);
    let start = Instant::now();
    let sender = tokio::spawn(send_plainly(sending, messages));
    let mut received = 0;
    for _ in 0..messages {
        let mut stream = receiving.accept_uni().await.map_err(|e| broken(&e))?;
        received += stream
            .read_to_end(MESSAGE_BYTES)
            .await
            .map_err(|e| broken(&e))?
            .len() as u64;
    }
    let elapsed = start.elapsed();
    sender.abort();
    Ok(Throughput {
        bytes: received,
        elapsed,
    })
}

async fn send_plainly(
    connection: quinn::Connection,
    messages: u64,
) -> Result<(), quinn::WriteError> {
    let message = Bytes::from(vec![0x5a; MESSAGE_BYTES]);
    for _ in 0..messages {
        let mut stream = connection.open_uni().await?;
        stream.write_chunk(message.clone()).await?;
        // Fails only on a stream that was reset, which nobody does here.
        let _ = stream.finish();
    }
    // The connection must live until the receiver has everything.
    connection.closed().await;
    Ok(())
}

fn quinn_endpoint(
    server: Option<quinn::ServerConfig>,
    address: SocketAddr,
    config: &LinkConfig,
) -> std::io::Result<quinn::Endpoint> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::DGRAM,
        None,
    )?;
    socket.set_recv_buffer_size(config.socket_buffer_bytes)?;
    socket.set_send_buffer_size(config.socket_buffer_bytes)?;
    socket.bind(&address.into())?;
    quinn::Endpoint::new(
        endpoint_config(),
        server,
        socket.into(),
        Arc::new(TokioRuntime),
    )
}
