//! A folder becomes a site.

use std::net::SocketAddr;
use std::path::Path;

use tests::{Demo, digest, folder_files, follow, get, write_site};

/// 102 pages with an image each, eleven parts with two files each, an index and a style sheet: 228 files.
const PAGES: usize = 102;

#[test]
fn a_folder_of_two_hundred_files_is_a_site_under_every_kind_of_key() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    assert!(write_site(&site, PAGES) >= 200);
    let demo = Demo::start(12, &folder.path().join("network"));

    let content = demo.fcp(0).put(&site, &[]);
    assert!(content.starts_with("CHK@"), "{content}");
    every_file_is_there(demo.nodes()[4].http, &content, &site);

    let key = folder.path().join("my.key");
    let key = key.to_str().unwrap();
    let _ = demo.fcp(0).run(&["keygen", "-o", key]).expect_done();
    let updatable = demo
        .fcp(0)
        .put(&site, &["--key-file", key, "--site", "garden"]);
    assert!(
        updatable.starts_with("USK@") && updatable.contains("/garden/"),
        "{updatable}"
    );
    every_file_is_there(demo.nodes()[8].http, &updatable, &site);

    let signed = demo
        .fcp(1)
        .put(&site, &["--key-file", key, "--name", "plot"]);
    assert!(signed.starts_with("SSK@"), "{signed}");
    every_file_is_there(demo.nodes()[11].http, &signed, &site);
}

#[test]
fn a_second_insert_under_one_name_is_the_next_edition() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    std::fs::create_dir(&site).unwrap();
    let demo = Demo::start(6, &folder.path().join("network"));
    let key = folder.path().join("my.key");
    let key = key.to_str().unwrap();
    let _ = demo.fcp(0).run(&["keygen", "-o", key]).expect_done();

    let editions = ["first", "second"].map(|text| {
        std::fs::write(site.join("index.html"), format!("<p>{text}</p>")).unwrap();
        demo.fcp(0)
            .put(&site, &["--key-file", key, "--site", "diary"])
    });

    let [first, second] = editions;
    assert!(
        first.ends_with("/diary/0/") && second.ends_with("/diary/1/"),
        "{first} {second}"
    );
    // Whoever asks for an old edition is led to the newest that the node finds.
    for edition in [&first, &second] {
        let page = follow(demo.nodes()[5].http, edition);
        assert!(page.text().contains("second"), "{edition}: {}", page.text());
    }
    // Each edition is a signed document of its own and stays what it was.
    let old = first
        .replacen("USK@", "SSK@", 1)
        .replace("/diary/0/", "/diary-0/");
    let page = follow(demo.nodes()[4].http, &old);
    assert!(page.text().contains("first"), "{old}: {}", page.text());
}

/// Images and style sheets come as they are; pages pass the filter, which keeps their text and links.
fn every_file_is_there(node: SocketAddr, uri: &str, site: &Path) {
    let root = uri.trim_end_matches('/');
    let mut count = 0;
    for (name, content) in folder_files(site) {
        let answer = get(node, &format!("{root}/{name}"));
        assert_eq!(answer.status, 200, "{root}/{name}: {}", answer.text());
        let kind = answer.header("content-type").unwrap_or_default().to_owned();
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("png") => {
                assert_eq!(kind, "image/png", "{name}");
                assert_eq!(digest(&answer.body), digest(&content), "{name}");
            }
            Some("css") => assert!(kind.starts_with("text/css"), "{name}: {kind}"),
            _ => {
                assert!(kind.starts_with("text/html"), "{name}: {kind}");
                let source = String::from_utf8_lossy(&content).into_owned();
                // The page at the path form must lead to paths below the same key.
                let expected: Vec<String> = links(&source)
                    .iter()
                    .map(|link| below(root, &name, link))
                    .collect();
                let found: Vec<String> = links(&answer.text())
                    .iter()
                    .map(|link| below(root, &name, link))
                    .collect();
                assert_eq!(found, expected, "{name}");
            }
        }
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{name}"
        );
        assert!(answer.header("content-security-policy").is_some(), "{name}");
        count += 1;
    }
    assert!(count >= 200);
    // Without a slash the relative links of the page would lead astray.
    let bare = get(node, root);
    assert_eq!(bare.status, 301, "{root}");
    let location = bare.header("location").unwrap_or_default();
    assert!(
        location.starts_with('/') && location.ends_with('/'),
        "{location}"
    );
    assert!(get(node, location).text().contains("The index"));
    assert_eq!(get(node, &format!("{root}/no-such-file")).status, 404);
}

/// The path that a link in the file `name` means.
fn below(root: &str, name: &str, link: &str) -> String {
    if link.starts_with('/') {
        return link.to_owned();
    }
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    format!("/{root}/{}", parts.join("/"))
}

/// Where the links of a page lead.
fn links(page: &str) -> Vec<String> {
    page.split("<a ")
        .skip(1)
        .filter_map(|rest| rest.split_once("href=\"")?.1.split('"').next())
        .map(str::to_owned)
        .collect()
}
