//! `fcp put` of one document: a file or standard input.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crypto::InsertUri;
use rand::RngExt;
use serde_json::json;

use crate::fcp::client::{FcpClient, Refusal};
use crate::fcp::message::Message;

use super::arguments::{NodeAddress, PutArguments};
use super::direct_disk::{may_share_disk, offer_folder};
use super::failure::{ExitStatus, Failure};
use super::insert_target::{KEY_VARIABLE, Publication, insert_target};
use super::report::{Blocks, Report};
use super::{connect, put_folder};

/// The one request that a run of the program makes.
pub(super) const IDENTIFIER: &str = "put";
/// Files up to this many bytes are sent over the connection without asking whether the node could read them
/// itself.
const DIRECT_BYTES_MAX: u64 = 1 << 20;

/// Publishes what `arguments` names.
pub(super) async fn put(
    arguments: PutArguments,
    node: &NodeAddress,
    report: &Report,
) -> Result<(), Failure> {
    warn_of_level_0(arguments.anonymity, report);
    if arguments.source == Path::new("-") {
        if arguments.key_file.as_deref() == Some(Path::new("-")) {
            return Err(Failure::new(
                ExitStatus::Usage,
                "standard input cannot be both the document and the key",
            ));
        }
        return put_stdin(arguments, node, report).await;
    }
    let about = std::fs::metadata(&arguments.source).map_err(|error| {
        Failure::local(
            format!("{} could not be read", arguments.source.display()),
            error,
        )
    })?;
    if about.is_dir() {
        let target = insert_target(
            &arguments,
            Publication::Site,
            std::env::var(KEY_VARIABLE).ok(),
        )?;
        return put_folder::put_folder(&arguments, &target, node, report).await;
    }
    let file_name = arguments
        .source
        .file_name()
        .and_then(|name| name.to_str())
        .map(str::to_owned);
    let document = Document {
        path: arguments.source.clone(),
        length: about.len(),
        file_name,
    };
    put_document(&arguments, &document, node, report).await
}

/// A file to publish.
struct Document {
    path: PathBuf,
    length: u64,
    /// Its own name, unless it came from standard input.
    file_name: Option<String>,
}

/// Standard input goes to a temporary file first, because its length has to be told before its content.
async fn put_stdin(
    arguments: PutArguments,
    node: &NodeAddress,
    report: &Report,
) -> Result<(), Failure> {
    let spooled = tokio::task::spawn_blocking(|| {
        let mut file = tempfile::NamedTempFile::new()?;
        let length = io::copy(&mut io::stdin().lock(), &mut file)?;
        Ok::<_, io::Error>((file, length))
    });
    let failed = |error: io::Error| {
        Failure::local(
            "standard input could not be kept in a temporary file",
            error,
        )
    };
    let (file, length) = spooled
        .await
        .map_err(|error| failed(error.into()))?
        .map_err(failed)?;
    let document = Document {
        path: file.path().to_owned(),
        length,
        file_name: None,
    };
    put_document(&arguments, &document, node, report).await
}

/// The name behind the key: from `--name`, else as written in the key, else the file's own.
fn document_name<'a>(
    arguments: &'a PutArguments,
    document: &'a Document,
    target: &'a InsertUri,
) -> Result<Option<&'a str>, Failure> {
    let in_key = match target {
        InsertUri::Content { path } => path.first().map(String::as_str),
        InsertUri::Signed { .. }
        | InsertUri::RandomSigned { .. }
        | InsertUri::Updatable { .. }
        | InsertUri::Keyword { .. } => None,
    };
    match (arguments.name.as_deref(), in_key) {
        (Some(given), Some(name)) if given != name => Err(Failure::new(
            ExitStatus::Usage,
            format!("--name {given} and the name {name} in the key differ"),
        )
        .next("give one of them")),
        (Some(given), _) => Ok(Some(given)),
        (None, Some(name)) => Ok(Some(name)),
        (None, None) => Ok(document.file_name.as_deref()),
    }
}

async fn put_document(
    arguments: &PutArguments,
    document: &Document,
    node: &NodeAddress,
    report: &Report,
) -> Result<(), Failure> {
    let publication = Publication::Document {
        name: document.file_name.as_deref(),
    };
    let target = insert_target(arguments, publication, std::env::var(KEY_VARIABLE).ok())?;
    let name = document_name(arguments, document, &target)?;
    let mut message = put_message("ClientPut", arguments, &target)
        .with_some("Metadata.ContentType", arguments.mime.as_ref());
    if matches!(
        target,
        InsertUri::Content { .. } | InsertUri::RandomSigned { .. }
    ) {
        message.set("TargetFilename", name.unwrap_or_default());
    }
    let mut client = connect(node).await?;
    if document.file_name.is_some() && document.length > DIRECT_BYTES_MAX && may_share_disk(node) {
        match put_from_disk(&mut client, &message, &document.path, report).await? {
            Some(uri) => return finish(&uri, arguments, report),
            // Over the connection, then; the identifier is free again after the refusal.
            None => report.note("the node cannot read the file itself; sending it"),
        }
    }
    put_direct(&mut client, message, document, report).await?;
    let uri = wait_for_end(&mut client, report).await??;
    finish(&uri, arguments, report)
}

