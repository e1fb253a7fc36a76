//! What callers ask of the client layer.

use std::path::PathBuf;

use bytes::Bytes;
use crypto::{FileKey, InsertUri, Uri};

use routing::Group;

use super::checked_file::CheckedFile;
use super::hiding::Hiding;
use super::network::Class;

/// How a document is to be looked for.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// How urgent it is.
    pub class: Class,
    /// Where it may be looked for.
    pub reach: Reach,
    /// Bytes the content may have at most. Without a limit, content above 64 MiB that unpacks to more than a thousand
    /// times its stored form is refused with [`FetchError::Bloated`](super::FetchError::Bloated).
    pub size_max: Option<u64>,
    /// What to do about newer editions of an updatable site.
    pub usk: UskPolicy,
    /// How often blocks that were not found are looked for again. `u32::MAX` is for ever.
    pub retries: u32,
    /// How hidden it is; `None` as the node is set up.
    pub hiding: Option<Hiding>,
    /// With what it may be seen together; `None` with nothing else.
    pub group: Option<Group>,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            class: Class::Bulk,
            reach: Reach::Network,
            size_max: None,
            usk: UskPolicy::Latest,
            retries: 0,
            hiding: None,
            group: None,
        }
    }
}

/// How far a fetch may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Other nodes may be asked.
    Network,
    /// Only the node's own store is looked into.
    StoreOnly,
}

/// What to do about newer editions. A negative edition always asks for a thorough search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UskPolicy {
    /// Opens the edition that the address names, without looking for newer ones.
    Exact,
    /// Opens the newest edition that is found, at least the one that the address names.
    Latest,
    /// As `Latest`, but ends in [`FetchError::PermanentRedirect`](super::FetchError::PermanentRedirect) when the newest
    /// one is not the one that the address names.
    Redirect,
}

/// Something to insert.
#[derive(Debug)]
pub struct InsertRequest {
    /// Where to. A `CHK@` or `SSK@` target may carry one path part, which is the file's name.
    pub target: InsertUri,
    /// What.
    pub source: Source,
    /// Its content type. Without one and without a name, up to 32 KiB are stored as they are, without metadata; with a
    /// name only, the type is guessed from it.
    pub content_type: Option<String>,
    /// The name of the file behind a key that carries none: `CHK@…/name`. Ignored for other keys.
    pub file_name: Option<String>,
    /// How it is done.
    pub options: InsertOptions,
}

/// How an insert is done.
#[derive(Clone, Debug)]
pub struct InsertOptions {
    /// Which key the blocks are sealed with.
    pub key_choice: KeyChoice,
    /// Whether to compress what gains from it.
    pub compress: bool,
    /// How urgent it is.
    pub class: Class,
    /// Computes the address only; nothing goes to the network. Needs a target whose address follows from the content.
    pub address_only: bool,
    /// How hidden it is; `None` as the node is set up.
    pub hiding: Option<Hiding>,
}

impl Default for InsertOptions {
    fn default() -> Self {
        Self {
            key_choice: KeyChoice::Random,
            compress: true,
            class: Class::Bulk,
            address_only: false,
            hiding: None,
        }
    }
}

/// The content of an insert.
#[derive(Clone, Debug)]
pub enum Source {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A regular file. It is read twice and must not change meanwhile.
    File(PathBuf),
    /// As `File`; it must be the one that was looked at before.
    Checked(CheckedFile),
    /// No content: whoever asks is sent to this address.
    Redirect(Uri),
}

/// Which key the blocks of a file are sealed with.
#[derive(Clone, Debug)]
pub enum KeyChoice {
    /// Derived from the content: the same file always gets the same address, and inserting it again heals it. Whoever
    /// has the file can recognise its blocks.
    Convergent,
    /// Random: nobody can recognise the blocks.
    Random,
    /// Chosen by the caller.
    Given(FileKey),
}

/// A site to insert.
#[derive(Debug)]
pub struct SiteRequest {
    /// Where to.
    pub target: InsertUri,
    /// Its files.
    pub files: Vec<SiteFile>,
    /// The name of the file that folders show: `index.html` unless told otherwise. At the root it must be the full
    /// name of a file; in folders, a file of this name is shown.
    pub default_name: Option<String>,
    /// How it is done.
    pub options: InsertOptions,
}

/// A file of a site.
#[derive(Clone, Debug)]
pub struct SiteFile {
    /// Its path within the site, parts separated by `/`.
    pub name: String,
    /// Its content, or the address it redirects to.
    pub source: Source,
    /// Its content type; guessed from the name if not given.
    pub content_type: Option<String>,
}

/// What an insert led to.
#[derive(Clone, Debug, PartialEq)]
pub struct Inserted {
    /// The address for readers, with the edition that was used and the name, if there is one.
    pub uri: Uri,
}

/// Hashes of a whole content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashes {
    /// BLAKE3.
    pub blake3: [u8; 32],
    /// SHA-256.
    pub sha256: [u8; 32],
}

/// What a folder of a site holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Its files and folders, by name.
    pub entries: Vec<ListingEntry>,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingEntry {
    /// The name within the folder.
    pub name: String,
    /// What it is.
    pub kind: ListingKind,
}

/// What a name in a folder stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListingKind {
    /// Another folder.
    Folder,
    /// A file.
    File {
        /// Bytes of the file.
        size: u64,
        /// Its declared type.
        content_type: Option<String>,
    },
    /// A redirect to another address.
    Redirect,
}
