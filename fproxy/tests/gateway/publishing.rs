//! Publishing from the form.

use std::time::Duration;

use fproxy::network::InsertFailure;
use tokio::time::timeout;

use crate::client::{Answer, Rig};

const BOUNDARY: &str = "XboundaryX";

fn field(name: &str, value: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

fn file(name: &str, path: &str, kind: &str, content: &str) -> String {
    format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{path}\"\r\n\
         Content-Type: {kind}\r\n\r\n{content}\r\n"
    )
}

async fn post(rig: &Rig, headers: &str, parts: &[String]) -> Answer {
    let body = format!("{}--{BOUNDARY}--\r\n", parts.concat());
    let length = body.len();
    let headers = format!(
        "{headers}Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n"
    );
    let host = rig.host();
    rig.raw(&format!(
        "POST /publish HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n{body}"
    ))
    .await
}

/// Asks until the upload is done; it is done as soon as it was released.
async fn result(rig: &Rig, path: &str) -> Answer {
    let ask = async {
        loop {
            let answer = rig.get(path).await;
            if !answer.text().contains("http-equiv=\"refresh\"") {
                return answer;
            }
        }
    };
    timeout(Duration::from_secs(10), ask)
        .await
        .expect("the upload ends")
}

#[tokio::test]
async fn a_file_is_published_and_its_key_shown() {
    let rig = Rig::new().await;
    let token = rig.token("/publish").await;
    let own = format!(
        "Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n",
        rig.host()
    );
    let parts = [
        field("token", &token),
        field("kind", "private"),
        file("file", "C:\\dir\\notes.txt", "text/plain", "hello"),
    ];
    let answer = post(&rig, &own, &parts).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let place = answer.header("location").unwrap();
    let under_way = rig.get(place).await.text();
    assert!(
        under_way.contains("notes.txt") && under_way.contains("http-equiv=\"refresh\""),
        "{under_way}"
    );
    rig.network.release();
    let done = result(&rig, place).await;
    assert!(done.text().contains("KSK@published"), "{}", done.text());
    let inserted = rig.network.inserted.lock().unwrap().clone();
    assert_eq!(
        inserted,
        [(
            "private; notes.txt text/plain 5".to_owned(),
            b"hello".to_vec()
        )]
    );
}

#[tokio::test]
async fn a_folder_keeps_its_paths() {
    let rig = Rig::new().await;
    rig.network.release();
    let parts = [
        field("token", &rig.token("/publish").await),
        field("kind", "key"),
        field("key", "KSK@my-site"),
        field("default", "index.html"),
        file("files", "site/index.html", "text/html", "<p>"),
        file("files", "site/css/a.css", "application/octet-stream", "p{}"),
    ];
    let answer = post(&rig, "", &parts).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    result(&rig, answer.header("location").unwrap()).await;
    let inserted = rig.network.inserted.lock().unwrap().clone();
    assert_eq!(
        inserted[0].0,
        "key KSK@my-site; index.html text/html 3; css/a.css text/css 3"
    );
}

#[tokio::test]
async fn forms_of_others_are_refused() {
    let rig = Rig::new().await;
    let token = rig.token("/publish").await;
    let parts = [field("token", &token), file("file", "a", "text/plain", "x")];
    for headers in [
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
        "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
    ] {
        assert_eq!(post(&rig, headers, &parts).await.status, 403, "{headers}");
    }
    for wrong in [
        vec![],
        vec![field("token", "wrong")],
        vec![field("token", "")],
    ] {
        let parts = [wrong, vec![file("file", "a", "text/plain", "x")]].concat();
        assert_eq!(post(&rig, "", &parts).await.status, 403);
    }
    assert!(rig.network.inserted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn without_the_word_nothing_is_taken_in() {
    let rig = Rig::new().await;
    let host = rig.host();
    let begun = file("file", "a", "text/plain", &"x".repeat(100_000));
    // The rest of the form never comes, so only a gateway that does not wait for it answers.
    let request = format!(
        "POST /publish HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\
         Content-Length: 1000000000\r\nConnection: close\r\n\r\n{begun}"
    );
    assert_eq!(rig.raw(&request).await.status, 403);
}

#[tokio::test]
async fn broken_forms_are_explained() {
    let rig = Rig::new().await;
    let token = field("token", &rig.token("/publish").await);
    let cases = [
        (vec![], "No file was chosen"),
        (
            vec![file("file", "..", "text/plain", "x")],
            "cannot be published",
        ),
        (
            vec![file("file", "", "application/octet-stream", "")],
            "No file was chosen",
        ),
        (
            vec![
                field("kind", "key"),
                field("key", "nonsense"),
                file("file", "a", "text/plain", "x"),
            ],
            "bad-key",
        ),
        (
            vec![field("kind", "other"), file("file", "a", "text/plain", "x")],
            "not known",
        ),
        (vec![field("key", &"x".repeat(100_000))], "too long"),
        (
            vec![
                file("files", "s/a", "text/plain", "x"),
                file("files", "s/a", "text/plain", "y"),
            ],
            "the same name",
        ),
    ];
    for (parts, word) in cases {
        let answer = post(&rig, "", &[vec![token.clone()], parts].concat()).await;
        assert_eq!(answer.status, 400, "{word}");
        assert!(answer.text().contains(word), "{word}: {}", answer.text());
    }
    let host = rig.host();
    let plain = rig.raw(&format!("POST /publish HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")).await;
    assert_eq!(plain.status, 400);
}

#[tokio::test]
async fn an_upload_over_the_limit_is_refused_and_leaves_nothing() {
    let rig = Rig::with(|config| config.upload_len_max = 1000).await;
    let token = field("token", &rig.token("/publish").await);
    let answer = post(
        &rig,
        "",
        &[token, file("file", "a", "text/plain", &"x".repeat(2000))],
    )
    .await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert_eq!(std::fs::read_dir(rig.folder()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_failed_upload_says_why() {
    let rig = Rig::new().await;
    rig.network.release();
    let existing = Some(Box::new("KSK@there".parse().unwrap()));
    *rig.network.insert_failure.lock().unwrap() = Some(InsertFailure::Collision { existing });
    let parts = [
        field("token", &rig.token("/publish").await),
        file("file", "a", "text/plain", "x"),
    ];
    let answer = post(&rig, "", &parts).await;
    let failed = result(&rig, answer.header("location").unwrap()).await;
    assert_eq!(failed.status, 409);
    assert!(
        failed.text().contains("This key is taken") && failed.text().contains("/KSK@there"),
        "{}",
        failed.text()
    );
    assert_eq!(rig.get("/publish/unknown").await.status, 404);
}
