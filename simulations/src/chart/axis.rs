//! From values to places along an axis, and where its ticks are.

use crate::experiment::{Axis, Scale};
use crate::results::thousands_apart;

/// About as many labelled ticks as fit.
const TICKS: f64 = 7.0;

/// One axis with its range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ruler {
    scale: Scale,
    low: f64,
    high: f64,
}

/// A place along the axis that is marked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    /// Empty at the finer lines of a logarithmic axis.
    pub(super) label: String,
}

impl Tick {
    fn labelled(value: f64, step: f64) -> Self {
        Self {
            value,
            label: label(value, step),
        }
    }

    const fn fine(value: f64) -> Self {
        Self {
            value,
            label: String::new(),
        }
    }
}

impl Ruler {
    /// An axis that shows all these values.
    pub(super) fn over(axis: &Axis, values: impl Iterator<Item = f64>) -> Self {
        let scale = axis.scale;
        let (low, high) = values
            .filter(|&value| shows(scale, value))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if low > high {
            return Self {
                scale,
                low: 1.0,
                high: 10.0,
            };
        }
        match scale {
            Scale::Linear => Self::linear(low, high),
            Scale::Log => Self::log(low, high),
        }
    }

    /// Starts at zero unless the values lie far from it.
    fn linear(low: f64, high: f64) -> Self {
        let low = if low >= 0.0 && low < 0.6 * high {
            0.0
        } else {
            low
        };
        let high = if high > low {
            high
        } else {
            low + low.abs().max(1.0)
        };
        let step = linear_step(high - low);
        Self {
            scale: Scale::Linear,
            low: (low / step + 1e-9).floor() * step,
            high: (high / step - 1e-9).ceil() * step,
        }
    }

    /// From a round number (1, 2 or 5 times a power of ten) to another.
    fn log(low: f64, high: f64) -> Self {
        let low = round_down(low);
        let high = round_up(high);
        Self {
            scale: Scale::Log,
            low,
            high: if high > low * 1.5 { high } else { low * 10.0 },
        }
    }

    /// How far along the axis a value stands: 0 at its start, 1 at its end. `None` if it cannot be shown.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        if !shows(self.scale, value) {
            return None;
        }
        Some(match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        })
    }

    /// `room` is how many labels a logarithmic axis has room for.
    pub(super) fn ticks(&self, room: f64) -> Vec<Tick> {
        match self.scale {
            Scale::Linear => self.linear_ticks(),
            Scale::Log => self.log_ticks(room),
        }
    }

    fn linear_ticks(&self) -> Vec<Tick> {
        let step = linear_step(self.high - self.low);
        let mut ticks = Vec::new();
        let mut number = (self.low / step).round();
        while number * step <= self.high + step * 1e-6 {
            let value = number * step;
            ticks.push(Tick::labelled(value, step));
            number += 1.0;
        }
        ticks
    }

    /// Powers of ten, and 2 and 5 times them if there is room; finer lines without a label between.
    fn log_ticks(&self, room: f64) -> Vec<Tick> {
        let decades = (self.high / self.low).log10();
        let every = (decades / room).ceil().max(1.0);
        let labelled: &[f64] = if 3.0 * decades > room {
            &[1.0]
        } else {
            &[1.0, 2.0, 5.0]
        };
        let mut ticks = Vec::new();
        let mut exponent = self.low.log10().floor();
        while exponent <= self.high.log10().ceil() {
            for factor in (1..10_u32).map(f64::from) {
                let value = factor * 10_f64.powf(exponent);
                let named = labelled.contains(&factor) && exponent.rem_euclid(every) < 0.5;
                let inside = value >= self.low * 0.999 && value <= self.high * 1.001;
                match (inside, named) {
                    (true, true) => ticks.push(Tick::labelled(value, value)),
                    (true, false) if decades <= 6.0 => ticks.push(Tick::fine(value)),
                    (true | false, _) => {}
                }
            }
            exponent += 1.0;
        }
        ticks
    }
}

fn shows(scale: Scale, value: f64) -> bool {
    value.is_finite() && (scale == Scale::Linear || value > 0.0)
}

/// 1, 2 or 5 times a power of ten, so that about [`TICKS`] steps fill the range.
fn linear_step(range: f64) -> f64 {
    round_up(range / TICKS)
}

fn round_up(value: f64) -> f64 {
    round_number(
        value,
        |number| number >= value * 0.999_999,
        [1.0, 2.0, 5.0, 10.0],
    )
}

fn round_down(value: f64) -> f64 {
    round_number(
        value,
        |number| number <= value * 1.000_001,
        [5.0, 2.0, 1.0, 1.0],
    )
}

/// The first of the candidates times the value's power of ten that will do.
fn round_number(value: f64, will_do: impl Fn(f64) -> bool, candidates: [f64; 4]) -> f64 {
    let power = 10_f64.powf((value.log10() + 1e-9).floor());
    candidates
        .map(|factor| factor * power)
        .into_iter()
        .find(|&number| will_do(number))
        .unwrap_or(power)
}

/// A number with as many digits as steps of that size need.
fn label(value: f64, step: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.abs() >= 1e7 || value.abs() < 9e-5 {
        return format!("{value:.0e}");
    }
    let digits = (-(step.abs().log10() + 1e-9).floor()).max(0.0);
    let text = (0..=9_usize)
        .find(|&precision| crate::statistics::count(precision) >= digits)
        .map_or_else(
            || value.to_string(),
            |precision| format!("{value:.precision$}"),
        );
    if step >= 1.0 {
        thousands_apart(&text)
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, values: &[f64]) -> Vec<String> {
        let ticks = Ruler::over(axis, values.iter().copied()).ticks(7.0);
        ticks
            .into_iter()
            .map(|tick| tick.label)
            .filter(|label| !label.is_empty())
            .collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        let linear = Axis::linear("x");
        assert_eq!(
            labels(&linear, &[0.05, 1.0]),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"].map(|text| text.replace("0.0", "0"))
        );
        assert_eq!(labels(&linear, &[3.0, 61.0]).last().unwrap(), "70");
        assert_eq!(labels(&linear, &[-1.0, 1.0])[0], "-1.0");
        let log = Axis::log("x");
        assert_eq!(
            labels(&log, &[1e3, 1e6]),
            [
                "1000",
                "10\u{2009}000",
                "100\u{2009}000",
                "1\u{2009}000\u{2009}000"
            ]
        );
        assert_eq!(
            labels(&log, &[3.0, 66.0]),
            ["2", "5", "10", "20", "50", "100"]
        );
        assert_eq!(labels(&log, &[1e-9, 1.0]).len(), 5);
    }

    #[test]
    fn every_value_lies_on_the_axis_and_others_are_left_out() {
        for values in [vec![5.0], vec![0.0], vec![1e-3, 4e5], vec![]] {
            for axis in [Axis::linear("x"), Axis::log("x")] {
                let ruler = Ruler::over(&axis, values.iter().copied());
                for &value in &values {
                    let place = ruler.place(value);
                    assert!(
                        place.is_none_or(|place| (-1e-9..=1.0 + 1e-9).contains(&place)),
                        "{value} {ruler:?}"
                    );
                }
                assert!(!ruler.ticks(7.0).is_empty());
                assert_eq!(ruler.place(f64::NAN), None);
            }
        }
        let log = Ruler::over(&Axis::log("x"), [1.0, 10.0].into_iter());
        assert_eq!(log.place(0.0), None);
    }
}
