//! Hints: small documents beside the editions of a site. Date hints say which edition was the first of a year, month, week
//! or day: whoever knows an old edition only begins to search there. Links lead from an edition to the next one where
//! that is further away than a search looks.

use std::sync::Arc;
use std::time::Duration;

use crypto::{SignedKey, SubspaceKey, SubspaceSecret, VerifiedBlock, edition_document_name};
use tokio::task::JoinSet;

use super::date::Date;
use crate::client::inserter::Inserter;
use crate::client::metadata::{Direct, Metadata};
use crate::client::progress::Meter;

/// How long an insert waits for its hints.
const WAIT: Duration = Duration::from_secs(2);
/// How long hints are tried to be stored, mostly behind the insert's back.
const STORING_MAX: Duration = Duration::from_secs(60);

/// A span of time that has one hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Year(i64),
    Month(i64, i64),
    Week(i64, i64),
    Day(Date),
}

impl Period {
    fn document_name(self, site: &str) -> String {
        match self {
            Self::Year(year) => format!("{site}-DATEHINT-{year}"),
            Self::Month(year, month) => format!("{site}-DATEHINT-{year}-{month}"),
            Self::Week(year, week) => format!("{site}-DATEHINT-{year}-WEEK-{week}"),
            Self::Day(date) => format!("{site}-DATEHINT-{date}"),
        }
    }

    /// The periods that `date` lies in.
    const fn around(date: Date) -> [Self; 4] {
        let (year, month, _) = date.civil();
        let (week_year, week) = date.week();
        [
            Self::Day(date),
            Self::Week(week_year, week),
            Self::Month(year, month),
            Self::Year(year),
        ]
    }

    /// The periods just before those. Yesterday is in one of the two weeks.
    const fn before(date: Date) -> [Self; 3] {
        let (year, _, _) = date.civil();
        let (week_year, week) = date.week_before().week();
        let (month_year, month) = date.month_before();
        [
            Self::Week(week_year, week),
            Self::Month(month_year, month),
            Self::Year(year - 1),
        ]
    }
}

/// The keys of the hints that are worth reading on the day `date`.
pub(super) fn keys(subspace: &SubspaceKey, site: &str, date: Date) -> Vec<SignedKey> {
    let periods = [&Period::around(date)[..], &Period::before(date)[..]].concat();
    let key = |period: Period| SignedKey {
        subspace: subspace.clone(),
        name: period.document_name(site),
    };
    periods.into_iter().map(key).collect()
}

/// The key of the link from `edition` to the one after it. No edition's document has a name that ends so.
pub(super) fn link_key(subspace: &SubspaceKey, site: &str, edition: u64) -> SignedKey {
    SignedKey {
        subspace: subspace.clone(),
        name: link_name(site, edition),
    }
}

fn link_name(site: &str, edition: u64) -> String {
    format!("{}-NEXT", edition_document_name(site, edition))
}

pub(super) fn encode(edition: u64, date: Date) -> Vec<u8> {
    let text = format!("{FIRST_LINE}\n{edition}\n{date}\n");
    let direct = Direct {
        content_type: None,
        data: text.into_bytes(),
    };
    Metadata::Direct(direct).encode()
}

/// The edition that a hint names; none if it is not a hint.
pub(super) fn edition(key: &SignedKey, block: &VerifiedBlock) -> Option<u64> {
    let Metadata::Direct(direct) = Metadata::decode(&key.open(block).ok()?).ok()? else {
        return None;
    };
    let mut lines = std::str::from_utf8(&direct.data).ok()?.lines();
    let first = lines.next()?;
    let edition: u64 = lines.next()?.parse().ok()?;
    // An address has no place for larger ones.
    (first == FIRST_LINE && i64::try_from(edition).is_ok()).then_some(edition)
}

const FIRST_LINE: &str = "HINT";

/// Stores date hints to `edition`, which is stored already. A hint that is there stays: it names the first edition of its
/// period, and that is where a search begins. So nothing that happens here is a failure, and a slow network only delays
/// the hints: after a moment they are stored without anybody waiting.
///
/// `before` is the newest edition before it, where that is too far away for a search: a link is stored too, since on the
/// same day no other hint would lead from one to the other.
pub(crate) async fn store(
    inserter: &Inserter,
    secret: &SubspaceSecret,
    site: &str,
    edition: u64,
    before: Option<u64>,
) {
    let date = (inserter.shared.today)();
    let dated = Period::around(date).map(|period| period.document_name(site));
    let link = before.map(|before| link_name(site, before));
    // Another count of blocks: hints are no part of what the user inserts.
    let hints = Inserter::new(
        Arc::clone(&inserter.shared),
        inserter.options.clone(),
        Meter::default(),
    );
    let payload = encode(edition, date);
    let mut inserts = JoinSet::new();
    for name in dated.into_iter().chain(link) {
        let Ok(block) = secret.seal(&name, &payload) else {
            continue;
        };
        let hints = Arc::clone(&hints);
        inserts.spawn(async move { hints.top_block(block).await.map(drop) });
    }
    let all = tokio::spawn(async move {
        let all = async { while inserts.join_next().await.is_some() {} };
        // Those that are still under way are given up with the set.
        tokio::time::timeout(STORING_MAX, all).await.is_ok()
    });
    if tokio::time::timeout(WAIT, all).await.is_err() {
        tracing::debug!("the hints of a site are still being stored");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SubspaceSecret {
        SubspaceSecret::from_parts(&[1; 32], &[2; 32])
    }

    fn read(payload: &[u8]) -> Option<u64> {
        let key = SignedKey {
            subspace: secret().public().clone(),
            name: "x".to_owned(),
        };
        edition(&key, &secret().seal("x", payload).unwrap())
    }

    fn read_text(text: &str) -> Option<u64> {
        let direct = Direct {
            content_type: None,
            data: text.as_bytes().to_vec(),
        };
        read(&Metadata::Direct(direct).encode())
    }

    #[test]
    fn a_day_has_four_hints_and_reads_those_of_the_time_before_too() {
        let names = |year, month, day| -> Vec<String> {
            keys(secret().public(), "s", Date::from_civil(year, month, day))
                .into_iter()
                .map(|key| key.name)
                .collect()
        };
        assert_eq!(
            names(2027, 1, 1),
            [
                "s-DATEHINT-2027-1-1",
                "s-DATEHINT-2026-WEEK-53",
                "s-DATEHINT-2027-1",
                "s-DATEHINT-2027",
                "s-DATEHINT-2026-WEEK-52",
                "s-DATEHINT-2026-12",
                "s-DATEHINT-2026",
            ]
        );
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is_a_hint() {
        let date = Date::from_civil(2026, 11, 3);
        for edition in [0, 7, i64::MAX.unsigned_abs()] {
            assert_eq!(read(&encode(edition, date)), Some(edition));
        }
        assert_eq!(read_text("HINT\n12\n2026-11-3\n"), Some(12));
        for text in [
            "",
            "HINT",
            "HINT\n\n",
            "HINT\n-1\n2026-1-1\n",
            "HINT\n9223372036854775808\n2026-1-1\n",
            "hint\n1\n2026-1-1\n",
            "12\n12\n12\n",
        ] {
            assert_eq!(read_text(text), None, "{text:?}");
        }
        assert_eq!(read(b"HINT\n1\n2026-1-1\n"), None);
    }
}
