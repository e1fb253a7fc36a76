//! From an address to a document: follows redirects, manifests, metadata of metadata, and editions.

use std::sync::Arc;

use bytes::Bytes;
use crypto::Uri;

use super::cache::Root;
use super::content::Content;
use super::document::Document;
use super::error::FetchError;
use super::event::Event;
use super::fetcher::Fetcher;
use super::frames;
use super::manifest::{Container, Item, Lookup, Manifest, Member, folder_prefix};
use super::metadata::{Direct, File, Metadata};
use super::request::{Hashes, UskPolicy};
use super::root::{container, root};
use super::usk::{self, Effort};

/// Redirects that are followed.
const REDIRECTS_MAX: u32 = 10;
/// Content up to this many bytes is never refused for unpacking to more than is stored.
const BLOATED_MIN: u64 = 64 << 20;
/// Times by which content above that may grow when it is unpacked. Text and databases grow 3 to 50 times; Zstandard
/// allows 19 000 times, with which 50 MB in the network would fill a disk of a terabyte.
const EXPANSION_MAX: u64 = 1000;

/// Finds what `asked` names.
pub(crate) async fn open(fetcher: &Arc<Fetcher>, asked: &Uri) -> Result<Document, FetchError> {
    let mut location = asked.clone();
    let mut policy = fetcher.options.usk;
    let mut shown = None;
    for _ in 0..=REDIRECTS_MAX {
        location = resolve_edition(fetcher, location, policy).await?;
        let shown = shown.get_or_insert_with(|| location.clone());
        let step = step(fetcher, &location, shown).await?;
        match step {
            Step::Found(found) => {
                let document = Document {
                    uri: shown.clone(),
                    location,
                    content_type: found.content_type,
                    hashes: found.hashes,
                    content: found.content,
                };
                announce(fetcher, &document)?;
                return Ok(document);
            }
            Step::Redirect(target) => location = target,
        }
        // Only the caller's own address is worth correcting; behind a redirect the newest edition is meant.
        policy = match policy {
            UskPolicy::Exact => UskPolicy::Exact,
            UskPolicy::Latest | UskPolicy::Redirect => UskPolicy::Latest,
        };
    }
    Err(FetchError::TooManyRedirects)
}

enum Step {
    Found(Found),
    Redirect(Uri),
}

struct Found {
    content_type: Option<String>,
    hashes: Option<Hashes>,
    content: Arc<Content>,
}

/// Replaces the edition of an updatable address by the one to open.
async fn resolve_edition(
    fetcher: &Arc<Fetcher>,
    uri: Uri,
    policy: UskPolicy,
) -> Result<Uri, FetchError> {
    let Uri::Updatable {
        subspace,
        site,
        edition,
        path,
    } = uri
    else {
        return Ok(uri);
    };
    let from = edition.unsigned_abs();
    let newest = match policy {
        UskPolicy::Exact if edition >= 0 => from,
        _ if edition < 0 => usk::newest(fetcher, &subspace, &site, from, Effort::Thorough).await?,
        _ => usk::newest(fetcher, &subspace, &site, from, Effort::Quick).await?,
    };
    let newest = i64::try_from(newest).map_err(|_| FetchError::DataNotFound)?;
    let uri = Uri::Updatable {
        subspace,
        site,
        edition: newest,
        path,
    };
    if policy == UskPolicy::Redirect && newest != edition {
        return Err(FetchError::PermanentRedirect {
            redirect: Box::new(uri),
        });
    }
    Ok(uri)
}

/// Looks at the root of `location` and at what its path leads to there. `shown` is the address the caller knows.
async fn step(fetcher: &Arc<Fetcher>, location: &Uri, shown: &Uri) -> Result<Step, FetchError> {
    let path = location.path();
    match root(fetcher, location).await? {
        Root::Raw(bytes) => {
            no_path_behind(path, 0, shown)?;
            Ok(Step::Found(Found {
                content_type: None,
                hashes: None,
                content: Arc::new(Content::Memory(bytes)),
            }))
        }
        Root::Metadata(metadata) => match &*metadata {
            Metadata::Direct(direct) => {
                no_path_behind(path, 0, shown)?;
                Ok(Step::Found(direct.found()))
            }
            Metadata::File(file) => {
                no_path_behind(path, 0, shown)?;
                Ok(Step::Found(file.found(fetcher)))
            }
            Metadata::Redirect(target) => Ok(Step::Redirect(joined(target.uri()?, path))),
            Metadata::Manifest(manifest) => in_manifest(fetcher, manifest, path, shown).await,
            Metadata::Outer(_) => Err(FetchError::TooManyMetadataLevels),
        },
    }
}

