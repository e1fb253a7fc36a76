//! `warren reference` and `warren peer add|ls|rm`.
//!
//! While the node runs it is asked over FCP, so that a change takes effect at once; otherwise the files in the data
//! folder are changed.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use routing::Trust;
use serde_json::{Value, json};

use super::DataDirArgument;
use super::running::{Failure, Outcome, block_on, connect, note, say};
use crate::config::{Config, Overrides};
use crate::data_dir::{DataDir, RunFileError, find_running};
use crate::fcp::message::Message;
use crate::node::serial;
use crate::peers_file::{Friend, PeerAdded, PeersFile};
use crate::reference::{Reference, reachable_addresses};
use crate::trust::{trust_name, trust_of};

/// Longest file that is read as a reference, in bytes.
const REFERENCE_FILE_MAX: u64 = 64 << 10;

#[derive(Subcommand)]
pub(crate) enum PeerCommand {
    /// Link with a friend: give the friend's reference, or a file that holds it
    #[command(after_help = "Examples:
  warren peer add friend.txt
  warren peer add warren:AbC...
  warren peer add friend.txt --trust high        also changes the trust in a friend who is there

Both sides must add each other before a link comes up. Trust is your secret: `low` for somebody you know only online,
who is not told where your other peers are and gets half of a friend's share; `high` for somebody whom you would tell
what you read.")]
    Add {
        /// The reference, or a file that holds it
        #[arg(value_name = "REF|FILE")]
        reference: String,
        /// How far you trust this friend: low, normal (the default) or high
        #[arg(long, value_name = "LEVEL", value_parser = trust_level)]
        trust: Option<Trust>,
        #[command(flatten)]
        data_dir: DataDirArgument,
    },
    /// List the peers of this node: friends, linked or not, and strangers of the opennet
    #[command(after_help = "Examples:
  warren peer ls
  warren peer ls --json | jq -r 'select(.kind == \"stranger\") | .location'

Columns: identity, state, kind (friend: with the trust in it), location on the ring (0 to 1), requests of the peer in
progress here, merit (of the last questions to it: found, unanswered, all), credit (our requests in progress there, and
how many it allows: for somebody who waits, and bulk), received and sent MiB over the present link, round trip, name.
A stranger is NEGOTIATING until both nodes have agreed to keep the link.")]
    Ls {
        /// Print JSON lines
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data_dir: DataDirArgument,
    },
    /// Forget a friend
    Rm {
        /// The friend's identity, its first letters, or its name as `warren peer ls` prints them
        #[arg(value_name = "ID|NAME")]
        peer: String,
        #[command(flatten)]
        data_dir: DataDirArgument,
    },
}

/// Carries out `warren peer`.
pub(crate) fn run(command: &PeerCommand) -> Outcome {
    match command {
        PeerCommand::Add {
            reference,
            trust,
            data_dir,
        } => add(&data_dir.path(), reference, *trust),
        PeerCommand::Ls { json, data_dir } => list(&data_dir.path(), *json),
        PeerCommand::Rm { peer, data_dir } => remove(&data_dir.path(), peer),
    }
}

/// Carries out `warren reference`.
pub(crate) fn print_reference(arguments: &DataDirArgument) -> Outcome {
    let path = arguments.path();
    if is_running(&path)? {
        let data = block_on(async { Ok(connect(&path).await?.1.node_data().await?) })?;
        let reference = data
            .field("Reference")
            .context("the node did not tell its reference")?;
        say(reference);
        return Ok(());
    }
    let data_dir = DataDir::open(&path)?;
    let identity = data_dir.identity()?;
    let config = Config::load(data_dir.path(), &Overrides::default())?;
    let addresses = reachable_addresses(config.link.listen, &config.link.announce);
    say(&Reference::sign(&identity, &config.node.name, &addresses, serial())?.to_string());
    Ok(())
}

fn trust_level(text: &str) -> Result<Trust, String> {
    trust_of(text).ok_or_else(|| "trust is low, normal or high".to_owned())
}

fn add(path: &Path, given: &str, trust: Option<Trust>) -> Outcome {
    let text = reference_text(given)?;
    let reference: Reference = text.parse()?;
    if is_running(path)? {
        block_on(async {
            Ok(connect(path)
                .await?
                .1
                .add_peer(&reference.to_string(), trust)
                .await?)
        })?;
        note(&format!(
            "added {}; the node is connecting to it",
            reference.name()
        ));
        return Ok(());
    }
    let (_lock, mut peers) = open_peers(path)?;
    match peers.add(reference.clone(), trust)? {
        PeerAdded::New => note(&format!(
            "added {}; `warren run` will connect to it",
            reference.name()
        )),
        PeerAdded::Renewed => note(&format!("renewed the reference of {}", reference.name())),
        PeerAdded::Trusted => note(&format!("changed the trust in {}", reference.name())),
    }
    Ok(())
}

fn list(path: &Path, json: bool) -> Outcome {
    if is_running(path)? {
        let peers = block_on(async { Ok(connect(path).await?.1.peers().await?) })?;
        for peer in &peers {
            print_running_peer(peer, json);
        }
        return Ok(());
    }
    let (_lock, peers) = open_peers(path)?;
    for Friend { reference, trust } in peers.peers() {
        let (id, name) = (reference.id().to_string(), reference.name());
        let trust = trust_name(*trust);
        if json {
            let peer = json!({
                "type": "peer",
                "id": id,
                "name": name,
                "status": "NOT RUNNING",
                "kind": "friend",
                "trust": trust,
            });
            say(&peer.to_string());
        } else {
            say(&format!("{id}  NOT RUNNING   friend ({trust})  {name}"));
        }
    }
    Ok(())
}

