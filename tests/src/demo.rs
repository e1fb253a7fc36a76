//! A whole network in one process: `warren demo`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::fcp_program::Fcp;
use crate::node::Addresses;
use crate::process::Process;
use crate::programs::programs;

/// Time for the network to be ready on a busy machine. (Alone on a machine it takes less than 5 s.)
const START_MAX: Duration = Duration::from_secs(120);

/// A running demonstration network.
#[derive(Debug)]
pub struct Demo {
    process: Process,
    nodes: Vec<Addresses>,
    page: String,
}

impl Demo {
    /// Starts `count` nodes in `data_dir`, on ports of the system's choice, and waits until the network is ready.
    ///
    /// # Panics
    /// If it does not become ready.
    #[must_use]
    pub fn start(count: usize, data_dir: &Path) -> Self {
        Self::start_with(count, data_dir, &[])
    }

    /// The same with further arguments of `warren demo`.
    ///
    /// # Panics
    /// If it does not become ready.
    #[must_use]
    pub fn start_with(count: usize, data_dir: &Path, arguments: &[&str]) -> Self {
        Self::run(Command::new(&programs().warren), count, data_dir, arguments)
    }

    /// The same with a log as `filter` says.
    ///
    /// # Panics
    /// If it does not become ready.
    #[must_use]
    pub fn start_logging(count: usize, data_dir: &Path, filter: &str) -> Self {
        let mut command = Command::new(&programs().warren);
        command.env("RUST_LOG", filter);
        Self::run(command, count, data_dir, &[])
    }

    fn run(mut command: Command, count: usize, data_dir: &Path, arguments: &[&str]) -> Self {
        command
            .args(["demo", "--no-open", "--fcp-port", "0", "--http-port", "0"])
            .args(arguments)
            .args(["--nodes", &count.to_string()])
            .arg("--data-dir")
            .arg(data_dir);
        let mut process = Process::start(&mut command);
        // Standard output and standard error arrive in no fixed order.
        let page = process.wait_for("http://", START_MAX).trim().to_owned();
        process.wait_for("Ctrl-C", START_MAX);
        let nodes = (0..count)
            .map(|index| Addresses::read(&data_dir.join(format!("node-{index}"))))
            .collect();
        Self {
            process,
            nodes,
            page,
        }
    }

    /// Where the nodes listen, in order.
    #[must_use]
    pub fn nodes(&self) -> &[Addresses] {
        &self.nodes
    }

    /// A client of node `index`.
    #[must_use]
    pub fn fcp(&self, index: usize) -> Fcp {
        Fcp::new(self.nodes[index].fcp)
    }

    /// The address of the sample site, as the program prints it.
    #[must_use]
    pub fn page(&self) -> &str {
        &self.page
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}
