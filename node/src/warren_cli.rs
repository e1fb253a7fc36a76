//! The program `warren`: arguments, and which part of the node they start.

mod bench;
mod demo;
mod peer;
mod run;
mod running;
mod status;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::ByteSize;

/// Exit code when the node is not running or cannot be reached.
pub const EXIT_NODE_UNREACHABLE: u8 = 8;

#[derive(Parser)]
#[command(
    name = "warren",
    version,
    about = "A node of Warren, an anonymous network for publishing and reading",
    after_help = "Examples:
  warren demo                              a whole network on this machine, with a site to look at
  warren run                               one node, in the foreground
  warren seed > seed.txt                   a node through which others join the opennet
  warren run --opennet --seed seed.txt     a node that finds its peers by itself
  warren reference > me.txt                what a friend needs to link with you
  warren peer add friend.txt               link with a friend
  warren status --json                     what the running node says of itself

Exit codes: 0 ok, 1 other failure, 2 wrong usage or configuration, 8 the node is not running."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one node in the foreground until interrupted
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArguments),
    /// Run a node that introduces newcomers to the opennet, and print its reference for their `--seed`
    #[command(after_help = SEED_EXAMPLES)]
    Seed(RunArguments),
    /// Run a network of full nodes in this process and publish a sample site into it
    Demo(demo::DemoArguments),
    /// Print this node's signed reference: give it to a friend, who adds it with `warren peer add`
    Reference(DataDirArgument),
    /// Add, list or remove friends
    #[command(subcommand)]
    Peer(peer::PeerCommand),
    /// Show what the running node says of itself
    Status(status::StatusArguments),
    /// Measure this machine: blocks, erasure coding, store, link and a whole network
    Bench(bench::BenchArguments),
}

/// Where the node keeps everything.
#[derive(Args, Clone)]
pub(crate) struct DataDirArgument {
    /// Folder of the node's identity, configuration and store
    #[arg(long, env = "WARREN_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl DataDirArgument {
    /// The folder given, or the user's own data folder.
    fn path(&self) -> PathBuf {
        self.data_dir
            .clone()
            .unwrap_or_else(|| user_data_dir().join("warren"))
    }
}

#[derive(Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    data_dir: DataDirArgument,
    /// Take part in the opennet: link with strangers, who then know this node's address
    #[arg(long)]
    opennet: bool,
    /// A node through which to join the opennet: its reference, or a file that holds references; may be repeated
    #[arg(long = "seed", value_name = "REF|FILE")]
    seeds: Vec<String>,
    /// UDP address for links with other nodes, for example 0.0.0.0:4820
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Bytes a second that this node may send, for example "500 KiB": more work for others is refused
    #[arg(long, value_name = "SIZE")]
    upload: Option<ByteSize>,
    /// Over how many nodes requests travel sealed before they begin: 0, 2, 4, 6 or 8
    #[arg(long, value_name = "HOPS")]
    anonymity: Option<u8>,
    /// Needed with `--anonymity 0`: accept that the nodes next to this one see what its user asks for
    #[arg(long)]
    neighbours_may_see_keys: bool,
    /// TCP address of the Freenet Client Protocol
    #[arg(long, value_name = "ADDR")]
    fcp_listen: Option<SocketAddr>,
    /// TCP address of the web interface
    #[arg(long, value_name = "ADDR")]
    http_listen: Option<SocketAddr>,
    /// How much to log: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
}

const RUN_EXAMPLES: &str = "Examples:
  warren run                                     links with friends only (`warren peer add`)
  warren run --opennet --seed seed.txt           finds peers by itself, starting at a seed
  warren run --opennet                           the same later: former peers are asked first
  warren run --data-dir /srv/warren --listen 0.0.0.0:4820

What holds for every start stands in warren.toml in the data folder, with a comment for each key:
[opennet] has enabled, seeds, introduce and peers_max, [link] has the address and the upload.";

const SEED_EXAMPLES: &str = "Examples:
  warren seed --listen 0.0.0.0:4820 > seed.txt   the first node of a network of its own
  warren seed --seed other.txt > seed.txt        one more seed of a network that exists

The reference is printed to standard output once the node runs. It names this machine's addresses; an outer address
that it cannot know (behind a router) goes into link.announce in warren.toml.";

/// `$XDG_DATA_HOME`, else `~/.local/share`, else the current folder.
pub(crate) fn user_data_dir() -> PathBuf {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_default()
}

/// Runs the program with the process's own arguments.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Seed(arguments) => run::seed(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Reference(arguments) => peer::print_reference(&arguments),
        Command::Peer(command) => peer::run(&command),
        Command::Status(arguments) => status::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            running::say_error(&running::describe(&failure.error));
            ExitCode::from(failure.exit_code)
        }
    }
}
