//! Inserts of whole folders.

use std::fs;

use super::support::{TestServer, Wire, payload};
use crate::fcp::message::Message;

impl Wire {
    async fn end_of_put(&mut self) -> Message {
        loop {
            let message = self.hear().await;
            if matches!(
                message.name(),
                "PutSuccessful" | "PutFailed" | "ProtocolError"
            ) {
                return message;
            }
        }
    }

    async fn content_of(&mut self, uri: &str) -> Vec<u8> {
        self.say(&format!("ClientGet\nIdentifier=g\nURI={uri}\nEndMessage\n"))
            .await;
        let found = self.hear().await;
        assert_eq!(
            found.name(),
            "DataFound",
            "{uri}: {:?}",
            found.fields().collect::<Vec<_>>()
        );
        payload(&self.hear().await)
    }
}

/// jSite: CRLF, `EndMessage` although a payload follows, a slash at the end of the key, a broken boolean line.
#[tokio::test]
async fn a_site_as_jsite_sends_it_can_be_read_file_by_file() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    wire.say("GenerateSSK\r\nEndMessage\r\n").await;
    let pair = wire.hear().await;
    let secret = pair.field("InsertURI").unwrap().replacen("SSK@", "USK@", 1);
    wire.say(&format!(
        "ClientPutComplexDir\r\nIdentifier=site\r\nURI={secret}blog/0/\r\nVerbosity=1023\r\nDefaultName=index.html\r\n\
         EarlyEncode=falsePriorityClass=1\r\n\
         Files.0.Name=index.html\r\nFiles.0.UploadFrom=direct\r\nFiles.0.DataLength=5\r\n\
         Files.0.Metadata.ContentType=text/html\r\n\
         Files.1.Name=img/a.png\r\nFiles.1.UploadFrom=direct\r\nFiles.1.DataLength=3\r\n\
         Files.2.Name=word\r\nFiles.2.UploadFrom=redirect\r\nFiles.2.TargetURI=KSK@word\r\nEndMessage\r\nindexpng"
    ))
    .await;
    let mut generated = None;
    let done = loop {
        let message = wire.hear().await;
        match message.name() {
            "URIGenerated" => generated = message.field("URI").map(str::to_owned),
            "PutSuccessful" => break message,
            name => assert!(
                !name.ends_with("Error") && !name.ends_with("Failed"),
                "{name}"
            ),
        }
    };
    assert!(
        generated
            .unwrap()
            .trim_end_matches('/')
            .ends_with("/blog/0"),
        "the last part is the edition"
    );
    let uri = done.field("URI").unwrap().trim_end_matches('/').to_owned();
    assert!(uri.ends_with("/blog/0"), "{uri}");
    assert_eq!(
        wire.content_of(&format!("{uri}/index.html")).await,
        b"index"
    );
    assert_eq!(wire.content_of(&format!("{uri}/img/a.png")).await, b"png");
    assert_eq!(wire.content_of(&format!("{uri}/")).await, b"index");
    // An edition is the document of that name.
    let by_name = format!("{}blog-0/img/a.png", pair.field("RequestURI").unwrap());
    assert_eq!(wire.content_of(&by_name).await, b"png");

    wire.say(&format!(
        "ClientGet\nIdentifier=g\nURI={uri}/missing\nEndMessage\n"
    ))
    .await;
    assert_eq!(wire.hear().await.field("Code"), Some("10"));
}

#[tokio::test]
async fn a_site_with_a_fault_is_refused_and_its_payload_skipped() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    for (fields, code) in [
        (
            "URI=CHK@\nFiles.1.Name=b\nFiles.1.UploadFrom=disk\nFiles.1.Filename=/etc/passwd\n",
            25,
        ),
        ("URI=nonsense\n", 4),
        ("URI=CHK@\nFiles.0.Metadata.ContentType=x\n", 35),
        ("URI=CHK@\nPersistence=reboot\n", 16),
        ("URI=CHK@\nFiles.1.Name=b\nFiles.1.UploadFrom=redirect\n", 5),
    ] {
        wire.say(&format!(
            "ClientPutComplexDir\nIdentifier=s\n{fields}Files.0.Name=a\nFiles.0.DataLength=16\nDataLength=16\nData\nVoid\nEndMessage\n"
        ))
        .await;
        assert_eq!(
            wire.hear_error(code).await.identifier(),
            Some("s"),
            "{fields}"
        );
    }
    wire.say("ClientPutComplexDir\nIdentifier=s\nURI=CHK@\nEndMessage\n")
        .await;
    wire.hear_error(5).await;
    wire.expect_quiet().await;
    wire.say("ClientPutComplexDir\nIdentifier=s\nURI=CHK@\nFiles.0.Name=a\nFiles.0.DataLength=-4\nEndMessage\n").await;
    assert_eq!(wire.hear_error(8).await.field("Fatal"), Some("true"));
    assert!(wire.try_hear().await.is_none());
}

#[tokio::test]
async fn a_folder_on_disk_becomes_a_site_without_its_hidden_files() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("css/deep")).unwrap();
    for (name, text) in [
        ("index.html", "home"),
        ("css/deep/a.css", "p{}"),
        (".secret", "no"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let directory = folder.path().display().to_string();
    let put = format!(
        "ClientPutDiskDir\nIdentifier=d\nURI=CHK@\nFilename={directory}\nDefaultName=index.html\nEndMessage\n"
    );
    wire.say(&put).await;
    wire.hear_error(25).await;
    wire.say(&format!(
        "TestDDARequest\nDirectory={directory}\nWantReadDirectory=true\nEndMessage\n"
    ))
    .await;
    let file = wire.hear().await.field("ReadFilename").unwrap().to_owned();
    let content = fs::read_to_string(file).unwrap();
    wire.say(&format!(
        "TestDDAResponse\nDirectory={directory}\nReadContent={content}\nEndMessage\n"
    ))
    .await;
    assert_eq!(wire.hear().await.name(), "TestDDAComplete");
    wire.say(&put).await;
    let done = wire.end_of_put().await;
    assert_eq!(
        done.name(),
        "PutSuccessful",
        "{:?}",
        done.fields().collect::<Vec<_>>()
    );
    let uri = done.field("URI").unwrap().trim_end_matches('/').to_owned();
    assert_eq!(wire.content_of(&format!("{uri}/")).await, b"home");
    assert_eq!(
        wire.content_of(&format!("{uri}/css/deep/a.css")).await,
        b"p{}"
    );
    wire.say(&format!(
        "ClientGet\nIdentifier=g\nURI={uri}/.secret\nEndMessage\n"
    ))
    .await;
    assert_eq!(wire.hear().await.name(), "GetFailed");
}
