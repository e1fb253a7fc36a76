//! The frame around every page.

use maud::{DOCTYPE, Markup, html};

use crate::app::App;
use crate::origin::Origin;

/// A page without its frame.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    pub(super) here: Here,
    /// Seconds until the page loads itself again.
    pub(super) refresh_s: Option<u32>,
    pub(super) content: Markup,
}

/// Which entry of the menu is lit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    Home,
    Publish,
    Status,
    Settings,
    Elsewhere,
}

/// Puts a page into its frame.
pub(super) fn framed(app: &App, origin: &Origin, page: &Page<'_>) -> Markup {
    let home = address_of_node(app, origin);
    let entries = [
        (Here::Home, "/", "Read"),
        (Here::Publish, "/publish", "Publish"),
        (Here::Status, "/status", "This node"),
        (Here::Settings, "/settings", "Settings"),
    ];
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(seconds) = page.refresh_s {
                    meta http-equiv="refresh" content=(seconds);
                }
                title { (page.title) " · Warren" }
                link rel="icon" type="image/svg+xml" href="/static/warren.svg";
                link rel="stylesheet" href="/static/warren.css";
            }
            body {
                header.top {
                    a.brand href={ (home) "/" } {
                        img src="/static/warren.svg" alt="" width="28" height="28";
                        "Warren"
                    }
                    nav aria-label="Main" {
                        @for (place, path, name) in entries {
                            a href={ (home) (path) } aria-current=[(place == page.here).then_some("page")] { (name) }
                        }
                    }
                }
                main { (page.content) }
                footer { "Served by your own node. Pages from the network cannot see this one." }
            }
        }
    }
}

/// What to put before the path of a page of the node: nothing if this is its origin.
pub(super) fn address_of_node(app: &App, origin: &Origin) -> String {
    match origin {
        Origin::Node => String::new(),
        Origin::Site(_) => app.origins.node_address(),
    }
}
