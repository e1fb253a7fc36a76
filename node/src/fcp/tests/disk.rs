//! Direct disk access: the test of it, and puts and gets that use it.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::support::{TestServer, Wire};
use crate::fcp::message::Message;

impl Wire {
    /// Goes through the test honestly.
    async fn prove(&mut self, folder: &Path, want: &str) -> Message {
        let folder = folder.display();
        self.say(&format!(
            "TestDDARequest\nDirectory={folder}\n{want}=True\nEndMessage\n"
        ))
        .await;
        let reply = self.hear().await;
        assert_eq!(reply.name(), "TestDDAReply");
        let mut response = format!("TestDDAResponse\nDirectory={folder}\n");
        if let Some(file) = reply.field("ReadFilename") {
            let content = fs::read_to_string(file).unwrap();
            assert!(
                content.parse::<u128>().is_err(),
                "clients take digits for a number"
            );
            response += &format!("ReadContent={content}\n");
        }
        if let (Some(file), Some(content)) =
            (reply.field("WriteFilename"), reply.field("ContentToWrite"))
        {
            fs::write(file, content).unwrap();
        }
        self.say(&format!("{response}EndMessage\n")).await;
        let complete = self.hear().await;
        assert_eq!(complete.name(), "TestDDAComplete");
        complete
    }

    async fn put_file(&mut self, file: &Path, more: &str) -> Message {
        let file = file.display();
        self.say(&format!("ClientPut\nIdentifier=p\nURI=CHK@\nUploadFrom=disk\nFilename={file}\n{more}EndMessage\n")).await;
        loop {
            let message = self.hear().await;
            if message.name() != "URIGenerated" {
                return message;
            }
        }
    }
}

#[tokio::test]
async fn a_folder_that_was_proved_can_be_read_and_no_other() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let (mine, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&mine, &other] {
        fs::create_dir(folder.path().join("sub")).unwrap();
        for name in ["page.html", "sub/deep.txt"] {
            fs::write(folder.path().join(name), "content").unwrap();
        }
    }
    wire.put_file(&mine.path().join("page.html"), "")
        .await
        .expect_error(25);
    let complete = wire.prove(mine.path(), "WantReadDirectory").await;
    assert_eq!(complete.field("ReadDirectoryAllowed"), Some("true"));
    assert_eq!(complete.field("WriteDirectoryAllowed"), None);
    let left: Vec<_> = fs::read_dir(mine.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "the test file is gone: {left:?}");

    let done = wire.put_file(&mine.path().join("page.html"), "").await;
    assert!(
        done.field("URI").unwrap().ends_with("/page.html"),
        "the file's own name is used"
    );
    let unnamed = wire
        .put_file(&mine.path().join("page.html"), "TargetFilename=\n")
        .await;
    assert!(
        !unnamed.field("URI").unwrap().contains('/'),
        "an empty name means none"
    );
    wire.put_file(&mine.path().join("sub/deep.txt"), "")
        .await
        .expect_error(25);
    wire.put_file(&other.path().join("page.html"), "")
        .await
        .expect_error(25);
    wire.put_file(&mine.path().join("missing"), "")
        .await
        .expect_error(9);
    let around = mine
        .path()
        .join("..")
        .join(other.path().file_name().unwrap())
        .join("page.html");
    wire.put_file(&around, "").await.expect_error(25);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_does_not_lead_out_of_the_folder() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let (mine, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(other.path().join("secret"), "x").unwrap();
    std::os::unix::fs::symlink(other.path().join("secret"), mine.path().join("link")).unwrap();
    wire.prove(mine.path(), "WantReadDirectory").await;
    wire.put_file(&mine.path().join("link"), "")
        .await
        .expect_error(25);
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_in_place_of_the_answer_holds_nobody_up() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().display().to_string();
    wire.say(&format!(
        "TestDDARequest\nDirectory={directory}\nWantWriteDirectory=true\nEndMessage\n"
    ))
    .await;
    let reply = wire.hear().await;
    let file = reply.field("WriteFilename").unwrap();
    mknodat(CWD, file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    wire.say(&format!(
        "TestDDAResponse\nDirectory={directory}\nEndMessage\n"
    ))
    .await;
    let complete = wire.hear().await;
    assert_eq!(complete.field("WriteDirectoryAllowed"), Some("false"));
}

#[cfg(unix)]
#[tokio::test]
async fn what_was_proved_does_not_hold_for_a_folder_that_took_the_place() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let root = tempfile::tempdir().unwrap();
    let (mine, other) = (root.path().join("mine"), root.path().join("other"));
    for folder in [&mine, &other] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("file"), "x").unwrap();
    }
    wire.prove(&mine, "WantReadDirectory").await;
    fs::rename(&mine, root.path().join("away")).unwrap();
    fs::rename(&other, &mine).unwrap();
    wire.put_file(&mine.join("file"), "").await.expect_error(25);
}

#[tokio::test]
async fn wrong_answers_to_the_test_prove_nothing() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    let directory = folder.path().display().to_string();
    wire.say(&format!(
        "TestDDARequest\nDirectory={directory}\nWantReadDirectory=true\nWantWriteDirectory=true\nEndMessage\n"
    ))
    .await;
    assert_eq!(wire.hear().await.name(), "TestDDAReply");
    wire.say(&format!(
        "TestDDAResponse\nDirectory={directory}\nReadContent=guess\nEndMessage\n"
    ))
    .await;
    let complete = wire.hear().await;
    assert_eq!(complete.field("ReadDirectoryAllowed"), Some("false"));
    assert_eq!(complete.field("WriteDirectoryAllowed"), Some("false"));
    wire.put_file(&folder.path().join("file"), "")
        .await
        .expect_error(25);
    wire.say(&format!(
        "TestDDAResponse\nDirectory={directory}\nReadContent=guess\nEndMessage\n"
    ))
    .await;
    assert_eq!(
        wire.hear_error(8).await.identifier(),
        Some(directory.as_str()),
        "no test is running any longer"
    );
}

