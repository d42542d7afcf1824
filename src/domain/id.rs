//! Identifiers as clients see them.
//!
//! An id on the wire is `[a-zA-Z0-9]{32}|\d+` (WSDL, type ID). Ids that the gateway makes are 32
//! lower-case hex characters and time-ordered, and they carry the row's key, so that the ledger
//! finds a row by its primary key and keeps no second index. They also carry what kind of object
//! they are of, so that ids of two kinds are never equal.

use super::hex::number_of;
use chrono::{DateTime, Utc};
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
        let has_form = match text.len() {
            0 => false,
            ID_CHARS => text.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            _ => text.bytes().all(|byte| byte.is_ascii_digit()),
        };
        has_form.then(|| Self(text.to_owned()))
    }

    /// The id that `text` is, if it has the 32 characters that the gateway stores.
    pub fn parse_stored(text: &str) -> Option<Self> {
        Self::parse(text).filter(|id| id.0.len() == ID_CHARS)
    }

    /// The id that the first half of a digest makes.
    pub fn of_digest(digest: &[u8; 32]) -> Self {
        Self(digest.iter().take(ID_CHARS / 2).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The characters of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<RowId> for ObjectId {
    fn from(id: RowId) -> Self {
        Self(id.to_string())
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
    pub const MAX: i64 = RowId::KEY_MAX;

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

/// Kinds of objects whose ids the gateway makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdKind {
    /// A refund; its key is its number.
    Refund,
    /// An adjustment of a credit balance; its key is that of its first entry.
    CreditBalanceAdjustment,
    /// The part of a refund that takes back a part of its payment.
    RefundInvoicePayment,
    /// An exchange with a gateway about a refund.
    RefundTransactionLog,
    /// An account.
    Account,
    /// A payment method.
    PaymentMethod,
    /// A payment.
    Payment,
    /// The part of a payment that pays an invoice.
    InvoicePayment,
    /// An adjustment of an invoice as a whole.
    InvoiceAdjustment,
    /// An adjustment of one line of an invoice.
    InvoiceItemAdjustment,
    /// A credit memo.
    CreditMemo,
    /// An item of a credit memo, or the tax on one.
    CreditMemoItem,
    /// A payment method as it was when a refund went to it.
    PaymentMethodSnapshot,
    /// What a refund took of its payment or credit memo; its key is the refund's number.
    RefundPart,
    /// What a refund took of an item of its credit memo.
    RefundPartItem,
}

impl IdKind {
    /// Every kind. The place of one here is part of every id of its kind, so places never change.
    pub const ALL: [Self; 15] = [
        Self::Refund,
        Self::CreditBalanceAdjustment,
        Self::RefundInvoicePayment,
        Self::RefundTransactionLog,
        Self::Account,
        Self::PaymentMethod,
        Self::Payment,
        Self::InvoicePayment,
        Self::InvoiceAdjustment,
        Self::InvoiceItemAdjustment,
        Self::CreditMemo,
        Self::CreditMemoItem,
        Self::PaymentMethodSnapshot,
        Self::RefundPart,
        Self::RefundPartItem,
    ];

    const fn bits(self) -> u64 {
        self as u64
    }

    fn from_bits(bits: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.bits() == bits)
    }
}

/// An id that the gateway makes: 48 bits of Unix milliseconds, 24 bits that distinguish ledgers,
/// 4 bits of what it is the id of, and 52 bits of the row's key.
///
/// Its text sorts by time. It is unique in a ledger because kind and key are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    kind: IdKind,
    created_ms: u64,
    salt: u32,
    key: i64,
}

impl RowId {
    /// The largest key that an id has room for.
    pub const KEY_MAX: i64 = (1 << Self::KEY_BITS) - 1;

    const SALT_BITS: u32 = 24;
    const KIND_BITS: u32 = 4;
    const KEY_BITS: u32 = 52;
    const CREATED_MAX: u64 = (1 << 48) - 1;

    /// The id of the row `key` of a kind, created at `created_ms` (Unix milliseconds, cut to 48
    /// bits), with the lower 24 bits of `salt`; none where the key is not 1 to [`RowId::KEY_MAX`].
    pub fn new(kind: IdKind, created_ms: i64, salt: u32, key: i64) -> Option<Self> {
        let created_ms = u64::try_from(created_ms).unwrap_or(0).min(Self::CREATED_MAX);
        let salt = salt & ((1 << Self::SALT_BITS) - 1);
        (1..=Self::KEY_MAX).contains(&key).then_some(Self { kind, created_ms, salt, key })
    }

    /// Reads the 32 lower-case hex characters of an id of `kind`; none when no such object can
    /// have it.
    pub fn parse(kind: IdKind, text: &str) -> Option<Self> {
        let bits = number_of(text)?;
        let field =
            |shift: u32, width: u32| u64::try_from((bits >> shift) & ((1 << width) - 1)).ok();
        let above_key = Self::KEY_BITS + Self::KIND_BITS;
        if IdKind::from_bits(field(Self::KEY_BITS, Self::KIND_BITS)?)? != kind {
            return None;
        }
        let key = i64::try_from(field(0, Self::KEY_BITS)?).ok()?;
        let salt = u32::try_from(field(above_key, Self::SALT_BITS)?).ok()?;
        let created_ms = field(above_key + Self::SALT_BITS, 48)?;
        (key > 0).then_some(Self { kind, created_ms, salt, key })
    }

    /// The row's key.
    pub const fn key(self) -> i64 {
        self.key
    }

    /// The bits that distinguish ledgers, 24 of them.
    pub const fn salt(self) -> u32 {
        self.salt
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment_and_salt =
            u128::from(self.created_ms) << Self::SALT_BITS | u128::from(self.salt);
        let kind_and_key = self.kind.bits() << Self::KEY_BITS | self.key.unsigned_abs();
        let above_key = Self::KEY_BITS + Self::KIND_BITS;
        write!(out, "{:032x}", moment_and_salt << above_key | u128::from(kind_and_key))
    }
}

/// The id of a refund, whose key is its number.
///
/// It is also the key under which a payment gateway knows the refund, which is why two ledgers
/// should not make equal ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefundId {
    id: RowId,
    number: RefundNumber,
}

