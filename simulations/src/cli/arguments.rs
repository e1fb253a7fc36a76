//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::replay::Weather;

const EXAMPLES: &str = "\
Examples:
  simulate list                                   what can be run
  simulate run greedy-limit --small               one scenario, in about a minute
  simulate run all --out results                  everything at full size; read results/report.html
  simulate run all --out results --resume         what a run that was broken off has not done yet
  simulate run anonymity --small --out results    how anonymous is it? several scenarios, one report
  simulate run my-scenario.toml --seed 7 --json   a scenario of your own, one JSON object on stdout
  simulate compare before after                   two folders of results, figure by figure
  simulate replay 42 --weather lossy              a small network whose every message the seed decides

Exit codes:
  0  done, and no figure misses its bar
  1  a figure misses its bar, or a scenario could not be run
  2  wrong usage: unknown scenario, unreadable file or folder
  3  the results could not be written";

/// Measures Warren's routing in simulated networks, against what papers and theory say.
#[derive(Debug, Parser)]
#[command(name = "simulate", version, after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the scenarios.
    List,
    /// Run a scenario, or several.
    Run(Run),
    /// Show two folders of results side by side.
    Compare {
        /// A folder that `run --out` made.
        a: PathBuf,
        /// Another one.
        b: PathBuf,
    },
    /// Write the report of a folder of results anew.
    Report {
        /// A folder that `run --out` made.
        folder: PathBuf,
    },
    /// Run a small network that the seed decides wholly, and print the hash of all its messages.
    Replay {
        /// Decides everything random.
        seed: u64,
        /// What happens to the network.
        #[arg(long, value_enum, default_value = "calm")]
        weather: WeatherName,
    },
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
pub(super) struct Run {
    /// A scenario's name, a file that ends in .toml, `all`, `anonymity` (all about who can find out what), or `smoke` (all
    /// that can be run in seconds).
    pub(super) what: String,
    /// Smaller sizes: about a minute a scenario.
    #[arg(long)]
    pub(super) small: bool,
    /// Decides everything random, in place of the scenario's own seed.
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// The number of nodes, in place of the scenario's own sizes, for experiments that have nodes.
    #[arg(long)]
    pub(super) nodes: Option<usize>,
    /// Where to write the report, the tables and the plots; nothing is written without.
    #[arg(long, env = "SIMULATE_OUT")]
    pub(super) out: Option<PathBuf>,
    /// Go on with the results in the folder of --out: what was run there with the same options is not run again, and what
    /// other scenarios gave stays.
    #[arg(long, requires = "out")]
    pub(super) resume: bool,
    /// Print one JSON object in place of the tables.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum WeatherName {
    /// Nothing happens.
    Calm,
    /// Messages are lost and overtake each other.
    Lossy,
    /// Nodes stop and start again.
    Failing,
}

impl From<WeatherName> for Weather {
    fn from(name: WeatherName) -> Self {
        match name {
            WeatherName::Calm => Self::Calm,
            WeatherName::Lossy => Self::Lossy,
            WeatherName::Failing => Self::Failing,
        }
    }
}
