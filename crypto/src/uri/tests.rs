use proptest::prelude::*;

use super::*;
use crate::content_key::ContentExtra;
use crate::file_key::FileKey;
use crate::layout::Codec;
use crate::routing_key::RoutingKey;
use crate::subspace::SubspaceSecret;

const R: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
const K: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

fn chk() -> String {
    format!("CHK@{R},{K},ABAA--8")
}

fn secret() -> SubspaceSecret {
    SubspaceSecret::from_parts(&[1; 32], &[2; 32])
}

fn ssk() -> String {
    secret().public().request_uri_string()
}

fn parse(text: &str) -> Uri {
    Uri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_content_key_reads_as_its_parts() {
    let Uri::Content { key, path } = parse(&format!("{}/a/b%20c", chk())) else {
        panic!("not a CHK")
    };
    assert_eq!(key.routing_key, RoutingKey::from_bytes([1; 32]));
    assert_eq!(key.file_key, FileKey::from_bytes([2; 32]));
    assert_eq!(
        key.extra,
        ContentExtra {
            is_metadata: false,
            codec: Codec::None
        }
    );
    assert_eq!(path, ["a", "b c"]);
}

#[test]
fn paths_are_kept_exactly() {
    for (tail, path) in [
        ("", vec![]),
        ("/", vec![""]),
        ("/a", vec!["a"]),
        ("/a/", vec!["a", ""]),
        ("//a", vec!["", "a"]),
    ] {
        let text = chk() + tail;
        assert_eq!(parse(&text).path(), path, "{text}");
        assert_eq!(parse(&text).to_string(), text);
    }
}

#[test]
fn what_people_paste_is_understood() {
    let plain = parse(&format!("{}/a", chk()));
    let (escaped, lower) = (
        chk().replace('@', "%40").replace(',', "%2C"),
        chk().replace("CHK", "chk"),
    );
    for text in [
        format!("  {}/a\n", chk()),
        format!("freenet:{}/a", chk()),
        format!("HYPHANET:{}/a", chk()),
        format!("hypha:{lower}/a"),
        format!("web+freenet:{}/a", chk()),
        format!("ext+hyphanet:{}/a", chk()),
        format!("http://127.0.0.1:8888/{}/a?type=text/html#top", chk()),
        format!("https://[::1]:8888//freenet:{}/a", chk()),
        format!("http://localhost/{escaped}/a"),
        format!("{escaped}/a"),
        format!("freenet%3A{escaped}%2Fa"),
        format!("{escaped}%2fa%3Ftype=x"),
        format!("CHK@{R}%2C{K}%2CABAA--8/%61"),
        format!("{}.tar.gz/a", chk()),
    ] {
        assert!(parse(&text) == plain, "{text}");
    }
}

#[test]
fn escapes_in_names_are_decoded_once() {
    assert_eq!(parse("KSK@100%2525").file_name(), Some("100%25"));
    assert_eq!(parse("KSK%40100%2525/x%2525y").path(), ["x%25y"]);
    assert_eq!(parse("KSK@100%").file_name(), Some("100%"));
    assert_eq!(parse("KSK@gr\u{fc}n%C3%BC").file_name(), Some("grünü"));
    assert_eq!(Uri::parse("KSK@%ff"), Err(UriError::NotUtf8));
    assert_eq!(
        Uri::parse("KSK@a%0D%0AInjected:%20x"),
        Err(UriError::ControlCharacter)
    );
}

#[test]
fn printing_escapes_slashes_and_everything_special() {
    let uri = Uri::Keyword {
        phrase: "a/b?c#d <é>&\"'".to_owned(),
        path: vec!["x/y".to_owned()],
    };
    assert_eq!(
        uri.to_string(),
        "KSK@a%2Fb%3Fc%23d%20%3C%C3%A9%3E%26%22%27/x%2Fy"
    );
    assert_eq!(parse(&uri.to_string()), uri);
}

#[test]
fn signed_and_updatable_keys_read_as_name_site_and_edition() {
    let Uri::Signed { key, path } = parse(&format!("{}doc/x", ssk())) else {
        panic!("not an SSK")
    };
    assert_eq!((key.name.as_str(), path), ("doc", vec!["x".to_owned()]));
    let usk = ssk().replace("SSK", "USK");
    for (tail, edition) in [
        ("site/0", 0),
        ("site/-1", -1),
        ("site/12/x", 12),
        ("site/-9223372036854775808", i64::MIN),
    ] {
        let text = format!("{usk}{tail}");
        assert!(
            matches!(parse(&text), Uri::Updatable { edition: found, .. } if found == edition),
            "{text}"
        );
        assert_eq!(parse(&text).to_string(), text);
    }
    for tail in [
        "site",
        "site/",
        "site/x",
        "site/+1",
        "site/9223372036854775808",
        "site/1x",
    ] {
        assert_eq!(
            Uri::parse(&format!("{usk}{tail}")),
            Err(UriError::Edition),
            "{tail}"
        );
    }
}

#[test]
fn keys_of_hyphanet_are_refused_with_a_sentence_that_says_why() {
    for (kind, extra) in [
        ("CHK", "AAMC--8"),
        ("CHK", "AAIA--8"),
        ("SSK", "AQACAAE"),
        ("USK", "AQACAAE"),
        ("SSK", "AQECAAE"),
    ] {
        let error = Uri::parse(&format!("{kind}@{R},{K},{extra}/a/0")).unwrap_err();
        assert!(
            matches!(error, UriError::HyphanetAlgorithm { .. }),
            "{kind} {extra}: {error}"
        );
        assert!(error.to_string().contains("Hyphanet"), "{error}");
    }
    let insert = InsertUri::parse(&format!("SSK@{R},{K},AQECAAE/a")).unwrap_err();
    assert_eq!(insert, UriError::HyphanetAlgorithm { algorithm: 2 });
}

#[test]
fn each_mistake_has_its_own_error() {
    let insert = secret().insert_uri_string();
    let torsion = format!("SSK@{},{K},AQAQAAE/a", format_args!("{}A", "A".repeat(42)));
    for (text, error) in [
        ("", UriError::NoType),
        ("hello", UriError::NoType),
        ("/CHK@", UriError::NoType),
        ("XYZ@a", UriError::UnknownType),
        ("CHK@", UriError::KeyParts { kind: "CHK" }),
        (
            "KSK@",
            UriError::NameMissing {
                kind: "KSK",
                example: "KSK@some-words",
            },
        ),
        (
            &format!("CHK@{R},{K},ABEA--8"),
            UriError::UnknownAlgorithm { algorithm: 17 },
        ),
        (
            &format!("CHK@{R},{K},ABAAAAE"),
            UriError::UnknownCodec { codec: 1 },
        ),
        (&format!("CHK@{R},{K},ABAB--8"), UriError::MalformedExtra),
        (
            &format!("CHK@{R}A,{K},ABAA--8"),
            UriError::KeyPart {
                part: "first part",
                chars: 43,
            },
        ),
        (
            &format!("CHK@{R},{K},ABAA--"),
            UriError::KeyPart {
                part: "third part",
                chars: 7,
            },
        ),
        (&torsion, UriError::PublicKey),
        (
            &format!("{}name", insert.as_str()),
            UriError::InsertKeyGiven,
        ),
        (
            ssk().trim_end_matches('/'),
            UriError::NameMissing {
                kind: "SSK",
                example: "SSK@…/name",
            },
        ),
        (
            &"K".repeat(URI_LEN_MAX + 1),
            UriError::TooLong {
                len: URI_LEN_MAX + 1,
            },
        ),
    ] {
        assert_eq!(Uri::parse(text), Err(error), "{text}");
        assert!(error.to_string().len() > 20);
    }
}

#[test]
fn an_insert_uri_gives_its_request_uri() {
    let insert = secret().insert_uri_string();
    let signed = InsertUri::parse(&format!("{}doc", insert.as_str())).unwrap();
    assert_eq!(
        signed.request_uri().unwrap().to_string(),
        format!("{}doc", ssk())
    );
    let site = insert.replace("SSK", "USK");
    let updatable = InsertUri::parse(&format!("{site}site/3/")).unwrap();
    assert_eq!(
        updatable.request_uri().unwrap().to_string(),
        format!("{}site/3", ssk().replace("SSK", "USK"))
    );
    assert_eq!(
        updatable.to_secret_string().as_str(),
        format!("{site}site/3")
    );
    assert_eq!(InsertUri::parse("CHK@/name").unwrap().request_uri(), None);
}

#[test]
fn short_insert_forms_and_a_last_slash_are_understood() {
    let insert = secret().insert_uri_string();
    let name = vec!["a.txt".to_owned()];
    for (text, expected) in [
        ("CHK@", InsertUri::Content { path: vec![] }),
        ("chk@/", InsertUri::Content { path: vec![] }),
        (
            "freenet:CHK@/a.txt",
            InsertUri::Content { path: name.clone() },
        ),
        ("SSK@", InsertUri::RandomSigned { path: vec![] }),
        ("SSK@/a.txt", InsertUri::RandomSigned { path: name }),
        (
            "KSK@word/",
            InsertUri::Keyword {
                phrase: "word".to_owned(),
                path: vec![],
            },
        ),
        (
            insert.as_str(),
            InsertUri::Signed {
                secret: secret(),
                name: String::new(),
                path: vec![],
            },
        ),
        (
            &format!("{}n/", insert.as_str()),
            InsertUri::Signed {
                secret: secret(),
                name: "n".to_owned(),
                path: vec![],
            },
        ),
    ] {
        assert_eq!(InsertUri::parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn keys_of_the_wrong_side_are_refused() {
    assert_eq!(InsertUri::parse(&chk()), Err(UriError::ContentKeyGiven));
    assert_eq!(
        InsertUri::parse(&format!("{}a", ssk())),
        Err(UriError::RequestKeyGiven)
    );
    assert_eq!(
        InsertUri::parse("USK@"),
        Err(UriError::KeyParts { kind: "USK" })
    );
}

#[test]
fn generated_keys_look_as_clients_expect() {
    assert!(ssk().ends_with(",AQAQAAE/") && ssk().len() == 100);
    let insert = secret().insert_uri_string();
    assert!(insert.ends_with(",AQEQAAE/") && insert.len() == 100);
}

#[test]
fn debug_output_shows_only_the_type() {
    assert_eq!(format!("{:?}", parse(&chk())), "Uri(CHK@[redacted])");
    assert_eq!(
        format!("{:?}", InsertUri::parse("KSK@word").unwrap()),
        "InsertUri(KSK@[redacted])"
    );
}

#[test]
fn a_uri_knows_its_root_and_file_name() {
    let uri = parse(&format!("{}/a/b/", chk()));
    assert_eq!(uri.root().to_string(), chk());
    assert_eq!(uri.file_name(), Some("b"));
    assert_eq!(uri.root().file_name(), None);
    assert_eq!(
        uri.root().with_path(vec!["c".to_owned()]).to_string(),
        format!("{}/c", chk())
    );
    assert_eq!(parse(&format!("{}doc", ssk())).file_name(), Some("doc"));
}

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("\\PC{0,12}", 0..4)
}

fn any_uri() -> impl Strategy<Value = Uri> {
    let content = (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<bool>(), names()).prop_map(
        |(r, k, is_metadata, path)| {
            let extra = ContentExtra {
                is_metadata,
                codec: Codec::Zstd,
            };
            let (routing_key, file_key) = (RoutingKey::from_bytes(r), FileKey::from_bytes(k));
            Uri::Content {
                key: ContentKey {
                    routing_key,
                    file_key,
                    extra,
                },
                path,
            }
        },
    );
    let subspace = || {
        (any::<[u8; 32]>(), any::<[u8; 32]>())
            .prop_map(|(s, c)| SubspaceSecret::from_parts(&s, &c).public().clone())
    };
    let signed =
        (subspace(), "\\PC{0,12}", names()).prop_map(|(subspace, name, path)| Uri::Signed {
            key: SignedKey { subspace, name },
            path,
        });
    let updatable = (subspace(), "\\PC{1,12}", any::<i64>(), names()).prop_map(
        |(subspace, site, edition, path)| Uri::Updatable {
            subspace,
            site,
            edition,
            path,
        },
    );
    let keyword = ("\\PC{1,12}", names()).prop_map(|(phrase, path)| Uri::Keyword { phrase, path });
    prop_oneof![content, signed, updatable, keyword]
}

fn nearly_a_uri() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,6}",
        "\\PC{0,3}",
        Just(chk()),
        Just(ssk()),
        prop::sample::select(vec![
            "CHK@", "SSK@", "USK@", "KSK@", "%40", "%2F", "/", ",", "%", "http://", "freenet:",
            "é", "?"
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_printed_reads_as_the_same(uri in any_uri()) {
        let text = uri.to_string();
        prop_assert!(text.is_ascii());
        let json = serde_json::to_string(&uri).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Uri>(&json).unwrap(), &uri);
        prop_assert_eq!(Uri::parse(&text), Ok(uri));
    }

    #[test]
    fn any_text_is_an_error_or_prints_to_a_text_that_reads_the_same(text in prop_oneof![nearly_a_uri(), ".*"]) {
        if let Ok(uri) = Uri::parse(&text) {
            prop_assert_eq!(Uri::parse(&uri.to_string()), Ok(uri));
        }
        if let Ok(uri) = InsertUri::parse(&text) {
            // A path that ends in empty names loses one of them with every reading.
            if uri.path().last().is_none_or(|name| !name.is_empty()) {
                prop_assert_eq!(InsertUri::parse(&uri.to_secret_string()), Ok(uri));
            }
        }
    }
}
