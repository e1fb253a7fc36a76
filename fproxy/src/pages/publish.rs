//! The pages for publishing.

use axum::http::StatusCode;
use maud::{Markup, html};

use super::figures;
use super::layout::{Here, Page, framed};
use super::progress::bar;
use crate::app::App;
use crate::network::InsertFailure;
use crate::origin::Origin;
use crate::problem::Problem;
use crate::uploads::UploadState;

/// The short form: one file under a key of its own.
pub(super) fn file_form(app: &App) -> Markup {
    html! {
        form.stack action="/publish" method="post" enctype="multipart/form-data" {
            input type="hidden" name="token" value=(app.form_token.text());
            input type="hidden" name="kind" value="private";
            label for="quick-file" { "File" }
            input #quick-file type="file" name="file" required;
            button.primary type="submit" { "Publish" }
        }
    }
}

/// The page with all choices.
pub(crate) fn page(app: &App) -> Markup {
    let content = html! {
        h1 { "Publish" }
        p.lead {
            "What you publish is encrypted, cut into blocks and handed to other nodes. You get a key; whoever has the key can "
            "read it, and nobody can take it back, you included."
        }
        div.columns {
            section.card {
                h2 { "A file" }
                form.stack action="/publish" method="post" enctype="multipart/form-data" {
                    input type="hidden" name="token" value=(app.form_token.text());
                    (key_choice("f"))
                    label for="file" { "File" }
                    input #file type="file" name="file" required;
                    button.primary type="submit" { "Publish file" }
                }
            }
            section.card {
                h2 { "A site or folder" }
                form.stack action="/publish" method="post" enctype="multipart/form-data" {
                    input type="hidden" name="token" value=(app.form_token.text());
                    (key_choice("s"))
                    label for="start" { "Page to start with" }
                    input #start type="text" name="default" value="index.html" autocomplete="off" spellcheck="false";
                    label for="files" { "Folder" }
                    input #files type="file" name="files" webkitdirectory multiple required;
                    button.primary type="submit" { "Publish folder" }
                }
            }
        }
        p.quiet {
            "While it is being inserted, the upload lies unencrypted in this node's folder for temporary files. "
            "Names of files and everything inside them are published as they are: look for traces of yourself first."
        }
    };
    framed(
        app,
        &Origin::Node,
        &Page {
            title: "Publish",
            here: Here::Publish,
            refresh_s: None,
            content,
        },
    )
}

fn key_choice(prefix: &str) -> Markup {
    html! {
        fieldset {
            legend { "Key" }
            label.choice { input type="radio" name="kind" value="private" checked; "A new, random one (CHK)" }
            label.choice {
                input type="radio" name="kind" value="convergent";
                "Computed from the content: the same file always gets the same key. Who has the file can find out that it is published."
            }
            label.choice { input type="radio" name="kind" value="key"; "One of mine:" }
            label.hidden for={ (prefix) "-key" } { "Insert key" }
            input id={ (prefix) "-key" } type="password" name="key" autocomplete="off" placeholder="SSK@… or USK@… insert key, or KSK@phrase";
        }
    }
}

/// How far an upload has come, or what came of it; with the status to answer with.
pub(crate) fn upload(app: &App, state: &UploadState) -> (StatusCode, Markup) {
    match &state.outcome {
        None => (StatusCode::OK, under_way(app, state)),
        Some(Ok(uri)) => (StatusCode::OK, published(app, state, &uri.to_string())),
        Some(Err(failure)) => {
            let problem = Problem::from(failure);
            (problem.status, failed(app, failure, &problem))
        }
    }
}

fn under_way(app: &App, state: &UploadState) -> Markup {
    let content = html! {
        section.card.center {
            h1 { "Publishing " (state.title) }
            (bar(state.progress, state.started.elapsed()))
            p.quiet { "This page loads itself again. You can close it: the node goes on, and this address shows how it went." }
        }
    };
    framed(
        app,
        &Origin::Node,
        &Page {
            title: "Publishing",
            here: Here::Publish,
            refresh_s: Some(2),
            content,
        },
    )
}

fn published(app: &App, state: &UploadState, key: &str) -> Markup {
    let content = html! {
        section.card.center {
            p.badge.good { "Published" }
            h1 { (state.title) }
            label for="key" { "Give this key to your readers:" }
            textarea.code #key readonly rows="4" { (key) }
            p.actions {
                a.button.primary href={ "/" (key) } { "Open it" }
                a.button href="/publish" { "Publish something else" }
            }
        }
    };
    framed(
        app,
        &Origin::Node,
        &Page {
            title: "Published",
            here: Here::Publish,
            refresh_s: None,
            content,
        },
    )
}

fn failed(app: &App, failure: &InsertFailure, problem: &Problem) -> Markup {
    let content = html! {
        section.card.center {
            p.badge.bad { "Not published" }
            h1 { (problem.title) }
            p { (problem.detail) }
            @if let InsertFailure::Collision { existing: Some(existing) } = failure {
                p { "What is there: " a href={ "/" (existing) } { (figures::shortened(&existing.to_string())) } }
            }
            p { (problem.advice) }
            p.actions { a.button.primary href="/publish" { "Back to publishing" } }
        }
    };
    framed(
        app,
        &Origin::Node,
        &Page {
            title: "Not published",
            here: Here::Publish,
            refresh_s: None,
            content,
        },
    )
}
