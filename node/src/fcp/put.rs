//! `ClientPut`, and what all puts have in common.

use std::future::Future;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crypto::{FileKey, InsertUri, Uri};
use sha2::{Digest, Sha256};
use tokio::io::AsyncRead;

use crate::client::{
    CheckedFile, EventSink, InsertError, InsertOptions, InsertRequest, Inserted, KeyChoice, Source,
    event_channel, open_regular,
};

use super::connection::{Connection, Over, Stop};
use super::dda::Denied;
use super::dispatch::{RequestFields, class, hiding};
use super::failure::PutFailure;
use super::limits::PAYLOAD_MAX;
use super::message::{Flag, Message, Terminator};
use super::protocol_error::{ErrorCode, ProtocolError};
use super::reader::Incoming;
use super::requests::RequestKind;
use super::running::{Ended, forward, milliseconds_now, named};
use super::spool::{SpoolError, Spooled, skip};

/// Longest MIME type, in bytes.
const MIME_TYPE_MAX: usize = 255;
/// Compression methods that clients may ask for. Warren uses its own whatever they say.
const CODECS: [&str; 9] = [
    "GZIP", "BZIP2", "LZMA", "LZMA_NEW", "ZSTD", "0", "1", "2", "3",
];

/// Starts the insert that the message asks for; reads its payload.
pub(super) async fn start<R: AsyncRead + Unpin>(
    connection: &mut Connection,
    incoming: Incoming,
    reader: &mut R,
) -> Result<(), Stop> {
    let length = payload_length(&incoming)?;
    let message = &incoming.message;
    let checked = match check(connection, message).await {
        Ok(checked) => checked,
        Err(stop) => {
            skip(reader, length)
                .await
                .map_err(|_| Stop::Over(Over::Left))?;
            return Err(stop);
        }
    };
    let Checked {
        fields,
        put,
        content,
    } = checked;
    let content = match content {
        Content::Direct => Content::Spooled(take_in(connection, message, reader, length).await?),
        other => other,
    };
    let client = Arc::clone(&connection.shared.client);
    let about = message.clone();
    let insert = move |events: EventSink| async move {
        let (source, _spooled) = content.resolve(&about).await?;
        let Put {
            target,
            content_type,
            file_name,
            options,
        } = put;
        let request = InsertRequest {
            target,
            source,
            content_type,
            file_name,
            options,
        };
        Ok(client.insert(request, events).await?)
    };
    launch(connection, fields, insert).await
}

/// A `ClientPut` in which no fault was found.
struct Checked {
    fields: RequestFields,
    put: Put,
    content: Content,
}

struct Put {
    target: InsertUri,
    content_type: Option<String>,
    file_name: Option<String>,
    options: InsertOptions,
}

/// Where the content of a document comes from.
#[derive(Debug)]
pub(super) enum Content {
    /// It follows the message.
    Direct,
    /// It followed the message.
    Spooled(Spooled),
    /// A file that the client proved to be able to read.
    Disk(CheckedFile),
    /// A file that the client proves to be able to read by this hash.
    DiskByHash {
        /// Where it is.
        path: PathBuf,
        /// What its hash must be made over, before its content.
        prefix: String,
        /// The hash that the client gives.
        claimed: String,
    },
    /// Readers are sent elsewhere.
    Redirect(Box<Uri>),
}

