//! The page that shows how far a fetch has come.

use std::time::Duration;

use crypto::Uri;
use maud::{Markup, html};

use super::figures;
use super::layout::{Here, Page, address_of_node, framed};
use crate::app::App;
use crate::network::{Phase, Progress};
use crate::origin::Origin;

/// Writes the page.
pub(crate) fn page(
    app: &App,
    origin: &Origin,
    uri: &Uri,
    progress: Progress,
    elapsed: Duration,
) -> Markup {
    let home = address_of_node(app, origin);
    let key = uri.to_string();
    let name = uri
        .file_name()
        .map_or_else(|| figures::shortened(&key), str::to_owned);
    let content = html! {
        section.card.center {
            h1 { "Fetching " (name) }
            (bar(progress, elapsed))
            p.quiet {
                "This page loads itself again until it is there. If a download starts, you can close this page."
            }
            p.actions {
                a.button href={ "/" (key) } { "Look now" }
                a.button href={ (home) "/" } { "Give up" }
            }
            details { summary { "The key" } p.code { (key) } }
        }
    };
    framed(
        app,
        origin,
        &Page {
            title: "Fetching",
            here: Here::Elsewhere,
            refresh_s: Some(2),
            content,
        },
    )
}

/// A bar with the figures in words.
pub(super) fn bar(progress: Progress, elapsed: Duration) -> Markup {
    let Progress {
        done,
        needed,
        total,
        failed,
        phase,
    } = progress;
    html! {
        @if needed > 0 {
            progress max=(needed) value=(done.min(needed)) {}
        } @else {
            progress {}
        }
        p {
            (phase_in_words(phase))
            @if needed > 0 {
                ": " strong { (figures::count(done.min(needed))) } " of " (figures::count(needed)) " blocks"
            }
            ", " (figures::duration(Duration::from_secs(elapsed.as_secs()))) " so far."
        }
        @if total > needed || failed > 0 {
            p.quiet {
                (figures::count(total)) " blocks exist, any " (figures::count(needed)) " of them suffice."
                @if failed > 0 { " " (figures::count(failed)) " could not be found." }
            }
        }
    }
}

fn phase_in_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "Waiting for a turn",
        Phase::Searching => "Searching the network",
        Phase::Fetching => "Fetching",
        Phase::Preparing => "Preparing",
        Phase::Storing => "Handing it to other nodes",
        Phase::Done => "Finishing",
    }
}
