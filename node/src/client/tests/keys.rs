//! Signed, updatable and keyword addresses, and redirects.

use super::*;

fn signed(seed: u8, name: &str) -> String {
    format!("SSK{}{name}", subspace(seed))
}

fn updatable(seed: u8, edition: i64) -> String {
    format!("USK{}site/{edition}", subspace(seed))
}

async fn open_with(client: &Client, uri: &Uri, usk: UskPolicy) -> Result<Document, FetchError> {
    let options = FetchOptions {
        usk,
        ..FetchOptions::default()
    };
    client.open(uri, options, EventSink::ignore()).await
}

fn edition_of(uri: &Uri) -> i64 {
    let Uri::Updatable { edition, .. } = uri else {
        panic!("a USK was expected")
    };
    *edition
}

fn with_edition(uri: &Uri, new: i64) -> Uri {
    let mut uri = uri.clone();
    let Uri::Updatable { edition, .. } = &mut uri else {
        panic!("a USK was expected")
    };
    *edition = new;
    uri
}

#[tokio::test]
async fn a_small_signed_document_is_one_block() {
    let network = MemoryNetwork::new();
    let content = noise(700, 1);
    let uri = put(
        &network.client(),
        request(&signed(1, "note"), content.clone(), Some("text/plain")),
    )
    .await;
    assert_eq!(network.keys().len(), 1);
    let document = open(&network.client(), &uri).await.unwrap();
    assert_eq!(document.content_type(), Some("text/plain"));
    assert!(document.read_all().await.unwrap() == content);
}

#[tokio::test]
async fn inserting_the_same_signed_document_again_succeeds_and_another_one_collides() {
    let network = MemoryNetwork::new();
    let client = network.client();
    let one = put(&client, request(&signed(1, "note"), noise(700, 1), None)).await;
    assert!(put(&client, request(&signed(1, "note"), noise(700, 1), None)).await == one);
    let other = client
        .insert(
            request(&signed(1, "note"), noise(700, 2), None),
            EventSink::ignore(),
        )
        .await;
    let Err(InsertError::Collision {
        existing: Some(existing),
    }) = other
    else {
        panic!("a collision was expected")
    };
    assert!(get(&client, &existing).await.unwrap() == noise(700, 1));
}

#[tokio::test]
async fn a_phrase_finds_what_was_inserted_under_it() {
    let network = MemoryNetwork::new();
    let uri = put(
        &network.client(),
        request("KSK@my words", noise(100_000, 1), Some("image/png")),
    )
    .await;
    assert_eq!(
        uri.to_string(),
        "KSK@my%20words".parse::<Uri>().unwrap().to_string()
    );
    assert!(get(&network.client(), &uri).await.unwrap() == noise(100_000, 1));
}

#[tokio::test]
async fn each_insert_gets_the_next_free_edition() {
    let network = MemoryNetwork::new();
    for expected in 0..6 {
        let uri = put(
            &network.client(),
            request(&updatable(1, 0), noise(10, expected), None),
        )
        .await;
        assert_eq!(edition_of(&uri), i64::try_from(expected).unwrap());
    }
    let uri = put(
        &network.client(),
        request(&updatable(1, 9), noise(10, 9), None),
    )
    .await;
    assert_eq!(edition_of(&uri), 9);
}

#[tokio::test]
async fn the_newest_edition_is_found_however_far_ahead() {
    let network = MemoryNetwork::new();
    let client = network.client();
    let mut uri = put(&client, request(&updatable(1, 0), noise(10, 0), None)).await;
    for edition in 1..30 {
        uri = put(&client, request(&updatable(1, 0), noise(10, edition), None)).await;
    }
    let reader = network.client();
    let old = with_edition(&uri, 3);
    let exact = open_with(&reader, &old, UskPolicy::Exact).await.unwrap();
    assert_eq!(edition_of(exact.uri()), 3);
    assert!(exact.read_all().await.unwrap() == noise(10, 3));

    let latest = open_with(&reader, &old, UskPolicy::Latest).await.unwrap();
    assert_eq!(edition_of(latest.uri()), 29);
    assert!(latest.read_all().await.unwrap() == noise(10, 29));

    let Err(FetchError::PermanentRedirect { redirect }) =
        open_with(&reader, &old, UskPolicy::Redirect).await
    else {
        panic!("a redirect was expected");
    };
    assert_eq!(edition_of(&redirect), 29);
    let newest = open_with(&reader, &redirect, UskPolicy::Redirect)
        .await
        .unwrap();
    assert!(newest.read_all().await.unwrap() == noise(10, 29));
}

