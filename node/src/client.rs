//! The client layer: documents out of blocks, and blocks out of documents.
//!
//! Below it a node moves single blocks ([`BlockNetwork`]); above it are FCP and the gateway. It knows how content is
//! compressed, cut, protected by check blocks and sealed, how metadata describes that, how a site packs many files, and
//! how the newest edition of a site is found. `docs/FORMATS.md` draws the formats.
//!
//! Every call can be given up by dropping its future (or the [`Document`] and [`DocumentStream`] that came from it): all
//! blocks under way for it are given up too.

pub mod network;

mod document;
mod error;
mod event;
mod request;

use std::path::PathBuf;
use std::sync::Arc;

use crypto::Uri;

pub use document::{Document, DocumentStream};
pub use error::{FetchError, InsertError};
pub use event::{Event, EventSink, EventStream, Progress, event_channel};
pub use network::{BlockFetchError, BlockFuture, BlockInsertError, BlockNetwork, Class};
pub use request::{
    FetchOptions, Hashes, InsertOptions, InsertRequest, Inserted, KeyChoice, Listing, ListingEntry,
    ListingKind, Reach, SiteFile, SiteRequest, Source, UskPolicy,
};

/// What the client layer may use.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Folder for temporary files. They have no name there and vanish with the process.
    pub temp_dir: PathBuf,
    /// Bytes of metadata and containers kept in memory.
    pub cache_bytes_max: usize,
}

impl ClientConfig {
    /// The usual sizes, with temporary files in `temp_dir`.
    #[must_use]
    pub fn new(temp_dir: PathBuf) -> Self {
        Self {
            temp_dir,
            // A container and the manifest of some sites each; a page with fifty images then reads its container once.
            cache_bytes_max: 16 << 20,
        }
    }
}

/// Fetches and inserts documents.
#[derive(Debug)]
pub struct Client {
    _config: ClientConfig,
}

impl Client {
    /// A client of `network`.
    #[must_use]
    pub fn new(network: Arc<dyn BlockNetwork>, config: ClientConfig) -> Arc<Self> {
        drop(network);
        Arc::new(Self { _config: config })
    }

    /// Finds what `uri` names: follows redirects, manifests and editions. Fetches metadata only, and containers of small
    /// files; the content comes when the document is read.
    ///
    /// # Errors
    /// See [`FetchError`].
    #[expect(clippy::unused_async, reason = "the search is not there yet")]
    pub async fn open(
        &self,
        uri: &Uri,
        options: FetchOptions,
        events: EventSink,
    ) -> Result<Document, FetchError> {
        drop((uri.clone(), options, events));
        Err(FetchError::RouteNotFound)
    }

    /// Inserts one file (or a redirect) and returns its address, once everything is stored.
    ///
    /// # Errors
    /// See [`InsertError`].
    #[expect(clippy::unused_async, reason = "inserting is not there yet")]
    pub async fn insert(
        &self,
        request: InsertRequest,
        events: EventSink,
    ) -> Result<Inserted, InsertError> {
        drop((request, events));
        Err(InsertError::RouteNotFound)
    }

    /// Inserts many files under one address and returns it, once everything is stored.
    ///
    /// # Errors
    /// See [`InsertError`].
    #[expect(clippy::unused_async, reason = "inserting is not there yet")]
    pub async fn insert_site(
        &self,
        request: SiteRequest,
        events: EventSink,
    ) -> Result<Inserted, InsertError> {
        drop((request, events));
        Err(InsertError::RouteNotFound)
    }
}

/// What identifies a version of a document from its address alone: none where the address can lead to something else
/// tomorrow (`KSK@`, a negative edition). The same for the address asked for and for [`Document::uri`], unless a newer
/// edition was found. Meant for `ETag`.
#[must_use]
pub fn version_id(uri: &Uri) -> Option<[u8; 32]> {
    match uri {
        Uri::Content { .. } | Uri::Signed { .. } => {}
        Uri::Updatable { edition, .. } if *edition >= 0 => {}
        Uri::Updatable { .. } | Uri::Keyword { .. } => return None,
    }
    let mut hasher = blake3::Hasher::new_derive_key("warren 2026 client version of a document v1");
    hasher.update(uri.to_string().as_bytes());
    Some(*hasher.finalize().as_bytes())
}
