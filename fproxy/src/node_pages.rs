//! The gateway's own addresses, except publishing.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::app::App;
use crate::guard::AskedOrigin;
use crate::pages;
use crate::pages::home::Mistake;
use crate::problem::Problem;
use crate::redirect;
use crate::visitor::Visitor;

/// `GET /`
pub(crate) async fn home(State(app): State<Arc<App>>) -> Response {
    let status = app.network.status().await;
    pages::own_page(
        &app,
        StatusCode::OK,
        &pages::home::page(&app, &status, None),
    )
}

/// What the box for a key sends.
#[derive(Deserialize)]
pub(crate) struct Open {
    #[serde(default)]
    key: String,
}

/// `GET /open?key=…`: goes to the key, in whatever form it was pasted.
pub(crate) async fn open(State(app): State<Arc<App>>, Query(open): Query<Open>) -> Response {
    match crypto::Uri::parse(&open.key) {
        Ok(uri) => redirect::to(StatusCode::SEE_OTHER, &format!("/{uri}")),
        Err(error) => {
            let problem = Problem::bad_key(&error);
            let mistake = Mistake {
                given: open.key,
                message: problem.detail.clone(),
            };
            let status = app.network.status().await;
            let page = pages::home::page(&app, &status, Some(&mistake));
            pages::own_page(&app, problem.status, &page)
        }
    }
}

/// `GET /status`
pub(crate) async fn status(State(app): State<Arc<App>>) -> Response {
    let status = app.network.status().await;
    pages::own_page(&app, StatusCode::OK, &pages::status::page(&app, &status))
}

/// What a link out of the network carries.
#[derive(Deserialize)]
pub(crate) struct External {
    #[serde(default)]
    to: String,
}

/// `GET /external-link?to=…`
pub(crate) async fn external(
    State(app): State<Arc<App>>,
    Extension(origin): AskedOrigin,
    Query(external): Query<External>,
) -> Response {
    let page = pages::external::page(&app, &origin, &external.to);
    pages::own_page(&app, StatusCode::OK, &page)
}

/// `GET /.well-known/warren/health`: 200 when documents can be fetched, 503 while there is no peer.
pub(crate) async fn health(State(app): State<Arc<App>>) -> Response {
    let status = app.network.status().await;
    let connected = status.peers_connected();
    let (code, word) = if connected > 0 {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no peers")
    };
    let body = serde_json::json!({ "status": word, "version": status.version, "peers_connected": connected });
    let media_type = HeaderValue::from_static("application/json");
    (code, [(CONTENT_TYPE, media_type)], format!("{body}\n")).into_response()
}

/// `GET /static/…`: the style and the logo. They change with the program only.
pub(crate) async fn asset(
    State(app): State<Arc<App>>,
    Extension(origin): AskedOrigin,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let (media_type, content) = match name.as_str() {
        "warren.css" => (
            "text/css; charset=utf-8",
            include_str!("../assets/warren.css"),
        ),
        "warren.svg" => ("image/svg+xml", include_str!("../assets/warren.svg")),
        _ => return Problem::no_such_page().respond(&app, &origin, Visitor::of_request(&headers)),
    };
    let values = [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    (
        values.map(|(name, value)| (name, HeaderValue::from_static(value))),
        content,
    )
        .into_response()
}
