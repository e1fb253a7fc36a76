//! `ClientGet`.

use std::path::PathBuf;
use std::sync::Arc;

use crypto::Uri;
use tokio::io::AsyncWriteExt;

use crate::client::{
    Document, EventSink, FetchError, FetchOptions, Reach, UskPolicy, event_channel,
};

use super::connection::{Connection, Stop};
use super::dda::NewFile;
use super::dispatch::{RequestFields, class, hiding};
use super::failure::GetFailure;
use super::message::{Flag, Message};
use super::protocol_error::{ErrorCode, ProtocolError};
use super::requests::RequestKind;
use super::running::{Ended, forward, milliseconds_now, named};
use super::server::Shared;
use super::spool::Spooled;

/// Most names of a folder that a failure lists.
const NAMES_LISTED_MAX: usize = 20;
/// What a document without a declared type is called.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Starts the fetch that the message asks for.
pub(super) async fn start(connection: &mut Connection, message: &Message) -> Result<(), Stop> {
    let fields = RequestFields::read(message)?;
    let get = read(message)?;
    let target = match message.field("ReturnType").map(str::trim) {
        None | Some("" | "direct") => Target::Direct,
        Some("none") => Target::None,
        Some("disk") => Target::Disk(disk_target(connection, message).await?),
        Some(_) => {
            return Err(message
                .error(
                    ErrorCode::InvalidField,
                    "ReturnType is direct, disk or none",
                )
                .into());
        }
    };
    let shared = Arc::clone(&connection.shared);
    let outbox = connection.outbox.clone();
    let request = fields.clone();
    let work = async move {
        let started = milliseconds_now();
        let (sink, events) = event_channel();
        // The result is told after all events: these end when the document is dropped.
        let (found, told) = tokio::join!(
            get.fetch(target, &shared, sink),
            forward(events, &request, &outbox)
        );
        if told.is_err() {
            tracing::trace!("the client left before its document was complete");
        }
        match found {
            Ok(found) => found.ended(&request, started),
            Err(error) => Ended::with(get_failed(&request.identifier, &error)),
        }
    };
    connection.launch(&fields, RequestKind::Get, work).await
}

/// What to fetch.
#[derive(Debug)]
struct Get {
    uri: Uri,
    options: FetchOptions,
    /// `FilterData`: refuse what would have to be filtered.
    harmless_only: bool,
}

/// Where the document goes.
#[derive(Debug)]
enum Target {
    /// Over the connection.
    Direct,
    /// To a new file.
    Disk(NewFile),
    /// Nowhere: it is only to be there.
    None,
}

fn read(message: &Message) -> Result<Get, ProtocolError> {
    let uri = message.required("URI")?;
    let uri = uri
        .parse::<Uri>()
        .map_err(|error| message.error(ErrorCode::UriParse, error.to_string()))?;
    if message.flag("BinaryBlob", Flag::DefaultOff) {
        return Err(message.error(ErrorCode::NotSupported, "binary blobs are not supported"));
    }
    if message
        .byte_count("InitialMetadata.DataLength")?
        .is_some_and(|length| length > 0)
    {
        return Err(message.error(
            ErrorCode::NotSupported,
            "fetching from given metadata is not supported",
        ));
    }
    let options = FetchOptions {
        class: class(message),
        reach: if message.flag("DSOnly", Flag::DefaultOff) {
            Reach::StoreOnly
        } else {
            Reach::Network
        },
        size_max: message.byte_count("MaxSize")?,
        usk: UskPolicy::Redirect,
        // -1 is for ever; other negative numbers were refused with the common fields.
        retries: message
            .number("MaxRetries")?
            .map_or(0, |retries| u32::try_from(retries).unwrap_or(u32::MAX)),
        hiding: hiding(message)?,
        group: None,
    };
    Ok(Get {
        uri,
        options,
        harmless_only: message.flag("FilterData", Flag::DefaultOff),
    })
}

async fn disk_target(connection: &mut Connection, message: &Message) -> Result<NewFile, Stop> {
    let path = PathBuf::from(message.required("Filename")?);
    let question = message.clone();
    connection
        .with_dda(move |dda| {
            let file = dda
                .writable_file(&path)
                .map_err(|denied| denied.about(&question))?;
            if file.exists() {
                return Err(question.error(ErrorCode::DiskTargetExists, "Filename exists already"));
            }
            Ok(file)
        })
        .await?
        .map_err(Stop::from)
}

