//! The greeting, the form of messages, and how connections end.

use super::support::{Mood, TestServer};

#[tokio::test]
async fn a_greeting_with_crlf_is_answered_with_plain_lf() {
    let server = TestServer::start().await;
    let mut wire = server.connect().await;
    wire.say("ClientHello\r\nName=jfcp\r\nExpectedVersion=2.0\r\nEndMessage\r\n")
        .await;
    let text = wire.raw_message().await;
    assert!(text.starts_with("NodeHello\n"), "{text}");
    assert!(!text.contains('\r'));
}

/// jFCPlib asks to watch the global queue before it has read the greeting.
#[tokio::test]
async fn watching_the_empty_global_queue_needs_no_answer_and_may_follow_the_greeting_at_once() {
    let server = TestServer::start().await;
    let mut wire = server.connect().await;
    wire.say(
        "ClientHello\r\nExpectedVersion=2.0\r\nName=jfcp\r\nEndMessage\r\n\
         WatchGlobal\r\nEnabled=true\r\nVerbosityMask=-1\r\nEndMessage\r\n\
         ListPersistentRequests\r\nEndMessage\r\n",
    )
    .await;
    assert_eq!(wire.hear().await.name(), "NodeHello");
    assert_eq!(wire.hear().await.name(), "EndListPersistentRequests");
    wire.expect_quiet().await;
}

#[tokio::test]
async fn whoever_does_not_greet_is_sent_away() {
    let server = TestServer::start().await;
    for first in [
        "GenerateSSK\nEndMessage\n",
        "POST / HTTP/1.1\nHost: 127.0.0.1:9481\n\n",
        "ClientHello\nEnd\n",
    ] {
        let mut wire = server.connect().await;
        wire.say(first).await;
        let code = if first.starts_with("ClientHello") {
            5
        } else {
            1
        };
        let error = wire.hear_error(code).await;
        assert_eq!(error.field("Fatal"), Some("true"));
        assert!(
            wire.try_hear().await.is_none(),
            "{first} must end the connection"
        );
    }
}

#[tokio::test]
async fn a_second_greeting_is_refused_and_harmless() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    wire.say("ClientHello\nName=again\nExpectedVersion=2.0\nEndMessage\n")
        .await;
    assert_eq!(wire.hear_error(2).await.field("Fatal"), Some("false"));
    wire.expect_quiet().await;
}

#[tokio::test]
async fn a_name_taken_again_ends_the_older_connection() {
    let server = TestServer::start().await;
    let hello = "ClientHello\nName=same\nExpectedVersion=2.0\nEndMessage\n";
    let mut older = server.connect().await;
    older.say(hello).await;
    assert_eq!(older.hear().await.name(), "NodeHello");
    let mut newer = server.connect().await;
    newer.say(hello).await;
    assert_eq!(newer.hear().await.name(), "NodeHello");
    assert_eq!(
        older.hear().await.name(),
        "CloseConnectionDuplicateClientName"
    );
    assert!(older.try_hear().await.is_none());
    newer.expect_quiet().await;
}

#[tokio::test]
async fn an_unknown_message_is_told_with_its_identifier_and_its_payload_skipped() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    wire.say("Dance\nIdentifier=d\nDataLength=12\nData\nVoid\nDance\nE")
        .await;
    assert_eq!(wire.hear_error(7).await.identifier(), Some("d"));
    wire.say("FCPPluginMessage\nIdentifier=p\nPluginName=x\nDataLength=3\nData\nabc")
        .await;
    assert_eq!(
        wire.hear_error(32).await.field("CodeDescription"),
        Some("No such plugin")
    );
    wire.expect_quiet().await;
}

#[tokio::test]
async fn payload_lengths_that_make_no_sense_end_the_connection_and_not_the_server() {
    let server = TestServer::start().await;
    for (length, code) in [
        ("9223372036854775808", 6),
        ("-1", 8),
        ("9223372036854775807", 8),
        ("x", 6),
    ] {
        for name in ["ClientPut", "Dance"] {
            let mut wire = server.greeted().await;
            wire.say(&format!(
                "{name}\nIdentifier=i\nURI=CHK@\nDataLength={length}\nData\n"
            ))
            .await;
            let error = wire.hear_error(code).await;
            assert_eq!(
                (error.identifier(), error.field("Fatal")),
                (Some("i"), Some("true"))
            );
            assert!(wire.try_hear().await.is_none());
        }
    }
    server.greeted().await.expect_quiet().await;
}

#[tokio::test]
async fn truncated_messages_and_payloads_leave_the_server_alive() {
    let server = TestServer::start().await;
    for cut in [
        "Clie",
        "ClientGet\nURI=",
        "ClientPut\nIdentifier=i\nURI=CHK@\nDataLength=100\nData\nonly this",
    ] {
        let mut wire = server.greeted().await;
        wire.say(cut).await;
        wire.close().await;
    }
    server.greeted().await.expect_quiet().await;
}

#[tokio::test]
async fn a_shutdown_says_so_to_every_client() {
    let server = TestServer::start().await;
    server.network.set_mood(Mood::Silent);
    let mut wire = server.greeted().await;
    wire.say("ClientGet\nIdentifier=g\nURI=KSK@never\nEndMessage\n")
        .await;
    server.network.until_waiting(1).await;
    server.server.shutdown().await;
    wire.hear_error(18).await;
    assert!(wire.try_hear().await.is_none());
}

#[tokio::test]
async fn a_client_can_stop_the_node() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    wire.say("Shutdown\nEndMessage\n").await;
    wire.hear_error(18).await;
    server.node.stopped.notified().await;
}
