//! Every failure in plain words: what happened, what to do next, and the status code that says the same to programs.

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::app::App;
use crate::network::{FetchFailure, InsertFailure};
use crate::origin::Origin;
use crate::pages;
use crate::visitor::Visitor;

/// A failure, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// A word for programs.
    pub(crate) reason: &'static str,
    pub(crate) title: &'static str,
    pub(crate) detail: String,
    /// What to do next.
    pub(crate) advice: &'static str,
    /// Seconds after which another try makes sense; nothing if it never does.
    pub(crate) retry_after_s: Option<u32>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        reason: &'static str,
        title: &'static str,
        detail: impl Into<String>,
        advice: &'static str,
    ) -> Self {
        Self {
            status,
            reason,
            title,
            detail: detail.into(),
            advice,
            retry_after_s: None,
        }
    }

    /// An address that is not a key.
    pub(crate) fn bad_key(error: &crypto::UriError) -> Self {
        let title = match error {
            crypto::UriError::InsertKeyGiven => "This is a secret key",
            _ => "This is not a key that can be opened",
        };
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-key",
            title,
            sentence(&error.to_string()),
            "Check that the key was copied completely: it starts with CHK@, SSK@, USK@ or KSK@.",
        )
    }

    /// A path that is neither a page of the gateway nor a key.
    pub(crate) fn no_such_page() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-page",
            "There is no such page",
            "This address is neither a page of your node nor a key.",
            "Go to the start page and paste the key there.",
        )
    }

    /// A page or style sheet where a page wants a picture or the like.
    pub(crate) fn unfit() -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "unfit",
            "This is something else",
            "A page asked for this as one of its parts, but it is not of such a kind.",
            "Open the address itself.",
        )
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "This cannot be done here",
            "This address can only be read.",
            "Use GET or HEAD; the forms for publishing and for settings take POST.",
        )
    }

    /// A form without the word that this gateway put into it.
    pub(crate) fn old_form() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "form-token",
            "This form is not valid any more",
            "The form does not carry the word that this node put into it.",
            "Open the page again and send it from there.",
        )
    }

    /// A form that says nothing sensible.
    pub(crate) fn bad_form() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-form",
            "The form could not be read",
            "It does not say one of the choices on the page.",
            "Open the page again and choose there.",
        )
    }

    /// Whether a person may want to try again; a program had better not ask at once for what nobody had.
    pub(crate) fn is_worth_another_try(&self) -> bool {
        self.retry_after_s.is_some() || self.reason == "not-found"
    }

    fn after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Answers in the way the visitor understands.
    pub(crate) fn respond(&self, app: &App, origin: &Origin, visitor: Visitor) -> Response {
        let mut response = if visitor.reads_pages() {
            pages::own_page(app, self.status, &pages::problem::page(app, origin, self))
        } else {
            self.for_programs()
        };
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        response
    }

    /// As RFC 9457 has it.
    fn for_programs(&self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "reason": self.reason,
            "retryable": self.retry_after_s.is_some(),
            "hint": self.advice,
        });
        let media_type = HeaderValue::from_static("application/problem+json");
        (
            self.status,
            [(CONTENT_TYPE, media_type)],
            Body::from(format!("{body}\n")),
        )
            .into_response()
    }
}

