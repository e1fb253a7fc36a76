//! Fetches are shared, bounded, and end when nobody wants them.

use std::time::Duration;

use tokio::time::timeout;

use crate::client::{NAVIGATION, Rig};
use crate::double::Entry;

fn slow(text: &'static str) -> Entry {
    Entry::Slow(Box::new(Entry::Document {
        content_type: Some("text/plain"),
        bytes: text.into(),
    }))
}

#[tokio::test]
async fn a_fetch_that_nobody_waits_for_is_given_up() {
    let rig = Rig::with(|config| config.kept_for = Duration::from_millis(50)).await;
    rig.network.put("KSK@slow.txt", slow("x"));
    rig.ask_and_leave("/KSK@slow.txt").await;
    let given_up = timeout(Duration::from_secs(10), rig.network.gives_up());
    given_up.await.expect("the fetch is given up");
}

#[tokio::test]
async fn a_progress_page_keeps_the_fetch_going_for_a_while_only() {
    let rig = Rig::with(|config| config.kept_for = Duration::from_millis(400)).await;
    rig.network.put("KSK@slow.txt", slow("x"));
    let host = rig.label_host("/KSK@slow.txt").await;
    for _ in 0..3 {
        let answer = rig.request_at(&host, "/KSK@slow.txt", NAVIGATION).await;
        assert_eq!(answer.status, 202);
    }
    assert_eq!(rig.network.opens(), 1);
    let given_up = timeout(Duration::from_secs(10), rig.network.gives_up());
    given_up.await.expect("the fetch is given up");
}

#[tokio::test]
async fn those_who_want_the_same_share_one_fetch() {
    let rig = Rig::new().await;
    rig.network.put("KSK@slow.txt", slow("shared"));
    let (one, other, ()) = tokio::join!(
        rig.get("/KSK@slow.txt"),
        rig.get("/KSK%40slow.txt"),
        async {
            let host = rig.label_host("/KSK@slow.txt").await;
            let third = rig.request_at(&host, "/KSK@slow.txt", NAVIGATION).await;
            assert_eq!(third.status, 202);
            rig.network.release();
        }
    );
    assert_eq!(
        (one.text(), other.text()),
        ("shared".to_owned(), "shared".to_owned())
    );
    assert_eq!(rig.network.opens(), 1);
}

#[tokio::test]
async fn no_more_is_begun_than_can_be_handled() {
    let rig = Rig::new().await;
    let mut waiting = Vec::new();
    for number in 0..128 {
        let key = format!("KSK@{number}.txt");
        rig.network.put(&key, slow("x"));
        waiting.push(rig.ask(&format!("/{key}")).await);
    }
    let full = async {
        // The requests are handled in any order, so it may take some until the gateway is full.
        for number in 1000.. {
            let key = format!("KSK@{number}.txt");
            rig.network.put(&key, slow("x"));
            let host = rig.label_host(&format!("/{key}")).await;
            let answer = rig.request_at(&host, &format!("/{key}"), NAVIGATION).await;
            if answer.status == 503 {
                return answer;
            }
        }
        unreachable!("the numbers do not end")
    };
    let answer = timeout(Duration::from_secs(20), full)
        .await
        .expect("the gateway becomes full");
    assert!(
        answer.text().contains("Too much to do"),
        "{}",
        answer.text()
    );
    assert_eq!(rig.network.opens(), 128);
}

#[tokio::test]
async fn a_fetch_ends_after_its_time() {
    let rig = Rig::with(|config| config.fetch_time_max = Duration::from_millis(100)).await;
    rig.network.put("KSK@slow.txt", slow("x"));
    assert_eq!(rig.get("/KSK@slow.txt").await.status, 504);
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_broken_off() {
    let rig = Rig::with(|config| config.fetch_time_max = Duration::from_millis(200)).await;
    rig.network.put("KSK@stuck.txt", Entry::Stuck);
    let begun = rig.get("/KSK@stuck.txt").await;
    assert_eq!((begun.status, begun.complete), (200, false));
    let silent = rig
        .request("GET", "/KSK@stuck.txt", "Range: bytes=5000-\r\n")
        .await;
    assert_eq!(silent.status, 504);
}
