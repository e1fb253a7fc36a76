//! The program `fcp`: publishes files and folders through a node and fetches documents, over the node's FCP
//! port.
//!
//! Standard output carries the result alone (a URI, a document, or JSON lines); everything else goes to
//! standard error. Insert keys are never taken as arguments, because every user of the machine can read
//! those.

mod arguments;
mod direct_disk;
mod failure;
mod get;
mod insert_target;
mod keygen;
mod progress;
mod put;
mod put_folder;
mod report;

#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use rand::RngExt;

pub use arguments::{
    Arguments, Command, GetArguments, KeygenArguments, NodeAddress, ProgressChoice, PutArguments,
};
pub use failure::{ExitStatus, Failure};
pub use report::{Output, Report};

use crate::fcp::client::FcpClient;

/// Runs the program with the arguments of this process until it ends or is interrupted.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come as errors as well, for standard output and with success.
            let status = if error.use_stderr() {
                ExitStatus::Usage
            } else {
                ExitStatus::Done
            };
            drop(error.print());
            return status.into();
        }
    };
    let report = Report::to_terminal(&arguments);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return report
                .fail(&Failure::local("the program could not start", error))
                .into();
        }
    };
    let report = Arc::new(report);
    let result = runtime.block_on(async {
        // A task of its own, because writing to standard output may block for ever.
        let reporting = Arc::clone(&report);
        let work = tokio::spawn(async move { run(arguments.command, &arguments.node, &reporting).await });
        tokio::select! {
            result = work => result.unwrap_or_else(|error| Err(Failure::local("the program failed", error))),
            status = interrupted() => Err(Failure::interrupted(status)),
        }
    });
    // Reading standard input may block a thread for ever.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitStatus::Done.into(),
        Err(failure) => report.fail(&failure).into(),
    }
}

/// Carries out one command.
///
/// # Errors
/// What went wrong, why, and what to do next.
pub async fn run(command: Command, node: &NodeAddress, report: &Report) -> Result<(), Failure> {
    match command {
        Command::Put(arguments) => put::put(arguments, node, report).await,
        Command::Get(arguments) => get::get(arguments, node, report).await,
        Command::Keygen(arguments) => keygen::keygen(&arguments, report),
    }
}

/// Connects under a name that no other run of the program uses.
async fn connect(node: &NodeAddress) -> Result<FcpClient, Failure> {
    let name = format!("fcp-{:016x}", rand::rng().random::<u64>());
    Ok(FcpClient::connect(&node.host, node.port, &name).await?)
}

/// Waits for an interrupt by the user or the system.
async fn interrupted() -> ExitStatus {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            return tokio::select! {
                _ = terminate.recv() => ExitStatus::Terminated,
                _ = tokio::signal::ctrl_c() => ExitStatus::Interrupted,
            };
        }
    }
    // Without a handler the system ends the program by itself.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    ExitStatus::Interrupted
}
