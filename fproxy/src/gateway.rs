//! The server: connections, their limits, and the way to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::config::GatewayConfig;
use crate::network::Network;
use crate::{guard, node_pages, publish, settings, site};

/// Bytes of the head of a request. A key with a long path takes 8 KiB.
const HEAD_LEN_MAX: usize = 64 * 1024;

/// Headers of a request.
const HEADERS_MAX: usize = 100;

/// How long answers under way may take to end when the gateway stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long no connection is taken after the system refused one, for example for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running gateway. Stops when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    local_addr: SocketAddr,
    stop: watch::Sender<()>,
    server: JoinHandle<()>,
}

impl Gateway {
    /// Listens on `addr` and serves what `network` finds.
    ///
    /// # Errors
    /// The address cannot be listened on, for example because another program does.
    pub async fn bind(
        addr: SocketAddr,
        network: Arc<dyn Network>,
        config: GatewayConfig,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let local_addr = listener.local_addr()?;
        let app = Arc::new(App::new(local_addr.port(), network, config));
        let (stop, stopped) = watch::channel(());
        let server = tokio::spawn(serve(listener, app, stopped));
        Ok(Self {
            local_addr,
            stop,
            server,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Stops: takes no more connections, lets answers under way end for a moment, gives up fetches and uploads.
    pub async fn shutdown(self) {
        drop(self.stop);
        // It can only fail by a panic in the server, which has been reported by then.
        _ = self.server.await;
    }
}

fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/", get(node_pages::home))
        .route("/open", get(node_pages::open))
        .route("/status", get(node_pages::status))
        .route(
            "/settings",
            get(settings::form)
                .post(settings::submit)
                .layer(DefaultBodyLimit::max(settings::FORM_LEN_MAX)),
        )
        .route("/external-link", get(node_pages::external))
        .route("/static/{name}", get(node_pages::asset))
        .route("/.well-known/warren/health", get(node_pages::health))
        .route(
            "/publish",
            get(publish::form)
                .post(publish::submit)
                // The handler counts by itself, and writes to the disk as it goes.
                .layer(DefaultBodyLimit::disable()),
        )
        .route("/publish/{id}", get(publish::state))
        .fallback(any(site::key))
        .layer(from_fn_with_state(Arc::clone(app), guard::guard))
        .with_state(Arc::clone(app))
}

async fn serve(listener: TcpListener, app: Arc<App>, mut stopped: watch::Receiver<()>) {
    let router = router(&app);
    let places = Arc::new(Semaphore::new(app.config.connections_max));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&places)
                .acquire_owned()
                .await
                .expect("the semaphore is never closed");
            (listener.accept().await, place)
        };
        tokio::select! {
            (accepted, place) = next => match accepted {
                Ok((stream, _peer)) => {
                    let served = connection(stream, router.clone(), app.config.client_time_max, stopped.clone(), place);
                    connections.spawn(served);
                }
                Err(error) => {
                    tracing::warn!(%error, "the gateway cannot take a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = stopped.changed() => break,
        }
    }
    drop(listener);
    app.stop();
    let farewell = async { while connections.join_next().await.is_some() {} };
    if timeout(FAREWELL, farewell).await.is_err() {
        connections.shutdown().await;
    }
}

async fn connection(
    stream: TcpStream,
    router: Router,
    head_time_max: Duration,
    mut stopped: watch::Receiver<()>,
    _place: OwnedSemaphorePermit,
) {
    // Pages are small: waiting to fill packets only makes them late.
    _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head_time_max)
            .max_buf_size(HEAD_LEN_MAX)
            .max_headers(HEADERS_MAX)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection to the gateway ended early");
    }
}
