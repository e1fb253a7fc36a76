//! Why a fetch or an insert failed, in words for people and with the numbers that FCP clients know.

use std::sync::Arc;

use crypto::Uri;

use super::Listing;
use super::network::{BlockFetchError, BlockInsertError, NO_CIRCUIT};

/// Why a document could not be had.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// The network was searched in full and nobody had the block that everything begins with.
    #[error("the network was searched and nobody had it")]
    DataNotFound,
    /// There is nobody to ask.
    #[error("no other node could be asked: this node has no connection to one, or all refused")]
    RouteNotFound,
    /// There was no circuit to hide it in.
    #[error("{NO_CIRCUIT}")]
    NoCircuit,
    /// The node or its peers have too much to do.
    #[error("this node or its neighbours are overloaded; try again later")]
    Overloaded,
    /// Nobody answered in time.
    #[error("the other nodes did not answer in time; try again")]
    TimedOut,
    /// It was searched for a moment ago without success.
    #[error("it was searched for a moment ago and not found; try again in a minute")]
    RecentlyFailed,
    /// Too few blocks of a segment could be found.
    #[error(
        "only {found} of the {needed} blocks needed for a part of it were found ({total} were stored once)"
    )]
    Splitfile {
        /// Blocks of the segment that were found.
        found: u32,
        /// Blocks of the segment that are needed.
        needed: u32,
        /// Blocks that the segment has.
        total: u32,
    },
    /// The site has nothing under this name.
    #[error("the site exists, but it has nothing called \"{name}\"")]
    NotInArchive {
        /// The path that is missing.
        name: String,
    },
    /// The path names a folder without a default document.
    #[error("the address is a folder without a default document")]
    DirectoryWithoutIndex {
        /// What the folder holds.
        listing: Arc<Listing>,
    },
    /// The path names a folder and lacks the slash at the end.
    #[error("the address is a folder: it needs a slash at its end")]
    NotEnoughPathComponents {
        /// The address with the slash.
        redirect: Box<Uri>,
    },
    /// The path goes on where a file was found.
    #[error("the address goes on behind a file")]
    TooManyPathComponents {
        /// The address without the excess.
        redirect: Box<Uri>,
    },
    /// A newer edition exists, and the caller wanted to be sent there.
    #[error("a newer edition exists")]
    PermanentRedirect {
        /// The address of the newer edition.
        redirect: Box<Uri>,
    },
    /// Larger than the caller wanted.
    #[error("it has {size} bytes, which is more than the limit of {size_max}")]
    TooBig {
        /// Bytes of the content.
        size: u64,
        /// Bytes allowed.
        size_max: u64,
        /// Type of the content, where known.
        content_type: Option<String>,
    },
    /// It unpacks to so many times what is stored of it that it may be meant to fill disks, and the caller named no limit
    /// that it keeps to.
    #[error(
        "it unpacks from {stored_size} bytes to {size}, which may be meant to fill disks; to have it all the same, ask for it with a size limit that it keeps to"
    )]
    Bloated {
        /// Bytes of the content.
        size: u64,
        /// Bytes of its stored form.
        stored_size: u64,
        /// Type of the content, where known.
        content_type: Option<String>,
    },
    /// Redirects in a circle, or more than are followed.
    #[error("it redirects too often")]
    TooManyRedirects,
    /// Metadata that points to metadata, too often.
    #[error("its metadata is nested too deeply")]
    TooManyMetadataLevels,
    /// The metadata makes no sense.
    #[error("its metadata makes no sense: {0}")]
    InvalidMetadata(&'static str),
    /// The metadata was written by a version of the format that this one does not know.
    #[error("its metadata has version {0}, which this program does not know; a newer one may")]
    UnknownMetadataVersion(u8),
    /// The metadata is larger than any that is accepted.
    #[error("its metadata has {0} bytes, which is more than is accepted")]
    MetadataTooBig(u64),
    /// A block could not be decrypted with the key of the address.
    #[error("a block could not be decrypted with the key in the address")]
    BlockDecode,
    /// A container could not be unpacked.
    #[error("the container could not be unpacked: {0}")]
    Archive(&'static str),
    /// What was put together is not what was published.
    #[error("the content does not have the hash that its metadata states")]
    HashCheckFailed,
    /// The address cannot be fetched.
    #[error("the address cannot be fetched: {0}")]
    InvalidUri(String),
    /// Writing to the disk failed.
    #[error("writing failed: {message}")]
    Io {
        /// The kind of the failure.
        kind: std::io::ErrorKind,
        /// The system's words.
        message: String,
    },
    /// The fetch was given up.
    #[error("cancelled")]
    Cancelled,
    /// The node is going down.
    #[error("this node is shutting down")]
    ShuttingDown,
    /// A defect of this program.
    #[error("something went wrong in this node: {0}")]
    Internal(&'static str),
}

impl FetchError {
    /// The number of this failure in the message `GetFailed` of FCP.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::UnknownMetadataVersion(_) => 3,
            Self::InvalidMetadata(_) => 4,
            Self::Archive(_) => 5,
            Self::BlockDecode => 6,
            Self::TooManyMetadataLevels => 7,
            Self::NotInArchive { .. } | Self::DirectoryWithoutIndex { .. } => 10,
            Self::TooManyPathComponents { .. } => 11,
            Self::Io { kind, .. } if *kind == std::io::ErrorKind::StorageFull => 37,
            Self::Io { .. } => 12,
            Self::DataNotFound => 13,
            Self::RouteNotFound | Self::NoCircuit => 14,
            Self::Overloaded => 15,
            Self::TooManyRedirects => 16,
            Self::Internal(_) => 17,
            Self::TimedOut => 18,
            Self::Splitfile { .. } => 19,
            Self::InvalidUri(_) => 20,
            Self::TooBig { .. } | Self::Bloated { .. } => 21,
            Self::MetadataTooBig(_) => 22,
            Self::NotEnoughPathComponents { .. } => 24,
            Self::Cancelled | Self::ShuttingDown => 25,
            Self::PermanentRedirect { .. } => 27,
            Self::RecentlyFailed => 30,
            Self::HashCheckFailed => 34,
        }
    }

    /// Whether trying again later is of no use.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !matches!(self.code(), 13 | 14 | 15 | 18 | 19 | 28 | 30)
    }

    /// The address to use instead, if this failure knows one.
    #[must_use]
    pub fn redirect(&self) -> Option<&Uri> {
        match self {
            Self::NotEnoughPathComponents { redirect }
            | Self::TooManyPathComponents { redirect }
            | Self::PermanentRedirect { redirect } => Some(redirect),
            _ => None,
        }
    }
}

