//! What is asked for does not show in any log.

use std::time::Duration;

use tests::{Demo, bytes, eventually, follow};

/// What a node logs at its most verbose, in a network that is large enough for circuits of six hops.
const LOUD: &str = "warn,crypto=trace,routing=trace,fproxy=trace,node=trace";

/// The parts of a key that are long enough to be found by chance nowhere.
fn parts(uri: &str) -> Vec<String> {
    uri.split(['@', ',', '/'])
        .filter(|part| part.len() > 8)
        .map(str::to_owned)
        .collect()
}

/// The first bytes of what a part of a key stands for.
fn decoded(part: &str) -> Vec<u8> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~";
    let bits: String = part
        .chars()
        .take(16)
        .map(|letter| format!("{:06b}", LETTERS.find(letter).expect("a letter of a key")))
        .collect();
    let byte = |at: usize| u8::from_str_radix(&bits[8 * at..8 * at + 8], 2).expect("eight bits");
    (0..12).map(byte).collect()
}

#[test]
fn at_the_most_verbose_level_no_log_names_a_key_that_was_asked_for_or_where_anybody_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("unmistakable-file-name.bin");
    let content = bytes(7, 300_000);
    std::fs::write(&file, &content).unwrap();
    let mut demo = Demo::start_logging(8, &folder.path().join("network"), LOUD);
    let uri = demo.fcp(0).put(&file, &[]);
    assert_eq!(demo.fcp(5).get(&uri), content);
    let word = "KSK@unmistakable-word";
    let _ = demo.fcp(1).put(&file, &["--key", word]);
    assert_eq!(demo.fcp(6).get(word), content);
    assert_eq!(follow(demo.nodes()[3].http, &uri).body, content);
    let missing = demo.fcp(2).run(&["get", "KSK@unmistakable-gap", "-o", "-"]);
    assert_ne!(missing.code, Some(0));
    let told = eventually(
        "the nodes have logged something",
        Duration::from_secs(60),
        || {
            let log = demo.process().log();
            log.contains("DEBUG").then_some(log)
        },
    );
    // What the program itself prints for its user names the sample site.
    let log: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("TRACE") || line.contains("DEBUG") || line.contains("WARN"))
        .collect();
    let routing_key = parts(&uri).remove(0);
    let raw = decoded(&routing_key);
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    let listed = format!("{raw:?}");
    let mut secrets = parts(&uri);
    secrets.push(hex[..16].to_owned());
    secrets.push(listed.trim_matches(['[', ']']).to_owned());
    secrets.push("unmistakable".to_owned());
    for node in demo.nodes() {
        let places = [node.link, node.fcp, node.http];
        secrets.extend(places.map(|place| format!(":{}", place.port())));
    }
    secrets.extend(["127.0.0.1", "localhost"].map(str::to_owned));
    assert!(secrets.len() > 30, "{secrets:?}");
    for secret in secrets {
        let found = log.iter().find(|line| line.contains(&secret));
        assert_eq!(found, None, "{secret} is in the log");
    }
}
