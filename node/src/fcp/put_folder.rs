//! Inserts of whole sites: `ClientPutDiskDir` and `ClientPutComplexDir`.

use std::path::PathBuf;
use std::sync::Arc;

use crypto::InsertUri;
use tokio::io::AsyncRead;

use crate::client::{InsertOptions, SiteFile, SiteRequest, Source};

use super::connection::{Connection, Over, Stop};
use super::dispatch::RequestFields;
use super::folder::{FILES_MAX, FolderError, Hidden, list_folder};
use super::limits::PAYLOAD_MAX;
use super::message::{Flag, Message};
use super::protocol_error::{ErrorCode, ProtocolError};
use super::proved_folder::ProvedFolder;
use super::put::{Content, content_type, launch, options, redirect, take_in, target};
use super::reader::Incoming;
use super::spool::skip;

/// `ClientPutDiskDir`: all files of a folder that the node can read.
pub(super) async fn start_disk(connection: &mut Connection, message: &Message) -> Result<(), Stop> {
    let fields = RequestFields::read(message)?;
    let target = target(message)?;
    let options = options(message, &target)?;
    let wanted = PathBuf::from(message.required("Filename")?);
    let folder = connection
        .with_dda(move |dda| dda.readable_folder(&wanted))
        .await?;
    let folder = folder.map_err(|denied| denied.about(message))?;
    let question = message.clone();
    let listed = tokio::task::spawn_blocking(move || files_of(&folder, &question)).await;
    let files = listed.map_err(|_| Stop::Over(Over::Stopping))??;
    let request = SiteRequest {
        target,
        files,
        default_name: default_name(message),
        options,
    };
    let client = Arc::clone(&connection.shared.client);
    launch(connection, fields, move |events| async move {
        Ok(client.insert_site(request, events).await?)
    })
    .await
}

fn default_name(message: &Message) -> Option<String> {
    message
        .field("DefaultName")
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

fn files_of(folder: &ProvedFolder, message: &Message) -> Result<Vec<SiteFile>, ProtocolError> {
    let hidden = if message.flag("includeHiddenFiles", Flag::DefaultOff) {
        Hidden::Publish
    } else {
        Hidden::LeaveOut
    };
    let content = list_folder(folder.path(), hidden).map_err(|error| {
        let code = match error {
            FolderError::Unreadable { .. } => ErrorCode::CouldNotReadFile,
            FolderError::NameNotText { .. } => ErrorCode::InvalidField,
            FolderError::TooManyFiles => ErrorCode::TooManyFiles,
            FolderError::Empty => ErrorCode::FileNotFound,
        };
        message.error(code, error.to_string())
    })?;
    let leave_out = message.flag("AllowUnreadableFiles", Flag::DefaultOff);
    let mut files = Vec::with_capacity(content.files.len());
    for file in content.files {
        if let Ok(Some(checked)) = folder.check_file(&file.name) {
            files.push(SiteFile {
                name: file.name,
                source: Source::Checked(checked),
                content_type: None,
            });
        } else if !leave_out {
            return Err(message.error(
                ErrorCode::CouldNotReadFile,
                format!("the node may not read {}", file.name),
            ));
        }
    }
    Ok(files)
}

/// `ClientPutComplexDir`: files listed one by one, each from wherever it comes; those sent directly follow
/// the message in their order.
pub(super) async fn start_complex<R: AsyncRead + Unpin>(
    connection: &mut Connection,
    incoming: Incoming,
    reader: &mut R,
) -> Result<(), Stop> {
    let message = &incoming.message;
    // Where the next message begins is unknown without these lengths, whether the message ends with Data or
    // (as some clients have it) not.
    let length = payload_length(message).map_err(ProtocolError::fatal)?;
    let site = match Site::read(connection, message).await {
        Ok(site) => site,
        Err(stop) => {
            skip(reader, length)
                .await
                .map_err(|_| Stop::Over(Over::Left))?;
            return Err(stop);
        }
    };
    let Site {
        fields,
        target,
        options,
        entries,
    } = site;
    let entries = take_in_all(connection, message, entries, reader, length).await?;
    let (client, about) = (Arc::clone(&connection.shared.client), message.clone());
    let default_name = default_name(message);
    let insert = move |events| async move {
        let (mut files, mut kept) = (Vec::with_capacity(entries.len()), Vec::new());
        for entry in entries {
            let (source, spooled) = entry.content.resolve(&about).await?;
            kept.extend(spooled);
            files.push(SiteFile {
                name: entry.name,
                source,
                content_type: entry.content_type,
            });
        }
        let request = SiteRequest {
            target,
            files,
            default_name,
            options,
        };
        let inserted = client.insert_site(request, events).await;
        drop(kept);
        Ok(inserted?)
    };
    launch(connection, fields, insert).await
}

/// A `ClientPutComplexDir` in which no fault was found.
struct Site {
    fields: RequestFields,
    target: InsertUri,
    options: InsertOptions,
    entries: Vec<Entry>,
}

/// One file of it.
struct Entry {
    name: String,
    content: Content,
    content_type: Option<String>,
    /// Bytes of it that follow the message.
    payload: u64,
}

impl Site {
    async fn read(connection: &mut Connection, message: &Message) -> Result<Self, Stop> {
        let fields = RequestFields::read(message)?;
        let target = target(message)?;
        let options = options(message, &target)?;
        let mut entries = Vec::new();
        for number in 0..count(message)? {
            entries.push(Entry::read(connection, message, number).await?);
        }
        if entries.is_empty() {
            return Err(message
                .error(ErrorCode::MissingField, "there is no Files.0.Name")
                .into());
        }
        Ok(Self {
            fields,
            target,
            options,
            entries,
        })
    }
}

impl Entry {
    async fn read(
        connection: &mut Connection,
        message: &Message,
        number: usize,
    ) -> Result<Self, Stop> {
        let key = |field: &str| format!("Files.{number}.{field}");
        let content = match upload_from(message, number)? {
            UploadFrom::Direct => Content::Direct,
            UploadFrom::Redirect => {
                Content::Redirect(Box::new(redirect(message, &key("TargetURI"))?))
            }
            UploadFrom::Disk => {
                let path = PathBuf::from(message.required(&key("Filename"))?);
                let readable = connection
                    .with_dda(move |dda| dda.readable_file(&path))
                    .await?;
                Content::Disk(readable.map_err(|denied| denied.about(message))?)
            }
        };
        Ok(Self {
            name: message.required(&key("Name"))?.to_owned(),
            content,
            content_type: content_type(message, &key("Metadata.ContentType"))?,
            payload: payload_of(message, number)?,
        })
    }
}

/// Where a file of a site comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UploadFrom {
    Direct,
    Disk,
    Redirect,
}

