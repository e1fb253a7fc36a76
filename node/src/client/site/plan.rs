//! Which files of a site lie together, and which of them in the manifest.

use crate::client::error::InsertError;
use crate::client::geometry::{KEY_LEN, SHARD_LEN};
use crate::client::insert::KEYS_FEW;
use crate::client::manifest::{CONTAINER_LEN_MAX, Entry, Item};
use crate::client::request::{SiteFile, Source};
use crate::client::source::open_source;

/// Larger files are stored each for itself: a container should hold a dozen files at least, or it saves nothing.
const SMALL_MAX: u64 = 128 << 10;
/// Bytes of files that a manifest carries, in one block with it: all small files if they are together no larger, else the
/// first page and what goes with it. Whoever opens the site then waits for one block instead of two after each other.
const INLINE_MAX: u64 = 24 << 10;
/// What a name takes in a manifest beside itself and its type, rounded up.
const ENTRY_LEN: u64 = 24;
/// What a manifest takes to say where something larger lies: keys, and hashes, sizes and the like, rounded up.
const PACKED_LEN: u64 = KEYS_FEW as u64 * KEY_LEN + 192;

/// The files of a site, by how they are stored.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) redirects: Vec<Entry>,
    /// Files that are stored each for itself, with their sizes.
    pub(super) large: Vec<(SiteFile, u64)>,
    pub(super) containers: Vec<Planned>,
}

/// Files that are to lie in one container, with their sizes.
pub(super) struct Planned {
    pub(super) files: Vec<(SiteFile, u64)>,
    len: u64,
    /// It is part of the manifest.
    pub(super) inline: bool,
}

impl Plan {
    /// Looks at the size of every file.
    pub(super) fn new(
        mut files: Vec<SiteFile>,
        default_name: Option<&str>,
    ) -> Result<Self, InsertError> {
        // What a page needs first comes first: it then lies in the same container.
        files.sort_by_cached_key(|file| (rank(file, default_name), file.name.clone()));
        let mut plan = Self::default();
        let mut small = Vec::new();
        let mut names_len = 0;
        for file in files {
            names_len += entry_len(&file);
            if let Source::Redirect(uri) = &file.source {
                let item = Item::Redirect(uri.into());
                plan.redirects.push(Entry {
                    name: file.name,
                    item,
                });
                continue;
            }
            let (_, size) = open_source(&file.source)?;
            if size > SMALL_MAX {
                names_len += PACKED_LEN;
                plan.large.push((file, size));
            } else {
                small.push((file, size));
            }
        }
        let (inline, packed) = split(small, default_name, names_len);
        if !inline.is_empty() {
            plan.containers.push(Planned {
                len: inline.iter().map(|(_, size)| size).sum(),
                files: inline,
                inline: true,
            });
        }
        for (file, size) in packed {
            plan.pack(file, size);
        }
        Ok(plan)
    }

    fn pack(&mut self, file: SiteFile, size: u64) {
        let len_max = u64::from(CONTAINER_LEN_MAX);
        let last = self.containers.last_mut();
        match last.filter(|last| !last.inline && last.len + size <= len_max) {
            Some(container) => {
                container.files.push((file, size));
                container.len += size;
            }
            None => self.containers.push(Planned {
                files: vec![(file, size)],
                len: size,
                inline: false,
            }),
        }
    }
}

/// Small files with their sizes, in the order in which they are stored.
type Small = Vec<(SiteFile, u64)>;

/// Which small files the manifest carries, and which not. `names_len` is what it takes without them.
fn split(small: Small, default_name: Option<&str>, names_len: u64) -> (Small, Small) {
    let all: u64 = small.iter().map(|(_, size)| size).sum();
    if all <= INLINE_MAX {
        return (small, Vec::new());
    }
    let containers = all.div_ceil(u64::from(CONTAINER_LEN_MAX)) + 1;
    let taken = names_len + containers * PACKED_LEN;
    let mut room = SHARD_LEN.saturating_sub(taken).min(INLINE_MAX);
    let rank_of = |file: &SiteFile| rank(file, default_name);
    let first = small.first();
    // Without the page, what goes with it is of no use earlier
    if first.is_none_or(|(file, size)| rank_of(file) != Rank::Default || *size > room) {
        return (Vec::new(), small);
    }
    small.into_iter().partition(|(file, size)| {
        let fits = rank_of(file) < Rank::Rest && *size <= room;
        if fits {
            room -= size;
        }
        fits
    })
}

/// At most what the name of a file and its type take in a manifest.
fn entry_len(file: &SiteFile) -> u64 {
    let content_type = file.content_type.as_ref().map_or(0, String::len);
    let address = match &file.source {
        Source::Redirect(uri) => uri.to_string().len(),
        Source::Bytes(_) | Source::File(_) | Source::Checked(_) => 0,
    };
    (file.name.len() + content_type + address) as u64 + ENTRY_LEN
}

/// How soon somebody who opens a site needs a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// What its root shows.
    Default,
    /// What shapes that.
    Style,
    /// Other pages.
    Page,
    /// Pictures and the like.
    Rest,
}

fn rank(file: &SiteFile, default_name: Option<&str>) -> Rank {
    if Some(file.name.as_str()) == default_name {
        return Rank::Default;
    }
    match file.content_type.as_deref() {
        Some("text/css" | "text/javascript") => Rank::Style,
        Some("text/html" | "application/xhtml+xml") => Rank::Page,
        _ => Rank::Rest,
    }
}
