//! From a fetched document to an answer: its form, its headers, the part of it that was asked for.

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, RANGE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use crypto::Uri;

use crate::app::App;
use crate::config::BrowserCache;
use crate::disposition::{self, Kind};
use crate::etag::{ETag, Preparation};
use crate::fetches::{Form, Prepared, Ready};
use crate::key_request::{KeyRequest, Saving};
use crate::network::FetchFailure;
use crate::origin::Origin;
use crate::pages;
use crate::problem::Problem;
use crate::range::{Part, requested};
use crate::stream;
use crate::visitor::Visitor;

/// The key under which the content can be found, whatever the address says.
const WARREN_URI: HeaderName = HeaderName::from_static("x-warren-uri");

/// What is known about the one who asked.
pub(crate) struct Asking<'a> {
    pub(crate) app: &'a App,
    pub(crate) origin: &'a Origin,
    pub(crate) visitor: Visitor,
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) request: &'a KeyRequest,
}

impl Asking<'_> {
    /// The answer to a client that has the representation already.
    pub(crate) fn not_modified(&self, uri: &Uri, tag: &ETag) -> Response {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        response.headers_mut().insert(ETAG, tag.header());
        self.add_origin_of_content(response.headers_mut(), uri);
        response
    }

    /// Answers with a document.
    pub(crate) async fn deliver(
        &self,
        ready: &Arc<Ready>,
        prepared: &Prepared,
    ) -> Result<Response, FetchFailure> {
        let document = &prepared.document;
        let (media_type, kind) = match &prepared.form {
            Form::Download { reason, .. } if self.visitor.reads_pages() => {
                let page = pages::download::page(self.app, self.origin, document, reason);
                return Ok(pages::own_page(self.app, StatusCode::OK, &page));
            }
            Form::Unfit => {
                let unfit = Problem::unfit();
                return Ok(unfit.respond(self.app, self.origin, self.visitor));
            }
            Form::Filtered { media_type, .. } => (*media_type, Kind::Inline),
            Form::Harmless(media) => (media.0.as_str(), Kind::Inline),
            // A browser takes the word of a page for what its parts are; a tool is told what the publisher said.
            Form::Download { .. } if self.visitor == Visitor::Page => (UNKNOWN, Kind::Attachment),
            Form::Download { media_type, .. } => (media_type.as_str(), Kind::Attachment),
            Form::Raw => match self.request.saving {
                Saving::Forced => ("application/force-download", Kind::Attachment),
                Saving::Asked | Saving::No => (UNKNOWN, Kind::Attachment),
            },
        };
        let tag = ETag::of_document(document, self.request.preparation());
        if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known(self.headers)) {
            return Ok(self.not_modified(&document.uri, tag));
        }
        let size = match &prepared.form {
            Form::Filtered { bytes, .. } => bytes.len() as u64,
            Form::Harmless(_) | Form::Download { .. } | Form::Raw | Form::Unfit => document.size,
        };
        let mut response = self.part(ready, prepared, tag.as_ref(), size).await?;
        let headers = response.headers_mut();
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some(tag) = tag {
            headers.insert(ETAG, tag.header());
        }
        if let Ok(media_type) = HeaderValue::from_str(media_type) {
            headers.insert(CONTENT_TYPE, media_type);
        }
        let name = self
            .request
            .file_name
            .as_deref()
            .or_else(|| document.uri.file_name());
        if kind == Kind::Attachment || self.request.file_name.is_some() {
            headers.insert(CONTENT_DISPOSITION, disposition::header(kind, name));
        }
        self.add_origin_of_content(headers, &document.uri);
        Ok(response)
    }

    async fn part(
        &self,
        ready: &Arc<Ready>,
        prepared: &Prepared,
        tag: Option<&ETag>,
        size: u64,
    ) -> Result<Response, FetchFailure> {
        let range = self
            .headers
            .get(RANGE)
            .and_then(|range| range.to_str().ok());
        // Ranges are a matter of GET, and a client with another version starts over.
        let range =
            range.filter(|_| *self.method == Method::GET && ETag::allows_range(tag, self.headers));
        let (status, range) = match requested(range, size) {
            Part::Whole => (StatusCode::OK, 0..size),
            Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
            Part::Unsatisfiable => {
                let all = format!("bytes */{size}");
                return Ok(
                    (StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, all)]).into_response()
                );
            }
        };
        let body = if *self.method == Method::HEAD {
            Body::empty()
        } else {
            match &prepared.form {
                Form::Filtered { bytes, .. } => Body::from(slice(bytes, &range)),
                Form::Harmless(_) | Form::Download { .. } | Form::Raw | Form::Unfit => {
                    let time_max = self.app.config.fetch_time_max;
                    stream::body((ready, prepared), range.clone(), time_max).await?
                }
            }
        };
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        if status == StatusCode::PARTIAL_CONTENT {
            let last = range.end - 1;
            let part = HeaderValue::from_str(&format!("bytes {}-{last}/{size}", range.start));
            headers.insert(CONTENT_RANGE, part.expect("numbers make a valid header"));
        }
        Ok(response)
    }

    fn add_origin_of_content(&self, headers: &mut HeaderMap, uri: &Uri) {
        if let Ok(uri) = HeaderValue::from_str(&uri.to_string()) {
            headers.insert(WARREN_URI, uri);
        }
        let immutable = ETag::of_immutable(uri, Preparation::Shown).is_some();
        let cache = match (self.app.config.browser_cache, immutable) {
            (BrowserCache::Forbidden, _) => "no-store",
            (BrowserCache::Allowed, true) => "private, max-age=31536000, immutable",
            (BrowserCache::Allowed, false) => "private, no-cache",
        };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    }
}

const UNKNOWN: &str = "application/octet-stream";

fn slice(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let place = |offset: u64| {
        usize::try_from(offset).expect("a range lies within bytes that are in memory")
    };
    bytes.slice(place(range.start)..place(range.end))
}
