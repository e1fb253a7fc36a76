//! `warren status`: what the running node says of itself.

use clap::Args;
use serde_json::{Map, Value, json};

use super::DataDirArgument;
use super::peer::{peer_json, peer_line};
use super::running::{Outcome, block_on, connect, say};
use crate::data_dir::RunFile;
use crate::fcp::message::Message;

#[derive(Args)]
#[command(after_help = "Examples:
  warren status
  warren status --json | jq .requests

Requests are counted since the node started. Those of peers are the ones that this node answered, whether it had the
block or asked further; how many hops a block came from is not told by anybody, since it would tell where it is kept.
Peers are listed as by `warren peer ls`.")]
pub(crate) struct StatusArguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data_dir: DataDirArgument,
}

/// Asks the node and prints what it says.
pub(crate) fn run(arguments: &StatusArguments) -> Outcome {
    let path = arguments.data_dir.path();
    let (run, node, peers) = block_on(async {
        let (run, mut client) = connect(&path).await?;
        let node = client.node_data().await?;
        let peers = client.peers().await?;
        Ok((run, node, peers))
    })?;
    if arguments.json {
        say(&as_json(&run, &node, &peers).to_string());
    } else {
        print_text(&run, &node, &peers);
    }
    Ok(())
}

fn number(message: &Message, field: &str) -> u64 {
    message
        .field(field)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

fn as_json(run: &RunFile, node: &Message, peers: &[Message]) -> Value {
    let peers: Vec<Value> = peers.iter().map(peer_json).collect();
    let mut status = Map::new();
    status.insert("type".into(), "status".into());
    status.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    status.insert("pid".into(), run.pid.into());
    status.insert("id".into(), run.identity.to_string().into());
    status.insert("name".into(), node.field("myName").into());
    status.insert("location".into(), node.field("location").into());
    status.insert("link_address".into(), run.link.to_string().into());
    status.insert(
        "fcp_address".into(),
        run.fcp.map(|address| address.to_string()).into(),
    );
    status.insert(
        "http_address".into(),
        run.fproxy.map(|address| address.to_string()).into(),
    );
    status.insert(
        "uptime_seconds".into(),
        number(node, "volatile.uptimeSeconds").into(),
    );
    status.insert(
        "peers_connected".into(),
        number(node, "volatile.numberOfConnected").into(),
    );
    status.insert(
        "stored_blocks".into(),
        number(node, "volatile.storedBlocks").into(),
    );
    status.insert(
        "cached_blocks".into(),
        number(node, "volatile.cachedBlocks").into(),
    );
    status.insert(
        "store_used_bytes".into(),
        number(node, "volatile.storeUsedBytes").into(),
    );
    status.insert(
        "store_limit_bytes".into(),
        number(node, "volatile.storeLimitBytes").into(),
    );
    status.insert("opennet".into(), is_open(node).into());
    status.insert("anonymity".into(), anonymity_json(node));
    status.insert("requests".into(), requests_json(node));
    status.insert("peers".into(), peers.into());
    Value::Object(status)
}

fn print_text(run: &RunFile, node: &Message, peers: &[Message]) {
    let mebibytes = |field: &str| number(node, field) >> 20;
    say(&format!("node      {}", run.identity));
    say(&format!(
        "name      {}",
        node.field("myName").unwrap_or_default()
    ));
    say(&format!(
        "process   {}, up {} s",
        run.pid,
        number(node, "volatile.uptimeSeconds")
    ));
    say(&format!("links     udp {}", run.link));
    if let Some(address) = run.fproxy {
        say(&format!("web       http://{address}/"));
    }
    if let Some(address) = run.fcp {
        say(&format!("fcp       {address}"));
    }
    say(&format!(
        "store     {} blocks stored, {} cached, {} of {} MiB",
        number(node, "volatile.storedBlocks"),
        number(node, "volatile.cachedBlocks"),
        mebibytes("volatile.storeUsedBytes"),
        mebibytes("volatile.storeLimitBytes"),
    ));
    say(&format!(
        "opennet   {}",
        if is_open(node) { "on" } else { "off" }
    ));
    say(&format!(
        "peers     {} of {} connected",
        number(node, "volatile.numberOfConnected"),
        peers.len()
    ));
    say(&format!("anonymity {}", anonymity_text(node)));
    print_requests(node);
    for peer in peers {
        say(&format!("          {}", peer_line(peer)));
    }
}

fn is_open(node: &Message) -> bool {
    node.field("opennet") == Some("true")
}

fn anonymity_json(node: &Message) -> Value {
    let least = node
        .field("volatile.circuitHopsLeast")
        .and_then(|text| text.parse::<u64>().ok());
    json!({
        "hops_promised": number(node, "volatile.anonymityHops"),
        "hops_wished": number(node, "volatile.circuitHopsWished"),
        "hops_least": least,
        "circuits_ready": number(node, "volatile.circuitsReady"),
        "circuits_building": number(node, "volatile.circuitsBuilding"),
        "circuits_relayed": number(node, "volatile.circuitsRelayed"),
    })
}

/// What hides the requests of this node's user, in one line.
fn anonymity_text(node: &Message) -> String {
    let promised = number(node, "volatile.anonymityHops");
    let relayed = number(node, "volatile.circuitsRelayed");
    if promised == 0 {
        return format!(
            "OFF: the peers see what is asked for here; {relayed} circuits of others lead through this node"
        );
    }
    let ready = number(node, "volatile.circuitsReady");
    let wished = number(node, "volatile.circuitHopsWished");
    let least = node
        .field("volatile.circuitHopsLeast")
        .and_then(|text| text.parse::<u64>().ok());
    let state = match least {
        None => "no circuit is ready, so nothing can be asked for yet".to_owned(),
        Some(least) if least < promised => {
            format!(
                "ONLY {least} HOPS at present: the network around this node is too small for more"
            )
        }
        Some(least) => format!("{least} hops or more at present, {wished} wished for"),
    };
    format!("{promised} hops promised; {state}; {ready} circuits ready, {relayed} of others")
}

/// The kinds of requests: as people call them, as they are called in JSON, and in the protocol.
const REQUESTS: [(&str, &str, &str); 4] = [
    ("own fetches", "own_fetches", "ownFetches"),
    ("own inserts", "own_inserts", "ownInserts"),
    ("peers' fetches", "peer_fetches", "peerFetches"),
    ("peers' inserts", "peer_inserts", "peerInserts"),
];

fn ended(node: &Message, kind: &str) -> (u64, u64) {
    let count = |how: &str| number(node, &format!("volatile.{kind}{how}"));
    (count("Succeeded"), count("Failed"))
}

fn requests_json(node: &Message) -> Value {
    let mut requests = Map::new();
    for (_, name, field) in REQUESTS {
        let (succeeded, failed) = ended(node, field);
        let recent = |what: &str| {
            let text = node.field(&format!("volatile.{field}Recent{what}"))?;
            text.parse::<f64>().ok()
        };
        let counts = json!({
            "succeeded": succeeded,
            "failed": failed,
            "recent": number(node, &format!("volatile.{field}Recent")),
            "recent_succeeded": number(node, &format!("volatile.{field}RecentSucceeded")),
            "recent_ms": recent("Millis"),
            "recent_hops_before": recent("Hops"),
        });
        requests.insert(name.into(), counts);
    }
    for (name, field) in [
        ("peer_refused", "volatile.peerRequestsRefused"),
        ("peer_running", "volatile.peerRequestsRunning"),
        ("own_running", "volatile.ownRequestsRunning"),
    ] {
        requests.insert(name.into(), number(node, field).into());
    }
    Value::Object(requests)
}

fn print_requests(node: &Message) {
    for (name, _, field) in REQUESTS {
        let (succeeded, failed) = ended(node, field);
        let all = succeeded + failed;
        let recent = number(node, &format!("volatile.{field}Recent"));
        let recent_succeeded = number(node, &format!("volatile.{field}RecentSucceeded"));
        let Some(percent) = (recent_succeeded * 100).checked_div(recent) else {
            continue;
        };
        let mean = |unit: &str| node.field(&format!("volatile.{field}Recent{unit}"));
        let measured = match (mean("Millis"), mean("Hops")) {
            (Some(time), _) => format!("; took {time} ms on the average"),
            (None, Some(hops)) => format!("; had come {hops} hops or more before"),
            (None, None) => String::new(),
        };
        say(&format!(
            "requests  {name}: {succeeded} of {all} succeeded; of the last {recent} {percent} %{measured}"
        ));
    }
}