async fn in_manifest(
    fetcher: &Arc<Fetcher>,
    manifest: &Manifest,
    path: &[String],
    shown: &Uri,
) -> Result<Step, FetchError> {
    match manifest.lookup(path) {
        Lookup::Found(Item::Member(member)) => {
            Ok(Step::Found(member_of(fetcher, manifest, member).await?))
        }
        Lookup::Found(Item::File(file)) => Ok(Step::Found(file.found(fetcher))),
        Lookup::Found(Item::Redirect(target)) => Ok(Step::Redirect(target.uri()?)),
        Lookup::Redirect(target, rest) => Ok(Step::Redirect(joined(target.uri()?, rest))),
        Lookup::FolderWithoutSlash => {
            let mut path = shown.path().to_vec();
            path.push(String::new());
            let redirect = Box::new(shown.clone().with_path(path));
            Err(FetchError::NotEnoughPathComponents { redirect })
        }
        Lookup::FolderWithoutDefault => {
            let folders = path.split_last().map_or(&[][..], |(_, folders)| folders);
            let listing = Arc::new(manifest.listing(&folder_prefix(folders)));
            Err(FetchError::DirectoryWithoutIndex { listing })
        }
        Lookup::BehindFile(parts) => {
            no_path_behind(path, parts, shown)?;
            Err(FetchError::Internal("a path behind a file was overlooked"))
        }
        Lookup::Missing => Err(FetchError::NotInArchive {
            name: path.join("/"),
        }),
    }
}

/// Refuses a path that goes on behind the first `parts` parts.
fn no_path_behind(path: &[String], parts: usize, shown: &Uri) -> Result<(), FetchError> {
    let excess = path.len() - parts;
    if excess == 0 {
        return Ok(());
    }
    let mut path = shown.path().to_vec();
    path.truncate(path.len().saturating_sub(excess));
    let redirect = Box::new(shown.clone().with_path(path));
    Err(FetchError::TooManyPathComponents { redirect })
}

/// `target` with `rest` behind its own path.
fn joined(target: Uri, rest: &[String]) -> Uri {
    let mut path = target.path().to_vec();
    if !rest.is_empty() {
        path.pop_if(|last| last.is_empty());
    }
    path.extend_from_slice(rest);
    target.with_path(path)
}

/// Cuts a file out of its container.
async fn member_of(
    fetcher: &Arc<Fetcher>,
    manifest: &Manifest,
    member: &Member,
) -> Result<Found, FetchError> {
    const MISSING: FetchError = FetchError::InvalidMetadata("a file lies outside its container");
    let size = u64::from(member.size);
    check_size(fetcher, size, size, member.content_type.as_deref())?;
    let place = usize::try_from(member.container).map_err(|_| MISSING)?;
    let container = match manifest.containers.get(place).ok_or(MISSING)? {
        Container::Inline { size, frame } => {
            let len = usize::try_from(*size).map_err(|_| MISSING)?;
            Bytes::from(frames::decompress(frame, len)?)
        }
        Container::Packed(packed) => container(fetcher, packed).await?,
    };
    let (start, size) = (usize::try_from(member.offset), usize::try_from(member.size));
    let start = start.map_err(|_| MISSING)?;
    let end = start
        .checked_add(size.map_err(|_| MISSING)?)
        .ok_or(MISSING)?;
    if end > container.len() {
        return Err(MISSING);
    }
    Ok(Found {
        content_type: member.content_type.clone(),
        hashes: None,
        content: Arc::new(Content::Memory(container.slice(start..end))),
    })
}

/// Tells what is known before the content comes, and refuses what is too big.
fn announce(fetcher: &Fetcher, document: &Document) -> Result<(), FetchError> {
    let (meter, size) = (&fetcher.meter, document.size());
    if let Some(content_type) = document.content_type() {
        meter.tell(Event::ExpectedMime(content_type.to_owned()));
    }
    meter.tell(Event::ExpectedSize(size));
    if let Some(hashes) = document.hashes() {
        meter.tell(Event::ExpectedHashes(*hashes));
    }
    check_size(
        fetcher,
        size,
        document.content.stored_size(),
        document.content_type(),
    )
}

/// Refuses what is larger than the caller wants.
fn check_size(
    fetcher: &Fetcher,
    size: u64,
    stored_size: u64,
    content_type: Option<&str>,
) -> Result<(), FetchError> {
    let content_type = || content_type.map(str::to_owned);
    match fetcher.options.size_max {
        Some(size_max) if size > size_max => Err(FetchError::TooBig {
            size,
            size_max,
            content_type: content_type(),
        }),
        None if size > BLOATED_MIN && size / EXPANSION_MAX > stored_size => {
            Err(FetchError::Bloated {
                size,
                stored_size,
                content_type: content_type(),
            })
        }
        _ => Ok(()),
    }
}

impl Direct {
    fn found(&self) -> Found {
        let hashes = Hashes {
            blake3: *blake3::hash(&self.data).as_bytes(),
            sha256: <sha2::Sha256 as sha2::Digest>::digest(&self.data).into(),
        };
        Found {
            content_type: self.content_type.clone(),
            hashes: Some(hashes),
            content: Arc::new(Content::Memory(Bytes::from(self.data.clone()))),
        }
    }
}

impl File {
    fn found(&self, fetcher: &Arc<Fetcher>) -> Found {
        let hashes = Hashes {
            blake3: self.packed.blake3,
            sha256: self.sha256,
        };
        Found {
            content_type: self.content_type.clone(),
            hashes: Some(hashes),
            content: Content::packed(Arc::clone(fetcher), self.packed.clone()),
        }
    }
}
