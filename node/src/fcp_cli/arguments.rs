//! The command line.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::client::Hiding;

/// Heading of the options that every command has.
const GENERAL: &str = "General options";

const EXIT_CODES: &str = "\
Exit codes:
  0  done                          7  the document is damaged
  1  other failure                 8  no node answers
  2  wrong use of the program      9  refused by the node or a limit
  3  not found                    11  other data is there under the key already
  4  bad key                     130  interrupted
  5  may work if tried again     143  terminated
  6  only a part was found       Treat every other code as failure.

Where the node is: --host and --port, or FCP_HOST and FCP_PORT.";

const PUT_EXAMPLES: &str = "\
Examples:
  fcp put photo.jpg                                 prints CHK@…/photo.jpg
  fcp put ./my-site                                 a folder becomes a site: CHK@…/
  tar c docs | fcp put - --name docs.tar            from standard input
  fcp put photo.jpg --convergent                    same file, same key, whoever inserts it
  fcp put note.txt --key KSK@meeting-point          under a word that others can guess
  fcp keygen -o my.key                              make a key of your own, then
  fcp put ./my-site --key-file my.key --site blog   publish the next edition of USK@…/blog/N/
  fcp put note.txt --key-file my.key --name note    publish SSK@…/note

Keys that allow to publish are secret and are not taken as arguments, which every user of the machine can see.
Use --key-file FILE, --key-file - (standard input), or the environment variable FCP_INSERT_KEY.";

const GET_EXAMPLES: &str = "\
Examples:
  fcp get CHK@…/photo.jpg                    writes photo.jpg
  fcp get CHK@…/photo.jpg -o - | display     to standard output
  fcp get USK@…/blog/3/feed.xml -o feed.xml
  fcp get KSK@meeting-point --max-size 1000000";

const KEYGEN_EXAMPLES: &str = "\
Examples:
  fcp keygen -o my.key     writes the secret insert key to my.key and prints the request key
  fcp keygen               prints both: a line \"insert …\" (secret) and a line \"request …\" (to give away)

No node is needed for this. Publish with: fcp put ./my-site --key-file my.key --site NAME";

/// Publish and fetch documents through a Warren node.
#[derive(Debug, Parser)]
#[command(name = "fcp", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where the node is.
    #[command(flatten)]
    pub node: NodeAddress,
    /// Print JSON lines: {"type":"status|result|error",…}.
    #[arg(long, global = true, help_heading = GENERAL, env = "FCP_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
    /// Show progress on standard error.
    #[arg(long, global = true, help_heading = GENERAL, value_enum, default_value_t = ProgressChoice::Auto, env = "FCP_PROGRESS")]
    pub progress: ProgressChoice,
}

/// Where the node is.
#[derive(Args, Clone, Debug)]
pub struct NodeAddress {
    /// The node's host.
    #[arg(long, global = true, help_heading = GENERAL, default_value = "127.0.0.1", env = "FCP_HOST")]
    pub host: String,
    /// The node's FCP port.
    #[arg(long, global = true, help_heading = GENERAL, default_value_t = 9481, env = "FCP_PORT")]
    pub port: u16,
}

/// When to show a progress bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressChoice {
    /// A bar when standard error is a terminal.
    Auto,
    /// A bar, or a line in a second where there is no terminal.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Publish a file, a folder (as a site) or standard input; prints the URI.
    #[command(after_help = PUT_EXAMPLES)]
    Put(PutArguments),
    /// Fetch a document.
    #[command(after_help = GET_EXAMPLES)]
    Get(GetArguments),
    /// Make a key pair to publish under.
    #[command(after_help = KEYGEN_EXAMPLES)]
    Keygen(KeygenArguments),
}

/// `fcp put`.
#[derive(Args, Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches of a command line are independent"
)]
pub struct PutArguments {
    /// File, folder, or - for standard input.
    pub source: PathBuf,
    /// Where to publish: CHK@ (the default), KSK@word, or SSK@ for a fresh key pair. Secret keys go into
    /// --key-file.
    #[arg(long, value_name = "URI", conflicts_with = "key_file")]
    pub key: Option<String>,
    /// File with a secret insert key (SSK@… or USK@…), or - for standard input.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Publish as the next edition of this site (USK); needs a secret key.
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    pub site: Option<String>,
    /// Name of the document; by default the name of the file.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// MIME type; by default guessed from the name.
    #[arg(long, value_name = "TYPE")]
    pub mime: Option<String>,
    /// Same file, same URI, whoever publishes it; but whoever has the file can then tell that it is there.
    #[arg(long)]
    pub convergent: bool,
    /// Name of the document that a site opens with.
    #[arg(long, value_name = "NAME", default_value = "index.html")]
    pub default_name: String,
    /// Publish hidden files of a folder (names with a leading dot) as well.
    #[arg(long)]
    pub hidden: bool,
    /// Only compute the URI; publish nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Over how many nodes the blocks travel sealed: 0 (the node's neighbours see them), 2, 4, 6 or 8; by default as the
    /// node is set up.
    #[arg(long, value_name = "HOPS", value_parser = hops)]
    pub anonymity: Option<u8>,
}

/// `fcp get`.
#[derive(Args, Clone, Debug, Default)]
pub struct GetArguments {
    /// The document's key.
    pub uri: String,
    /// Where to write it, or - for standard output; by default a file named after the key.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it exists.
    #[arg(long)]
    pub force: bool,
    /// Refuse documents with more bytes than this.
    #[arg(long, value_name = "BYTES")]
    pub max_size: Option<u64>,
    /// Over how many nodes the requests travel sealed: 0 (the node's neighbours see the keys), 2, 4, 6 or 8; by default as
    /// the node is set up.
    #[arg(long, value_name = "HOPS", value_parser = hops)]
    pub anonymity: Option<u8>,
}

fn hops(text: &str) -> Result<u8, String> {
    let hiding = Hiding::from_text(text).map(Hiding::hops);
    hiding.ok_or_else(|| format!("allowed is {}", Hiding::ALLOWED))
}

/// `fcp keygen`.
#[derive(Args, Clone, Debug, Default)]
pub struct KeygenArguments {
    /// Write the secret insert key to this new file, readable by you alone, and print only the request key.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_forms_of_the_documentation_are_understood() {
        for line in [
            "fcp put photo.jpg",
            "fcp put - --name a --mime text/plain --json",
            "fcp --port 9486 put dir --key-file k --site blog",
            "fcp get CHK@x -o -",
            "fcp get KSK@a --max-size 5 --progress never",
            "fcp get KSK@a --anonymity 0",
            "fcp put a --anonymity 8",
            "fcp keygen --json",
        ] {
            assert!(Arguments::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
        for line in [
            "fcp",
            "fcp put",
            "fcp put a --key CHK@ --key-file b",
            "fcp put a --site b --name c",
            "fcp get",
            "fcp get KSK@a --anonymity 3",
        ] {
            assert!(
                Arguments::try_parse_from(line.split(' ')).is_err(),
                "{line}"
            );
        }
    }
}
