//! Whatever is sent, the gateway answers or closes, and lives on.

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::client::Rig;

#[tokio::test]
async fn strange_targets_are_survived() {
    let rig = Rig::new().await;
    let mut runner = TestRunner::deterministic();
    let target = prop_oneof![
        "/[ -~]{0,80}",
        "/(CHK|SSK|USK|KSK|chk)(@|%40)[A-Za-z0-9~,%/@.-]{0,80}",
        "(http://|//|\\*)?[!-~]{0,60}",
        "/(open\\?key=|external-link\\?to=|publish/|static/)[!-~]{0,60}",
    ];
    for _ in 0..400 {
        let target = target.new_tree(&mut runner).unwrap().current();
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            rig.host()
        );
        if let Some(answer) = rig.raw_bytes(request.as_bytes()).await {
            assert!(answer.status < 500, "{target} gave {}", answer.status);
        }
    }
    assert_eq!(rig.get("/").await.status, 200);
}

#[tokio::test]
async fn strange_headers_are_survived() {
    let rig = Rig::new().await;
    rig.network.put_document("KSK@x.txt", "text/plain", "hello");
    let mut runner = TestRunner::deterministic();
    let header = "(Range|If-Range|If-None-Match|Accept|Sec-Fetch-Mode|Sec-Fetch-Site|Origin|Cache-Control): [ -~\u{80}-\u{ff}]{0,60}";
    let header = proptest::string::string_regex(header).unwrap();
    for _ in 0..300 {
        let header = header.new_tree(&mut runner).unwrap().current();
        let answer = rig
            .request("GET", "/KSK@x.txt", &format!("{header}\r\n"))
            .await;
        assert!(answer.status < 500, "{header} gave {}", answer.status);
    }
}

#[tokio::test]
async fn garbage_and_giants_are_turned_away() {
    let rig = Rig::with(|config| config.client_time_max = Duration::from_millis(500)).await;
    let host = rig.host();
    let long = format!(
        "GET /KSK@{} HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "x".repeat(200_000)
    );
    let many = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\n{}\r\n",
        "A: b\r\n".repeat(500)
    );
    let binary = [0_u8, 255, 22, 3, 1].repeat(100);
    for request in [long.as_bytes(), many.as_bytes(), &binary, b"\r\n\r\n"] {
        if let Some(answer) = rig.raw_bytes(request).await {
            assert!((400..500).contains(&answer.status), "{}", answer.status);
        }
    }
    let key = format!("/KSK@{}", "x".repeat(9000));
    assert_eq!(rig.get(&key).await.status, 400);
    assert_eq!(rig.get("/").await.status, 200);
}

#[tokio::test]
async fn a_client_that_says_nothing_is_let_go() {
    let rig = Rig::with(|config| config.client_time_max = Duration::from_millis(100)).await;
    assert!(
        rig.raw_bytes(b"GET / HT")
            .await
            .is_none_or(|answer| answer.status == 408)
    );
}
