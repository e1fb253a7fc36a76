use proptest::prelude::*;

use super::*;

fn links() -> Links {
    Links::new("/USK@p,c,e/site/5/index.html", "/USK@p,c,e/site/5/")
}

fn filtered(css: &str) -> String {
    stylesheet(css, &links())
}

#[test]
fn ordinary_sheets_pass() {
    let css = filtered(
        "@charset 'x'; @media (min-width:40em) and (width < 90em){ .a > b:hover::after, a[href^='x']\
         { color : red !important; background:url(img/a.png) no-repeat; --x: calc(1px + 2%) } }\
         @keyframes spin { from { transform: rotate(0deg) } to { transform: rotate(1.50turn) } }",
    );
    assert_eq!(
        css,
        "@media (min-width:40em) and (width < 90em){.a > b:hover::after, a[href^=\"x\"]\
         {color:red !important;background:url(\"/USK@p,c,e/site/5/img/a.png\") no-repeat;--x:calc(1px + 2%);}\n}\n\
         @keyframes spin{from{transform:rotate(0deg);}\nto{transform:rotate(1.50turn);}\n}\n"
    );
}

#[test]
fn nested_rules_pass() {
    let css = filtered(
        ".a { color: red; &:hover { color: blue } .b & { margin: 0 } @media print { display: none } }",
    );
    assert!(css.contains("&:hover{color:blue;}"), "{css}");
    assert!(css.contains(".b &{margin:0;}"), "{css}");
    assert!(css.contains("@media print{display:none;}"), "{css}");
}

#[test]
fn image_sets_stay_within_the_network_under_every_prefix() {
    for prefix in ["", "-webkit-", "-moz-", "-ms-", "-o-", "-MOZ-"] {
        let of = |address: &str| {
            let value = format!("{prefix}image-set(\"{address}\" 1x)");
            filtered(&format!(
                "a{{background-image:{value};color:red}}@supports (x:{value}){{a{{top:0}}}}"
            ))
        };
        assert_eq!(of("http://evil/x"), "a{color:red;}\n", "{prefix}");
        let own = of("a.png");
        assert!(
            own.contains("image-set(\"/USK@p,c,e/site/5/a.png\" 1x)"),
            "{own}"
        );
    }
}

#[test]
fn imports_stay_within_the_network() {
    assert_eq!(
        filtered("@import 'a.css' screen; @import url(/CHK@a,b,c/x.css);"),
        "@import url(\"/USK@p,c,e/site/5/a.css\") screen;\n@import url(\"/CHK@a,b,c/x.css\");\n"
    );
    assert_eq!(
        filtered("@import 'http://evil.example/a.css'; @import url(//evil.example);"),
        ""
    );
}

/// Each tries to make the browser talk to someone, or to get out of the style element.
const LEAKS: &[&str] = &[
    "a{background:url(http://evil.example/x)}",
    "a{background:url('http://evil.example/x')}",
    "a{background:u\\72l(http://evil.example/x)}",
    "a{background:\\75 rl('//evil.example/x')}",
    "a{background:URL(//evil.example/x)}",
    "a{background:url(  'http://evil.example/x' )}",
    "a{background:url('a.png' http://evil.example)}",
    "a{background:image-set('http://evil.example/x' 1x)}",
    "a{background:-webkit-image-set(url(http://evil.example/x) 1x)}",
    "a{--u:'http://evil.example/x';background:image-set(var(--u) 1x)}",
    "a{background:image-set(attr(href) 1x)}",
    "a{background:src('http://evil.example/x')}",
    "a{background:image('http://evil.example/x')}",
    "a{background:cross-fade(url(http://evil.example/x),url(a.png))}",
    "a{background:-moz-element(#x)}",
    "a{--x:url(http://evil.example/x)}",
    "a{cursor:url(http://evil.example/x),auto}",
    "a{behavior:url(x.htc)}",
    "a{-moz-binding:url(x.xml#y)}",
    "a{width:expression(alert(1))}",
    "a{list-style:url(h\\74tp://evil.example/x)}",
    "a{background:url(ht\ttp://evil.example/x)}",
    "@font-face{font-family:x;src:url(http://evil.example/x)}",
    "@namespace url(http://evil.example/);",
    "@imp\\6frt 'http://evil.example/x';",
    "@import url(http://evil.example/x) layer(a);",
    "@import 'http://evil.example/x'",
    "@media url(http://evil.example/x){a{color:red}}",
    "@document url(http://evil.example/){a{color:red}}",
    "@supports (background:url(http://evil.example/x)){a{color:red}}",
    "a[x=url(http://evil.example/x)]{color:red}",
    "a{content:'</style><script>alert(1)</script>'}",
    ".\\</style\\>\\<script\\>{color:red}",
    "</style><script>alert(1)</script>",
    "<!-- a{color:red} --> </style>",
    "a{color:red;/*</style>*/}",
    "a{content:'\\3c/style>'}",
    "@media (width</style>){a{color:red}}",
    "@media (1</**/script){a{color:red}}",
    "a{background:url(\"http://evil.example",
    "a{background:url(http://evil.example",
    "a{color:red;background:url(javascript:alert(1))}",
    "a{background:url(data:image/svg+xml;base64,PHN2Zz4=)}",
    "a{background:url(data:text/html,x)}",
];

