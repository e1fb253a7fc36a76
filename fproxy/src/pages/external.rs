//! The page that warns of links out of the network.

use maud::{Markup, html};

use super::layout::{Here, Page, framed};
use crate::app::App;
use crate::origin::Origin;

/// Writes the page for an address. It is shown and can be copied; following it is left to another browser.
pub(crate) fn page(app: &App, origin: &Origin, address: &str) -> Markup {
    let content = html! {
        section.card.center {
            p.badge.bad { "Leaving the network" }
            h1 { "This link leads out of Warren" }
            label for="address" { "It points to:" }
            textarea.code #address readonly rows="3" { (address) }
            p {
                "Whoever runs that server, and whoever watches your connection, would see your address, and the link may be "
                "made just for readers of this page. Warren does not open it for you. If you still want to, copy it into "
                "another browser, best one that hides where you are."
            }
            p.quiet { "To go back to the page, use the back button of your browser." }
        }
    };
    framed(
        app,
        origin,
        &Page {
            title: "External link",
            here: Here::Elsewhere,
            refresh_s: None,
            content,
        },
    )
}