fn print_running_peer(peer: &Message, json: bool) {
    say(&if json {
        peer_json(peer).to_string()
    } else {
        peer_line(peer)
    });
}

/// What a running node says of one of its peers.
pub(super) fn peer_json(peer: &Message) -> Value {
    let round_trip: Option<f64> = peer.field("volatile.averagePingTime").and_then(parsed);
    json!({
        "type": "peer",
        "id": peer.field("identity"),
        "name": peer.field("myName"),
        "status": peer.field("volatile.status"),
        "kind": kind(peer),
        "trust": peer.field("trustLevel").map(str::to_lowercase),
        "location": peer.field("location").and_then(parsed::<f64>),
        "requests_running": peer.field("volatile.requestsRunning").and_then(parsed::<u64>),
        "questions": {
            "asked": peer.field("volatile.questionsAsked").and_then(parsed::<u64>),
            "found": peer.field("volatile.questionsFound").and_then(parsed::<u64>),
            "late": peer.field("volatile.questionsLate").and_then(parsed::<u64>),
        },
        "credit": {
            "used": peer.field("volatile.creditUsed").and_then(parsed::<u64>),
            "real_time": peer.field("volatile.creditRealTime").and_then(parsed::<u64>),
            "bulk": peer.field("volatile.creditBulk").and_then(parsed::<u64>),
        },
        "received_bytes": peer.field("totalInput").and_then(parsed::<u64>),
        "sent_bytes": peer.field("totalOutput").and_then(parsed::<u64>),
        "round_trip_ms": round_trip,
        "connected_seconds": peer.field("volatile.connectedSeconds").and_then(parsed::<u64>),
    })
}

/// The same for people.
pub(super) fn peer_line(peer: &Message) -> String {
    let field = |name: &str| peer.field(name).unwrap_or_default();
    let kind = match peer.field("trustLevel") {
        Some(trust) => format!("{} ({})", kind(peer), trust.to_lowercase()),
        None => kind(peer).to_owned(),
    };
    let mebibytes = |name: &str| field(name).parse().unwrap_or(0.0) / f64::from(1 << 20);
    let location: f64 = field("location").parse().unwrap_or_default();
    let merit = format!(
        "{}/{}/{}",
        field("volatile.questionsFound"),
        field("volatile.questionsLate"),
        field("volatile.questionsAsked")
    );
    let credit = format!(
        "{}/{}/{}",
        field("volatile.creditUsed"),
        field("volatile.creditRealTime"),
        field("volatile.creditBulk")
    );
    let round_trip = peer
        .field("volatile.averagePingTime")
        .and_then(parsed::<f64>)
        .map_or_else(|| "-".to_owned(), |time| format!("{time:.1} ms"));
    format!(
        "{}  {:<12}  {kind:<15}  {location:.5}  {:>4}  {merit:>11}  {credit:>11}  {:>9.1}  {:>9.1}  {round_trip:>9}  {}",
        field("identity"),
        field("volatile.status"),
        field("volatile.requestsRunning"),
        mebibytes("totalInput"),
        mebibytes("totalOutput"),
        field("myName"),
    )
}

fn kind(peer: &Message) -> &'static str {
    if peer.field("opennet") == Some("true") {
        "stranger"
    } else {
        "friend"
    }
}

fn parsed<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn remove(path: &Path, wanted: &str) -> Outcome {
    if is_running(path)? {
        return block_on(async {
            let mut client = connect(path).await?.1;
            let peers = client.peers().await?;
            let id = find_peer(&peers, wanted)?;
            client.remove_peer(&id).await?;
            note(&format!("removed {id}"));
            Ok(())
        });
    }
    let (_lock, mut peers) = open_peers(path)?;
    let removed = peers.remove(wanted)?;
    note(&format!("removed {}", removed.id()));
    Ok(())
}

fn find_peer(peers: &[Message], wanted: &str) -> Result<String, Failure> {
    let matches = |peer: &&Message| {
        let id = peer.field("identity").unwrap_or_default();
        id == wanted
            || peer.field("myName") == Some(wanted)
            || (wanted.len() >= 6 && id.starts_with(wanted))
    };
    let mut found = peers.iter().filter(matches);
    match (found.next(), found.next()) {
        (Some(peer), None) => Ok(peer.field("identity").unwrap_or_default().to_owned()),
        (Some(_), Some(_)) => {
            Err(anyhow::anyhow!("several peers are called {wanted}; give the identity").into())
        }
        (None, _) => {
            Err(anyhow::anyhow!("no peer is called {wanted}; see `warren peer ls`").into())
        }
    }
}

pub(super) fn reference_text(given: &str) -> Result<String, Failure> {
    if given.trim_start().starts_with("warren:") {
        return Ok(given.to_owned());
    }
    let path = PathBuf::from(given);
    let read = || -> std::io::Result<String> {
        let length = std::fs::metadata(&path)?.len();
        if length > REFERENCE_FILE_MAX {
            return Err(std::io::Error::other("too large to be a reference"));
        }
        std::fs::read_to_string(&path)
    };
    Ok(read().with_context(|| {
        format!("{given} is neither a reference (warren:...) nor a file that can be read")
    })?)
}

/// The lock keeps a node from starting meanwhile.
fn open_peers(path: &Path) -> Result<(DataDir, PeersFile), Failure> {
    let data_dir = DataDir::open(path)?;
    let own = data_dir.identity()?.id();
    let peers = PeersFile::open(data_dir.path(), own)?;
    Ok((data_dir, peers))
}

fn is_running(path: &Path) -> Result<bool, Failure> {
    match find_running(path) {
        Ok(_) => Ok(true),
        Err(RunFileError::NotRunning(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
