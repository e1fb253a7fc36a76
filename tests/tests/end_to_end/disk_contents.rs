//! What somebody finds who takes the disks.

use std::path::Path;

use tests::{Demo, Needles, bytes, files_below};

#[test]
fn no_disk_holds_plaintext_or_the_routing_key_of_a_block() {
    let folder = tempfile::tempdir().unwrap();
    let network = folder.path().join("network");
    let mut demo = Demo::start(8, &network);
    let mut needles = Needles::default();
    let mut inserted = 0;
    for (seed, length) in [500, 1024, 20_000, 32_768, 300_000, 2_000_000]
        .into_iter()
        .enumerate()
    {
        let content = bytes(seed as u64, length);
        let file = folder.path().join(format!("{length}.bin"));
        std::fs::write(&file, &content).unwrap();
        needles.add(&content);
        let keyword = format!("KSK@disk-{length}");
        let kinds: [&[&str]; 3] = [&[], &["--convergent"], &["--key", &keyword]];
        for (number, arguments) in kinds.into_iter().enumerate() {
            let uri = demo.fcp(number).put(&file, arguments);
            // What was read lies nowhere either.
            assert_eq!(demo.fcp(7 - number).get(&uri).len(), length);
            inserted += length;
            if let Some(key) = routing_key(&uri) {
                needles.add(&key);
            }
        }
    }
    assert!(needles.count() > 100_000);
    demo.process().interrupt();
    let _ = demo.process().wait(std::time::Duration::from_secs(60));

    let searched = search(&network, &needles);

    assert!(
        searched > inserted,
        "{searched} bytes on the disks cannot hold {inserted} bytes of content"
    );
}

/// Looks into every file; returns how many bytes that were.
fn search(folder: &Path, needles: &Needles) -> usize {
    let mut searched = 0;
    for path in files_below(folder) {
        let content = std::fs::read(&path).expect("the network has stopped");
        let found = needles.find(&content);
        assert_eq!(
            found,
            None,
            "content or a routing key lies in {}",
            path.display()
        );
        searched += content.len();
    }
    searched
}

/// The routing key within a content key.
fn routing_key(uri: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789~-";
    let text = uri.strip_prefix("CHK@")?.split(',').next()?;
    let (mut key, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        bits = bits << 6 | u32::try_from(value).expect("64 letters");
        held += 6;
        if held >= 8 {
            held -= 8;
            key.push((bits >> held & 0xff) as u8);
        }
    }
    assert_eq!(key.len(), 32, "{uri}");
    Some(key)
}
