//! Taking in what a user wants to publish.

mod receive;

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::app::App;
use crate::guard::AskedOrigin;
use crate::network::InsertFailure;
use crate::pages;
use crate::problem::Problem;
use crate::redirect;
use crate::visitor::Visitor;
use receive::Refusal;

/// `GET /publish`
pub(crate) async fn form(State(app): State<Arc<App>>) -> Response {
    pages::own_page(&app, StatusCode::OK, &pages::publish::page(&app))
}

/// `GET /publish/…`: how an upload is getting on.
pub(crate) async fn state(
    State(app): State<Arc<App>>,
    Extension(origin): AskedOrigin,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(state) = app.uploads.state(&id) else {
        let visitor = Visitor::of_request(&headers);
        return Problem::no_such_page().respond(&app, &origin, visitor);
    };
    let (status, page) = pages::publish::upload(&app, &state);
    pages::own_page(&app, status, &page)
}

/// `POST /publish`
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Extension(origin): AskedOrigin,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    let begun = match receive::upload(&app, form).await {
        Ok((title, upload)) => app.uploads.begin(title, upload).map_err(Refusal::from),
        Err(refusal) => Err(refusal),
    };
    match begun {
        Ok(id) => redirect::to(StatusCode::SEE_OTHER, &format!("/publish/{id}")),
        Err(refusal) => {
            let visitor = Visitor::of_request(&headers);
            problem(&refusal).respond(&app, &origin, visitor)
        }
    }
}

impl From<InsertFailure> for Refusal {
    fn from(failure: InsertFailure) -> Self {
        match failure {
            InsertFailure::Overloaded => Self::TooMany,
            other => Self::Disk(other.to_string()),
        }
    }
}

fn problem(refusal: &Refusal) -> Problem {
    let detail = refusal.to_string();
    let (status, reason, title, advice) = match refusal {
        Refusal::Token => return Problem::old_form(),
        Refusal::Form(_) => (
            StatusCode::BAD_REQUEST,
            "bad-form",
            "The form could not be read",
            "Go back, choose the file again and send it once more.",
        ),
        Refusal::Key(_) => (
            StatusCode::BAD_REQUEST,
            "bad-key",
            "This key cannot be published under",
            "Use an insert key (SSK@ or USK@ with the secret part), a KSK@ phrase, or no key at all.",
        ),
        Refusal::TooLarge { .. } => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "This is too large",
            "Publish it with the command line: fcp put.",
        ),
        Refusal::TooMany => (
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-uploads",
            "Too many uploads at once",
            "Wait until one of them is done.",
        ),
        Refusal::Slow => (
            StatusCode::REQUEST_TIMEOUT,
            "slow",
            "The upload stopped",
            "Send it again.",
        ),
        Refusal::Disk(_) => (
            StatusCode::INSUFFICIENT_STORAGE,
            "io",
            "The upload could not be kept",
            "Check that the disk with the node's data has room.",
        ),
    };
    Problem::new(status, reason, title, detail, advice)
}