impl From<BlockFetchError> for FetchError {
    fn from(error: BlockFetchError) -> Self {
        match error {
            BlockFetchError::NotFound => Self::DataNotFound,
            BlockFetchError::RouteNotFound => Self::RouteNotFound,
            BlockFetchError::NoCircuit => Self::NoCircuit,
            BlockFetchError::RecentlyFailed { .. } => Self::RecentlyFailed,
            BlockFetchError::Overloaded => Self::Overloaded,
            BlockFetchError::TimedOut => Self::TimedOut,
            BlockFetchError::Cancelled => Self::Cancelled,
            BlockFetchError::ShuttingDown => Self::ShuttingDown,
        }
    }
}

impl From<std::io::Error> for FetchError {
    fn from(error: std::io::Error) -> Self {
        Self::Io {
            kind: error.kind(),
            message: error.to_string(),
        }
    }
}

/// Why something could not be inserted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InsertError {
    /// The address cannot be inserted to, or the file names make no sense.
    #[error("it cannot be inserted there: {0}")]
    InvalidUri(String),
    /// The address carries a path behind the name of the document.
    #[error("an insert address must not have a path behind the name of the document")]
    PathNotSupported,
    /// The source could not be read, or a temporary file could not be written.
    #[error("reading or writing failed: {message}")]
    Io {
        /// The kind of the failure.
        kind: std::io::ErrorKind,
        /// The system's words.
        message: String,
    },
    /// The source has been changed while it was inserted.
    #[error("the file changed while it was being inserted; insert it again")]
    SourceChanged,
    /// The node or its peers have too much to do.
    #[error("this node or its neighbours are overloaded; try again later")]
    Overloaded,
    /// There is nobody to give it to.
    #[error("no other node could be asked: this node has no connection to one, or all refused")]
    RouteNotFound,
    /// There was no circuit to hide it in.
    #[error("{NO_CIRCUIT}")]
    NoCircuit,
    /// Some blocks could not be stored, however often they were tried.
    #[error("a block could not be stored after {attempts} attempts: {last}")]
    TooManyRetries {
        /// Attempts made.
        attempts: u32,
        /// The last failure.
        last: String,
    },
    /// Something else is published under the key.
    #[error("something else is already published under this key")]
    Collision {
        /// The address, which leads to what is there.
        existing: Option<Box<Uri>>,
    },
    /// More files than one site may have, or none.
    #[error("a site must have between 1 and {files_max} files, not {files}")]
    TooManyFiles {
        /// Files given.
        files: usize,
        /// Files allowed.
        files_max: usize,
    },
    /// Larger than the format can describe.
    #[error("it has {size} bytes, which is more than the limit of {size_max}")]
    TooBig {
        /// Bytes of the content.
        size: u64,
        /// Bytes allowed.
        size_max: u64,
    },
    /// The insert was given up.
    #[error("cancelled")]
    Cancelled,
    /// The node is going down.
    #[error("this node is shutting down")]
    ShuttingDown,
    /// A defect of this program.
    #[error("something went wrong in this node: {0}")]
    Internal(&'static str),
}

impl InsertError {
    /// The number of this failure in the message `PutFailed` of FCP.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::InvalidUri(_) => 1,
            Self::Io { .. } | Self::SourceChanged => 2,
            Self::Internal(_) => 3,
            Self::Overloaded => 4,
            Self::RouteNotFound | Self::NoCircuit => 5,
            Self::TooManyRetries { .. } => 7,
            Self::Collision { .. } => 9,
            Self::Cancelled | Self::ShuttingDown => 10,
            Self::PathNotSupported => 11,
            Self::TooManyFiles { .. } => 13,
            Self::TooBig { .. } => 14,
        }
    }

    /// Whether trying again later is of no use.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !matches!(self.code(), 4 | 5 | 7 | 8)
    }

    /// The failure of a block that was tried `attempts` times.
    pub(crate) fn from_block(error: &BlockInsertError, attempts: u32) -> Self {
        match error {
            BlockInsertError::Collision(_) => Self::Collision { existing: None },
            BlockInsertError::RouteNotFound => Self::RouteNotFound,
            BlockInsertError::NoCircuit => Self::NoCircuit,
            BlockInsertError::Overloaded => Self::Overloaded,
            BlockInsertError::TimedOut | BlockInsertError::StoreFailed => Self::TooManyRetries {
                attempts,
                last: error.to_string(),
            },
            BlockInsertError::Cancelled => Self::Cancelled,
            BlockInsertError::ShuttingDown => Self::ShuttingDown,
        }
    }
}

impl From<std::io::Error> for InsertError {
    fn from(error: std::io::Error) -> Self {
        Self::Io {
            kind: error.kind(),
            message: error.to_string(),
        }
    }
}
