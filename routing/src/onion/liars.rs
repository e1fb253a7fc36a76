//! Relays that were caught saying one thing here and another thing there.

use std::collections::BTreeMap;
use std::time::Duration;

use super::bounded::make_room;
use super::list::RelayName;
use crate::time::Time;

/// Who was caught, in a bounded table.
#[derive(Debug, Default)]
pub(super) struct Liars {
    caught: BTreeMap<RelayName, Caught>,
}

#[derive(Clone, Copy, Debug)]
struct Caught {
    until: Time,
    /// For how long it was left out the last time.
    term: Duration,
}

/// What a relay was caught at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    /// It has signed two lists under one number.
    TwoLists,
    /// It leaves this node out of what it tells others, while it lists it to this node.
    LeavesOut,
}

impl Liars {
    /// A relay is left out from now on.
    pub(super) fn add(&mut self, now: Time, relay: RelayName, lie: Lie) {
        let last = self.caught.get(&relay).map(|caught| caught.term);
        let term = match lie {
            Lie::TwoLists => TERM_MAX,
            Lie::LeavesOut => last.map_or(TERM_FIRST, |last| (last * 2).min(TERM_MAX)),
        };
        self.note(relay, now + term, term);
    }

    /// A relay has another name from now on, and does not get rid of the former one's deeds so.
    pub(super) fn rename(&mut self, from: &RelayName, to: RelayName) {
        if let Some(&Caught { until, term }) = self.caught.get(from) {
            self.note(to, until, term);
        }
    }

    /// Whether a relay is left out now.
    pub(super) fn has(&self, now: Time, relay: &RelayName) -> bool {
        self.caught
            .get(relay)
            .is_some_and(|caught| caught.until > now)
    }

    fn note(&mut self, relay: RelayName, until: Time, term: Duration) {
        make_room(&mut self.caught, LIARS_MAX, &relay, |caught| caught.until);
        self.caught.insert(relay, Caught { until, term });
    }
}

/// A relay that loses its links, and so its neighbours, while this node does not notice yet, says for a moment what a liar
/// says. It loses a day.
const TERM_FIRST: Duration = Duration::from_secs(24 * 60 * 60);

/// As long as a name is used.
const TERM_MAX: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// 60 bytes each.
const LIARS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u16) -> RelayName {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_le_bytes());
        RelayName::from_bytes(bytes)
    }

    #[test]
    fn who_is_caught_again_is_left_out_for_longer_and_proof_counts_at_once() {
        let mut liars = Liars::default();
        let day = |days: u32| Time::ZERO + TERM_FIRST * days;
        liars.add(day(0), name(1), Lie::LeavesOut);
        assert!(liars.has(day(0), &name(1)) && !liars.has(day(1), &name(1)));
        liars.add(day(1), name(1), Lie::LeavesOut);
        assert!(liars.has(day(2), &name(1)) && !liars.has(day(3), &name(1)));
        liars.add(day(3), name(1), Lie::TwoLists);
        assert!(liars.has(day(62), &name(1)) && !liars.has(day(63), &name(1)));
    }

    #[test]
    fn another_name_does_not_help() {
        let mut liars = Liars::default();
        liars.add(Time::ZERO, name(1), Lie::LeavesOut);
        liars.rename(&name(1), name(2));
        liars.rename(&name(3), name(4));
        assert!(liars.has(Time::ZERO, &name(2)) && !liars.has(Time::ZERO, &name(4)));
    }

    #[test]
    fn the_table_is_bounded() {
        let mut liars = Liars::default();
        for number in 0..1_000 {
            liars.add(Time::ZERO, name(number), Lie::TwoLists);
        }
        assert_eq!(liars.caught.len(), LIARS_MAX);
    }
}