impl Content {
    /// The content as the client layer takes it, and what must be kept until it was used.
    pub(super) async fn resolve(
        self,
        about: &Message,
    ) -> Result<(Source, Option<Spooled>), PutError> {
        match self {
            Self::Direct => Err(PutError::Refused(
                about.error(ErrorCode::Internal, "the payload was not read"),
            )),
            Self::Spooled(spooled) => Ok((spooled.source(), Some(spooled))),
            Self::Disk(file) => Ok((Source::Checked(file), None)),
            Self::Redirect(uri) => Ok((Source::Redirect(*uri), None)),
            Self::DiskByHash {
                path,
                prefix,
                claimed,
            } => {
                let hashed = tokio::task::spawn_blocking(move || file_hash(&path, &prefix)).await;
                match hashed.map_err(|_| InsertError::ShuttingDown)? {
                    Ok((hash, file)) if hash == claimed => Ok((Source::Checked(file), None)),
                    // Whether there is such a file is nobody's business who cannot read it.
                    Ok(_) | Err(_) => Err(PutError::Refused(Denied::NotProved.about(about))),
                }
            }
        }
    }
}

async fn check(connection: &mut Connection, message: &Message) -> Result<Checked, Stop> {
    let fields = RequestFields::read(message)?;
    let mut target = target(message)?;
    let options = options(message, &target)?;
    let content = content(connection, message).await?;
    let on_disk = match &content {
        Content::Disk(file) => Some(file.path()),
        Content::DiskByHash { path, .. } => Some(path.as_path()),
        Content::Direct | Content::Spooled(_) | Content::Redirect(_) => None,
    };
    let file_name = file_name(message, &mut target, on_disk)?;
    let content_type = content_type(message, "Metadata.ContentType")?.or_else(|| {
        let guessed = mime_guess::from_path(on_disk?).first_raw();
        guessed.map(str::to_owned)
    });
    Ok(Checked {
        fields,
        put: Put {
            target,
            content_type,
            file_name,
            options,
        },
        content,
    })
}

/// Bytes that follow the message. Some clients end it with `EndMessage` and send a payload all the same: that
/// it is sent directly decides.
fn payload_length(incoming: &Incoming) -> Result<u64, ProtocolError> {
    let message = &incoming.message;
    let direct = matches!(
        message.field("UploadFrom").map(str::trim),
        None | Some("" | "direct")
    );
    if incoming.terminator == Terminator::Data || (direct && message.field("DataLength").is_some())
    {
        return incoming.announced_payload(PAYLOAD_MAX);
    }
    if direct {
        Err(message.error(ErrorCode::MissingField, "a direct put needs DataLength"))
    } else {
        Ok(0)
    }
}

/// Where to insert to.
pub(super) fn target(message: &Message) -> Result<InsertUri, ProtocolError> {
    message
        .required("URI")?
        .parse()
        .map_err(|error: crypto::UriError| message.error(ErrorCode::UriParse, error.to_string()))
}

/// How to insert.
pub(super) fn options(
    message: &Message,
    target: &InsertUri,
) -> Result<InsertOptions, ProtocolError> {
    if message.flag("BinaryBlob", Flag::DefaultOff) {
        return Err(message.error(ErrorCode::NotSupported, "binary blobs are not supported"));
    }
    let codecs = message
        .field("Codecs")
        .unwrap_or_default()
        .split(',')
        .map(str::trim);
    if let Some(unknown) = codecs
        .filter(|codec| !codec.is_empty())
        .find(|codec| !CODECS.contains(codec))
    {
        return Err(message.error(
            ErrorCode::InvalidField,
            format!("Codecs names {unknown}, which nobody knows"),
        ));
    }
    Ok(InsertOptions {
        key_choice: key_choice(message, target)?,
        compress: !message.flag("DontCompress", Flag::DefaultOff),
        class: class(message),
        address_only: message.flag("GetCHKOnly", Flag::DefaultOff),
        hiding: hiding(message)?,
    })
}

