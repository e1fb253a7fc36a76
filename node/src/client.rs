//! The client layer: documents out of blocks, and blocks out of documents.
//!
//! Below it a node moves single blocks ([`BlockNetwork`]); above it are FCP and the gateway. It knows how content is
//! compressed, cut, protected by check blocks and sealed, how metadata describes that, how a site packs many files, and
//! how the newest edition of a site is found. `docs/FORMATS.md` draws the formats.
//!
//! Every call can be given up by dropping its future (or the [`Document`] and [`DocumentStream`] that came from it): all
//! blocks under way for it are given up too.

pub mod network;

mod cache;
mod checked_file;
mod content;
mod document;
pub(crate) mod erasure;
mod error;
mod event;
mod fetcher;
mod frames;
mod geometry;
mod healer;
mod hiding;
mod insert;
mod inserter;
mod manifest;
mod metadata;
mod open;
mod progress;
mod reader;
mod request;
mod root;
mod segment;
mod site;
mod source;
mod storing;
mod target;
mod usk;
mod window;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use crypto::{KeywordKey, SubspaceSecret, Uri};
use tokio::sync::Semaphore;

use cache::Cache;
use fetcher::Fetcher;
use inserter::Inserter;
use progress::Meter;
use usk::{Date, Editions};
use window::Window;

pub(crate) use checked_file::FileId;
#[cfg(unix)]
pub(crate) use checked_file::read_flags;
pub use checked_file::{CheckedFile, open_regular};
pub use content::DocumentStream;
pub use document::Document;
pub use error::{FetchError, InsertError};
pub use event::{Event, EventSink, EventStream, Progress, event_channel};
pub(crate) use hiding::new_group;
pub use hiding::{Hiding, UsualHiding};
pub use network::{
    Anonymity, BlockFetchError, BlockFuture, BlockInsertError, BlockNetwork, Class, Effort,
};
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
    /// How hidden requests are that do not say it themselves.
    pub hiding: Arc<UsualHiding>,
}

impl ClientConfig {
    /// The usual sizes, with temporary files in `temp_dir`.
    #[must_use]
    pub fn new(temp_dir: PathBuf) -> Self {
        Self {
            temp_dir,
            // A container and the manifest of some sites each; a page with fifty images then reads its container once.
            cache_bytes_max: 16 << 20,
            hiding: Arc::new(UsualHiding::new(Hiding::default())),
        }
    }
}

/// Fetches and inserts documents.
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

impl Client {
    /// A client of `network`.
    #[must_use]
    pub fn new(network: Arc<dyn BlockNetwork>, config: ClientConfig) -> Arc<Self> {
        Self::dated(network, config, Date::today)
    }

    /// The same, with its own idea of today's date.
    fn dated(
        network: Arc<dyn BlockNetwork>,
        config: ClientConfig,
        today: fn() -> Date,
    ) -> Arc<Self> {
        let shared = Arc::new(Shared {
            network,
            windows: Windows::default(),
            healing: Window::of(healer::BLOCKS_MAX),
            cache: Cache::new(config.cache_bytes_max),
            editions: Editions::default(),
            today,
            derivations: Semaphore::new(1),
            decodings: Arc::new(Semaphore::new(DECODINGS_MAX)),
            config,
        });
        Arc::new(Self { shared })
    }

    /// Finds what `uri` names: follows redirects, manifests and editions. Fetches metadata only, and containers of small
    /// files; the content comes when the document is read.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn open(
        &self,
        uri: &Uri,
        options: FetchOptions,
        events: EventSink,
    ) -> Result<Document, FetchError> {
        let shared = Arc::clone(&self.shared);
        let fetcher = Fetcher::new(shared, options, Meter::new(events));
        Box::pin(open::open(&fetcher, uri)).await
    }

    /// Inserts one file (or a redirect) and returns its address, once everything is stored.
    ///
    /// # Errors
    /// See [`InsertError`].
    pub async fn insert(
        &self,
        request: InsertRequest,
        events: EventSink,
    ) -> Result<Inserted, InsertError> {
        let inserter = Inserter::new(
            Arc::clone(&self.shared),
            request.options.clone(),
            Meter::new(events),
        );
        Box::pin(insert::insert(&inserter, request)).await
    }

    /// Inserts many files under one address and returns it, once everything is stored.
    ///
    /// # Errors
    /// See [`InsertError`].
    pub async fn insert_site(
        &self,
        request: SiteRequest,
        events: EventSink,
    ) -> Result<Inserted, InsertError> {
        let inserter = Inserter::new(
            Arc::clone(&self.shared),
            request.options.clone(),
            Meter::new(events),
        );
        Box::pin(site::insert_site(&inserter, request)).await
    }
}

/// Large metadata that are read at the same time.
const DECODINGS_MAX: usize = 2;

/// What all requests of a client share.
pub(crate) struct Shared {
    network: Arc<dyn BlockNetwork>,
    windows: Windows,
    /// Room for rebuilt blocks.
    healing: Window,
    cache: Cache,
    editions: Editions,
    /// The day, which date hints of sites are named after.
    today: fn() -> Date,
    /// Deriving the key of a phrase takes 64 MiB: one at a time.
    derivations: Semaphore,
    /// Reading the metadata of a large site takes some milliseconds and its size many times over in memory.
    decodings: Arc<Semaphore>,
    config: ClientConfig,
}

impl Shared {
    /// The key pair that belongs to a phrase.
    async fn derive_keyword(&self, keyword: KeywordKey) -> Result<SubspaceSecret, FetchError> {
        const FAILED: FetchError = FetchError::Internal("deriving the key of a phrase failed");
        let _turn = self.derivations.acquire().await.map_err(|_| FAILED)?;
        let derivation = tokio::task::spawn_blocking(move || keyword.signing_key());
        derivation.await.map_err(|_| FAILED)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Shared")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Room for blocks under way: what somebody waits for does not queue behind what nobody waits for.
struct Windows {
    fetch_real_time: Window,
    fetch_bulk: Window,
    insert_real_time: Window,
    insert_bulk: Window,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            fetch_real_time: Window::new(),
            fetch_bulk: Window::new(),
            insert_real_time: Window::new(),
            insert_bulk: Window::new(),
        }
    }
}

impl Windows {
    const fn fetch(&self, class: Class) -> &Window {
        match class {
            Class::RealTime => &self.fetch_real_time,
            Class::Bulk => &self.fetch_bulk,
        }
    }

    const fn insert(&self, class: Class) -> &Window {
        match class {
            Class::RealTime => &self.insert_real_time,
            Class::Bulk => &self.insert_bulk,
        }
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
