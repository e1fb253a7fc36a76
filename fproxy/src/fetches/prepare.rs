//! From an address to something that can be sent.

use std::sync::Arc;

use bytes::Bytes;
use crypto::Uri;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::table::Key;
use super::{Form, Prepared, Ready, Shared};
use crate::etag::{ETag, Preparation};
use crate::filter::{
    self, Charset, FILTERED_LEN_MAX, HEAD_LEN, Links, Rewritten, Treatment, treatment,
};
use crate::network::{Document, FetchFailure, Found, OpenOptions, Progress, Urgency};
use crate::visitor::Purpose;

impl Shared {
    pub(super) async fn prepare(
        &self,
        uri: &Uri,
        key: &Key,
        progress: watch::Sender<Progress>,
    ) -> Result<Ready, FetchFailure> {
        let options = OpenOptions {
            urgency: match key.preparation {
                Preparation::Shown => Urgency::RealTime,
                Preparation::Raw => Urgency::Bulk,
            },
            reach: key.reach,
        };
        let document = match self.network.open(uri.clone(), options, progress).await? {
            Found::Document(document) => document,
            Found::Elsewhere { uri, reason } => return Ok(Ready::Elsewhere(uri, reason)),
            Found::Listing(entries) => return Ok(Ready::Listing(entries)),
        };
        let form = match key.preparation {
            Preparation::Raw => Form::Raw,
            Preparation::Shown => self.form(&document, key.purpose).await?,
        };
        Ok(Ready::Document(Prepared { document, form }))
    }

    async fn form(&self, document: &Document, purpose: Purpose) -> Result<Form, FetchFailure> {
        let head = read(document, document.size.min(HEAD_LEN as u64)).await?;
        let declared = document.content_type.as_deref();
        Ok(match treatment(declared, document.uri.file_name(), &head) {
            Treatment::Pass(media) => Form::Harmless(media),
            Treatment::Download { media_type, reason } => Form::Download {
                media_type,
                reason: reason.to_owned(),
            },
            Treatment::Rewrite { format, .. } if !purpose.is_served_by(format) => Form::Unfit,
            Treatment::Rewrite { format, charset } => {
                self.filter(document, format, charset).await?
            }
        })
    }

    async fn filter(
        &self,
        document: &Document,
        format: Rewritten,
        charset: Option<Charset>,
    ) -> Result<Form, FetchFailure> {
        let (media_type, served) = match format {
            Rewritten::Html => ("text/html", "text/html; charset=utf-8"),
            Rewritten::Css => ("text/css", "text/css; charset=utf-8"),
        };
        let download = |reason: String| Form::Download {
            media_type: media_type.to_owned(),
            reason,
        };
        if document.size > FILTERED_LEN_MAX {
            return Ok(download("it is too large to be checked".to_owned()));
        }
        let tag = ETag::of_document(document, Preparation::Shown);
        let refused = |tag| self.refused().find(tag, Instant::now());
        if let Some(error) = tag.as_ref().and_then(refused) {
            return Ok(download(error.to_string()));
        }
        let bytes = read(document, document.size).await?;
        let path = format!("/{}", document.uri);
        let site = format!("/{}", document.uri.root());
        let permit = Arc::clone(&self.filters)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        let filtered = spawn_blocking(move || {
            // The thread works to its end even when the fetch is given up.
            let _permit = permit;
            filter::filter(format, &bytes, charset, &Links::new(&path, &site))
        });
        let filtered = filtered.await.map_err(|_| {
            FetchFailure::Internal("the content filter failed on this document".to_owned())
        })?;
        Ok(match filtered {
            Ok(text) => Form::Filtered {
                media_type: served,
                bytes: Bytes::from(text),
            },
            Err(error) => {
                if let Some(tag) = tag {
                    self.refused().add(tag, error, Instant::now());
                }
                download(error.to_string())
            }
        })
    }
}

/// Reads the first `len` bytes of a document into memory; the caller bounds them.
async fn read(document: &Document, len: u64) -> Result<Vec<u8>, FetchFailure> {
    let len_in_memory = usize::try_from(len).map_err(|_| FetchFailure::TooBig { size: len })?;
    let mut bytes = Vec::with_capacity(len_in_memory);
    if len == 0 {
        return Ok(bytes);
    }
    let mut pieces = document.content.read(0..len);
    while bytes.len() < len_in_memory {
        let Some(piece) = pieces.recv().await else {
            break;
        };
        bytes.extend_from_slice(&piece?);
    }
    if bytes.len() == len_in_memory {
        Ok(bytes)
    } else {
        Err(FetchFailure::Internal(
            "the node gave another number of bytes than it promised".to_owned(),
        ))
    }
}
