//! The programs under test.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// Where the built programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The node.
    pub warren: PathBuf,
    /// The client.
    pub fcp: PathBuf,
}

/// Builds the programs, once a process, and tells where they are. Cargo itself is asked, because the folder depends on
/// environment and configuration; it answers at once when nothing is to be built.
///
/// # Panics
/// If the programs cannot be built.
pub fn programs() -> &'static Programs {
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    PROGRAMS.get_or_init(build)
}

fn build() -> Programs {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(cargo)
        .args([
            "build",
            "--workspace",
            "--bins",
            "--locked",
            "--message-format=json",
        ])
        .current_dir(workspace)
        .output()
        .expect("cargo runs, since it runs this test");
    assert!(
        output.status.success(),
        "the programs cannot be built:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let messages = String::from_utf8_lossy(&output.stdout);
    Programs {
        warren: program(&messages, "warren"),
        fcp: program(&messages, "fcp"),
    }
}

/// The path that cargo reports for the program `name`.
fn program(messages: &str, name: &str) -> PathBuf {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .unwrap_or_else(|| panic!("cargo built no program {name}"))
}
