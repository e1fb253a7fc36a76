//! Sites: many documents under one address, by their names.

use serde::{Deserialize, Serialize};

use super::metadata::{File, Packed, RedirectTarget, bounded, check_content_type};
use super::request::{Listing, ListingEntry, ListingKind};

/// Most files of a site.
pub(crate) const ENTRIES_MAX: usize = 100_000;
/// Most containers of a site: all files of the largest site, at a fifth of a container each.
const CONTAINERS_MAX: usize = 20_000;
/// Bytes of the longest name.
const NAME_LEN_MAX: usize = 1024;

/// Most bytes of the files in a container. It is fetched and unpacked as a whole, so it bounds what the first page of a
/// site costs.
pub(crate) const CONTAINER_LEN_MAX: u32 = 2 << 20;

/// What a site is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The name of the file that a folder shows.
    pub(crate) default_name: Option<String>,
    /// Where the small files lie, many in one.
    #[serde(deserialize_with = "bounded::deserialize::<CONTAINERS_MAX, _, _>")]
    pub(crate) containers: Vec<Container>,
    /// All names, in order.
    #[serde(deserialize_with = "bounded::deserialize::<ENTRIES_MAX, _, _>")]
    pub(crate) entries: Vec<Entry>,
}

/// Many small files, one behind the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Container {
    /// Here in the manifest: as one frame, see [`frames`](super::frames).
    Inline {
        /// Bytes unpacked.
        size: u32,
        /// The frame.
        frame: Vec<u8>,
    },
    /// In blocks of its own.
    Packed(Packed),
}

/// A name and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Path within the site.
    pub(crate) name: String,
    /// What is there.
    pub(crate) item: Item,
}

/// What a name of a site stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Item {
    /// A file in a container.
    Member(Member),
    /// A file of its own.
    File(File),
    /// Another address.
    Redirect(RedirectTarget),
}

/// A file in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Declared type.
    pub(crate) content_type: Option<String>,
    /// Which container.
    pub(crate) container: u32,
    /// Where it begins in the unpacked container.
    pub(crate) offset: u32,
    /// Bytes.
    pub(crate) size: u32,
}

/// What a path in a site leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lookup<'a> {
    /// A file.
    Found(&'a Item),
    /// Another address, to which the rest of the path is to be appended.
    Redirect(&'a RedirectTarget, &'a [String]),
    /// A folder, without the slash that a folder's address ends with.
    FolderWithoutSlash,
    /// A folder that shows no file of its own.
    FolderWithoutDefault,
    /// A file, but the path goes on behind its first so many parts.
    BehindFile(usize),
    /// Nothing.
    Missing,
}

/// Refuses names that could lead out of a folder, or that no address can express.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.len() > NAME_LEN_MAX {
        return Err("a file name is too long");
    }
    if name.chars().any(char::is_control) {
        return Err("a file name has a control character");
    }
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("a file name has an empty part, or one that is \".\" or \"..\"");
    }
    Ok(())
}

