//! A site in a real browser.

use tests::{Browser, Demo, NetLog, Page, chromium, is_loopback, write_site};

#[test]
fn a_browser_shows_sites_and_talks_to_nobody_but_the_node() {
    let Some(program) = chromium() else {
        println!("SKIPPED: no Chromium on this machine (Debian: apt install chromium)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    write_site(&site, 20);
    std::fs::write(site.join("hostile.html"), HOSTILE).unwrap();
    let demo = Demo::start(6, &folder.path().join("network"));
    let uri = demo.fcp(0).put(&site, &[]);
    let address = format!("http://{}/{uri}", demo.nodes()[3].http);
    let mut browser = Browser::start(&program);

    links_images_and_styles_work(browser.page(), &address);
    the_sample_site_is_whole(browser.page(), demo.page());
    browser
        .page()
        .open_address(&format!("{}/hostile.html", address.trim_end_matches('/')));
    assert_eq!(
        browser
            .page()
            .look_text("document.querySelector('h1').textContent"),
        "Hostile"
    );

    only_the_node_was_asked(&browser.close());
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

fn links_images_and_styles_work(page: &mut Page, address: &str) {
    page.open_address(address);

    assert_eq!(page.look_text("document.title"), "The index");
    let host = page.look_text("location.hostname");
    assert!(
        host.ends_with(".localhost") && host.matches('.').count() == 1,
        "{host}"
    );
    is_styled(page);

    page.click("a");
    assert_eq!(page.look_text("document.title"), "Page 0");
    for number in 1..=3 {
        page.click("#next");
        assert_eq!(page.look_text("document.title"), format!("Page {number}"));
        is_styled(page);
        assert_eq!(page.look("document.images.length"), 1);
        assert_eq!(page.look("document.images[0].naturalWidth"), 16);
        assert_eq!(
            page.look("document.images[0].getBoundingClientRect().width"),
            40
        );
    }
    page.click("#up");
    assert_eq!(page.look_text("document.title"), "The index");
    assert_eq!(
        page.look_text("location.hostname"),
        host,
        "one site has one origin"
    );
}

fn is_styled(page: &mut Page) {
    let colour = page.look_text("getComputedStyle(document.body).backgroundColor");
    assert_eq!(colour, "rgb(12, 34, 56)");
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
    let asked = |ending: &str| log.requests.iter().any(|url| url.ends_with(ending));
    assert!(
        asked("/style.css") && asked(".png"),
        "the log has not seen the site"
    );
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
