//! Takes connections from peers that dial us.

use std::sync::Arc;

use quinn::{Incoming, ServerConfig};
use tokio::time::timeout;

use super::{
    acquaintance::is_record_of,
    endpoint::Context,
    greeting::{Greeting, greet},
    keepers::{Keepers, Reception},
    places::Places,
    routes::real,
    session::CloseCode,
    tls::peer_of,
    transport::widen,
};

/// The set-ups for connections from this machine and from others.
#[derive(Clone)]
pub(crate) struct AcceptConfigs {
    pub(crate) loopback: Arc<ServerConfig>,
    pub(crate) network: Arc<ServerConfig>,
}

/// Accepts until the endpoint closes.
pub(crate) async fn accept(context: Arc<Context>, keepers: Arc<Keepers>, configs: AcceptConfigs) {
    let places = Arc::new(Places::for_handshakes());
    while let Some(incoming) = context.quinn.accept().await {
        let ip = real(incoming.remote_address()).ip();
        if places.want_proof(ip) && incoming.may_retry() {
            // An error says that the address is proved already, which `may_retry` excludes.
            let _ = incoming.retry();
            continue;
        }
        let Some(place) = places.take(ip, keepers.is_known_at(ip)) else {
            incoming.ignore();
            continue;
        };
        let (context, keepers) = (Arc::clone(&context), Arc::clone(&keepers));
        let configs = configs.clone();
        tokio::spawn(async move {
            let _place = place;
            admit(&context, &keepers, &configs, incoming).await;
        });
    }
}

/// Every way out of here without a link is silent: the dialler will try again, or is none of ours.
async fn admit(
    context: &Arc<Context>,
    keepers: &Keepers,
    configs: &AcceptConfigs,
    incoming: Incoming,
) {
    let ip = real(incoming.remote_address()).ip();
    let config = if ip.is_loopback() {
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
    let reception = keepers.receive(context, peer, ip);
    let (stranger, crossing) = match &reception {
        Reception::Known => (false, false),
        Reception::Stranger(arrival) => (true, arrival.crossing),
        Reception::Refused => {
            connection.close(CloseCode::Done.into(), &[]);
            return;
        }
    };
    if !stranger {
        widen(&connection);
    }
    let ours = Greeting {
        crossing,
        ..Greeting::of(context.instance)
    };
    let record = context.record_for(stranger);
    match greet(connection, false, (ours, record), &context.config).await {
        // Somebody takes us for a friend whom we do not know, or does not know its friend, or says nothing of itself.
        Ok(greeted)
            if greeted.terms.stranger != stranger
                || (stranger && !is_record_of(&peer, &greeted.record)) =>
        {
            greeted.connection.close(CloseCode::Misbehaved.into(), &[]);
        }
        Ok(greeted) => keepers.offer(&peer, greeted),
        Err(reason) => tracing::debug!(%peer, %reason, "greeting failed"),
    }
    // Until here the keeper waits for it.
    drop(reception);
}
