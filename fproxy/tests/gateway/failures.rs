//! Every failure says what it is, to people and to programs.

use fproxy::network::FetchFailure;

use crate::client::{NAVIGATION, Rig};
use crate::double::{Entry, chk};

#[tokio::test]
async fn each_failure_has_its_status_and_reason() {
    let rig = Rig::new().await;
    let cases = [
        (FetchFailure::NotFound, 404, "not-found", false),
        (
            FetchFailure::NotInSite {
                name: "x".to_owned(),
            },
            404,
            "not-in-site",
            false,
        ),
        (FetchFailure::NoPeers, 503, "no-peers", true),
        (FetchFailure::NoCircuit, 503, "no-circuit", true),
        (FetchFailure::Overloaded, 503, "overloaded", true),
        (FetchFailure::TimedOut, 504, "timed-out", true),
        (
            FetchFailure::Damaged {
                found: 1,
                needed: 2,
            },
            502,
            "damaged",
            true,
        ),
        (FetchFailure::TooBig { size: 1 }, 502, "too-big", false),
        (
            FetchFailure::BadMetadata("x".to_owned()),
            502,
            "bad-metadata",
            false,
        ),
        (FetchFailure::TooManyRedirects, 502, "bad-metadata", false),
        (FetchFailure::ShuttingDown, 503, "shutting-down", true),
        (
            FetchFailure::Internal("x".to_owned()),
            500,
            "internal",
            false,
        ),
    ];
    for (failure, status, reason, retryable) in cases {
        rig.network.put("KSK@x", Entry::Failure(failure.clone()));
        let answer = rig.get("/KSK@x").await;
        assert_eq!(answer.status, status, "{failure}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(
            answer.header("retry-after").is_some(),
            retryable,
            "{failure}"
        );
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            (&body["reason"], &body["retryable"]),
            (&reason.into(), &retryable.into())
        );
        assert!(!body["hint"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn people_are_told_in_words_what_to_do_next() {
    let rig = Rig::new().await;
    let host = rig.label_host("/KSK@x").await;
    let answer = rig.request_at(&host, "/KSK@x", NAVIGATION).await;
    assert_eq!(answer.status, 404);
    let text = answer.text();
    assert!(
        text.contains("Nobody had this") && text.contains("try again later"),
        "{text}"
    );
    assert!(
        text.contains(&format!("href=\"http://127.0.0.1:{}/\"", rig.port())),
        "{text}"
    );
}

#[tokio::test]
async fn a_failure_is_told_once_and_the_next_request_tries_again() {
    let rig = Rig::new().await;
    assert_eq!(rig.get("/KSK@x.txt").await.status, 404);
    rig.network.put_document("KSK@x.txt", "text/plain", "x");
    assert_eq!(rig.get("/KSK@x.txt").await.status, 200);
}

#[tokio::test]
async fn bad_keys_are_explained() {
    let rig = Rig::new().await;
    let hyphanet = "/CHK@yyHXwhWpqeC4LXTjBCRsXu~9XkXT0WWHGgDNXbnvMvA,jF0sPGX4Ep0j3Ncg~8YTd9dxEYF7CN8KrFIDLZx-e1w,AAMC--8/a.txt";
    let answer = rig.get(hyphanet).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("Hyphanet"), "{}", answer.text());
    for path in [
        "/CHK@",
        "/CHK@a,b,c",
        "/SSK@x/y",
        "/USK@/",
        "/KSK@",
        "/CHK@%FF",
    ] {
        let answer = rig.get(path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.text().contains("bad-key"), "{path}");
    }
    for path in ["/x", "/favicon.ico", "/CHK", "/a/CHK@b"] {
        assert_eq!(rig.get(path).await.status, 404, "{path}");
    }
    assert_eq!(rig.network.opens(), 0);
}

#[tokio::test]
async fn nothing_can_be_changed_by_reading_methods_or_written_by_others() {
    let rig = Rig::new().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "FOO"] {
        let answer = rig
            .request(method, &format!("/{}", chk("x")), "Content-Length: 0\r\n")
            .await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, HEAD")),
            "{method}"
        );
    }
    assert_eq!(
        rig.request("PUT", "/publish", "").await.header("allow"),
        Some("GET, HEAD, POST")
    );
}
