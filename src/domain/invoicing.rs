//! What the rules need to know of the lines of an invoice and of its adjustments. The ledger looks
//! these up inside the transaction that moves the invoice's balance.

use super::facts::{Invoice, InvoiceKey};
use super::money::MinorUnits;
use super::vocabulary::{AdjustmentStatus, InvoiceAdjustmentType, LineKind};

/// The key of a line of an invoice inside the ledger; clients never see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineKey(pub i64);

/// The key of an adjustment of an invoice or of one of its lines inside the ledger; clients never
/// see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvoiceAdjustmentKey(pub i64);

/// A line of an invoice: a charge, or the tax on one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvoiceLine {
    /// Its key in the ledger.
    pub key: LineKey,
    /// The invoice that it stands on.
    pub invoice: InvoiceKey,
    /// What it is.
    pub kind: LineKind,
    /// Its amount; below zero, what the customer is given.
    pub amount: MinorUnits,
    /// What adjustments took off it that still count.
    pub credited: MinorUnits,
}

impl InvoiceLine {
    /// What adjustments may still take off it.
    pub fn left(&self) -> MinorUnits {
        MinorUnits::new(self.amount.units().saturating_sub(self.credited.units()))
    }
}

/// An adjustment of an invoice, or of one of its lines, that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingInvoiceAdjustment {
    /// Its key in the ledger.
    pub key: InvoiceAdjustmentKey,
    /// The invoice whose balance it moved.
    pub invoice: Invoice,
    /// Which way it moved it.
    pub adjustment_type: InvoiceAdjustmentType,
    /// By how much, above zero.
    pub amount: MinorUnits,
    /// Whether it still counts.
    pub status: AdjustmentStatus,
}

impl ExistingInvoiceAdjustment {
    /// Whether it still counts.
    pub fn is_live(&self) -> bool {
        self.status == AdjustmentStatus::Processed
    }
}

/// By how much an adjustment moves the balance of its invoice: a Charge up, a Credit down.
pub fn impact(adjustment_type: InvoiceAdjustmentType, amount: MinorUnits) -> MinorUnits {
    match adjustment_type {
        InvoiceAdjustmentType::Credit => MinorUnits::new(-amount.units()),
        InvoiceAdjustmentType::Charge => amount,
    }
}
