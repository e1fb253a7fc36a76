//! Keys: everything that comes out of the network.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use crypto::Uri;
use tokio::time::timeout;

use crate::app::App;
use crate::deliver::Asking;
use crate::etag::ETag;
use crate::fetches::{Fetch, Outcome, Ready};
use crate::filter::names_key;
use crate::guard::AskedOrigin;
use crate::key_request::KeyRequest;
use crate::network::{ElsewhereReason, FetchFailure, Reach};
use crate::origin::Origin;
use crate::pages;
use crate::problem::Problem;
use crate::redirect;
use crate::visitor::{Purpose, Visitor};

/// Answers every path that is not one of the gateway's own pages.
pub(crate) async fn key(
    State(app): State<Arc<App>>,
    Extension(origin): AskedOrigin,
    request: Request,
) -> Response {
    let visitor = Visitor::of_request(request.headers());
    let respond = |problem: &Problem| problem.respond(&app, &origin, visitor);
    if !names_key(&normalised(request.uri().path())) {
        return respond(&Problem::no_such_page());
    }
    let asked = match KeyRequest::parse(request.uri()) {
        Ok(asked) => asked,
        Err(error) => return respond(&Problem::bad_key(&error)),
    };
    if let Some(redirect) = to_own_origin(&app, &origin, visitor, &asked) {
        return redirect;
    }
    let asking = Asking {
        app: &app,
        origin: &origin,
        visitor,
        method: request.method(),
        headers: request.headers(),
        request: &asked,
    };
    let tag = ETag::of_immutable(&asked.uri, asked.preparation());
    if let Some(tag) = tag.filter(|tag| tag.is_listed(request.headers())) {
        return asking.not_modified(&asked.uri, &tag);
    }
    match fetched(&asking).await {
        Ok(response) => response,
        Err(failure) => respond(&Problem::from(&failure)),
    }
}

/// Several slashes in front of a key are one.
fn normalised(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

/// A browser that shows a document does so under the site's own name.
fn to_own_origin(
    app: &App,
    origin: &Origin,
    visitor: Visitor,
    asked: &KeyRequest,
) -> Option<Response> {
    let label = app.origins.label(&asked.uri);
    if visitor != Visitor::Person || *origin == Origin::Site(label.clone()) {
        return None;
    }
    let address = format!(
        "{}{}",
        app.origins.site_address(&label),
        asked.path_of(&asked.uri)
    );
    Some(redirect::to(StatusCode::TEMPORARY_REDIRECT, &address))
}

async fn fetched(asking: &Asking<'_>) -> Result<Response, FetchFailure> {
    let uri = &asking.request.uri;
    let reach = reach(asking.headers, asking.visitor);
    let purpose = Purpose::of_request(asking.headers);
    let mut fetch = asking
        .app
        .fetches
        .begin(uri, asking.request.preparation(), reach, purpose)?;
    let Some(outcome) = wait(asking, &mut fetch).await else {
        let page = pages::progress::page(
            asking.app,
            asking.origin,
            uri,
            fetch.progress(),
            fetch.elapsed(),
        );
        return Ok(pages::own_page(asking.app, StatusCode::ACCEPTED, &page));
    };
    let ready = outcome?;
    match &*ready {
        Ready::Document(prepared) => asking.deliver(&ready, prepared).await,
        Ready::Elsewhere(there, reason) => Ok(elsewhere(asking, there, *reason)),
        Ready::Listing(entries) => {
            let page = pages::listing::page(asking.app, asking.origin, uri, entries);
            Ok(pages::own_page(asking.app, StatusCode::OK, &page))
        }
    }
}

/// People are told how it goes after a while; programs wait until it is done.
async fn wait(asking: &Asking<'_>, fetch: &mut Fetch) -> Option<Outcome> {
    if asking.visitor.reads_pages() {
        timeout(asking.app.config.patience, fetch.outcome())
            .await
            .ok()
    } else {
        Some(fetch.outcome().await)
    }
}

/// A program may ask what the node has without asking the network. A page may not: it would learn what was read.
fn reach(headers: &HeaderMap, visitor: Visitor) -> Reach {
    let cached = headers
        .get(CACHE_CONTROL)
        .and_then(|value| value.to_str().ok());
    let only = cached.is_some_and(|value| {
        value
            .split(',')
            .any(|rule| rule.trim().eq_ignore_ascii_case("only-if-cached"))
    });
    if only && visitor == Visitor::Tool {
        Reach::StoreOnly
    } else {
        Reach::Network
    }
}

fn elsewhere(asking: &Asking<'_>, there: &Uri, reason: ElsewhereReason) -> Response {
    // Programs made for Freenet follow 301 only; a browser must not remember it for a site that changes.
    let status = match (asking.visitor, reason) {
        (Visitor::Tool, _) | (_, ElsewhereReason::Folder) => StatusCode::MOVED_PERMANENTLY,
        (_, ElsewhereReason::NewerEdition | ElsewhereReason::Redirect) => {
            StatusCode::TEMPORARY_REDIRECT
        }
    };
    redirect::to(status, &asking.request.path_of(there))
}
