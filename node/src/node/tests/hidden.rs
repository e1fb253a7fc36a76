//! Whole nodes whose requests are hidden.

use std::os::unix::fs::PermissionsExt as _;

use crypto::InsertUri;
use tokio::time::timeout;

use super::*;
use crate::client::{
    EventSink, FetchError, FetchOptions, InsertError, InsertOptions, InsertRequest, Source,
};
use crate::fcp::node_info::{NodeControl as _, RequestFacts};

fn file() -> InsertRequest {
    // More than one block, and nothing to compress
    let mut content = vec![0; 200_000];
    let mut state = 1_u32;
    for byte in &mut content {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    InsertRequest {
        target: InsertUri::Content { path: Vec::new() },
        source: Source::Bytes(content.into()),
        content_type: Some("image/png".to_owned()),
        file_name: None,
        options: InsertOptions::default(),
    }
}

async fn requests(node: &Node) -> RequestFacts {
    node.core.facts().await.requests
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_goes_in_and_out_through_circuits_whose_guards_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = DemoConfig {
        nodes: 8,
        data_dir: folder.path().to_owned(),
        fcp_port: 0,
        http_port: 0,
        opennet: false,
        anonymity: None,
    };
    let demo = timeout(PATIENCE, Demo::start(&config))
        .await
        .unwrap()
        .unwrap();
    let [writer, reader] = [&demo.nodes()[0], &demo.nodes()[4]];
    let inserted = timeout(
        PATIENCE,
        writer.client().insert(file(), EventSink::ignore()),
    );
    let uri = inserted.await.unwrap().unwrap().uri;
    let read = async {
        let options = FetchOptions::default();
        let document = reader.client().open(&uri, options, EventSink::ignore());
        document.await.unwrap().read_all().await.unwrap()
    };
    let Source::Bytes(content) = file().source else {
        panic!("bytes");
    };
    assert_eq!(timeout(PATIENCE, read).await.unwrap(), content);
    assert!(requests(reader).await.own_fetches.succeeded > 4);
    demo.stop().await;
    for index in [0, 4] {
        let kept = node_dir(folder.path(), index).join("onion.secret");
        let permissions = std::fs::metadata(&kept).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
        let (memory, age) = OnionFile::new(&node_dir(folder.path(), index))
            .read()
            .unwrap();
        assert!(!memory.as_bytes().is_empty());
        assert!(age < 2 * PATIENCE);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_circuit_a_request_fails_and_the_peer_hears_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut nodes = Vec::new();
    for name in ["one", "other"] {
        nodes.push(node_hiding(&folder.path().join(name), false, 6).await);
    }
    let (one, other) = (&nodes[0], &nodes[1]);
    one.add_peer(other.reference().unwrap(), None)
        .await
        .unwrap();
    other
        .add_peer(one.reference().unwrap(), None)
        .await
        .unwrap();
    timeout(PATIENCE, one.connected_to(1)).await.unwrap();
    let mut request = file();
    request.options.class = client::Class::RealTime;
    let inserted = one.client().insert(request, EventSink::ignore());
    let nothing = "KSK@nothing".parse().unwrap();
    let fetch = one.client().open(
        &nothing,
        FetchOptions {
            class: client::Class::RealTime,
            ..FetchOptions::default()
        },
        EventSink::ignore(),
    );
    let (inserted, fetched) = timeout(PATIENCE, async { tokio::join!(inserted, fetch) })
        .await
        .unwrap();
    assert!(matches!(inserted, Err(InsertError::NoCircuit)));
    assert!(matches!(fetched, Err(FetchError::NoCircuit)));
    let heard = requests(other).await;
    let all = [heard.peer_fetches, heard.peer_inserts];
    assert!(all.iter().all(|kind| kind.succeeded + kind.failed == 0));
    for node in nodes {
        node.stop().await;
    }
}
