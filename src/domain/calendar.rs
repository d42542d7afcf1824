//! Days and moments as XML Schema writes them, turned into days of the tenant.
//!
//! chrono reads RFC 3339, which is neither xs:date nor xs:dateTime; the front end here is ours.

use super::version::ApiVersion;
use super::white_space::trim;
use chrono::{
    DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A calendar field as it was sent: a plain day, or a moment that a day follows from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalendarText {
    text: String,
}

impl CalendarText {
    /// Keeps `text`, if it is a day (`2026-01-02`, `2026-01-02Z`) or a moment
    /// (`2026-01-02T03:04:05-08:00`).
    pub fn parse(text: &str) -> Option<Self> {
        let text = trim(text);
        let readable = parse_day(text).is_some() || parse_date_time(text).is_some();
        readable.then(|| Self { text: text.to_owned() })
    }

    /// The text as sent, without the blanks around it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The day that is meant, in the tenant's `zone`, for a caller of `version`.
    ///
    /// From 69.0 on only a plain day is one ("date field changes in the WSDL"); below, a moment
    /// counts as the day that it falls on in the tenant's zone, and without an offset as local.
    /// A day is the day as written; a zone behind it does not count.
    pub fn day(&self, version: ApiVersion, zone: Tz) -> Option<NaiveDate> {
        if let Some(day) = parse_day(&self.text) {
            return Some(day);
        }
        if version.has_plain_dates() {
            return None;
        }
        Some(parse_date_time(&self.text)?.local(zone).date())
    }
}

/// The day it is at `now` for a tenant in `zone`.
pub fn day_at(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    now.with_timezone(&zone).date_naive()
}

/// A moment as it was written: with an offset, or local to its writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Moment {
    /// Without an offset.
    Local(NaiveDateTime),
    /// With one.
    Zoned(DateTime<FixedOffset>),
}

impl Moment {
    /// Reads a moment; a day is its first moment.
    pub fn parse(text: &str) -> Option<Self> {
        Self::of_day(text).or_else(|| parse_date_time(text))
    }

    /// Reads a day, which is its first moment, local also where a zone stands behind it.
    pub fn of_day(text: &str) -> Option<Self> {
        parse_day(text).map(|day| Self::Local(day.and_time(NaiveTime::MIN)))
    }

    /// What clocks on the wall show in `zone`.
    pub fn local(self, zone: Tz) -> NaiveDateTime {
        match self {
            Self::Local(local) => local,
            Self::Zoned(moment) => moment.with_timezone(&zone).naive_local(),
        }
    }

    /// The moment itself, for someone in `zone`.
    pub fn utc(self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Local(local) => moment_at(local, zone),
            Self::Zoned(moment) => moment.to_utc(),
        }
    }
}

/// When clocks on the wall show `local` in `zone`: the first time where they show it twice, and
/// where they jump over it, when they have jumped.
pub fn moment_at(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let first = |local: NaiveDateTime| zone.from_local_datetime(&local).earliest();
    let after_jump = || local.checked_add_signed(TimeDelta::hours(1)).and_then(first);
    let zoned = first(local).or_else(after_jump);
    zoned.map_or_else(|| local.and_utc(), |zoned| zoned.to_utc())
}

/// `YYYY-MM-DD` with a year of four digits, and nothing else.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let year = fixed_digits(parts.next()?, 4)?;
    let month = fixed_digits(parts.next()?, 2)?;
    let day = fixed_digits(parts.next()?, 2)?;
    if parts.next().is_some() || year == 0 {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// xs:date: a day, and perhaps the zone it was written in (`Z` or an offset up to 14 hours), which
/// moves it nowhere. Stacks such as soap4r and Axis write one behind every day.
fn parse_day(text: &str) -> Option<NaiveDate> {
    let (day, zone) = text.split_at_checked("2026-01-02".len())?;
    let is_zone = || matches!(split_offset(zone), Some(("", Some(_))));
    if zone.is_empty() || is_zone() { parse_date(day) } else { None }
}

/// xs:dateTime: a day, `T`, a time to the second or finer, and perhaps `Z` or an offset.
fn parse_date_time(text: &str) -> Option<Moment> {
    let (day, rest) = text.split_once('T')?;
    let day = parse_date(day)?;
    let (clock, offset) = split_offset(rest)?;
    let (time, next_day) = parse_time(clock)?;
    let day = if next_day { day.checked_add_days(Days::new(1))? } else { day };
    let local = day.and_time(time);
    match offset {
        None => Some(Moment::Local(local)),
        Some(offset) => offset.from_local_datetime(&local).single().map(Moment::Zoned),
    }
}

/// Cuts the time zone off a time: none, `Z`, or `+hh:mm` up to 14 hours.
fn split_offset(text: &str) -> Option<(&str, Option<FixedOffset>)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, FixedOffset::east_opt(0)));
    }
    let Some(at) = text.find(['+', '-']) else {
        return Some((text, None));
    };
    let (clock, zone) = text.split_at_checked(at)?;
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let minutes = fixed_digits(hours, 2)? * 60 + fixed_digits(minutes, 2).filter(|m| *m < 60)?;
    let seconds = i32::try_from(minutes).ok().filter(|minutes| *minutes <= 14 * 60)? * 60;
    let east = if zone.starts_with('-') { -seconds } else { seconds };
    Some((clock, Some(FixedOffset::east_opt(east)?)))
}

