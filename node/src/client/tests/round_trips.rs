//! What goes in comes out: at every size that is an edge somewhere, under every kind of key, in every part.

use proptest::prelude::*;

use super::*;
use crate::client::geometry::SHARD_LEN_USIZE;

const SEGMENT: usize = 128 * SHARD_LEN_USIZE;

#[tokio::test]
async fn content_of_any_size_comes_back() {
    let network = MemoryNetwork::new();
    let client = network.client();
    let edges = [
        1,
        512,
        768,
        1024,
        30_720,
        SHARD_LEN_USIZE,
        2 * SHARD_LEN_USIZE,
        1 << 20,
        SEGMENT,
    ];
    let around = edges
        .into_iter()
        .flat_map(|size| [size - 1, size, size + 1]);
    for size in around.chain([SEGMENT + SHARD_LEN_USIZE, 2 * SEGMENT + 1]) {
        for (content, content_type) in [
            (noise(size, 1), None),
            (noise(size, 2), Some("image/png")),
            (prose(size), Some("text/plain")),
        ] {
            for target in ["CHK@", "SSK@"] {
                let uri = put(&client, request(target, content.clone(), content_type)).await;
                // A reader has nothing in memory.
                let document = open(&network.client(), &uri).await.unwrap();
                assert_eq!(document.size(), size as u64);
                assert_eq!(document.content_type(), content_type);
                assert!(
                    document.read_all().await.unwrap() == content,
                    "{target} {size}"
                );
            }
        }
    }
}

#[tokio::test]
async fn small_content_without_a_type_is_one_block_without_metadata() {
    let network = MemoryNetwork::new();
    let uri = put(&network.client(), request("CHK@", noise(32_768, 1), None)).await;
    assert_eq!(network.keys().len(), 1);
    let Uri::Content { key, .. } = &uri else {
        panic!("a CHK was expected")
    };
    assert!(!key.extra.is_metadata);
}

#[tokio::test]
async fn text_takes_few_blocks_and_noise_no_more_than_it_must() {
    let network = MemoryNetwork::new();
    put(
        &network.client(),
        request("CHK@", prose(4 << 20), Some("text/plain")),
    )
    .await;
    assert!(network.keys().len() < 40, "{}", network.keys().len());

    let network = MemoryNetwork::new();
    put(
        &network.client(),
        request("CHK@", noise(SEGMENT, 1), Some("text/plain")),
    )
    .await;
    assert_eq!(network.keys().len(), 128 + 64 + 1);
}

#[tokio::test]
async fn the_same_content_gets_the_same_address_only_if_asked_for() {
    let network = MemoryNetwork::new();
    let client = network.client();
    let with = |key_choice: KeyChoice| {
        let mut request = request("CHK@", noise(100_000, 1), Some("image/png"));
        request.options.key_choice = key_choice;
        request
    };
    let convergent = put(&client, with(KeyChoice::Convergent)).await;
    let blocks = network.keys().len();
    assert!(put(&client, with(KeyChoice::Convergent)).await == convergent);
    assert_eq!(network.keys().len(), blocks);
    let random = put(&client, with(KeyChoice::Random)).await;
    assert!(random != convergent);
    assert_eq!(network.keys().len(), 2 * blocks);
    let given = crypto::FileKey::from_bytes([7; 32]);
    let one = put(&client, with(KeyChoice::Given(given.clone()))).await;
    assert!(one == put(&client, with(KeyChoice::Given(given))).await);
}

#[tokio::test]
async fn an_address_alone_is_computed_without_a_network() {
    let network = MemoryNetwork::new();
    let client = network.client();
    let mut request = request("CHK@/name.txt", prose(1 << 20), None);
    request.options.key_choice = KeyChoice::Convergent;
    request.options.address_only = true;
    let again = InsertRequest {
        target: InsertUri::parse("CHK@/name.txt").unwrap(),
        options: InsertOptions {
            address_only: false,
            ..request.options.clone()
        },
        source: request.source.clone(),
        content_type: None,
        file_name: None,
    };
    let uri = put(&client, request).await;
    assert_eq!(network.inserts(), 0);
    assert!(put(&client, again).await == uri);
}

#[tokio::test]
async fn a_file_goes_from_disk_to_disk() {
    let network = MemoryNetwork::new();
    let folder = tempfile::tempdir().unwrap();
    let (source, copy) = (folder.path().join("source"), folder.path().join("copy"));
    let content = noise(3 * SEGMENT + 5, 3);
    std::fs::write(&source, &content).unwrap();
    let mut request = request("CHK@", Bytes::new(), Some("application/zip"));
    request.source = Source::File(source);
    let uri = put(&network.client(), request).await;
    let document = open(&network.client(), &uri).await.unwrap();
    document.write_to_file(&copy).await.unwrap();
    assert!(std::fs::read(&copy).unwrap() == content);

    let again = document.write_to_file(&copy).await.unwrap_err();
    assert!(matches!(
        again,
        FetchError::Io {
            kind: std::io::ErrorKind::AlreadyExists,
            ..
        }
    ));
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing temporary is left"
    );
}

