use serde_json::{Value, json};

use super::check;
use crate::{ContentExtra, ContentKey, FileKey, InsertUri, SubspaceSecret, Uri, UriError};

#[test]
fn uris_are_as_recorded() {
    let (key, _) = ContentKey::seal(
        FileKey::from_bytes([1; 32]),
        ContentExtra::default(),
        b"payload",
    )
    .unwrap();
    let chk = Uri::Content {
        key,
        path: Vec::new(),
    }
    .to_string();
    let secret = SubspaceSecret::from_parts(&[1; 32], &[2; 32]);
    let (ssk, insert) = (
        secret.public().request_uri_string(),
        secret.insert_uri_string(),
    );
    let (usk, usk_insert) = (ssk.replace("SSK", "USK"), insert.replace("SSK", "USK"));
    let texts = [
        chk.clone(),
        format!("{chk}/"),
        format!("{chk}/folder/a%20name%2Fwith%20slash.txt"),
        format!("{chk}.tar.gz"),
        format!(
            "  http://127.0.0.1:8888/freenet:{}/a?type=text/plain#top ",
            chk.replace('@', "%40").replace(',', "%2C")
        ),
        format!("web+hyphanet:{}", chk.replace("CHK", "chk")),
        chk.replace("ABAA--8", "AAMC--8"),
        chk.replace("ABAA--8", "ABEA--8"),
        chk.replace("ABAA--8", "ABAA--9"),
        ssk.clone(),
        format!("{ssk}name/inner"),
        ssk.replace("AQAQAAE", "AQACAAE"),
        format!("{usk}site/5/index.html"),
        format!("{usk}site/-1/"),
        format!("{usk}site"),
        "KSK@some words/100%".to_owned(),
        "KSK@".to_owned(),
        "CHK@".to_owned(),
        "CHK@/name.txt".to_owned(),
        "SSK@".to_owned(),
        insert.to_string(),
        format!("{}name/", insert.as_str()),
        format!("{usk_insert}site/0/"),
        "not a key".to_owned(),
    ];
    check("uri", &texts.iter().map(|text| vector(text)).collect());
}

fn vector(text: &str) -> Value {
    let outcome = |printed: Result<String, UriError>| match printed {
        Ok(printed) => json!({ "printed": printed }),
        Err(error) => json!({ "error": format!("{error:?}"), "sentence": error.to_string() }),
    };
    json!({
        "text": text,
        "as_request": outcome(Uri::parse(text).map(|uri| uri.to_string())),
        "as_insert": outcome(InsertUri::parse(text).map(|uri| uri.to_secret_string().to_string())),
    })
}