/// A document that is where the client wants it.
struct Found {
    content_type: String,
    length: u64,
    /// The content, when it is to be sent.
    payload: Option<Spooled>,
}

impl Found {
    fn ended(self, fields: &RequestFields, started: u128) -> Ended {
        let about = |name| {
            named(name, fields)
                .with("Metadata.ContentType", &self.content_type)
                .with("DataLength", self.length)
                .with("StartupTime", started)
                .with("CompletionTime", milliseconds_now())
        };
        let ended = Ended::with(about("DataFound"));
        match self.payload {
            Some(payload) => {
                let all_data = about("AllData");
                ended.and_payload(all_data, payload)
            }
            None => ended,
        }
    }
}

impl Get {
    async fn fetch(
        self,
        target: Target,
        shared: &Shared,
        events: EventSink,
    ) -> Result<Found, GetError> {
        let document = shared.client.open(&self.uri, self.options, events).await?;
        let content_type = document.content_type().unwrap_or(UNKNOWN_TYPE).to_owned();
        if self.harmless_only && !is_harmless(&content_type) {
            return Err(GetError::NeedsFilter(content_type));
        }
        let length = document.size();
        let payload = match target {
            Target::Direct => Some(take_in(&document, shared).await?),
            Target::Disk(file) => {
                let opened = tokio::task::spawn_blocking(move || file.open()).await;
                let opened = opened.map_err(|_| FetchError::ShuttingDown)?;
                let (folder, path) = opened.map_err(FetchError::from)?;
                document.write_to_file(&path).await?;
                drop(folder);
                None
            }
            Target::None => {
                let mut stream = document.read(0..length);
                while let Some(piece) = stream.next().await {
                    piece?;
                }
                None
            }
        };
        Ok(Found {
            content_type,
            length,
            payload,
        })
    }
}

/// Collects the whole content: nothing is sent to the client before it is known to be complete and right.
async fn take_in(document: &Document, shared: &Shared) -> Result<Spooled, GetError> {
    let length = document.size();
    if let Some(reservation) = shared.spool.memory_for(length) {
        return Ok(Spooled::in_memory(document.read_all().await?, reservation));
    }
    let (file, share) = shared
        .spool
        .temporary_file(length)
        .await
        .map_err(FetchError::from)?;
    let (file, path) = file.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let mut stream = document.read(0..length);
    while let Some(piece) = stream.next().await {
        file.write_all(&piece?).await.map_err(FetchError::from)?;
    }
    file.flush().await.map_err(FetchError::from)?;
    Ok(Spooled::in_file(path, share, length))
}

/// Why a get failed.
#[derive(Debug, thiserror::Error)]
enum GetError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(
        "documents of type {0} are not filtered over FCP: fetch it without FilterData, or through the node's web gateway"
    )]
    NeedsFilter(String),
}

/// Whether documents of this type can be shown without being rewritten: they cannot make a program contact
/// anybody.
fn is_harmless(content_type: &str) -> bool {
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    matches!(
        essence.as_str(),
        "text/plain"
            | "application/octet-stream"
            | "image/png"
            | "image/jpeg"
            | "image/gif"
            | "image/webp"
            | "image/bmp"
    ) || essence.starts_with("audio/")
        || essence.starts_with("video/")
}

fn get_failed(identifier: &str, error: &GetError) -> Message {
    let detail = error.to_string();
    let error = match error {
        GetError::Fetch(error) => error,
        GetError::NeedsFilter(content_type) => {
            return GetFailure::UnknownContentType
                .to_message(identifier, Some(&detail))
                .with("ExpectedMetadata.ContentType", content_type);
        }
    };
    let code = failure(error);
    let message = code
        .to_message(identifier, Some(&detail))
        .with_some("RedirectURI", error.redirect());
    match error {
        FetchError::TooBig {
            size, content_type, ..
        }
        | FetchError::Bloated {
            size, content_type, ..
        } => message
            .with("ExpectedDataLength", size)
            .with("FinalizedExpected", true)
            .with_some("ExpectedMetadata.ContentType", content_type.as_deref()),
        FetchError::DirectoryWithoutIndex { listing } => {
            let names: Vec<_> = listing
                .entries
                .iter()
                .take(NAMES_LISTED_MAX)
                .map(|entry| entry.name.as_str())
                .collect();
            message.with(
                "ExtraDescription",
                format!("{detail}; in it are: {}", names.join(", ")),
            )
        }
        _ => message,
    }
}

