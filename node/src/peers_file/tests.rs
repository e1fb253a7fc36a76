use super::*;
use crypto::Identity;
use tempfile::TempDir;

#[test]
fn added_peers_are_there_after_reopening_until_they_are_removed() {
    let folder = TempDir::new().unwrap();
    let mut peers = open(&folder);
    assert!(peers.peers().is_empty());
    for seed in [1, 2, 3] {
        assert_eq!(
            peers.add(reference(seed, "friend", 1), None).unwrap(),
            PeerAdded::New
        );
    }
    let second = reference(2, "friend", 1).id().to_string();
    assert_eq!(peers.remove(&second[..8]).unwrap().id().to_string(), second);
    let reopened = open(&folder);
    let ids: Vec<NodeId> = reopened
        .peers()
        .iter()
        .map(|peer| peer.reference.id())
        .collect();
    assert_eq!(ids, [1, 3].map(|seed| reference(seed, "friend", 1).id()));
}

#[test]
fn a_newer_reference_takes_the_place_of_an_older_one_only() {
    let folder = TempDir::new().unwrap();
    let mut peers = open(&folder);
    peers.add(reference(1, "old", 5), None).unwrap();
    assert!(matches!(
        peers.add(reference(1, "old", 5), None),
        Err(PeerAddError::AlreadyKnown { .. })
    ));
    assert!(matches!(
        peers.add(reference(1, "other", 5), None),
        Err(PeerAddError::Older { .. })
    ));
    assert!(matches!(
        peers.add(reference(1, "older", 4), None),
        Err(PeerAddError::Older { .. })
    ));
    assert_eq!(
        peers.add(reference(1, "new", 6), None).unwrap(),
        PeerAdded::Renewed
    );
    assert_eq!(open(&folder).peers(), [normal(reference(1, "new", 6))]);
}

#[test]
fn a_node_is_not_its_own_peer() {
    let folder = TempDir::new().unwrap();
    assert!(matches!(
        open(&folder).add(reference(0, "me", 1), None),
        Err(PeerAddError::Own)
    ));
}

#[test]
fn the_number_of_peers_is_bounded() {
    let folder = TempDir::new().unwrap();
    let mut peers = open(&folder);
    peers.peers = (0..PEERS_MAX)
        .map(|_| normal(reference(1, "x", 1)))
        .collect();
    assert!(matches!(
        peers.add(reference(2, "one more", 1), None),
        Err(PeerAddError::TooMany)
    ));
}

#[test]
fn removing_asks_for_one_peer_and_no_other() {
    let folder = TempDir::new().unwrap();
    let mut peers = open(&folder);
    peers.add(reference(1, "twin", 1), None).unwrap();
    peers.add(reference(2, "twin", 1), None).unwrap();
    peers.add(reference(3, "single", 1), None).unwrap();
    assert!(matches!(
        peers.remove("twin"),
        Err(PeerRemoveError::Ambiguous(_))
    ));
    assert!(matches!(
        peers.remove("nobody"),
        Err(PeerRemoveError::Unknown(_))
    ));
    assert!(matches!(peers.remove(""), Err(PeerRemoveError::Unknown(_))));
    assert_eq!(peers.remove("single").unwrap(), reference(3, "single", 1));
}

#[test]
fn a_damaged_file_is_named_with_the_entry_that_is_wrong() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(PEERS_FILE_NAME);
    let mut peers = open(&folder);
    peers.add(reference(1, "one", 1), None).unwrap();
    peers.add(reference(2, "two", 1), None).unwrap();
    let whole = std::fs::read_to_string(&path).unwrap();
    let last = whole.rfind("warren:").unwrap() + 20;
    let letter = if &whole[last..=last] == "A" { "B" } else { "A" };
    let mut altered = whole.clone();
    altered.replace_range(last..=last, letter);
    let mut long = whole.clone();
    long.push_str(&" ".repeat(1 << 20));
    for (text, expected) in [
        (
            altered,
            "peers.toml, peer 2: the reference is incomplete or mistyped",
        ),
        (
            whole.clone() + &whole,
            "peer 3 is this node itself or stands there twice",
        ),
        ("[[peer]]\nreference = 3".to_owned(), "is damaged"),
        ("[peers]".to_owned(), "is damaged"),
        (long, "cannot read"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = PeersFile::open(folder.path(), own())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn trust_is_kept_until_it_is_changed_and_files_without_it_are_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(PEERS_FILE_NAME);
    let trust = || open(&folder).peers()[0].trust;
    let mut peers = open(&folder);
    peers
        .add(reference(1, "one", 1), Some(Trust::High))
        .unwrap();
    assert_eq!(trust(), Trust::High);
    peers.add(reference(1, "one", 2), None).unwrap();
    assert_eq!(trust(), Trust::High);
    let again = peers.add(reference(1, "one", 2), Some(Trust::Low));
    assert_eq!(again.unwrap(), PeerAdded::Trusted);
    assert_eq!(trust(), Trust::Low);
    assert!(matches!(
        peers.add(reference(1, "one", 2), Some(Trust::Low)),
        Err(PeerAddError::AlreadyKnown { .. })
    ));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("trust = \"low\"\n", "")).unwrap();
    assert_eq!(trust(), Trust::Normal);
    std::fs::write(&path, text.replace("\"low\"", "\"lots\"")).unwrap();
    let error = PeersFile::open(folder.path(), own()).unwrap_err();
    assert!(error.to_string().contains("trust in peer 1"), "{error}");
}

fn normal(reference: Reference) -> Friend {
    let trust = Trust::Normal;
    Friend { reference, trust }
}

fn open(folder: &TempDir) -> PeersFile {
    PeersFile::open(folder.path(), own()).unwrap()
}

fn own() -> NodeId {
    Identity::from_seed(&[0; 32]).id()
}

fn reference(seed: u8, name: &str, serial: u64) -> Reference {
    Reference::sign(
        &Identity::from_seed(&[seed; 32]),
        name,
        &["127.0.0.1:9".parse().unwrap()],
        serial,
    )
    .unwrap()
}