#[tokio::test]
async fn a_page_searches_once_for_newer_editions_and_a_download_every_time() {
    let network = MemoryNetwork::new();
    let uri = put(
        &network.client(),
        request(&updatable(1, 0), noise(10, 0), None),
    )
    .await;
    let reader = network.client();
    let open_as = async |class| {
        let options = FetchOptions {
            class,
            ..FetchOptions::default()
        };
        let document = reader
            .open(&uri, options, EventSink::ignore())
            .await
            .unwrap();
        edition_of(document.uri())
    };
    assert_eq!(open_as(Class::RealTime).await, 0);
    let before = network.fetches();
    assert_eq!(open_as(Class::RealTime).await, 0);
    assert_eq!(network.fetches(), before);
    put(
        &network.client(),
        request(&updatable(1, 0), noise(10, 1), None),
    )
    .await;
    assert_eq!(open_as(Class::RealTime).await, 0);
    assert_eq!(open_as(Class::Bulk).await, 1);
}

#[tokio::test]
async fn a_negative_edition_searches_forwards_and_then_backwards() {
    let network = MemoryNetwork::new();
    let uri = put(
        &network.client(),
        request(&updatable(1, 5), noise(10, 5), None),
    )
    .await;
    for asked in [-1, -5, -9] {
        let document = open_with(
            &network.client(),
            &with_edition(&uri, asked),
            UskPolicy::Exact,
        )
        .await
        .unwrap();
        assert_eq!(edition_of(document.uri()), 5);
    }
    let uri = put(
        &network.client(),
        request(&updatable(2, 0), noise(10, 0), None),
    )
    .await;
    let document = open(&network.client(), &with_edition(&uri, -1))
        .await
        .unwrap();
    assert_eq!(edition_of(document.uri()), 0);
}

