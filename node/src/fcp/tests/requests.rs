//! Gets and puts of documents over the connection.

use crypto::{InsertUri, SubspaceSecret};

use super::support::{Mood, TestServer, Wire, payload};
use crate::fcp::message::Message;

async fn put(wire: &mut Wire, fields: &str, content: &[u8]) -> Message {
    wire.say(&format!(
        "ClientPut\nIdentifier=put\n{fields}\nUploadFrom=direct\nDataLength={}\nData\n",
        content.len()
    ))
    .await;
    wire.say_bytes(content).await;
    let generated = wire.hear().await;
    if generated.name() != "URIGenerated" {
        return generated;
    }
    let end = wire.hear_until_end().await;
    assert!(generated.field("URI").is_some(), "clients need it");
    end
}

impl Wire {
    async fn hear_until_end(&mut self) -> Message {
        loop {
            let message = self.hear().await;
            if matches!(
                message.name(),
                "PutSuccessful" | "PutFailed" | "GetFailed" | "ProtocolError"
            ) {
                return message;
            }
        }
    }

    async fn get(&mut self, uri: &str, fields: &str) -> Message {
        self.say(&format!(
            "ClientGet\nIdentifier=get\nURI={uri}\n{fields}EndMessage\n"
        ))
        .await;
        self.hear().await
    }
}

fn pseudo_random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

#[tokio::test]
async fn what_is_put_directly_is_got_directly_with_its_type() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    for length in [0, 1, 1000, 100_000, 3 << 20] {
        let content = pseudo_random(length);
        let done = put(
            &mut wire,
            "URI=CHK@\nMetadata.ContentType=image/x-test\nTargetFilename=a.bin",
            &content,
        )
        .await;
        assert_eq!(
            done.name(),
            "PutSuccessful",
            "{:?}",
            done.fields().collect::<Vec<_>>()
        );
        let uri = done.field("URI").unwrap();
        assert!(uri.starts_with("CHK@") && uri.ends_with("/a.bin"), "{uri}");

        let found = wire.get(uri, "").await;
        assert_eq!(
            found.name(),
            "DataFound",
            "{:?}",
            found.fields().collect::<Vec<_>>()
        );
        assert_eq!(found.field("Metadata.ContentType"), Some("image/x-test"));
        assert_eq!(found.field("DataLength"), Some(length.to_string().as_str()));
        let data = wire.hear().await;
        assert_eq!((data.name(), data.identifier()), ("AllData", Some("get")));
        assert_eq!(data.field("Metadata.ContentType"), Some("image/x-test"));
        assert!(payload(&data) == content, "{length} bytes");
    }
    wire.expect_quiet().await;
}

#[tokio::test]
async fn without_verbosity_only_the_results_are_told_and_with_it_the_events() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let content = pseudo_random(200_000);
    let done = put(
        &mut wire,
        "URI=CHK@\nVerbosity=0\nMetadata.ContentType=text/plain",
        &content,
    )
    .await;
    let uri = done.field("URI").unwrap().to_owned();
    assert_eq!(
        wire.get(&uri, "ReturnType=none\n").await.name(),
        "DataFound"
    );
    wire.expect_quiet().await;

    wire.say(&format!(
        "ClientGet\nIdentifier=g\nURI={uri}\nReturnType=none\nVerbosity=-1\nEndMessage\n"
    ))
    .await;
    let mut heard = Vec::new();
    loop {
        let message = wire.hear().await;
        assert_eq!(message.identifier(), Some("g"));
        heard.push(message.name().to_owned());
        if message.name() == "DataFound" {
            break;
        }
    }
    for event in [
        "SendingToNetwork",
        "CompatibilityMode",
        "ExpectedMIME",
        "ExpectedDataLength",
        "SimpleProgress",
    ] {
        assert!(
            heard.iter().any(|name| name == event),
            "{event} is not in {heard:?}"
        );
    }
    wire.expect_quiet().await;

    wire.say(&format!(
        "ClientGet\nIdentifier=g\nURI={uri}\nReturnType=none\nVerbosity=4\nEndMessage\n"
    ))
    .await;
    let mode = wire.hear().await;
    assert_eq!(mode.name(), "CompatibilityMode");
    assert_eq!(mode.field("Min"), Some("COMPAT_UNKNOWN"));
    assert_eq!(mode.field("Max.Number"), Some("0"));
    assert_eq!(mode.field("Definitive"), Some("true"));
    assert_eq!(wire.hear().await.name(), "DataFound");
    wire.expect_quiet().await;
}

#[tokio::test]
async fn a_missing_document_fails_with_13_and_frees_its_identifier_first() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    for _ in 0..20 {
        // The second request under the same name is sent as soon as the first failed: as pyFreenet does with
        // redirects.
        let failed = wire.get("KSK@nobody-put-this", "").await;
        assert_eq!(
            (failed.name(), failed.field("Code")),
            ("GetFailed", Some("13"))
        );
        assert!(failed.field("ShortCodeDescription").is_some());
    }
}

