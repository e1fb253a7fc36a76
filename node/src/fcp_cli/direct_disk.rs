//! Letting the node read files itself: the client's side of the test of direct disk access.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use crate::fcp::client::{ClientError, FcpClient};
use crate::fcp::message::Message;

use super::arguments::NodeAddress;

/// Longest test file that is read, in bytes.
const TEST_FILE_MAX: u64 = 4096;

/// Whether the node may be on this machine, so that a test makes sense.
pub(super) fn may_share_disk(node: &NodeAddress) -> bool {
    node.host == "localhost"
        || node
            .host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Proves to the node that we can read the folder; `true` when it may read it for us.
pub(super) async fn offer_folder(
    client: &mut FcpClient,
    folder: &Path,
) -> Result<bool, ClientError> {
    let Some(directory) = folder.to_str() else {
        return Ok(false);
    };
    let request = Message::new("TestDDARequest")
        .with("Directory", directory)
        .with("WantReadDirectory", true);
    client.send(&request).await?;
    let Some(reply) = answer(client, "TestDDAReply").await? else {
        return Ok(false);
    };
    let Some(content) = reply
        .field("ReadFilename")
        .map(Path::new)
        .and_then(|file| read_test_file(folder, file).ok())
    else {
        return Ok(false);
    };
    let response = Message::new("TestDDAResponse")
        .with("Directory", directory)
        .with("ReadContent", content);
    client.send(&response).await?;
    let complete = answer(client, "TestDDAComplete").await?;
    Ok(complete.is_some_and(|complete| complete.field("ReadDirectoryAllowed") == Some("true")))
}

/// The answer of this name; `None` when the node refuses.
async fn answer(client: &mut FcpClient, name: &str) -> Result<Option<Message>, ClientError> {
    loop {
        let message = client.receive().await?.message;
        if message.name() == name {
            return Ok(Some(message));
        }
        if message.name() == "ProtocolError" {
            return Ok(None);
        }
    }
}

/// Reads what the node wrote. Only a file in the folder that we asked about: the content goes back to the node.
fn read_test_file(folder: &Path, file: &Path) -> io::Result<String> {
    let within =
        file.parent().map(fs::canonicalize).transpose()? == Some(fs::canonicalize(folder)?);
    let about = fs::symlink_metadata(file)?;
    if !within || !about.is_file() || about.len() > TEST_FILE_MAX {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    fs::read_to_string(file)
}
