//! The properties and functions that are known not to reach out of the page.

/// Whether a property (in lower case) may be kept. Prefixes of browser makers do not matter.
pub(super) fn is_allowed(name: &str) -> bool {
    PROPERTIES.binary_search(&unprefixed(name)).is_ok()
}

/// Whether a function (in lower case) may be used in values.
pub(super) fn is_allowed_function(name: &str) -> bool {
    FUNCTIONS.binary_search(&unprefixed(name)).is_ok()
}

/// Whether a function (in lower case) loads something: refused where no address belongs.
pub(super) fn loads(name: &str) -> bool {
    LOADS.contains(&unprefixed(name))
}

/// A name (in lower case) without the prefix of a browser maker. What a function does is decided by this name
/// everywhere: a prefix that is known in one place and not in another is a way past the filter.
pub(super) fn unprefixed(name: &str) -> &str {
    ["-webkit-", "-moz-", "-ms-", "-o-"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
}

const LOADS: [&str; 8] = [
    "url",
    "src",
    "image",
    "image-set",
    "cross-fade",
    "element",
    "paint",
    "attr",
];

/// In the order of their bytes, for the binary search.
#[rustfmt::skip]
const FUNCTIONS: [&str; 91] = [
    "abs", "acos", "asin", "atan", "atan2", "attr", "blur", "brightness", "calc", "circle", "clamp", "color",
    "color-mix", "conic-gradient", "contrast", "cos", "counter", "counters", "cubic-bezier", "drop-shadow", "ellipse",
    "env", "exp", "fit-content", "grayscale", "hsl", "hsla", "hue-rotate", "hwb", "hypot", "image-set", "inset",
    "invert", "lab", "lch", "light-dark", "linear", "linear-gradient", "log", "matrix", "matrix3d", "max", "min",
    "minmax", "mod", "oklab", "oklch", "opacity", "path", "perspective", "polygon", "pow", "radial-gradient", "rect",
    "rem", "repeat", "repeating-conic-gradient", "repeating-linear-gradient", "repeating-radial-gradient", "rgb",
    "rgba", "rotate", "rotate3d", "rotatex", "rotatey", "rotatez", "round", "saturate", "scale", "scale3d", "scalex",
    "scaley", "scalez", "scroll", "sepia", "sign", "sin", "skew", "skewx", "skewy", "sqrt", "steps", "tan",
    "translate", "translate3d", "translatex", "translatey", "translatez", "var", "view", "xywh",
];

/// In the order of their bytes, for the binary search.
#[rustfmt::skip]
const PROPERTIES: [&str; 402] = [
    "accent-color", "align-content", "align-items", "align-self", "all", "animation", "animation-composition",
    "animation-delay", "animation-direction", "animation-duration", "animation-fill-mode",
    "animation-iteration-count", "animation-name", "animation-play-state", "animation-timeline",
    "animation-timing-function", "appearance", "aspect-ratio", "backdrop-filter", "backface-visibility", "background",
    "background-attachment", "background-blend-mode", "background-clip", "background-color", "background-image",
    "background-origin", "background-position", "background-position-x", "background-position-y", "background-repeat",
    "background-size", "block-size", "border", "border-block", "border-block-color", "border-block-end",
    "border-block-end-color", "border-block-end-style", "border-block-end-width", "border-block-start",
    "border-block-start-color", "border-block-start-style", "border-block-start-width", "border-block-style",
    "border-block-width", "border-bottom", "border-bottom-color", "border-bottom-left-radius",
    "border-bottom-right-radius", "border-bottom-style", "border-bottom-width", "border-collapse", "border-color",
    "border-end-end-radius", "border-end-start-radius", "border-image", "border-image-outset", "border-image-repeat",
    "border-image-slice", "border-image-source", "border-image-width", "border-inline", "border-inline-color",
    "border-inline-end", "border-inline-end-color", "border-inline-end-style", "border-inline-end-width",
    "border-inline-start", "border-inline-start-color", "border-inline-start-style", "border-inline-start-width",
    "border-inline-style", "border-inline-width", "border-left", "border-left-color", "border-left-style",
    "border-left-width", "border-radius", "border-right", "border-right-color", "border-right-style",
    "border-right-width", "border-spacing", "border-start-end-radius", "border-start-start-radius", "border-style",
    "border-top", "border-top-color", "border-top-left-radius", "border-top-right-radius", "border-top-style",
    "border-top-width", "border-width", "bottom", "box-align", "box-decoration-break", "box-direction", "box-flex",
    "box-orient", "box-pack", "box-shadow", "box-sizing", "break-after", "break-before", "break-inside",
    "caption-side", "caret-color", "clear", "clip", "clip-path", "color", "color-adjust", "color-scheme",
    "column-count", "column-fill", "column-gap", "column-rule", "column-rule-color", "column-rule-style",
    "column-rule-width", "column-span", "column-width", "columns", "contain", "contain-intrinsic-block-size",
    "contain-intrinsic-height", "contain-intrinsic-inline-size", "contain-intrinsic-size", "contain-intrinsic-width",
    "container", "container-name", "container-type", "content", "content-visibility", "counter-increment",
    "counter-reset", "counter-set", "cursor", "direction", "display", "empty-cells", "fill", "fill-opacity", "filter",
    "flex", "flex-basis", "flex-direction", "flex-flow", "flex-grow", "flex-shrink", "flex-wrap", "float", "font",
    "font-family", "font-feature-settings", "font-kerning", "font-language-override", "font-optical-sizing",
    "font-palette", "font-size", "font-size-adjust", "font-smoothing", "font-stretch", "font-style", "font-synthesis",
    "font-variant", "font-variant-alternates", "font-variant-caps", "font-variant-east-asian",
    "font-variant-ligatures", "font-variant-numeric", "font-variant-position", "font-variation-settings",
    "font-weight", "forced-color-adjust", "gap", "grid", "grid-area", "grid-auto-columns", "grid-auto-flow",
    "grid-auto-rows", "grid-column", "grid-column-end", "grid-column-gap", "grid-column-start", "grid-gap",
    "grid-row", "grid-row-end", "grid-row-gap", "grid-row-start", "grid-template", "grid-template-areas",
    "grid-template-columns", "grid-template-rows", "hanging-punctuation", "height", "hyphenate-character", "hyphens",
    "image-orientation", "image-rendering", "inline-size", "inset", "inset-block", "inset-block-end",
    "inset-block-start", "inset-inline", "inset-inline-end", "inset-inline-start", "isolation", "justify-content",
    "justify-items", "justify-self", "left", "letter-spacing", "line-break", "line-clamp", "line-height",
    "list-style", "list-style-image", "list-style-position", "list-style-type", "margin", "margin-block",
    "margin-block-end", "margin-block-start", "margin-bottom", "margin-inline", "margin-inline-end",
    "margin-inline-start", "margin-left", "margin-right", "margin-top", "mask", "mask-clip", "mask-composite",
    "mask-image", "mask-mode", "mask-origin", "mask-position", "mask-repeat", "mask-size", "mask-type",
    "max-block-size", "max-height", "max-inline-size", "max-width", "min-block-size", "min-height", "min-inline-size",
    "min-width", "mix-blend-mode", "object-fit", "object-position", "offset", "offset-anchor", "offset-distance",
    "offset-path", "offset-position", "offset-rotate", "opacity", "order", "orphans", "osx-font-smoothing", "outline",
    "outline-color", "outline-offset", "outline-style", "outline-width", "overflow", "overflow-anchor",
    "overflow-clip-margin", "overflow-scrolling", "overflow-wrap", "overflow-x", "overflow-y", "overscroll-behavior",
    "overscroll-behavior-block", "overscroll-behavior-inline", "overscroll-behavior-x", "overscroll-behavior-y",
    "padding", "padding-block", "padding-block-end", "padding-block-start", "padding-bottom", "padding-inline",
    "padding-inline-end", "padding-inline-start", "padding-left", "padding-right", "padding-top", "page",
    "page-break-after", "page-break-before", "page-break-inside", "paint-order", "perspective", "perspective-origin",
    "place-content", "place-items", "place-self", "pointer-events", "position", "print-color-adjust", "quotes",
    "resize", "right", "rotate", "row-gap", "ruby-align", "ruby-position", "scale", "scroll-behavior",
    "scroll-margin", "scroll-margin-block", "scroll-margin-bottom", "scroll-margin-inline", "scroll-margin-left",
    "scroll-margin-right", "scroll-margin-top", "scroll-padding", "scroll-padding-block", "scroll-padding-bottom",
    "scroll-padding-inline", "scroll-padding-left", "scroll-padding-right", "scroll-padding-top", "scroll-snap-align",
    "scroll-snap-stop", "scroll-snap-type", "scrollbar-color", "scrollbar-gutter", "scrollbar-width",
    "shape-image-threshold", "shape-margin", "shape-outside", "size", "stroke", "stroke-width", "tab-size",
    "table-layout", "tap-highlight-color", "text-align", "text-align-last", "text-combine-upright", "text-decoration",
    "text-decoration-color", "text-decoration-line", "text-decoration-skip", "text-decoration-skip-ink",
    "text-decoration-style", "text-decoration-thickness", "text-emphasis", "text-emphasis-color",
    "text-emphasis-position", "text-emphasis-style", "text-fill-color", "text-indent", "text-justify",
    "text-orientation", "text-overflow", "text-rendering", "text-shadow", "text-size-adjust", "text-stroke",
    "text-stroke-color", "text-stroke-width", "text-transform", "text-underline-offset", "text-underline-position",
    "text-wrap", "text-wrap-mode", "text-wrap-style", "top", "touch-action", "transform", "transform-box",
    "transform-origin", "transform-style", "transition", "transition-behavior", "transition-delay",
    "transition-duration", "transition-property", "transition-timing-function", "translate", "unicode-bidi",
    "user-select", "vertical-align", "visibility", "white-space", "white-space-collapse", "widows", "width",
    "will-change", "word-break", "word-spacing", "word-wrap", "writing-mode", "z-index", "zoom",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(PROPERTIES.is_sorted());
        assert!(FUNCTIONS.is_sorted());
    }

    #[test]
    fn properties_that_run_code_are_unknown() {
        assert!(is_allowed("background-image"));
        assert!(is_allowed("-webkit-line-clamp"));
        for name in ["behavior", "-moz-binding", "-ms-behavior", "src", "binding"] {
            assert!(!is_allowed(name), "{name}");
        }
    }
}
