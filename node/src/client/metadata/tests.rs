use crypto::{FileKey, RoutingKey, Uri};
use proptest::prelude::*;

use super::*;
use crate::client::manifest::{Container, Entry, Item, Member};

/// One metadata of each kind.
pub(crate) fn samples() -> Vec<Metadata> {
    let uri: Uri = "KSK@words/and a path".parse().unwrap();
    let file = File {
        content_type: Some("image/png".to_owned()),
        sha256: [1; 32],
        packed: packed(100_000, 7, Codec::None),
    };
    let manifest = Manifest {
        default_name: Some("index.html".to_owned()),
        containers: vec![
            Container::Inline {
                size: 5,
                frame: b"hello".to_vec(),
            },
            Container::Packed(packed(20_000, 2, Codec::Zstd)),
        ],
        entries: vec![
            Entry {
                name: "a/b.png".to_owned(),
                item: Item::File(file.clone()),
            },
            Entry {
                name: "elsewhere".to_owned(),
                item: Item::Redirect((&uri).into()),
            },
            Entry {
                name: "index.html".to_owned(),
                item: Item::Member(Member {
                    content_type: Some("text/html".to_owned()),
                    container: 0,
                    offset: 1,
                    size: 4,
                }),
            },
        ],
    };
    let direct = Direct {
        content_type: None,
        data: b"content".to_vec(),
    };
    vec![
        Metadata::Direct(direct),
        Metadata::File(file),
        Metadata::Redirect((&uri).into()),
        Metadata::Manifest(manifest),
        Metadata::Outer(packed(40_000, 4, Codec::None)),
    ]
}

fn packed(size: u64, keys: usize, codec: Codec) -> Packed {
    Packed {
        size,
        blake3: [2; 32],
        codec,
        stored: Stored {
            size,
            file_key: FileKey::from_bytes([3; 32]),
            levels: 1,
            keys: vec![RoutingKey::from_bytes([4; 32]); keys],
        },
    }
}

#[test]
fn every_kind_survives_its_bytes() {
    for metadata in samples() {
        assert_eq!(Metadata::decode(&metadata.encode()).unwrap(), metadata);
    }
}

#[test]
fn the_bytes_of_every_kind_are_these() {
    let bytes: Vec<u8> = samples().iter().flat_map(Metadata::encode).collect();
    let hash = blake3::hash(&bytes).to_hex();
    assert_eq!(
        hash.as_str(),
        GOLDEN,
        "the format has changed: a new version number is due"
    );
}

const GOLDEN: &str = "c086adf383a6bb13db0e227f9450dffa3e0a0e6347e167bad6f1f04bda5a2b81";

#[test]
fn a_redirect_is_these_bytes() {
    let uri: Uri = "KSK@words".parse().unwrap();
    let redirect = Metadata::Redirect((&uri).into());
    assert_eq!(redirect.encode(), b"\x57\x01\x02\x09KSK@words");
}

#[test]
fn names_out_of_order_or_twice_are_refused() {
    let Metadata::Manifest(mut manifest) = samples().remove(3) else {
        panic!("a manifest was expected")
    };
    manifest.entries.swap(0, 1);
    assert!(Metadata::decode(&Metadata::Manifest(manifest.clone()).encode()).is_err());
    manifest.entries[0] = manifest.entries[1].clone();
    assert!(Metadata::decode(&Metadata::Manifest(manifest).encode()).is_err());
}

#[test]
fn a_content_type_that_breaks_a_header_is_refused() {
    for content_type in ["text/plain\r\nX: y", "", "text/\u{fc}", &"x".repeat(300)] {
        let direct = Direct {
            content_type: Some(content_type.to_owned()),
            data: Vec::new(),
        };
        assert!(Metadata::decode(&Metadata::Direct(direct).encode()).is_err());
    }
}

#[test]
fn something_behind_the_end_is_refused() {
    for metadata in samples() {
        let mut bytes = metadata.encode();
        bytes.push(0);
        assert!(Metadata::decode(&bytes).is_err());
    }
}

#[test]
fn a_huge_list_is_refused_before_it_is_read() {
    // A manifest without default name and containers that claims 2^60 entries.
    let mut bytes = vec![MAGIC, VERSION, 3, 0, 0];
    bytes.extend([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    assert!(Metadata::decode(&bytes).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_metadata_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut framed = vec![MAGIC, VERSION];
        framed.extend_from_slice(&bytes);
        for bytes in [&bytes, &framed] {
            if let Ok(metadata) = Metadata::decode(bytes) {
                prop_assert_eq!(Metadata::decode(&metadata.encode()).unwrap(), metadata);
            }
        }
    }

    #[test]
    fn cut_or_changed_metadata_never_panics(which in 0..5_usize, place: prop::sample::Index, byte: u8, cut: bool) {
        let mut bytes = samples()[which].encode();
        let place = place.index(bytes.len());
        if cut {
            bytes.truncate(place);
        } else {
            bytes[place] = byte;
        }
        if let Ok(metadata) = Metadata::decode(&bytes) {
            // What is accepted keeps its promises.
            prop_assert!(metadata.check().is_ok());
        }
    }
}

/// A manifest of nothing but redirects, as bytes: to addresses that take long to read, or are none.
pub(crate) fn redirects(count: usize, target: &str) -> Vec<u8> {
    let mut bytes = vec![MAGIC, VERSION, 3, 0, 0];
    bytes = postcard::to_extend(&count, bytes).unwrap();
    for number in 0..count {
        bytes = postcard::to_extend(&format!("{number:06}"), bytes).unwrap();
        bytes.push(2);
        bytes = postcard::to_extend(target, bytes).unwrap();
    }
    bytes
}

#[test]
fn targets_of_redirects_are_not_read_before_somebody_goes_there() {
    let bytes = redirects(100_000, "SSK@not an address at all");
    let Metadata::Manifest(manifest) = Metadata::decode(&bytes).unwrap() else {
        panic!("a manifest was expected")
    };
    let Item::Redirect(target) = &manifest.entries[99_999].item else {
        panic!("a redirect was expected")
    };
    assert!(matches!(target.uri(), Err(FetchError::InvalidMetadata(_))));
}

#[test]
fn targets_of_redirects_are_no_longer_than_addresses() {
    let longest = "K".repeat(crypto::URI_LEN_MAX);
    assert!(Metadata::decode(&redirects(1, &longest)).is_ok());
    assert!(Metadata::decode(&redirects(1, &(longest + "K"))).is_err());
}
