//! The page that offers what is not shown.

use maud::{Markup, html};

use super::figures;
use super::layout::{Here, Page, address_of_node, framed};
use crate::app::App;
use crate::network::Document;
use crate::origin::Origin;

/// Writes the page.
pub(crate) fn page(app: &App, origin: &Origin, document: &Document, reason: &str) -> Markup {
    let home = address_of_node(app, origin);
    let name = document.uri.file_name().unwrap_or("This file");
    let content = html! {
        section.card.center {
            p.badge { "Not shown" }
            h1 { (name) }
            p { "This is not shown in the browser: " (reason) "." }
            dl.figures {
                dt { "Size" } dd { (figures::bytes(document.size)) }
                @if let Some(declared) = &document.content_type {
                    dt { "Declared type" } dd { (declared) }
                }
            }
            p {
                "You can save it. Mind that a program which opens it may contact servers and so give away that you have it, "
                "and that a program from a stranger can do anything."
            }
            p.actions {
                a.button.primary href={ "/" (document.uri) "?download" } { "Save the file" }
                a.button href={ (home) "/" } { "Start page" }
            }
        }
    };
    framed(
        app,
        origin,
        &Page {
            title: name,
            here: Here::Elsewhere,
            refresh_s: None,
            content,
        },
    )
}
