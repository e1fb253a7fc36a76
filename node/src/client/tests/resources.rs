//! Memory, tasks and files: bounded while a request runs, and gone when it is given up.

use super::*;

/// A network that keeps no content of large inserts: it makes each block again when asked for it.
#[tokio::test]
async fn a_large_file_streams_through_a_bounded_number_of_blocks() {
    let network = MemoryNetwork::new();
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("large");
    std::fs::File::create(&source)
        .unwrap()
        .set_len(300 << 20)
        .unwrap();
    let mut request = request("CHK@", Bytes::new(), Some("application/octet-stream"));
    request.source = Source::File(source);
    request.options.compress = false;
    let uri = put(&network.client(), request).await;
    assert!(network.under_way_max() <= 256);
    // Three hundred MiB in 75 segments, the table of their keys in one, and the metadata.
    assert_eq!(network.inserts(), 75 * 192 + 15 + 8 + 1);

    let document = open(&network.client(), &uri).await.unwrap();
    let mut stream = document.read(0..u64::MAX);
    let (mut read, mut longest) = (0, 0);
    while let Some(piece) = stream.next().await {
        let piece = piece.unwrap();
        assert!(piece.iter().all(|byte| *byte == 0));
        read += piece.len();
        longest = longest.max(piece.len());
    }
    assert_eq!(read, 300 << 20);
    assert!(longest <= 32_768);
    assert!(network.under_way_max() <= 256);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stops_reading_stops_the_fetching() {
    let network = MemoryNetwork::slow(Duration::from_millis(100));
    let uri = put(
        &network.client(),
        request("CHK@", noise(60 << 20, 1), Some("video/mp4")),
    )
    .await;
    let document = open(&network.client(), &uri).await.unwrap();
    let before = network.fetches();
    let mut stream = document.read(0..u64::MAX);
    assert!(stream.next().await.unwrap().is_ok());
    tokio::time::sleep(Duration::from_secs(60)).await;
    let ahead = network.fetches() - before;
    assert!(ahead <= 3 * 128 + 2, "{ahead}");
    assert_eq!(network.under_way(), 0);
}

#[tokio::test(start_paused = true)]
async fn dropping_a_stream_gives_up_its_blocks() {
    let network = MemoryNetwork::slow(Duration::from_secs(3));
    let uri = put(
        &network.client(),
        request("CHK@", noise(10 << 20, 1), Some("video/mp4")),
    )
    .await;
    let document = open(&network.client(), &uri).await.unwrap();
    let mut stream = document.read(0..u64::MAX);
    let first = tokio::time::timeout(Duration::from_secs(1), stream.next()).await;
    assert!(first.is_err());
    assert!(network.under_way() > 10);
    drop(stream);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(network.under_way(), 0);
}

#[tokio::test(start_paused = true)]
async fn dropping_an_insert_gives_up_its_blocks() {
    let network = MemoryNetwork::slow(Duration::from_secs(3600));
    let client = network.client();
    let insert = client.insert(
        request("CHK@", noise(20 << 20, 1), Some("video/mp4")),
        EventSink::ignore(),
    );
    let insert = tokio::time::timeout(Duration::from_secs(600), insert);
    assert!(insert.await.is_err());
    assert!(network.inserts() >= 32);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(network.under_way(), 0);
}

#[tokio::test(start_paused = true)]
async fn dropping_a_search_for_editions_gives_it_up() {
    let network = MemoryNetwork::slow(Duration::from_secs(3600));
    let client = network.client();
    let target = format!("USK{}site/0", subspace(1));
    let uri = InsertUri::parse(&target).unwrap().request_uri().unwrap();
    let search = tokio::time::timeout(Duration::from_secs(1), open(&client, &uri));
    assert!(search.await.is_err());
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(network.under_way(), 0);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_inserted_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changing");
    std::fs::write(&path, noise(1 << 20, 1)).unwrap();
    let meter = Arc::new(Meter::default());
    let preparation = source::Preparation {
        compress: false,
        content_type: None,
        temp_dir: std::env::temp_dir(),
    };
    let prepared = source::prepare(Source::File(path.clone()), preparation, meter)
        .await
        .unwrap();
    std::fs::write(&path, noise(1 << 20, 2)).unwrap();
    let client = MemoryNetwork::new().client();
    let inserter = Inserter::new(
        Arc::clone(&client.shared),
        InsertOptions::default(),
        Meter::default(),
    );
    let result = storing::store(&inserter, prepared, 100).await;
    assert!(matches!(result, Err(InsertError::SourceChanged)));
}
