//! What every request passes before anything is looked up for it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::filter::{EXTERNAL_LINK, names_key};
use crate::headers;
use crate::origin::Origin;
use crate::pages::STATIC_PATH;
use crate::problem::Problem;
use crate::redirect;
use crate::visitor::{self, Visitor};

/// The pages that take forms.
const FORMS: [&str; 2] = ["/publish", "/settings"];

/// The origin of the request, for handlers.
pub(crate) type AskedOrigin = Extension<Origin>;

/// Refuses what must not be answered, and completes the headers of every answer.
pub(crate) async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut response = match admit(&app, &request) {
        Ok(origin) => {
            request.extensions_mut().insert(origin);
            next.run(request).await
        }
        Err(refusal) => *refusal,
    };
    headers::complete(response.headers_mut());
    response
}

fn admit(app: &App, request: &Request) -> Result<Origin, Box<Response>> {
    let headers = request.headers();
    let Some(origin) = app.origins.of_request(request.uri(), headers) else {
        return Err(plain(
            StatusCode::MISDIRECTED_REQUEST,
            "This gateway does not answer under this name.\n",
        ));
    };
    if !visitor::is_admitted(request.method(), headers) {
        return Err(plain(
            StatusCode::FORBIDDEN,
            "Other sites may link here, but not look in.\n",
        ));
    }
    let path = request.uri().path();
    match *request.method() {
        Method::GET | Method::HEAD => {}
        Method::POST if origin == Origin::Node && FORMS.contains(&path) => {
            if !visitor::is_own_form(headers, |origin| app.origins.is_node_address(origin)) {
                return Err(plain(
                    StatusCode::FORBIDDEN,
                    "This form was not sent by a page of this node.\n",
                ));
            }
        }
        _ => {
            let visitor = Visitor::of_request(headers);
            let mut refusal = Problem::method_not_allowed().respond(app, &origin, visitor);
            let allowed = if FORMS.contains(&path) {
                "GET, HEAD, POST"
            } else {
                "GET, HEAD"
            };
            refusal
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(allowed));
            return Err(Box::new(refusal));
        }
    }
    if let Origin::Site(_) = origin {
        admit_to_site(app, request, &origin)?;
    }
    Ok(origin)
}

/// A site's origin has keys, the warning page and the looks of pages; nothing that belongs to the node.
fn admit_to_site(app: &App, request: &Request, origin: &Origin) -> Result<(), Box<Response>> {
    let path = request.uri().path();
    if path == "/" {
        let home = format!("{}/", app.origins.node_address());
        return Err(Box::new(redirect::to(
            StatusCode::TEMPORARY_REDIRECT,
            &home,
        )));
    }
    if names_key(path) || path == EXTERNAL_LINK || path.starts_with(STATIC_PATH) {
        return Ok(());
    }
    let visitor = Visitor::of_request(request.headers());
    Err(Box::new(
        Problem::no_such_page().respond(app, origin, visitor),
    ))
}

/// A refusal that is the same whatever was asked for.
fn plain(status: StatusCode, text: &'static str) -> Box<Response> {
    let media_type = HeaderValue::from_static("text/plain; charset=utf-8");
    Box::new((status, [(CONTENT_TYPE, media_type)], text).into_response())
}
