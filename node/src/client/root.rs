//! What lies at the root of an address, and containers: fetched once, then kept for a while.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use crypto::{ContentKey, SignedKey, Uri, VerifiedBlock};

use super::cache::{CacheKey, Cached, Root};
use super::content::Content;
use super::error::FetchError;
use super::fetcher::Fetcher;
use super::metadata::{METADATA_LEN_MAX, Metadata, Packed};
use super::request::Reach;

/// Metadata that points to metadata, and so on.
const METADATA_LEVELS_MAX: u32 = 4;
/// Bytes of metadata that are read without a thread of their own: some microseconds of work.
const DECODED_AT_ONCE_MAX: usize = 4 << 10;

/// What lies at the root of `uri`, whose edition is resolved.
pub(crate) async fn root(fetcher: &Arc<Fetcher>, uri: &Uri) -> Result<Root, FetchError> {
    match uri {
        Uri::Content { key, .. } => {
            let load = async || content_root(fetcher, key).await;
            cached_root(fetcher, content_cache_key(key), load).await
        }
        Uri::Signed { key, .. } => signed_root(fetcher, key).await,
        Uri::Updatable {
            subspace,
            site,
            edition,
            ..
        } => {
            let edition = u64::try_from(*edition).map_err(|_| FetchError::DataNotFound)?;
            signed_root(fetcher, &subspace.edition(site, edition)).await
        }
        Uri::Keyword { .. } => {
            let key = keyword_key(fetcher, uri).await?;
            let block = fetcher.needed(key.block_key()).await?;
            // Anybody can insert something else under a phrase, so what is there today is not kept.
            let metadata = signed_metadata(&key, &block)?;
            Ok(Root::Metadata(Arc::new(
                innermost(fetcher, metadata).await?,
            )))
        }
    }
}

async fn content_root(
    fetcher: &Arc<Fetcher>,
    key: &ContentKey,
) -> Result<(Cached, usize), FetchError> {
    let block = fetcher.needed(key.block_key()).await?;
    let payload = key.open(&block).map_err(|_| FetchError::BlockDecode)?;
    let len = payload.len();
    if key.extra.codec != crypto::Codec::None {
        return Err(FetchError::InvalidMetadata(
            "its key names a compression that single blocks do not have",
        ));
    }
    if !key.extra.is_metadata {
        return Ok((Cached::Root(Root::Raw(Bytes::from(payload))), len));
    }
    let metadata = decode(fetcher, Bytes::from(payload)).await?;
    let metadata = innermost(fetcher, metadata).await?;
    Ok(metadata_to_keep(metadata, len))
}

async fn signed_root(fetcher: &Arc<Fetcher>, key: &SignedKey) -> Result<Root, FetchError> {
    let load = async || {
        let block = fetcher.needed(key.block_key()).await?;
        let metadata = signed_metadata(key, &block)?;
        let metadata = innermost(fetcher, metadata).await?;
        Ok(metadata_to_keep(metadata, 0))
    };
    match cached_root(fetcher, signed_cache_key(key), load).await? {
        // A probe for editions leaves metadata as it found it.
        Root::Metadata(metadata) if matches!(*metadata, Metadata::Outer(_)) => {
            let load = async || {
                Ok(metadata_to_keep(
                    innermost(fetcher, (*metadata).clone()).await?,
                    0,
                ))
            };
            cached_root(fetcher, innermost_cache_key(key), load).await
        }
        root => Ok(root),
    }
}

fn signed_metadata(key: &SignedKey, block: &VerifiedBlock) -> Result<Metadata, FetchError> {
    Metadata::decode(&key.open(block).map_err(|_| FetchError::BlockDecode)?)
}

/// Keeps the block of a signed document that a probe for editions found.
pub(crate) fn keep_signed(
    fetcher: &Fetcher,
    key: &SignedKey,
    block: &VerifiedBlock,
) -> Result<(), FetchError> {
    let (cached, bytes) = metadata_to_keep(signed_metadata(key, block)?, 0);
    fetcher
        .shared
        .cache
        .put(signed_cache_key(key), cached, bytes);
    Ok(())
}

/// Reads metadata: long ones, which take a while, on a thread that may block, and not many of them at a time.
async fn decode(fetcher: &Fetcher, bytes: Bytes) -> Result<Metadata, FetchError> {
    const FAILED: FetchError = FetchError::Internal("reading metadata failed unexpectedly");
    if bytes.len() <= DECODED_AT_ONCE_MAX {
        return Metadata::decode(&bytes);
    }
    let turn = Arc::clone(&fetcher.shared.decodings);
    let turn = turn.acquire_owned().await.map_err(|_| FAILED)?;
    let decoding = tokio::task::spawn_blocking(move || {
        // Whoever gives up waiting does not make room for the next one before this one has ended.
        let _turn = turn;
        Metadata::decode(&bytes)
    });
    decoding.await.map_err(|_| FAILED)?
}