#[tokio::test]
async fn events_tell_sizes_types_and_progress_to_the_end() {
    let network = MemoryNetwork::new();
    let (sink, mut stream) = event_channel();
    let inserted = network
        .client()
        .insert(request("CHK@", prose(1 << 20), Some("text/plain")), sink)
        .await
        .unwrap();
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        events.push(event);
    }
    assert!(events.contains(&Event::UriGenerated(inserted.uri.clone())));
    assert!(events.contains(&Event::PutFetchable(inserted.uri.clone())));
    assert!(events.iter().any(|event| matches!(
        event,
        Event::FinishedCompression {
            original: 1_048_576,
            ..
        }
    )));
    let Some(Event::Progress(last)) = events.last() else {
        panic!("progress comes last")
    };
    assert_eq!((last.succeeded, last.failed), (last.total, 0));
    assert!(last.finalized);

    let (sink, mut stream) = event_channel();
    let document = network
        .client()
        .open(&inserted.uri, FetchOptions::default(), sink)
        .await
        .unwrap();
    document.read_all().await.unwrap();
    drop(document);
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        events.push(event);
    }
    assert_eq!(events[0], Event::SendingToNetwork);
    assert!(events.contains(&Event::ExpectedMime("text/plain".to_owned())));
    assert!(events.contains(&Event::ExpectedSize(1 << 20)));
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::ExpectedHashes(_)))
    );
    let Some(Event::Progress(last)) = events.last() else {
        panic!("progress comes last")
    };
    assert_eq!(last.succeeded, last.required);
}

#[tokio::test]
async fn too_big_is_known_before_the_content_is_fetched() {
    let network = MemoryNetwork::new();
    let uri = put(
        &network.client(),
        request("CHK@", noise(1 << 20, 1), Some("image/png")),
    )
    .await;
    let options = FetchOptions {
        size_max: Some((1 << 20) - 1),
        ..FetchOptions::default()
    };
    let error = network
        .client()
        .open(&uri, options, EventSink::ignore())
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        FetchError::TooBig {
            size: 1_048_576,
            ..
        }
    ));
    assert_eq!(network.fetches(), 1);
}

#[tokio::test]
async fn what_unpacks_a_thousandfold_comes_only_to_those_who_allow_its_size() {
    let network = MemoryNetwork::new();
    let zeros = Bytes::from(vec![0; (64 << 20) + 1]);
    let size = zeros.len() as u64;
    let uri = put(
        &network.client(),
        request("CHK@", zeros, Some("text/plain")),
    )
    .await;
    let open = async |size_max| {
        let options = FetchOptions {
            size_max,
            ..FetchOptions::default()
        };
        let client = network.client();
        client.open(&uri, options, EventSink::ignore()).await
    };
    let before = network.fetches();
    let error = open(None).await.unwrap_err();
    assert!(matches!(error, FetchError::Bloated { .. }), "{error}");
    assert_eq!(error.code(), 21);
    assert_eq!(network.fetches(), before + 1, "only its metadata");
    assert_eq!(open(Some(size)).await.unwrap().size(), size);
}

#[tokio::test]
async fn a_range_fetches_only_its_blocks() {
    let network = MemoryNetwork::new();
    let content = noise(3 * SEGMENT, 1);
    let uri = put(
        &network.client(),
        request("CHK@", content.clone(), Some("video/mp4")),
    )
    .await;
    let document = open(&network.client(), &uri).await.unwrap();
    let before = network.fetches();
    let mut stream = document.read(SEGMENT as u64 - 10..SEGMENT as u64 + 10);
    let mut read = Vec::new();
    while let Some(piece) = stream.next().await {
        read.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(read, content[SEGMENT - 10..SEGMENT + 10]);
    assert_eq!(network.fetches() - before, 2);
}

#[test]
fn every_range_is_a_slice() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let network = MemoryNetwork::new();
    let contents = [
        noise(SEGMENT + 70_000, 1),
        prose(3 * (1 << 20) + 11),
        prose(5000),
        noise(90_000, 5),
    ];
    let types = ["video/mp4", "text/plain", "text/plain", "image/png"];
    let documents: Vec<_> = runtime.block_on(async {
        let client = network.client();
        let mut documents = Vec::new();
        for (content, content_type) in contents.iter().zip(types) {
            let uri = put(
                &client,
                request("CHK@", content.clone(), Some(content_type)),
            )
            .await;
            documents.push(open(&client, &uri).await.unwrap());
        }
        documents
    });
    proptest!(ProptestConfig::with_cases(60), |(which in 0..4_usize, start in 0..5_000_000_u64, len in 0..300_000_u64)| {
        let (content, document) = (&contents[which], &documents[which]);
        let start = start % (content.len() as u64 + 10);
        let read = runtime.block_on(async {
            let mut stream = document.read(start..start + len);
            let mut read = Vec::new();
            while let Some(piece) = stream.next().await {
                let piece = piece.unwrap();
                assert!(!piece.is_empty());
                read.extend_from_slice(&piece);
            }
            read
        });
        let place = |byte: u64| usize::try_from(byte).unwrap().min(content.len());
        prop_assert!(read == content[place(start)..place(start + len)]);
    });
}
