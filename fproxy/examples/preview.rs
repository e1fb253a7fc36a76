//! Shows the gateway's pages in a browser, in front of a network in memory: for working on their looks.
//!
//! `cargo run -p fproxy --example preview` prints the addresses and runs until it is interrupted.

#[path = "../tests/gateway/double.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod double;

use std::net::SocketAddr;
use std::sync::Arc;

use double::{Double, Entry};
use fproxy::network::{EntryKind, FetchFailure, ListingEntry};
use fproxy::{Gateway, GatewayConfig};
use zeroize::Zeroizing;

const SITE: &str = "<!doctype html><html lang=en><head><title>A site</title><link rel=stylesheet href=style.css></head>\
    <body><h1>A site from the network</h1><p>It has a <a href=folder/>folder</a>, a <a href='http://example.org/?a=b'>link out</a>, \
    a <a href=missing.html>dead link</a>, a <a href=slow.html>slow page</a>, a <a href=paper.pdf>paper</a> and a \
    <a target=_blank href=other.html>page in a new window</a>.</p><script>document.body.innerHTML = 'script ran'</script>\
    <p><img src=dot.png width=64 height=64 alt=dot><img src=http://example.org/spy.png alt=spy></p></body></html>";

const DOT: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0,
    1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 0x0c, b'I', b'D', b'A', b'T',
    0x08, 0xd7, 0x63, 0x28, 0x4f, 0x37, 0x03, 0, 0x02, 0xc4, 0x01, 0x3c, 0xf9, 0x84, 0x17, 0x8e, 0,
    0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

#[expect(
    clippy::print_stdout,
    reason = "an example talks to the one who started it"
)]
#[tokio::main]
async fn main() -> std::io::Result<()> {
    let network = Double::new();
    fill(&network);
    let config = GatewayConfig::new(Zeroizing::new([5; 32]), std::env::temp_dir());
    let port = std::env::args()
        .nth(1)
        .and_then(|port| port.parse().ok())
        .unwrap_or(8899);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let gateway = Gateway::bind(address, Arc::clone(&network) as _, config).await?;
    let base = format!("http://{}", gateway.local_addr());
    for path in [
        "",
        "publish",
        "status",
        "open?key=nonsense",
        "KSK@site/",
        "KSK@site/folder/",
        "KSK@site/slow.html",
        "KSK@site/paper.pdf",
        "KSK@nothing",
        "KSK@torn",
    ] {
        println!("{base}/{path}");
    }
    tokio::signal::ctrl_c().await?;
    gateway.shutdown().await;
    Ok(())
}

fn fill(network: &Double) {
    network.put_document("KSK@site/", "text/html", SITE);
    network.put_document("KSK@site/style.css", "text/css", "body{font:18px/1.5 serif;max-width:40em;margin:2em auto;background:#fbf6ea}h1{color:#7a3b10}");
    network.put_document("KSK@site/dot.png", "image/png", DOT);
    network.put_document(
        "KSK@site/other.html",
        "text/html",
        "<p>Another page. <a href=./>Back</a>",
    );
    network.put_document(
        "KSK@site/paper.pdf",
        "application/pdf",
        vec![b'%'; 2_345_678],
    );
    let late = Entry::Document {
        content_type: Some("text/html"),
        bytes: "<p>At last.".into(),
    };
    network.put("KSK@site/slow.html", Entry::Slow(Box::new(late)));
    network.put(
        "KSK@torn",
        Entry::Failure(FetchFailure::Damaged {
            found: 87,
            needed: 128,
        }),
    );
    let file = |name: &str, size, kind: &str| ListingEntry {
        name: name.to_owned(),
        kind: EntryKind::File {
            size: Some(size),
            content_type: Some(kind.to_owned()),
        },
    };
    let entries = vec![
        ListingEntry {
            name: "pictures".to_owned(),
            kind: EntryKind::Folder,
        },
        file("index-old.html", 12_345, "text/html"),
        file("talk.ogg", 45_678_901, "audio/ogg"),
        file("a long name with spaces and ünicode.txt", 99, "text/plain"),
    ];
    network.put("KSK@site/folder/", Entry::Listing(entries));
}
