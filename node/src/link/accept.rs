//! Takes connections from peers that dial us.

use std::sync::Arc;

use quinn::{Incoming, ServerConfig};
use tokio::time::timeout;

use super::{
    endpoint::{Context, Peers},
    greeting::{Greeting, LinkName, greet},
    places::Places,
    routes::real,
    session::CloseCode,
    tls::peer_of,
};

/// The set-ups for connections from this machine and from others.
#[derive(Clone)]
pub(crate) struct AcceptConfigs {
    pub(crate) loopback: Arc<ServerConfig>,
    pub(crate) network: Arc<ServerConfig>,
}

/// Accepts until the endpoint closes.
pub(crate) async fn accept(context: Arc<Context>, peers: Arc<Peers>, configs: AcceptConfigs) {
    let places = Arc::new(Places::default());
    while let Some(incoming) = context.quinn.accept().await {
        let ip = real(incoming.remote_address()).ip();
        if places.want_proof(ip) && incoming.may_retry() {
            // An error says that the address is proved already, which `may_retry` excludes.
            let _ = incoming.retry();
            continue;
        }
        let Some(place) = places.take(ip, peers.is_known_at(ip)) else {
            incoming.ignore();
            continue;
        };
        let (context, peers, configs) = (Arc::clone(&context), Arc::clone(&peers), configs.clone());
        tokio::spawn(async move {
            let _place = place;
            admit(&context, &peers, &configs, incoming).await;
        });
    }
}

/// Every way out of here without a link is silent: the dialler will try again, or is none of ours.
async fn admit(context: &Context, peers: &Peers, configs: &AcceptConfigs, incoming: Incoming) {
    let loopback = real(incoming.remote_address()).ip().is_loopback();
    let config = if loopback {
        &configs.loopback
    } else {
        &configs.network
    };
    let Ok(connecting) = incoming.accept_with(Arc::clone(config)) else {
        return;
    };
    let Ok(Ok(connection)) = timeout(context.config.handshake_timeout, connecting).await else {
        return;
    };
    let Some(peer) = peer_of(&connection) else {
        connection.close(CloseCode::Misbehaved.into(), &[]);
        return;
    };
    let ours = Greeting {
        instance: context.instance,
        name: LinkName::NONE,
        replaces: LinkName::NONE,
        seamless: false,
    };
    let config = &context.config;
    match greet(
        connection,
        false,
        ours,
        config.message_bytes_max,
        config.handshake_timeout,
    )
    .await
    {
        Ok(greeted) => peers.offer(&peer, greeted),
        Err(reason) => tracing::debug!(%peer, %reason, "greeting failed"),
    }
}
