//! How people and settlements name a refund: by its Id or by its RefundNumber.

use super::id::{RefundId, RefundNumber};
use std::fmt;

/// How a refund is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundName {
    /// By its Id.
    Id(RefundId),
    /// By its RefundNumber.
    Number(RefundNumber),
}

impl RefundName {
    /// Reads an Id or a RefundNumber.
    pub fn parse(text: &str) -> Option<Self> {
        let number = || text.strip_prefix("R-").and_then(|digits| digits.parse().ok());
        let by_number = || number().and_then(RefundNumber::new).map(Self::Number);
        RefundId::parse(text).map(Self::Id).or_else(by_number)
    }

    /// Reads what people write: an Id or a number in any case, the number also without `R-` or its
    /// zeros, with blanks around it.
    pub fn forgiving(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let digits = text.strip_prefix("r-").unwrap_or(&text);
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() < 32;
        let number = || digits.parse().ok().filter(|_| is_number).and_then(RefundNumber::new);
        RefundId::parse(&text).map(Self::Id).or_else(|| number().map(Self::Number))
    }

    /// The number that it means, if the ledger has it.
    pub const fn number(self) -> RefundNumber {
        match self {
            Self::Id(id) => id.number(),
            Self::Number(number) => number,
        }
    }
}

impl fmt::Display for RefundName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(out),
            Self::Number(number) => number.fmt(out),
        }
    }
}
