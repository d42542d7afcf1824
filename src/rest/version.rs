//! The minor versions of the REST API, by which the header Zuora-Version chooses.
//!
//! Source: the vendor's list of API versions. A version is a number such as 224.0 or, the later
//! ones, a day.

use std::fmt;

/// Known versions, from the oldest to the newest.
const KNOWN: [&str; 28] = [
    "186.0",
    "187.0",
    "188.0",
    "189.0",
    "196.0",
    "206.0",
    "207.0",
    "211.0",
    "214.0",
    "215.0",
    "216.0",
    "223.0",
    "224.0",
    "230.0",
    "239.0",
    "256.0",
    "257.0",
    "309.0",
    "314.0",
    "315.0",
    "329.0",
    "330.0",
    "336.0",
    "337.0",
    "338.0",
    "341.0",
    "2024-05-20",
    "2025-08-12",
];

/// A known minor version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ZuoraVersion(Order, &'static str);

/// Where a version stands among all: numbers before days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Number(u32),
    Day(u32),
}

impl ZuoraVersion {
    /// The version that `text` means: itself, or the newest known one below it; for what is no
    /// version at all the oldest.
    pub(super) fn meant_by(text: &str) -> Self {
        let oldest = Self(Order::Number(1860), "186.0");
        let Some(wanted) = order(text.trim()) else { return oldest };
        let known = KNOWN.iter().rev().filter_map(|name| Some(Self(order(name)?, name)));
        known.into_iter().find(|version| version.0 <= wanted).unwrap_or(oldest)
    }

    /// The newest.
    pub(super) fn newest() -> Self {
        Self::meant_by("9999-12-31")
    }

    /// Whether errors have an HTTP status by their category. Before, it is 200.
    pub(super) fn has_statuses(self) -> bool {
        self >= Self::meant_by("2024-05-20")
    }

    /// Whether customRates is a field of refunds.
    pub(super) fn has_custom_rates(self) -> bool {
        self >= Self::meant_by("224.0")
    }
}

impl fmt::Display for ZuoraVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.1)
    }
}

impl fmt::Debug for ZuoraVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.1)
    }
}

/// The order of a number with at most one decimal, or of a day.
fn order(text: &str) -> Option<Order> {
    let digits = |part: &str| {
        let is_number = !part.is_empty() && part.len() <= 8;
        (is_number && part.bytes().all(|byte| byte.is_ascii_digit())).then_some(())?;
        part.parse::<u32>().ok()
    };
    if let Some((year, rest)) = text.split_once('-') {
        let (month, day) = rest.split_once('-')?;
        let is_day = year.len() == 4 && month.len() == 2 && day.len() == 2;
        let day = digits(year)?.checked_mul(10_000)? + digits(month)? * 100 + digits(day)?;
        return is_day.then_some(Order::Day(day));
    }
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    let minor = (minor.len() == 1).then(|| digits(minor)).flatten()?;
    Some(Order::Number(digits(major)?.checked_mul(10)?.checked_add(minor)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_version_is_the_newest_known_one_below_it() {
        for (sent, meant) in [
            ("186.0", "186.0"),
            ("224.0", "224.0"),
            ("224", "224.0"),
            ("225.0", "224.0"),
            ("1.0", "186.0"),
            ("400.0", "341.0"),
            ("2024-05-19", "341.0"),
            ("2024-05-20", "2024-05-20"),
            (" 2025-01-01 ", "2024-05-20"),
            ("2030-01-01", "2025-08-12"),
            ("", "186.0"),
            ("latest", "186.0"),
            ("2024-5-20", "186.0"),
            ("99999999999", "186.0"),
        ] {
            assert_eq!(ZuoraVersion::meant_by(sent).to_string(), meant, "{sent}");
        }
        assert!(KNOWN.iter().all(|known| ZuoraVersion::meant_by(known).to_string() == *known));
        assert!(ZuoraVersion::newest().has_statuses());
        let numbers = ["186.0", "200.0", "341.0"].map(ZuoraVersion::meant_by);
        assert!(!numbers.into_iter().any(ZuoraVersion::has_statuses));
        assert!(!ZuoraVersion::meant_by("341.0").has_statuses());
        assert!(!ZuoraVersion::meant_by("223.0").has_custom_rates());
    }
}
