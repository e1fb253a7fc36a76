//! One node as a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::fcp_program::{Fcp, Finished, finish};
use crate::process::Process;
use crate::programs::programs;

/// Time for a node to start; a store with much in it and a busy machine included.
const START_MAX: Duration = Duration::from_secs(60);
/// Time for a subcommand that asks a node.
const COMMAND_MAX: Duration = Duration::from_secs(30);

/// Where a running node listens, as its own run file says.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// UDP, for other nodes.
    pub link: SocketAddr,
    /// TCP, for FCP clients.
    pub fcp: SocketAddr,
    /// TCP, for browsers.
    pub http: SocketAddr,
}

impl Addresses {
    /// Reads the run file of the node on `data_dir`.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn read(data_dir: &Path) -> Self {
        let path = data_dir.join("run.toml");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let field = |name: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find(|(key, _)| key.trim() == name)
                .and_then(|(_, value)| value.trim().trim_matches('"').parse().ok())
                .unwrap_or_else(|| panic!("no {name} in {}:\n{text}", path.display()))
        };
        Self {
            link: field("link"),
            fcp: field("fcp"),
            http: field("fproxy"),
        }
    }
}

/// A node that `warren run` runs.
#[derive(Debug)]
pub struct Node {
    data_dir: PathBuf,
    process: Process,
    addresses: Addresses,
}

impl Node {
    /// Starts a node on ports of the system's choice, and waits until it serves. Like all nodes that do not say otherwise, it
    /// hides requests as usual.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(data_dir: &Path) -> Self {
        Self::start_at(data_dir, any_port())
    }

    /// Starts a node whose UDP address is `link`, as friends know it.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start_at(data_dir: &Path, link: SocketAddr) -> Self {
        Self::start_as(data_dir, link, &["run"])
    }

    /// Starts a node whose neighbours see what it asks for. Others wait for half a minute when their guard dies.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start_seen_at(data_dir: &Path, link: SocketAddr) -> Self {
        let arguments = ["run", "--anonymity", "0", "--neighbours-may-see-keys"];
        Self::start_as(data_dir, link, &arguments)
    }

    /// Starts a node that introduces others to the opennet.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start_seed(data_dir: &Path) -> Self {
        Self::start_as(data_dir, any_port(), &["seed"])
    }

    /// Starts a node that joins the opennet through the node with the reference `seed`, or without it through its former
    /// peers.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start_joining(data_dir: &Path, seed: Option<&str>) -> Self {
        let mut arguments = vec!["run", "--opennet"];
        arguments.extend(seed.iter().flat_map(|seed| ["--seed", seed]));
        Self::start_as(data_dir, any_port(), &arguments)
    }

    fn start_as(data_dir: &Path, link: SocketAddr, arguments: &[&str]) -> Self {
        let mut command = Command::new(&programs().warren);
        command
            .args(arguments)
            // No line is to be spared
            .args(["--upload", "256 MiB"])
            .args([
                "--fcp-listen",
                "127.0.0.1:0",
                "--http-listen",
                "127.0.0.1:0",
            ])
            .arg("--listen")
            .arg(link.to_string())
            .arg("--data-dir")
            .arg(data_dir);
        let mut process = Process::start(&mut command);
        process.wait_for("stop with Ctrl-C", START_MAX);
        Self {
            addresses: Addresses::read(data_dir),
            data_dir: data_dir.to_owned(),
            process,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Its data folder.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// A client of this node.
    #[must_use]
    pub fn fcp(&self) -> Fcp {
        Fcp::new(self.addresses.fcp)
    }

    /// Runs `warren` with these arguments on this node's data folder.
    ///
    /// # Panics
    /// If it fails; the text tells its output.
    #[must_use]
    pub fn warren(&self, arguments: &[&str]) -> String {
        warren(arguments, &self.data_dir).expect_done()
    }

    /// As [`Node::warren`], whatever it ends with.
    #[must_use]
    pub fn warren_finished(&self, arguments: &[&str]) -> Finished {
        warren(arguments, &self.data_dir)
    }

    /// Links two nodes with each other, as their owners would.
    ///
    /// # Panics
    /// If a reference is refused.
    pub fn befriend(&self, other: &Self) {
        let (own, others) = (self.warren(&["reference"]), other.warren(&["reference"]));
        let _ = self.warren(&["peer", "add", others.trim()]);
        let _ = other.warren(&["peer", "add", own.trim()]);
    }

    /// What `warren status --json` says.
    ///
    /// # Panics
    /// If the node does not answer with JSON.
    #[must_use]
    pub fn status(&self) -> Value {
        let text = self.warren(&["status", "--json"]);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// How many links are up.
    ///
    /// # Panics
    /// As [`Node::status`].
    #[must_use]
    pub fn peers_connected(&self) -> u64 {
        self.status()["peers_connected"]
            .as_u64()
            .expect("the status tells how many links are up")
    }
}

/// Runs `warren` with these arguments on a data folder, to its end.
///
/// # Panics
/// If it does not end.
#[must_use]
pub fn warren(arguments: &[&str], data_dir: &Path) -> Finished {
    let mut command = Command::new(&programs().warren);
    command.args(arguments).arg("--data-dir").arg(data_dir);
    finish(&mut command, COMMAND_MAX)
}

/// On this machine only, wherever there is room.
#[must_use]
pub fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
