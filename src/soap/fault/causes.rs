//! Which fault reports what a use case, the XML reader or the path of a call refused.

use super::Fault;
use crate::domain::version::UnsupportedVersion;
use crate::service::Refusal;
use crate::xml::XmlError;

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::InvalidSession => Self::InvalidSession,
            Refusal::WrongLogin => Self::WrongLogin,
            Refusal::TooManyWrongLogins => Self::TooManyWrongLogins,
            Refusal::TooManyLogins => Self::TooManyLogins,
            Refusal::MalformedKey => Self::MalformedKey,
            Refusal::KeyReused => Self::KeyReused,
            Refusal::KeyRunning => Self::KeyRunning,
            Refusal::TooManyRequests => Self::TooManyRequests,
            Refusal::LedgerUnavailable => Self::LedgerUnavailable,
            Refusal::LedgerDamaged => Self::LedgerDamaged,
            Refusal::TooLate => Self::TooLate,
            Refusal::QueryTooSlow => Self::QueryTooSlow,
        }
    }
}

impl From<&XmlError> for Fault {
    fn from(error: &XmlError) -> Self {
        match error {
            XmlError::NotWellFormed { .. } | XmlError::Encoding { .. } => {
                Self::NotWellFormed(error.to_string())
            }
            XmlError::Doctype => Self::Doctype,
            XmlError::ProcessingInstruction => Self::ProcessingInstruction,
            XmlError::Limit(kind) => Self::OverLimit(kind.name().to_owned()),
        }
    }
}

impl From<UnsupportedVersion> for Fault {
    fn from(UnsupportedVersion(version): UnsupportedVersion) -> Self {
        Self::UnsupportedVersion(version)
    }
}
