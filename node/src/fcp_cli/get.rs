//! `fcp get`: fetches a document into a file or to standard output.

use std::io;
use std::path::{Path, PathBuf};

use crypto::Uri;
use serde_json::json;
use tempfile::{NamedTempFile, TempPath};

use crate::fcp::client::{Answer, FcpClient, Refusal};
use crate::fcp::message::Message;

use super::arguments::{GetArguments, NodeAddress};
use super::connect;
use super::failure::{ExitStatus, Failure};
use super::put::{blocks, warn_of_level_0};
use super::report::Report;

const IDENTIFIER: &str = "get";
/// Times that a new key (a newer edition, a slash at the end) is followed.
const REDIRECTS_MAX: usize = 5;
/// Longest name that a file gets from a key, in bytes; file systems allow 255.
const NAME_BYTES_MAX: usize = 200;

/// Extensions for documents whose key has no file name in it.
const EXTENSIONS: [(&str, &str); 16] = [
    ("text/html", "html"),
    ("application/xhtml+xml", "xhtml"),
    ("text/plain", "txt"),
    ("text/css", "css"),
    ("text/markdown", "md"),
    ("application/json", "json"),
    ("application/pdf", "pdf"),
    ("application/zip", "zip"),
    ("application/epub+zip", "epub"),
    ("image/png", "png"),
    ("image/jpeg", "jpg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("image/svg+xml", "svg"),
    ("audio/mpeg", "mp3"),
    ("video/mp4", "mp4"),
];

/// Fetches what `arguments` names.
pub(super) async fn get(
    arguments: GetArguments,
    node: &NodeAddress,
    report: &Report,
) -> Result<(), Failure> {
    let uri: Uri = arguments.uri.parse().map_err(|error| {
        Failure::new(ExitStatus::BadKey, "this key cannot be fetched")
            .because(error)
            .next("copy the whole key again")
    })?;
    match arguments.output.as_deref() {
        Some(output) if output == Path::new("-") => report.give_stdout_to_document(),
        Some(output) => must_be_free(output, &arguments)?,
        None => {}
    }
    warn_of_level_0(arguments.anonymity, report);
    let mut client = connect(node).await?;
    let (uri, found) = find(&mut client, uri, &arguments, report).await?;
    let content_type = found
        .field("Metadata.ContentType")
        .unwrap_or("application/octet-stream")
        .to_owned();
    let data = all_data(&mut client).await?;
    if arguments.output.as_deref() == Some(Path::new("-")) {
        return to_stdout(&mut client, &data, report).await;
    }
    let target = match &arguments.output {
        Some(output) => output.clone(),
        None => PathBuf::from(file_name(&uri, &content_type)),
    };
    must_be_free(&target, &arguments)?;
    let length = data.payload.unwrap_or(0);
    to_file(&mut client, length, &target, &arguments, report).await?;
    let result = json!({ "file": target, "bytes": length, "content_type": content_type, "uri": uri.to_string() });
    report.result(&target.display().to_string(), result)
}

/// Waits until the node has the whole document; follows new keys.
async fn find(
    client: &mut FcpClient,
    mut uri: Uri,
    arguments: &GetArguments,
    report: &Report,
) -> Result<(Uri, Message), Failure> {
    for _ in 0..=REDIRECTS_MAX {
        let request = Message::new("ClientGet")
            .with("Identifier", IDENTIFIER)
            .with("URI", &uri)
            .with("ReturnType", "direct")
            .with("Verbosity", 1)
            .with_some("MaxSize", arguments.max_size)
            .with_some("Anonymity", arguments.anonymity);
        client.send(&request).await?;
        let failed = match wait_for_data(client, report).await? {
            Ok(found) => return Ok((uri, found)),
            Err(failed) => failed,
        };
        let redirect = failed
            .field("RedirectURI")
            .and_then(|redirect| redirect.parse::<Uri>().ok());
        match redirect {
            Some(redirect) if redirect != uri && follows(&failed) => {
                report.note(&format!("the document is to be found under {redirect}"));
                uri = redirect;
            }
            _ => return Err(Failure::from_get_failed(&failed)),
        }
    }
    Err(Failure::new(
        ExitStatus::Integrity,
        "the key leads to other keys without end",
    ))
}

/// Whether the failure only says that the key is to be written otherwise. A key with too many parts is the
/// user's mistake.
fn follows(failed: &Message) -> bool {
    matches!(failed.field("Code"), Some("24" | "27"))
}

/// Shows progress until the document is there (`DataFound`) or not (`GetFailed`).
async fn wait_for_data(
    client: &mut FcpClient,
    report: &Report,
) -> Result<Result<Message, Message>, Failure> {
    loop {
        let message = client.receive().await?.message;
        match message.name() {
            "SimpleProgress" => {
                if let Some(blocks) = blocks(&message) {
                    report.blocks("fetching", blocks);
                }
            }
            "DataFound" => return Ok(Ok(message)),
            "GetFailed" => return Ok(Err(message)),
            "ProtocolError" => return Err(Refusal::from_message(&message).into()),
            _ => {}
        }
    }
}

async fn all_data(client: &mut FcpClient) -> Result<Answer, Failure> {
    loop {
        let answer = client.receive().await?;
        if answer.message.name() == "AllData" {
            return Ok(answer);
        }
        if answer.message.name() == "ProtocolError" {
            return Err(Refusal::from_message(&answer.message).into());
        }
    }
}

async fn to_stdout(client: &mut FcpClient, data: &Answer, report: &Report) -> Result<(), Failure> {
    let unwritable = |error| {
        Failure::local(
            "the document could not be written to standard output",
            error,
        )
    };
    let length = data.payload.unwrap_or(0);
    let mut pipe = DocumentPipe { report };
    client
        .read_payload(&mut pipe, |_| ())
        .await
        .map_err(|error| match error {
            crate::fcp::client::ClientError::Local(error) => unwritable(error),
            other => other.into(),
        })?;
    report.flush_document().map_err(unwritable)?;
    report.result("", json!({ "bytes": length }))
}

/// Writes to a temporary file beside the target, which becomes the target when it is whole.
async fn to_file(
    client: &mut FcpClient,
    length: u64,
    target: &Path,
    arguments: &GetArguments,
    report: &Report,
) -> Result<(), Failure> {
    let unwritable = |error: io::Error| {
        Failure::local(format!("{} could not be written", target.display()), error)
    };
    let (file, temporary) = temporary_beside(target).map_err(unwritable)?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let mut got = 0;
    let tell = |count| {
        got += count;
        report.bytes("receiving from the node", got, length);
    };
    client
        .read_payload(&mut file, tell)
        .await
        .map_err(|error| match error {
            crate::fcp::client::ClientError::Local(error) => unwritable(error),
            other => other.into(),
        })?;
    file.sync_all().await.map_err(unwritable)?;
    give_name(temporary, target, arguments).map_err(unwritable)
}

fn temporary_beside(target: &Path) -> io::Result<NamedTempFile> {
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".fcp-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The user's umask takes away from it, as with every new file.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

fn give_name(temporary: TempPath, target: &Path, arguments: &GetArguments) -> io::Result<()> {
    if arguments.force {
        temporary.persist(target).map_err(|error| error.error)
    } else {
        temporary
            .persist_noclobber(target)
            .map_err(|error| error.error)
    }
}

fn must_be_free(target: &Path, arguments: &GetArguments) -> Result<(), Failure> {
    if arguments.force || !target.exists() {
        return Ok(());
    }
    Err(Failure::new(
        ExitStatus::Usage,
        format!("{} exists already", target.display()),
    )
    .next("choose another name with -o, or replace it with --force"))
}

/// A file name for a document: the last name in its key, with an extension that fits its type if it has none.
fn file_name(uri: &Uri, content_type: &str) -> String {
    let in_path = uri.path().iter().rev().find(|part| !part.is_empty());
    let name = match (in_path, uri) {
        (Some(part), _) => part.clone(),
        (None, Uri::Content { key, .. }) => format!("chk-{:.12}", key.routing_key.to_string()),
        (None, Uri::Signed { key, .. }) => key.name.clone(),
        (None, Uri::Updatable { site, .. }) => site.clone(),
        (None, Uri::Keyword { phrase, .. }) => phrase.clone(),
    };
    let mut safe = String::new();
    for letter in name.chars().map(|letter| {
        if letter.is_control() || "/\\:".contains(letter) {
            '_'
        } else {
            letter
        }
    }) {
        if safe.len() + letter.len_utf8() <= NAME_BYTES_MAX {
            safe.push(letter);
        }
    }
    // A leading dot would hide the file, or mean a folder.
    let safe = if safe.starts_with('.') || safe.is_empty() {
        format!("_{safe}")
    } else {
        safe
    };
    let mime = content_type.split(';').next().unwrap_or_default().trim();
    match EXTENSIONS.iter().find(|(known, _)| *known == mime) {
        Some((_, extension)) if !safe.contains('.') => format!("{safe}.{extension}"),
        Some(_) | None => safe,
    }
}

/// Standard output as an asynchronous writer. Writing blocks, and nothing else has to go on meanwhile.
struct DocumentPipe<'a> {
    report: &'a Report,
}

impl tokio::io::AsyncWrite for DocumentPipe<'_> {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::task::Poll::Ready(self.report.write_document(bytes).map(|()| bytes.len()))
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(self.report.flush_document())
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_a_key_stays_in_the_folder() {
        let name = |uri: &str, mime| file_name(&uri.parse().unwrap(), mime);
        assert_eq!(name("KSK@word/a/photo.jpg", "image/jpeg"), "photo.jpg");
        assert_eq!(name("KSK@word", "text/html; charset=utf-8"), "word.html");
        assert_eq!(name("KSK@word", "application/octet-stream"), "word");
        assert_eq!(name("KSK@..%2f..%2fetc%2fpasswd", ""), "_.._.._etc_passwd");
        assert_eq!(name("KSK@.bashrc", ""), "_.bashrc");
        assert!(name(&format!("KSK@{}", "é".repeat(300)), "").len() <= NAME_BYTES_MAX);
    }
}
