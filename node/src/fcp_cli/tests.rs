//! The program against a server in the same process: what it prints and how it ends.

use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser;
use serde_json::Value;

use super::{Arguments, ExitStatus, Failure, Output, Report, run};
use crate::fcp::tests::support::{Mood, TestServer};

/// A place to write that can be looked into.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut captured = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        captured.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What one run of the program left.
struct Run {
    status: ExitStatus,
    out: Vec<u8>,
    err: String,
}

impl Run {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    /// The only line on standard output.
    fn line(&self) -> &str {
        assert_eq!(self.status, ExitStatus::Done, "{}", self.err);
        let line = self.text().strip_suffix('\n').expect("a line");
        assert!(!line.contains('\n'), "one line only: {line}");
        line
    }

    fn json(&self) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl TestServer {
    /// Runs `fcp` with these arguments.
    async fn fcp(&self, arguments: &[&str]) -> Run {
        fcp_at(self.server.local_addr().port(), arguments).await
    }
}

async fn fcp_at(port: u16, arguments: &[&str]) -> Run {
    let port = port.to_string();
    let line = ["fcp", "--port", &port]
        .into_iter()
        .chain(arguments.iter().copied());
    let arguments = Arguments::try_parse_from(line).unwrap();
    let (out, err) = (Captured::default(), Captured::default());
    let output = Output {
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
    };
    let report = Report::to(output, arguments.json);
    let result: Result<(), Failure> = run(arguments.command, &arguments.node, &report).await;
    let status = match result {
        Ok(()) => ExitStatus::Done,
        Err(failure) => report.fail(&failure),
    };
    let out = out.0.lock().unwrap().clone();
    let err = String::from_utf8(err.0.lock().unwrap().clone()).unwrap();
    Run { status, out, err }
}

fn path(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn a_file_goes_in_and_comes_out_and_only_the_result_is_on_standard_output() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    for length in [0, 10, 100_000, 3_000_000] {
        let file = folder.path().join(format!("photo-{length}.bin"));
        let mut content = vec![0; length];
        blake3::Hasher::new().finalize_xof().fill(&mut content);
        fs::write(&file, &content).unwrap();
        let put = server.fcp(&["put", path(&file)]).await;
        let uri = put.line().to_owned();
        assert!(
            uri.starts_with("CHK@") && uri.ends_with(&format!("/photo-{length}.bin")),
            "{uri}"
        );

        let copy = folder.path().join(format!("copy-{length}"));
        let get = server.fcp(&["get", &uri, "-o", path(&copy)]).await;
        assert_eq!(get.line(), path(&copy));
        assert!(fs::read(&copy).unwrap() == content, "{length} bytes");
        let piped = server.fcp(&["get", &uri, "-o", "-"]).await;
        assert_eq!(piped.status, ExitStatus::Done);
        assert!(piped.out == content, "{length} bytes");
    }
}

#[tokio::test]
async fn a_name_in_the_key_goes_before_the_name_of_the_file() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    fs::write(&file, "text").unwrap();
    let put = server
        .fcp(&["put", path(&file), "--key", "CHK@/other.txt"])
        .await;
    assert!(put.line().ends_with("/other.txt"), "{}", put.line());
    let twice = ["--key", "CHK@/other.txt", "--name", "third.txt"];
    let arguments: Vec<_> = ["put", path(&file)].into_iter().chain(twice).collect();
    assert_eq!(server.fcp(&arguments).await.status, ExitStatus::Usage);
}

#[tokio::test]
async fn the_same_file_gets_another_key_each_time_unless_convergent() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    fs::write(&file, "same").unwrap();
    let mut uris = Vec::new();
    for arguments in [
        &["put"][..],
        &["put"],
        &["put", "--convergent"],
        &["put", "--convergent"],
    ] {
        let arguments: Vec<_> = arguments.iter().copied().chain([path(&file)]).collect();
        uris.push(server.fcp(&arguments).await.line().to_owned());
    }
    assert_ne!(uris[0], uris[1]);
    assert_eq!(uris[2], uris[3]);
}

