//! Rules about Rust files.

use crate::rust_text::{Kind, code, pieces};

/// Most lines of a file. 150 to 300 is the habit; what passes 500 is looked at, and this is where it stops.
const LINES_MAX: usize = 600;

/// Modules of the standard library that read or change the world.
const WORLD: &[&str] = &["env", "fs", "net", "os", "process", "thread"];

/// Names that stand for a clock, a runtime, shared state or chance from outside.
const IMPURE: &[&str] = &[
    "Instant",
    "SystemTime",
    "Mutex",
    "OnceLock",
    "RwLock",
    "thread_local",
    "tokio",
    "async",
    "await",
];

/// Names of files that say nothing.
const VAGUE: &[&str] = &[
    "mod.rs",
    "utils.rs",
    "util.rs",
    "helpers.rs",
    "common.rs",
    "misc.rs",
];

/// `crypto` and `routing` get time, chance and messages as arguments.
pub(crate) fn pure(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let mut findings = Vec::new();
    for (number, line) in code.lines().enumerate() {
        for word in words(line).filter(|word| IMPURE.contains(word)) {
            findings.push(format!(
                "{path}:{}: {word} does not belong in a crate without IO",
                number + 1
            ));
        }
    }
    for module in standard_modules(&code) {
        if WORLD.contains(&module.as_str()) {
            findings.push(format!(
                "{path}: std::{module} does not belong in a crate without IO"
            ));
        }
    }
    findings
}

/// Where the modules of a file lie that exist in tests only, as beginnings of paths.
pub(crate) fn test_modules(path: &str, text: &str) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let folder = match stem.rsplit_once('/') {
        Some((folder, "lib" | "main")) => folder,
        _ => stem,
    };
    let squeezed: String = code(text).split_whitespace().collect();
    squeezed
        .split("#[cfg(test)]mod")
        .skip(1)
        .filter_map(|rest| rest.split_once(|c: char| !c.is_alphanumeric() && c != '_'))
        .map(|(name, _)| format!("{folder}/{name}"))
        .collect()
}

/// Nothing is left to do, and nobody sleeps until something has probably happened.
pub(crate) fn finished(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in code(text).lines().enumerate() {
        let squeezed: String = line.split_whitespace().collect();
        let unfinished = ["todo!", "unimplemented!", "dbg!"];
        let sleeping = ["thread::sleep", "sleep_ms("];
        for word in unfinished.iter().chain(&sleeping) {
            if squeezed.contains(word) {
                findings.push(format!("{path}:{}: {word}", number + 1));
            }
        }
    }
    findings
}

/// Short files, each named for what is in it.
pub(crate) fn shape(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        findings.push(format!(
            "{path} has {lines} lines; split it, {LINES_MAX} is the end"
        ));
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if VAGUE.contains(&name) {
        findings.push(format!("{path}: name the file for its idea"));
    }
    findings
}

