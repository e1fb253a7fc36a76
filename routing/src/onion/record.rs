//! How relays did, so that those that keep failing are left out.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use super::bounded::make_room;
use super::list::{NeighbourList, RelayName};
use crate::time::Time;

/// What is remembered of relays, in bounded tables.
#[derive(Debug, Default)]
pub(super) struct Record {
    tallies: BTreeMap<RelayName, Tally>,
    lists: BTreeMap<RelayName, Known>,
}

/// What a relay says.
#[derive(Debug)]
struct Known {
    list: NeighbourList,
    /// Since when it names each of its neighbours, in their order.
    since: Vec<Time>,
    /// When it was last heard to say so.
    seen: Time,
}

/// How circuits through one relay did. Old ones count less and less.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    good: u16,
    bad: u16,
    at: Time,
    /// When one of several failures side by side last counted.
    together_at: Option<Time>,
}

impl Record {
    /// A circuit with these relays did what it was for.
    pub(super) fn worked<'a>(
        &mut self,
        now: Time,
        relays: impl IntoIterator<Item = &'a RelayName>,
    ) {
        for relay in relays {
            let tally = self.tally(now, *relay);
            tally.good += 1;
            tally.fade();
        }
    }

    /// Something failed for which each of these relays may be to blame, more or less.
    pub(super) fn failed<'a>(
        &mut self,
        now: Time,
        relays: impl IntoIterator<Item = &'a RelayName>,
        blame: Blame,
    ) {
        for relay in relays {
            self.tally(now, *relay).failed(blame);
        }
    }

    /// Something failed that was begun at `began`, and this relay may be to blame. What fails side by side often fails for one
    /// reason, and says no more than one failure does: what was begun before the last failure that counted here does not count.
    pub(super) fn failed_together(&mut self, (began, now): (Time, Time), relay: &RelayName) {
        let tally = self.tally(now, *relay);
        if tally.together_at.is_none_or(|at| began >= at) {
            tally.together_at = Some(now);
            tally.failed(Blame::Shared);
        }
    }

    /// Whether a relay is to be left out.
    pub(super) fn is_bad(&self, now: Time, relay: &RelayName) -> bool {
        self.tallies.get(relay).is_some_and(|tally| {
            now.since(tally.at) < FORGIVEN
                && tally.bad >= BAD_MIN
                && tally.bad > BAD_RATIO * tally.good
        })
    }

    /// Takes in a list that a relay has signed, in the place of an older one.
    pub(super) fn check(&mut self, now: Time, list: &NeighbourList) -> Worth {
        let relay = list.relay();
        let mut worth = Worth::Right;
        if let Some(known) = self.lists.get_mut(&relay) {
            if known.list == *list {
                known.seen = now;
                return Worth::Right;
            }
            worth = match known.list.number().cmp(&list.number()) {
                Ordering::Greater => Worth::Outdated,
                Ordering::Equal => Worth::Contradicted,
                Ordering::Less => Worth::Right,
            };
        }
        if !list.is_genuine() {
            return Worth::Forged;
        }
        if worth != Worth::Right {
            return worth;
        }
        make_room(&mut self.lists, LISTS_MAX, &relay, |known| known.seen);
        let former = self.lists.get(&relay);
        let since = |name: RelayName| former.and_then(|former| former.names_since(&name));
        let known = Known {
            since: list
                .neighbours()
                .map(|name| since(name).unwrap_or(now))
                .collect(),
            list: list.clone(),
            seen: now,
        };
        self.lists.insert(relay, known);
        Worth::Right
    }

    /// Whether a relay has named another one for so long that the other one had the time to name it, too.
    pub(super) fn has_named_for(
        &self,
        now: Time,
        relay: &RelayName,
        other: &RelayName,
        grace: Duration,
    ) -> bool {
        let known = self.lists.get(relay);
        let since = known.and_then(|known| known.names_since(other));
        since.is_some_and(|since| since + grace <= now)
    }

    /// The lists that are remembered, each with its relay's latest.
    pub(super) fn lists(&self) -> impl Iterator<Item = &NeighbourList> {
        self.lists.values().map(|known| &known.list)
    }

    /// Whether several relays list this one that it does not list itself, although it had had `grace` to do so when it was last
    /// heard: it reserves its walks for others.
    pub(super) fn is_choosy(&self, now: Time, relay: &RelayName, grace: Duration) -> bool {
        let Some(own) = self.lists.get(relay) else {
            return false;
        };
        let listing = self.lists.iter().filter(|(other, known)| {
            let since = known.names_since(relay);
            *other != relay
                && now.since(known.seen) < LISTS_LIFE
                && since.is_some_and(|since| since + grace <= own.seen)
        });
        let (mut all, mut missing) = (0, 0);
        for (other, _) in listing {
            all += 1;
            missing += u32::from(!own.list.contains(other));
        }
        missing >= CHOOSY_MIN && missing * 4 > all
    }

    fn tally(&mut self, now: Time, relay: RelayName) -> &mut Tally {
        make_room(&mut self.tallies, RELAYS_MAX, &relay, |tally| tally.at);
        let tally = self.tallies.entry(relay).or_default();
        if now.since(tally.at) >= FORGIVEN {
            *tally = Tally::default();
        }
        tally.at = now;
        tally
    }
}