#[tokio::test]
async fn a_site_that_does_not_exist_is_not_found() {
    let network = MemoryNetwork::new();
    let uri = InsertUri::parse(&updatable(1, 0))
        .unwrap()
        .request_uri()
        .unwrap();
    assert!(matches!(
        open(&network.client(), &uri).await,
        Err(FetchError::DataNotFound)
    ));
    let negative = with_edition(&uri, i64::MIN);
    assert!(matches!(
        open(&network.client(), &negative).await,
        Err(FetchError::DataNotFound)
    ));
    let last = with_edition(&uri, i64::MAX);
    assert!(matches!(
        open(&network.client(), &last).await,
        Err(FetchError::DataNotFound)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_known_edition_does_not_wait_long_for_newer_ones() {
    let network = MemoryNetwork::new();
    let uri = put(
        &network.client(),
        request(&updatable(1, 0), noise(10, 0), None),
    )
    .await;
    let config = ClientConfig::new(std::env::temp_dir());
    let client = Client::new(Arc::new(Slow(network)), config);
    let start = tokio::time::Instant::now();
    open(&client, &uri).await.unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn redirects_are_followed_with_the_rest_of_the_path() {
    let network = MemoryNetwork::new();
    let client = network.client();
    let file = put(&client, request("CHK@/picture.png", noise(100, 1), None)).await;
    let mut redirect = request(&signed(1, "link"), Bytes::new(), None);
    redirect.source = Source::Redirect(file.root());
    let link = put(&client, redirect).await;
    let document = open(&client, &at(&link, "picture.png")).await.unwrap();
    assert!(document.read_all().await.unwrap() == noise(100, 1));
    assert!(*document.location() == file);
    assert!(*document.uri() == at(&link, "picture.png"));
    assert_ne!(version_id(document.uri()), version_id(document.location()));
}

#[tokio::test]
async fn a_redirect_to_itself_ends() {
    let network = MemoryNetwork::new();
    let client = network.client();
    let target = InsertUri::parse(&signed(1, "loop"))
        .unwrap()
        .request_uri()
        .unwrap();
    let mut redirect = request(&signed(1, "loop"), Bytes::new(), None);
    redirect.source = Source::Redirect(target.clone());
    put(&client, redirect).await;
    assert!(matches!(
        open(&client, &target).await,
        Err(FetchError::TooManyRedirects)
    ));
}

#[tokio::test]
async fn a_path_behind_a_file_is_too_much() {
    let network = MemoryNetwork::new();
    let client = network.client();
    for content_type in [None, Some("image/png")] {
        let uri = put(&client, request("CHK@", noise(100, 1), content_type)).await;
        let error = open(&client, &at(&uri, "name.png")).await.unwrap_err();
        assert_eq!(error.code(), 11);
        assert!(*error.redirect().unwrap() == uri);
    }
}

#[tokio::test]
async fn insert_addresses_with_a_path_are_refused() {
    let client = MemoryNetwork::new().client();
    for target in [
        signed(1, "doc/path"),
        format!("{}/path", updatable(1, 0)),
        "CHK@/a/b".to_owned(),
    ] {
        let result = client
            .insert(request(&target, noise(10, 1), None), EventSink::ignore())
            .await;
        assert_eq!(result.unwrap_err().code(), 11, "{target}");
    }
    let nameless = client
        .insert(
            request(&signed(1, ""), noise(10, 1), None),
            EventSink::ignore(),
        )
        .await;
    assert_eq!(nameless.unwrap_err().code(), 1);
}

#[test]
fn only_addresses_that_never_change_have_a_version() {
    let uri = |text: &str| InsertUri::parse(text).unwrap().request_uri().unwrap();
    assert!(version_id(&uri(&updatable(1, 3))).is_some());
    assert!(version_id(&uri(&signed(1, "a"))).is_some());
    assert_ne!(
        version_id(&uri(&signed(1, "a"))),
        version_id(&uri(&signed(1, "b")))
    );
    assert!(version_id(&uri(&updatable(1, -3))).is_none());
    assert!(version_id(&uri("KSK@a")).is_none());
}

#[tokio::test(start_paused = true)]
async fn who_asks_again_and_again_gets_a_block_as_soon_as_it_has_come() {
    let network = MemoryNetwork::new();
    let (reader, writer) = (network.client(), network.client());
    let address = signed(1, "later");
    let uri = InsertUri::parse(&address).unwrap().request_uri().unwrap();
    let options = FetchOptions {
        retries: u32::MAX,
        ..FetchOptions::default()
    };
    let reading =
        tokio::spawn(async move { reader.open(&uri, options, EventSink::ignore()).await });
    // Pauses have become two minutes long by then
    tokio::time::sleep(Duration::from_secs(3600)).await;
    put(&writer, request(&address, noise(10, 1), None)).await;
    let inserted = tokio::time::Instant::now();
    assert!(reading.await.unwrap().is_ok());
    assert!(inserted.elapsed() < Duration::from_secs(1));
}

/// Takes a minute to say that it does not have a block.
struct Slow(Arc<MemoryNetwork>);

impl BlockNetwork for Slow {
    fn fetch(
        &self,
        key: BlockKey,
        class: Class,
        effort: Effort,
        anonymity: Anonymity,
    ) -> BlockFuture<'_, Result<VerifiedBlock, BlockFetchError>> {
        Box::pin(async move {
            let result = self.0.fetch(key, class, effort, anonymity).await;
            if result.is_err() {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            result
        })
    }

    fn fetch_stored(
        &self,
        key: BlockKey,
    ) -> BlockFuture<'_, Result<VerifiedBlock, BlockFetchError>> {
        self.0.fetch_stored(key)
    }

    fn insert(
        &self,
        block: VerifiedBlock,
        class: Class,
        anonymity: Anonymity,
    ) -> BlockFuture<'_, Result<(), BlockInsertError>> {
        self.0.insert(block, class, anonymity)
    }

    fn appeared(&self, key: BlockKey) -> BlockFuture<'_, ()> {
        self.0.appeared(key)
    }
}