/// Which keys the blocks are sealed with: as the client says, else derived from the content under `CHK@`
/// (clients count on the same file getting the same key) and random under all other keys.
fn key_choice(message: &Message, target: &InsertUri) -> Result<KeyChoice, ProtocolError> {
    if let Some(hex) = message
        .field("OverrideSplitfileCryptoKey")
        .filter(|hex| !hex.is_empty())
    {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(hex.trim().as_bytes())
            .ok();
        return match bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
            Some(key) => Ok(KeyChoice::Given(FileKey::from_bytes(key))),
            None => Err(message.error(
                ErrorCode::InvalidField,
                "OverrideSplitfileCryptoKey is 64 hexadecimal digits",
            )),
        };
    }
    let content_key = matches!(target, InsertUri::Content { .. });
    let convergent = message.flag(
        "Convergent",
        if content_key {
            Flag::DefaultOn
        } else {
            Flag::DefaultOff
        },
    );
    Ok(if convergent {
        KeyChoice::Convergent
    } else {
        KeyChoice::Random
    })
}

/// The name under which the document is to be found behind its key: the field, else the name in the insert
/// URI, else that of the file on disk. An empty field means none.
fn file_name(
    message: &Message,
    target: &mut InsertUri,
    on_disk: Option<&Path>,
) -> Result<Option<String>, ProtocolError> {
    let (InsertUri::Content { path } | InsertUri::RandomSigned { path }) = target else {
        return Ok(None);
    };
    if let Some(name) = message.field("TargetFilename") {
        if name.contains('/') {
            return Err(message.error(
                ErrorCode::InvalidField,
                "TargetFilename must not hold a slash",
            ));
        }
        path.clear();
        return Ok(Some(name)
            .filter(|name| !name.is_empty())
            .map(str::to_owned));
    }
    match path.as_slice() {
        [] => Ok(on_disk
            .and_then(Path::file_name)
            .and_then(|name| name.to_str())
            .map(str::to_owned)),
        [_] => Ok(path.pop()),
        [_, _, ..] => Err(message.error(
            ErrorCode::UriParse,
            "at most one name can follow the key of an insert",
        )),
    }
}

/// A declared MIME type.
pub(super) fn content_type(message: &Message, key: &str) -> Result<Option<String>, ProtocolError> {
    let Some(content_type) = message
        .field(key)
        .map(str::trim)
        .filter(|value| !value.is_empty())
    else {
        return Ok(None);
    };
    let printable = content_type
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim_end();
    let two_parts = essence.split_once('/').is_some_and(|(kind, subtype)| {
        !kind.is_empty() && !subtype.is_empty() && !subtype.contains('/') && !essence.contains(' ')
    });
    if printable && two_parts && content_type.len() <= MIME_TYPE_MAX {
        return Ok(Some(content_type.to_owned()));
    }
    Err(message.error(
        ErrorCode::BadMime,
        format!("{key} has the form type/subtype"),
    ))
}

async fn content(connection: &mut Connection, message: &Message) -> Result<Content, Stop> {
    match message.field("UploadFrom").map(str::trim) {
        None | Some("" | "direct") => Ok(Content::Direct),
        Some("disk") => {
            let path = PathBuf::from(message.required("Filename")?);
            disk_content(connection, message, path).await
        }
        Some("redirect") => Ok(Content::Redirect(Box::new(redirect(message, "TargetURI")?))),
        Some(_) => Err(message
            .error(
                ErrorCode::InvalidField,
                "UploadFrom is direct, disk or redirect",
            )
            .into()),
    }
}

/// Where readers of a redirect are sent.
pub(super) fn redirect(message: &Message, key: &str) -> Result<Uri, ProtocolError> {
    message
        .required(key)?
        .parse()
        .map_err(|error: crypto::UriError| message.error(ErrorCode::UriParse, error.to_string()))
}

/// A file on disk, if the client proved that it can read it or gives a hash as proof.
async fn disk_content(
    connection: &mut Connection,
    message: &Message,
    path: PathBuf,
) -> Result<Content, Stop> {
    let wanted = path.clone();
    let readable = connection
        .with_dda(move |dda| dda.readable_file(&wanted))
        .await?;
    match (readable, message.field("FileHash")) {
        (Ok(file), _) => Ok(Content::Disk(file)),
        (Err(Denied::NotProved), Some(claimed)) => {
            let identifier = message.identifier().unwrap_or_default();
            let prefix = format!("{}-{identifier}-", connection.identifier);
            Ok(Content::DiskByHash {
                path,
                prefix,
                claimed: claimed.trim().to_owned(),
            })
        }
        (Err(denied), _) => Err(denied.about(message).into()),
    }
}

