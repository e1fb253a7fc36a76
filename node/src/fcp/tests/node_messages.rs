//! Messages about the node and its peers, as sent by programs and read back through our own client.

use routing::Trust;

use super::support::{TestServer, node_id};
use crate::fcp::client::{ClientError, FcpClient};
use crate::fcp::message::Message;

async fn client(server: &TestServer, name: &str) -> FcpClient {
    FcpClient::connect("127.0.0.1", server.server.local_addr().port(), name)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_node_tells_of_itself_what_clients_insist_on() {
    let server = TestServer::start().await;
    let data = client(&server, "a").await.node_data().await.unwrap();
    assert_eq!(data.name(), "NodeData");
    for key in [
        "identity",
        "ark.pubURI",
        "ark.number",
        "auth.negTypes",
        "location",
        "Reference",
    ] {
        assert!(data.field(key).is_some(), "{key}");
    }
    for key in ["version", "lastGoodVersion"] {
        let parts: Vec<_> = data.field(key).unwrap().split(',').collect();
        assert!(parts.len() == 4 && parts[3].parse::<u32>().is_ok(), "{key}");
    }
    assert_eq!(data.field("opennet"), Some("true"));
    assert_eq!(data.field("location"), Some("0.75"));
    assert_eq!(data.field("volatile.uptimeSeconds"), Some("61"));
    assert_eq!(data.field("volatile.ownFetchesSucceeded"), Some("5"));
    assert_eq!(data.field("volatile.ownFetchesFailed"), Some("1"));
    assert_eq!(data.field("volatile.ownFetchesRecent"), Some("4"));
    assert_eq!(data.field("volatile.ownFetchesRecentMillis"), Some("12.2"));
    assert_eq!(data.field("volatile.peerFetchesRecentHops"), None);
    assert_eq!(data.field("volatile.numberOfNotConnected"), Some("1"));
}

#[tokio::test]
async fn peers_are_listed_added_and_removed() {
    let server = TestServer::start().await;
    let mut client = client(&server, "a").await;
    let peers = client.peers().await.unwrap();
    assert_eq!(peers.len(), 1);
    assert_eq!(
        peers[0].field("identity"),
        Some(node_id(2).to_string().as_str())
    );
    for (field, value) in [
        ("volatile.status", "DISCONNECTED"),
        ("opennet", "false"),
        ("trustLevel", "HIGH"),
        ("location", "0.25"),
        ("volatile.creditBulk", "128"),
        ("volatile.creditUsed", "3"),
    ] {
        assert_eq!(peers[0].field(field), Some(value), "{field}");
    }

    let added = client
        .add_peer(&node_id(3).to_string(), Some(Trust::Low))
        .await
        .unwrap();
    assert_eq!(added.name(), "Peer");
    assert_eq!(added.field("trustLevel"), Some("LOW"));
    let wrong = Message::new("AddPeer")
        .with("Reference", node_id(4))
        .with("Trust", "MUCH");
    let refused = client.ask(&wrong).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(refusal) if refusal.code == 8));
    for (reference, code) in [
        (node_id(3).to_string(), 29),
        (node_id(1).to_string(), 28),
        ("x".to_owned(), 21),
    ] {
        let refused = client.add_peer(&reference, None).await.unwrap_err();
        assert!(
            matches!(&refused, ClientError::Refused(refusal) if refusal.code == code),
            "{refused}"
        );
    }
    client.remove_peer(&node_id(3).to_string()).await.unwrap();
    let gone = client
        .remove_peer(&node_id(3).to_string())
        .await
        .unwrap_err();
    assert!(matches!(gone, ClientError::Refused(refusal) if refusal.code == 19));
    assert_eq!(client.peers().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_peer_can_be_named_by_name_and_by_address() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    for name in ["bob", "127.0.0.1:4000"] {
        wire.say(&format!("ListPeer\nNodeIdentifier={name}\nEndMessage\n"))
            .await;
        assert_eq!(wire.hear().await.name(), "Peer");
    }
    wire.say("ListPeer\nNodeIdentifier=nobody\nIdentifier=x\nEndMessage\n")
        .await;
    let unknown = wire.hear().await;
    assert_eq!(
        (unknown.name(), unknown.identifier()),
        ("UnknownNodeIdentifier", Some("x"))
    );
    wire.say("ListPeerNotes\nNodeIdentifier=bob\nEndMessage\n")
        .await;
    let end = wire.hear().await;
    assert_eq!(
        (end.name(), end.field("NodeIdentifier")),
        ("EndListPeerNotes", Some("bob"))
    );
}

#[tokio::test]
async fn a_reference_can_come_from_a_file() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let file = server.folder.path().join("reference");
    std::fs::write(&file, format!("{}\n", node_id(4))).unwrap();
    wire.say(&format!("AddPeer\nFile={}\nEndMessage\n", file.display()))
        .await;
    assert_eq!(wire.hear().await.name(), "Peer");
    wire.say("AddPeer\nFile=/nonexistent\nEndMessage\n").await;
    wire.hear_error(22).await;
    wire.say(&format!(
        "AddPeer\nFile={}\nEndMessage\n",
        server.folder.path().display()
    ))
    .await;
    wire.hear_error(23).await;
    wire.say("AddPeer\nURL=http://x/\nEndMessage\n").await;
    wire.hear_error(16).await;
}

#[tokio::test]
async fn key_pairs_end_with_a_slash_and_have_no_scheme() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    wire.say("GenerateSSK\nEndMessage\n").await;
    let pair = wire.hear().await;
    assert_eq!(pair.identifier(), None);
    for key in ["InsertURI", "RequestURI"] {
        let uri = pair.field(key).unwrap();
        assert!(uri.starts_with("SSK@") && uri.ends_with('/'), "{key}");
    }
}

#[tokio::test]
async fn what_is_not_a_node_is_told_apart_from_nobody() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let other = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(
            &mut stream,
            b"HTTP/1.1 400 Bad Request\r\n\r\n\r\n<html>\r\n",
        )
        .await
        .unwrap();
        stream
    });
    let error = FcpClient::connect("127.0.0.1", port, "a")
        .await
        .unwrap_err();
    assert!(
        matches!(error, ClientError::NotFcp | ClientError::Lost(_)),
        "{error}"
    );
    drop(other.await.unwrap());
    let error = FcpClient::connect("127.0.0.1", port, "a")
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}
