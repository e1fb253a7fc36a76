//! A site in a real browser.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use tests::{
    Browser, Demo, NetLog, Page, chromium, folder_files, is_loopback, site_part, write_site,
};

/// 228 files.
const PAGES: usize = 102;

#[test]
fn a_browser_shows_sites_and_talks_to_nobody_but_the_node() {
    let Some(program) = chromium() else {
        println!("SKIPPED: no Chromium on this machine (Debian: apt install chromium)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    assert!(write_site(&site, PAGES) >= 200);
    std::fs::write(site.join("hostile.html"), HOSTILE).unwrap();
    let demo = Demo::start(6, &folder.path().join("network"));
    let key = folder.path().join("my.key");
    let key = key.to_str().unwrap();
    let _ = demo.fcp(0).run(&["keygen", "-o", key]).expect_done();
    let content = demo.fcp(0).put(&site, &[]);
    assert!(content.starts_with("CHK@"), "{content}");
    let arguments = ["--key-file", key, "--site", "garden"];
    let updatable = demo.fcp(0).put(&site, &arguments);
    assert!(updatable.starts_with("USK@"), "{updatable}");
    let mut browser = Browser::start(&program);

    let mut hosts = BTreeSet::new();
    for (node, uri) in [(3, content), (5, updatable)] {
        let address = format!("http://{}/{uri}", demo.nodes()[node].http);
        hosts.insert(every_page_is_whole(browser.page(), &address));
        let hostile = format!("{}/hostile.html", address.trim_end_matches('/'));
        browser.page().open_address(&hostile);
        let heading = "document.querySelector('h1').textContent";
        assert_eq!(browser.page().look_text(heading), "Hostile");
    }
    assert_eq!(hosts.len(), 2, "each site has an origin of its own");
    the_sample_site_is_whole(browser.page(), demo.page());

    let log = browser.close();
    for host in &hosts {
        every_file_was_asked_for(&log, host, &site);
    }
    only_the_node_was_asked(&log);
}

#[test]
fn the_log_would_show_a_page_that_asks_others() {
    let Some(program) = chromium() else {
        println!("SKIPPED: no Chromium on this machine (Debian: apt install chromium)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.html");
    // Without its ways to leave the page, so that the rest is tried.
    let page = HOSTILE
        .replace("location = ", "")
        .replace("http-equiv=\"refresh\"", "");
    std::fs::write(&file, page).unwrap();
    let mut browser = Browser::start(&program);

    browser
        .page()
        .open_address(&format!("file://{}", file.display()));

    let log = browser.close();
    for host in [
        "image",
        "sheet",
        "fetch",
        "frame",
        "preconnect",
        "style",
        "script",
    ] {
        let host = format!("{host}.invalid");
        assert!(
            log.hosts.contains(&host),
            "{host} is not among {:?}",
            log.hosts
        );
    }
}

/// Walks from the index through all pages, by their links, and back. The host that the site has for the browser.
fn every_page_is_whole(page: &mut Page, address: &str) -> String {
    page.open_address(address);
    assert_eq!(page.look_text("document.title"), "The index");
    assert_eq!(page.look("document.links.length"), PAGES);
    let host = page.look_text("location.host");
    assert!(
        host.contains(".localhost:") && host.matches('.').count() == 1,
        "{host}"
    );
    let colour = page.look_text("getComputedStyle(document.body).backgroundColor");
    assert_eq!(colour, "rgb(12, 34, 56)");

    page.click("a");
    for number in 0..PAGES {
        assert_eq!(page.look(VIEW), whole_page(number), "{address}");
        page.click("#next");
    }
    assert_eq!(page.look_text("document.title"), "Page 0");
    page.click("#up");
    assert_eq!(page.look_text("document.title"), "The index");
    assert_eq!(
        page.look_text("location.host"),
        host,
        "one site has one origin"
    );
    host
}

/// What a reader sees of a page, and what was loaded for it. The picture behind headings is named only by the first page of
/// its part: after that the browser has it in memory. That all of them were loaded is seen in the log.
const VIEW: &str = r"({
    title: document.title,
    background: getComputedStyle(document.body).backgroundColor,
    heading: getComputedStyle(document.querySelector('h1')).color,
    images: [...document.images].map(image => [image.naturalWidth, image.getBoundingClientRect().width]),
    loaded: performance.getEntriesByType('resource')
        .map(entry => entry.name.split('/').pop() + ' ' + entry.responseStatus)
        .filter(entry => entry !== 'heading.png 200').sort(),
})";

fn whole_page(number: usize) -> Value {
    json!({
        "title": format!("Page {number}"),
        "background": "rgb(12, 34, 56)",
        "heading": format!("rgb({}, 99, 99)", site_part(number)),
        "images": [[16, 40]],
        "loaded": ["page.png 200", "part.css 200", "style.css 200"],
    })
}

/// The browser has its files from the node, and not from what the other site left in its cache.
fn every_file_was_asked_for(log: &NetLog, host: &str, site: &Path) {
    let asked: BTreeSet<&str> = log.requests.iter().map(String::as_str).collect();
    let missing: Vec<String> = folder_files(site)
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| {
            !asked
                .iter()
                .any(|url| url.contains(host) && url.ends_with(&format!("/{name}")))
        })
        .collect();
    assert!(missing.is_empty(), "{host} was not asked for {missing:?}");
}

