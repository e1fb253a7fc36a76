//! A file goes in through one node and comes out through others.

use tests::{Demo, bytes, digest, get, request};

const MEBIBYTE: usize = 1 << 20;

#[test]
fn a_file_put_through_one_node_comes_out_of_others_over_fcp_and_http() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(12, &folder.path().join("network"));
    let content = bytes(1, 10 * MEBIBYTE);
    let file = folder.path().join("ten mebibytes.bin");
    std::fs::write(&file, &content).unwrap();

    let uri = demo.fcp(0).put(&file, &[]);

    assert!(uri.starts_with("CHK@"), "{uri}");
    assert_eq!(digest(&demo.fcp(5).get(&uri)), digest(&content));

    let http = demo.nodes()[7].http;
    let whole = get(http, &uri);
    assert_eq!(whole.status, 200, "{}", whole.text());
    assert_eq!(digest(&whole.body), digest(&content));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let tag = whole.header("etag").expect("a document has an ETag");

    let (first, last) = (3 * MEBIBYTE + 17, 4 * MEBIBYTE + 5);
    let part = request(
        http,
        "GET",
        &uri,
        &[("Range", &format!("bytes={first}-{last}"))],
    );
    assert_eq!(part.status, 206);
    let expected = format!("bytes {first}-{last}/{}", content.len());
    assert_eq!(part.header("content-range"), Some(expected.as_str()));
    assert_eq!(digest(&part.body), digest(&content[first..=last]));
    assert_eq!(part.header("etag"), Some(tag));

    let end = request(http, "GET", &uri, &[("Range", "bytes=-100")]);
    assert_eq!(
        (end.status, end.body.as_slice()),
        (206, &content[content.len() - 100..])
    );
    let beyond = request(http, "GET", &uri, &[("Range", "bytes=999999999-")]);
    assert_eq!(beyond.status, 416);

    let head = request(http, "HEAD", &uri, &[]);
    let length = content.len().to_string();
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some(length.as_str()))
    );
    assert_eq!(head.header("etag"), Some(tag));
    let unchanged = request(http, "GET", &uri, &[("If-None-Match", tag)]);
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
}

#[test]
fn documents_of_every_size_and_key_come_back_as_they_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(6, &folder.path().join("network"));
    // Around what fits in one block, in one segment, and nothing at all.
    for (seed, length) in [0, 1, 1000, 1024, 1025, 32_767, 32_768, 32_769, 200_000]
        .into_iter()
        .enumerate()
    {
        let content = bytes(seed as u64, length);
        let file = folder.path().join(format!("{length}.bin"));
        std::fs::write(&file, &content).unwrap();
        let keyword = format!("KSK@end-to-end-{length}");
        let kinds: [&[&str]; 3] = [&[], &["--convergent"], &["--key", &keyword]];
        for (number, arguments) in kinds.into_iter().enumerate() {
            let uri = demo.fcp(number).put(&file, arguments);
            let fetched = demo.fcp(5 - number).get(&uri);
            assert_eq!(
                digest(&fetched),
                digest(&content),
                "{length} bytes, {arguments:?}"
            );
        }
    }
}

#[test]
fn the_same_file_gets_the_same_key_only_when_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(4, &folder.path().join("network"));
    let file = folder.path().join("a.bin");
    std::fs::write(&file, bytes(3, 50_000)).unwrap();
    let put = |node: usize, arguments: &[&str]| demo.fcp(node).put(&file, arguments);

    assert_ne!(put(0, &[]), put(1, &[]));
    assert_eq!(put(0, &["--convergent"]), put(1, &["--convergent"]));
}
