//! Sizes with units a person writes: `10 GiB`, `500 MB`, `4096`.

use std::fmt;
use std::str::FromStr;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ByteSizeError {
    /// No number in front, or an unknown unit behind it.
    #[error(
        "`{0}` is not a size; write a number and a unit, such as \"10 GiB\", \"500 MB\" or \"4096\""
    )]
    Malformed(String),
    /// More than 2^64 - 1 bytes.
    #[error("`{0}` is larger than any disk")]
    TooLarge(String),
}

/// Units by falling size; the first that divides a size is used to print it.
const UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
];

impl ByteSize {
    /// This many bytes.
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// This many mebibytes (2^20 bytes).
    pub const fn mebibytes(count: u32) -> Self {
        Self((count as u64) << 20)
    }

    /// This many gibibytes (2^30 bytes).
    pub const fn gibibytes(count: u32) -> Self {
        Self((count as u64) << 30)
    }

    /// The size in bytes.
    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        let malformed = || ByteSizeError::Malformed(text.chars().take(40).collect());
        let trimmed = text.trim();
        let digits = trimmed
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(digits);
        let unit = unit.trim();
        let scale = if unit.is_empty() || unit.eq_ignore_ascii_case("b") {
            1
        } else {
            UNITS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(unit))
                .ok_or_else(malformed)?
                .1
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let too_large = || ByteSizeError::TooLarge(text.chars().take(40).collect());
        if whole.is_empty() || whole.len() > 20 || fraction.len() > 6 || fraction.contains('.') {
            return Err(malformed());
        }
        let whole: u128 = whole.parse().map_err(|_| malformed())?;
        let fraction: u128 = format!("{fraction:0<6}").parse().map_err(|_| malformed())?;
        let bytes = (whole * 1_000_000 + fraction) * u128::from(scale) / 1_000_000;
        u64::try_from(bytes).map(Self).map_err(|_| too_large())
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS
            .iter()
            .find(|(_, scale)| self.0 >= *scale && self.0.is_multiple_of(*scale));
        match unit {
            Some((name, scale)) => write!(f, "{} {name}", self.0 / scale),
            None => write!(f, "{} B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("10 GiB", 10 << 30),
            ("10gib", 10 << 30),
            ("500MB", 500_000_000),
            ("1.5 MiB", 3 << 19),
            (" 4096 ", 4096),
            ("4096 B", 4096),
            ("0", 0),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_size_is_refused() {
        for text in [
            "",
            "GiB",
            "-1",
            "1 elephant",
            "1..5 GiB",
            ".5",
            "1.5.5",
            "0x10",
            "٣ GiB",
        ] {
            assert!(
                matches!(text.parse::<ByteSize>(), Err(ByteSizeError::Malformed(_))),
                "{text}"
            );
        }
        for text in [
            "99999999 TiB",
            "18446744073709551616",
            "99999999999999999999",
        ] {
            assert!(
                matches!(text.parse::<ByteSize>(), Err(ByteSizeError::TooLarge(_))),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_printed_size_reads_back(bytes: u64) {
            prop_assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }

        #[test]
        fn any_text_ends_in_a_size_or_an_error(text in ".{0,64}") {
            let _ = text.parse::<ByteSize>();
        }
    }
}
