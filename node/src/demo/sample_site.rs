//! The site that explains Warren, published once into every demonstration network.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use crypto::{InsertUri, SubspaceSecret, Uri, UriError};

use crate::client::{Client, EventSink, InsertError, InsertOptions, SiteFile, SiteRequest, Source};
use crate::data_dir::{replace_file, write_new_file};

/// Insert key of the site, for its owner only.
const KEY_FILE: &str = "sample-site.key";
/// What was published last: a hash of the files, and the address.
const PUBLISHED_FILE: &str = "sample-site.published";
const SITE_NAME: &str = "warren";

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../assets/demo-site/", $name)))),*]
    };
}

/// Names and contents of the site's files.
const FILES: &[(&str, &[u8])] = files![
    "index.html",
    "how-it-works.html",
    "publish.html",
    "limits.html",
    "notes/keys.html",
    "style.css",
    "images/blocks.png",
    "images/burrow.webp",
    "images/hops.png",
    "images/mark.png",
    "images/ring.png",
];

/// Why the site could not be published.
#[derive(Debug, thiserror::Error)]
pub enum SampleSiteError {
    /// The data folder could not be read or written.
    #[error("cannot read or write the sample site's key in {folder}: {source}")]
    Io {
        /// The folder.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The key file was changed.
    #[error("{KEY_FILE} is damaged: {0}; delete it to publish the sample site under a new key")]
    Key(#[from] UriError),
    /// The network did not take it.
    #[error("the sample site could not be published: {0}")]
    Insert(#[from] InsertError),
}

/// Publishes the sample site through `client`, unless the very same files were published from `folder` before.
/// Returns its address.
///
/// # Errors
/// [`SampleSiteError`].
pub async fn publish(client: &Client, folder: &Path) -> Result<Uri, SampleSiteError> {
    let content = content_hash();
    if let Some(uri) = published(folder, &content) {
        return Ok(uri);
    }
    let request = SiteRequest {
        target: insert_key(folder)?,
        files: FILES
            .iter()
            .map(|(name, bytes)| site_file(name, bytes))
            .collect(),
        default_name: Some("index.html".to_owned()),
        options: InsertOptions::default(),
    };
    let uri = client.insert_site(request, EventSink::ignore()).await?.uri;
    let record = format!("{content} {uri}\n");
    replace_file(&folder.join(PUBLISHED_FILE), record.as_bytes(), 0o600).map_err(io(folder))?;
    Ok(uri)
}

fn site_file(name: &str, bytes: &'static [u8]) -> SiteFile {
    SiteFile {
        name: name.to_owned(),
        source: Source::Bytes(Bytes::from_static(bytes)),
        content_type: None,
    }
}

fn content_hash() -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in FILES {
        hasher
            .update(&(name.len() as u64).to_le_bytes())
            .update(name.as_bytes());
        hasher
            .update(&(bytes.len() as u64).to_le_bytes())
            .update(bytes);
    }
    hasher.finalize().to_hex().to_string()
}

fn published(folder: &Path, content: &str) -> Option<Uri> {
    let record = fs::read_to_string(folder.join(PUBLISHED_FILE)).ok()?;
    let (hash, uri) = record.trim().split_once(' ')?;
    (hash == content).then(|| uri.parse().ok()).flatten()
}

fn insert_key(folder: &Path) -> Result<InsertUri, SampleSiteError> {
    let path = folder.join(KEY_FILE);
    if !path.exists() {
        let secret = SubspaceSecret::generate(&mut rand::rng());
        write_new_file(&path, secret.insert_uri_string().as_bytes(), 0o600).map_err(io(folder))?;
    }
    let text = zeroize::Zeroizing::new(fs::read_to_string(&path).map_err(io(folder))?);
    match text.trim().parse()? {
        InsertUri::Signed { secret, .. } => Ok(InsertUri::Updatable {
            secret,
            site: SITE_NAME.to_owned(),
            edition: 0,
            path: Vec::new(),
        }),
        other => Ok(other),
    }
}

fn io(folder: &Path) -> impl Fn(std::io::Error) -> SampleSiteError + '_ {
    |source| SampleSiteError::Io {
        folder: folder.display().to_string(),
        source,
    }
}
