//! A plot as SVG.

use std::fmt::Write as _;

use super::axis::Ruler;
use super::marks;
use crate::experiment::{Kind, Plot, Series};
use crate::statistics::count;

const WIDTH: f64 = 620.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 78.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 58.0;
/// Between the curves and the legend.
const GAP: f64 = 22.0;
const LEGEND_LINE: f64 = 21.0;
/// Of a dash in the legend.
const SAMPLE: f64 = 34.0;
/// A letter of the legend is about so wide.
const LETTER: f64 = 6.4;
/// So many labels fit along the axes: numbers are wider than high.
const X_ROOM: f64 = 7.0;
const Y_ROOM: f64 = 12.0;
/// More points than this stand too close for marks.
const MARKS_MAX: usize = 40;

/// A drawing of the plot, with white paper behind it.
#[must_use]
pub fn svg(plot: &Plot) -> String {
    let longest = plot
        .series
        .iter()
        .map(|series| marks::legend(series).chars().count())
        .max()
        .unwrap_or(0);
    let legend_width = count(longest) * LETTER + SAMPLE + 14.0;
    let width = LEFT + WIDTH + GAP + legend_width;
    let height = (TOP + HEIGHT + BOTTOM).max(TOP + LEGEND_LINE * count(plot.series.len()) + 20.0);
    let mut out = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" font-family="Roboto, Helvetica, Arial, sans-serif" font-size="13" role="img">
<title>{title}</title>
<rect class="paper" width="100%" height="100%" fill="#ffffff"/>
<text class="ink" x="{LEFT}" y="26" font-size="17" fill="#1b1f24">{title}</text>
"##,
        title = escape(&plot.title),
    );
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let x = Ruler::over(&plot.x, points().map(|point| point.0));
    let y = Ruler::over(&plot.y, points().map(|point| point.1));
    draw_grid(&mut out, plot, &x, &y);
    for (index, series) in plot.series.iter().enumerate() {
        draw_legend(&mut out, plot, series, index);
    }
    // Ours lie over the others
    let (ours, others): (Vec<_>, Vec<_>) = plot
        .series
        .iter()
        .partition(|series| series.kind == Kind::Ours);
    for series in others.into_iter().chain(ours) {
        draw_curve(&mut out, plot, series, &x, &y);
    }
    out.push_str("</svg>\n");
    out
}

fn draw_grid(out: &mut String, plot: &Plot, x: &Ruler, y: &Ruler) {
    let (right, bottom) = (LEFT + WIDTH, TOP + HEIGHT);
    for tick in x.ticks(X_ROOM) {
        let at = place_x(x, tick.value).unwrap_or(LEFT);
        grid_line(out, &tick.label, (at, TOP), (at, bottom));
        text(out, &tick.label, at, bottom + 19.0, "middle");
    }
    for tick in y.ticks(Y_ROOM) {
        let at = place_y(y, tick.value).unwrap_or(bottom);
        grid_line(out, &tick.label, (LEFT, at), (right, at));
        text(out, &tick.label, LEFT - 8.0, at + 4.5, "end");
    }
    push(
        out,
        format_args!(
            r##"<rect class="frame" x="{LEFT}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#8a9199"/>
<text class="ink" x="{:.1}" y="{:.1}" text-anchor="middle" font-size="14" fill="#1b1f24">{}</text>
<text class="ink" transform="translate(18 {:.1}) rotate(-90)" text-anchor="middle" font-size="14" fill="#1b1f24">{}</text>
"##,
            LEFT + WIDTH / 2.0,
            bottom + 44.0,
            escape(&plot.x.label),
            TOP + HEIGHT / 2.0,
            escape(&plot.y.label),
        ),
    );
}

/// A line of the grid, fainter where it has no label.
fn grid_line(out: &mut String, label: &str, from: (f64, f64), to: (f64, f64)) {
    let (class, colour) = if label.is_empty() {
        ("grid fine", "#f0f2f4")
    } else {
        ("grid", "#dde1e6")
    };
    push(
        out,
        format_args!(
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\"/>\n",
            from.0, from.1, to.0, to.1
        ),
    );
}

fn text(out: &mut String, words: &str, x: f64, y: f64, anchor: &str) {
    if !words.is_empty() {
        push(
            out,
            format_args!(
                "<text class=\"ink\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#1b1f24\">{}</text>\n",
                escape(words)
            ),
        );
    }
}

fn draw_curve(out: &mut String, plot: &Plot, series: &Series, x: &Ruler, y: &Ruler) {
    let places: Vec<(f64, f64)> = series
        .points
        .iter()
        .filter_map(|point| Some((place_x(x, point.0)?, place_y(y, point.1)?)))
        .collect();
    let colour = marks::colour(plot, series);
    let stroke = marks::stroke(series.kind);
    push(
        out,
        format_args!(
            "<polyline fill=\"none\" stroke=\"{colour}\" {stroke} stroke-linejoin=\"round\" points=\""
        ),
    );
    for (x, y) in &places {
        push(out, format_args!("{x:.1},{y:.1} "));
    }
    out.push_str("\"/>\n");
    if places.len() <= MARKS_MAX {
        for (x, y) in places {
            out.push_str(&marks::mark(series.kind, colour, x, y));
        }
        out.push('\n');
    }
}

fn draw_legend(out: &mut String, plot: &Plot, series: &Series, index: usize) {
    let colour = marks::colour(plot, series);
    let left = LEFT + WIDTH + GAP;
    let y = TOP + 10.0 + LEGEND_LINE * count(index);
    push(
        out,
        format_args!(
            "<line x1=\"{left}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\" stroke=\"{colour}\" {}/>{}\n",
            left + SAMPLE,
            marks::stroke(series.kind),
            if series.points.len() <= MARKS_MAX {
                marks::mark(series.kind, colour, left + SAMPLE / 2.0, y)
            } else {
                String::new()
            },
        ),
    );
    text(
        out,
        &marks::legend(series),
        left + SAMPLE + 8.0,
        y + 4.5,
        "start",
    );
}

fn place_x(ruler: &Ruler, value: f64) -> Option<f64> {
    ruler.place(value).map(|part| LEFT + part * WIDTH)
}

fn place_y(ruler: &Ruler, value: f64) -> Option<f64> {
    ruler.place(value).map(|part| TOP + (1.0 - part) * HEIGHT)
}

fn push(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments)
        .expect("writing to a string cannot fail");
}

/// Text for XML and HTML, also between quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML has no place for these
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
    out
}
