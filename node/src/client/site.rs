//! Inserts a site: small files together in containers, large ones each for itself, and a manifest with all names.

mod plan;

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::error::InsertError;
use super::insert::{KEYS_FEW, file, guessed_type, inline_container, pack};
use super::inserter::Inserter;
use super::manifest::{Container, ENTRIES_MAX, Entry, Item, Manifest, Member, check_name};
use super::metadata::{Metadata, check_content_type};
use super::progress::Meter;
use super::request::{Inserted, SiteFile, SiteRequest};
use super::source::{open_source, prepare};
use super::target::Target;
use plan::{Plan, Planned};

/// Inserts what `request` describes.
pub(crate) async fn insert_site(
    inserter: &Arc<Inserter>,
    request: SiteRequest,
) -> Result<Inserted, InsertError> {
    let SiteRequest {
        target,
        files,
        default_name,
        options: _,
    } = request;
    if !target.path().is_empty() {
        return Err(InsertError::PathNotSupported);
    }
    let files = checked(files)?;
    let default_name = default_name.or_else(|| usual_default(&files));
    if let Some(name) = &default_name {
        check_name(name).map_err(|why| InsertError::InvalidUri(why.to_owned()))?;
    }
    let target = Target::new(inserter, target).await?;

    let planning = {
        let default_name = default_name.clone();
        tokio::task::spawn_blocking(move || Plan::new(files, default_name.as_deref()))
    };
    let plan = planning.await.map_err(|_| LOST)??;
    let mut entries = plan.redirects;
    entries.extend(large_items(inserter, plan.large).await?);
    let mut containers = Vec::with_capacity(plan.containers.len());
    for planned in plan.containers {
        let (container, members) = container(inserter, containers.len(), planned).await?;
        containers.push(container);
        entries.extend(members);
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = Manifest {
        default_name,
        containers,
        entries,
    };
    manifest.check().map_err(InsertError::Internal)?;
    target.put(inserter, Metadata::Manifest(manifest)).await
}

const LOST: InsertError =
    InsertError::Internal("reading or storing a file of the site failed unexpectedly");

/// Refuses too many files, bad names and types, and names that occur twice. Guesses missing types.
fn checked(mut files: Vec<SiteFile>) -> Result<Vec<SiteFile>, InsertError> {
    if files.is_empty() || files.len() > ENTRIES_MAX {
        return Err(InsertError::TooManyFiles {
            files: files.len(),
            files_max: ENTRIES_MAX,
        });
    }
    let mut names = BTreeSet::new();
    for file in &mut files {
        check_name(&file.name)
            .and_then(|()| check_content_type(file.content_type.as_deref()))
            .map_err(|why| InsertError::InvalidUri(format!("{why}: {}", file.name)))?;
        if !names.insert(file.name.clone()) {
            return Err(InsertError::InvalidUri(format!(
                "two files have the same name: {}",
                file.name
            )));
        }
        file.content_type = file
            .content_type
            .take()
            .or_else(|| guessed_type(&file.name));
    }
    Ok(files)
}

/// The file that the root shows if the caller did not say.
fn usual_default(files: &[SiteFile]) -> Option<String> {
    let usual = ["index.html", "index.htm", "index.xhtml"];
    let exists = |name: &&str| files.iter().any(|file| file.name == **name);
    usual.iter().copied().find(exists).map(str::to_owned)
}

/// Reads the files of container `number` and stores it.
async fn container(
    inserter: &Arc<Inserter>,
    number: usize,
    planned: Planned,
) -> Result<(Container, Vec<Entry>), InsertError> {
    let inline = planned.inline;
    let reading = tokio::task::spawn_blocking(move || read_container(number, planned.files));
    let (content, members) = reading.await.map_err(|_| LOST)??;
    let container = if inline {
        inline_container(&content)?
    } else {
        Container::Packed(pack(inserter, Bytes::from(content), KEYS_FEW).await?)
    };
    Ok((container, members))
}

fn read_container(
    number: usize,
    files: Vec<(SiteFile, u64)>,
) -> Result<(Vec<u8>, Vec<Entry>), InsertError> {
    let bounded = |number: usize| {
        u32::try_from(number).map_err(|_| InsertError::Internal("a container is too large"))
    };
    let (mut content, mut members) = (Vec::new(), Vec::with_capacity(files.len()));
    for (file, size) in files {
        let (body, _) = open_source(&file.source)?;
        let offset = content.len();
        let read = body.take(size + 1).read_to_end(&mut content)?;
        if read as u64 != size {
            return Err(InsertError::SourceChanged);
        }
        let item = Item::Member(Member {
            content_type: file.content_type,
            container: bounded(number)?,
            offset: bounded(offset)?,
            size: bounded(read)?,
        });
        members.push(Entry {
            name: file.name,
            item,
        });
    }
    Ok((content, members))
}

/// Stores large files, as many at the same time as memory allows.
async fn large_items(
    inserter: &Arc<Inserter>,
    files: Vec<(SiteFile, u64)>,
) -> Result<Vec<Entry>, InsertError> {
    let room = Arc::new(Semaphore::new(MEMORY_UNITS as usize));
    let mut tasks = JoinSet::new();
    let mut entries = Vec::with_capacity(files.len());
    for (file, size) in files {
        let units =
            u32::try_from(size / MEMORY_UNIT).map_or(UNITS_MAX, |units| units.clamp(1, UNITS_MAX));
        let permit = Arc::clone(&room)
            .acquire_many_owned(units)
            .await
            .map_err(|_| LOST)?;
        while let Some(entry) = tasks.try_join_next() {
            entries.push(entry.map_err(|_| LOST)??);
        }
        let inserter = Arc::clone(inserter);
        tasks.spawn(async move {
            let _permit = permit;
            large_item(inserter, file).await
        });
    }
    while let Some(entry) = tasks.join_next().await {
        entries.push(entry.map_err(|_| LOST)??);
    }
    Ok(entries)
}

/// Memory for files stored at the same time is counted in units of this many bytes of content, …
const MEMORY_UNIT: u64 = 256 << 10;
/// … of which there are so many: 8 MiB of content, about four times that with everything made from it.
const MEMORY_UNITS: u32 = 32;
/// A file has no more than one segment of 4 MiB in memory.
const UNITS_MAX: u32 = 16;

async fn large_item(inserter: Arc<Inserter>, site_file: SiteFile) -> Result<Entry, InsertError> {
    let SiteFile {
        name,
        source,
        content_type,
    } = site_file;
    let preparation = inserter.preparation(content_type.clone());
    let quiet = Arc::new(Meter::default());
    let prepared = prepare(source, preparation, quiet).await?;
    let item = Item::File(file(&inserter, prepared, content_type, KEYS_FEW).await?);
    Ok(Entry { name, item })
}
