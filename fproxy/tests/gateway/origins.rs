//! Names, origins, and who may look at what.

use crate::client::{NAVIGATION, PICTURE, Rig};
use crate::double::{chk, usk};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

#[tokio::test]
async fn other_names_are_refused_before_anything() {
    let rig = Rig::new().await;
    let port = rig.port();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1".to_owned(),
        "127.0.0.1:1".to_owned(),
    ] {
        let answer = rig.request_at(&host, "/KSK@x", "").await;
        assert_eq!(answer.status, 421, "{host}");
    }
    let none = rig.raw("GET / HTTP/1.0\r\n\r\n").await;
    assert_eq!(none.status, 421);
    assert_eq!(rig.network.opens(), 0);
    for host in [format!("localhost:{port}"), format!("[::1]:{port}")] {
        assert_eq!(rig.request_at(&host, "/", "").await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn a_browser_is_sent_to_the_site_s_own_origin() {
    let rig = Rig::new().await;
    rig.network
        .put_document(&format!("{}/a.html", usk(5)), "text/html", "<p>hi");
    let path = format!("/{}/a.html", usk(5));
    let host = rig.label_host(&format!("{path}?x=1")).await;
    let (label, rest) = host.split_once('.').unwrap();
    assert_eq!(rest, format!("localhost:{}", rig.port()));
    assert_eq!(label.len(), 26);
    let page = rig.request_at(&host, &path, NAVIGATION).await;
    assert_eq!(page.status, 200);
    // Every edition and path of the site is at home there, another site is not.
    assert_eq!(rig.label_host(&format!("/{}/b/c.html", usk(9))).await, host);
    assert_ne!(rig.label_host(&format!("/{}", chk("x"))).await, host);
    let elsewhere = rig
        .request_at(&host, &format!("/{}", chk("x")), NAVIGATION)
        .await;
    assert_eq!(elsewhere.status, 307);
    assert!(!elsewhere.header("location").unwrap().contains(label));
}

#[tokio::test]
async fn tools_and_parts_of_pages_are_not_redirected() {
    let rig = Rig::new().await;
    rig.network.put_document("KSK@a.png", "image/png", PNG);
    let host = rig.label_host("/KSK@other").await;
    assert_eq!(rig.get("/KSK@a.png").await.status, 200);
    assert_eq!(
        rig.request_at(&host, "/KSK@a.png", PICTURE).await.status,
        200
    );
    let old = rig
        .request("GET", "/KSK@a.png", "Accept: text/html\r\n")
        .await;
    assert_eq!(old.status, 200);
}

#[tokio::test]
async fn other_sites_may_link_but_not_look_in() {
    let rig = Rig::new().await;
    rig.network.put_document("KSK@a.png", "image/png", PNG);
    let host = rig.label_host("/KSK@a.png").await;
    let from = |site: &str, mode: &str, dest: &str| {
        format!("Sec-Fetch-Site: {site}\r\nSec-Fetch-Mode: {mode}\r\nSec-Fetch-Dest: {dest}\r\n")
    };
    let link = from("cross-site", "navigate", "document");
    assert_eq!(rig.request_at(&host, "/KSK@a.png", &link).await.status, 200);
    let there = rig
        .request_at(&host, "/KSK@a.png", &from("cross-site", "no-cors", "image"))
        .await;
    let absent = rig
        .request_at(&host, "/KSK@b.png", &from("cross-site", "no-cors", "image"))
        .await;
    assert_eq!((there.status, &there.body), (403, &absent.body));
    assert_eq!(absent.status, 403);
    for (site, mode, dest) in [
        ("same-site", "no-cors", "image"),
        ("cross-site", "navigate", "iframe"),
        ("cross-site", "cors", "empty"),
    ] {
        let answer = rig
            .request_at(&host, "/KSK@a.png", &from(site, mode, dest))
            .await;
        assert_eq!(answer.status, 403, "{site} {mode} {dest}");
    }
    let worker = format!("{PICTURE}Service-Worker: script\r\n");
    assert_eq!(
        rig.request_at(&host, "/KSK@a.png", &worker).await.status,
        403
    );
}

#[tokio::test]
async fn the_node_s_pages_are_not_on_a_site_s_origin() {
    let rig = Rig::new().await;
    let host = rig.label_host("/KSK@x").await;
    let home = rig.request_at(&host, "/", NAVIGATION).await;
    assert_eq!(
        (home.status, home.header("location")),
        (
            307,
            Some(format!("http://127.0.0.1:{}/", rig.port()).as_str())
        )
    );
    for path in [
        "/publish",
        "/status",
        "/open?key=KSK@x",
        "/.well-known/warren/health",
        "/publish/x",
    ] {
        assert_eq!(
            rig.request_at(&host, path, NAVIGATION).await.status,
            404,
            "{path}"
        );
    }
    for path in ["/external-link?to=x", "/static/warren.css"] {
        assert_eq!(
            rig.request_at(&host, path, NAVIGATION).await.status,
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_answer_carries_the_walls() {
    let rig = Rig::new().await;
    rig.network.put_document("KSK@a.html", "text/html", "<p>hi");
    rig.network
        .put_document("KSK@a.svg", "image/svg+xml", "<svg/>");
    let host = rig.label_host("/KSK@a.html").await;
    let answers = [
        rig.get("/KSK@a.html").await,
        rig.request_at(&host, "/KSK@a.html", NAVIGATION).await,
        rig.get("/KSK@a.svg").await,
        rig.get("/KSK@nothing").await,
        rig.get("/").await,
        rig.get("/nothing").await,
        rig.request_at("evil.example", "/", "").await,
        rig.request("GET", "/KSK@a.html", NAVIGATION).await,
        rig.request("DELETE", "/KSK@a.html", "").await,
    ];
    for answer in answers {
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{answer:?}"
        );
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            Some("same-origin")
        );
        assert_eq!(
            answer.header("cross-origin-opener-policy"),
            Some("same-origin")
        );
        assert_eq!(answer.header("origin-agent-cluster"), Some("?1"));
        assert_eq!(answer.header("x-dns-prefetch-control"), Some("off"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(
            answer
                .header("permissions-policy")
                .unwrap()
                .contains("geolocation=()")
        );
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("script-src"), "{policy}");
        assert_eq!(answer.header("set-cookie"), None);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn a_publisher_s_page_is_in_a_sandbox() {
    let rig = Rig::new().await;
    rig.network.put_document("KSK@a.html", "text/html", "<p>hi");
    let answer = rig.get("/KSK@a.html").await;
    assert_eq!(
        answer.header("content-security-policy"),
        Some(
            "sandbox allow-same-origin allow-downloads allow-popups allow-popups-to-escape-sandbox; \
             default-src 'none'; img-src 'self' data:; media-src 'self'; font-src 'self'; \
             style-src 'self' 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
    );
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
}
