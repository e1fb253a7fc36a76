//! Blocks that are gone, a network that is busy, and what the caller is told.

use super::*;

/// Loses `part` of `whole` of the content blocks, chosen by their keys.
fn lose_share(network: &MemoryNetwork, spare: &Uri, part: usize, whole: usize) -> usize {
    let Uri::Content { key, .. } = spare else {
        panic!("a CHK was expected")
    };
    let keys = network.keys();
    let mut lost = 0;
    for (place, block) in keys.iter().enumerate() {
        if *block != key.block_key() && place % whole < part {
            network.lose(*block);
            lost += 1;
        }
    }
    lost
}

#[tokio::test]
async fn a_file_survives_the_loss_of_a_quarter_of_its_blocks() {
    let network = MemoryNetwork::new();
    for (size, seed) in [(9 << 20, 1), (40 << 20, 2)] {
        let content = noise(size, seed);
        let mut request = request("CHK@", content.clone(), Some("image/png"));
        // The same keys in every run, so that the same blocks are lost: by chance a segment can lose more than it has.
        request.options.key_choice = KeyChoice::Convergent;
        let uri = put(&network.client(), request).await;
        assert!(lose_share(&network, &uri, 1, 4) > 50);
        assert!(get(&network.client(), &uri).await.unwrap() == content);
        network.find_again();
    }
}

#[tokio::test]
async fn exactly_a_third_may_be_lost_of_a_segment_and_no_block_more() {
    let network = MemoryNetwork::new();
    let content = noise(4 << 20, 1);
    let uri = put(
        &network.client(),
        request("CHK@", content.clone(), Some("image/png")),
    )
    .await;
    let Uri::Content { key, .. } = &uri else {
        panic!("a CHK was expected")
    };
    let others: Vec<_> = network
        .keys()
        .into_iter()
        .filter(|block| *block != key.block_key())
        .collect();
    assert_eq!(others.len(), 192);
    for block in &others[..64] {
        network.lose(*block);
    }
    assert!(get(&network.client(), &uri).await.unwrap() == content);

    network.lose(others[64]);
    let error = get(&network.client(), &uri).await.unwrap_err();
    assert!(
        matches!(
            error,
            FetchError::Splitfile {
                found: 127,
                needed: 128,
                total: 192
            }
        ),
        "{error}"
    );
    assert_eq!(error.code(), 19);
}

#[tokio::test]
async fn the_only_block_of_a_small_file_has_a_substitute() {
    let network = MemoryNetwork::new();
    let content = noise(32_000, 1);
    let uri = put(
        &network.client(),
        request("CHK@", content.clone(), Some("image/png")),
    )
    .await;
    let Uri::Content { key, .. } = &uri else {
        panic!("a CHK was expected")
    };
    let others: Vec<_> = network
        .keys()
        .into_iter()
        .filter(|block| *block != key.block_key())
        .collect();
    assert_eq!(others.len(), 2);
    for lost in others {
        network.lose(lost);
        assert!(get(&network.client(), &uri).await.unwrap() == content);
        network.find_again();
    }
}

/// Puts a file in, and says which of its blocks hold its data.
async fn put_known(network: &Arc<MemoryNetwork>, content: &Bytes) -> (Uri, Vec<BlockKey>) {
    let file = request("CHK@", content.clone(), Some("image/png"));
    let uri = put(&network.client(), file).await;
    network.asked();
    get(&network.client(), &uri).await.unwrap();
    let data = network.asked().split_off(1);
    (uri, data)
}

#[tokio::test(start_paused = true)]
async fn what_was_missing_and_could_be_rebuilt_is_there_for_the_next_reader() {
    let network = MemoryNetwork::new();
    let content = noise(4 << 20, 1);
    let (uri, data) = put_known(&network, &content).await;
    let inserted = network.inserts();
    let lost = &data[..40];
    for key in lost {
        network.forget(*key);
    }
    assert!(get(&network.client(), &uri).await.unwrap() == content);
    for key in lost {
        network.is_back(*key).await;
    }
    assert_eq!(network.inserts(), inserted + 40);
    let before = network.fetches();
    assert!(get(&network.client(), &uri).await.unwrap() == content);
    assert_eq!(network.fetches() - before, 1 + 128, "nothing is missing");
}

#[tokio::test(start_paused = true)]
async fn few_rebuilt_blocks_wait_to_be_inserted_and_none_for_a_look_at_the_own_store() {
    let network = MemoryNetwork::slow(Duration::from_secs(1));
    let content = noise(20 << 20, 1);
    let (uri, data) = put_known(&network, &content).await;
    let inserted = network.inserts();
    for key in data.iter().step_by(4) {
        network.forget(*key);
    }
    let stored = FetchOptions {
        reach: Reach::StoreOnly,
        ..FetchOptions::default()
    };
    let client = network.client();
    let document = client.open(&uri, stored, EventSink::ignore()).await;
    assert!(document.unwrap().read_all().await.unwrap() == content);
    assert_eq!(network.inserts(), inserted);

    // Read whole before the first insert has ended
    let document = open(&client, &uri).await.unwrap();
    network.hold_inserts();
    assert!(document.read_all().await.unwrap() == content);
    assert_eq!(network.inserts(), inserted + 64);
}

