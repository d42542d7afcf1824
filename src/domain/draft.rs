//! An object as a client asks for it: every field read, none yet judged against the ledger.
//!
//! Fields are typed here once, by the table of their object in the catalogue (`fields`). What could
//! not be typed is kept as the error it deserves, because the order in which errors are reported is
//! fixed (ids, then what is missing, then what is invalid in WSDL order, …; docs/FAULTS.md) and
//! differs from the order in which they are found.

pub mod account;
pub mod adjustment;
pub mod batch;
pub mod canonical;
pub mod change;
pub mod common;
pub mod credit_memo;
mod field_change;
pub mod fields;
pub mod invoice_adjustment;
pub mod json;
pub mod masked;
pub mod names;
pub mod payment;
pub mod payment_method;
pub mod reading;
mod refund;
pub mod refund_details;
mod refund_source;
pub mod settlement_payment;
pub mod settlement_refunds;
pub mod source;

use super::row_error::RowError;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

pub use refund::{GatewayOption, PartDraft, RefundDraft};

/// One field of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// Not sent, empty, or nil.
    #[default]
    Absent,
    /// Sent, and of the right form.
    Given(T),
    /// Sent, and not acceptable whatever the ledger says.
    Wrong(RowError),
}

impl<T> Field<T> {
    /// The value, if it was given and is of the right form.
    pub fn given(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Wrong(_) => None,
        }
    }

    /// Whether nothing was sent.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The same with another value.
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Absent => Field::Absent,
            Self::Given(value) => Field::Given(map(value)),
            Self::Wrong(error) => Field::Wrong(error),
        }
    }

    /// What `find` finds by the value; nothing if there is none of the right form.
    pub fn look_up<F, E>(
        &self,
        find: impl FnOnce(&T) -> Result<Option<F>, E>,
    ) -> Result<Option<F>, E> {
        self.given().map_or(Ok(None), find)
    }

    /// The value if given, nothing if absent, the error if wrong.
    pub fn checked(&self) -> Result<Option<&T>, RowError> {
        match self {
            Self::Absent => Ok(None),
            Self::Given(value) => Ok(Some(value)),
            Self::Wrong(error) => Err(error.clone()),
        }
    }
}

/// Absent is null and a value is itself, so that a field that comes to exist later changes nothing
/// of what was written without it.
impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Given(value) => value.serialize(serializer),
            Self::Wrong(error) => serializer.serialize_newtype_variant("Field", 2, "wrong", error),
        }
    }
}

/// An amount: its value, and for messages the text that it was sent as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AmountText {
    /// The value, normalised, so that `10` and `10.0` are one.
    pub value: Decimal,
    /// The text as sent. Two texts of one value make the same request.
    #[serde(skip)]
    pub text: String,
}

/// A draft of these fields, for tests.
#[cfg(test)]
fn read<D: fields::Draft>(fields: &[(&str, &str)]) -> D {
    let mut draft = D::default();
    for (name, text) in fields {
        draft.set(name, text);
    }
    draft
}
