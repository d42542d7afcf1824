//! Payments, their parts, invoices, and what gateways collected, as refunds need them.

use crate::domain::facts::{AccountKey, AdjustmentKey, InvoiceKey, MethodKey, PartKey, PaymentKey};
use crate::domain::id::{ObjectId, RefundNumber};
use crate::domain::money::MinorUnits;
use crate::domain::vocabulary::{AdjustmentStatus, AdjustmentType, PaymentStatus, PaymentType};
use crate::ledger::UserKey;
use crate::ledger::record::{ByName, DayText, Lookup, Record, record};
use chrono::{DateTime, Utc};

record! {
    /// A payment.
    Payment in "payment" [
        /// Its key.
        key: PaymentKey,
    ] {
        /// Its id.
        id: ObjectId,
        /// PaymentNumber.
        number: String,
        /// Whose it is.
        account: AccountKey,
        /// Who moved the money.
        payment_type as "type": ByName<PaymentType>,
        /// Whether it counts.
        status: ByName<PaymentStatus>,
        /// What was paid.
        amount: MinorUnits,
        /// What refunds gave back or hold.
        refunded: MinorUnits,
        /// What of it pays invoices: what is left of its parts.
        applied: MinorUnits,
        /// What of it became credit balance.
        to_credit_balance: MinorUnits,
        /// What of a draft becomes credit balance.
        draft_credit: MinorUnits,
        /// The day it counts for.
        effective_date: DayText,
        /// The method that it came from.
        payment_method: Option<MethodKey>,
        /// The gateway that it came through.
        gateway: Option<String>,
        /// Whether that gateway has settled it.
        is_settled: bool,
        /// ReferenceId.
        reference_id: Option<String>,
        /// Free text.
        comment: Option<String>,
        /// What is only kept, a JSON object.
        kept: String,
        /// Who created it, where it is known.
        created_by: Option<UserKey>,
        /// When it was created.
        created_ms: DateTime<Utc>,
        /// Who changed it last.
        updated_by: Option<UserKey>,
        /// When it was changed.
        updated_ms: DateTime<Utc>,
        /// Values of the tenant's own fields, a JSON object.
        custom: Option<String>,
    }
    fault |payment| (payment.refunded < MinorUnits::ZERO
        || payment.applied < MinorUnits::ZERO
        || payment.unapplied() < MinorUnits::ZERO)
        .then_some("more is taken of it than was paid")
}

impl Payment {
    /// What pays no invoice, was not refunded, and neither is nor becomes credit balance.
    pub fn unapplied(&self) -> MinorUnits {
        let gone = [self.applied, self.refunded, self.to_credit_balance, self.draft_credit];
        let gone = gone.into_iter().fold(0, |sum: i64, one| sum.saturating_add(one.units()));
        MinorUnits::new(self.amount.units().saturating_sub(gone))
    }
}

/// A payment by its id.
pub static PAYMENT_BY_ID: Lookup = Lookup::new(Payment::TABLE, &["id"]);
/// A payment by its number.
pub static PAYMENT_BY_NUMBER: Lookup = Lookup::new(Payment::TABLE, &["number"]);
/// The payments of an account.
pub static PAYMENT_BY_ACCOUNT: Lookup = Lookup::new(Payment::TABLE, &["account"]);
/// The payments that came from a payment method.
pub static PAYMENT_BY_METHOD: Lookup = Lookup::new(Payment::TABLE, &["payment_method"]);

record! {
    /// The part of a payment that pays an invoice.
    Part in "invoice_payment" [
        /// Its key.
        key: PartKey,
    ] {
        /// Its id.
        id: ObjectId,
        /// The invoice.
        invoice: InvoiceKey,
        /// The payment.
        payment: PaymentKey,
        /// How much.
        amount: MinorUnits,
        /// What refunds took back of it or hold.
        refunded: MinorUnits,
        /// What was applied and unapplied of it since it was made.
        moved: MinorUnits,
        /// Who created it, where it is known.
        created_by: Option<UserKey>,
        /// When it was created.
        created_ms: DateTime<Utc>,
        /// When it was changed.
        updated_ms: DateTime<Utc>,
        /// Values of the tenant's own fields, a JSON object.
        custom: Option<String>,
    }
    fault |part| (part.refunded < MinorUnits::ZERO || part.refunded > part.amount)
        .then_some("more is taken back of it than it pays")
}

