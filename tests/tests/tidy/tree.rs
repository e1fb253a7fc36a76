//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the workspace.
pub(crate) fn workspace_root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("the crate lies in the workspace's folder")
        .to_owned()
}

/// Text of a file of the workspace.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(workspace_root().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Paths, relative to the workspace and with `/`, of all files that end with one of `endings`. Leaves out what is built,
/// what git keeps for itself, and what editors hide.
pub(crate) fn files(endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in
            fs::read_dir(workspace_root().join(&folder)).expect("a folder of the workspace")
        {
            let entry = entry.expect("an entry of a folder of the workspace");
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}{name}");
            if entry.path().is_dir() {
                let own = !name.starts_with('.') || name == ".ci" || name == ".config";
                if own && name != "target" {
                    folders.push(format!("{path}/"));
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The path that `link` means in the file `from`, or nothing if it leads out of the workspace.
pub(crate) fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[test]
fn links_resolve_from_the_folder_of_their_file() {
    assert_eq!(resolve("docs/A.md", "B.md").as_deref(), Some("docs/B.md"));
    assert_eq!(
        resolve("docs/A.md", "../README.md").as_deref(),
        Some("README.md")
    );
    assert_eq!(resolve("README.md", "../other"), None);
}
