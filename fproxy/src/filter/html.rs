//! The filter for pages.
//!
//! A browser's own parsing rules (html5ever) make a tree of whatever was written; the elements and attributes that are
//! known to be harmless are then written out from the tree, all else is left out. The result is parsed and filtered
//! again until it no longer changes: what the browser will read is then what was checked. Text that changes its
//! meaning between two readings is the root of the attacks that HTML filters are known for.

mod attributes;
mod dom;
mod elements;
mod prescan;
mod srcset;
mod write;

use std::time::{Duration, Instant};

use super::FilterError;
use super::links::Links;

/// Readings after which the page must have stopped changing. Ordinary pages need two, with bad nesting three.
const READINGS_MAX: usize = 5;

/// Time for all readings. Some inputs cost a parser time that grows with the square of their length.
const TIME_MAX: Duration = Duration::from_secs(2);

/// Filters a page.
pub(crate) fn document(text: &str, links: &Links) -> Result<String, FilterError> {
    if !prescan::attributes_are_few(text) {
        return Err(FilterError::TooComplex);
    }
    let deadline = Instant::now() + TIME_MAX;
    let mut before = pass(text, links, deadline)?;
    for _ in 1..READINGS_MAX {
        let after = pass(&before, links, deadline)?;
        if after == before {
            return Ok(after);
        }
        before = after;
    }
    Err(FilterError::Unstable)
}

fn pass(text: &str, links: &Links, deadline: Instant) -> Result<String, FilterError> {
    let links = links.renewed();
    let dom = dom::parse(text, deadline)?;
    let page = write::page(&dom, &links);
    if links.are_too_many() {
        return Err(FilterError::TooComplex);
    }
    Ok(page)
}

#[cfg(test)]
mod tests;