#[tokio::test]
async fn a_folder_becomes_a_site_with_editions_under_a_key_from_a_file() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    fs::create_dir_all(site.join("img")).unwrap();
    fs::write(site.join("index.html"), "<p>home").unwrap();
    fs::write(site.join("img/a.png"), "png").unwrap();
    fs::write(site.join(".hidden"), "no").unwrap();
    let key = folder.path().join("my.key");
    let request = server
        .fcp(&["keygen", "-o", path(&key)])
        .await
        .line()
        .to_owned();

    for edition in 0..2 {
        let put = server
            .fcp(&[
                "put",
                path(&site),
                "--key-file",
                path(&key),
                "--site",
                "blog",
            ])
            .await;
        let uri = put.line().to_owned();
        let expected = format!("{}blog/{edition}/", request.replacen("SSK@", "USK@", 1));
        assert_eq!(uri, expected);
        assert!(
            put.err.contains("hidden"),
            "the user is told what is left out"
        );
        let page = server
            .fcp(&["get", &format!("{uri}img/a.png"), "-o", "-"])
            .await;
        assert_eq!(page.out, b"png");
        fs::write(site.join("index.html"), "<p>new home").unwrap();
    }
    // An old edition leads to the newest.
    let old = format!("{}blog/0/index.html", request.replacen("SSK@", "USK@", 1));
    let newest = server.fcp(&["get", &old, "-o", "-"]).await;
    assert_eq!(newest.out, b"<p>new home", "{}", newest.err);
    let missing = server
        .fcp(&["get", &format!("{request}blog-1/missing"), "-o", "-"])
        .await;
    assert_eq!(missing.status, ExitStatus::NotFound);
}

#[tokio::test]
async fn a_folder_without_a_key_gets_a_content_key_with_a_slash() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "hello").unwrap();
    let uri = server
        .fcp(&["put", path(folder.path())])
        .await
        .line()
        .to_owned();
    assert!(uri.starts_with("CHK@") && uri.ends_with('/'));
    assert_eq!(
        server
            .fcp(&["get", &format!("{uri}a.txt"), "-o", "-"])
            .await
            .out,
        b"hello"
    );
}

/// 0.0.0.0 leads to this machine and does not look like it.
#[tokio::test]
async fn what_the_node_may_not_read_itself_is_sent_to_it() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut content = vec![0; 1_500_000];
    blake3::Hasher::new().finalize_xof().fill(&mut content);
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/big.bin"), &content).unwrap();
    fs::write(folder.path().join("index.html"), "home").unwrap();
    let elsewhere = ["--host", "0.0.0.0", "put"];
    let site = server
        .fcp(&[&elsewhere[..], &[path(folder.path())]].concat())
        .await;
    let big = format!("{}sub/big.bin", site.line());
    assert!(server.fcp(&["get", &big, "-o", "-"]).await.out == content);
    let file = folder.path().join("sub/big.bin");
    let put = server.fcp(&[&elsewhere[..], &[path(&file)]].concat()).await;
    assert!(server.fcp(&["get", put.line(), "-o", "-"]).await.out == content);
}

#[tokio::test]
async fn failures_to_get_have_their_exit_codes_and_say_what_to_do() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    fs::write(&file, "hello").unwrap();
    let file = path(&file);
    server.fcp(&["put", file, "--key", "KSK@there"]).await;

    let missing = server.fcp(&["get", "KSK@nobody-put-this"]).await;
    assert_eq!(missing.status, ExitStatus::NotFound);
    assert!(missing.out.is_empty());
    assert!(missing.err.contains("next: "), "{}", missing.err);
    let bad = server.fcp(&["get", "nonsense"]).await;
    assert_eq!(bad.status, ExitStatus::BadKey);
    let big = server.fcp(&["get", "KSK@there", "--max-size", "2"]).await;
    assert_eq!(big.status, ExitStatus::Refused, "{}", big.err);

    fs::write(file, "mine").unwrap();
    let exists = server.fcp(&["get", "KSK@there", "-o", file]).await;
    assert_eq!(exists.status, ExitStatus::Usage);
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
    let forced = server
        .fcp(&["get", "KSK@there", "-o", file, "--force"])
        .await;
    assert_eq!(forced.status, ExitStatus::Done);
    assert_eq!(fs::read_to_string(file).unwrap(), "hello");

    server.network.set_mood(Mood::NoRoute);
    let alone = server.fcp(&["get", "KSK@a"]).await;
    assert_eq!(alone.status, ExitStatus::Transient);
    let port = server.server.local_addr().port();
    server.server.shutdown().await;
    let away = fcp_at(port, &["get", "KSK@a"]).await;
    assert_eq!(away.status, ExitStatus::Unreachable);
    assert!(away.err.contains("warren run"), "{}", away.err);
}

