//! Metadata made by somebody who wants to do harm.

use crypto::{ContentExtra, ContentKey, FileKey};
use proptest::prelude::*;

use super::*;
use crate::client::manifest::{Container, Entry, Item, Manifest, Member};
use crate::client::metadata::tests::{redirects, samples};
use crate::client::metadata::{Codec, Metadata, Packed, Stored};

/// Puts `payload` into the network as if it were metadata.
async fn plant(network: &Arc<MemoryNetwork>, payload: &[u8]) -> Uri {
    let extra = ContentExtra {
        is_metadata: true,
        codec: crypto::Codec::None,
    };
    let (key, block) = ContentKey::seal(FileKey::from_bytes([3; 32]), extra, payload).unwrap();
    network
        .insert(block, Class::Bulk, Anonymity::Off)
        .await
        .unwrap();
    Uri::Content {
        key,
        path: vec![String::new()],
    }
}

fn redirect() -> Vec<u8> {
    let uri: Uri = "KSK@a".parse().unwrap();
    Metadata::Redirect((&uri).into()).encode()
}

async fn open_planted(payload: &[u8]) -> Result<Bytes, FetchError> {
    let network = MemoryNetwork::new();
    let uri = plant(&network, payload).await;
    get(&network.client(), &uri).await
}

fn packed(size: u64, keys: usize) -> Packed {
    Packed {
        size,
        blake3: [0; 32],
        codec: Codec::None,
        stored: Stored {
            size,
            file_key: FileKey::from_bytes([0; 32]),
            levels: 1,
            keys: vec![crypto::RoutingKey::from_bytes([9; 32]); keys],
        },
    }
}

#[tokio::test]
async fn impossible_sizes_and_tables_are_refused() {
    let mut wrong = vec![
        packed(u64::MAX, 1),
        packed(1 << 50, 2),
        packed(100, 1),
        packed(100, 3),
        packed(0, 1),
    ];
    wrong.push(Packed {
        size: 7,
        ..packed(100, 2)
    });
    wrong.push(Packed {
        codec: Codec::Zstd,
        ..packed(10 << 20, 2)
    });
    let mut levels = packed(100, 2);
    levels.stored.levels = 200;
    wrong.push(levels);
    for packed in wrong {
        let error = open_planted(&Metadata::Outer(packed).encode())
            .await
            .unwrap_err();
        assert!(matches!(error, FetchError::InvalidMetadata(_)), "{error}");
    }
}

#[tokio::test]
async fn a_container_that_is_larger_than_it_says_is_refused() {
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 19).unwrap();
    assert!(bomb.len() < 20_000);
    let manifest = |offset, size| Manifest {
        default_name: Some("a".to_owned()),
        containers: vec![Container::Inline {
            size: 1000,
            frame: bomb.clone(),
        }],
        entries: vec![Entry {
            name: "a".to_owned(),
            item: Item::Member(Member {
                content_type: None,
                container: 0,
                offset,
                size,
            }),
        }],
    };
    let error = open_planted(&Metadata::Manifest(manifest(0, 1000)).encode())
        .await
        .unwrap_err();
    assert_eq!(error.code(), 5);
    let error = open_planted(&Metadata::Manifest(manifest(u32::MAX, u32::MAX)).encode())
        .await
        .unwrap_err();
    assert_eq!(error.code(), 4);
}

#[tokio::test]
async fn metadata_nested_for_ever_ends() {
    let network = MemoryNetwork::new();
    let client = network.client();
    let inserter = Inserter::new(
        Arc::clone(&client.shared),
        InsertOptions::default(),
        Meter::default(),
    );
    let mut payload = redirect();
    for _ in 0..6 {
        let packed = insert::pack(&inserter, Bytes::from(payload), 100)
            .await
            .unwrap();
        payload = Metadata::Outer(packed).encode();
    }
    let uri = plant(&network, &payload).await;
    let error = open(&client, &uri).await.unwrap_err();
    assert_eq!(error.code(), 7);
}

#[tokio::test(start_paused = true)]
async fn long_metadata_waits_for_its_turn_and_short_metadata_does_not() {
    let network = MemoryNetwork::new();
    let client = network.client();
    let long = plant(&network, &redirects(700, "KSK@b")).await;
    let short = plant(&network, &redirects(70, "KSK@b")).await;
    let busy = Arc::clone(&client.shared.decodings);
    let busy = busy
        .acquire_many_owned(u32::try_from(DECODINGS_MAX).unwrap())
        .await
        .unwrap();
    let within = Duration::from_secs(60);
    let waiting = tokio::time::timeout(within, open(&client, &long)).await;
    assert!(waiting.is_err(), "nobody reads it");
    let listed = tokio::time::timeout(within, open(&client, &short)).await;
    assert_eq!(listed.unwrap().unwrap_err().code(), 10);
    drop(busy);
    assert_eq!(open(&client, &long).await.unwrap_err().code(), 10);
}

#[tokio::test]
async fn content_that_is_not_what_was_published_is_found_out() {
    let network = MemoryNetwork::new();
    let client = network.client();
    let inserter = Inserter::new(
        Arc::clone(&client.shared),
        InsertOptions::default(),
        Meter::default(),
    );
    let mut packed = insert::pack(&inserter, noise(100_000, 1), 100)
        .await
        .unwrap();
    packed.blake3 = [1; 32];
    let file = metadata::File {
        content_type: None,
        sha256: [0; 32],
        packed,
    };
    let uri = plant(&network, &Metadata::File(file).encode()).await.root();
    let error = get(&client, &uri).await.unwrap_err();
    assert_eq!(error.code(), 34);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    assert!(
        open(&client, &uri)
            .await
            .unwrap()
            .write_to_file(&copy)
            .await
            .is_err()
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn another_version_is_told_apart_from_nonsense() {
    let mut payload = redirect();
    payload[1] = 9;
    assert_eq!(open_planted(&payload).await.unwrap_err().code(), 3);
    payload[0] = 0;
    assert_eq!(open_planted(&payload).await.unwrap_err().code(), 4);
    assert_eq!(open_planted(b"").await.unwrap_err().code(), 4);
}

#[test]
fn changed_metadata_gives_an_error_or_a_document_but_never_a_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    proptest!(ProptestConfig::with_cases(300), |(which in 0..samples().len(), place: prop::sample::Index, byte: u8, cut: bool)| {
        let mut payload = samples()[which].encode();
        let place = place.index(payload.len());
        if cut {
            payload.truncate(place);
        } else {
            payload[place] = byte;
        }
        let _ = runtime.block_on(open_planted(&payload));
    });
}
