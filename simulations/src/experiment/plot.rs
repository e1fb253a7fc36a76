//! What a plot shows. How it is drawn is another matter.

use serde::{Deserialize, Serialize};

/// Curves over one pair of axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    /// Names the file: lower case, words joined by hyphens.
    pub name: String,
    /// The heading.
    pub title: String,
    /// Left to right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// The curves.
    pub series: Vec<Series>,
}

/// One axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// What it shows, with its unit.
    pub label: String,
    /// How values are spread along it.
    pub scale: Scale,
}

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Equal differences are equally long.
    Linear,
    /// Equal ratios are equally long. Points that are not above zero are left out.
    Log,
}

/// One curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its name in the legend.
    pub label: String,
    /// Whose it is.
    pub kind: Kind,
    /// In the order in which they are joined.
    pub points: Vec<(f64, f64)>,
}

/// Whose a curve is. It decides how the curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Measured here.
    Ours,
    /// From a paper.
    Published,
    /// From a formula.
    Theory,
    /// Measured here with a fault planted.
    Fault,
}

impl Axis {
    /// An axis with equal differences equally long.
    #[must_use]
    pub fn linear(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            scale: Scale::Linear,
        }
    }

    /// An axis with equal ratios equally long.
    #[must_use]
    pub fn log(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            scale: Scale::Log,
        }
    }
}

impl Plot {
    /// A plot without curves.
    #[must_use]
    pub fn new(name: &str, title: &str, x: Axis, y: Axis) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            x,
            y,
            series: Vec::new(),
        }
    }

    /// Adds a curve. Points that are no numbers are left out.
    #[must_use]
    pub fn curve(mut self, kind: Kind, label: &str, points: Vec<(f64, f64)>) -> Self {
        self.series.push(Series {
            label: label.to_owned(),
            kind,
            points: points
                .into_iter()
                .filter(|(x, y)| x.is_finite() && y.is_finite())
                .collect(),
        });
        self
    }
}
