//! `warren demo`: a network on one machine, a sample site in it, and hints what to try.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;
use crypto::Uri;

use super::run::stop_signal;
use super::running::{EXIT_USAGE, Failure, Outcome, failure, note, say};
use super::user_data_dir;
use crate::config::LogLevel;
use crate::demo::{self, Demo, DemoConfig, DemoError};
use crate::logging;

#[derive(Args)]
#[command(after_help = "Examples:
  warren demo
  warren demo --opennet                 the nodes find each other, starting from node 0
  warren demo --nodes 25 --data-dir /tmp/my-network --no-open")]
pub(crate) struct DemoArguments {
    /// How many nodes
    #[arg(long, default_value_t = 12)]
    nodes: usize,
    /// Folder of the network; a second start with the same folder finds what was published
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// FCP port of node 0; node i has the i-th after it; 0 lets the system choose
    #[arg(long, value_name = "PORT", default_value_t = 9481)]
    fcp_port: u16,
    /// HTTP port of node 0; node i has the i-th after it; 0 lets the system choose
    #[arg(long, value_name = "PORT", default_value_t = 8888)]
    http_port: u16,
    /// Let the nodes find each other as strangers, starting from node 0, instead of linking them as friends
    #[arg(long)]
    opennet: bool,
    /// Over how many nodes requests travel sealed: 0 (neighbours see the keys), 2, 4, 6 or 8. Usually 6; 0 with two nodes
    #[arg(long, value_name = "HOPS")]
    anonymity: Option<u8>,
    /// Do not open a browser
    #[arg(long)]
    no_open: bool,
}

/// Runs the network until it is interrupted.
pub(crate) fn run(arguments: &DemoArguments) -> Outcome {
    logging::start(LogLevel::Warn);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: &DemoArguments) -> Outcome {
    let config = DemoConfig {
        nodes: arguments.nodes,
        data_dir: arguments
            .data_dir
            .clone()
            .unwrap_or_else(|| user_data_dir().join("warren-demo")),
        fcp_port: arguments.fcp_port,
        http_port: arguments.http_port,
        opennet: arguments.opennet,
        anonymity: arguments.anonymity,
    };
    let stop = stop_signal()?;
    tokio::pin!(stop);
    let begin = Instant::now();
    note(&format!(
        "warren: starting {} nodes in {}",
        config.nodes,
        config.data_dir.display()
    ));
    let demo = tokio::select! {
        demo = Demo::start(&config) => demo.map_err(demo_failure)?,
        () = &mut stop => return Ok(()),
    };
    let site = tokio::select! {
        site = demo::publish(demo.nodes()[0].client(), &config.data_dir) => site,
        () = &mut stop => {
            demo.stop().await;
            return Ok(());
        }
    };
    let site = match site {
        Ok(site) => site,
        Err(error) => {
            demo.stop().await;
            return Err(error.into());
        }
    };
    note(&format!(
        "warren: ready after {:.1} s",
        begin.elapsed().as_secs_f64()
    ));
    if config.opennet {
        introduce_seed(&demo, &config)?;
    }
    introduce(&demo, &site);
    if !arguments.no_open {
        open_browser(&page(&demo, demo.nodes().len() - 1, &site));
    }
    stop.await;
    note("warren: stopping");
    demo.stop().await;
    Ok(())
}

fn demo_failure(error: DemoError) -> Failure {
    match error {
        DemoError::Usage(_) => failure(EXIT_USAGE, error),
        other => other.into(),
    }
}

fn page(demo: &Demo, index: usize, site: &Uri) -> String {
    let address = demo.nodes()[index].http_address();
    address.map_or_else(String::new, |address| format!("http://{address}/{site}"))
}

fn introduce(demo: &Demo, site: &Uri) {
    let nodes = demo.nodes();
    let last = nodes.len() - 1;
    let home = nodes[0]
        .http_address()
        .map_or_else(String::new, |address| format!("http://{address}/"));
    let fcp_port = |index: usize| {
        nodes[index]
            .fcp_address()
            .map_or(0, |address| address.port())
    };
    let other = last.min(5);
    say(&format!(
        "
A network of {count} nodes is running on this machine.

The sample site was published through node 0. Read it through node {last}:
  {page}

The home page of node 0, with a form to publish a file:
  {home}

Publish a file or a folder through node 0, and read it through node {other}:
  FCP_PORT={put} fcp put photo.jpg
  FCP_PORT={get} fcp get CHK@...
  curl -O {curl}CHK@...

Ctrl-C stops the network; the same command starts it again with all that was published.
",
        count = nodes.len(),
        page = page(demo, last, site),
        put = fcp_port(0),
        get = fcp_port(other),
        curl = nodes[other]
            .http_address()
            .map_or_else(String::new, |address| format!("http://{address}/")),
    ));
}

/// Says how another node joins, and writes down what it needs for that.
fn introduce_seed(demo: &Demo, config: &DemoConfig) -> Outcome {
    let seed = config.data_dir.join("seed.txt");
    let reference = demo.nodes()[0].reference()?;
    std::fs::write(&seed, format!("{reference}\n"))?;
    say(&format!(
        "
The nodes found each other, starting from node 0. One more node joins them by
  warren run --opennet --seed {seed} --data-dir /tmp/one-more --listen 127.0.0.1:0 --fcp-listen 127.0.0.1:0 --http-listen 127.0.0.1:0
Who is linked with whom, and how requests ended, for example at node 3:
  warren status --data-dir {node}",
        seed = seed.display(),
        node = demo::node_dir(&config.data_dir, 3.min(demo.nodes().len() - 1)).display(),
    ));
    Ok(())
}

/// Opens the user's browser where there is a display. A failure is no failure of the demo: the address is printed.
fn open_browser(url: &str) {
    let display = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if display {
        "xdg-open"
    } else {
        return;
    };
    let started = Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = started {
        note(&format!(
            "warren: no browser could be opened ({program}: {error})"
        ));
    }
}