/// Comments explain the code as it is: no plans, no numbers of some tracker.
pub(crate) fn comments(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for comment in pieces(text)
        .iter()
        .filter(|piece| piece.kind == Kind::Comment)
    {
        for (offset, line) in comment.text.lines().enumerate() {
            let place = format!("{path}:{}", comment.line + offset);
            if let Some(word) =
                words(line).find(|word| ["TODO", "FIXME", "XXX", "HACK"].contains(word))
            {
                findings.push(format!("{place}: {word} in a comment"));
            }
            if let Some(number) = tracker_number(line) {
                findings.push(format!(
                    "{place}: {number} says nothing to a reader of the code"
                ));
            }
        }
    }
    findings
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// `#` and up to five digits, as trackers number their entries.
fn tracker_number(line: &str) -> Option<&str> {
    line.match_indices('#').find_map(|(at, _)| {
        let digits = line[at + 1..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let next = line[at + 1 + digits..].chars().next();
        let alone = !next.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let before = line[..at].chars().next_back();
        let standard = line[..at].ends_with("PKCS ");
        let apart =
            !standard && !before.is_some_and(|c| c.is_alphanumeric() || "&/\"'`".contains(c));
        ((1..=5).contains(&digits) && alone && apart).then(|| &line[at..=at + digits])
    })
}

/// The modules directly under `std` and `core` that a file names, in paths and in `use` groups.
fn standard_modules(code: &str) -> Vec<String> {
    let squeezed: String = code.split_whitespace().collect();
    let mut found = Vec::new();
    for root in ["std::", "core::"] {
        for (at, _) in squeezed.match_indices(root) {
            let rest = &squeezed[at + root.len()..];
            let items = rest.strip_prefix('{').map_or_else(|| vec![rest], group);
            found.extend(
                items
                    .into_iter()
                    .filter_map(|item| words(item).next().map(str::to_owned)),
            );
        }
    }
    found
}

/// The parts of a `use` group up to its closing brace, cut at the commas of its own level.
fn group(inside: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0usize, 0, Vec::new());
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&inside[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_is_found_in_paths_and_in_groups() {
        for text in [
            "use std::net::UdpSocket;",
            "use std::{collections::BTreeMap, fs};",
            "use std::{\n    collections::{BTreeMap, btree_map},\n    net::IpAddr,\n};",
            "fn f() { std :: thread::spawn(|| ()); }",
            "use std::time::{Duration, Instant};",
            "async fn f() {}",
            "static A: OnceLock<u8> = OnceLock::new();",
            "tokio::spawn(x);",
        ] {
            assert!(!pure("a.rs", text).is_empty(), "{text}");
        }
    }

    #[test]
    fn words_in_comments_literals_and_other_names_are_no_findings() {
        for text in [
            "// no tokio here, no std::net",
            "const A: &str = \"std::fs\";",
            "use std::time::Duration;",
            "use core::fmt;",
            "use std::{cmp::Ordering, collections::{BTreeMap}}; mod net {}",
            "let instant = awaited;",
        ] {
            assert_eq!(pure("a.rs", text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn modules_for_tests_are_known() {
        let text = "mod a;\n#[cfg(test)]\nmod vectors;\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(
            test_modules("x/src/lib.rs", text),
            ["x/src/vectors", "x/src/tests"]
        );
        assert_eq!(
            test_modules("x/src/a.rs", "#[cfg(test)]\nmod tests;"),
            ["x/src/a/tests"]
        );
    }

    #[test]
    fn unfinished_and_sleeping_code_is_found() {
        assert_eq!(finished("a.rs", "fn f() { todo!() }").len(), 1);
        assert_eq!(finished("a.rs", "std::thread::sleep(a);").len(), 1);
        assert!(finished("a.rs", "// todo!\nlet a = \"dbg!\";").is_empty());
    }

    #[test]
    fn long_files_and_vague_names_are_found() {
        assert_eq!(shape("a/b.rs", &"\n".repeat(LINES_MAX + 1)).len(), 1);
        assert!(shape("a/b.rs", &"\n".repeat(LINES_MAX)).is_empty());
        assert_eq!(shape("a/mod.rs", "").len(), 1);
        assert_eq!(shape("utils.rs", "").len(), 1);
    }

    #[test]
    fn plans_and_tracker_numbers_in_comments_are_found() {
        assert_eq!(
            comments("a.rs", concat!("let a = 1; // TO", "DO later")).len(),
            1
        );
        assert_eq!(comments("a.rs", "/* see\n (#123) */").len(), 1);
        assert_eq!(comments("a.rs", "// #7: why").len(), 1);
    }

    #[test]
    fn colours_anchors_and_code_are_no_tracker_numbers() {
        for text in [
            "// the colour #223344",
            "// page.html#12",
            "let a = \"#12\";",
            "// &#39;",
            "// #[test]",
        ] {
            assert!(comments("a.rs", text).is_empty(), "{text}");
        }
    }
}