impl Known {
    /// Since when this relay names another one; none if it does not.
    fn names_since(&self, other: &RelayName) -> Option<Time> {
        let place = self.list.neighbours().position(|name| name == *other)?;
        self.since.get(place).copied()
    }
}

/// What a list is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    Right,
    /// The relay has said more since.
    Outdated,
    /// It is not by the relay that it names.
    Forged,
    /// The relay has signed another one under the same number.
    Contradicted,
}

/// How sure it is that a relay is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// One of several.
    Shared,
    /// This one, or somebody behind it in whose place it answers.
    Likely,
    /// It can be nobody else.
    Certain,
}

impl Blame {
    const fn weight(self) -> u16 {
        match self {
            Self::Shared => 1,
            Self::Likely => 2,
            Self::Certain => 2 * BAD_MIN,
        }
    }
}

impl Tally {
    const fn failed(&mut self, blame: Blame) {
        self.bad += blame.weight();
        self.fade();
    }

    /// Half of what was long ago is forgotten.
    const fn fade(&mut self) {
        if self.good + self.bad >= REMEMBERED {
            self.good /= 2;
            self.bad /= 2;
        }
    }
}

/// Fewer failures say little.
const BAD_MIN: u16 = 3;

/// With a fifth of all relays dropping what they get, circuits through an honest one of six fail in 1 - 0.8^4 = 59 % of cases;
/// those through a relay that drops always do.
const BAD_RATIO: u16 = 2;

/// What is counted of a relay is halved when it is so much.
pub(super) const REMEMBERED: u16 = 64;

/// After so long without a failure a relay gets another chance.
pub(super) const FORGIVEN: Duration = Duration::from_secs(6 * 3_600);

/// Relays of whom is remembered how they did: 50 bytes each.
pub(super) const RELAYS_MAX: usize = 1_024;

/// Up to 2 KiB each.
const LISTS_MAX: usize = 256;

/// Links come and go: what is older says little.
const LISTS_LIFE: Duration = Duration::from_secs(3_600);

const CHOOSY_MIN: u32 = 2;

#[cfg(test)]
mod tests {
    use crypto::onion::OnionSecret;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    use super::*;

    const GRACE: Duration = Duration::from_secs(70);

    fn at(secs: u64) -> Time {
        Time::from_micros(secs * 1_000_000)
    }

    fn secret(seed: u8) -> OnionSecret {
        OnionSecret::generate(&mut ChaCha8Rng::from_seed([seed; 32]))
    }

    fn name(seed: u8) -> RelayName {
        secret(seed).key().into()
    }

    fn list(of: u8, number: u64, neighbours: &[u8]) -> NeighbourList {
        let neighbours = neighbours.iter().map(|&seed| name(seed)).collect();
        NeighbourList::sign(&secret(of), number, neighbours)
    }

