//! The API version of a call: the last segment of the endpoint's path and of the WSDL's address.
//!
//! A version decides only what is rendered (fields, date forms, error codes) and which features
//! exist; it never decides what is read.

use std::fmt;
use std::str::FromStr;

/// A version of the API between [`ApiVersion::FIRST`] and [`ApiVersion::LAST`], in tenths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion(u16);

/// The text is no version that is served: 18.0 to 150.0, with at most one decimal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("API version {0} is not supported")]
pub struct UnsupportedVersion(pub String);

impl ApiVersion {
    /// The oldest version served.
    pub const FIRST: Self = Self::major(18);
    /// The newest version served.
    pub const LAST: Self = Self::major(150);
    /// From here on whole invoices are adjusted: InvoiceAdjustment is created, changed and deleted
    /// (objects and their supported calls). Before it, it is only queried.
    pub const INVOICE_ADJUSTMENTS: Self = Self::major(24);
    /// From here on refunds may be made from a credit balance (refunds overview: WSDL 31 and up).
    pub const CREDIT_BALANCE_REFUNDS: Self = Self::major(31);
    /// From here on a refund can say which invoices it reopens (RefundInvoicePaymentData).
    pub const REFUND_PARTS: Self = Self::major(64);
    /// From here on amounts are `decimal`, before it `double` (documented).
    pub const DECIMALS: Self = Self::major(19);
    /// From here on calendar fields such as `RefundDate` are `date`, before it `dateTime`.
    pub const PLAIN_DATES: Self = Self::major(69);

    /// The version `major.0`.
    pub const fn major(major: u16) -> Self {
        Self(major * 10)
    }

    /// Whether amounts are decimals in this version.
    pub fn has_decimals(self) -> bool {
        self >= Self::DECIMALS
    }

    /// Whether calendar fields are plain dates in this version.
    pub fn has_plain_dates(self) -> bool {
        self >= Self::PLAIN_DATES
    }
}

impl FromStr for ApiVersion {
    type Err = UnsupportedVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unsupported = || UnsupportedVersion(text.chars().take(64).collect());
        let (major, tenth) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let has_form = (1..=3).contains(&major.len()) && tenth.len() == 1;
        if !has_form || !digits(major) || !digits(tenth) {
            return Err(unsupported());
        }
        let number = |part: &str| part.parse::<u16>().map_err(|_| unsupported());
        let version = Self(number(major)? * 10 + number(tenth)?);
        if (Self::FIRST..=Self::LAST).contains(&version) { Ok(version) } else { Err(unsupported()) }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_served_versions_parse() {
        for good in ["18.0", "31.0", "91.0", "150.0", "91"] {
            assert!(good.parse::<ApiVersion>().is_ok(), "{good}");
        }
        for bad in ["17.9", "150.1", "", ".", "91.", ".0", "91.00", "+91.0", "9999.0", "x", "٩١.0"]
        {
            assert!(bad.parse::<ApiVersion>().is_err(), "{bad}");
        }
    }

    #[test]
    fn dates_turn_plain_at_69() {
        assert!(!ApiVersion::major(68).has_plain_dates());
        assert!(ApiVersion::major(69).has_plain_dates());
        assert_eq!(ApiVersion::major(69).to_string(), "69.0");
    }
}
