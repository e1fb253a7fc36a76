//! How the requests of a download or an upload leave the node.

use routing::{Group, Level, Role, Via};

use super::*;

fn hidden_client(network: &Arc<MemoryNetwork>) -> Arc<Client> {
    let blocks: Arc<dyn BlockNetwork> = Arc::<MemoryNetwork>::clone(network);
    Client::new(blocks, ClientConfig::new(std::env::temp_dir()))
}

/// The ways of all requests since the last call. Fails if one does not go over a circuit of this level.
fn vias(network: &MemoryNetwork, level: Level) -> Vec<(BlockKey, Via)> {
    let ways = std::mem::take(&mut *lock(&network.ways));
    ways.into_iter()
        .map(|(key, anonymity)| match anonymity {
            Anonymity::Circuit(via) => {
                assert_eq!(via.level, level);
                (key, via)
            }
            Anonymity::Off => panic!("a request leaves the node openly"),
        })
        .collect()
}

/// The one group of all of them.
fn group(vias: &[(BlockKey, Via)]) -> Group {
    let group = vias.first().expect("a request").1.group;
    assert!(vias.iter().all(|(_, via)| via.group == group));
    group
}

fn tops(vias: &[(BlockKey, Via)]) -> usize {
    let top = |(_, via): &&(BlockKey, Via)| via.role == Role::Top;
    vias.iter().filter(top).count()
}

#[tokio::test]
async fn all_requests_of_a_file_share_a_group_and_what_it_is_found_by_goes_apart() {
    let network = MemoryNetwork::new();
    let client = hidden_client(&network);
    let file = request("CHK@", noise(300_000, 1), Some("image/png"));
    let uri = put(&client, file).await;
    let inserts = vias(&network, Level::Six);
    assert!(inserts.len() > 10, "{} requests", inserts.len());
    assert_eq!(tops(&inserts), 1);
    get(&hidden_client(&network), &uri).await.unwrap();
    let fetches = vias(&network, Level::Six);
    assert_eq!(tops(&fetches), 1);
    assert_eq!(fetches[0].1.role, Role::Top);
    assert_ne!(group(&inserts), group(&fetches));
}

#[tokio::test(start_paused = true)]
async fn a_rebuilt_block_goes_the_way_of_the_fetch() {
    let network = MemoryNetwork::new();
    let file = request("CHK@", noise(300_000, 1), Some("image/png"));
    let uri = put(&hidden_client(&network), file).await;
    vias(&network, Level::Six);
    get(&hidden_client(&network), &uri).await.unwrap();
    let (lost, _) = vias(&network, Level::Six)[1];
    network.forget(lost);
    let inserted = network.inserts();
    get(&hidden_client(&network), &uri).await.unwrap();
    network.is_back(lost).await;
    assert_eq!(network.inserts(), inserted + 1);
    let all = vias(&network, Level::Six);
    group(&all);
    let of_lost: Vec<Role> = all
        .iter()
        .filter(|(key, _)| *key == lost)
        .map(|(_, via)| via.role)
        .collect();
    assert_eq!(of_lost, [Role::Part; 2], "asked for once, inserted once");
}

#[tokio::test]
async fn signed_blocks_of_a_site_and_the_search_for_its_editions_are_hidden_too() {
    let network = MemoryNetwork::new();
    let client = hidden_client(&network);
    let target = format!("USK{}site/0", subspace(1));
    let uri = put(&client, request(&target, noise(10, 1), None)).await;
    let inserts = vias(&network, Level::Six);
    assert_eq!(tops(&inserts), inserts.len());
    get(&hidden_client(&network), &uri).await.unwrap();
    let fetches = vias(&network, Level::Six);
    assert_eq!(tops(&fetches), fetches.len());
    assert!(fetches.len() > 1, "editions are searched for");
    group(&fetches);
}

#[tokio::test]
async fn a_request_says_its_own_level_and_group() {
    let network = MemoryNetwork::new();
    let mut file = request("CHK@", noise(100_000, 1), Some("image/png"));
    file.options.hiding = Some(Hiding::Circuit(Level::Two));
    let uri = put(&hidden_client(&network), file).await;
    let _ = vias(&network, Level::Two);
    let options = FetchOptions {
        hiding: Some(Hiding::Circuit(Level::Eight)),
        group: Some(Group(7)),
        ..FetchOptions::default()
    };
    let client = hidden_client(&network);
    let document = client.open(&uri, options, EventSink::ignore()).await;
    document.unwrap().read_all().await.unwrap();
    assert_eq!(group(&vias(&network, Level::Eight)), Group(7));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_who_waits_for_a_hidden_block() {
    let network = MemoryNetwork::new();
    let source = MemoryNetwork::new();
    let uri = put(&source.client(), request("CHK@", noise(10, 1), None)).await;
    let options = FetchOptions {
        retries: 2,
        ..FetchOptions::default()
    };
    let client = hidden_client(&network);
    let missing = client
        .open(&uri, options.clone(), EventSink::ignore())
        .await;
    assert!(matches!(missing, Err(FetchError::DataNotFound)));
    assert_eq!(network.subscriptions.load(Ordering::Relaxed), 0);
    let open = client.open(
        &uri,
        FetchOptions {
            hiding: Some(Hiding::Off),
            ..options
        },
        EventSink::ignore(),
    );
    assert!(open.await.is_err());
    assert_eq!(network.subscriptions.load(Ordering::Relaxed), 1);
}
