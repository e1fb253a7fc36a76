//! What browsers are shown of documents.

use std::time::Duration;

use fproxy::network::{EntryKind, ListingEntry};
use tokio::time::timeout;

use crate::client::{NAVIGATION, PICTURE, Rig};
use crate::double::Entry;

#[tokio::test]
async fn a_page_is_filtered_and_declared_as_utf8() {
    let rig = Rig::new().await;
    let page = &b"<meta charset=latin1><title>caf\xe9</title><script>x</script><img src=a.png><a href=/css/b>b</a>"[..];
    rig.network
        .put_document("KSK@site/dir/a.html", "text/html; charset=iso-8859-1", page);
    let answer = rig.get("/KSK@site/dir/a.html").await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let text = answer.text();
    assert!(text.contains("<title>café</title>"), "{text}");
    assert!(text.contains("<img src=\"/KSK@site/dir/a.png\">"), "{text}");
    assert!(text.contains("<a href=\"/KSK@site/css/b\">"), "{text}");
    assert!(!text.contains("script"), "{text}");
    let part = rig
        .request("GET", "/KSK@site/dir/a.html", "Range: bytes=0-4\r\n")
        .await;
    assert_eq!(part.text(), text[..5]);
}

#[tokio::test]
async fn a_style_sheet_is_filtered() {
    let rig = Rig::new().await;
    rig.network.put_document(
        "KSK@site/a.css",
        "text/css",
        "p{color:red;background:url(//evil.example)}",
    );
    let answer = rig.get("/KSK@site/a.css").await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    assert_eq!(answer.text(), "p{color:red;}\n");
}

#[tokio::test]
async fn what_is_not_safe_is_offered_behind_a_page_that_says_why() {
    let rig = Rig::new().await;
    rig.network
        .put_document("KSK@a.svg", "image/svg+xml", "<svg onload=alert(1)>");
    rig.network.put_document("KSK@b.png", "image/png", "<html>");
    let host = rig.label_host("/KSK@a.svg").await;
    let page = rig.request_at(&host, "/KSK@a.svg", NAVIGATION).await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        page.text().contains("SVG pictures can contain scripts"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("/KSK@a.svg?download"));
    assert!(!page.text().contains("onload"));
    let saved = rig
        .request_at(&host, "/KSK@a.svg?download", NAVIGATION)
        .await;
    assert_eq!(
        saved.header("content-type"),
        Some("application/octet-stream")
    );
    assert!(
        saved
            .header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
    let part = rig.request_at(&host, "/KSK@a.svg", PICTURE).await;
    assert_eq!(
        part.header("content-type"),
        Some("application/octet-stream")
    );
    let host = rig.label_host("/KSK@b.png").await;
    let liar = rig.request_at(&host, "/KSK@b.png", NAVIGATION).await;
    assert!(
        liar.text().contains("not what its declared type says"),
        "{}",
        liar.text()
    );
}

#[tokio::test]
async fn a_page_that_cannot_be_checked_is_a_download() {
    let rig = Rig::new().await;
    rig.network
        .put_document("KSK@deep.html", "text/html", "<div>".repeat(100_000));
    rig.network
        .put_document("KSK@large.html", "text/html", vec![b'x'; 9 << 20]);
    let page = rig
        .request("GET", "/KSK@deep.html", "Accept: text/html\r\n")
        .await;
    assert!(page.text().contains("nested too deeply"), "{}", page.text());
    let large = rig
        .request("GET", "/KSK@large.html", "Accept: text/html\r\n")
        .await;
    assert!(
        large.text().contains("too large to be checked"),
        "{}",
        large.text()
    );
}

#[tokio::test]
async fn a_slow_page_shows_its_progress_and_goes_on() {
    let rig = Rig::new().await;
    let page = Entry::Document {
        content_type: Some("text/html"),
        bytes: "<p>here".into(),
    };
    rig.network
        .put("KSK@slow.html", Entry::Slow(Box::new(page)));
    let host = rig.label_host("/KSK@slow.html").await;
    let progress = rig.request_at(&host, "/KSK@slow.html", NAVIGATION).await;
    assert_eq!(progress.status, 202);
    let text = progress.text();
    assert!(text.contains("<meta http-equiv=\"refresh\""), "{text}");
    assert!(
        text.contains("<strong>312</strong> of 1\u{2009}024 blocks"),
        "{text}"
    );
    assert!(
        text.contains("<progress max=\"1024\" value=\"312\">"),
        "{text}"
    );
    rig.network.release();
    let page = rig.request_at(&host, "/KSK@slow.html", NAVIGATION).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("<p>here</p>"));
    assert_eq!(rig.network.opens(), 1, "the same fetch went on");
}

