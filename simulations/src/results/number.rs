//! Numbers for readers.

use crate::experiment::{Bar, Figure};

/// A number with four significant digits, thousands apart; very small ones as a power of ten.
#[must_use]
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    if size != 0.0 && size < 1e-4 {
        return format!("{value:.2e}");
    }
    let digits: usize = match size {
        _ if value.fract() == 0.0 || size >= 1000.0 => 0,
        _ if size >= 100.0 => 1,
        _ if size >= 10.0 => 2,
        _ if size >= 1.0 => 3,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let whole = thousands_apart(whole);
    if fraction.is_empty() {
        whole
    } else {
        format!("{whole}.{fraction}")
    }
}

/// `1234567` as `1 234 567`, with thin spaces; four digits stay together.
pub(crate) fn thousands_apart(digits: &str) -> String {
    let bare = digits.trim_start_matches('-');
    let mut text = digits[..digits.len() - bare.len()].to_owned();
    for (index, digit) in bare.chars().enumerate() {
        if index > 0 && bare.len() > 4 && (bare.len() - index).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

/// What a figure is held against, in signs.
#[must_use]
pub fn bar(figure: &Figure) -> String {
    fn signs(bar: &Bar) -> String {
        match bar {
            Bar::AtMost(most) => format!("≤ {}", number(*most)),
            Bar::AtLeast(least) => format!("≥ {}", number(*least)),
            Bar::Near { value, tolerance } => {
                format!("{} ± {}", number(*value), number(*tolerance))
            }
            Bar::Misses(bar) => format!("must miss {}", signs(bar)),
            Bar::Reported => String::new(),
        }
    }
    signs(&figure.bar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_what_counts() {
        for (value, text) in [
            (0.0, "0"),
            (-0.5, "-0.5"),
            (0.99951, "0.9995"),
            (6.2, "6.2"),
            (12.345, "12.35"),
            (1000.0, "1000"),
            (1_234_567.8, "1\u{2009}234\u{2009}568"),
            (0.000_012, "1.20e-5"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn bars_are_written_in_signs() {
        let figure = Figure::new("hops", 3.0, "").at_most(6.5);
        assert_eq!(bar(&figure), "≤ 6.5");
        assert_eq!(bar(&figure.with_fault()), "must miss ≤ 6.5");
    }
}
