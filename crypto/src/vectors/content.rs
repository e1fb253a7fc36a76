use serde_json::{Value, json};

use super::{check, counting_bytes, hex};
use crate::derivation::split_keys;
use crate::seal::{NONCE_LEN, TAG_LEN, block_keys};
use crate::{
    CONTENT_BLOCK_LEN, CONTENT_PAYLOAD_MAX, Codec, ContentExtra, ContentKey, FileKey, Layout, Uri,
    VerifiedBlock, open_content, seal_content,
};

#[test]
fn content_blocks_are_as_recorded() {
    let extras = [
        (false, Codec::None),
        (true, Codec::None),
        (false, Codec::Zstd),
        (true, Codec::Zstd),
    ];
    let single = extras
        .into_iter()
        .zip([0, 1, 1000, CONTENT_PAYLOAD_MAX])
        .map(|((is_metadata, codec), len)| {
            single(ContentExtra { is_metadata, codec }, &counting_bytes(len))
        });
    let splitfile = [(0, 0), (1, 5), (u64::MAX, CONTENT_PAYLOAD_MAX)]
        .map(|(index, len)| splitfile(b"a canonical description", index, &counting_bytes(len)));
    check("content", &single.chain(splitfile).collect());
}

fn single(extra: ContentExtra, payload: &[u8]) -> Value {
    let content_hash = *blake3::hash(payload).as_bytes();
    let file_key = FileKey::convergent(&content_hash);
    let (key, block) = ContentKey::seal(file_key, extra, payload).unwrap();
    assert_eq!(key.open(&block).unwrap(), payload);
    let mut vector = sealed(&key.file_key, &Layout::single(extra), 0, &block);
    vector["kind"] = json!("single");
    vector["payload_counting_bytes"] = json!(payload.len());
    vector["content_hash"] = json!(hex(content_hash));
    vector["is_metadata"] = json!(extra.is_metadata);
    vector["codec"] = json!(extra.codec.number());
    vector["extra"] = json!(hex(extra.to_bytes()));
    vector["uri"] = json!(
        Uri::Content {
            key,
            path: Vec::new()
        }
        .to_string()
    );
    vector
}

fn splitfile(descriptor: &[u8], index: u64, payload: &[u8]) -> Value {
    let file_key = FileKey::from_bytes([0x5a; 32]);
    let layout = Layout::splitfile(descriptor);
    let block = seal_content(&file_key, &layout, index, payload).unwrap();
    assert_eq!(
        open_content(&file_key, &layout, index, &block).unwrap(),
        payload
    );
    let mut vector = sealed(&file_key, &layout, index, &block);
    vector["kind"] = json!("splitfile");
    vector["payload_counting_bytes"] = json!(payload.len());
    vector["descriptor"] = json!(hex(descriptor));
    vector
}

/// What both kinds have in common. The block itself is too long to print; its hash stands for it.
fn sealed(file_key: &FileKey, layout: &Layout, index: u64, block: &VerifiedBlock) -> Value {
    let keys = block_keys(file_key, layout, index);
    let (encryption_key, nonce_key) = split_keys(&keys);
    let bytes = block.bytes();
    json!({
        "file_key": hex(file_key.as_bytes()),
        "layout": hex(layout.digest()),
        "index": index,
        "encryption_key": hex(encryption_key),
        "nonce_key": hex(nonce_key),
        "nonce": hex(&bytes[..NONCE_LEN]),
        "tag": hex(&bytes[CONTENT_BLOCK_LEN - TAG_LEN..]),
        "block_head": hex(&bytes[..64]),
        "block_blake3": hex(blake3::hash(bytes).as_bytes()),
        "routing_key": hex(block.key().routing_key.as_bytes()),
        "location_times_2_to_53": (block.key().routing_key.location() * 2_f64.powi(53)).to_string(),
    })
}
