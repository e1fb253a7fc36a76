//! The elements that may stand in a filtered page.

/// What becomes of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays, with the attributes that are allowed on it.
    Keep,
    /// It goes, its children stay.
    Unwrap,
    /// It goes with everything in it.
    Drop,
    /// A `style` element: its text goes through the CSS filter.
    Style,
    /// A `link` element: kept if it names a style sheet or an icon.
    Link,
    /// A `meta` element: kept if it only describes the page.
    Meta,
}

/// Decides by the element's name, in lower case. Elements that nobody knows are unwrapped: they are containers of text.
pub(super) fn fate(name: &str) -> Fate {
    match name {
        "style" => Fate::Style,
        "link" => Fate::Link,
        "meta" => Fate::Meta,
        _ if KEPT.binary_search(&name).is_ok() => Fate::Keep,
        _ if DROPPED.binary_search(&name).is_ok() => Fate::Drop,
        _ => Fate::Unwrap,
    }
}

/// In the order of their bytes, for the binary search.
#[rustfmt::skip]
const KEPT: [&str; 107] = [
    "a", "abbr", "acronym", "address", "area", "article", "aside", "audio", "b", "bdi", "bdo", "big", "blockquote",
    "body", "br", "button", "caption", "center", "cite", "code", "col", "colgroup", "data", "datalist", "dd", "del",
    "details", "dfn", "dialog", "dir", "div", "dl", "dt", "em", "fieldset", "figcaption", "figure", "font", "footer",
    "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hgroup", "hr", "html", "i", "img", "input", "ins", "kbd",
    "label", "legend", "li", "main", "map", "mark", "menu", "meter", "nav", "ol", "optgroup", "option", "output", "p",
    "picture", "pre", "progress", "q", "rb", "rp", "rt", "rtc", "ruby", "s", "samp", "search", "section", "select",
    "small", "source", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "textarea",
    "tfoot", "th", "thead", "time", "title", "tr", "tt", "u", "ul", "var", "video", "wbr",
];

/// Code, other documents, other languages, and elements whose text is not text. In the order of their bytes.
#[rustfmt::skip]
const DROPPED: [&str; 24] = [
    "applet", "base", "basefont", "bgsound", "canvas", "embed", "fencedframe", "frame", "frameset", "iframe",
    "keygen", "listing", "math", "noembed", "noframes", "object", "param", "plaintext", "portal", "script", "svg",
    "template", "track", "xmp",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(KEPT.is_sorted());
        assert!(DROPPED.is_sorted());
    }

    #[test]
    fn elements_with_code_go_and_unknown_ones_leave_their_text() {
        assert_eq!(fate("script"), Fate::Drop);
        assert_eq!(fate("svg"), Fate::Drop);
        assert_eq!(fate("p"), Fate::Keep);
        assert_eq!(fate("x-widget"), Fate::Unwrap);
        assert_eq!(fate("form"), Fate::Unwrap);
    }
}
