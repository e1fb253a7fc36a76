//! `warren run` and `warren seed`: one node in the foreground.

use tokio::signal::unix::{SignalKind, signal};

use super::RunArguments;
use super::peer::reference_text;
use super::running::{EXIT_USAGE, Failure, Outcome, failure, note, say};
use crate::config::{Config, LogLevel, Overrides, SEEDS_MAX};
use crate::data_dir::DataDir;
use crate::logging;
use crate::node::Node;
use crate::reference::{Reference, ReferenceError};
use crate::store::SharedResources;

/// Runs a node until it is interrupted or a client asks it to stop.
pub(crate) fn run(arguments: &RunArguments) -> Outcome {
    start(arguments, &overrides(arguments)?, false)
}

/// Runs a node that introduces others, and prints its reference.
pub(crate) fn seed(arguments: &RunArguments) -> Outcome {
    let overrides = Overrides {
        opennet: Some(true),
        introduce: Some(true),
        ..overrides(arguments)?
    };
    start(arguments, &overrides, true)
}

fn start(arguments: &RunArguments, overrides: &Overrides, print_reference: bool) -> Outcome {
    let data_dir = DataDir::open(&arguments.data_dir.path())?;
    let config =
        Config::load(data_dir.path(), overrides).map_err(|error| failure(EXIT_USAGE, error))?;
    if !config.opennet.enabled && !arguments.seeds.is_empty() {
        let text = "--seed is for nodes of the opennet, which is off; add --opennet, or set opennet.enabled in warren.toml";
        return Err(failure(EXIT_USAGE, anyhow::anyhow!(text)));
    }
    logging::start(config.log.level);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(data_dir, config, print_reference))
}

async fn serve(data_dir: DataDir, config: Config, print_reference: bool) -> Outcome {
    let opennet = config.opennet.clone();
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
    if print_reference {
        say(&node.reference()?.to_string());
        note(
            "warren: a seed; others join with `warren run --opennet --seed` and the reference above",
        );
    } else if opennet.enabled && opennet.seeds.is_empty() && !node.knows_strangers() {
        note(
            "warren: the opennet is on, but this node knows nobody there; it waits to be called. Give it a seed: --seed REF, \
             or opennet.seeds in warren.toml",
        );
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
        upload: arguments.upload,
        // A flag cannot switch off what the file switches on.
        opennet: arguments.opennet.then_some(true),
        seeds: seeds(&arguments.seeds)?,
        anonymity: arguments.anonymity,
        allow_anonymity_off: arguments.neighbours_may_see_keys.then_some(true),
        fcp_listen: arguments.fcp_listen,
        fproxy_listen: arguments.http_listen,
        log_level,
        ..Overrides::default()
    })
}

/// The seeds in references and files; `None` if none are given, so that those of the file hold.
fn seeds(given: &[String]) -> Result<Option<Vec<Reference>>, Failure> {
    let mut seeds: Vec<Reference> = Vec::new();
    for one in given {
        let text = reference_text(one)?;
        let references: Vec<&str> = text
            .split_whitespace()
            .filter(|word| word.starts_with("warren:"))
            .collect();
        if references.is_empty() {
            let found: Reference = text
                .parse()
                .map_err(|error| failure(EXIT_USAGE, anyhow::anyhow!("--seed {one}: {error}")))?;
            seeds.push(found);
        }
        for reference in references {
            let parsed = reference.parse();
            seeds.push(parsed.map_err(|error: ReferenceError| {
                failure(EXIT_USAGE, anyhow::anyhow!("--seed {one}: {error}"))
            })?);
        }
    }
    if seeds.len() > SEEDS_MAX {
        let text = format!("a node has at most {SEEDS_MAX} seeds, not {}", seeds.len());
        return Err(failure(EXIT_USAGE, anyhow::anyhow!(text)));
    }
    Ok((!seeds.is_empty()).then_some(seeds))
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
