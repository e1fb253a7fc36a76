use super::keys::{KEYS, SECTIONS};
use super::*;
use crate::reference::Reference;
use crypto::Identity;
use std::path::Path;
use std::time::Duration;

#[test]
fn the_generated_file_gives_the_defaults_and_names_every_key() {
    let text = Config::default_file_text(0);
    let config = from_file(&text).unwrap();
    assert_eq!(*config, Settings::default());
    for key in &KEYS {
        assert!(text.contains(&format!("{} = ", key.name)), "{}", key.name);
        assert!(SECTIONS.iter().any(|(section, _)| *section == key.section));
        assert!(!key.doc.is_empty() && key.doc.iter().all(|line| line.len() <= 118));
    }
    assert_eq!(
        from_file(&Config::default_file_text(23_456))
            .unwrap()
            .link
            .listen
            .port(),
        23_456
    );
}

#[test]
fn flags_come_before_the_environment_before_the_file_before_the_defaults() {
    let file = "[store]\nsize = \"20 GiB\"\ncache = \"3 GiB\"\nsync = \"always\"\n";
    let environment = [
        ("WARREN_STORE_SIZE", "30 GiB"),
        ("WARREN_STORE_CACHE", "4 GiB"),
        ("HOME", "/root"),
    ];
    let overrides = Overrides {
        store_size: Some(ByteSize::gibibytes(40)),
        ..Overrides::default()
    };
    let config = resolve(file, &environment, &overrides).unwrap();
    assert_eq!(config.store.size, ByteSize::gibibytes(40));
    assert_eq!(config.store.cache, ByteSize::gibibytes(4));
    assert_eq!(config.store.sync, SyncPolicy::Always);
    assert_eq!(config.limits, Settings::default().limits);
}

fn seed(number: u8) -> Reference {
    let identity = Identity::from_seed(&[number; 32]);
    Reference::sign(&identity, "seed", &["203.0.113.7:2".parse().unwrap()], 1).unwrap()
}

#[test]
fn the_opennet_is_off_until_the_owner_wants_it_and_takes_references_only() {
    assert!(!Settings::default().opennet.enabled);
    let text = |seeds: &str| format!("[opennet]\nenabled = true\nseeds = [{seeds}]\n");
    let config = from_file(&text(&format!("\"{}\"", seed(1)))).unwrap();
    assert_eq!(config.opennet.seeds, [seed(1)]);
    assert!(from_file(&text("\"203.0.113.7:2\"")).is_err());
    let both = format!("{},{}", seed(1), seed(2));
    let environment = [("WARREN_OPENNET_SEEDS", both.as_str())];
    let config = resolve("", &environment, &Overrides::default()).unwrap();
    assert_eq!(config.opennet.seeds, [seed(1), seed(2)]);
}