/// Has the node read the file; `None` when it may not.
async fn put_from_disk(
    client: &mut FcpClient,
    message: &Message,
    path: &Path,
    report: &Report,
) -> Result<Option<String>, Failure> {
    let Ok(path) = path.canonicalize() else {
        return Ok(None);
    };
    let (Some(folder), Some(file)) = (path.parent(), path.to_str()) else {
        return Ok(None);
    };
    if !offer_folder(client, folder).await? {
        return Ok(None);
    }
    client
        .send(
            &message
                .clone()
                .with("UploadFrom", "disk")
                .with("Filename", file),
        )
        .await?;
    match wait_for_end(client, report).await? {
        Ok(uri) => Ok(Some(uri)),
        Err(EndedBadly::Refused(refusal)) if may_be_sent_instead(&refusal) => Ok(None),
        Err(failed) => Err(failed.into()),
    }
}

/// Whether the node refused only to read the disk.
pub(super) fn may_be_sent_instead(refusal: &Refusal) -> bool {
    // File not found, access denied, direct disk access denied, could not read.
    matches!(refusal.code, 9 | 24 | 25 | 26)
}

async fn put_direct(
    client: &mut FcpClient,
    message: Message,
    document: &Document,
    report: &Report,
) -> Result<(), Failure> {
    let unreadable = |error| {
        Failure::local(
            format!("{} could not be read", document.path.display()),
            error,
        )
    };
    let file = File::open(&document.path).map_err(unreadable)?;
    client
        .send_head(
            &message
                .with("UploadFrom", "direct")
                .with("DataLength", document.length),
        )
        .await?;
    let mut sent = 0;
    let tell = |count| {
        sent += count;
        report.bytes("sending to the node", sent, document.length);
    };
    client
        .send_payload(&mut tokio::fs::File::from_std(file), document.length, tell)
        .await?;
    Ok(())
}

/// Tells the user once what level 0 gives away.
pub(super) fn warn_of_level_0(anonymity: Option<u8>, report: &Report) {
    if anonymity == Some(0) {
        report.note("anonymity 0: the nodes next to yours can see what is asked for, and that it comes from you");
    }
}

/// What every kind of put says.
pub(super) fn put_message(name: &str, arguments: &PutArguments, target: &InsertUri) -> Message {
    let message = Message::new(name)
        .with("Identifier", IDENTIFIER)
        .with("URI", target.to_secret_string().as_str())
        .with("Verbosity", 1)
        .with("GetCHKOnly", arguments.dry_run)
        .with_some("Anonymity", arguments.anonymity);
    if arguments.convergent {
        message.with("Convergent", true)
    } else {
        let key: [u8; 32] = rand::rng().random();
        message.with(
            "OverrideSplitfileCryptoKey",
            data_encoding::HEXLOWER.encode(&key),
        )
    }
}

/// Why a put ended without a URI.
#[derive(Debug)]
pub(super) enum EndedBadly {
    /// The node did not begin.
    Refused(Refusal),
    /// The node gave up.
    Failed(Failure),
}

impl From<EndedBadly> for Failure {
    fn from(ended: EndedBadly) -> Self {
        match ended {
            EndedBadly::Refused(refusal) => refusal.into(),
            EndedBadly::Failed(failure) => failure,
        }
    }
}

/// Shows progress until the put ends; the URI that the node gives.
pub(super) async fn wait_for_end(
    client: &mut FcpClient,
    report: &Report,
) -> Result<Result<String, EndedBadly>, Failure> {
    loop {
        let message = client.receive().await?.message;
        match message.name() {
            "SimpleProgress" => {
                if let Some(blocks) = blocks(&message) {
                    report.blocks(
                        "publishing",
                        Blocks {
                            needed: blocks.total,
                            ..blocks
                        },
                    );
                }
            }
            "PutSuccessful" => {
                return match message.field("URI") {
                    Some(uri) => Ok(Ok(uri.to_owned())),
                    None => Err(Failure::new(
                        ExitStatus::Other,
                        "the node did not say under which URI it published",
                    )),
                };
            }
            "PutFailed" => return Ok(Err(EndedBadly::Failed(Failure::from_put_failed(&message)))),
            "ProtocolError" => {
                return Ok(Err(EndedBadly::Refused(Refusal::from_message(&message))));
            }
            _ => {}
        }
    }
}

/// Reads `SimpleProgress`.
pub(super) fn blocks(message: &Message) -> Option<Blocks> {
    let number = |key| message.field(key).and_then(|value| value.parse().ok());
    Some(Blocks {
        done: number("Succeeded")?,
        needed: number("Required")?,
        total: number("Total")?,
    })
}

/// Prints the result.
pub(super) fn finish(uri: &str, arguments: &PutArguments, report: &Report) -> Result<(), Failure> {
    report.result(uri, json!({ "uri": uri, "published": !arguments.dry_run }))
}