/// `hh:mm:ss` with any fraction, cut to milliseconds; `24:00:00` is midnight of the next day.
fn parse_time(text: &str) -> Option<(NaiveTime, bool)> {
    let (clock, fraction) = text.split_once('.').map_or((text, None), |(c, f)| (c, Some(f)));
    if fraction.is_some_and(|f| f.is_empty() || !f.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let mut parts = clock.split(':').map(|part| fixed_digits(part, 2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    if (hour, minute, second) == (24, 0, 0) {
        let whole = fraction.is_none_or(|f| f.bytes().all(|byte| byte == b'0'));
        return whole.then_some((NaiveTime::MIN, true));
    }
    let millis = fraction.map_or(0, |fraction| {
        let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(3);
        digits.fold(0, |millis, digit| millis * 10 + u32::from(digit - b'0'))
    });
    Some((NaiveTime::from_hms_milli_opt(hour, minute, second, millis)?, false))
}

fn fixed_digits(text: &str, count: usize) -> Option<u32> {
    let digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::America::Los_Angeles;
    use proptest::prelude::*;

    fn day(text: &str, version: u16) -> Option<String> {
        let text = CalendarText::parse(text)?;
        text.day(ApiVersion::major(version), Los_Angeles).map(|day| day.to_string())
    }

    #[test]
    fn a_moment_is_a_day_only_below_69() {
        assert_eq!(day("2026-01-02", 91).as_deref(), Some("2026-01-02"));
        assert_eq!(day("2026-01-02", 42).as_deref(), Some("2026-01-02"));
        assert_eq!(day("2026-01-02T00:00:00", 69), None);
        assert_eq!(day("2026-01-02T00:00:00", 68).as_deref(), Some("2026-01-02"));
    }

    #[test]
    fn a_day_with_a_zone_is_the_day_as_written() {
        for zone in ["", "Z", "-08:00", "+01:00", "+14:00", "-14:00", "+00:00", "-00:00"] {
            let text = format!(" 2026-11-29{zone} ");
            for version in [18, 68, 69, 150] {
                assert_eq!(day(&text, version).as_deref(), Some("2026-11-29"), "{text}");
            }
            let first = Moment::parse(text.trim()).unwrap().local(Los_Angeles);
            assert_eq!(first.to_string(), "2026-11-29 00:00:00", "{text}");
        }
    }

    #[test]
    fn a_moment_falls_on_the_tenants_day() {
        let cases = [
            ("2026-11-22T05:40:08.211061+00:00", "2026-11-21"),
            ("2026-11-22T05:40:08-08:00", "2026-11-22"),
            ("2026-11-22T23:59:59Z", "2026-11-22"),
            ("2026-12-31T24:00:00", "2027-01-01"),
        ];
        for (text, expected) in cases {
            assert_eq!(day(text, 42).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        let wrong = [
            "",
            "2026-1-2",
            "26-01-02",
            "2026-02-30",
            "2026-13-01",
            "0000-01-01",
            "2026-01-02z",
            "2026-01-02ZZ",
            "2026-01-02 Z",
            "2026-01-02+",
            "2026-01-02+1:00",
            "2026-01-02+14:01",
            "2026-01-02-15:00",
            "2026-01-02+01:60",
            "2026-01-02+0100",
            "2026-02-30Z",
            "2026-01-02Z+01:00",
            "2026-01-02 03:04:05",
            "2026-01-02T25:00:00",
            "2026-01-02T24:00:01",
            "2026-01-02T1:2:3",
            "2026-01-02T01:02",
            "2026-01-02T01:02:60",
            "2026-01-02T01:02:03+15:00",
            "tomorrow",
            "2026-01-02T01:02:03.",
            "-2026-01-02",
            "2026-01-02T01:02:03+0800",
        ];
        for text in wrong {
            assert!(CalendarText::parse(text).is_none(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9T:+Z. -]{0,30}|.{0,30}") {
            let _ = CalendarText::parse(&text).map(|text| text.day(ApiVersion::FIRST, Los_Angeles));
        }
    }
}
