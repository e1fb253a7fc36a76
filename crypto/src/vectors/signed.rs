use serde_json::{Value, json};

use super::{check, counting_bytes, hex};
use crate::blinding::secret_scalar;
use crate::block::{POINT_LEN, SIGNATURE_LEN, SIGNED_NONCE_LEN, signed_digest};
use crate::derivation::split_keys;
use crate::{
    KEYWORD_DOCUMENT_NAME, KeywordKey, SIGNED_PAYLOAD_MAX, SignedKey, SubspaceSecret, Uri,
    VerifiedBlock,
};

#[test]
fn signed_blocks_are_as_recorded() {
    let secrets = [
        SubspaceSecret::from_parts(&[1; 32], &[2; 32]),
        SubspaceSecret::from_parts(&[0xfe; 32], &[3; 32]),
    ];
    let names = [
        ("", 0),
        ("name", 1),
        ("site-0", 1000),
        ("grüße/ü", SIGNED_PAYLOAD_MAX),
    ];
    let vectors = secrets
        .iter()
        .flat_map(|secret| names.map(|(name, len)| signed(secret, name, &counting_bytes(len))));
    check("signed", &vectors.collect());
}

#[test]
fn keyword_keys_are_as_recorded() {
    check(
        "keyword",
        &["word", "grüße @home/ü"].into_iter().map(keyword).collect(),
    );
}

fn signed(secret: &SubspaceSecret, name: &str, payload: &[u8]) -> Value {
    let subspace = secret.public();
    let key = SignedKey {
        subspace: subspace.clone(),
        name: name.to_owned(),
    };
    let block = secret.seal(name, payload).unwrap();
    assert_eq!(
        VerifiedBlock::verify(key.block_key(), block.bytes().clone()).as_ref(),
        Ok(&block)
    );
    assert_eq!(key.open(&block).unwrap(), payload);

    let document = key.document();
    let keys = document.block_keys(subspace.crypto_key());
    let (encryption_key, nonce_key) = split_keys(&keys);
    let (signature, sealed) = block.bytes()[POINT_LEN..].split_at(SIGNATURE_LEN);
    let secret_scalar = secret_scalar(secret.seed()).scalar;
    json!({
        "seed": hex(secret.seed()),
        "crypto_key": hex(subspace.crypto_key()),
        "name": name,
        "payload": hex(payload),
        "public_key_A": hex(subspace.public()),
        "secret_scalar_a": hex(secret_scalar.as_bytes()),
        "document_D": hex(document.value.as_ref()),
        "blinding_t": hex(document.blinding.as_bytes()),
        "blinded_public_key": hex(document.public_key.as_bytes()),
        "blinded_secret_scalar": hex((document.blinding * secret_scalar).as_bytes()),
        "nonce_prefix": hex(document.nonce_prefix(secret.seed())),
        "encryption_key": hex(encryption_key),
        "nonce_key": hex(nonce_key),
        "nonce": hex(&sealed[..SIGNED_NONCE_LEN]),
        "signed_digest": hex(signed_digest(sealed)),
        "signature": hex(signature),
        "block": hex(block.bytes()),
        "routing_key": hex(block.key().routing_key.as_bytes()),
        "insert_uri": secret.insert_uri_string().as_str(),
        "request_uri": Uri::Signed { key, path: Vec::new() }.to_string(),
    })
}

fn keyword(phrase: &str) -> Value {
    let key = KeywordKey {
        phrase: phrase.to_owned(),
    };
    let material = key.material();
    let (seed, crypto_key) = split_keys(&material);
    let secret = SubspaceSecret::from_parts(seed, crypto_key);
    let signed_key = SignedKey {
        subspace: secret.public().clone(),
        name: KEYWORD_DOCUMENT_NAME.to_owned(),
    };
    json!({
        "phrase": phrase,
        "password": hex(key.password().as_ref()),
        "seed": hex(seed),
        "crypto_key": hex(crypto_key),
        "public_key_A": hex(secret.public().public()),
        "name": KEYWORD_DOCUMENT_NAME,
        "routing_key": hex(signed_key.block_key().routing_key.as_bytes()),
        "uri": Uri::Keyword { phrase: phrase.to_owned(), path: Vec::new() }.to_string(),
    })
}
