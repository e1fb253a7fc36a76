//! What is wrong is refused with a reason, or met with silence, and the node lives on.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use tests::{Demo, FcpConnection, Node, bytes, get, memory_now, memory_peak, request};

const MEBIBYTE: u64 = 1 << 20;

/// A key of Hyphanet: its algorithm is number 3.
const HYPHANET: &str = "CHK@kRyd7lvqfWlHKs-UYlzZQUnTqV6~KCcqU0KyEJ5ZO4I,0LYKLkxCpJHBNnBzFpPYSSzKBYd2RbDLYOGBlzPGDHU,AAMC--8/a.txt";

#[test]
fn keys_that_make_no_sense_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let long = format!("CHK@{}", "a".repeat(20_000));
    for uri in [
        "",
        "hello",
        "CHK@",
        "CHK@abc,def,AAMC",
        "SSK@x/y",
        "USK@a,b,c/site/x",
        "XYZ@abc",
        &long,
    ] {
        let finished = node.fcp().run(&["get", uri, "-o", "-"]);
        assert_eq!(finished.code, Some(4), "{uri:.40}: {}", finished.stderr);
        assert!(finished.stdout.is_empty());
        let answer = get(node.addresses().http, &format!("CHK@{uri:.8000}"));
        assert!(
            (400..500).contains(&answer.status),
            "{uri:.40}: {}",
            answer.status
        );
    }
    let hyphanet = node.fcp().run(&["get", HYPHANET, "-o", "-"]);
    assert_eq!(hyphanet.code, Some(4), "{}", hyphanet.stderr);
    assert!(hyphanet.stderr.contains("Hyphanet"), "{}", hyphanet.stderr);
    let answer = get(node.addresses().http, HYPHANET);
    assert!(
        answer.status == 400 && answer.text().contains("Hyphanet"),
        "{}",
        answer.text()
    );
}

#[test]
fn a_key_that_nobody_inserted_is_not_found_in_bounded_time() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(12, &folder.path().join("network"));
    // A real key whose last letter of the routing key was changed.
    let file = folder.path().join("a.bin");
    std::fs::write(&file, bytes(5, 100)).unwrap();
    let uri = demo.fcp(0).put(&file, &[]);
    let other = if &uri[10..11] == "A" { "B" } else { "A" };
    let missing = format!("{}{other}{}", &uri[..10], &uri[11..]);

    let begin = Instant::now();
    let finished = demo.fcp(3).run(&["get", &missing, "-o", "-"]);

    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
    assert!(
        begin.elapsed() < Duration::from_secs(90),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(get(demo.nodes()[4].http, &missing).status, 404);
    // Words that nobody has used.
    let finished = demo
        .fcp(6)
        .run(&["get", "KSK@nobody-has-said-this", "-o", "-"]);
    assert_eq!(finished.code, Some(3), "{}", finished.stderr);
}

#[test]
fn no_node_to_talk_to_has_an_exit_code_of_its_own() {
    // A port that was just free.
    let nobody = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let finished = tests::Fcp::new(nobody).run(&["get", "KSK@a", "-o", "-"]);
    assert_eq!(finished.code, Some(8), "{}", finished.stderr);
}

#[test]
fn broken_fcp_messages_end_a_connection_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(&folder.path().join("node"));
    let address = node.addresses().fcp;
    let before = memory_now(node.process().id());

    // Cut off in the middle: hello, fields, data.
    for text in [
        "ClientHel",
        "ClientHello\nName=a\nExpectedVersion=2.0\n",
        "ClientHello\nName=a\nExpectedVersion=2.0\nEndMessage\nClientPut\nURI=CHK@\nIdentifier=1\nUploadFrom=direct\nDataLength=1000\nData\nabc",
    ] {
        let mut connection = FcpConnection::open(address);
        connection.send(text.as_bytes());
        connection.finish();
        while connection.receive().is_some() {}
    }
    // A length that no machine has.
    for length in [
        "9223372036854775808",
        "9223372036854775807",
        "18446744073709551616",
        "-1",
        "x",
    ] {
        let mut connection = FcpConnection::hello(address);
        connection.send(
            format!(
                "ClientPut\nURI=CHK@\nIdentifier=1\nUploadFrom=direct\nDataLength={length}\nData\n"
            )
            .as_bytes(),
        );
        let answer = connection.receive_named("ProtocolError");
        assert!(answer.fields.contains_key("Code"), "{length}: {answer:?}");
    }
    // Lines without an end, fields without number, and no protocol at all.
    for text in [
        "A".repeat(4 << 20),
        "Name=Value\n".repeat(400_000),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
    ] {
        let mut connection = FcpConnection::open(address);
        connection.send(text.as_bytes());
        connection.finish();
        while connection.receive().is_some() {}
    }

    let _ = FcpConnection::hello(address);
    still_well(&mut node, before);
}

#[test]
fn strange_http_requests_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let http = node.addresses().http;

    let home = get(http, "");
    assert_eq!(home.status, 200);
    // A name that points to this machine (DNS rebinding).
    let rebound = request(http, "GET", "", &[("Host", "evil.example:8888")]);
    assert_eq!(rebound.status, 421);
    // Another site's page sends a form.
    let foreign = request(
        http,
        "POST",
        "",
        &[("Origin", "http://evil.example"), ("Content-Length", "0")],
    );
    assert!((400..500).contains(&foreign.status), "{}", foreign.status);
    assert_eq!(get(http, "").status, 200);
}

#[test]
fn a_flood_of_datagrams_from_a_stranger_gets_no_answer_and_costs_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(&folder.path().join("node"));
    let before = memory_now(node.process().id());
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.connect(node.addresses().link).unwrap();
    stranger.set_nonblocking(true).unwrap();

    let noise = bytes(9, 65_000);
    let begin = Instant::now();
    let mut sent = 0u64;
    while begin.elapsed() < Duration::from_secs(5) {
        let length = 1 + usize::try_from(sent % 1500).unwrap();
        let offset = usize::try_from(sent % 60_000).unwrap();
        let mut datagram = noise[offset..offset + length].to_vec();
        if sent.is_multiple_of(3) {
            // As the first byte of a QUIC packet with a long header looks.
            datagram[0] = 0xc0 | (datagram[0] & 0x0f);
        }
        // A full buffer is no failure.
        let _ = stranger.send(&datagram);
        sent += 1;
    }

    assert!(sent > 10_000, "{sent} datagrams are no flood");
    assert!(
        stranger.recv(&mut [0; 2000]).is_err(),
        "the node answered a stranger"
    );
    still_well(&mut node, before);
}

/// The node answers, and has taken little memory since `before`.
fn still_well(node: &mut Node, before: Option<u64>) {
    assert!(node.status()["id"].is_string());
    assert_eq!(get(node.addresses().http, "").status, 200);
    let pid = node.process().id();
    assert!(node.process().is_alive());
    if let (Some(before), Some(peak)) = (before, memory_peak(pid)) {
        let grown = peak.saturating_sub(before) / MEBIBYTE;
        assert!(grown < 64, "{grown} MiB more than before");
    }
}
