//! What came of a request, as metrics, log and journal name it.

use crate::domain::error_code::ErrorCode;
use std::fmt;

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done, even if rows of it failed.
    Ok,
    /// It failed as a whole, with this code.
    Failed(ErrorCode),
    /// It failed as a whole for a reason beside the codes of the API.
    Refused(Refused),
    /// A tester ordered what was answered.
    Ordered,
    /// It was given no answer.
    Withheld,
    /// Its connection ended before its answer.
    Dropped,
}

/// Why a request was refused, where the API has no code for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// SOAP's own code for what is no proper message.
    Client,
    /// SOAP's own code for an envelope of another version.
    VersionMismatch,
    /// SOAP's own code for a header that must be understood and is not.
    MustUnderstand,
    /// There is nothing at its path.
    NotFound,
    /// Its path takes other methods.
    WrongMethod,
    /// The address that it was sent to is none.
    BadHost,
    /// It has too many headers.
    Headers,
    /// A web page sent it.
    Origin,
    /// Its transfer encoding is not implemented.
    TransferEncoding,
    /// Its body broke off.
    BrokenBody,
    /// There is no memory for its answer.
    Overloaded,
}

impl Refused {
    const ALL: [Self; 11] = [
        Self::Client,
        Self::VersionMismatch,
        Self::MustUnderstand,
        Self::NotFound,
        Self::WrongMethod,
        Self::BadHost,
        Self::Headers,
        Self::Origin,
        Self::TransferEncoding,
        Self::BrokenBody,
        Self::Overloaded,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Client => "Client",
            Self::VersionMismatch => "VersionMismatch",
            Self::MustUnderstand => "MustUnderstand",
            Self::NotFound => "not_found",
            Self::WrongMethod => "wrong_method",
            Self::BadHost => "bad_host",
            Self::Headers => "headers",
            Self::Origin => "origin",
            Self::TransferEncoding => "transfer_encoding",
            Self::BrokenBody => "broken_body",
            Self::Overloaded => "overloaded",
        }
    }
}

impl Outcome {
    /// How many outcomes there are.
    pub const COUNT: usize = Self::OTHERS + Refused::ALL.len() + ErrorCode::ALL.len();

    /// Those without more to say.
    const OTHERS: usize = 4;

    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed(code) => code.name(),
            Self::Refused(refused) => refused.name(),
            Self::Ordered => "ordered",
            Self::Withheld => "withheld",
            Self::Dropped => "dropped",
        }
    }

    /// The names of all that are no code of the API.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let plain = [Self::Ok, Self::Ordered, Self::Withheld, Self::Dropped];
        plain.into_iter().chain(Refused::ALL.map(Self::Refused)).map(Self::name)
    }

    /// Its number, below [`Outcome::COUNT`].
    pub const fn number(self) -> usize {
        match self {
            Self::Ok => 0,
            Self::Ordered => 1,
            Self::Withheld => 2,
            Self::Dropped => 3,
            Self::Refused(refused) => Self::OTHERS + refused as usize,
            Self::Failed(code) => Self::OTHERS + Refused::ALL.len() + code as usize,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_number_and_a_name_of_its_own() {
        let plain = [Outcome::Ok, Outcome::Ordered, Outcome::Withheld, Outcome::Dropped];
        let refused = Refused::ALL.into_iter().map(Outcome::Refused);
        let failed = ErrorCode::ALL.iter().copied().map(Outcome::Failed);
        let all: Vec<Outcome> = plain.into_iter().chain(refused).chain(failed).collect();
        assert_eq!(all.len(), Outcome::COUNT);
        let mut names = std::collections::BTreeSet::new();
        for (number, outcome) in all.into_iter().enumerate() {
            assert_eq!(outcome.number(), number);
            assert!(names.insert(outcome.name()), "{outcome}");
        }
    }
}
