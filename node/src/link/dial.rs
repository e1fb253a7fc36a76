//! One attempt to reach a peer at any of its addresses, and the pauses between attempts.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crypto::NodeId;
use quinn::{ClientConfig, Connection};
use rand::RngExt;
use thiserror::Error;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    config::LinkConfig,
    endpoint::Context,
    greeting::{GreetError, Greeted, Greeting, LinkName, greet},
    routes::real,
    tls::SERVER_NAME,
};

/// Head start of each address over the next one (RFC 8305 recommends 250 ms).
const ADDRESS_STAGGER: Duration = Duration::from_millis(250);

/// Why a dial did not lead to a connection.
#[derive(Debug, Error)]
pub(crate) enum DialError {
    #[error("no address that this port reaches")]
    NoAddress,
    #[error("set-up of TLS failed: {0}")]
    Tls(#[from] rustls::Error),
    #[error("set-up of QUIC failed")]
    Connect(#[from] quinn::ConnectError),
    #[error("connection failed: {0}")]
    Connection(#[from] quinn::ConnectionError),
    #[error("greeting failed: {0}")]
    Greet(#[from] GreetError),
    #[error("no answer in time")]
    TimedOut,
}

/// What a dial says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intent {
    /// The connection that it takes the place of, which is still there if it is `seamless`.
    pub(crate) replaces: LinkName,
    pub(crate) seamless: bool,
    /// The peer need not know us.
    pub(crate) stranger: bool,
}

impl Intent {
    /// For the first connection of a link.
    pub(crate) const fn fresh(stranger: bool) -> Self {
        Self {
            replaces: LinkName::NONE,
            seamless: false,
            stranger,
        }
    }
}

/// Dials all `addresses`, each a little later than the one before. The first that answers as `peer` is greeted.
pub(crate) async fn dial(
    context: Arc<Context>,
    peer: NodeId,
    addresses: Vec<SocketAddr>,
    intent: Intent,
) -> Result<Greeted, DialError> {
    let connection = first_answer(&context, peer, addresses, intent.stranger).await?;
    let ours = Greeting {
        name: LinkName::random(),
        replaces: intent.replaces,
        seamless: intent.seamless,
        stranger: intent.stranger,
        ..Greeting::of(context.instance)
    };
    let record = context.record_for(intent.stranger);
    Ok(greet(connection, true, (ours, record), &context.config).await?)
}

async fn first_answer(
    context: &Arc<Context>,
    peer: NodeId,
    addresses: Vec<SocketAddr>,
    stranger: bool,
) -> Result<Connection, DialError> {
    let mut attempts = JoinSet::new();
    let reachable = addresses
        .into_iter()
        .filter(|address| context.reaches(*address));
    for (address, head_start) in reachable.zip(0..) {
        let context = Arc::clone(context);
        attempts.spawn(async move {
            sleep(ADDRESS_STAGGER * head_start).await;
            let attempt = connect(&context, peer, address, stranger);
            timeout(context.config.handshake_timeout, attempt)
                .await
                .unwrap_or(Err(DialError::TimedOut))
        });
    }
    let mut failure = DialError::NoAddress;
    while let Some(result) = attempts.join_next().await {
        match result {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(e)) => failure = e,
            // Cancelled with the runtime, or a panic that was reported where it happened.
            Err(_) => {}
        }
    }
    Err(failure)
}

async fn connect(
    context: &Context,
    peer: NodeId,
    address: SocketAddr,
    stranger: bool,
) -> Result<Connection, DialError> {
    let mut config = ClientConfig::new(Arc::new(context.tls.dialler(peer)?));
    config.transport_config(context.transports.to(real(address), stranger));
    let marked = context.routes.dial(peer, address);
    Ok(context
        .quinn
        .connect_with(config, marked, SERVER_NAME)?
        .await?)
}

/// Growing pauses between failed dials, each drawn from the upper half of its range so that two nodes fall out of step.
#[derive(Debug)]
pub(crate) struct Pauses {
    next: Duration,
    max: Duration,
}

impl Pauses {
    pub(crate) fn new(config: &LinkConfig) -> Self {
        Self {
            next: config.dial_pause_min,
            max: config.dial_pause_max,
        }
    }

    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.max);
        pause.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit_and_never_beyond() {
        let config = LinkConfig::default();
        let mut pauses = Pauses::new(&config);
        let drawn: Vec<Duration> = (0..20).map(|_| pauses.next()).collect();
        assert!(drawn[0] <= config.dial_pause_min);
        assert!(drawn.iter().all(|pause| *pause <= config.dial_pause_max));
        assert!(drawn[19] >= config.dial_pause_max / 2);
    }
}
