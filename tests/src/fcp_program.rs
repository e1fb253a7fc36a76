//! Programs that run to their end, above all `fcp`.

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::programs::programs;

/// Time for any one transfer of the tests.
const TRANSFER_MAX: Duration = Duration::from_secs(300);

/// What a program left behind.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; nothing if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Standard output as text, if the program succeeded.
    ///
    /// # Panics
    /// If it failed; the text tells why.
    #[must_use]
    pub fn expect_done(&self) -> String {
        let stdout = String::from_utf8_lossy(&self.stdout).into_owned();
        assert!(
            self.code == Some(0),
            "exit code {:?}\n{stdout}\n{}",
            self.code,
            self.stderr
        );
        stdout
    }
}

/// Runs a program to its end.
///
/// # Panics
/// If it cannot be started or takes longer than `limit`.
#[must_use]
pub(crate) fn finish(command: &mut Command, limit: Duration) -> Finished {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = drain(child.stdout.take().expect("it is piped"));
    let stderr = drain(child.stderr.take().expect("it is piped"));
    // The pipe closes when the program ends.
    let Ok(stdout) = stdout.recv_timeout(limit) else {
        let _ = child.kill();
        let _ = child.wait();
        let said = stderr.recv().unwrap_or_default();
        panic!(
            "{command:?} took longer than {limit:?}: {}",
            String::from_utf8_lossy(&said)
        );
    };
    let stderr = stderr.recv().unwrap_or_default();
    let status = child.wait().expect("the program is a child of this one");
    Finished {
        code: status.code(),
        stdout,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

fn drain(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is what there is.
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// The program `fcp`, talking to one node.
#[derive(Clone, Copy, Debug)]
pub struct Fcp {
    node: SocketAddr,
}

impl Fcp {
    /// A client of the node with this FCP address.
    #[must_use]
    pub fn new(node: SocketAddr) -> Self {
        Self { node }
    }

    /// Runs `fcp` with these arguments.
    ///
    /// # Panics
    /// If it takes longer than five minutes.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        let mut command = Command::new(&programs().fcp);
        command
            .args(arguments)
            .env("FCP_HOST", self.node.ip().to_string())
            .env("FCP_PORT", self.node.port().to_string());
        finish(&mut command, TRANSFER_MAX)
    }

    /// Publishes a file or folder and returns the URI, which must be the only line on standard output.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn put(&self, source: &Path, arguments: &[&str]) -> String {
        let source = source.to_str().expect("the tests' paths are text");
        let all: Vec<&str> = ["put", source].iter().chain(arguments).copied().collect();
        let stdout = self.run(&all).expect_done();
        assert_eq!(stdout.lines().count(), 1, "more than the URI: {stdout}");
        stdout.trim().to_owned()
    }

    /// Fetches a document.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn get(&self, uri: &str) -> Vec<u8> {
        let finished = self.run(&["get", uri, "-o", "-"]);
        let _ = finished.expect_done();
        finished.stdout
    }
}
