//! Finding the key that a misspelt one was meant to be.

/// Distance in letters up to which a misspelt key is recognised; half the length for short ones.
const TYPING_ERRORS_MAX: usize = 4;

/// The candidate that is spelt most like `written`, if any is close.
pub(super) fn nearest(written: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    // The distance takes quadratic time; no key is this long.
    if written.len() > 64 {
        return None;
    }
    let scored = candidates.map(|candidate| (distance(written, &candidate), candidate));
    scored
        .min()
        .filter(|(distance, _)| *distance <= TYPING_ERRORS_MAX.min(written.len() / 2))
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, delete or replace to get from one text to the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_inserted_deleted_and_replaced_letters() {
        for (from, to, expected) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "ab", 2),
            ("size", "sise", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn only_close_candidates_are_offered() {
        let candidates = || ["store.size", "store.cache"].map(str::to_owned).into_iter();
        assert_eq!(
            nearest("store.sise", candidates()).as_deref(),
            Some("store.size")
        );
        assert_eq!(nearest("entirely.different", candidates()), None);
        assert_eq!(nearest(&"x".repeat(10_000), candidates()), None);
    }
}