#[tokio::test]
async fn failures_to_put_have_their_exit_codes() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (first, other) = (folder.path().join("a.txt"), folder.path().join("b.txt"));
    fs::write(&first, "hello").unwrap();
    fs::write(&other, "other").unwrap();
    let first = path(&first);
    for (arguments, status) in [
        (&["--key", "nonsense"][..], ExitStatus::BadKey),
        (&["--mime", "nonsense"], ExitStatus::Usage),
        (&["--site", "blog"], ExitStatus::Usage),
        (&["--key", "KSK@taken"], ExitStatus::Done),
    ] {
        let put = server.fcp(&[&["put", first], arguments].concat()).await;
        assert_eq!(put.status, status, "{arguments:?}: {}", put.err);
    }
    let collision = server
        .fcp(&["put", path(&other), "--key", "KSK@taken"])
        .await;
    assert_eq!(collision.status, ExitStatus::Collision);
    let missing = server.fcp(&["put", "/nonexistent"]).await;
    assert_eq!(missing.status, ExitStatus::Other);
    server.network.set_mood(Mood::NoRoute);
    let alone = server.fcp(&["put", first]).await;
    assert_eq!(alone.status, ExitStatus::Transient);
}

#[tokio::test]
async fn a_document_that_lost_too_many_blocks_is_partial() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("big");
    let mut content = vec![0; 2_000_000];
    blake3::Hasher::new().finalize_xof().fill(&mut content);
    fs::write(&file, &content).unwrap();
    let uri = server.fcp(&["put", path(&file)]).await.line().to_owned();
    let crypto::Uri::Content { key: top, .. } = uri.parse().unwrap() else {
        panic!("{uri}")
    };
    let mut kept = 0;
    server.network.retain(|key| {
        kept += 1;
        *key == top.block_key() || kept % 8 == 0
    });
    let get = server
        .fcp(&["get", &uri, "-o", path(&folder.path().join("copy"))])
        .await;
    assert_eq!(get.status, ExitStatus::Partial, "{}", get.err);
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["big"], "no half file is left");
}

#[tokio::test]
async fn json_lines_tell_status_result_and_error() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.bin");
    let mut content = vec![0; 300_000];
    blake3::Hasher::new().finalize_xof().fill(&mut content);
    fs::write(&file, &content).unwrap();
    let put = server.fcp(&["put", path(&file), "--json"]).await.json();
    let result = put.last().unwrap();
    assert_eq!(result["type"], "result");
    let uri = result["uri"].as_str().unwrap();
    assert!(
        put.iter()
            .all(|line| line["type"] == "status" || line["type"] == "result")
    );

    let get = server.fcp(&["get", uri, "--json", "-o", "-"]).await;
    assert!(
        get.out == content,
        "standard output belongs to the document"
    );
    assert!(
        get.err
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "{}",
        get.err
    );

    let failed = server.fcp(&["get", "KSK@nobody", "--json"]).await.json();
    let failed = failed.last().unwrap();
    assert_eq!(failed["type"], "error");
    assert_eq!(failed["code"], 3);
    assert!(failed["next"].is_string());
}

#[tokio::test]
async fn a_dry_run_gives_the_key_and_publishes_nothing() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    fs::write(&file, "hello").unwrap();
    let dry = server
        .fcp(&["put", path(&file), "--convergent", "--dry-run"])
        .await
        .line()
        .to_owned();
    assert_eq!(server.network.blocks(), 0);
    assert_eq!(
        server
            .fcp(&["put", path(&file), "--convergent"])
            .await
            .line(),
        dry
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_key_is_readable_by_its_owner_alone_and_never_replaces_another() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("my.key");
    // No node is needed.
    let made = fcp_at(1, &["keygen", "-o", path(&key)]).await;
    assert!(made.line().starts_with("SSK@"), "the request key");
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        fcp_at(1, &["keygen", "-o", path(&key)]).await.status,
        ExitStatus::Usage
    );

    let both = fcp_at(1, &["keygen"]).await;
    let lines: Vec<_> = both.text().lines().collect();
    assert!(lines[0].starts_with("insert SSK@") && lines[1].starts_with("request SSK@"));
}
