//! What the filter refused, so that asking again costs nothing.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::etag::ETag;
use crate::filter::FilterError;

/// Documents that are remembered.
const REFUSED_MAX: usize = 1024;

/// How long one is remembered. Not for ever: on a busy machine the time may have been too short.
const REFUSED_FOR: Duration = Duration::from_secs(60 * 60);

/// Documents that the filter refused, the longest ago first.
#[derive(Default)]
pub(super) struct Refused(VecDeque<(ETag, FilterError, Instant)>);

impl Refused {
    /// Why a document was refused, if it was.
    pub(super) fn find(&mut self, tag: &ETag, now: Instant) -> Option<FilterError> {
        while let Some((_, _, when)) = self.0.front()
            && now.duration_since(*when) > REFUSED_FOR
        {
            self.0.pop_front();
        }
        let found = self.0.iter().find(|(refused, ..)| refused == tag);
        found.map(|(_, error, _)| *error)
    }

    /// Remembers a document.
    pub(super) fn add(&mut self, tag: ETag, error: FilterError, now: Instant) {
        if self.0.len() >= REFUSED_MAX {
            self.0.pop_front();
        }
        self.0.push_back((tag, error, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etag::Preparation;
    use crate::fetches::tests::document;

    fn tag(number: usize) -> ETag {
        let document = document(&number.to_string());
        ETag::of_document(&document, Preparation::Shown).unwrap()
    }

    #[test]
    fn the_latest_are_remembered_for_a_while() {
        let (mut refused, now) = (Refused::default(), Instant::now());
        for number in 0..=REFUSED_MAX {
            refused.add(tag(number), FilterError::TooComplex, now);
        }
        assert_eq!(refused.find(&tag(0), now), None);
        assert_eq!(
            refused.find(&tag(1), now + REFUSED_FOR),
            Some(FilterError::TooComplex)
        );
        let later = now + REFUSED_FOR + Duration::from_secs(1);
        assert_eq!(refused.find(&tag(1), later), None);
        assert!(refused.0.is_empty());
    }
}
