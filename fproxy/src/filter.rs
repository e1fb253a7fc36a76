//! The content filter: nothing a publisher wrote reaches the browser as written.
//!
//! HTML and CSS are parsed and written anew from what is known to be harmless; types that cannot make a browser talk to
//! anyone are passed on under their own name; everything else is only offered as a download. The headers that go with
//! every document (a strict content security policy) are the second wall, not the first.

mod charset;
mod css;
mod html;
mod links;
mod media;

pub(crate) use charset::Charset;
pub(crate) use links::{EXTERNAL_LINK, Links, names_key};
pub(crate) use media::{HEAD_LEN, Media, Treatment, is_media_type, treatment};

/// Largest document, in bytes, that is parsed and filtered. A parsed page takes about ten times its size.
pub(crate) const FILTERED_LEN_MAX: u64 = 4 * 1024 * 1024;

/// Goes up with every change of what the filter produces: it is part of every `ETag`.
pub(crate) const VERSION: u32 = 2;

/// Why a page is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterError {
    /// Over a bound that pages made by people never reach.
    #[error("the page is nested too deeply or has too many parts to be checked")]
    TooComplex,
    /// What the filter wrote means something else when it is read again.
    #[error("the page is built so that it cannot be checked safely")]
    Unstable,
}

/// A format that the filter rewrites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rewritten {
    /// A page.
    Html,
    /// A style sheet.
    Css,
}

/// Filters a whole document; the result is UTF-8. Takes time: call it where blocking is allowed.
pub(crate) fn filter(
    format: Rewritten,
    bytes: &[u8],
    declared: Option<Charset>,
    links: &Links,
) -> Result<String, FilterError> {
    match format {
        Rewritten::Html => html::document(&charset::decode_html(bytes, declared), links),
        Rewritten::Css => {
            let sheet = css::stylesheet(&charset::decode_css(bytes, declared), links);
            if links.are_too_many() {
                return Err(FilterError::TooComplex);
            }
            Ok(sheet)
        }
    }
}