fn the_sample_site_is_whole(page: &mut Page, address: &str) {
    page.open_address(address);
    let pages = page.look("document.querySelectorAll('nav a').length");
    assert_eq!(pages, 5, "{address}");
    for number in 1..=5 {
        page.click(&format!("nav a:nth-child({number})"));
        let broken = page.look("[...document.images].filter(image => !image.naturalWidth).length");
        assert_eq!(broken, 0, "an image of page {number} is missing");
        let sheets = page.look("document.styleSheets.length");
        assert_eq!(sheets, 1, "page {number}");
        let bar = page.look_text("getComputedStyle(document.querySelector('.bar')).display");
        assert_eq!(bar, "flex", "page {number} has no styles");
    }
}

fn only_the_node_was_asked(log: &NetLog) {
    let others: Vec<&String> = log.hosts.iter().filter(|host| !is_loopback(host)).collect();
    assert!(others.is_empty(), "asked besides the node: {others:?}");
}

/// Everything that makes a browser ask somebody else without a script, and scripts.
const HOSTILE: &str = r#"<!DOCTYPE html><html><head><title>Hostile</title>
<meta http-equiv="refresh" content="1;url=http://refresh.invalid/">
<link rel="preconnect" href="http://preconnect.invalid/">
<link rel="dns-prefetch" href="http://prefetch-name.invalid/">
<link rel="prefetch" href="http://prefetch.invalid/">
<link rel="stylesheet" href="http://sheet.invalid/a.css">
<link rel="icon" href="http://icon.invalid/a.png">
<link rel="manifest" href="http://manifest.invalid/a.json">
<base href="http://base.invalid/">
<style>@import url(http://import.invalid/a.css); @font-face { font-family: f; src: url(http://font.invalid/f.woff2) }
body { background: url(http://background.invalid/a.png); font-family: f } li { list-style: url(//list.invalid/a.png) }</style>
<script>fetch("http://fetch.invalid/"); new Image().src = "http://script-image.invalid/"; location = "http://location.invalid/"</script>
<script src="http://script.invalid/a.js"></script>
<script type="speculationrules">{"prefetch":[{"source":"list","urls":["http://speculation.invalid/"]}]}</script></head>
<body onload="new Image().src='http://handler.invalid/'"><h1>Hostile</h1>
<img src="http://image.invalid/a.png"><img srcset="http://srcset.invalid/a.png 2x" src="//relative.invalid/a.png">
<picture><source srcset="http://source.invalid/a.png"><img src="data:,"></picture>
<iframe src="http://frame.invalid/"></iframe><object data="http://object.invalid/"></object><embed src="http://embed.invalid/">
<video src="http://video.invalid/a.mp4" poster="http://poster.invalid/a.png" autoplay></video>
<audio src="http://audio.invalid/a.ogg" autoplay></audio>
<svg><image href="http://svg.invalid/a.png"></image><use href="http://use.invalid/a.svg#a"></use></svg>
<table background="http://table.invalid/a.png"><tr><td style="background-image: url('http://style.invalid/a.png')">x</td></tr></table>
<input type="image" src="http://input.invalid/a.png"><form action="http://form.invalid/"><button autofocus>b</button></form>
<a href="http://link.invalid/" ping="http://ping.invalid/">a link</a></body></html>
"#;
