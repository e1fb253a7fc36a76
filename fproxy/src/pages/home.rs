//! The start page.

use maud::{Markup, html};

use super::layout::{Here, Page, framed};
use super::{figures, publish};
use crate::app::App;
use crate::network::NodeStatus;
use crate::origin::Origin;

/// What went wrong with the key that was entered.
pub(crate) struct Mistake {
    pub(crate) given: String,
    pub(crate) message: String,
}

/// Writes the page.
pub(crate) fn page(app: &App, status: &NodeStatus, mistake: Option<&Mistake>) -> Markup {
    let content = html! {
        section.hero {
            h1 { "What would you like to read?" }
            form.key action="/open" method="get" role="search" {
                label.hidden for="key" { "Key" }
                input #key type="text" name="key" required autofocus autocomplete="off" autocapitalize="off" spellcheck="false"
                    placeholder="Paste a key: CHK@…  SSK@…  USK@…  KSK@…"
                    value=[mistake.map(|mistake| &mistake.given)]
                    aria-invalid=[mistake.map(|_| "true")] aria-describedby=[mistake.map(|_| "mistake")];
                button.primary type="submit" { "Open" }
            }
            @if let Some(mistake) = mistake {
                p #mistake.mistake role="alert" { (mistake.message) }
            } @else {
                p.quiet {
                    "A key names a page or a file and unlocks it. Nobody but those who have the key can read what it names."
                }
            }
        }
        div.columns {
            section.card {
                h2 { "Publish a file" }
                (publish::file_form(app))
                p.quiet { "More choices, and whole sites: " a href="/publish" { "Publish" } "." }
            }
            section.card {
                h2 { "This node" }
                (summary(status))
                p.quiet { a href="/status" { "Peers and store in detail" } }
            }
        }
    };
    framed(
        app,
        &Origin::Node,
        &Page {
            title: "Read",
            here: Here::Home,
            refresh_s: None,
            content,
        },
    )
}

fn summary(status: &NodeStatus) -> Markup {
    let connected = status.peers_connected();
    let used: u64 = status.stores.iter().map(|store| store.bytes).sum();
    let room: u64 = status.stores.iter().map(|store| store.bytes_max).sum();
    html! {
        p.state {
            @if connected > 0 {
                span.dot.good {} "Connected to " strong { (connected) } " of " (status.peers.len()) " peers"
            } @else {
                span.dot.bad {} "Not connected to any peer yet"
            }
        }
        dl.figures {
            dt { "Store" }
            dd {
                (figures::bytes(used)) " of " (figures::bytes(room))
                progress.fill max=(room.max(1)) value=(used.min(room)) {}
            }
            dt { "Anonymity" }
            dd {
                @match status.anonymity.hops_promised {
                    0 => span { span.dot.bad {} a href="/settings" { "switched off" } },
                    hops => a href="/settings" { (hops) " hops" },
                }
            }
            @if !status.name.is_empty() {
                dt { "Name" }
                dd { (status.name) }
            }
            dt { "Running for" }
            dd { (figures::duration(status.uptime)) }
            dt { "Version" }
            dd { (status.version) }
        }
    }
}
