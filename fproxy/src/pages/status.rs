//! The page about the node.

use maud::{Markup, html};

use super::figures;
use super::layout::{Here, Page, framed};
use crate::app::App;
use crate::network::{AnonymityStatus, LinkStatus, NodeStatus, PeerStatus, StoreStatus};
use crate::origin::Origin;

/// Writes the page.
pub(crate) fn page(app: &App, status: &NodeStatus) -> Markup {
    let connected = status.peers_connected();
    let content = html! {
        h1 { "This node" }
        dl.figures.card {
            @if !status.name.is_empty() { dt { "Name" } dd { (status.name) } }
            dt { "Identity" } dd.code { (status.id) }
            dt { "Version" } dd { (status.version) }
            dt { "Running for" } dd { (figures::duration(status.uptime)) }
        }
        h2 { "Peers " span.quiet { (connected) " of " (status.peers.len()) " connected" } }
        @if status.peers.is_empty() {
            p.card { "There are none yet. Exchange references with a friend: " code { "warren reference" } " prints yours, "
                code { "warren peer add" } " takes theirs." }
        } @else {
            (peers(&status.peers))
        }
        h2 { "Anonymity" }
        (anonymity(&status.anonymity))
        h2 { "Store" }
        (stores(&status.stores))
        p.quiet { "The blocks lie there encrypted. What opens them is in the addresses of those who read them, not here." }
    };
    framed(
        app,
        &Origin::Node,
        &Page {
            title: "This node",
            here: Here::Status,
            refresh_s: Some(30),
            content,
        },
    )
}

fn anonymity(status: &AnonymityStatus) -> Markup {
    let promised = status.hops_promised;
    html! {
        @if promised == 0 {
            p.card { strong { "It is switched off." } " The nodes next to this one can see what you ask for here. "
                a href="/settings" { "Settings" } }
        } @else {
            @match status.hops_least {
                None => p.card { strong { "There is no way yet to hide a request." }
                    " Nothing can be fetched or published until there are peers that have peers themselves." },
                Some(least) if least < promised => p.card {
                    strong { "Weaker than you asked for: " (least) " hops instead of " (promised) "." }
                    " The network around this node is too small or too thin. More peers help."
                },
                Some(_) => {}
            }
            p.quiet { "Requests travel sealed over " (promised) " or more other nodes before they begin. "
                "Peers see that this node asks for something, and not for what." }
            dl.figures.card {
                dt { "Hops promised" } dd { (promised) " (" a href="/settings" { "change" } ")" }
                dt { "Hops wished for" } dd { (status.hops_wished) }
                dt { "Hops at present" } dd { @match status.hops_least { Some(least) => (least), None => "none" } }
                dt { "Circuits ready" } dd { (status.circuits_ready) }
            }
        }
    }
}

fn peers(peers: &[PeerStatus]) -> Markup {
    html! {
        table.list {
            thead { tr { th { "Peer" } th { "State" } th.number { "Round trip" } th.number { "Location" } } }
            tbody {
                @for peer in peers {
                    tr {
                        td {
                            @if peer.name.is_empty() { span.code { (figures::shortened(&peer.id)) } }
                            @else { (peer.name) " " span.code.quiet { (peer.id.chars().take(8).collect::<String>()) "…" } }
                        }
                        @match peer.link {
                            LinkStatus::Connected { since, round_trip } => {
                                td { span.dot.good {} "connected for " (figures::duration(since)) }
                                td.number { @if let Some(time) = round_trip { (figures::duration(time)) } }
                            }
                            LinkStatus::Unreachable => {
                                td { span.dot.bad {} "not reached" }
                                td {}
                            }
                        }
                        td.number { (format!("{:.4}", peer.location)) }
                    }
                }
            }
        }
    }
}

fn stores(stores: &[StoreStatus]) -> Markup {
    html! {
        table.list {
            thead { tr { th { "Part" } th.number { "Blocks" } th { "Filled" } th.number { "Size" } } }
            tbody {
                @for store in stores {
                    tr {
                        td { (store.name) }
                        td.number { (figures::count(store.blocks)) }
                        td { progress.fill max=(store.bytes_max.max(1)) value=(store.bytes.min(store.bytes_max)) {} }
                        td.number { (figures::bytes(store.bytes)) " of " (figures::bytes(store.bytes_max)) }
                    }
                }
            }
        }
    }
}