/// The parts of payments that pay an invoice.
pub static PART_BY_INVOICE: Lookup = Lookup::new(Part::TABLE, &["invoice"]);
/// The parts of a payment.
pub static PART_BY_PAYMENT: Lookup = Lookup::new(Part::TABLE, &["payment"]);

record! {
    /// An invoice.
    Invoice in "invoice" [
        /// Its key.
        key: InvoiceKey,
    ] {
        /// Its id.
        id: ObjectId,
        /// InvoiceNumber.
        number: String,
        /// Whose it is.
        account: AccountKey,
        /// InvoiceDate.
        date: DayText,
        /// What the customer was asked for.
        amount: MinorUnits,
        /// The balance that it began with.
        opening: MinorUnits,
        /// What the customer still owes.
        balance: MinorUnits,
        /// When it was created.
        created_ms: DateTime<Utc>,
        /// When it was changed.
        updated_ms: DateTime<Utc>,
        /// Values of the tenant's own fields, a JSON object.
        custom: Option<String>,
    }
}

/// An invoice by its id.
pub static INVOICE_BY_ID: Lookup = Lookup::new(Invoice::TABLE, &["id"]);
/// An invoice by its number.
pub static INVOICE_BY_NUMBER: Lookup = Lookup::new(Invoice::TABLE, &["number"]);
/// The invoices of an account.
pub static INVOICE_BY_ACCOUNT: Lookup = Lookup::new(Invoice::TABLE, &["account"]);

record! {
    /// What a refund takes back of a part of its payment.
    TakenPart in "refund_invoice_payment" [
        /// Its key.
        key: i64,
    ] {
        /// The refund.
        refund: RefundNumber,
        /// The part.
        invoice_payment: PartKey,
        /// How much.
        amount: MinorUnits,
        /// When it was created.
        created_ms: DateTime<Utc>,
        /// When it was changed.
        updated_ms: DateTime<Utc>,
    }
}

/// What a refund takes back.
pub static TAKEN_BY_REFUND: Lookup = Lookup::new(TakenPart::TABLE, &["refund"]);

record! {
    /// What a gateway collected under a reference, and what was sent back against it.
    Collected in "collected" [
        /// The reference, without white space and with its letters folded.
        reference: String,
        /// The gateway.
        gateway: String,
    ] {
        /// The payment that it is of.
        payment: PaymentKey,
        /// How much it collected.
        amount: MinorUnits,
        /// What had been sent beyond that before it was counted.
        excess: MinorUnits,
        /// What was sent.
        sent: MinorUnits,
    }
    fault |collected| (collected.sent < MinorUnits::ZERO
        || collected.sent.units() > collected.amount.units() + collected.excess.units())
        .then_some("more is sent against it than was collected")
}

record! {
    /// An adjustment of a credit balance that was asked for. Those that refunds make are their
    /// refund's entry.
    Adjustment in "adjustment" [
        /// Its key.
        key: AdjustmentKey,
    ] {
        /// Whose credit balance it moved.
        account: AccountKey,
        /// Which way.
        adjustment_type as "type": ByName<AdjustmentType>,
        /// By how much, above zero.
        amount: MinorUnits,
        /// The invoice that it was made from or into.
        invoice: Option<InvoiceKey>,
        /// The payment that it was made from.
        payment: Option<PaymentKey>,
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
        updated_by: Option<UserKey>,
        /// When it was changed.
        updated_ms: DateTime<Utc>,
        /// When it was cancelled.
        cancelled_ms: Option<DateTime<Utc>>,
        /// Values of the tenant's own fields, a JSON object.
        custom: Option<String>,
    }
}

/// The adjustments of an account.
pub static ADJUSTMENT_BY_ACCOUNT: Lookup = Lookup::new(Adjustment::TABLE, &["account"]);

/// What gateways collected under a reference.
pub static COLLECTED_BY_REFERENCE: Lookup = Lookup::new(Collected::TABLE, &["reference"]);
