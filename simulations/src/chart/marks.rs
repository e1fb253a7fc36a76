//! How each curve looks: colour by label, stroke and mark by whose it is.

use crate::experiment::{Kind, Plot, Series};

/// Told apart by most colour-blind readers, on white and on black (after Okabe and Ito).
const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#b8559b", "#3f9fd8", "#c48a00", "#6b5bb5", "#8f5a3c",
];

/// Of a formula's curve that belongs to no other curve.
const GREY: &str = "#7b858f";

/// A curve's colour. Curves of one label have one colour, so that a published curve is seen beside ours.
pub(super) fn colour(plot: &Plot, series: &Series) -> &'static str {
    let sharing = plot
        .series
        .iter()
        .filter(|other| other.label == series.label);
    if series.kind == Kind::Theory && sharing.count() == 1 {
        return GREY;
    }
    let mut labels: Vec<&str> = Vec::new();
    for other in &plot.series {
        if !labels.contains(&other.label.as_str()) {
            labels.push(&other.label);
        }
    }
    let place = labels.iter().position(|label| *label == series.label);
    COLOURS[place.unwrap_or(0) % COLOURS.len()]
}

/// Stroke width and dashes, as SVG attributes.
pub(super) const fn stroke(kind: Kind) -> &'static str {
    match kind {
        Kind::Ours => r#"stroke-width="2.4""#,
        Kind::Published => r#"stroke-width="1.8" stroke-dasharray="7 4""#,
        Kind::Theory => r#"stroke-width="1.6" stroke-dasharray="2 3""#,
        Kind::Fault => r#"stroke-width="1.8" stroke-dasharray="9 3 2 3""#,
    }
}

/// The mark at a point: a disc, a ring, nothing, a cross.
pub(super) fn mark(kind: Kind, colour: &str, x: f64, y: f64) -> String {
    match kind {
        Kind::Ours => format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="3.4" fill="{colour}"/>"#),
        Kind::Published => format!(
            r##"<circle class="paper" cx="{x:.1}" cy="{y:.1}" r="5.4" fill="#ffffff" stroke="{colour}" stroke-width="1.6"/>"##
        ),
        Kind::Theory => String::new(),
        Kind::Fault => format!(
            r#"<path d="M{:.1} {:.1}l7 7m0 -7l-7 7" stroke="{colour}" stroke-width="1.8" fill="none"/>"#,
            x - 3.5,
            y - 3.5
        ),
    }
}

/// The words in the legend.
pub(super) fn legend(series: &Series) -> String {
    let whose = match series.kind {
        Kind::Ours => "",
        Kind::Published => " (published)",
        Kind::Theory => " (theory)",
        Kind::Fault => " (fault planted)",
    };
    format!("{}{whose}", series.label)
}
