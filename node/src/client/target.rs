//! Where an insert goes: puts metadata under the key that the caller chose.

use std::sync::Arc;

use bytes::Bytes;
use crypto::{
    CONTENT_PAYLOAD_MAX, Codec, ContentExtra, ContentKey, InsertUri, KEYWORD_DOCUMENT_NAME,
    KeywordKey, SIGNED_PAYLOAD_MAX, SignedKey, SubspaceSecret, Uri, edition_document_name,
};

use super::error::InsertError;
use super::event::Event;
use super::fetcher::Fetcher;
use super::insert::{KEYS_FEW, pack};
use super::inserter::{Inserter, Placed};
use super::metadata::{KEYS_INLINE_MAX, Metadata};
use super::progress::Meter;
use super::request::{FetchOptions, Inserted};
use super::usk::{self, Effort};

/// Editions tried after the first one that seemed to be free.
const COLLISIONS_MAX: u64 = 64;

/// The key under which metadata is put.
#[expect(clippy::large_enum_variant, reason = "an insert has one of them")]
pub(crate) enum Target {
    /// A `CHK@`.
    Content,
    /// One document of a subspace, and its address for readers.
    Signed {
        secret: SubspaceSecret,
        name: String,
        uri: Uri,
    },
    /// The next free edition of a site. A negative one is where a thorough search for the newest begins.
    Updatable {
        secret: SubspaceSecret,
        site: String,
        edition: i64,
    },
}

impl Target {
    /// The target that `uri` names; its path has been looked at already.
    pub(crate) async fn new(inserter: &Inserter, uri: InsertUri) -> Result<Self, InsertError> {
        match uri {
            InsertUri::Content { .. } => Ok(Self::Content),
            InsertUri::RandomSigned { .. } => {
                let secret = SubspaceSecret::generate(&mut rand::rng());
                Ok(Self::signed(secret, RANDOM_NAME.to_owned()))
            }
            InsertUri::Signed { name, .. } if name.is_empty() => Err(InsertError::InvalidUri(
                "the SSK@ address needs a name behind the key".to_owned(),
            )),
            InsertUri::Signed { secret, name, .. } => Ok(Self::signed(secret, name)),
            InsertUri::Updatable {
                secret,
                site,
                edition,
                ..
            } => Ok(Self::Updatable {
                secret,
                site,
                edition,
            }),
            InsertUri::Keyword { phrase, .. } => {
                let keyword = KeywordKey {
                    phrase: phrase.clone(),
                };
                let derived = inserter.shared.derive_keyword(keyword).await;
                let secret = derived
                    .map_err(|_| InsertError::Internal("deriving the key of a phrase failed"))?;
                let uri = Uri::Keyword {
                    phrase,
                    path: Vec::new(),
                };
                Ok(Self::Signed {
                    secret,
                    name: KEYWORD_DOCUMENT_NAME.to_owned(),
                    uri,
                })
            }
        }
    }

    fn signed(secret: SubspaceSecret, name: String) -> Self {
        let key = SignedKey {
            subspace: secret.public().clone(),
            name: name.clone(),
        };
        let uri = Uri::Signed {
            key,
            path: Vec::new(),
        };
        Self::Signed { secret, name, uri }
    }

    /// Whether metadata goes into a signed block of 1 KiB.
    pub(crate) const fn is_signed(&self) -> bool {
        match self {
            Self::Content => false,
            Self::Signed { .. } | Self::Updatable { .. } => true,
        }
    }

    /// Puts up to 32 KiB under a `CHK@` without any metadata.
    pub(crate) async fn put_raw(
        self,
        inserter: &Inserter,
        bytes: &Bytes,
    ) -> Result<Inserted, InsertError> {
        put_content(inserter, ContentExtra::default(), bytes, Vec::new()).await
    }

    /// Puts `metadata` there, through metadata that points to it if it is too large.
    pub(crate) async fn put(
        self,
        inserter: &Arc<Inserter>,
        metadata: Metadata,
    ) -> Result<Inserted, InsertError> {
        let path = default_path(&metadata, &self);
        let payload_max = if self.is_signed() {
            SIGNED_PAYLOAD_MAX
        } else {
            CONTENT_PAYLOAD_MAX
        };
        let payload = fitted(inserter, &metadata, payload_max).await?;
        match self {
            Self::Content => {
                let extra = ContentExtra {
                    is_metadata: true,
                    codec: Codec::None,
                };
                put_content(inserter, extra, &payload, path).await
            }
            Self::Signed { secret, name, uri } => {
                let uri = uri.with_path(path);
                inserter.meter.tell(Event::UriGenerated(uri.clone()));
                if put_signed(inserter, &secret, &name, &payload).await? {
                    Ok(done(inserter, uri))
                } else {
                    Err(InsertError::Collision {
                        existing: Some(Box::new(uri)),
                    })
                }
            }
            Self::Updatable {
                secret,
                site,
                edition,
            } => put_edition(inserter, &secret, &site, edition, &payload).await,
        }
    }
}

/// The name of the document in a subspace made for it alone.
const RANDOM_NAME: &str = "file";