impl From<&FetchFailure> for Problem {
    fn from(failure: &FetchFailure) -> Self {
        let detail = format!("This could not be fetched: {failure}.");
        let with = |status, reason, title, advice| {
            Self::new(status, reason, title, detail.as_str(), advice)
        };
        match failure {
            FetchFailure::NotFound => with(
                StatusCode::NOT_FOUND,
                "not-found",
                "Nobody had this",
                "Check the key. If it is right, the nodes that hold it may be away: try again later, or ask the \
                 publisher to insert it again.",
            ),
            FetchFailure::NotInSite { .. } => with(
                StatusCode::NOT_FOUND,
                "not-in-site",
                "The site has no such page",
                "Go to the start of the site and follow its links.",
            ),
            FetchFailure::NoPeers => with(StatusCode::SERVICE_UNAVAILABLE, "no-peers", "This node is alone", CONNECT).after(30),
            FetchFailure::NoCircuit => with(StatusCode::SERVICE_UNAVAILABLE, "no-circuit", "No way to hide this", CIRCUIT).after(30),
            FetchFailure::Overloaded => with(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too much to do", WAIT).after(10),
            FetchFailure::TimedOut => with(
                StatusCode::GATEWAY_TIMEOUT,
                "timed-out",
                "No answer in time",
                "Try again: what was found until now is kept nearby, so the next try gets further.",
            )
            .after(5),
            FetchFailure::Damaged { .. } => with(
                StatusCode::BAD_GATEWAY,
                "damaged",
                "Parts are missing",
                "Try again later: nodes that hold the missing parts may come back. Whoever has the file can heal it by \
                 inserting it again under the same key.",
            )
            .after(300),
            FetchFailure::TooBig { .. } => with(
                StatusCode::BAD_GATEWAY,
                "too-big",
                "This is too large",
                "Fetch it with the command line: fcp get.",
            ),
            FetchFailure::BadMetadata(_) | FetchFailure::TooManyRedirects => with(
                StatusCode::BAD_GATEWAY,
                "bad-metadata",
                "This was published wrongly",
                "Only the publisher can mend this. A newer version of Warren may also be able to read it.",
            ),
            FetchFailure::NotStored => with(
                StatusCode::PRECONDITION_FAILED,
                "not-stored",
                "Not in the own store",
                "Ask without only-if-cached to search the network.",
            ),
            FetchFailure::ShuttingDown => with(StatusCode::SERVICE_UNAVAILABLE, "shutting-down", "The node is going down", WAIT).after(30),
            FetchFailure::Internal(_) => with(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something broke", REPORT),
        }
    }
}

impl From<&InsertFailure> for Problem {
    fn from(failure: &InsertFailure) -> Self {
        let detail = format!("This could not be published: {failure}.");
        let with = |status, reason, title, advice| {
            Self::new(status, reason, title, detail.as_str(), advice)
        };
        match failure {
            InsertFailure::NoPeers => with(
                StatusCode::SERVICE_UNAVAILABLE,
                "no-peers",
                "This node is alone",
                CONNECT,
            ),
            InsertFailure::NoCircuit => with(
                StatusCode::SERVICE_UNAVAILABLE,
                "no-circuit",
                "No way to hide this",
                CIRCUIT,
            ),
            InsertFailure::Overloaded => with(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "Too much to do",
                WAIT,
            ),
            InsertFailure::TimedOut => with(
                StatusCode::GATEWAY_TIMEOUT,
                "timed-out",
                "No answer in time",
                "Publish it again: what arrived already is not sent a second time in vain.",
            ),
            InsertFailure::Collision { .. } => with(
                StatusCode::CONFLICT,
                "collision",
                "This key is taken",
                "Choose another name, or a higher edition for a site.",
            ),
            InsertFailure::BadKey(_) => with(
                StatusCode::BAD_REQUEST,
                "bad-key",
                "This key cannot be published under",
                "Use an insert key (SSK@ or USK@ with the secret part), a KSK@ phrase, or no key at all.",
            ),
            InsertFailure::Io(_) => with(
                StatusCode::INSUFFICIENT_STORAGE,
                "io",
                "The upload could not be kept",
                "Check that the disk with the node's data has room.",
            ),
            InsertFailure::ShuttingDown => with(
                StatusCode::SERVICE_UNAVAILABLE,
                "shutting-down",
                "The node is going down",
                WAIT,
            ),
            InsertFailure::Internal(_) => with(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something broke",
                REPORT,
            ),
        }
    }
}

const CONNECT: &str =
    "Check that this computer is online and that the node has peers: see the status page.";
const CIRCUIT: &str = "Wait a moment. If it stays so, the node needs more peers, which have peers themselves: see the status page.";
const WAIT: &str = "Wait a moment and try again.";
const REPORT: &str = "Try again. If it happens again, the node's log says more; please report it.";

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{end}", characters.as_str())
}
