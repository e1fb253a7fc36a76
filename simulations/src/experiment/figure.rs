//! One number and what it is held against.

use serde::{Deserialize, Deserializer, Serialize};

/// A measured number with its bar and the published or theoretical value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured, in words; no two figures of an outcome share a name.
    pub name: String,
    /// As measured. A value that is no number misses every bar.
    #[serde(deserialize_with = "number_or_none")]
    pub value: f64,
    /// Of the value, the bar and the published value; empty for a pure number.
    pub unit: String,
    /// What it is held against.
    pub bar: Bar,
    /// What a paper or a formula says.
    pub published: Option<f64>,
    /// Which paper, formula or rule: for the bar and the published value.
    pub source: String,
}

/// What a figure is held against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bar {
    /// At most so much.
    AtMost(f64),
    /// At least so much.
    AtLeast(f64),
    /// So much, give or take the tolerance (absolute).
    Near {
        /// What is expected.
        value: f64,
        /// How far it may be off.
        tolerance: f64,
    },
    /// A fault is planted: this bar must be missed, or else the experiment could not tell.
    Misses(Box<Self>),
    /// Nothing: the number is only told.
    Reported,
}

/// Whether a figure meets its bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It does.
    Pass,
    /// It does not.
    Fail,
    /// It has none.
    Reported,
}

impl Figure {
    /// A figure that is only told.
    #[must_use]
    pub fn new(name: impl Into<String>, value: f64, unit: &str) -> Self {
        Self {
            name: name.into(),
            value,
            unit: unit.to_owned(),
            bar: Bar::Reported,
            published: None,
            source: String::new(),
        }
    }

    /// The same, which must be at most `bar`.
    #[must_use]
    pub fn at_most(mut self, bar: f64) -> Self {
        self.bar = Bar::AtMost(bar);
        self
    }

    /// The same, which must be at least `bar`.
    #[must_use]
    pub fn at_least(mut self, bar: f64) -> Self {
        self.bar = Bar::AtLeast(bar);
        self
    }

    /// The same, which must be `value`, give or take `tolerance` (absolute). The value counts as the published one.
    #[must_use]
    pub fn near(mut self, value: f64, tolerance: f64) -> Self {
        self.bar = Bar::Near { value, tolerance };
        self.published = Some(value);
        self
    }

    /// The same, measured with a planted fault: it must miss the bar that it has now.
    #[must_use]
    pub fn with_fault(mut self) -> Self {
        self.bar = Bar::Misses(Box::new(self.bar));
        self
    }

    /// The same with what was published.
    #[must_use]
    pub const fn published(mut self, value: f64) -> Self {
        self.published = Some(value);
        self
    }

    /// The same with where the bar and the published value come from.
    #[must_use]
    pub fn source(mut self, source: &str) -> Self {
        source.clone_into(&mut self.source);
        self
    }

    /// Whether it meets its bar.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.bar.is_met(self.value) {
            None => Verdict::Reported,
            Some(true) => Verdict::Pass,
            Some(false) => Verdict::Fail,
        }
    }
}

impl Bar {
    /// Whether a value meets it; `None` if there is nothing to meet.
    fn is_met(&self, value: f64) -> Option<bool> {
        match self {
            Self::AtMost(bar) => Some(value <= *bar),
            Self::AtLeast(bar) => Some(value >= *bar),
            Self::Near {
                value: bar,
                tolerance,
            } => Some((value - bar).abs() <= *tolerance),
            Self::Misses(bar) => Some(value.is_finite() && bar.is_met(value) == Some(false)),
            Self::Reported => None,
        }
    }
}

impl Verdict {
    /// In one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Reported => "reported",
        }
    }
}

/// JSON has no word for what is no number; it is written as `null`.
fn number_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_passes_only_if_it_meets_its_bar() {
        let figure = |value| Figure::new("hops", value, "");
        for (figure, verdict) in [
            (figure(2.0).at_most(2.0), Verdict::Pass),
            (figure(2.1).at_most(2.0), Verdict::Fail),
            (figure(2.0).at_least(2.0), Verdict::Pass),
            (figure(1.9).at_least(2.0), Verdict::Fail),
            (figure(2.1).near(2.0, 0.2), Verdict::Pass),
            (figure(2.3).near(2.0, 0.2), Verdict::Fail),
            (figure(2.0), Verdict::Reported),
        ] {
            assert_eq!(figure.verdict(), verdict, "{figure:?}");
        }
    }

    #[test]
    fn a_planted_fault_must_break_the_bar() {
        let broken = |value| Figure::new("hops", value, "").at_most(2.0).with_fault();
        assert_eq!(broken(9.0).verdict(), Verdict::Pass);
        assert_eq!(broken(2.0).verdict(), Verdict::Fail);
    }

    #[test]
    fn what_is_no_number_misses_every_bar_and_comes_back_from_json() {
        for figure in [
            Figure::new("hops", f64::NAN, "").at_most(2.0),
            Figure::new("hops", f64::NAN, "").at_least(2.0),
            Figure::new("hops", f64::NAN, "").near(2.0, 1.0),
            Figure::new("hops", f64::NAN, "").at_most(2.0).with_fault(),
        ] {
            let text = serde_json::to_string(&figure).unwrap();
            let back: Figure = serde_json::from_str(&text).unwrap();
            assert_eq!(back.verdict(), Verdict::Fail);
            assert_eq!(back.bar, figure.bar);
        }
    }
}
