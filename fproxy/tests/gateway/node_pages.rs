//! The start page, the state of the node, and stopping.

use std::time::Duration;

use tokio::time::timeout;

use crate::client::{NAVIGATION, Rig};
use crate::double::{Entry, chk};

#[tokio::test]
async fn the_start_page_shows_the_box_and_the_node() {
    let rig = Rig::new().await;
    let page = rig.request("GET", "/", NAVIGATION).await;
    assert_eq!(page.status, 200);
    let text = page.text();
    assert!(
        text.contains("<input id=\"key\"") && text.contains("<strong>2</strong> of 3 peers"),
        "{text}"
    );
    assert!(text.contains("burrow &lt;3"), "{text}");
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains(&format!(
            "form-action 'self' http://*.localhost:{}",
            rig.port()
        )),
        "{policy}"
    );
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    // Otherwise a browser would send the form with `Origin: null`.
    assert_eq!(page.header("referrer-policy"), Some("same-origin"));
}

#[tokio::test]
async fn the_box_takes_keys_as_they_are_pasted() {
    let rig = Rig::new().await;
    let key = chk("x");
    for pasted in [
        key.clone(),
        format!("freenet:{key}"),
        format!("http://127.0.0.1:8888/{key}"),
        format!("  {key}\n"),
    ] {
        let escaped: String = pasted.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = rig
            .request("GET", &format!("/open?key={escaped}"), NAVIGATION)
            .await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(format!("/{key}").as_str())),
            "{pasted}"
        );
    }
}

#[tokio::test]
async fn the_box_explains_what_is_wrong_and_keeps_what_was_typed() {
    let rig = Rig::new().await;
    let answer = rig
        .request("GET", "/open?key=%3Cb%3Enonsense", NAVIGATION)
        .await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("value=\"&lt;b&gt;nonsense\""),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("role=\"alert\""));
    assert_eq!(rig.request("GET", "/open", NAVIGATION).await.status, 400);
}

#[tokio::test]
async fn the_state_of_the_node_is_shown() {
    let rig = Rig::new().await;
    let text = rig.get("/status").await.text();
    for word in [
        "Alice",
        "not reached",
        "118 ms",
        "41\u{2009}234",
        "1.3 GiB of 5 GiB",
        "1 d 2 h",
    ] {
        assert!(text.contains(word), "{word} is missing in {text}");
    }
    let health = rig.get("/.well-known/warren/health").await;
    assert_eq!(
        (health.status, health.header("content-type")),
        (200, Some("application/json"))
    );
}

#[tokio::test]
async fn the_bar_of_the_store_stands_below_its_figures() {
    // The first line of a figure is the one beside its label.
    let rig = Rig::new().await;
    let text = rig.get("/").await.text();
    let place = |word| text.find(word).expect("the store is shown");
    let order = [
        "<dt>Store</dt>",
        " of 15 GiB",
        "<progress class=\"fill\"",
        "</dd>",
    ];
    let store = &text[place(order[0])..];
    let places = order.map(|word| store.find(word));
    assert!(places.is_sorted() && places[0].is_some(), "{store}");
}

#[tokio::test]
async fn the_style_is_there_and_nothing_else() {
    let rig = Rig::new().await;
    assert_eq!(
        rig.get("/static/warren.css").await.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    assert_eq!(rig.get("/static/warren.svg").await.status, 200);
    for path in [
        "/static/x",
        "/static/../Cargo.toml",
        "/static/%2e%2e%2fCargo.toml",
    ] {
        assert_eq!(rig.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_gateway_stops_while_somebody_waits() {
    let rig = Rig::new().await;
    let never = Entry::Document {
        content_type: None,
        bytes: "x".into(),
    };
    rig.network.put("KSK@slow", Entry::Slow(Box::new(never)));
    let host = rig.host();
    let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
    let request = format!("GET /KSK@slow HTTP/1.1\r\nHost: {host}\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
        .await
        .unwrap();
    timeout(Duration::from_secs(10), rig.shutdown())
        .await
        .expect("it stops");
    assert!(tokio::net::TcpStream::connect(&host).await.is_err());
}