fn upload_from(message: &Message, number: usize) -> Result<UploadFrom, ProtocolError> {
    let key = format!("Files.{number}.UploadFrom");
    match message.field(&key).map(str::trim) {
        None | Some("" | "direct") => Ok(UploadFrom::Direct),
        Some("disk") => Ok(UploadFrom::Disk),
        Some("redirect") => Ok(UploadFrom::Redirect),
        Some(_) => Err(message.error(
            ErrorCode::InvalidField,
            format!("{key} is direct, disk or redirect"),
        )),
    }
}

/// Files of the message, which are numbered from 0 without gaps.
fn count(message: &Message) -> Result<usize, ProtocolError> {
    let count = (0..=FILES_MAX)
        .take_while(|number| message.field(&format!("Files.{number}.Name")).is_some())
        .count();
    if count <= FILES_MAX {
        return Ok(count);
    }
    Err(message.error(
        ErrorCode::TooManyFiles,
        format!("a site has at most {FILES_MAX} files"),
    ))
}

/// Bytes of one file that follow the message.
fn payload_of(message: &Message, number: usize) -> Result<u64, ProtocolError> {
    if upload_from(message, number)? != UploadFrom::Direct {
        return Ok(0);
    }
    let key = format!("Files.{number}.DataLength");
    match message.byte_count(&key)? {
        Some(length) => Ok(length),
        None => Err(message.error(
            ErrorCode::MissingField,
            format!("a file that is sent directly needs {key}"),
        )),
    }
}

/// Bytes that follow the message.
fn payload_length(message: &Message) -> Result<u64, ProtocolError> {
    let mut total: u64 = 0;
    for number in 0..count(message)? {
        total = total.saturating_add(payload_of(message, number)?);
    }
    if total > PAYLOAD_MAX {
        let why = format!("the files together are above the limit of {PAYLOAD_MAX} bytes");
        return Err(message.error(ErrorCode::InvalidField, why));
    }
    Ok(total)
}

/// Reads the payload of every file that is sent directly; `left` bytes in all.
async fn take_in_all<R: AsyncRead + Unpin>(
    connection: &Connection,
    message: &Message,
    mut entries: Vec<Entry>,
    reader: &mut R,
    mut left: u64,
) -> Result<Vec<Entry>, Stop> {
    for entry in &mut entries {
        if !matches!(entry.content, Content::Direct) {
            continue;
        }
        left -= entry.payload;
        match take_in(connection, message, reader, entry.payload).await {
            Ok(spooled) => entry.content = Content::Spooled(spooled),
            Err(stop) => {
                // A connection that is lost is found to be so here again.
                skip(reader, left)
                    .await
                    .map_err(|_| Stop::Over(Over::Left))?;
                return Err(stop);
            }
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(fields: &[(&str, &str)]) -> Message {
        let message = Message::new("ClientPutComplexDir").with("Identifier", "i");
        fields
            .iter()
            .fold(message, |message, (key, value)| message.with(*key, value))
    }

    #[test]
    fn the_payload_is_the_sum_of_the_files_sent_directly() {
        let site = message(&[
            ("Files.0.Name", "a"),
            ("Files.0.DataLength", "5"),
            ("Files.1.Name", "b"),
            ("Files.1.UploadFrom", "redirect"),
            ("Files.1.DataLength", "100"),
            ("Files.2.Name", "c"),
            ("Files.2.UploadFrom", "direct"),
            ("Files.2.DataLength", "7"),
            ("Files.4.Name", "not counted, because 3 is missing"),
            ("Files.4.DataLength", "1000"),
            ("DataLength", "9999"),
        ]);
        assert_eq!(payload_length(&site).unwrap(), 12);
    }

    #[test]
    fn lengths_that_make_no_sense_are_refused() {
        for (length, code) in [
            ("-1", ErrorCode::InvalidField),
            ("9223372036854775807", ErrorCode::InvalidField),
            ("9223372036854775808", ErrorCode::NumberParse),
            ("", ErrorCode::MissingField),
        ] {
            let site = message(&[("Files.0.Name", "a"), ("Files.0.DataLength", length)]);
            assert_eq!(payload_length(&site).unwrap_err().code(), code, "{length}");
        }
    }
}
