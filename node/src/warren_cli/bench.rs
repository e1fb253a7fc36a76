//! `warren bench`: measures this machine.

use std::path::PathBuf;

use clap::Args;

use super::running::{Outcome, note, say};
use crate::bench::{self, BenchConfig, Figure};
use crate::config::LogLevel;
use crate::logging;

#[derive(Args)]
pub(crate) struct BenchArguments {
    /// Mebibytes for each measurement in memory and on disk
    #[arg(long, value_name = "MIB", default_value_t = 512)]
    size: u64,
    /// Mebibytes of the file that goes through the network
    #[arg(long, value_name = "MIB", default_value_t = 100)]
    file_size: u64,
    /// Nodes of the network
    #[arg(long, default_value_t = 12)]
    nodes: usize,
    /// Over how many nodes requests travel sealed in the network: 0, 2, 4, 6 or 8
    #[arg(long, value_name = "HOPS")]
    anonymity: Option<u8>,
    /// Folder for temporary stores, best on the disk that the node will use
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

/// Measures and prints each figure when it is known.
pub(crate) fn run(arguments: &BenchArguments) -> Outcome {
    logging::start(LogLevel::Warn);
    let folder = arguments.dir.clone().unwrap_or_else(std::env::temp_dir);
    let config = BenchConfig {
        bytes: arguments.size << 20,
        file_bytes: arguments.file_size << 20,
        nodes: arguments.nodes,
        anonymity: arguments.anonymity,
        folder: &folder,
    };
    note("warren: measuring; this takes about a minute, and nothing else should run meanwhile");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut print = |part: &str, figures: &[Figure]| print_figures(part, figures, arguments.json);
    Ok(runtime.block_on(bench::run(&config, &mut print))?)
}

fn print_figures(part: &str, figures: &[Figure], json: bool) {
    if !json {
        say(part);
    }
    for figure in figures {
        if json {
            let line = serde_json::json!({ "type": "figure", "part": part, "name": figure.name, "mb_per_s": figure.mb_per_s });
            say(&line.to_string());
        } else {
            say(&format!(
                "  {:<44} {:>8.1} MB/s",
                figure.name, figure.mb_per_s
            ));
        }
    }
}
