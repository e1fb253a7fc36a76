//! Rules of the repository that no compiler checks: which crate may know which, what may not stand in a source file,
//! where dependencies come from. Each rule is a function from text to findings, and each is shown to find something.

mod manifests;
mod prose;
mod rust_text;
mod sources;
mod tree;

use manifests::Manifest;
use tree::{files, read, workspace_root};

/// Every member of the workspace: folder and manifest.
fn members() -> Vec<Manifest> {
    let root = Manifest::parse("Cargo.toml", &read("Cargo.toml"));
    let names = root.members();
    assert!(!names.is_empty(), "the workspace has no members");
    names
        .iter()
        .map(|name| {
            let path = format!("{name}/Cargo.toml");
            Manifest::parse(&path, &read(&path))
        })
        .collect()
}

/// Applies a rule to every file whose name ends with one of `endings`.
fn check_files(endings: &[&str], rule: impl Fn(&str, &str) -> Vec<String>) {
    let mut findings = Vec::new();
    let mut count = 0;
    for path in files(endings) {
        count += 1;
        findings.extend(rule(&path, &read(&path)));
    }
    assert!(count > 0, "no file ends with {endings:?}");
    none(&findings);
}

fn none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn crates_know_only_whom_the_architecture_lets_them_know() {
    let findings: Vec<String> = members().iter().flat_map(manifests::arrows).collect();
    none(&findings);
}

#[test]
fn the_crates_without_io_depend_on_nothing_that_does_any() {
    let findings: Vec<String> = members().iter().flat_map(manifests::pure).collect();
    none(&findings);
}

#[test]
fn members_share_versions_lints_and_licence() {
    let mut findings: Vec<String> = members().iter().flat_map(manifests::shared).collect();
    findings.extend(manifests::root(&Manifest::parse(
        "Cargo.toml",
        &read("Cargo.toml"),
    )));
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        if !workspace_root().join(licence).exists() {
            findings.push(format!("{licence} is missing"));
        }
    }
    none(&findings);
}

#[test]
fn every_dependency_comes_from_crates_io() {
    let names: Vec<String> = members().iter().map(Manifest::name).collect();
    none(&manifests::lock(&read("Cargo.lock"), &names));
}

#[test]
fn the_crates_without_io_name_no_clock_socket_file_thread_or_runtime() {
    let pure = |path: &str| path.starts_with("crypto/src/") || path.starts_with("routing/src/");
    let for_tests: Vec<String> = files(&[".rs"])
        .iter()
        .filter(|path| pure(path))
        .flat_map(|path| sources::test_modules(path, &read(path)))
        .collect();
    check_files(&[".rs"], |path, text| {
        let exempt = for_tests.iter().any(|module| path.starts_with(module));
        if pure(path) && !exempt {
            sources::pure(path, text)
        } else {
            Vec::new()
        }
    });
}

#[test]
fn sources_hold_nothing_unfinished_and_wait_for_events() {
    check_files(&[".rs"], sources::finished);
}

#[test]
fn source_files_stay_short_and_are_named_for_an_idea() {
    check_files(&[".rs"], sources::shape);
}

#[test]
fn comments_stand_for_themselves() {
    check_files(&[".rs"], sources::comments);
}

#[test]
fn no_file_names_a_folder_of_somebody_s_machine() {
    check_files(
        &[".rs", ".md", ".sh", ".toml", "Makefile", ".html", "run"],
        prose::paths,
    );
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    check_files(&[".md"], |path, text| {
        prose::links(path, text, |target| workspace_root().join(target).exists())
    });
}

#[test]
fn pages_of_the_sample_site_link_to_each_other() {
    let site = "node/assets/demo-site/";
    check_files(&[".html"], |path, text| {
        prose::page_links(path, text, |target| {
            target.starts_with(site) && workspace_root().join(target).is_file()
        })
    });
}
