//! What can happen to a refund that a listener may want to hear of.

use serde::{Deserialize, Serialize};

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// An electronic refund was created: its amount is held, its gateway is asked.
    #[serde(rename = "refund.processing")]
    Processing,
    /// The money is out: an external refund was created, or a gateway approved one.
    #[serde(rename = "refund.processed")]
    Processed,
    /// A gateway declined it, or an operator gave it up; its amount is back.
    #[serde(rename = "refund.error")]
    Error,
    /// A refund of a payment was cancelled.
    #[serde(rename = "refund.canceled")]
    Canceled,
    /// A refund of a payment was deleted.
    #[serde(rename = "refund.deleted")]
    Deleted,
    /// Its gateway settled it.
    #[serde(rename = "refund.settled")]
    Settled,
    /// Its gateway rejected it after all.
    #[serde(rename = "refund.failed_to_settle")]
    FailedToSettle,
    /// The money of a rejected refund was put back.
    #[serde(rename = "refund.compensated")]
    Compensated,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Processing,
        Self::Processed,
        Self::Error,
        Self::Canceled,
        Self::Deleted,
        Self::Settled,
        Self::FailedToSettle,
        Self::Compensated,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processing => "refund.processing",
            Self::Processed => "refund.processed",
            Self::Error => "refund.error",
            Self::Canceled => "refund.canceled",
            Self::Deleted => "refund.deleted",
            Self::Settled => "refund.settled",
            Self::FailedToSettle => "refund.failed_to_settle",
            Self::Compensated => "refund.compensated",
        }
    }

    /// The kind of this name, letter for letter.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_as_it_is_named() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(EventKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(EventKind::from_name("refund.Processed"), None);
    }
}
