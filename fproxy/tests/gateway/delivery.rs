//! Documents as curl, wget and players fetch them.

use bytes::Bytes;
use fproxy::network::{ElsewhereReason, Reach};

use crate::client::Rig;
use crate::double::{Entry, chk, usk};

fn film() -> Bytes {
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
    bytes.extend((0..100_000_u32).map(|number| number.to_le_bytes()[0]));
    bytes.into()
}

async fn rig_with_film() -> (Rig, String) {
    let rig = Rig::new().await;
    let key = chk("film");
    rig.network.put_document(&key, "audio/wav", film());
    (rig, format!("/{key}"))
}

#[tokio::test]
async fn a_document_comes_whole_and_under_its_type() {
    let (rig, path) = rig_with_film().await;
    let answer = rig.get(&path).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("audio/wav"))
    );
    assert_eq!(answer.header("content-length"), Some("100016"));
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    assert_eq!(answer.header("x-warren-uri"), Some(&path[1..]));
    assert_eq!(answer.body, film());
}

#[tokio::test]
async fn escaped_and_prefixed_addresses_lead_to_the_same() {
    let (rig, path) = rig_with_film().await;
    let key = &path[1..];
    for path in [
        key.replace('@', "%40").replace(',', "%2C"),
        format!("freenet:{key}"),
        format!("/{key}"),
    ] {
        let answer = rig.get(&format!("/{path}")).await;
        assert_eq!((answer.status, answer.body.len()), (200, 100_016), "{path}");
    }
}

#[tokio::test]
async fn head_says_everything_and_sends_nothing() {
    let (rig, path) = rig_with_film().await;
    let head = rig.request("HEAD", &path, "Range: bytes=0-1\r\n").await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("100016"))
    );
    assert!(head.body.is_empty());
    assert!(
        rig.network.bytes_read() <= 20_000,
        "only the first bytes are looked at"
    );
    let get = rig.get(&path).await;
    for name in [
        "etag",
        "content-type",
        "accept-ranges",
        "cache-control",
        "x-warren-uri",
    ] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
}

#[tokio::test]
async fn parts_are_served_as_asked() {
    let (rig, path) = rig_with_film().await;
    for (range, start, end) in [
        ("0-1", 0, 2),
        ("99990-", 99_990, 100_016),
        ("-16", 100_000, 100_016),
        ("50000-60000", 50_000, 60_001),
    ] {
        let answer = rig
            .request("GET", &path, &format!("Range: bytes={range}\r\n"))
            .await;
        let expected = format!("bytes {start}-{}/100016", end - 1);
        assert_eq!(
            (answer.status, answer.header("content-range")),
            (206, Some(expected.as_str())),
            "{range}"
        );
        assert_eq!(
            answer.header("content-length"),
            Some((end - start).to_string().as_str())
        );
        assert_eq!(answer.body, film()[start..end], "{range}");
    }
    let outside = rig.request("GET", &path, "Range: bytes=100016-\r\n").await;
    assert_eq!(
        (outside.status, outside.header("content-range")),
        (416, Some("bytes */100016"))
    );
    let several = rig.request("GET", &path, "Range: bytes=0-1,5-6\r\n").await;
    assert_eq!((several.status, several.body.len()), (200, 100_016));
    assert_eq!(
        rig.network.opens(),
        1,
        "jumping in a film does not open it again"
    );
}

#[tokio::test]
async fn the_tag_is_the_same_everywhere_and_continues_a_download() {
    let (rig, path) = rig_with_film().await;
    let tag = rig.get(&path).await.header("etag").unwrap().to_owned();
    let part = rig
        .request(
            "GET",
            &path,
            &format!("Range: bytes=5-\r\nIf-Range: {tag}\r\n"),
        )
        .await;
    assert_eq!(
        (part.status, part.header("etag")),
        (206, Some(tag.as_str()))
    );
    let other = rig
        .request("GET", &path, "Range: bytes=5-\r\nIf-Range: \"other\"\r\n")
        .await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn who_has_it_already_is_told_so_without_asking_the_network() {
    let (rig, path) = rig_with_film().await;
    let full = rig.get(&path).await;
    let tag = full.header("etag").unwrap().to_owned();
    drop(rig);
    let empty = Rig::new().await;
    for condition in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}")] {
        let answer = empty
            .request("GET", &path, &format!("If-None-Match: {condition}\r\n"))
            .await;
        assert_eq!(
            (answer.status, answer.header("etag")),
            (304, Some(tag.as_str())),
            "{condition}"
        );
        assert_eq!(answer.header("cache-control"), full.header("cache-control"));
        assert!(answer.body.is_empty());
    }
    assert_eq!(empty.network.opens(), 0);
    let other = empty
        .request("GET", &path, "If-None-Match: \"x\"\r\n")
        .await;
    assert_eq!((other.status, empty.network.opens()), (404, 1));
}

