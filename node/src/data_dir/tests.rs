use super::*;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

#[test]
fn the_folder_and_its_secrets_are_for_the_owner_only() {
    let parent = TempDir::new().unwrap();
    let dir = DataDir::open(&parent.path().join("a/b")).unwrap();
    dir.identity().unwrap();
    dir.secrets().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(dir.path()), 0o700);
    assert_eq!(mode(&dir.subfolder("store").unwrap()), 0o700);
    for name in ["identity.key", "node.secret"] {
        assert_eq!(mode(&dir.path().join(name)), 0o600, "{name}");
    }
}

#[test]
fn two_nodes_cannot_share_a_folder() {
    let folder = TempDir::new().unwrap();
    let first = DataDir::open(folder.path()).unwrap();
    let error = DataDir::open(folder.path()).unwrap_err();
    assert!(
        matches!(error, DataDirError::InUse { pid: Some(pid), .. } if pid == std::process::id())
    );
    assert!(
        error
            .to_string()
            .contains("in use by another node (process "),
        "{error}"
    );
    drop(first);
    DataDir::open(folder.path()).unwrap();
}

#[test]
fn identity_and_secrets_stay_the_same() {
    let folder = TempDir::new().unwrap();
    let read = || {
        let dir = DataDir::open(folder.path()).unwrap();
        let secrets = dir.secrets().unwrap();
        (
            dir.identity().unwrap().id(),
            *secrets.store_salt,
            *secrets.fproxy_labels,
        )
    };
    let first = read();
    assert_eq!(read(), first);
    assert_ne!(first.1, first.2);
    let other = TempDir::new().unwrap();
    assert_ne!(
        DataDir::open(other.path())
            .unwrap()
            .identity()
            .unwrap()
            .id(),
        first.0
    );
}

#[test]
fn a_damaged_secret_is_reported_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let dir = DataDir::open(folder.path()).unwrap();
    dir.identity().unwrap();
    let path = dir.path().join("identity.key");
    let whole = fs::read(&path).unwrap();
    let mut damaged = vec![
        Vec::new(),
        vec![0xff; 80],
        whole[..whole.len() / 2].to_vec(),
        whole.repeat(10),
    ];
    for at in 0..whole.len() - 1 {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        damaged.push(bytes);
    }
    for bytes in damaged {
        fs::write(&path, &bytes).unwrap();
        let error = dir
            .identity()
            .expect_err("damage is recognised")
            .to_string();
        assert!(error.contains("identity.key is damaged"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    // The secret of another purpose is not an identity.
    dir.secrets().unwrap();
    fs::copy(dir.path().join("node.secret"), &path).unwrap();
    assert!(dir.identity().is_err());
}

#[test]
fn secrets_do_not_print() {
    let folder = TempDir::new().unwrap();
    let secrets = DataDir::open(folder.path()).unwrap().secrets().unwrap();
    assert_eq!(format!("{secrets:?}"), "NodeSecrets([redacted])");
}

#[test]
fn the_running_node_is_found_until_it_stops() {
    let folder = TempDir::new().unwrap();
    let dir = DataDir::open(folder.path()).unwrap();
    assert!(matches!(
        find_running(folder.path()),
        Err(RunFileError::NotRunning(_))
    ));
    let run = RunFile {
        pid: std::process::id(),
        identity: dir.identity().unwrap().id(),
        link: "0.0.0.0:23456".parse().unwrap(),
        fcp: Some("127.0.0.1:9481".parse().unwrap()),
        fproxy: None,
    };
    let guard = dir.announce_running(&run).unwrap();
    assert_eq!(find_running(folder.path()).unwrap(), run);
    drop(guard);
    assert!(matches!(
        find_running(folder.path()),
        Err(RunFileError::NotRunning(_))
    ));
    assert!(!folder.path().join("run.toml").exists());
}

#[test]
fn the_file_of_a_killed_node_is_not_taken_for_a_running_one() {
    let folder = TempDir::new().unwrap();
    let dir = DataDir::open(folder.path()).unwrap();
    let run = RunFile {
        pid: 1,
        identity: dir.identity().unwrap().id(),
        link: "0.0.0.0:1".parse().unwrap(),
        fcp: None,
        fproxy: None,
    };
    drop(dir.announce_running(&run).unwrap());
    fs::write(folder.path().join("run.toml"), "pid = 1").unwrap();
    assert!(matches!(
        find_running(folder.path()),
        Err(RunFileError::NotRunning(_))
    ));
    let _guard = dir.announce_running(&run).unwrap();
    assert_eq!(find_running(folder.path()).unwrap(), run);
}

#[test]
fn a_new_file_never_takes_the_place_of_another() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    write_new_file(&path, b"first", 0o600).unwrap();
    let error = write_new_file(&path, b"second", 0o600).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"first");
    replace_file(&path, b"third", 0o600).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"third");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no temporary file is left"
    );
}
