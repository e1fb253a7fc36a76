//! Sites of many files.

use super::*;

fn file(name: &str, content: impl Into<Bytes>) -> SiteFile {
    SiteFile {
        name: name.to_owned(),
        source: Source::Bytes(content.into()),
        content_type: None,
    }
}

fn site(target: &str, files: Vec<SiteFile>) -> SiteRequest {
    SiteRequest {
        target: InsertUri::parse(target).unwrap(),
        files,
        default_name: None,
        options: InsertOptions::default(),
    }
}

async fn put_site(client: &Client, request: SiteRequest) -> Uri {
    client
        .insert_site(request, EventSink::ignore())
        .await
        .unwrap()
        .uri
}

/// A site of 300 files: pages, pictures in folders, and three large files.
fn three_hundred_files() -> Vec<SiteFile> {
    let mut files = vec![
        file("index.html", "<h1>Home</h1>"),
        file("docs/index.html", "<h1>Docs</h1>"),
    ];
    for number in 0..200_usize {
        files.push(file(
            &format!("docs/page-{number}.html"),
            prose(500 + number * 13),
        ));
    }
    for number in 0..95_usize {
        files.push(file(
            &format!("images/{}/{number}.png", number % 7),
            noise(20_000 + number * 200, number as u64),
        ));
    }
    for number in 0..3_usize {
        files.push(file(
            &format!("large/{number}.zip"),
            noise(300_000 << number, 1000 + number as u64),
        ));
    }
    files
}

#[tokio::test]
async fn three_hundred_files_come_back_under_their_names_and_types() {
    let network = MemoryNetwork::new();
    let files = three_hundred_files();
    assert_eq!(files.len(), 300);
    for target in [
        "CHK@".to_owned(),
        format!("USK{}site/0", subspace(1)),
        format!("SSK{}site", subspace(1)),
    ] {
        let uri = put_site(&network.client(), site(&target, files.clone())).await;
        let reader = network.client();
        for file in &files {
            let document = open(&reader, &at(&uri, &file.name)).await.unwrap();
            let Source::Bytes(content) = &file.source else {
                panic!("bytes were expected")
            };
            assert!(
                document.read_all().await.unwrap() == content,
                "{}",
                file.name
            );
            let expected = mime_guess::from_path(&file.name).first_raw();
            assert_eq!(document.content_type(), expected);
        }
    }
}

