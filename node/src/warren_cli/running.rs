//! Reaching the node that runs on a data folder, and speaking to the person at the terminal.

use std::io::Write as _;
use std::path::Path;

use super::EXIT_NODE_UNREACHABLE;
use crate::data_dir::{RunFile, find_running};
use crate::fcp::client::FcpClient;

/// A failed program: what to say, and the exit code.
pub(crate) struct Failure {
    /// What happened, why, and what to do.
    pub(crate) error: anyhow::Error,
    /// The process's exit code.
    pub(crate) exit_code: u8,
}

/// What a subcommand ends with.
pub(crate) type Outcome = Result<(), Failure>;

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            exit_code: 1,
        }
    }
}

/// Usage and configuration errors end with this code.
pub(crate) const EXIT_USAGE: u8 = 2;

/// A failure with an exit code of its own.
pub(crate) fn failure(exit_code: u8, error: impl Into<anyhow::Error>) -> Failure {
    Failure {
        error: error.into(),
        exit_code,
    }
}

/// Connects to the node that runs on `data_dir`.
pub(crate) async fn connect(data_dir: &Path) -> Result<(RunFile, FcpClient), Failure> {
    let run = find_running(data_dir).map_err(|error| failure(EXIT_NODE_UNREACHABLE, error))?;
    let Some(address) = run.fcp else {
        let message =
            "the node runs without FCP (fcp.enabled = false in warren.toml), so it cannot be asked";
        return Err(failure(EXIT_NODE_UNREACHABLE, anyhow::anyhow!(message)));
    };
    let client = FcpClient::connect(&address.ip().to_string(), address.port(), "warren")
        .await
        .map_err(|error| failure(EXIT_NODE_UNREACHABLE, error))?;
    Ok((run, client))
}

/// Runs a future to its end on a small runtime, for commands that only talk to a node.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future)
}

/// The error and its causes in one line. Most of our errors name their cause themselves, which is then not repeated.
pub(crate) fn describe(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Prints a result line. A closed pipe is no error of ours.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a note for the person, apart from results.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints an error line.
pub(crate) fn say_error(text: &str) {
    note(&format!("warren: {text}"));
}