/// Follows metadata to the metadata that it points to, until it describes a document.
async fn innermost(fetcher: &Arc<Fetcher>, mut metadata: Metadata) -> Result<Metadata, FetchError> {
    for _ in 0..METADATA_LEVELS_MAX {
        let Metadata::Outer(packed) = metadata else {
            return Ok(metadata);
        };
        if packed.size > METADATA_LEN_MAX {
            return Err(FetchError::MetadataTooBig(packed.size));
        }
        let bytes = Content::packed(Arc::clone(fetcher), packed)
            .read_all()
            .await?;
        metadata = decode(fetcher, bytes).await?;
    }
    match metadata {
        Metadata::Outer(_) => Err(FetchError::TooManyMetadataLevels),
        metadata => Ok(metadata),
    }
}

/// Metadata for the cache, with a guess at what it takes in memory.
fn metadata_to_keep(metadata: Metadata, encoded_len: usize) -> (Cached, usize) {
    let bytes = encoded_len + metadata.memory();
    (Cached::Root(Root::Metadata(Arc::new(metadata))), bytes)
}

/// The key that belongs to the phrase of `uri`.
async fn keyword_key(fetcher: &Arc<Fetcher>, uri: &Uri) -> Result<SignedKey, FetchError> {
    let keyword = uri
        .keyword_key()
        .ok_or(FetchError::Internal("a phrase was expected"))?;
    let id = cache_key("keyword", keyword.phrase.as_bytes(), &[]);
    let load = async || {
        let key = fetcher.shared.derive_keyword(keyword).await?;
        let key = SignedKey {
            subspace: key.public().clone(),
            name: crypto::KEYWORD_DOCUMENT_NAME.to_owned(),
        };
        Ok((Cached::Keyword(Box::new(key)), size_of::<SignedKey>()))
    };
    match fetcher.shared.cache.get_or_load(id, load).await? {
        Cached::Keyword(key) => Ok(*key),
        Cached::Root(_) | Cached::Container(_) => Err(CACHE_MIXED_UP),
    }
}

async fn cached_root<F>(
    fetcher: &Arc<Fetcher>,
    key: CacheKey,
    load: impl FnOnce() -> F,
) -> Result<Root, FetchError>
where
    F: Future<Output = Result<(Cached, usize), FetchError>>,
{
    match cached(fetcher, key, load).await? {
        Cached::Root(root) => Ok(root),
        Cached::Container(_) | Cached::Keyword(_) => Err(CACHE_MIXED_UP),
    }
}

/// What the cache has, or what `load` finds. Only fetches that are equally eager wait for each other: one that goes on
/// for ever, or looks only into the own store, must not decide for the others.
async fn cached<F>(
    fetcher: &Arc<Fetcher>,
    key: CacheKey,
    load: impl FnOnce() -> F,
) -> Result<Cached, FetchError>
where
    F: Future<Output = Result<(Cached, usize), FetchError>>,
{
    let cache = &fetcher.shared.cache;
    if fetcher.options.reach == Reach::Network && fetcher.options.retries == 0 {
        return cache.get_or_load(key, load).await;
    }
    if let Some(known) = cache.get(key) {
        return Ok(known);
    }
    let (cached, bytes) = load().await?;
    cache.put(key, cached.clone(), bytes);
    Ok(cached)
}

fn cache_key(kind: &str, first: &[u8], second: &[u8]) -> CacheKey {
    let mut hasher = blake3::Hasher::new_derive_key("warren 2026 client cache v1");
    for part in [kind.as_bytes(), first, second] {
        hasher
            .update(&(part.len() as u64).to_le_bytes())
            .update(part);
    }
    *hasher.finalize().as_bytes()
}

fn content_cache_key(key: &ContentKey) -> CacheKey {
    cache_key("content", &key.to_bytes(), &[])
}

fn signed_cache_key(key: &SignedKey) -> CacheKey {
    signed_key_of("signed", key)
}

fn innermost_cache_key(key: &SignedKey) -> CacheKey {
    signed_key_of("signed, innermost", key)
}

fn signed_key_of(kind: &str, key: &SignedKey) -> CacheKey {
    let subspace = [*key.subspace.public(), *key.subspace.crypto_key()].concat();
    cache_key(kind, &subspace, key.name.as_bytes())
}

/// The unpacked bytes of a container.
pub(crate) async fn container(
    fetcher: &Arc<Fetcher>,
    packed: &Packed,
) -> Result<Bytes, FetchError> {
    let key = cache_key(
        "container",
        &packed.blake3,
        packed.stored.file_key.as_bytes(),
    );
    let load = async || {
        let bytes = Content::packed(Arc::clone(fetcher), packed.clone())
            .read_all()
            .await?;
        let len = bytes.len();
        Ok((Cached::Container(bytes), len))
    };
    match cached(fetcher, key, load).await? {
        Cached::Container(bytes) => Ok(bytes),
        Cached::Root(_) | Cached::Keyword(_) => Err(CACHE_MIXED_UP),
    }
}

const CACHE_MIXED_UP: FetchError = FetchError::Internal("the cache of metadata is mixed up");
