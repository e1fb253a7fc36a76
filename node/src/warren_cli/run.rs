//! `warren run`: one node in the foreground.

use tokio::signal::unix::{SignalKind, signal};

use super::RunArguments;
use super::running::{EXIT_USAGE, Failure, Outcome, failure, note};
use crate::config::{Config, LogLevel, Overrides};
use crate::data_dir::DataDir;
use crate::logging;
use crate::node::Node;
use crate::store::SharedResources;

/// Runs a node until it is interrupted or a client asks it to stop.
pub(crate) fn run(arguments: &RunArguments) -> Outcome {
    let overrides = overrides(arguments)?;
    let data_dir = DataDir::open(&arguments.data_dir.path())?;
    let config =
        Config::load(data_dir.path(), &overrides).map_err(|error| failure(EXIT_USAGE, error))?;
    logging::start(config.log.level);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(data_dir, config))
}

async fn serve(data_dir: DataDir, config: Config) -> Outcome {
    let shared = SharedResources::new(1)?;
    let folder = data_dir.path().display().to_string();
    // Before the node is up, so that an early interrupt stops it cleanly as well.
    let stop = stop_signal()?;
    let node = Node::start(data_dir, config, &shared).await?;
    note(&format!(
        "warren: node {} is running on {folder}",
        node.id()
    ));
    if let Some(address) = node.http_address() {
        note(&format!("warren: web interface at http://{address}/"));
    }
    if let Some(address) = node.fcp_address() {
        note(&format!(
            "warren: FCP at {address}; `fcp put FILE` publishes"
        ));
    }
    note("warren: stop with Ctrl-C");
    tokio::select! {
        () = stop => note("warren: stopping"),
        () = node.shutdown_wanted() => note("warren: a client asked the node to stop"),
    }
    node.stop().await;
    Ok(())
}

/// A future that ends with the first SIGINT or SIGTERM; a second one ends the process at once.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tokio::spawn(async move {
            interrupt.recv().await;
            std::process::exit(130);
        });
    })
}

fn overrides(arguments: &RunArguments) -> Result<Overrides, Failure> {
    let log_level = match &arguments.log {
        None => None,
        Some(text) => Some(log_level(text)?),
    };
    Ok(Overrides {
        link_listen: arguments.listen,
        fcp_listen: arguments.fcp_listen,
        fproxy_listen: arguments.http_listen,
        log_level,
        ..Overrides::default()
    })
}

fn log_level(text: &str) -> Result<LogLevel, Failure> {
    let levels = [
        LogLevel::Off,
        LogLevel::Error,
        LogLevel::Warn,
        LogLevel::Info,
        LogLevel::Debug,
        LogLevel::Trace,
    ];
    let named = levels.into_iter().find(|level| level.name() == text);
    named.ok_or_else(|| {
        failure(
            EXIT_USAGE,
            anyhow::anyhow!("--log takes off, error, warn, info, debug or trace, not {text}"),
        )
    })
}
