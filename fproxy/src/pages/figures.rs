//! Numbers as people read them.

use std::time::Duration;

/// Bytes with a fitting unit, to three digits.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    // Tenths of the unit, without going through floating point.
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    let (whole, tenth) = (tenths / 10, tenths % 10);
    match (whole, tenth) {
        (..100, 1..) => format!("{whole}.{tenth} {}", UNITS[unit]),
        _ => format!("{whole} {}", UNITS[unit]),
    }
}

/// A count with thin spaces between the thousands.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    out
}

/// A time in its two largest units; below ten milliseconds with tenths of one.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 if time.as_millis() >= 10 => format!("{} ms", time.as_millis()),
        0 if time.as_micros() >= 100 => {
            let tenths = time.as_micros() / 100;
            format!("{}.{} ms", tenths / 10, tenths % 10)
        }
        0 if !time.is_zero() => "below 0.1 ms".to_owned(),
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// A key shortened in its middle, for titles.
pub(super) fn shortened(key: &str) -> String {
    const ENDS: usize = 24;
    let characters: Vec<char> = key.chars().collect();
    if characters.len() <= 2 * ENDS + 1 {
        return key.to_owned();
    }
    let head: String = characters[..ENDS].iter().collect();
    let tail: String = characters[characters.len() - ENDS..].iter().collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(10 << 20), "10 MiB");
        assert_eq!(bytes(u64::MAX), "16383 PiB");
    }

    #[test]
    fn counts_and_times_are_readable() {
        assert_eq!(count(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(count(12), "12");
        assert_eq!(duration(Duration::from_millis(12)), "12 ms");
        assert_eq!(duration(Duration::from_micros(9_999)), "9.9 ms");
        assert_eq!(duration(Duration::from_micros(260)), "0.2 ms");
        assert_eq!(duration(Duration::from_micros(99)), "below 0.1 ms");
        assert_eq!(duration(Duration::ZERO), "0 s");
        assert_eq!(duration(Duration::from_secs(3_725)), "1 h 2 min");
    }

    #[test]
    fn long_keys_are_shortened() {
        assert_eq!(shortened("KSK@x"), "KSK@x");
        assert_eq!(shortened(&"é".repeat(100)).chars().count(), 49);
    }
}
