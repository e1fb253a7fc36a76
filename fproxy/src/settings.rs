//! What the user may choose about the node in a browser: how hidden requests are.

use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::network::{HOPS, SettingFailure};
use crate::origin::Origin;
use crate::pages;
use crate::pages::settings::Notice;
use crate::problem::Problem;
use crate::redirect;
use crate::visitor::Visitor;

/// Bytes of a form: a word, a number and a tick.
pub(crate) const FORM_LEN_MAX: usize = 4096;

/// What the address of the page says.
#[derive(Deserialize)]
pub(crate) struct Arrival {
    saved: Option<String>,
}

/// `GET /settings`
pub(crate) async fn form(State(app): State<Arc<App>>, Query(arrival): Query<Arrival>) -> Response {
    let notice = arrival.saved.map(|_| Notice::Saved);
    shown(&app, StatusCode::OK, notice).await
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct Choice {
    token: String,
    hops: u8,
    /// There if the tick is set without which nothing is sent openly.
    confirm: Option<String>,
}

/// `POST /settings`
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    form: Result<Form<Choice>, FormRejection>,
) -> Response {
    let refused =
        |problem: Problem| problem.respond(&app, &Origin::Node, Visitor::of_request(&headers));
    let Ok(Form(choice)) = form else {
        return refused(Problem::bad_form());
    };
    if !app.form_token.is_right(&choice.token) {
        return refused(Problem::old_form());
    }
    if !HOPS.contains(&choice.hops) {
        return refused(Problem::bad_form());
    }
    if choice.hops == 0 && choice.confirm.is_none() {
        return shown(&app, StatusCode::BAD_REQUEST, Some(Notice::NotConfirmed)).await;
    }
    match app.network.set_hops(choice.hops).await {
        Ok(()) => redirect::to(StatusCode::SEE_OTHER, "/settings?saved"),
        Err(SettingFailure::Unknown) => refused(Problem::bad_form()),
        Err(failure @ SettingFailure::NotKept(_)) => {
            let notice = Notice::Failed(failure.to_string());
            shown(&app, StatusCode::INSUFFICIENT_STORAGE, Some(notice)).await
        }
    }
}

async fn shown(app: &App, status: StatusCode, notice: Option<Notice>) -> Response {
    let node = app.network.status().await;
    let page = pages::settings::page(app, &node.anonymity, notice.as_ref());
    pages::own_page(app, status, &page)
}
