//! Lines of invoices, and the adjustments of invoices and lines.

use crate::domain::facts::InvoiceKey;
use crate::domain::id::ObjectId;
use crate::domain::invoicing::{InvoiceAdjustmentKey, LineKey};
use crate::domain::money::MinorUnits;
use crate::domain::vocabulary::{AdjustmentStatus, InvoiceAdjustmentType};
use crate::ledger::UserKey;
use crate::ledger::record::{ByName, DayText, Lookup, Record, record};
use chrono::{DateTime, Utc};

record! {
    /// A line of an invoice: a charge, or the tax on one.
    Line in "invoice_line" [
        /// Its key.
        key: LineKey,
    ] {
        /// Its id.
        id: ObjectId,
        /// The invoice that it stands on.
        invoice: InvoiceKey,
        /// Of a tax, the charge that it is on.
        item: Option<LineKey>,
        /// ChargeName.
        name: Option<String>,
        /// Its amount; below zero, what the customer is given.
        amount: MinorUnits,
        /// When it was created.
        created_ms: DateTime<Utc>,
    }
}

/// The lines of an invoice.
pub static LINE_BY_INVOICE: Lookup = Lookup::new(Line::TABLE, &["invoice"]);
/// A line by its id.
pub static LINE_BY_ID: Lookup = Lookup::new(Line::TABLE, &["id"]);

record! {
    /// An adjustment of an invoice, or of one of its lines.
    InvoiceAdjustment in "invoice_adjustment" [
        /// Its key.
        key: InvoiceAdjustmentKey,
    ] {
        /// Its id.
        id: ObjectId,
        /// AdjustmentNumber.
        number: String,
        /// The invoice whose balance it moved.
        invoice: InvoiceKey,
        /// The line that it is about; none for the whole invoice.
        line: Option<LineKey>,
        /// Up or down.
        adjustment_type as "type": ByName<InvoiceAdjustmentType>,
        /// By how much, above zero.
        amount: MinorUnits,
        /// Whether it counts.
        status: ByName<AdjustmentStatus>,
        /// The day it counts for.
        adjustment_date: DayText,
        /// AccountingCode.
        accounting_code: Option<String>,
        /// Free text.
        comment: Option<String>,
        /// One of the tenant's codes.
        reason_code: Option<String>,
        /// ReferenceId.
        reference_id: Option<String>,
        /// TransferredToAccounting.
        transferred_to_accounting: Option<String>,
        /// Who asked for it.
        created_by: UserKey,
        /// When it was created.
        created_ms: DateTime<Utc>,
        /// Who changed it last.
        updated_by: UserKey,
        /// When it was changed.
        updated_ms: DateTime<Utc>,
        /// Who cancelled it.
        cancelled_by: Option<UserKey>,
        /// When it was cancelled.
        cancelled_ms: Option<DateTime<Utc>>,
        /// Values of the tenant's own fields, a JSON object.
        custom: Option<String>,
    }
    fault InvoiceAdjustment::broken
}

impl InvoiceAdjustment {
    /// The invariant that the row breaks, if it breaks one.
    fn broken(&self) -> Option<&'static str> {
        let is_cancelled = self.status.0 == AdjustmentStatus::Canceled;
        let faults = [
            (self.amount <= MinorUnits::ZERO, "its amount is not above zero"),
            (self.cancelled_ms.is_some() != is_cancelled, "its cancelling does not fit its status"),
            (
                self.cancelled_by.is_some() != is_cancelled,
                "who cancelled it does not fit its status",
            ),
        ];
        faults.into_iter().find(|(is_broken, _)| *is_broken).map(|(_, fault)| fault)
    }
}

/// An adjustment of an invoice or a line by its id.
pub static INVOICE_ADJUSTMENT_BY_ID: Lookup = Lookup::new(InvoiceAdjustment::TABLE, &["id"]);
/// The same by its number.
pub static INVOICE_ADJUSTMENT_BY_NUMBER: Lookup =
    Lookup::new(InvoiceAdjustment::TABLE, &["number"]);
/// The adjustments of a line.
pub static INVOICE_ADJUSTMENT_BY_LINE: Lookup = Lookup::new(InvoiceAdjustment::TABLE, &["line"]);
