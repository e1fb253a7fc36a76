//! Plots as SVG and PNG.
//!
//! The SVG carries its colours as attributes and class names beside them, so that a page may give others (the report does
//! when the reader prefers a dark one). The PNG is drawn from the SVG with a font that comes with the program.

mod axis;
mod marks;
mod png;
mod svg;

pub use png::png;
pub(crate) use svg::escape;
pub use svg::svg;
