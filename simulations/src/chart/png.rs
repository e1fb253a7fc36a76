//! A drawing as PNG.

use std::sync::{Arc, LazyLock};

use anyhow::{Context as _, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// Roboto, cut down to the letters of plots.
const FONT: &[u8] = include_bytes!("../../assets/roboto.ttf");

/// Sharp on screens with small pixels.
const PIXELS_PER_POINT: f32 = 2.0;

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    Arc::new(fonts)
});

/// Draws an SVG. Its text is set in the program's own font, whatever the machine has.
///
/// # Errors
/// If the text is no SVG, or its drawing too large for memory.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    let options = Options {
        font_family: "Roboto".to_owned(),
        fontdb: Arc::clone(&FONTS),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).context("the plot is no valid SVG")?;
    let size = tree
        .size()
        .to_int_size()
        .scale_by(PIXELS_PER_POINT)
        .context("the plot has no size")?;
    let mut pixels =
        Pixmap::new(size.width(), size.height()).context("the plot is too large to be drawn")?;
    let scale = Transform::from_scale(PIXELS_PER_POINT, PIXELS_PER_POINT);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    pixels
        .encode_png()
        .context("the plot cannot be written as PNG")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::svg;
    use crate::experiment::{Axis, Kind, Plot};

    #[test]
    fn a_plot_is_drawn_with_its_curve_and_its_words() {
        let plot = |title: &str| Plot::new("p", title, Axis::log("x"), Axis::linear("y & <z>"));
        let drawn = |plot: &Plot| png(&svg(plot)).unwrap();
        let curve = vec![(1.0, 2.0), (10.0, 3.0), (0.0, 1.0), (f64::NAN, 1.0)];
        let bare = drawn(&plot(""));
        assert!(bare.starts_with(b"\x89PNG"));
        assert_ne!(
            bare,
            drawn(&plot("Title")),
            "letters leave no trace: no font"
        );
        assert_ne!(bare, drawn(&plot("").curve(Kind::Ours, "", curve)));
    }
}