#[test]
fn leaks_are_closed() {
    for css in LEAKS {
        let out = filtered(css);
        let lower = out.to_ascii_lowercase();
        assert!(
            !lower.contains("</") && !lower.contains("<s"),
            "{css} became {out}"
        );
        for word in [
            "binding",
            "behavior",
            "expression",
            "font-face",
            "namespace",
            "javascript:",
            "svg",
        ] {
            assert!(!lower.contains(word), "{css} became {out}");
        }
        for load in lower.match_indices("url(") {
            assert!(
                lower[load.0..].starts_with("url(\"/usk@"),
                "{css} became {out}"
            );
        }
        assert!(!lower.contains("image-set("), "{css} became {out}");
    }
}

#[test]
fn a_string_that_would_end_the_style_element_is_escaped() {
    assert_eq!(
        filtered("a{color:red} b{content:'</style>'} i{content:\"\\\"<!--\"}"),
        "a{color:red;}\nb{content:\"\\3c /style>\";}\ni{content:\"\\\"\\3c !--\";}\n"
    );
}

#[test]
fn inline_styles_hold_declarations_only() {
    let style = |css| declarations(css, &links());
    assert_eq!(style("color:red;behavior:url(x)"), "color:red;");
    assert_eq!(style("color:red} body{color:blue"), "");
    assert_eq!(style("a{color:red} margin:0"), "");
}

#[test]
fn deep_nesting_ends_soon() {
    for open in ["a{", "(", "@media x{", "a:b(", "a{b:["] {
        _ = filtered(&open.repeat(200_000));
        _ = declarations(&open.repeat(200_000), &links());
    }
}

proptest! {
    #[test]
    fn filtering_twice_changes_nothing(css in fragments()) {
        let once = filtered(&css);
        prop_assert_eq!(&filtered(&once), &once, "from {}", css);
        let once = declarations(&css, &links());
        prop_assert_eq!(&declarations(&once, &links()), &once, "from {}", css);
    }

    #[test]
    fn any_text_is_survived(css in ".*") {
        _ = filtered(&css);
    }
}

/// Pieces of CSS in random order: reaches more of the grammar than random characters.
fn fragments() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("a"),
        Just("{"),
        Just("}"),
        Just("("),
        Just(")"),
        Just("["),
        Just("]"),
        Just(":"),
        Just(";"),
        Just(","),
        Just(" "),
        Just("/**/"),
        Just("<"),
        Just(">"),
        Just("<!--"),
        Just("-->"),
        Just("\\"),
        Just("\""),
        Just("'"),
        Just("\n"),
        Just("#x"),
        Just("#1"),
        Just(".b"),
        Just("1"),
        Just("1.50e3px"),
        Just("-"),
        Just("+"),
        Just("--x"),
        Just("@media "),
        Just("@import "),
        Just("@layer "),
        Just("color:"),
        Just("red"),
        Just("background:"),
        Just("url("),
        Just("url(a)"),
        Just("image-set("),
        Just("!important"),
        Just("u+1?"),
        Just("\\3c "),
        Just("\\31 "),
        Just("é"),
        Just("*"),
        Just("/"),
        Just("|"),
        Just("="),
        Just("^="),
        Just("%"),
        Just("1e"),
        Just("\\65 "),
        Just("&"),
        Just("$"),
        Just("~="),
        Just("||"),
        Just("@"),
        Just("é\u{0}"),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}