impl Manifest {
    /// Checks what the types do not: names in order and decent, files within their containers.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.default_name.as_deref().map_or(Ok(()), check_name)?;
        for container in &self.containers {
            if container.size() > u64::from(CONTAINER_LEN_MAX) {
                return Err("a container is too large");
            }
            if let Container::Packed(packed) = container {
                packed.check()?;
            }
        }
        if !self.entries.is_sorted_by(|a, b| a.name < b.name) {
            return Err("its names are not in order");
        }
        for entry in &self.entries {
            check_name(&entry.name)?;
            match &entry.item {
                Item::Member(member) => self.check_member(member)?,
                Item::File(file) => file.check()?,
                Item::Redirect(_) => {}
            }
        }
        Ok(())
    }

    /// A guess at the bytes it takes in memory.
    pub(crate) fn memory(&self) -> usize {
        let container = |container: &Container| match container {
            Container::Inline { frame, .. } => frame.len(),
            Container::Packed(packed) => packed.stored.keys.len() * 32,
        };
        let entry = |entry: &Entry| {
            let more = match &entry.item {
                Item::File(file) => file.packed.stored.keys.len() * 32,
                Item::Redirect(target) => target.memory(),
                Item::Member(_) => 0,
            };
            size_of::<Entry>() + entry.name.len() + more
        };
        self.containers.iter().map(container).sum::<usize>()
            + self.entries.iter().map(entry).sum::<usize>()
    }

    fn check_member(&self, member: &Member) -> Result<(), &'static str> {
        check_content_type(member.content_type.as_deref())?;
        let container = usize::try_from(member.container)
            .ok()
            .and_then(|index| self.containers.get(index));
        let container = container.ok_or("a file lies in a container that does not exist")?;
        if u64::from(member.offset) + u64::from(member.size) > container.size() {
            return Err("a file reaches beyond the end of its container");
        }
        Ok(())
    }

    /// Finds what `path` leads to. An empty last part means that the path ended with a slash.
    pub(crate) fn lookup<'a>(&'a self, path: &'a [String]) -> Lookup<'a> {
        let Some((last, folders)) = path.split_last() else {
            return Lookup::FolderWithoutSlash;
        };
        let found = if last.is_empty() {
            self.lookup_folder(folders)
        } else {
            self.lookup_name(path)
        };
        match found {
            Lookup::Missing => self.lookup_prefix(path),
            found => found,
        }
    }

    /// What the folder `prefix` (empty, or ending with a slash) holds.
    pub(crate) fn listing(&self, prefix: &str) -> Listing {
        let mut listing = Listing::default();
        for entry in self.entries_in(prefix) {
            let rest = entry.name.strip_prefix(prefix).unwrap_or_default();
            let (name, kind) = match rest.split_once('/') {
                Some((folder, _)) => (folder, ListingKind::Folder),
                None => (rest, entry.item.listing_kind()),
            };
            // Everything in a folder stands together, since the names are in order.
            let same_folder =
                |last: &ListingEntry| last.name == name && last.kind == ListingKind::Folder;
            if !listing.entries.last().is_some_and(same_folder) {
                listing.entries.push(ListingEntry {
                    name: name.to_owned(),
                    kind,
                });
            }
        }
        listing
    }

    fn lookup_folder(&self, folders: &[String]) -> Lookup<'_> {
        let prefix = folder_prefix(folders);
        let default = self
            .default_name
            .as_ref()
            .and_then(|name| self.item(&format!("{prefix}{name}")));
        match default {
            Some(Item::Redirect(target)) => Lookup::Redirect(target, &[]),
            Some(item) => Lookup::Found(item),
            None if folders.is_empty() || self.entries_in(&prefix).next().is_some() => {
                Lookup::FolderWithoutDefault
            }
            None => Lookup::Missing,
        }
    }

    fn lookup_name(&self, path: &[String]) -> Lookup<'_> {
        match self.item(&path.join("/")) {
            Some(Item::Redirect(target)) => Lookup::Redirect(target, &[]),
            Some(item) => Lookup::Found(item),
            None if self.entries_in(&folder_prefix(path)).next().is_some() => {
                Lookup::FolderWithoutSlash
            }
            None => Lookup::Missing,
        }
    }

    /// Looks for a file or a redirect that a first part of `path` names.
    fn lookup_prefix<'a>(&'a self, path: &'a [String]) -> Lookup<'a> {
        for parts in (1..path.len()).rev() {
            let (front, rest) = path.split_at(parts);
            match self.item(&front.join("/")) {
                Some(Item::Redirect(target)) => return Lookup::Redirect(target, rest),
                Some(Item::Member(_) | Item::File(_)) => return Lookup::BehindFile(parts),
                None => {}
            }
        }
        Lookup::Missing
    }

    fn item(&self, name: &str) -> Option<&Item> {
        let place = self
            .entries
            .binary_search_by(|entry| entry.name.as_str().cmp(name))
            .ok()?;
        self.entries.get(place).map(|entry| &entry.item)
    }

    fn entries_in<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Entry> {
        let first = self
            .entries
            .partition_point(|entry| entry.name.as_str() < prefix);
        let rest = self.entries.get(first..).unwrap_or_default();
        rest.iter()
            .take_while(move |entry| entry.name.starts_with(prefix))
    }
}

/// The names in the folder with these parts begin with this.
pub(crate) fn folder_prefix(folders: &[String]) -> String {
    let mut prefix = folders.join("/");
    if !folders.is_empty() {
        prefix.push('/');
    }
    prefix
}

impl Container {
    /// Bytes unpacked.
    pub(crate) const fn size(&self) -> u64 {
        match self {
            // `u64::from` is not const yet.
            Self::Inline { size, .. } => *size as u64,
            Self::Packed(packed) => packed.size,
        }
    }
}

impl Item {
    fn listing_kind(&self) -> ListingKind {
        match self {
            Self::Member(member) => ListingKind::File {
                size: u64::from(member.size),
                content_type: member.content_type.clone(),
            },
            Self::File(file) => ListingKind::File {
                size: file.packed.size,
                content_type: file.content_type.clone(),
            },
            Self::Redirect(_) => ListingKind::Redirect,
        }
    }
}

#[cfg(test)]
mod tests;