#[test]
fn the_number_of_strangers_stays_within_its_bounds() {
    let peers = |number: &str| from_file(&format!("[opennet]\npeers_max = {number}\n"));
    assert_eq!(peers("30").unwrap().opennet.peers_max, Some(30));
    assert_eq!(peers("\"auto\"").unwrap().opennet.peers_max, None);
    for wrong in ["9", "86", "-1", "\"many\""] {
        assert!(peers(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_slow_mode_is_off_until_the_owner_wants_it_and_has_its_bounds() {
    let anonymity =
        |line: &str| from_file(&format!("[anonymity]\n{line}\n")).map(|config| config.anonymity);
    let usual = anonymity("").unwrap();
    assert_eq!((usual.delay, usual.cover), (None, None));
    let slow = anonymity("delay_ms = 100\ncover_ms = 1000").unwrap();
    let millis = |millis| Some(Duration::from_millis(millis));
    assert_eq!((slow.delay, slow.cover), (millis(100), millis(1000)));
    for wrong in [
        "delay_ms = 1001",
        "delay_ms = -1",
        "cover_ms = 99",
        "cover_ms = 60001",
        "cover_ms = \"off\"",
    ] {
        assert!(anonymity(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_upload_that_serves_nobody_is_refused() {
    let upload = |size: &str| from_file(&format!("[link]\nupload = \"{size}\"\n"));
    let config = upload("16 KiB").unwrap();
    assert_eq!(config.link.upload, ByteSize::bytes(16_384));
    for wrong in ["15 KiB", "0", "-1", "fast"] {
        assert!(upload(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn every_override_reaches_its_key() {
    let address = |text: &str| Some(text.parse().unwrap());
    let overrides = Overrides {
        name: Some("burrow".to_owned()),
        link_listen: address("[::1]:1"),
        announce: Some(vec!["203.0.113.7:2".parse().unwrap()]),
        upload: Some(ByteSize::bytes(500_000)),
        opennet: Some(true),
        seeds: Some(vec![seed(1), seed(2)]),
        introduce: Some(true),
        anonymity: Some(0),
        allow_anonymity_off: Some(true),
        store_size: Some(ByteSize::mebibytes(11)),
        cache_size: Some(ByteSize::mebibytes(12)),
        sync: Some(SyncPolicy::Always),
        fcp_enabled: Some(false),
        fcp_listen: address("127.0.0.1:3"),
        fproxy_enabled: Some(false),
        fproxy_listen: address("127.0.0.1:4"),
        upload_dir: Some("/somewhere".into()),
        memory: Some(ByteSize::mebibytes(100)),
        log_level: Some(LogLevel::Trace),
    };
    let config = resolve("", &[], &overrides).unwrap();
    let reached = Overrides {
        name: Some(config.node.name.clone()),
        link_listen: Some(config.link.listen),
        announce: Some(config.link.announce.clone()),
        upload: Some(config.link.upload),
        opennet: Some(config.opennet.enabled),
        seeds: Some(config.opennet.seeds.clone()),
        introduce: Some(config.opennet.introduce),
        anonymity: Some(config.anonymity.hiding.hops()),
        allow_anonymity_off: Some(config.anonymity.allow_off),
        store_size: Some(config.store.size),
        cache_size: Some(config.store.cache),
        sync: Some(config.store.sync),
        fcp_enabled: Some(config.fcp.enabled),
        fcp_listen: Some(config.fcp.listen),
        fproxy_enabled: Some(config.fproxy.enabled),
        fproxy_listen: Some(config.fproxy.listen),
        upload_dir: config.limits.upload_dir.clone(),
        memory: Some(config.limits.memory),
        log_level: Some(config.log.level),
    };
    assert_eq!(reached, overrides);
}

#[test]
fn the_environment_writes_flags_and_lists_in_its_own_way() {
    let environment = [
        ("WARREN_FCP_ENABLED", "off"),
        ("WARREN_LINK_ANNOUNCE", "203.0.113.7:1, [2001:db8::1]:2"),
    ];
    let config = resolve("", &environment, &Overrides::default()).unwrap();
    assert!(!config.fcp.enabled);
    assert_eq!(config.link.announce.len(), 2);
    for foreign in [
        "WARREN_DATA_DIR",
        "WARREN_LARGE_FILE_MIB",
        "WARREN_TEST_KILLED_STORE",
    ] {
        assert!(
            resolve("", &[(foreign, "/x")], &Overrides::default()).is_ok(),
            "{foreign}"
        );
    }
}

#[test]
fn errors_name_the_place_the_key_and_what_is_allowed() {
    for (file, environment, expected) in WRONG {
        let message = resolve(file, environment.as_slice(), &Overrides::default())
            .unwrap_err()
            .to_string();
        for part in *expected {
            assert!(message.contains(part), "{message}\nlacks {part}");
        }
    }
}

#[test]
fn a_listener_for_others_needs_its_own_key() {
    let allowed = "[fcp]\nlisten = \"0.0.0.0:9481\"\nallow_remote = true\n";
    assert!(from_file(allowed).is_ok());
    assert!(from_file("[fcp]\nlisten = \"0.0.0.0:9481\"\nenabled = false\n").is_ok());
    let flag = Overrides {
        fproxy_listen: Some("192.0.2.1:80".parse().unwrap()),
        ..Overrides::default()
    };
    let message = resolve("", &[], &flag).unwrap_err().to_string();
    assert!(
        message.starts_with("command line: `fproxy.listen`"),
        "{message}"
    );
}

#[test]
fn the_first_start_writes_the_file_and_draws_a_port_that_stays() {
    let folder = tempfile::tempdir().unwrap();
    let first = Config::load(folder.path(), &Overrides::default()).unwrap();
    assert!((10_240..=32_767).contains(&first.link.listen.port()));
    assert_eq!(
        Config::load(folder.path(), &Overrides::default()).unwrap(),
        first
    );
    std::fs::write(
        folder.path().join(CONFIG_FILE_NAME),
        " ".repeat((1 << 20) + 1),
    )
    .unwrap();
    assert!(matches!(
        Config::load(folder.path(), &Overrides::default()),
        Err(ConfigError::Read { .. })
    ));
}

proptest::proptest! {
    #[test]
    fn any_file_ends_in_a_configuration_or_an_error(text in "(\\[(node|store|fcp)\\]\n)?([a-z_.]{1,8} = [\"\\[a-z0-9\\]. ]{0,12}\n){0,4}.{0,16}") {
        let _ = from_file(&text);
    }
}

/// A file, a variable, and parts of the message they lead to.
type Wrong = (
    &'static str,
    Option<(&'static str, &'static str)>,
    [&'static str; 3],
);

const WRONG: &[Wrong] = &[
    (
        "[store]\nsise = \"1 GiB\"",
        None,
        ["node.toml", "`store.sise`", "did you mean `store.size`?"],
    ),
    (
        "[zebra]\nsize = \"1 GiB\"",
        None,
        [
            "node.toml",
            "`zebra`",
            "the generated warren.toml lists every key",
        ],
    ),
    (
        "[stroe]\nsize = \"1 GiB\"",
        None,
        ["node.toml", "`stroe`", "did you mean `store`?"],
    ),
    (
        "size = \"1 GiB\"",
        None,
        ["node.toml", "`size`", "did you mean `store.size`?"],
    ),
    (
        "[store]\nsize = \"1 MiB\"",
        None,
        ["`store.size`", "\"1 MiB\"", "at least 8 MiB"],
    ),
    (
        "[store]\nsize = 1.5",
        None,
        ["`store.size`", "1.5", "a size such as"],
    ),
    (
        "[store]\nsync = \"sometimes\"",
        None,
        [
            "`store.sync`",
            "\"sometimes\"",
            "\"periodic\" or \"always\"",
        ],
    ),
    (
        "[fcp]\nenabled = \"yes\"",
        None,
        ["`fcp.enabled`", "\"yes\"", "true or false"],
    ),
    (
        "[fcp]\nlisten = \"localhost\"",
        None,
        ["`fcp.listen`", "\"localhost\"", "127.0.0.1:9481"],
    ),
    (
        "[fcp]\nlisten = \"0.0.0.0:9481\"",
        None,
        [
            "`fcp.listen` is 0.0.0.0:9481",
            "127.0.0.1:9481",
            "`fcp.allow_remote = true`",
        ],
    ),
    (
        "[fproxy]\nlisten = \"[2001:db8::1]:8888\"",
        None,
        [
            "`fproxy.listen`",
            "controls this node",
            "`fproxy.allow_remote = true`",
        ],
    ),
    (
        "[anonymity]\nhops = 0",
        None,
        [
            "`anonymity.hops` is 0",
            "`anonymity.allow_off = true`",
            "--neighbours-may-see-keys",
        ],
    ),
    (
        "[anonymity]\nhops = 3",
        None,
        ["`anonymity.hops`", "\"3\"", "0, 2, 4, 6 or 8"],
    ),
    (
        "[fproxy]\nlisten = \"127.0.0.1:9481\"",
        None,
        ["`fcp.listen`", "`fproxy.listen`", "another port"],
    ),
    (
        "[node]\nname = \"\\u0007\"",
        None,
        ["`node.name`", "64 bytes", "printable"],
    ),
    (
        "[link]\nannounce = [\"0.0.0.0:1\"]",
        None,
        ["`link.announce`", "0.0.0.0:1", "at most 8"],
    ),
    (
        "[limits]\nupload_dir = \"here\"",
        None,
        ["`limits.upload_dir`", "\"here\"", "absolute path"],
    ),
    (
        "[log]\nlevel = 3",
        None,
        ["`log.level`", "\"3\"", "\"trace\""],
    ),
    ("[store", None, ["node.toml", "not valid TOML", "line 1"]),
    (
        "",
        Some(("WARREN_STORE_SISE", "1")),
        [
            "environment variable WARREN_STORE_SISE",
            "no key",
            "`WARREN_STORE_SIZE`",
        ],
    ),
    (
        "",
        Some(("WARREN_STROE_SIZE", "1 GiB")),
        [
            "environment variable WARREN_STROE_SIZE",
            "no key",
            "did you mean `WARREN_STORE_SIZE`?",
        ],
    ),
    (
        "",
        Some(("WARREN_DATADIR", "/x")),
        ["WARREN_DATADIR", "no key", "`WARREN_DATA_DIR`"],
    ),
    (
        "",
        Some(("WARREN_STORE_LEVEL", "info")),
        ["WARREN_STORE_LEVEL", "no key", "`WARREN_LOG_LEVEL`"],
    ),
    (
        "",
        Some(("WARREN_ZEBRA", "1")),
        ["WARREN_ZEBRA", "no key", "lists every key"],
    ),
    (
        "[log]\nlisten = \"127.0.0.1:1\"",
        None,
        [
            "node.toml",
            "`log.listen`",
            "the generated warren.toml lists every key",
        ],
    ),
    (
        "[store]\nlevel = \"info\"",
        None,
        ["node.toml", "`store.level`", "did you mean `log.level`?"],
    ),
    (
        "",
        Some(("WARREN_FCP_ENABLED", "perhaps")),
        [
            "environment variable WARREN_FCP_ENABLED",
            "perhaps",
            "true or false",
        ],
    ),
];

fn from_file(text: &str) -> Result<Config, ConfigError> {
    resolve(text, &[], &Overrides::default())
}

fn resolve(
    file: &str,
    environment: &[(&str, &str)],
    overrides: &Overrides,
) -> Result<Config, ConfigError> {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::resolve(Some((Path::new("node.toml"), file)), environment, overrides)
}
