//! The page that tells of a failure.

use maud::{Markup, html};

use super::layout::{Here, Page, address_of_node, framed};
use crate::app::App;
use crate::origin::Origin;
use crate::problem::Problem;

/// Writes the page.
pub(crate) fn page(app: &App, origin: &Origin, problem: &Problem) -> Markup {
    let home = address_of_node(app, origin);
    let content = html! {
        section.card.center {
            p.badge.bad { "Error " (problem.status.as_u16()) }
            h1 { (problem.title) }
            p { (problem.detail) }
            p { (problem.advice) }
            p.actions {
                @if problem.is_worth_another_try() {
                    // An empty address is this page itself.
                    a.button.primary href="" { "Try again" }
                }
                a.button href={ (home) "/" } { "Start page" }
                a.button href={ (home) "/status" } { "State of the node" }
            }
        }
    };
    framed(
        app,
        origin,
        &Page {
            title: problem.title,
            here: Here::Elsewhere,
            refresh_s: None,
            content,
        },
    )
}
