//! The gateway's own pages. They work without script and load nothing but their style and logo.

pub(crate) mod download;
pub(crate) mod external;
mod figures;
pub(crate) mod home;
mod layout;
pub(crate) mod listing;
pub(crate) mod problem;
pub(crate) mod progress;
pub(crate) mod publish;
pub(crate) mod settings;
pub(crate) mod status;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::Markup;

use crate::app::App;
use crate::headers;

/// Where the style and the logo are.
pub(crate) const STATIC_PATH: &str = "/static/";

/// Answers with one of the gateway's own pages.
pub(crate) fn own_page(app: &App, status: StatusCode, page: &Markup) -> Response {
    let mut response = (status, page.clone()).into_response();
    headers::allow_own_page(response.headers_mut(), &app.origins.sites_expression());
    response
}