#[tokio::test]
async fn a_page_that_may_change_is_asked_for_before_304() {
    let rig = Rig::new().await;
    rig.network.put_document("KSK@x.txt", "text/plain", "one");
    let tag = rig
        .get("/KSK@x.txt")
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let condition = format!("If-None-Match: {tag}\r\n");
    assert_eq!(
        rig.request("GET", "/KSK@x.txt", &condition).await.status,
        304
    );
    assert_eq!(
        rig.request("GET", "/KSK@y.txt", &condition).await.status,
        404
    );
}

#[tokio::test]
async fn downloads_are_as_they_were_published() {
    let rig = Rig::new().await;
    rig.network
        .put_document("KSK@a/b.html", "text/html", "<script>x</script>");
    let shown = rig.get("/KSK@a/b.html").await;
    assert!(!shown.text().contains("script"), "{}", shown.text());
    let forced = rig.get("/KSK@a/b.html?forcedownload=true").await;
    assert_eq!(
        forced.header("content-type"),
        Some("application/force-download")
    );
    assert_eq!(forced.text(), "<script>x</script>");
    let asked = rig.get("/KSK@a/b.html?download&filename=c%22.html").await;
    assert_eq!(
        asked.header("content-type"),
        Some("application/octet-stream")
    );
    assert!(
        asked
            .header("content-disposition")
            .unwrap()
            .starts_with("attachment; filename=\"c_.html\"")
    );
    assert_ne!(asked.header("etag"), shown.header("etag"));
}

#[tokio::test]
async fn tools_get_files_of_unknown_types_at_once() {
    let rig = Rig::new().await;
    rig.network
        .put_document("KSK@a.zip", "application/zip", "PK\u{3}\u{4}");
    let answer = rig.get("/KSK@a.zip").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/zip"))
    );
    assert!(
        answer
            .header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
}

#[tokio::test]
async fn tools_are_redirected_by_301_with_a_path_only() {
    let rig = Rig::new().await;
    let newer = usk(7);
    rig.network.put(
        &usk(5),
        Entry::Elsewhere(
            Box::new(newer.parse().unwrap()),
            ElsewhereReason::NewerEdition,
        ),
    );
    rig.network.put(
        "KSK@site",
        Entry::Elsewhere(
            Box::new("KSK@site/".parse().unwrap()),
            ElsewhereReason::Folder,
        ),
    );
    let edition = rig.get(&format!("/{}?max-size=5", usk(5))).await;
    assert_eq!(
        (edition.status, edition.header("location")),
        (301, Some(format!("/{newer}?max-size=5").as_str()))
    );
    let folder = rig.get("/KSK@site").await;
    assert_eq!(
        (folder.status, folder.header("location")),
        (301, Some("/KSK@site/"))
    );
}

#[tokio::test]
async fn an_empty_document_is_one() {
    let rig = Rig::new().await;
    rig.network.put_document("KSK@empty.txt", "text/plain", "");
    let answer = rig.get("/KSK@empty.txt").await;
    assert_eq!(
        (answer.status, answer.header("content-length")),
        (200, Some("0"))
    );
}

#[tokio::test]
async fn a_document_that_breaks_off_breaks_the_connection() {
    let rig = Rig::new().await;
    rig.network.put(
        "KSK@torn.txt",
        Entry::Torn {
            size: 90_000,
            bytes: vec![b'x'; 50_000].into(),
        },
    );
    let answer = rig.get("/KSK@torn.txt").await;
    assert_eq!((answer.status, answer.complete), (200, false));
    let beyond = rig
        .request("GET", "/KSK@torn.txt", "Range: bytes=60000-\r\n")
        .await;
    assert_eq!(beyond.status, 502);
    assert!(
        beyond.text().contains("3 of the 5 blocks"),
        "{}",
        beyond.text()
    );
}

#[tokio::test]
async fn a_tool_may_look_into_the_store_only() {
    let rig = Rig::new().await;
    let answer = rig
        .request("GET", "/KSK@x", "Cache-Control: only-if-cached\r\n")
        .await;
    assert_eq!(answer.status, 412);
    assert_eq!(
        *rig.network.last_reach.lock().unwrap(),
        Some(Reach::StoreOnly)
    );
}

#[tokio::test]
async fn any_representation_is_known_only_where_there_is_one() {
    let (rig, path) = rig_with_film().await;
    let any = "If-None-Match: *\r\n";
    assert_eq!(rig.request("GET", &path, any).await.status, 304);
    let nowhere = format!("/{}", chk("nowhere"));
    assert_eq!(rig.request("GET", &nowhere, any).await.status, 404);
}
