//! Moments that a ledger can hold, as RFC 3339 writes them.
//!
//! Unix time and the ids of records count from 1970, and a day has ten characters in every zone, so
//! a moment is held from 1970 up to, but not including, the year 9999.

use chrono::{DateTime, Datelike, Utc};

/// The moment that `text` names in RFC 3339, if a ledger can hold it.
pub fn moment(text: &str) -> Option<DateTime<Utc>> {
    let moment = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    can_be_held(&moment).then_some(moment)
}

/// Whether a ledger can hold this moment.
pub fn can_be_held(moment: &DateTime<Utc>) -> bool {
    (1970..9999).contains(&moment.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_ledger_cannot_hold_is_no_moment() {
        for good in ["1970-01-01T00:00:00Z", "2026-01-02T03:04:05.678+02:00"] {
            assert!(moment(good).is_some(), "{good}");
        }
        let bad = ["1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", "2026-01-02", "noon", ""];
        for bad in bad.into_iter().chain(["+10000-01-01T00:00:00Z", "1970-01-01T00:30:00+01:00"]) {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }
}
