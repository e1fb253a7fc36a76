//! The page for a folder that has no default document.

use crypto::Uri;
use maud::{Markup, html};

use super::figures;
use super::layout::{Here, Page, framed};
use crate::app::App;
use crate::network::{EntryKind, ListingEntry};
use crate::origin::Origin;

/// Entries that are shown; more would make a page of many megabytes.
const ENTRIES_MAX: usize = 10_000;

/// Writes the page.
pub(crate) fn page(app: &App, origin: &Origin, folder: &Uri, entries: &[ListingEntry]) -> Markup {
    let name = folder
        .file_name()
        .map_or_else(|| figures::shortened(&folder.to_string()), str::to_owned);
    let content = html! {
        h1 { (name) "/" }
        p.quiet { "The publisher chose no page to start with. " (figures::count(entries.len() as u64)) " entries." }
        table.list {
            thead { tr { th { "Name" } th { "Type" } th.number { "Size" } } }
            tbody {
                @for entry in entries.iter().take(ENTRIES_MAX) {
                    tr {
                        @match &entry.kind {
                            EntryKind::Folder => {
                                td { a href={ "/" (within(folder, &entry.name, true)) } { (entry.name) "/" } }
                                td { "folder" }
                                td {}
                            }
                            EntryKind::File { size, content_type } => {
                                td { a href={ "/" (within(folder, &entry.name, false)) } { (entry.name) } }
                                td { (content_type.as_deref().unwrap_or("")) }
                                td.number { @if let Some(size) = size { (figures::bytes(*size)) } }
                            }
                        }
                    }
                }
            }
        }
        @if entries.len() > ENTRIES_MAX {
            p.quiet { "Only the first " (figures::count(ENTRIES_MAX as u64)) " are shown." }
        }
    };
    framed(
        app,
        origin,
        &Page {
            title: &name,
            here: Here::Elsewhere,
            refresh_s: None,
            content,
        },
    )
}

/// The address of an entry; that of a folder ends in a slash.
fn within(folder: &Uri, name: &str, is_folder: bool) -> Uri {
    let mut path = folder.path().to_vec();
    if path.last().is_some_and(String::is_empty) {
        path.pop();
    }
    path.push(name.to_owned());
    if is_folder {
        path.push(String::new());
    }
    folder.clone().with_path(path)
}