#[tokio::test]
async fn tools_wait_for_a_slow_document() {
    let rig = Rig::new().await;
    let page = Entry::Document {
        content_type: Some("text/plain"),
        bytes: "here".into(),
    };
    rig.network.put("KSK@slow.txt", Entry::Slow(Box::new(page)));
    let waiting = rig.get("/KSK@slow.txt");
    tokio::pin!(waiting);
    assert!(
        timeout(Duration::from_secs(1), waiting.as_mut())
            .await
            .is_err()
    );
    rig.network.release();
    assert_eq!(waiting.await.text(), "here");
}

#[tokio::test]
async fn a_folder_without_a_start_page_is_listed() {
    let rig = Rig::new().await;
    let file = |name: &str| ListingEntry {
        name: name.to_owned(),
        kind: EntryKind::File {
            size: Some(1536),
            content_type: Some("text/html".to_owned()),
        },
    };
    let folder = ListingEntry {
        name: "sub dir".to_owned(),
        kind: EntryKind::Folder,
    };
    rig.network.put(
        "KSK@site/",
        Entry::Listing(vec![folder, file("a&b.html"), file("<script>")]),
    );
    let text = rig.get("/KSK@site/").await.text();
    assert!(
        text.contains("<a href=\"/KSK@site/sub%20dir/\">sub dir/</a>"),
        "{text}"
    );
    assert!(
        text.contains("<a href=\"/KSK@site/a%26b.html\">a&amp;b.html</a>"),
        "{text}"
    );
    assert!(
        text.contains("1.5 KiB") && !text.contains("<script>"),
        "{text}"
    );
}

#[tokio::test]
async fn links_out_of_the_network_are_shown_and_not_followed() {
    let rig = Rig::new().await;
    let page = rig
        .get("/external-link?to=http%3A%2F%2Fexample.org%2F%3C%2Ftextarea%3E%3Cscript%3E")
        .await;
    assert_eq!(page.status, 200);
    let text = page.text();
    assert!(
        text.contains("http://example.org/&lt;/textarea&gt;&lt;script&gt;"),
        "{text}"
    );
    assert!(!text.contains("href=\"http://example.org"), "{text}");
}

#[tokio::test]
async fn a_page_is_not_filtered_to_be_a_picture() {
    let rig = Rig::new().await;
    rig.network
        .put_document("KSK@a.html", "text/html", "<p>x".repeat(10_000));
    rig.network
        .put_document("KSK@a.css", "text/css", "p{top:0}");
    let as_style = PICTURE.replace("image", "style");
    for (path, headers) in [
        ("/KSK@a.html", PICTURE),
        ("/KSK@a.html", &as_style),
        ("/KSK@a.css", PICTURE),
    ] {
        let answer = rig.request("GET", path, headers).await;
        assert_eq!(answer.status, 406, "{path}");
        assert!(answer.text().contains("\"unfit\""), "{}", answer.text());
    }
    assert!(rig.network.bytes_read() < 30_000, "the heads are enough");
    let sheet = rig.request("GET", "/KSK@a.css", &as_style).await;
    assert_eq!(
        (sheet.status, sheet.text()),
        (200, "p{top:0;}\n".to_owned())
    );
    assert_eq!(rig.get("/KSK@a.html").await.status, 200);
}