/// The hash by which a client shows that it can read a file, and that very file. Blocks on the disk.
fn file_hash(path: &Path, prefix: &str) -> io::Result<(String, CheckedFile)> {
    let path = path.canonicalize()?;
    let mut file = open_regular(&path)?;
    // What comes into it later is not what was proved
    let checked = CheckedFile::unchanging(path, &file)?;
    let mut hasher = Sha256::new_with_prefix(prefix.as_bytes());
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((data_encoding::BASE64.encode(&hasher.finalize()), checked)),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// Reads a payload.
pub(super) async fn take_in<R: AsyncRead + Unpin>(
    connection: &Connection,
    message: &Message,
    reader: &mut R,
    length: u64,
) -> Result<Spooled, Stop> {
    connection
        .shared
        .spool
        .take_in(reader, length)
        .await
        .map_err(|error| match error {
            SpoolError::Connection(_) => Stop::Over(Over::Left),
            SpoolError::Disk(_) => message
                .error(ErrorCode::CouldNotWriteFile, error.to_string())
                .into(),
        })
}

/// Why a put failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PutError {
    #[error(transparent)]
    Insert(#[from] InsertError),
    #[error(transparent)]
    Refused(ProtocolError),
}

/// Starts an insert in the background.
pub(super) async fn launch<W>(
    connection: &Connection,
    fields: RequestFields,
    insert: impl FnOnce(EventSink) -> W + Send + 'static,
) -> Result<(), Stop>
where
    W: Future<Output = Result<Inserted, PutError>> + Send + 'static,
{
    let outbox = connection.outbox.clone();
    let request = fields.clone();
    let work = async move {
        let started = milliseconds_now();
        let (sink, events) = event_channel();
        let (inserted, told) = tokio::join!(insert(sink), forward(events, &request, &outbox));
        if told.is_err() {
            tracing::trace!("the client left before its insert was complete");
        }
        match inserted {
            Ok(inserted) => Ended::with(
                named("PutSuccessful", &request)
                    .with("URI", inserted.uri)
                    .with("StartupTime", started)
                    .with("CompletionTime", milliseconds_now()),
            ),
            Err(PutError::Refused(error)) => error.into(),
            Err(PutError::Insert(error)) => Ended::with(put_failed(&request.identifier, &error)),
        }
    };
    connection.launch(&fields, RequestKind::Put, work).await
}

fn put_failed(identifier: &str, error: &InsertError) -> Message {
    let code = match error {
        InsertError::InvalidUri(_) => PutFailure::InvalidUri,
        InsertError::PathNotSupported => PutFailure::MetaStrings,
        InsertError::Io { .. } | InsertError::SourceChanged => PutFailure::Bucket,
        InsertError::Overloaded => PutFailure::Overload,
        InsertError::RouteNotFound | InsertError::NoCircuit => PutFailure::RouteNotFound,
        InsertError::TooManyRetries { .. } => PutFailure::TooManyRetries,
        InsertError::Collision { .. } => PutFailure::Collision,
        InsertError::TooManyFiles { .. } => PutFailure::TooManyFiles,
        InsertError::TooBig { .. } => PutFailure::TooBig,
        InsertError::Cancelled | InsertError::ShuttingDown => PutFailure::Cancelled,
        InsertError::Internal(_) => PutFailure::Internal,
    };
    let message = code.to_message(identifier, Some(&error.to_string()));
    match error {
        InsertError::Collision {
            existing: Some(existing),
        } => message.with("ExpectedURI", existing),
        _ => message,
    }
}

#[cfg(test)]
mod tests;
