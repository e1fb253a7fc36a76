//! `Range`: parts of a document.

use std::ops::Range;

/// What a request wants of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// These bytes; never empty.
    Bytes(Range<u64>),
    /// Bytes that do not exist.
    Unsatisfiable,
}

/// Reads a `Range` header for a document of `size` bytes. What cannot be read, and lists of several ranges, count as no
/// header at all, as HTTP allows.
pub(crate) fn requested(header: Option<&str>, size: u64) -> Part {
    header
        .and_then(|header| parse(header, size))
        .unwrap_or(Part::Whole)
}

fn parse(header: &str, size: u64) -> Option<Part> {
    let (unit, range) = header.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let range = match (number(first)?, number(last)?) {
        (None, None) => return None,
        (None, Some(length)) => size.saturating_sub(length)..size,
        (Some(first), None) => first..size,
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Some(_), Some(_)) => return None,
    };
    Some(if range.start < range.end {
        Part::Bytes(range)
    } else {
        Part::Unsatisfiable
    })
}

/// A number, or nothing where nothing is written. Larger than any document counts as the largest number.
fn number(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn single_ranges_are_understood() {
        let part = |header| requested(Some(header), 100);
        assert_eq!(part("bytes=0-0"), Part::Bytes(0..1));
        assert_eq!(part("bytes=10-"), Part::Bytes(10..100));
        assert_eq!(part("bytes=-10"), Part::Bytes(90..100));
        assert_eq!(part("bytes=-1000"), Part::Bytes(0..100));
        assert_eq!(part("BYTES = 90-1000"), Part::Bytes(90..100));
        assert_eq!(
            part("bytes=0-99999999999999999999999999"),
            Part::Bytes(0..100)
        );
        assert_eq!(part("bytes=100-"), Part::Unsatisfiable);
        assert_eq!(part("bytes=-0"), Part::Unsatisfiable);
        assert_eq!(requested(Some("bytes=0-"), 0), Part::Unsatisfiable);
    }

    #[test]
    fn what_is_not_a_single_range_means_everything() {
        for header in [
            "bytes=0-1,5-6",
            "bytes=-",
            "bytes=5-1",
            "items=0-1",
            "bytes",
            "bytes=a-b",
            "bytes=--1",
            "",
        ] {
            assert_eq!(requested(Some(header), 100), Part::Whole, "{header}");
        }
        assert_eq!(requested(None, 100), Part::Whole);
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_document(header in "(bytes=)?[0-9 ,-]{0,30}", size: u64) {
            if let Part::Bytes(range) = requested(Some(&header), size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
