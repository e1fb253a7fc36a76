//! What the owner of a node can set about its gateway.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

/// Settings of a gateway.
#[derive(Clone)]
pub struct GatewayConfig {
    /// Secret from which the names of the sites' origins are computed. Keep it: with another one, a browser sees all sites
    /// as new ones.
    pub label_secret: Zeroizing<[u8; 32]>,
    /// Folder for uploads while they are inserted. They lie there in the clear.
    pub temp_dir: PathBuf,
    /// Whether a browser may keep what it is shown on its disk.
    pub browser_cache: BrowserCache,
    /// How long a browser waits for a page before it is shown how far the fetch has come.
    pub patience: Duration,
    /// How long a fetch may take until it is given up.
    pub fetch_time_max: Duration,
    /// How long a fetch goes on, or its result is kept in memory, after the last one who wanted it.
    pub kept_for: Duration,
    /// Bytes of the largest upload.
    pub upload_len_max: u64,
    /// Connections at the same time; more wait.
    pub connections_max: usize,
    /// How long a client may take to send the head of a request, and between two pieces of an upload.
    pub client_time_max: Duration,
}

/// Whether browsers may cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrowserCache {
    /// Nothing is kept: the node caches anyway, and encrypted.
    Forbidden,
    /// What can never change is kept, unencrypted, for as long as the browser likes.
    Allowed,
}

impl GatewayConfig {
    /// The settings for an ordinary node.
    #[must_use]
    pub fn new(label_secret: Zeroizing<[u8; 32]>, temp_dir: PathBuf) -> Self {
        Self {
            label_secret,
            temp_dir,
            // A copy on the disk would undo that the node's own store cannot be read.
            browser_cache: BrowserCache::Forbidden,
            // Most small pages arrive within this; a longer blank page makes people reload.
            patience: Duration::from_millis(1500),
            // Large sites on a slow network take minutes.
            fetch_time_max: Duration::from_secs(600),
            // Enough for a player to jump about, and for a progress page to come back.
            kept_for: Duration::from_secs(60),
            upload_len_max: 16 << 30,
            // A browser opens six connections for each site.
            connections_max: 512,
            client_time_max: Duration::from_secs(30),
        }
    }
}

impl fmt::Debug for GatewayConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GatewayConfig")
            .field("label_secret", &"[redacted]")
            .field("temp_dir", &self.temp_dir)
            .field("browser_cache", &self.browser_cache)
            .field("patience", &self.patience)
            .field("fetch_time_max", &self.fetch_time_max)
            .field("kept_for", &self.kept_for)
            .field("upload_len_max", &self.upload_len_max)
            .field("connections_max", &self.connections_max)
            .field("client_time_max", &self.client_time_max)
            .finish()
    }
}
