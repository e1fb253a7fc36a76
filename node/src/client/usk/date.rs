//! A day of the calendar, in UTC.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A day, as the days since 1 January 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date(i64);

const SECONDS_PER_DAY: u64 = 86_400;
const DAYS_PER_WEEK: i64 = 7;
/// Days from 1 March of the year 0 to 1 January 1970.
const DAYS_BEFORE_1970: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;

impl Date {
    /// Today. A clock before 1970 is a clock that was never set: then it is 1 January 1970.
    pub(crate) fn today() -> Self {
        let passed = SystemTime::now().duration_since(UNIX_EPOCH);
        let days = passed.map_or(0, |passed| passed.as_secs() / SECONDS_PER_DAY);
        Self(i64::try_from(days).expect("a 64-bit number of seconds has fewer days than i64 holds"))
    }

    /// The day of this year, month (from 1) and day (from 1). Howard Hinnant's `days_from_civil`,
    /// <https://howardhinnant.github.io/date_algorithms.html>.
    pub(crate) const fn from_civil(year: i64, month: i64, day: i64) -> Self {
        // Years begin in March, so that the leap day is the last one.
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Self(era * DAYS_PER_ERA + day_of_era - DAYS_BEFORE_1970)
    }

    /// Year, month (from 1) and day (from 1). Howard Hinnant's `civil_from_days`, from the same page.
    pub(crate) const fn civil(self) -> (i64, i64, i64) {
        let days = self.0 + DAYS_BEFORE_1970;
        let era = days.div_euclid(DAYS_PER_ERA);
        let day_of_era = days.rem_euclid(DAYS_PER_ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = (from_march + 2) % 12 + 1;
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        (year, month, day)
    }

    /// The week as ISO 8601 counts it, and the year that it belongs to: the year of its Thursday.
    pub(crate) const fn week(self) -> (i64, i64) {
        // 1 January 1970 was a Thursday, three days after a Monday.
        let after_monday = (self.0 + 3).rem_euclid(DAYS_PER_WEEK);
        let thursday = Self(self.0 - after_monday + 3);
        let (year, _, _) = thursday.civil();
        let day_of_year = thursday.0 - Self::from_civil(year, 1, 1).0;
        (year, day_of_year / DAYS_PER_WEEK + 1)
    }

    /// The same day of the week before.
    pub(crate) const fn week_before(self) -> Self {
        Self(self.0 - DAYS_PER_WEEK)
    }

    /// Year and month before this one's.
    pub(crate) const fn month_before(self) -> (i64, i64) {
        match self.civil() {
            (year, 1, _) => (year - 1, 12),
            (year, month, _) => (year, month - 1),
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(formatter, "{year}-{month}-{day}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar_are_numbered_from_1970_on() {
        for (days, civil) in [
            (-1, (1969, 12, 31)),
            (0, (1970, 1, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (19_782, (2024, 2, 29)),
            (20_453, (2025, 12, 31)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            let (year, month, day) = civil;
            assert_eq!(Date::from_civil(year, month, day), Date(days));
            assert_eq!(Date(days).civil(), civil);
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let first = Date::from_civil(1900, 1, 1).0;
        for days in first..first + DAYS_PER_ERA {
            let (year, month, day) = Date(days).civil();
            assert_eq!(Date::from_civil(year, month, day), Date(days));
            let (next_year, next_month, next_day) = Date(days + 1).civil();
            if next_day == 1 {
                assert!(day >= 28, "{year}-{month}-{day}");
                assert_eq!(next_year * 12 + next_month, year * 12 + month + 1);
            } else {
                assert_eq!((next_year, next_month, next_day), (year, month, day + 1));
            }
        }
    }

    /// The examples of Wikipedia's article on the ISO week date.
    #[test]
    fn a_week_belongs_to_the_year_of_its_thursday() {
        for ((year, month, day), week) in [
            ((1977, 1, 1), (1976, 53)),
            ((1977, 1, 2), (1976, 53)),
            ((1977, 12, 31), (1977, 52)),
            ((1978, 1, 2), (1978, 1)),
            ((1979, 12, 31), (1980, 1)),
            ((1980, 12, 28), (1980, 52)),
            ((1980, 12, 29), (1981, 1)),
            ((1981, 12, 31), (1981, 53)),
            ((1982, 1, 3), (1981, 53)),
            ((1982, 1, 4), (1982, 1)),
        ] {
            assert_eq!(Date::from_civil(year, month, day).week(), week);
        }
    }

    #[test]
    fn the_month_before_january_is_in_the_year_before() {
        assert_eq!(Date::from_civil(2026, 1, 31).month_before(), (2025, 12));
        assert_eq!(Date::from_civil(2026, 3, 31).month_before(), (2026, 2));
        assert_eq!(Date::from_civil(2026, 3, 1).to_string(), "2026-3-1");
    }
}