#[tokio::test]
async fn tests_that_cannot_be_made_are_refused_under_the_name_of_the_folder() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().display().to_string();
    wire.say("TestDDARequest\nWantReadDirectory=true\nEndMessage\n")
        .await;
    wire.hear_error(5).await;
    wire.say(&format!(
        "TestDDARequest\nDirectory={directory}\nEndMessage\n"
    ))
    .await;
    assert_eq!(
        wire.hear_error(7).await.identifier(),
        Some(directory.as_str())
    );
    wire.say("TestDDARequest\nDirectory=/nonexistent\nWantReadDirectory=true\nEndMessage\n")
        .await;
    assert_eq!(wire.hear_error(8).await.identifier(), Some("/nonexistent"));
    wire.say("TestDDARequest\nDirectory=/proc/self\nWantReadDirectory=true\nEndMessage\n")
        .await;
    assert_eq!(
        wire.hear_error(25).await.identifier(),
        Some("/proc/self"),
        "no test file can be made there"
    );
    wire.expect_quiet().await;
}

#[tokio::test]
async fn the_test_file_is_gone_when_the_client_leaves_in_the_middle() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().display();
    wire.say(&format!(
        "TestDDARequest\nDirectory={directory}\nWantReadDirectory=true\nEndMessage\n"
    ))
    .await;
    wire.hear().await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    wire.say("Disconnect\nEndMessage\n").await;
    assert!(wire.try_hear().await.is_none());
    server.server.shutdown().await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn the_hash_of_a_file_proves_that_the_client_can_read_it() {
    let server = TestServer::start().await;
    let mut wire = server.connect().await;
    wire.say("ClientHello\nName=hash\nExpectedVersion=2.0\nEndMessage\n")
        .await;
    let connection = wire
        .hear()
        .await
        .field("ConnectionIdentifier")
        .unwrap()
        .to_owned();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "content").unwrap();
    let hash = data_encoding::BASE64.encode(&Sha256::digest(format!("{connection}-p-content")));
    assert_eq!(
        wire.put_file(&file, &format!("FileHash={hash}\n"))
            .await
            .name(),
        "PutSuccessful"
    );
    fs::write(&file, "changed").unwrap();
    wire.put_file(&file, &format!("FileHash={hash}\n"))
        .await
        .expect_error(25);
    wire.put_file(
        &folder.path().join("missing"),
        &format!("FileHash={hash}\n"),
    )
    .await
    .expect_error(25);
}

#[tokio::test]
async fn a_document_goes_to_a_new_file_in_a_folder_that_was_proved() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source.txt");
    let content = "line\n".repeat(50_000);
    fs::write(&source, &content).unwrap();
    wire.prove(folder.path(), "WantReadDirectory").await;
    let uri = wire
        .put_file(&source, "")
        .await
        .field("URI")
        .unwrap()
        .to_owned();

    let target = folder.path().join("target.txt");
    let get = format!(
        "ClientGet\nIdentifier=g\nURI={uri}\nReturnType=disk\nFilename={}\nEndMessage\n",
        target.display()
    );
    wire.say(&get).await;
    wire.hear_error(25).await;
    let complete = wire.prove(folder.path(), "WantWriteDirectory").await;
    assert_eq!(complete.field("WriteDirectoryAllowed"), Some("true"));
    wire.say(&get).await;
    let found = wire.hear().await;
    assert_eq!(
        found.name(),
        "DataFound",
        "{:?}",
        found.fields().collect::<Vec<_>>()
    );
    assert!(fs::read_to_string(&target).unwrap() == content);
    wire.say(&get).await;
    wire.hear_error(10).await;
    wire.expect_quiet().await;
}

#[tokio::test]
async fn a_get_that_finds_no_room_for_its_document_ends_with_disk_full() {
    let server = TestServer::with_temporary_files(2 << 20).await;
    let mut wire = server.greeted().await;
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source.bin");
    wire.prove(folder.path(), "WantReadDirectory").await;
    let mut answers = Vec::new();
    for length in [2 << 20, (2 << 20) + 1] {
        let content: Vec<u8> = (0..length).map(|n: u32| (n % 251) as u8).collect();
        fs::write(&source, content).unwrap();
        let done = wire.put_file(&source, "").await;
        let uri = done.field("URI").unwrap();
        wire.say(&format!(
            "ClientGet\nIdentifier=g\nURI={uri}\nReturnType=direct\nEndMessage\n"
        ))
        .await;
        let answer = wire.hear().await;
        answers.push((
            answer.name().to_owned(),
            answer.field("Code").map(str::to_owned),
        ));
        if answer.name() == "DataFound" {
            let data = wire.hear().await;
            assert_eq!(data.name(), "AllData");
        }
    }
    assert_eq!(
        answers,
        [
            ("DataFound".to_owned(), None),
            ("GetFailed".to_owned(), Some("37".to_owned()))
        ]
    );
}

impl Message {
    /// Fails the test unless this is a protocol error of that code.
    fn expect_error(&self, code: u32) {
        assert_eq!(
            (self.name(), self.field("Code")),
            ("ProtocolError", Some(code.to_string().as_str())),
            "{:?}",
            self.fields().collect::<Vec<_>>()
        );
    }
}