impl RefundId {
    /// The id of refund `number`, created at `created_ms` (Unix milliseconds, cut to 48 bits), with
    /// the lower 24 bits of `salt`.
    pub fn new(created_ms: i64, salt: u32, number: RefundNumber) -> Self {
        let created_ms = u64::try_from(created_ms).unwrap_or(0).min(RowId::CREATED_MAX);
        let salt = salt & ((1 << RowId::SALT_BITS) - 1);
        let id = RowId { kind: IdKind::Refund, created_ms, salt, key: number.value() };
        Self { id, number }
    }

    /// Reads the 32 lower-case hex characters of an id; none when no refund can have it.
    pub fn parse(text: &str) -> Option<Self> {
        let id = RowId::parse(IdKind::Refund, text)?;
        Some(Self { id, number: RefundNumber::new(id.key)? })
    }

    /// The refund's number.
    pub const fn number(self) -> RefundNumber {
        self.number
    }

    /// When the refund was created, to the millisecond.
    pub fn created_at(self) -> DateTime<Utc> {
        let millis = i64::try_from(self.id.created_ms).unwrap_or_default();
        DateTime::from_timestamp_millis(millis).unwrap_or_default()
    }

    /// The bits that distinguish ledgers, 24 of them.
    pub const fn salt(self) -> u32 {
        self.id.salt()
    }
}

impl fmt::Display for RefundId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(out)
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

    #[test]
    fn a_refunds_id_is_as_it_always_was() {
        let number = RefundNumber::new(0x1234).unwrap();
        let id = RefundId::new(0x019a_bcde_f012, 0x00ff_ee00, number);
        assert_eq!(id.to_string(), "019abcdef012ffee0000000000001234");
    }

    #[test]
    fn an_id_is_of_one_kind_only() {
        for kind in IdKind::ALL {
            let id = RowId::new(kind, 1, 2, 3).unwrap().to_string();
            assert!(ObjectId::parse_stored(&id).is_some());
            let readers = IdKind::ALL.into_iter().filter(|one| RowId::parse(*one, &id).is_some());
            assert_eq!(readers.collect::<Vec<_>>(), [kind]);
            assert_eq!(RefundId::parse(&id).is_some(), kind == IdKind::Refund);
        }
        assert_eq!(RowId::new(IdKind::Payment, 1, 2, 0), None);
        assert_eq!(RowId::new(IdKind::Payment, 1, 2, RowId::KEY_MAX + 1), None);
    }

    proptest! {
        #[test]
        fn row_ids_read_back(
            ms in 0_i64..(1 << 48),
            salt: u32,
            kind in 0..IdKind::ALL.len(),
            key in 1_i64..=RowId::KEY_MAX,
        ) {
            let kind = IdKind::ALL[kind];
            let id = RowId::new(kind, ms, salt, key).unwrap();
            prop_assert_eq!(RowId::parse(kind, &id.to_string()), Some(id));
        }

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