    #[test]
    fn a_relay_that_always_fails_is_bad_and_one_that_often_does_is_not() {
        let (droppers, honest) = (name(1), name(2));
        let mut record = Record::default();
        for round in 0..40 {
            record.failed(at(round), [&droppers], Blame::Shared);
            if round % 5 < 3 {
                record.failed(at(round), [&honest], Blame::Shared);
            } else {
                record.worked(at(round), [&honest]);
            }
        }
        assert!(record.is_bad(at(40), &droppers));
        assert!(!record.is_bad(at(40), &honest));
        let later = at(40) + FORGIVEN;
        assert!(!record.is_bad(later, &droppers), "it gets another chance");
    }

    #[test]
    fn what_fails_side_by_side_counts_once() {
        let relay = name(1);
        let mut record = Record::default();
        for _ in 0..8 {
            record.failed_together((at(1), at(10)), &relay);
        }
        record.failed_together((at(11), at(20)), &relay);
        assert!(!record.is_bad(at(20), &relay), "two failures");
        record.failed_together((at(21), at(30)), &relay);
        assert!(record.is_bad(at(30), &relay), "three failures");
    }

    #[test]
    fn a_relay_that_leaves_out_those_who_list_it_is_choosy() {
        let mut record = Record::default();
        for honest in 10..14 {
            assert_eq!(record.check(at(1), &list(honest, 1, &[1, 2])), Worth::Right);
        }
        assert_eq!(record.check(at(2), &list(1, 1, &[3, 4])), Worth::Right);
        assert_eq!(
            record.check(at(2), &list(2, 1, &[10, 11, 12, 13])),
            Worth::Right
        );
        assert!(!record.is_choosy(at(3), &name(1), GRACE), "it is slow");
        // What else changes in their lists does not make these younger
        for honest in 10..14 {
            assert_eq!(
                record.check(at(60), &list(honest, 2, &[1, 2, 3])),
                Worth::Right
            );
        }
        for relay in [1, 2] {
            assert!(!record.has_named_for(at(70), &name(10), &name(relay), GRACE));
            assert!(record.has_named_for(at(71), &name(10), &name(relay), GRACE));
        }
        assert!(!record.has_named_for(at(71), &name(10), &name(3), GRACE));
        assert_eq!(record.check(at(71), &list(1, 1, &[3, 4])), Worth::Right);
        assert_eq!(
            record.check(at(71), &list(2, 1, &[10, 11, 12, 13])),
            Worth::Right
        );
        assert!(record.is_choosy(at(72), &name(1), GRACE));
        assert!(!record.is_choosy(at(72), &name(2), GRACE));
        assert!(
            !record.is_choosy(at(72) + LISTS_LIFE, &name(1), GRACE),
            "old lists say nothing"
        );
    }

    #[test]
    fn old_forged_and_contradictory_lists_are_told_from_right_ones() {
        let mut record = Record::default();
        let mut check = |list: &NeighbourList| record.check(at(1), list);
        assert_eq!(check(&list(1, 5, &[2])), Worth::Right);
        assert_eq!(check(&list(1, 5, &[2])), Worth::Right, "the same again");
        assert_eq!(check(&list(1, 4, &[3])), Worth::Outdated);
        assert_eq!(check(&list(1, 5, &[3])), Worth::Contradicted);
        let mut bytes = list(1, 6, &[2]).bytes().to_vec();
        bytes[50] ^= 1;
        let forged = NeighbourList::from_bytes(bytes.into()).unwrap();
        assert_eq!(check(&forged), Worth::Forged);
        assert_eq!(check(&list(1, 7, &[3])), Worth::Right);
    }

    #[test]
    fn the_tables_are_bounded() {
        let mut record = Record::default();
        for number in 0..2_000_u32 {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&number.to_le_bytes());
            record.worked(at(number.into()), [&RelayName::from_bytes(bytes)]);
        }
        assert_eq!(record.tallies.len(), RELAYS_MAX);
    }
}