#[tokio::test]
async fn an_identifier_in_use_collides() {
    let server = TestServer::start().await;
    server.network.set_mood(Mood::Silent);
    let mut wire = server.greeted().await;
    wire.say("ClientGet\nIdentifier=same\nURI=KSK@a\nEndMessage\n")
        .await;
    wire.say("ClientPut\nIdentifier=same\nURI=KSK@b\nDataLength=5\nData\nhello")
        .await;
    let collision = wire.hear().await;
    assert_eq!(
        (collision.name(), collision.identifier()),
        ("IdentifierCollision", Some("same"))
    );
    assert_eq!(collision.field("Global"), Some("false"));
    wire.expect_quiet().await;
}

#[tokio::test]
async fn a_request_can_be_removed_and_its_name_used_again() {
    let server = TestServer::start().await;
    server.network.set_mood(Mood::Silent);
    let mut wire = server.greeted().await;
    wire.say("ClientGet\nIdentifier=g\nURI=KSK@a\nEndMessage\n")
        .await;
    server.network.until_waiting(1).await;
    wire.say("RemoveRequest\nIdentifier=g\nEndMessage\n").await;
    let failed = wire.hear().await;
    assert_eq!(
        (failed.name(), failed.field("Code")),
        ("GetFailed", Some("25"))
    );
    server.network.until_waiting(0).await;
    wire.say("RemovePersistentRequest\nIdentifier=g\nEndMessage\n")
        .await;
    wire.hear_error(15).await;
    server.network.set_mood(Mood::Working);
    assert_eq!(wire.get("KSK@a", "").await.field("Code"), Some("13"));
}

#[tokio::test]
async fn the_end_of_a_connection_cancels_its_requests() {
    let server = TestServer::start().await;
    server.network.set_mood(Mood::Silent);
    let mut wire = server.greeted().await;
    for number in 0..5 {
        // Not of phrases, whose keys take a processor's time
        let secret = SubspaceSecret::from_parts(&[number; 32], &[1; 32]);
        let address =
            InsertUri::parse(&format!("{}a", secret.insert_uri_string().as_str())).unwrap();
        let address = address.request_uri().unwrap();
        wire.say(&format!(
            "ClientGet\nIdentifier={number}\nURI={address}\nEndMessage\n"
        ))
        .await;
    }
    server.network.until_waiting(5).await;
    wire.close().await;
    server.network.until_waiting(0).await;
}

#[tokio::test]
async fn failures_of_the_network_have_their_own_codes() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    server.network.set_mood(Mood::NoRoute);
    assert_eq!(wire.get("KSK@a", "").await.field("Code"), Some("14"));
    server.network.set_mood(Mood::Busy);
    assert_eq!(wire.get("KSK@a", "").await.field("Code"), Some("15"));
    server.network.set_mood(Mood::NoRoute);
    let failed = put(&mut wire, "URI=CHK@", b"x").await;
    assert_eq!(
        (failed.name(), failed.field("Code")),
        ("PutFailed", Some("5"))
    );
}

#[tokio::test]
async fn other_data_under_the_same_key_is_a_collision() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    assert_eq!(
        put(&mut wire, "URI=KSK@taken", b"first").await.name(),
        "PutSuccessful"
    );
    let failed = put(&mut wire, "URI=KSK@taken", b"second").await;
    assert_eq!(
        (failed.name(), failed.field("Code")),
        ("PutFailed", Some("9"))
    );
    assert_eq!(failed.field("Fatal"), Some("true"));
}

#[tokio::test]
async fn keys_under_chk_are_convergent_unless_one_is_given() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let first = put(&mut wire, "URI=CHK@", b"same").await;
    let second = put(&mut wire, "URI=CHK@", b"same").await;
    let given = format!("URI=CHK@\nOverrideSplitfileCryptoKey={}", "17".repeat(32));
    let other = put(&mut wire, &given, b"same").await;
    assert_eq!(first.field("URI"), second.field("URI"));
    assert_ne!(first.field("URI"), other.field("URI"));
}

#[tokio::test]
async fn asking_for_the_key_only_sends_nothing_to_the_network() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let done = put(
        &mut wire,
        "URI=CHK@\nGetCHKOnly=true",
        &pseudo_random(100_000),
    )
    .await;
    assert_eq!(done.name(), "PutSuccessful");
    assert_eq!(server.network.blocks(), 0);
    let real = put(&mut wire, "URI=CHK@", &pseudo_random(100_000)).await;
    assert_eq!(done.field("URI"), real.field("URI"));
}

