//! `warren status`: what the running node says of itself.

use clap::Args;
use serde_json::{Map, Value, json};

use super::DataDirArgument;
use super::running::{Outcome, block_on, connect, say};
use crate::data_dir::RunFile;
use crate::fcp::message::Message;

#[derive(Args)]
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
    let peers: Vec<Value> = peers
        .iter()
        .map(|peer| {
            json!({
                "id": peer.field("identity"),
                "name": peer.field("myName"),
                "status": peer.field("volatile.status"),
                "received_bytes": number(peer, "totalInput"),
                "sent_bytes": number(peer, "totalOutput"),
            })
        })
        .collect();
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
        "peers     {} of {} connected",
        number(node, "volatile.numberOfConnected"),
        peers.len()
    ));
    for peer in peers {
        let field = |name: &str| peer.field(name).unwrap_or_default();
        say(&format!(
            "          {} {:<16} {}",
            field("identity"),
            field("volatile.status"),
            field("myName")
        ));
    }
}