#[tokio::test]
async fn check_blocks_are_only_asked_for_when_needed() {
    let network = MemoryNetwork::new();
    let uri = put(
        &network.client(),
        request("CHK@", noise(8 << 20, 1), Some("image/png")),
    )
    .await;
    get(&network.client(), &uri).await.unwrap();
    assert_eq!(network.fetches(), 1 + 256);
}

#[tokio::test]
async fn one_lost_block_costs_one_check_block() {
    let network = MemoryNetwork::new();
    let content = noise(4 << 20, 1);
    let uri = put(
        &network.client(),
        request("CHK@", content.clone(), Some("image/png")),
    )
    .await;
    let document = open(&network.client(), &uri).await.unwrap();
    assert!(document.read(0..1).next().await.unwrap().is_ok());
    network.lose(network.last_fetched());
    let before = network.fetches();
    assert!(document.read_all().await.unwrap() == content);
    assert_eq!(network.fetches() - before, 129);
}

#[tokio::test(start_paused = true)]
async fn a_missing_document_is_reported_in_bounded_time() {
    let network = MemoryNetwork::slow(Duration::from_millis(500));
    let uri = put(&network.client(), request("CHK@", noise(10, 1), None)).await;
    network.lose(network.keys()[0]);
    let start = tokio::time::Instant::now();
    let error = get(&network.client(), &uri).await.unwrap_err();
    assert!(matches!(error, FetchError::DataNotFound));
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(error.code(), 13);
    assert!(!error.is_fatal());
}

#[tokio::test(start_paused = true)]
async fn a_fetch_with_retries_waits_for_a_block_to_appear() {
    let network = MemoryNetwork::new();
    let content = noise(2 << 20, 1);
    let uri = put(
        &network.client(),
        request("CHK@", content.clone(), Some("image/png")),
    )
    .await;
    for key in network.keys() {
        network.lose(key);
    }
    let options = FetchOptions {
        retries: u32::MAX,
        ..FetchOptions::default()
    };
    let client = network.client();
    let fetch = tokio::spawn(async move {
        let document = client.open(&uri, options, EventSink::ignore()).await?;
        document.read_all().await
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!fetch.is_finished());
    network.find_again();
    let fetched = tokio::time::timeout(Duration::from_secs(300), fetch)
        .await
        .unwrap();
    assert!(fetched.unwrap().unwrap() == content);
}

#[tokio::test(start_paused = true)]
async fn an_overloaded_network_gets_fewer_blocks_and_in_the_end_all() {
    let network = MemoryNetwork::slow(Duration::from_millis(50));
    let content = noise(20 << 20, 1);
    network.refuse_next(500);
    let uri = put(
        &network.client(),
        request("CHK@", content.clone(), Some("image/png")),
    )
    .await;
    assert!(get(&network.client(), &uri).await.unwrap() == content);
}

#[tokio::test(start_paused = true)]
async fn an_insert_that_is_always_refused_ends() {
    let network = MemoryNetwork::new();
    network.refuse_next(usize::MAX);
    let request = request("CHK@", noise(1 << 20, 1), Some("image/png"));
    let insert = network.client();
    let insert = insert.insert(request, EventSink::ignore());
    let error = tokio::time::timeout(Duration::from_secs(600), insert)
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(error.code(), 4);
    assert!(!error.is_fatal());
}

#[tokio::test(start_paused = true)]
async fn searches_without_an_answer_are_repeated() {
    let network = MemoryNetwork::slow(Duration::from_millis(50));
    let content = noise(12 << 20, 1);
    let uri = put(
        &network.client(),
        request("CHK@", content.clone(), Some("image/png")),
    )
    .await;
    let document = open(&network.client(), &uri).await.unwrap();
    network.time_out_next(500);
    assert!(document.read_all().await.unwrap() == content);
}

#[tokio::test]
async fn the_own_store_is_asked_without_the_network() {
    let network = MemoryNetwork::new();
    let content = noise(1 << 20, 1);
    let uri = put(
        &network.client(),
        request("CHK@", content.clone(), Some("image/png")),
    )
    .await;
    let options = FetchOptions {
        reach: Reach::StoreOnly,
        ..FetchOptions::default()
    };
    let document = network
        .client()
        .open(&uri, options.clone(), EventSink::ignore())
        .await
        .unwrap();
    assert!(document.read_all().await.unwrap() == content);
    assert_eq!(network.fetches(), 0);

    for key in network.keys() {
        network.lose(key);
    }
    let error = network
        .client()
        .open(&uri, options, EventSink::ignore())
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::DataNotFound));
}