#[tokio::test]
async fn a_page_with_many_pictures_reads_its_container_once() {
    let network = MemoryNetwork::new();
    let mut files = vec![file("index.html", "<h1>Pictures</h1>")];
    for number in 0..50 {
        files.push(file(&format!("{number}.png"), noise(10_000, number)));
    }
    let uri = put_site(&network.client(), site("CHK@", files)).await;
    let reader = network.client();
    open(&reader, &at(&uri, "0.png")).await.unwrap();
    let before = network.fetches();
    assert!(before < 30, "{before}");
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (reader, uri) = (Arc::clone(&reader), at(&uri, &format!("{number}.png")));
        tasks.spawn(async move { get(&reader, &uri).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await.len(), 50);
    assert_eq!(network.fetches(), before);

    // The same with nothing in memory: all wait for the one that is first.
    let reader = network.client();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (reader, uri) = (Arc::clone(&reader), at(&uri, &format!("{number}.png")));
        tasks.spawn(async move { get(&reader, &uri).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await.len(), 50);
    assert_eq!(network.fetches(), 2 * before);
}

#[tokio::test]
async fn the_first_page_of_a_large_site_comes_with_the_manifest_and_what_shapes_it() {
    let mut files = three_hundred_files();
    files.push(file("style.css", noise(6_000, 1)));
    files.push(file("small.png", noise(100, 1)));
    for (target, blocks) in [
        ("CHK@".to_owned(), 1),
        // A signed block, which names that of the manifest
        (format!("SSK{}site", subspace(1)), 2),
    ] {
        let network = MemoryNetwork::new();
        let uri = put_site(&network.client(), site(&target, files.clone())).await;
        let reader = network.client();
        get(&reader, &at(&uri, "")).await.unwrap();
        get(&reader, &at(&uri, "style.css")).await.unwrap();
        assert_eq!(network.fetches(), blocks, "{target}");
        get(&reader, &at(&uri, "small.png")).await.unwrap();
        assert!(network.fetches() > blocks, "{target}");
    }
}

#[tokio::test]
async fn a_manifest_takes_a_second_block_for_no_page() {
    // Names that leave 6 KB of a block, by the estimate
    let names = (0..250).map(|number| format!("{}-{number:03}.png", "x".repeat(60)));
    for (page_len, with_manifest) in [(1_000, true), (8_000, false)] {
        let network = MemoryNetwork::new();
        let mut files = vec![file("index.html", noise(page_len, 1))];
        files.extend(names.clone().map(|name| file(&name, noise(200, 2))));
        let uri = put_site(&network.client(), site("CHK@", files)).await;
        let reader = network.client();
        let missing = open(&reader, &at(&uri, "nothing")).await;
        assert!(matches!(missing, Err(FetchError::NotInArchive { .. })));
        assert_eq!(network.fetches(), 1, "the manifest alone, {page_len}");
        let page = get(&reader, &at(&uri, "")).await.unwrap();
        assert!(page == noise(page_len, 1));
        assert_eq!(network.fetches() == 1, with_manifest, "{page_len}");
    }
}

#[tokio::test]
async fn a_small_site_is_one_block() {
    let network = MemoryNetwork::new();
    let files = vec![
        file("index.html", prose(3000)),
        file("style.css", prose(500)),
        file("logo.svg", prose(4000)),
    ];
    let uri = put_site(&network.client(), site("CHK@", files)).await;
    assert_eq!(network.keys().len(), 1);
    assert!(get(&network.client(), &at(&uri, "logo.svg")).await.unwrap() == prose(4000));
}

#[tokio::test]
async fn folders_show_their_default_document_behind_a_slash() {
    let network = MemoryNetwork::new();
    let uri = put_site(&network.client(), site("CHK@", three_hundred_files())).await;
    let reader = network.client();
    assert_eq!(get(&reader, &at(&uri, "")).await.unwrap(), "<h1>Home</h1>");
    assert_eq!(
        get(&reader, &at(&uri, "docs/")).await.unwrap(),
        "<h1>Docs</h1>"
    );
    for (asked, expected) in [
        (uri.clone(), at(&uri, "")),
        (at(&uri, "docs"), at(&uri, "docs/")),
    ] {
        let error = open(&reader, &asked).await.unwrap_err();
        assert_eq!(error.code(), 24);
        assert!(*error.redirect().unwrap() == expected);
    }
    let document = open(&reader, &at(&uri, "docs/")).await.unwrap();
    assert!(
        *document.uri() == at(&uri, "docs/"),
        "the default document's name is not added"
    );
}

#[tokio::test]
async fn a_folder_without_default_document_lists_what_it_holds() {
    let network = MemoryNetwork::new();
    let files = vec![
        file("readme.txt", "hello"),
        file("a/1.txt", "one"),
        file("a/b/2.txt", "two"),
        file("a/b/3.txt", "three"),
        file("a-b.txt", "between"),
    ];
    let uri = put_site(&network.client(), site("CHK@", files)).await;
    let listing = async |path: &str| match open(&network.client(), &at(&uri, path)).await {
        Err(FetchError::DirectoryWithoutIndex { listing }) => {
            let name = |entry: &ListingEntry| match entry.kind {
                ListingKind::Folder => format!("{}/", entry.name),
                ListingKind::File { .. } | ListingKind::Redirect => entry.name.clone(),
            };
            listing.entries.iter().map(name).collect::<Vec<_>>()
        }
        _ => panic!("a listing was expected"),
    };
    assert_eq!(listing("").await, ["a-b.txt", "a/", "readme.txt"]);
    assert_eq!(listing("a/").await, ["1.txt", "b/"]);
    assert_eq!(listing("a/b/").await, ["2.txt", "3.txt"]);
}

#[tokio::test]
async fn what_a_site_does_not_have_is_named() {
    let network = MemoryNetwork::new();
    let uri = put_site(&network.client(), site("CHK@", three_hundred_files())).await;
    let reader = network.client();
    for path in [
        "missing.html",
        "docs/missing.html",
        "doc",
        "missing/",
        "docs//page-1.html",
        "..",
    ] {
        let error = open(&reader, &at(&uri, path)).await.unwrap_err();
        assert!(
            matches!(&error, FetchError::NotInArchive { name } if name == path),
            "{path}: {error}"
        );
        assert_eq!(error.code(), 10);
    }
    let error = open(&reader, &at(&uri, "docs/page-1.html/more"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), 11);
    assert!(*error.redirect().unwrap() == at(&uri, "docs/page-1.html"));
}

#[tokio::test]
async fn a_name_behind_a_key_leads_to_the_file_as_does_its_root() {
    let network = MemoryNetwork::new();
    for content in [prose(100), noise(200_000, 1)] {
        let uri = put(
            &network.client(),
            request("CHK@/notes.txt", content.clone(), None),
        )
        .await;
        assert!(uri.to_string().ends_with("/notes.txt"));
        let document = open(&network.client(), &uri).await.unwrap();
        assert_eq!(document.content_type(), Some("text/plain"));
        assert!(document.read_all().await.unwrap() == content);
        assert!(get(&network.client(), &at(&uri.root(), "")).await.unwrap() == content);
    }
}

#[tokio::test]
async fn unchanged_files_may_redirect_to_an_older_edition() {
    let network = MemoryNetwork::new();
    let client = network.client();
    let target = format!("USK{}site/0", subspace(1));
    let old = put_site(
        &client,
        site(
            &target,
            vec![file("index.html", "old"), file("big.png", noise(9000, 1))],
        ),
    )
    .await;
    let secret = SubspaceSecret::from_parts(&[1; 32], &[1; 32]);
    let old_file = Uri::Signed {
        key: secret.public().edition("site", 0),
        path: vec!["big.png".to_owned()],
    };
    let mut unchanged = file("big.png", Bytes::new());
    unchanged.source = Source::Redirect(old_file);
    let new = put_site(
        &client,
        site(&target, vec![file("index.html", "new"), unchanged]),
    )
    .await;
    assert!(new != old);
    let document = open(&network.client(), &at(&new, "big.png")).await.unwrap();
    assert!(document.read_all().await.unwrap() == noise(9000, 1));
    assert!(*document.uri() == at(&new, "big.png"));
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused() {
    let client = MemoryNetwork::new().client();
    for name in [
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        "./a",
        "a\n",
        &"x".repeat(2000),
    ] {
        let result = client
            .insert_site(site("CHK@", vec![file(name, "x")]), EventSink::ignore())
            .await;
        assert_eq!(result.unwrap_err().code(), 1, "{name:?}");
    }
    let twice = site("CHK@", vec![file("a", "x"), file("a", "y")]);
    assert_eq!(
        client
            .insert_site(twice, EventSink::ignore())
            .await
            .unwrap_err()
            .code(),
        1
    );
    let none = client
        .insert_site(site("CHK@", Vec::new()), EventSink::ignore())
        .await;
    assert_eq!(none.unwrap_err().code(), 13);
}

#[tokio::test]
async fn a_convergent_site_has_one_address_whatever_the_order_of_its_files() {
    let network = MemoryNetwork::new();
    let client = network.client();
    let mut request = site("CHK@", three_hundred_files());
    request.options.key_choice = KeyChoice::Convergent;
    let one = put_site(&client, request).await;
    let mut request = site("CHK@", three_hundred_files().into_iter().rev().collect());
    request.options.key_choice = KeyChoice::Convergent;
    assert!(put_site(&client, request).await == one);
}

#[tokio::test]
async fn a_small_file_that_is_too_big_costs_no_container() {
    let network = MemoryNetwork::new();
    let files = vec![file("a.png", noise(50_000, 1)), file("b.png", noise(9, 2))];
    let uri = put_site(&network.client(), site("CHK@", files)).await;
    let options = FetchOptions {
        size_max: Some(49_999),
        ..FetchOptions::default()
    };
    let client = network.client();
    let uri = at(&uri, "a.png");
    let opened = client.open(&uri, options, EventSink::ignore());
    assert_eq!(opened.await.unwrap_err().code(), 21);
    assert_eq!(network.fetches(), 1, "only the manifest");
}
