use super::*;

fn put() -> Message {
    Message::new("ClientPut").with("Identifier", "i")
}

fn name_of(message: &Message, uri: &str, on_disk: Option<&str>) -> (Option<String>, Vec<String>) {
    let mut target: InsertUri = uri.parse().unwrap();
    let name = file_name(message, &mut target, on_disk.map(Path::new)).unwrap();
    (name, target.path().to_vec())
}

#[test]
fn the_name_of_a_document_follows_the_rules_of_freenet() {
    let name = |message: &Message, uri: &str, on_disk| name_of(message, uri, on_disk).0;
    assert_eq!(name(&put(), "CHK@", None), None);
    assert_eq!(name(&put(), "CHK@/a.txt", None).as_deref(), Some("a.txt"));
    assert_eq!(
        name(&put(), "CHK@", Some("/x/b.txt")).as_deref(),
        Some("b.txt")
    );
    let given = put().with("TargetFilename", "c.txt");
    assert_eq!(
        name(&given, "CHK@/a.txt", Some("/x/b.txt")).as_deref(),
        Some("c.txt")
    );
    assert_eq!(
        name(&given, "KSK@word", None),
        None,
        "a KSK is itself the name"
    );
    let none = put().with("TargetFilename", "");
    assert_eq!(
        name_of(&none, "CHK@/a.txt", Some("/x/b.txt")),
        (None, vec![])
    );
    let slash = put().with("TargetFilename", "a/b");
    let refused = file_name(&slash, &mut "CHK@".parse().unwrap(), None).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidField);
}

#[test]
fn keys_are_convergent_under_chk_and_random_elsewhere_unless_the_client_says_otherwise() {
    let choice = |message: &Message, uri: &str| key_choice(message, &uri.parse().unwrap());
    assert!(matches!(choice(&put(), "CHK@"), Ok(KeyChoice::Convergent)));
    assert!(matches!(choice(&put(), "KSK@a"), Ok(KeyChoice::Random)));
    assert!(matches!(choice(&put(), "SSK@"), Ok(KeyChoice::Random)));
    assert!(matches!(
        choice(&put().with("Convergent", "true"), "KSK@a"),
        Ok(KeyChoice::Convergent)
    ));
    assert!(matches!(
        choice(&put().with("Convergent", "false"), "CHK@"),
        Ok(KeyChoice::Random)
    ));
    let given = put().with("OverrideSplitfileCryptoKey", "0F".repeat(32));
    assert!(
        matches!(choice(&given, "CHK@"), Ok(KeyChoice::Given(key)) if key.as_bytes() == &[15; 32])
    );
    for bad in ["0f", "zz", &"0f".repeat(33)] {
        let error = choice(&put().with("OverrideSplitfileCryptoKey", bad), "CHK@").unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidField);
    }
}

#[test]
fn mime_types_are_checked() {
    let checked = |value: &str| content_type(&put().with("M", value), "M");
    assert_eq!(
        checked("text/html; charset=utf-8").unwrap().as_deref(),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(checked("").unwrap(), None);
    for bad in ["text", "/", "text/", "a/b/c", "a b/c", "text/html\u{e9}"] {
        assert_eq!(
            checked(bad).unwrap_err().code(),
            ErrorCode::BadMime,
            "{bad}"
        );
    }
}

#[test]
fn codecs_that_clients_name_are_accepted_and_others_are_not() {
    let checked = |codecs: &str| options(&put().with("Codecs", codecs), &"CHK@".parse().unwrap());
    assert!(checked("GZIP, BZIP2, LZMA, LZMA_NEW").is_ok());
    assert!(checked("0,1").is_ok());
    assert_eq!(
        checked("GZIP, RAR").unwrap_err().code(),
        ErrorCode::InvalidField
    );
}

#[test]
fn the_hash_of_a_file_is_the_one_that_pyfreenet_sends() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "test").unwrap();
    // base64(sha256("1-2-test"))
    let expected = data_encoding::BASE64.encode(&Sha256::digest(b"1-2-test"));
    assert_eq!(file_hash(file.path(), "1-2-").unwrap().0, expected);
}
