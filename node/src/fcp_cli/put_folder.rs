//! `fcp put` of a folder: it becomes a site.

use std::path::Path;

use crypto::InsertUri;

use crate::fcp::client::FcpClient;
use crate::fcp::folder::{FolderContent, FolderError, FolderFile, Hidden, list_folder};
use crate::fcp::message::Message;

use super::arguments::{NodeAddress, PutArguments};
use super::connect;
use super::direct_disk::{may_share_disk, offer_folder};
use super::failure::{ExitStatus, Failure};
use super::put::{EndedBadly, finish, may_be_sent_instead, put_message, wait_for_end};
use super::report::Report;

/// Publishes the folder and prints its URI with a slash at the end, so that the names of its files can follow.
pub(super) async fn put_folder(
    arguments: &PutArguments,
    target: &InsertUri,
    node: &NodeAddress,
    report: &Report,
) -> Result<(), Failure> {
    if arguments.mime.is_some()
        || (arguments.name.is_some() && !matches!(target, InsertUri::Signed { .. }))
    {
        return Err(Failure::new(
            ExitStatus::Usage,
            "--mime and --name are for single documents, not for folders",
        ));
    }
    let content = list(arguments)?;
    warn_of_what_is_left_out(&content, report);
    let has_default = content
        .files
        .iter()
        .any(|file| file.name == arguments.default_name);
    if !has_default {
        report.note(&format!(
            "the folder has no {}: the site will open with a list of its files",
            arguments.default_name
        ));
    }
    let default_name = has_default.then_some(&arguments.default_name);
    let mut client = connect(node).await?;
    let request =
        |name| put_message(name, arguments, target).with_some("DefaultName", default_name);
    let on_disk = request("ClientPutDiskDir").with("includeHiddenFiles", arguments.hidden);
    let uri = match put_from_disk(&mut client, on_disk, &arguments.source, node, report).await? {
        Some(uri) => uri,
        None => {
            put_over_connection(
                &mut client,
                request("ClientPutComplexDir"),
                &content.files,
                report,
            )
            .await?
        }
    };
    let uri = if uri.ends_with('/') {
        uri
    } else {
        format!("{uri}/")
    };
    finish(&uri, arguments, report)
}

fn list(arguments: &PutArguments) -> Result<FolderContent, Failure> {
    let hidden = if arguments.hidden {
        Hidden::Publish
    } else {
        Hidden::LeaveOut
    };
    list_folder(&arguments.source, hidden).map_err(|error| {
        let status = match error {
            FolderError::Unreadable { .. } => ExitStatus::Other,
            FolderError::NameNotText { .. } | FolderError::Empty => ExitStatus::Usage,
            FolderError::TooManyFiles => ExitStatus::Refused,
        };
        Failure::new(
            status,
            format!("{} cannot become a site", arguments.source.display()),
        )
        .because(error)
    })
}

fn warn_of_what_is_left_out(content: &FolderContent, report: &Report) {
    if content.hidden_left_out > 0 {
        let count = content.hidden_left_out;
        report.note(&format!(
            "{count} hidden files or folders are left out; --hidden publishes them"
        ));
    }
    for path in content.special_left_out.iter().take(10) {
        report.note(&format!(
            "{} is left out: it is a link or no regular file",
            path.display()
        ));
    }
}

/// Has the node read the folder; `None` when it may not.
async fn put_from_disk(
    client: &mut FcpClient,
    message: Message,
    folder: &Path,
    node: &NodeAddress,
    report: &Report,
) -> Result<Option<String>, Failure> {
    let Ok(folder) = folder.canonicalize() else {
        return Ok(None);
    };
    let Some(name) = folder.to_str() else {
        return Ok(None);
    };
    if !may_share_disk(node) || !offer_folder(client, &folder).await? {
        return Ok(None);
    }
    client.send(&message.with("Filename", name)).await?;
    match wait_for_end(client, report).await? {
        Ok(uri) => Ok(Some(uri)),
        Err(EndedBadly::Refused(refusal)) if may_be_sent_instead(&refusal) => Ok(None),
        Err(failed) => Err(failed.into()),
    }
}

/// Sends all files to the node, one after the other.
async fn put_over_connection(
    client: &mut FcpClient,
    mut message: Message,
    files: &[FolderFile],
    report: &Report,
) -> Result<String, Failure> {
    let total = files.iter().map(|file| file.length).sum();
    for (number, file) in files.iter().enumerate() {
        message.set(format!("Files.{number}.Name"), &file.name);
        message.set(format!("Files.{number}.UploadFrom"), "direct");
        message.set(format!("Files.{number}.DataLength"), file.length);
    }
    client.send_head(&message.with("DataLength", total)).await?;
    let mut sent = 0;
    for file in files {
        let unreadable =
            |error| Failure::local(format!("{} could not be read", file.path.display()), error);
        let mut source = tokio::fs::File::open(&file.path)
            .await
            .map_err(unreadable)?;
        let tell = |count| {
            sent += count;
            report.bytes("sending to the node", sent, total);
        };
        client.send_payload(&mut source, file.length, tell).await?;
    }
    Ok(wait_for_end(client, report).await??)
}