/// A file with a name behind a key without one is found under `key/name`.
fn default_path(metadata: &Metadata, target: &Target) -> Vec<String> {
    match metadata {
        Metadata::Manifest(manifest) if !matches!(target, Target::Updatable { .. }) => {
            match manifest.entries.as_slice() {
                [only]
                    if manifest.default_name.as_ref() == Some(&only.name)
                        && !only.name.contains('/') =>
                {
                    vec![only.name.clone()]
                }
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// The bytes of `metadata`, or of metadata that points to it.
async fn fitted(
    inserter: &Arc<Inserter>,
    metadata: &Metadata,
    payload_max: usize,
) -> Result<Vec<u8>, InsertError> {
    let mut payload = metadata.encode();
    let mut keys_max = KEYS_INLINE_MAX;
    while payload.len() > payload_max {
        if payload_max <= SIGNED_PAYLOAD_MAX {
            keys_max = KEYS_FEW;
        }
        let packed = pack(inserter, Bytes::from(payload), keys_max).await?;
        payload = Metadata::Outer(packed).encode();
    }
    Ok(payload)
}

async fn put_content(
    inserter: &Inserter,
    extra: ContentExtra,
    payload: &[u8],
    path: Vec<String>,
) -> Result<Inserted, InsertError> {
    let file_key = inserter.file_key(blake3::hash(payload).as_bytes());
    let sealed = ContentKey::seal(file_key, extra, payload);
    let (key, block) =
        sealed.map_err(|_| InsertError::Internal("metadata does not fit its block"))?;
    let uri = Uri::Content { key, path };
    inserter.meter.tell(Event::UriGenerated(uri.clone()));
    inserter.top_block(block).await?;
    Ok(done(inserter, uri))
}

/// Puts a signed document. False if another one is there.
async fn put_signed(
    inserter: &Inserter,
    secret: &SubspaceSecret,
    name: &str,
    payload: &[u8],
) -> Result<bool, InsertError> {
    let sealed = secret.seal(name, payload);
    let block =
        sealed.map_err(|_| InsertError::Internal("metadata does not fit its signed block"))?;
    match inserter.top_block(block).await? {
        Placed::Stored => Ok(true),
        Placed::Collision(existing) => {
            let key = SignedKey {
                subspace: secret.public().clone(),
                name: name.to_owned(),
            };
            Ok(key.open(&existing).is_ok_and(|there| there == payload))
        }
    }
}

/// Puts the next free edition from `edition` on, and then hints to it.
async fn put_edition(
    inserter: &Arc<Inserter>,
    secret: &SubspaceSecret,
    site: &str,
    edition: i64,
    payload: &[u8],
) -> Result<Inserted, InsertError> {
    let (first, before) = if inserter.options.address_only {
        (first_edition(edition), None)
    } else {
        free_edition(inserter, secret, site, edition).await
    };
    for edition in first..first.saturating_add(COLLISIONS_MAX) {
        let uri = Uri::Updatable {
            subspace: secret.public().clone(),
            site: site.to_owned(),
            edition: i64::try_from(edition)
                .map_err(|_| InsertError::InvalidUri("the edition is too large".to_owned()))?,
            path: Vec::new(),
        };
        let name = edition_document_name(site, edition);
        if put_signed(inserter, secret, &name, payload).await? {
            inserter.meter.tell(Event::UriGenerated(uri.clone()));
            if !inserter.options.address_only {
                let editions = &inserter.shared.editions;
                editions.inserted(secret.public(), site, edition);
                let far = |before: &u64| edition - before > Effort::Quick.ahead();
                let before = before.filter(far);
                usk::store_hints(inserter, secret, site, edition, before).await;
            }
            return Ok(done(inserter, uri));
        }
    }
    Err(InsertError::Collision { existing: None })
}

/// The first edition that is free, from `from` on and behind the newest one that can be found, and that one.
async fn free_edition(
    inserter: &Inserter,
    secret: &SubspaceSecret,
    site: &str,
    from: i64,
) -> (u64, Option<u64>) {
    let options = FetchOptions {
        class: inserter.options.class,
        hiding: inserter.options.hiding,
        ..FetchOptions::default()
    };
    let fetcher = Fetcher::new(Arc::clone(&inserter.shared), options, Meter::default());
    let effort = if from < 0 {
        Effort::Thorough
    } else {
        Effort::Free
    };
    let found = usk::newest(&fetcher, secret.public(), site, from.unsigned_abs(), effort).await;
    // If nothing can be found, the insert itself will tell whether the edition is free.
    let newest = found.ok();
    let behind = newest.map_or(0, |newest| newest.saturating_add(1));
    (first_edition(from).max(behind), newest)
}

/// The first edition of a site that has none yet.
fn first_edition(from: i64) -> u64 {
    u64::try_from(from).unwrap_or(0)
}

fn done(inserter: &Inserter, uri: Uri) -> Inserted {
    inserter.meter.update(|progress| progress.finalized = true);
    inserter.meter.tell(Event::PutFetchable(uri.clone()));
    Inserted { uri }
}