/// The number under which clients know a failure.
fn failure(error: &FetchError) -> GetFailure {
    match error {
        FetchError::DataNotFound => GetFailure::DataNotFound,
        FetchError::RouteNotFound | FetchError::NoCircuit => GetFailure::RouteNotFound,
        FetchError::Overloaded => GetFailure::Overload,
        FetchError::TimedOut => GetFailure::TransferFailed,
        FetchError::RecentlyFailed => GetFailure::RecentlyFailed,
        FetchError::Splitfile { .. } => GetFailure::Splitfile,
        FetchError::NotInArchive { .. } => GetFailure::NotInArchive,
        FetchError::DirectoryWithoutIndex { .. } => GetFailure::NotEnoughPathComponents,
        // Some clients follow the new URI of this code and not of "not enough path components"; all follow
        // this one.
        FetchError::NotEnoughPathComponents { .. } | FetchError::PermanentRedirect { .. } => {
            GetFailure::PermanentRedirect
        }
        FetchError::TooManyPathComponents { .. } => GetFailure::TooManyPathComponents,
        FetchError::TooBig { .. } | FetchError::Bloated { .. } => GetFailure::TooBig,
        FetchError::TooManyRedirects => GetFailure::TooManyRedirects,
        FetchError::TooManyMetadataLevels => GetFailure::TooManyMetadataLevels,
        FetchError::InvalidMetadata(_) => GetFailure::InvalidMetadata,
        FetchError::UnknownMetadataVersion(_) => GetFailure::UnknownMetadata,
        FetchError::MetadataTooBig(_) => GetFailure::MetadataTooBig,
        FetchError::BlockDecode => GetFailure::BlockDecode,
        FetchError::Archive(_) => GetFailure::ArchiveFailure,
        FetchError::HashCheckFailed => GetFailure::HashMismatch,
        FetchError::InvalidUri(_) => GetFailure::InvalidUri,
        FetchError::Io {
            kind: std::io::ErrorKind::StorageFull,
            ..
        } => GetFailure::DiskFull,
        FetchError::Io { .. } => GetFailure::Bucket,
        FetchError::Cancelled | FetchError::ShuttingDown => GetFailure::Cancelled,
        FetchError::Internal(_) => GetFailure::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_that_need_no_filter_pass_when_a_filter_is_asked_for() {
        for harmless in [
            "text/plain; charset=utf-8",
            "image/PNG",
            "video/webm",
            "application/octet-stream",
        ] {
            assert!(is_harmless(harmless), "{harmless}");
        }
        for active in [
            "text/html",
            "image/svg+xml",
            "text/css",
            "application/xhtml+xml",
            "application/pdf",
            "",
        ] {
            assert!(!is_harmless(active), "{active}");
        }
    }

    #[test]
    fn a_new_address_is_sent_under_a_code_that_every_client_follows() {
        let uri: Uri = "KSK@site/".parse().unwrap();
        let error = FetchError::NotEnoughPathComponents {
            redirect: Box::new(uri.clone()),
        }
        .into();
        let message = get_failed("i", &error);
        assert_eq!(message.field("Code"), Some("27"));
        assert_eq!(message.field("RedirectURI"), Some(uri.to_string().as_str()));
    }

    #[test]
    fn endless_retries_are_understood() {
        let get = |retries: &str| {
            read(
                &Message::new("ClientGet")
                    .with("URI", "KSK@a")
                    .with("MaxRetries", retries),
            )
            .unwrap()
        };
        assert_eq!(get("-1").options.retries, u32::MAX);
        assert_eq!(get("3").options.retries, 3);
    }

    #[test]
    fn a_key_that_cannot_be_read_is_told_with_the_reason() {
        let error = read(
            &Message::new("ClientGet")
                .with("Identifier", "i")
                .with("URI", "CHK@abc"),
        )
        .unwrap_err();
        assert_eq!(error.code(), ErrorCode::UriParse);
        assert!(
            error
                .to_message()
                .field("ExtraDescription")
                .is_some_and(|text| text.len() > 10)
        );
    }
}
