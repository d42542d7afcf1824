//! Identifiers as clients see them.
//!
//! An id on the wire is `[a-zA-Z0-9]{32}|\d+` (WSDL, type ID). Ids that the gateway makes are 32
//! lower-case hex characters and time-ordered, and they carry the refund's number, so that the
//! ledger finds a refund by its primary key and keeps no second index.

use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// How many characters an id of an object has.
const ID_CHARS: usize = 32;

/// An id that has the form of one. Whether it names anything is for the ledger to say.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ObjectId(String);

/// The text has not the form of an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no id: 32 letters or digits")]
pub struct NoId(String);

impl TryFrom<String> for ObjectId {
    type Error = NoId;

    fn try_from(text: String) -> Result<Self, NoId> {
        Self::parse(&text).ok_or(NoId(text))
    }
}

impl ObjectId {
    /// The id in `text`, if it has the form of one: 32 letters or digits, or a number.
    pub fn parse(text: &str) -> Option<Self> {
        let is_object_id =
            text.len() == ID_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_object_id || is_number).then(|| Self(text.to_owned()))
    }

    /// The id that `text` is, if it has the 32 characters that the gateway stores.
    pub fn parse_stored(text: &str) -> Option<Self> {
        Self::parse(text).filter(|id| id.0.len() == ID_CHARS)
    }

    /// The characters of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<RefundId> for ObjectId {
    fn from(id: RefundId) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The number of a refund: what its RefundNumber counts, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefundNumber(i64);

impl RefundNumber {
    /// The largest number that an id has room for.
    pub const MAX: i64 = (1 << 56) - 1;

    /// The number `value`, from 1 to [`RefundNumber::MAX`].
    pub fn new(value: i64) -> Option<Self> {
        (1..=Self::MAX).contains(&value).then_some(Self(value))
    }

    /// The number as an integer.
    pub const fn value(self) -> i64 {
        self.0
    }
}

impl fmt::Display for RefundNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "R-{:08}", self.0)
    }
}

/// The id of a refund: 48 bits of Unix milliseconds, 24 bits that tell ledgers apart, and 56 bits
/// of the refund's number.
///
/// Its text sorts by time. It is unique in a ledger because the number is, and it is the key under
/// which a payment gateway knows the refund, which is why two ledgers should not make equal ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RefundId {
    created_ms: u64,
    salt: u32,
    number: RefundNumber,
}

impl RefundId {
    const SALT_BITS: u32 = 24;
    const NUMBER_BITS: u32 = 56;
    const CREATED_MAX: u64 = (1 << 48) - 1;

    /// The id of refund `number`, created at `created_ms` (Unix milliseconds, cut to 48 bits), with
    /// the lower 24 bits of `salt`.
    pub fn new(created_ms: i64, salt: u32, number: RefundNumber) -> Self {
        let created_ms = u64::try_from(created_ms).unwrap_or(0).min(Self::CREATED_MAX);
        Self { created_ms, salt: salt & ((1 << Self::SALT_BITS) - 1), number }
    }

    /// Reads the 32 lower-case hex characters of an id; none when no refund can have it.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != ID_CHARS || !text.bytes().all(is_hex) {
            return None;
        }
        let bits = u128::from_str_radix(text, 16).ok()?;
        let field = |shift: u32, width: u32| (bits >> shift) & ((1 << width) - 1);
        let number = i64::try_from(field(0, Self::NUMBER_BITS)).ok()?;
        Some(Self {
            created_ms: u64::try_from(field(80, 48)).ok()?,
            salt: u32::try_from(field(Self::NUMBER_BITS, Self::SALT_BITS)).ok()?,
            number: RefundNumber::new(number)?,
        })
    }

    /// The refund's number.
    pub const fn number(self) -> RefundNumber {
        self.number
    }

    /// The bits that tell ledgers apart, 24 of them.
    pub const fn salt(self) -> u32 {
        self.salt
    }
}

impl fmt::Display for RefundId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:012x}{:06x}{:014x}", self.created_ms, self.salt, self.number.0)
    }
}

impl Serialize for RefundId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_form_of_an_id_is_that_of_the_wsdl() {
        for good in ["402892c72b9e3319012b9e34b88e0001", "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", "7"] {
            assert!(ObjectId::parse(good).is_some(), "{good}");
        }
        for bad in ["", " ", "402892c7-2b9e-3319-012b-9e34b88e0001", "x", "402892c72b9e331901"] {
            assert_eq!(ObjectId::parse(bad), None, "{bad}");
        }
        assert!(ObjectId::parse("é02892c72b9e3319012b9e34b88e000").is_none());
        assert!(ObjectId::parse_stored("7").is_none());
    }

    #[test]
    fn numbers_have_eight_digits_and_grow_beyond() {
        assert_eq!(RefundNumber::new(1).unwrap().to_string(), "R-00000001");
        assert_eq!(RefundNumber::new(123_456_789).unwrap().to_string(), "R-123456789");
        assert_eq!(RefundNumber::new(0), None);
    }

    proptest! {
        #[test]
        fn refund_ids_read_back_and_sort_by_time(
            ms in 0_i64..(1 << 48),
            later in 1_i64..1000,
            salt: u32,
            number in 1_i64..=RefundNumber::MAX,
        ) {
            let number = RefundNumber::new(number).unwrap();
            let id = RefundId::new(ms, salt, number);
            prop_assert_eq!(RefundId::parse(&id.to_string()), Some(id));
            prop_assert!(ObjectId::parse(&id.to_string()).is_some());
            let next = RefundId::new((ms + later).min((1 << 48) - 1), salt, number);
            prop_assert!(id.to_string() <= next.to_string());
        }
    }
}