#[tokio::test]
async fn a_put_that_is_refused_has_its_payload_skipped() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    for (fields, code) in [
        ("URI=nonsense", 4),
        ("", 5),
        ("URI=CHK@\nMetadata.ContentType=plain", 35),
        ("URI=CHK@\nPersistence=forever", 16),
        ("URI=CHK@\nGlobal=true", 16),
        ("URI=CHK@\nCodecs=RAR", 8),
        ("URI=CHK@\nUploadFrom=redirect", 5),
    ] {
        wire.say(&format!(
            "ClientPut\nIdentifier=i\n{fields}\nDataLength=17\nData\nVoid\nEndMessage\n."
        ))
        .await;
        assert_eq!(
            wire.hear_error(code).await.identifier(),
            Some("i"),
            "{fields}"
        );
    }
    wire.expect_quiet().await;
}

/// perlFreenet and infocalypse end the message with `EndMessage` and send the payload all the same.
#[tokio::test]
async fn a_payload_after_end_message_is_read() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    wire.say("ClientPut\nIdentifier=i\nURI=CHK@\nDataLength=11\nEndMessage\nhello world")
        .await;
    assert_eq!(wire.hear_until_end().await.name(), "PutSuccessful");
    wire.expect_quiet().await;
}

#[tokio::test]
async fn a_redirect_leads_to_its_target() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let target = put(
        &mut wire,
        "URI=CHK@\nMetadata.ContentType=text/plain",
        b"at the end",
    )
    .await;
    let target = target.field("URI").unwrap();
    wire.say(&format!("ClientPut\nIdentifier=r\nURI=KSK@signpost\nUploadFrom=redirect\nTargetURI={target}\nEndMessage\n")).await;
    assert_eq!(wire.hear_until_end().await.name(), "PutSuccessful");
    assert_eq!(wire.get("KSK@signpost", "").await.name(), "DataFound");
    assert_eq!(payload(&wire.hear().await), b"at the end");
}

#[tokio::test]
async fn a_document_above_the_limit_of_the_client_is_refused_with_its_size() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let done = put(
        &mut wire,
        "URI=CHK@\nMetadata.ContentType=text/plain",
        &pseudo_random(50_000),
    )
    .await;
    let failed = wire.get(done.field("URI").unwrap(), "MaxSize=1000\n").await;
    assert_eq!(
        (failed.name(), failed.field("Code")),
        ("GetFailed", Some("21"))
    );
    assert_eq!(failed.field("ExpectedDataLength"), Some("50000"));
}

#[tokio::test]
async fn what_would_have_to_be_filtered_is_refused_when_a_filter_is_asked_for() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    let page = put(
        &mut wire,
        "URI=CHK@\nMetadata.ContentType=text/html",
        b"<p>hello",
    )
    .await;
    let failed = wire
        .get(page.field("URI").unwrap(), "FilterData=true\n")
        .await;
    assert_eq!(
        (failed.name(), failed.field("Code")),
        ("GetFailed", Some("32"))
    );
    let text = put(
        &mut wire,
        "URI=CHK@\nMetadata.ContentType=text/plain",
        b"hello",
    )
    .await;
    let found = wire
        .get(
            text.field("URI").unwrap(),
            "FilterData=true\nReturnType=none\n",
        )
        .await;
    assert_eq!(found.name(), "DataFound");
}

#[tokio::test]
async fn an_old_edition_leads_to_the_newest() {
    let server = TestServer::start().await;
    let mut wire = server.greeted().await;
    wire.say("GenerateSSK\nEndMessage\n").await;
    let pair = wire.hear().await;
    let secret = pair.field("InsertURI").unwrap().replacen("SSK@", "USK@", 1);
    for edition in 0..2 {
        let done = put(
            &mut wire,
            &format!("URI={secret}site/0/"),
            format!("edition {edition}").as_bytes(),
        )
        .await;
        let uri = done.field("URI").unwrap();
        assert!(
            uri.ends_with(&format!("/site/{edition}")),
            "the last part must be the edition: {uri}"
        );
    }
    let request = pair
        .field("RequestURI")
        .unwrap()
        .replacen("SSK@", "USK@", 1);
    let failed = wire.get(&format!("{request}site/0"), "").await;
    assert_eq!(
        (failed.name(), failed.field("Code")),
        ("GetFailed", Some("27"))
    );
    let newest = failed.field("RedirectURI").unwrap().to_owned();
    assert_eq!(wire.get(&newest, "").await.name(), "DataFound");
    assert_eq!(payload(&wire.hear().await), b"edition 1");
    // The same document by its own key.
    let by_name = format!("{}site-1", pair.field("RequestURI").unwrap());
    assert_eq!(
        wire.get(&by_name, "ReturnType=none\n").await.name(),
        "DataFound"
    );
}
