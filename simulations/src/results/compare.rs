//! Two runs side by side.

use crate::experiment::{Figure, Table, Verdict};

use super::{Results, number};

/// Every figure of either run: both values, the change, both verdicts. Figures are matched by scenario and name.
#[must_use]
pub fn compare(a: &Results, b: &Results) -> Table {
    let mut table = Table::new(
        "comparison",
        "Two runs, figure by figure",
        &[
            "scenario",
            "figure",
            "A",
            "B",
            "change",
            "verdict A",
            "verdict B",
        ],
    );
    let mut names: Vec<(&str, &str)> = figures(a)
        .map(|(scenario, figure)| (scenario, figure.name.as_str()))
        .collect();
    for (scenario, figure) in figures(b) {
        if !names.contains(&(scenario, figure.name.as_str())) {
            names.push((scenario, &figure.name));
        }
    }
    for (scenario, name) in names {
        let find = |results| {
            figures(results)
                .find(|(other, figure)| *other == scenario && figure.name == name)
                .map(|(_, figure)| figure)
        };
        let (a, b) = (find(a), find(b));
        let value = |figure: Option<&Figure>| {
            figure.map_or_else(|| "–".to_owned(), |figure| number(figure.value))
        };
        let verdict = |figure: Option<&Figure>| {
            figure.map_or("–", |figure| Verdict::word(figure.verdict()))
        };
        table.row([
            scenario.into(),
            name.into(),
            value(a).into(),
            value(b).into(),
            a.zip(b)
                .map_or_else(|| "–".to_owned(), |(a, b)| change(a.value, b.value))
                .into(),
            verdict(a).into(),
            verdict(b).into(),
        ]);
    }
    table
}

fn figures(results: &Results) -> impl Iterator<Item = (&str, &Figure)> {
    results.records.iter().flat_map(|record| {
        let figures = record.outcome.figures.iter();
        figures.map(|figure| (record.scenario.as_str(), figure))
    })
}

/// By how many of a hundred, or absolutely from zero.
fn change(from: f64, to: f64) -> String {
    if from == to || (from.is_nan() && to.is_nan()) {
        "=".to_owned()
    } else if from == 0.0 || !from.is_finite() || !to.is_finite() {
        format!("{} → {}", number(from), number(to))
    } else {
        format!("{:+.1} %", (to - from) / from.abs() * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_relative_where_they_can_be() {
        for (from, to, text) in [
            (2.0, 3.0, "+50.0 %"),
            (-2.0, -3.0, "-50.0 %"),
            (2.0, 2.0, "="),
            (0.0, 2.0, "0 → 2"),
            (f64::NAN, 2.0, "– → 2"),
        ] {
            assert_eq!(change(from, to), text);
        }
    }
}
