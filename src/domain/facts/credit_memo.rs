//! Credit memos, as rules have to know them.

use super::{Account, Invoice, InvoiceKey};
use crate::domain::id::ObjectId;
use crate::domain::money::MinorUnits;
use crate::domain::vocabulary::CreditMemoStatus;
use chrono::NaiveDate;

/// The key of a credit memo inside the ledger; clients never see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemoKey(pub i64);

/// The key of an item of a credit memo, or of the tax on one, inside the ledger; clients never see
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemoLineKey(pub i64);

/// The key of what of a credit memo is applied to an invoice, inside the ledger; clients never see
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemoPartKey(pub i64);

/// One credit memo. Its amount is what is applied, what is refunded and what is unapplied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditMemo {
    /// Its key in the ledger.
    pub key: MemoKey,
    /// Its number.
    pub number: String,
    /// Whose it is.
    pub account: Account,
    /// The day of the memo; no refund of it is earlier.
    pub date: NaiveDate,
    /// Where it stands.
    pub status: CreditMemoStatus,
    /// What it is worth, above zero.
    pub amount: MinorUnits,
    /// What of it is applied to invoices.
    pub applied: MinorUnits,
    /// What refunds gave back or hold.
    pub refunded: MinorUnits,
    /// What of it is applied to which invoice.
    pub parts: Vec<MemoPart>,
    /// How many of its items and taxes refunds took something of.
    pub refunded_lines: usize,
}

impl CreditMemo {
    /// What is neither applied nor refunded.
    pub fn unapplied(&self) -> MinorUnits {
        let gone = self.applied.units().saturating_add(self.refunded.units());
        MinorUnits::new(self.amount.units().saturating_sub(gone))
    }
}

/// What of a credit memo is applied to an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoPart {
    /// Its key in the ledger.
    pub key: MemoPartKey,
    /// The invoice.
    pub invoice: InvoiceKey,
    /// How much, zero where all came back.
    pub amount: MinorUnits,
}

/// An item of a credit memo, or the tax on one, that a refund names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoLine {
    /// Its key in the ledger.
    pub key: MemoLineKey,
    /// Its id.
    pub id: ObjectId,
    /// The memo that it stands on.
    pub memo: MemoKey,
    /// Whether it is the tax on an item.
    pub is_tax: bool,
    /// What it is worth, above zero.
    pub amount: MinorUnits,
    /// What refunds took of it or hold.
    pub refunded: MinorUnits,
}

impl MemoLine {
    /// What refunds may still take.
    pub fn rest(&self) -> MinorUnits {
        MinorUnits::new(self.amount.units().saturating_sub(self.refunded.units()))
    }
}

/// An invoice that is named in a step, by its id, its number or both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedInvoice {
    /// The invoice of the id; none where there is no such one.
    pub by_id: Option<Invoice>,
    /// The invoice of the number; none where there is no such one.
    pub by_number: Option<Invoice>,
}
