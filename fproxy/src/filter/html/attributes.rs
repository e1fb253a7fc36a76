//! The attributes that may stand on an element, and what becomes of their values.

use std::borrow::Cow;

use super::srcset;
use crate::filter::css;
use crate::filter::links::Links;

/// The value that an attribute keeps, or nothing if it goes.
pub(super) fn value<'a>(
    element: &str,
    name: &str,
    value: &'a str,
    links: &Links,
) -> Option<Cow<'a, str>> {
    let one_of = |allowed: &[&str]| allowed.contains(&value).then_some(Cow::Borrowed(value));
    match (element, name) {
        (_, "style") => {
            let style = css::declarations(value, links);
            (!style.is_empty()).then_some(Cow::Owned(style))
        }
        ("a" | "area", "href") => links.navigation(value).map(Cow::Owned),
        ("img", "src") | (_, "background") => links.image(value).map(Cow::Owned),
        ("audio" | "video" | "source", "src") | ("video", "poster") => {
            links.resource(value).map(Cow::Owned)
        }
        ("img" | "source", "srcset") => srcset::filter(value, links).map(Cow::Owned),
        ("img", "usemap") => value.starts_with('#').then_some(Cow::Borrowed(value)),
        ("a" | "area", "target") => one_of(&["_blank", "_self"]),
        ("input", "type") => {
            let kind = value.to_ascii_lowercase();
            INPUT_TYPES
                .contains(&kind.as_str())
                .then_some(Cow::Owned(kind))
        }
        ("button", "type") => Some(Cow::Borrowed("button")),
        _ => (is_global(name) || is_own(element, name)).then_some(Cow::Borrowed(value)),
    }
}

/// Input that sends nothing and opens nothing: style sheets can make use of its state.
const INPUT_TYPES: [&str; 9] = [
    "checkbox", "radio", "text", "search", "number", "range", "button", "color", "date",
];

/// Attributes that every element may have.
fn is_global(name: &str) -> bool {
    const GLOBAL: [&str; 17] = [
        "id",
        "class",
        "title",
        "lang",
        "dir",
        "role",
        "hidden",
        "translate",
        "tabindex",
        "align",
        "valign",
        "bgcolor",
        "color",
        "width",
        "height",
        "popover",
        "inert",
    ];
    GLOBAL.contains(&name) || name.starts_with("aria-") || name.starts_with("data-")
}

/// Attributes that one element may have besides.
fn is_own(element: &str, name: &str) -> bool {
    let of_element =
        |(elements, own): &(&[&str], &[&str])| elements.contains(&element) && own.contains(&name);
    OWN.iter().any(of_element)
}

#[rustfmt::skip]
const OWN: &[(&[&str], &[&str])] = &[
    (&["a"], &["name", "hreflang", "type", "download"]),
    (&["area"], &["alt", "coords", "shape", "download"]),
    (&["audio", "video"], &["controls", "loop", "muted", "preload", "playsinline"]),
    (&["body"], &["text", "link", "vlink", "alink"]),
    (&["button"], &["disabled", "name", "value", "popovertarget", "popovertargetaction"]),
    (&["col", "colgroup"], &["span"]),
    (&["data", "option"], &["value", "selected", "disabled", "label"]),
    (&["del", "ins", "time"], &["datetime"]),
    (&["details", "dialog"], &["open", "name"]),
    (&["fieldset", "optgroup"], &["disabled", "label"]),
    (&["font"], &["face", "size"]),
    (&["hr"], &["size", "noshade"]),
    (&["img"], &["alt", "sizes", "loading", "decoding", "border", "hspace", "vspace"]),
    (&["input"], &["checked", "disabled", "list", "max", "min", "name", "placeholder", "readonly", "size", "step", "value"]),
    (&["label", "output"], &["for"]),
    (&["li"], &["value", "type"]),
    (&["map"], &["name"]),
    (&["meter", "progress"], &["value", "min", "max", "low", "high", "optimum"]),
    (&["ol", "ul"], &["start", "type", "reversed", "compact"]),
    (&["select"], &["disabled", "multiple", "name", "size"]),
    (&["source"], &["sizes", "media", "type"]),
    (&["style"], &["media", "type"]),
    (&["table"], &["border", "cellpadding", "cellspacing", "frame", "rules", "summary"]),
    (&["td", "th"], &["abbr", "axis", "colspan", "headers", "nowrap", "rowspan", "scope"]),
    (&["textarea"], &["cols", "disabled", "placeholder", "readonly", "rows", "wrap"]),
];

/// The attributes of a `link` element that stays, or nothing if it goes.
pub(super) fn link(
    attribute: impl Fn(&str) -> Option<String>,
    links: &Links,
) -> Option<Vec<(&'static str, String)>> {
    let relation = attribute("rel")?.to_ascii_lowercase();
    let words: Vec<&str> = relation.split_ascii_whitespace().collect();
    let only = |allowed: &[&str]| words.iter().all(|word| allowed.contains(word));
    let sheet = words.contains(&"stylesheet") && only(&["stylesheet", "alternate"]);
    let icon = words.contains(&"icon") && only(&["icon", "shortcut"]);
    let href = attribute("href")?;
    let href = match () {
        () if sheet => links.resource(&href)?,
        () if icon => links.image(&href)?,
        () => return None,
    };
    let mut kept = vec![("rel", words.join(" ")), ("href", href)];
    for name in ["media", "title", "sizes"] {
        kept.extend(attribute(name).map(|value| (name, value)));
    }
    Some(kept)
}

/// The attributes of a `meta` element that stays, or nothing if it goes.
pub(super) fn meta(
    attribute: impl Fn(&str) -> Option<String>,
) -> Option<Vec<(&'static str, String)>> {
    const NAMES: [&str; 7] = [
        "author",
        "color-scheme",
        "description",
        "generator",
        "keywords",
        "theme-color",
        "viewport",
    ];
    let name = attribute("name")?.to_ascii_lowercase();
    let content = attribute("content")?;
    NAMES
        .contains(&name.as_str())
        .then(|| vec![("name", name), ("content", content)])
}
